"""Setting what a ward can safely hold, and who has set it."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.models import User
from accounts.refusals import Refused
from tests.wards.some_places import some_ward
from tests.wards.test_races import at_once
from wards.limits import history, limits_of, set_limits
from wards.models import WardLimits
from wards.rule_files import Limits

pytestmark = pytest.mark.django_db


@pytest.fixture
def matron() -> User:
    return User.objects.create(username="matron", first_name="May", last_name="Matron")


def test_limits_are_set_and_everybody_sees_by_whom(matron: User) -> None:
    ward = some_ward().ward.pk
    first = Limits(most_patients=28, patients_per_nurse=7.5)
    assert set_limits(ward=ward, limits=first, seen=Limits(), by=matron) == (
        "most patients 28, was no limit",
        "patients per nurse 7.5, was no limit",
    )
    second = Limits(most_patients=26, ring_fenced=True)
    set_limits(ward=ward, limits=second, seen=first, by=None)
    assert limits_of(ward) == second
    assert set_limits(ward=ward, limits=second, by=matron) == ()  # nothing to tell of
    past = history(ward)
    assert [(one.by, one.how[0]) for one in past] == [
        ("", "most patients 26, was 28"),
        ("May Matron", "most patients 28, was no limit"),
    ]
    assert [one.how[0] for one in history(ward, most=1)] == ["most patients 26, was 28"]


def test_stale_sight_is_refused_with_what_changed() -> None:
    ward = some_ward().ward.pk
    set_limits(ward=ward, limits=Limits(most_patients=28), by=None)
    with pytest.raises(Refused, match="most patients 28, was no limit"):
        set_limits(ward=ward, limits=Limits(most_patients=30), seen=Limits(), by=None)
    assert limits_of(ward) == Limits(most_patients=28)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(most_patients=1000), "between 0 and 999"),
        (Limits(patients_per_nurse=0.0), "more than 0"),
        (Limits(youngest=18, oldest=16), "youngest age is above"),
        (Limits(cleaned_after=-5), "between 0 and 1440"),
    ],
)
def test_limits_that_contradict_themselves_are_refused(limits: Limits, why: str) -> None:
    with pytest.raises(Refused, match=why):
        set_limits(ward=some_ward().ward.pk, limits=limits, by=None)
    with pytest.raises(Refused, match="no ward"):
        set_limits(ward=0, limits=Limits(), by=None)
    assert not WardLimits.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_set_them_at_once_one_wins() -> None:
    ward = some_ward().ward.pk

    def deed(number: int) -> object:
        limits = Limits(most_patients=number)
        return set_limits(ward=ward, limits=limits, seen=Limits(), by=None)

    results = at_once([partial(deed, number) for number in range(1, 9)])
    assert results.count(None) == 1
    assert all(one is None or isinstance(one, Refused) for one in results)
