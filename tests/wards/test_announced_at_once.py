"""One new person, announced or admitted by several screens at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from patients.keys import Details
from patients.models import Episode
from wards import movements
from wards.barriers import Said
from wards.expecting import Coming
from wards.models import BedRequest, Ward
from wards.movements import SameName
from wards.requests import Terms

from .hospital import Hospital, build
from .test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BORN = date(1947, 3, 31)
SPELLINGS = ("Winter-Frost", "WINTER FROST", "winterfrost", "Wínter Frost")


@pytest.fixture
def hospital() -> Hospital:
    return build(wards=3)


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


def said(family: str, *, born: date | None = BORN) -> Details:
    return Details(
        {"family_name": family, "given_name": "Ada", "date_of_birth": born, "sex": "female"}
    )


def announce(hospital: Hospital, by: User, number: int, details: Details) -> BedRequest:
    # The later the number, the earlier its clock: whoever is last may carry the first time.
    at = timezone.now() - timedelta(milliseconds=50 * number)
    return movements.expect(
        coming=Coming(person=None, details=details, expected_at=at + timedelta(hours=3)),
        ward=Ward.objects.get(pk=hospital.wards[0]),
        terms=Terms(),
        said=Said(at, by),
    )


def admit(hospital: Hospital, by: User, number: int, details: Details) -> Episode:
    at = timezone.now() - timedelta(milliseconds=50 * number)
    return movements.admit(person=None, details=details, place=hospital.beds[number], at=at, by=by)


@pytest.mark.parametrize("deeds", [[announce] * 4, [admit] * 4, [admit, announce] * 2])
def test_the_same_new_person_is_made_once(
    hospital: Hospital, manager: User, deeds: list[Callable[..., object]]
) -> None:
    results = at_once(
        [
            lambda deed=deed, n=n: deed(hospital, manager, n, said(SPELLINGS[n]))  # type: ignore[misc]
            for n, deed in enumerate(deeds)
        ]
    )
    made = [deed for deed, result in zip(deeds, results, strict=True) if result is None]
    refused = [result for result in results if result is not None]
    assert all(isinstance(one, SameName) for one in refused), results
    # Who is admitted is not asked about those expected: one of each may be made.
    assert made.count(announce) <= 1, results
    assert made.count(admit) == min(1, deeds.count(admit)), results
    assert len(made) == Episode.objects.count()
    if admit not in deeds:
        assert len(made) == 1, results


def test_others_wait_for_nobody(hospital: Hospital, manager: User) -> None:
    several = [said("Winter"), said("Summer"), said("Winter", born=date(1950, 1, 1))]
    several += [said("Winter", born=None)]
    results = at_once(
        [
            lambda n=n, one=one: announce(hospital, manager, n, one)  # type: ignore[misc]
            for n, one in enumerate(several)
        ]
    )
    assert results == [None] * 4
    assert BedRequest.objects.count() == 4
