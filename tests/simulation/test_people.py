from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.clock import moment_of
from simulation.people import invent, mishear, nhs_number

NOON = 29_700_000


def is_valid(number: str) -> bool:
    total = sum(
        int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True)
    )
    return (11 - total % 11) % 11 == int(number[9])


@given(st.integers(0, 499_999))
def test_nhs_numbers_are_valid_and_in_the_range_for_tests(key: int) -> None:
    number = nhs_number(2 * key)
    assert len(number) == 10
    assert number.startswith("999")
    assert is_valid(number)


@given(st.integers(0, 499_998))
def test_neighbours_have_different_numbers(key: int) -> None:
    assert nhs_number(2 * key) != nhs_number(2 * key + 2)


@pytest.mark.parametrize("age", [0.1, 4, 40, 99])
def test_people_are_about_as_old_as_asked(age: float) -> None:
    rng = Random(1)
    for key in range(50):
        person = invent(rng, key=key, at=NOON, sex="F", age=age)
        assert date.fromisoformat(person.born) <= moment_of(NOON).date()
        assert age - 2 <= person.age(NOON) <= age + 2


def test_a_misheard_person_has_one_wrong_detail() -> None:
    rng = Random(1)
    for key in range(200):
        person = invent(rng, key=key, at=NOON, sex="M", age=50)
        wrong = mishear(rng, person)
        ((detail, said),) = wrong.items()
        assert said != getattr(person, detail)
        person.misheard = wrong
        assert person.said(detail) == said
        person.misheard = {}
        assert person.said(detail) == getattr(person, detail)
