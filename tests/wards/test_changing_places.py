"""Changing places: into no bed that is closed, and none that has to be cleaned between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.refusals import Refused
from patients.keys import Details, PersonKey
from patients.models import Episode
from wards import movements
from wards.barriers import Said
from wards.bed_states import close, record_status
from wards.care_needs import Needed, say
from wards.facts import Place
from wards.models import Bed, BedStatus, Occupancy, Override
from wards.placing import Unsuitable
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE

from .hospital import START, Hospital, build, minutes

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


@pytest.fixture
def two(hospital: Hospital, manager: User) -> tuple[Episode, Episode]:
    """Two women, each in a bed of one ward."""
    one, other = (
        movements.admit(
            person=PersonKey("RXX", f"P{number}"),
            details=Details({"family_name": f"Test{number}", "sex": "female"}),
            place=hospital.beds[number],
            at=START,
            by=manager,
        )
        for number in (0, 1)
    )
    return one, other


def bed_of(place: Place) -> int:
    assert place.bed is not None
    return place.bed


def infected(episode: Episode, *infections: str, isolation: str = "") -> None:
    said = Said(minutes(2), None)
    say(episode=episode, needed=Needed(isolation=isolation, infections=infections), said=said)


def lies_in(episode: Episode, place: Place) -> bool:
    return Occupancy.objects.filter(
        episode=episode, bed=place.bed, period__contains=minutes(20)
    ).exists()


def test_nobody_swaps_into_a_closed_bed(
    hospital: Hospital, manager: User, two: tuple[Episode, Episode]
) -> None:
    one, other = two
    close(bed=bed_of(hospital.beds[1]), reason="infection", since=minutes(5), by=manager)
    with pytest.raises(Refused, match="is closed"):
        movements.swap(one=one, other=other, at=minutes(10), by=manager)
    with pytest.raises(Refused, match="is closed"):
        movements.swap(one=other, other=one, at=minutes(10), by=manager)
    assert lies_in(one, hospital.beds[0])


def test_nobody_swaps_into_a_bed_that_waits_for_a_terminal_clean(
    hospital: Hospital, manager: User, two: tuple[Episode, Episode]
) -> None:
    one, other = two
    record_status(
        bed=bed_of(hospital.beds[0]),
        status=BedStatus.Status.CONTAMINATED,
        level=BedStatus.Level.TERMINAL,
        occurred_at=minutes(5),
        sent_at=minutes(5),
        source="web",
        key="asked",
    )
    with pytest.raises(Refused, match="waits for a terminal clean"):
        movements.swap(one=one, other=other, at=minutes(10), by=manager)


@pytest.mark.parametrize("isolation", ["", "side_room"])
def test_nobody_lies_straight_after_an_infection_unless_somebody_says_why(
    hospital: Hospital, manager: User, two: tuple[Episode, Episode], isolation: str
) -> None:
    one, other = two
    infected(one, "cdi", isolation=isolation)
    with pytest.raises(Unsuitable, match="needs a terminal clean before anybody else") as refused:
        movements.swap(one=one, other=other, at=minutes(10), by=manager)
    assert not refused.value.may_override, "without a book of rules nobody may set any aside"
    keep_book(site=None, book=EXAMPLE, valid_from=START - timedelta(days=1), by=None)
    Bed.objects.filter(pk=bed_of(hospital.beds[1])).update(bay=None, features=["side_room"])
    with pytest.raises(Unsuitable, match="needs a terminal clean before anybody else") as refused:
        movements.swap(one=one, other=other, at=minutes(10), by=manager, reason=" ")
    assert refused.value.may_override
    movements.swap(one=one, other=other, at=minutes(10), by=manager, reason="Cleaned between")
    assert lies_in(one, hospital.beds[1])
    assert lies_in(other, hospital.beds[0])
    kept = Override.objects.get(rule="terminal_clean")
    assert (kept.episode_id, kept.bed_id, kept.reason) == (
        other.pk, hospital.beds[0].bed, "Cleaned between",
    )  # fmt: skip


def test_those_with_the_same_infections_change_places(
    hospital: Hospital, manager: User, two: tuple[Episode, Episode]
) -> None:
    one, other = two
    infected(one, "influenza")
    infected(other, "influenza")
    movements.swap(one=one, other=other, at=minutes(10), by=manager)
    assert lies_in(one, hospital.beds[1])


def test_who_has_one_infection_more_leaves_a_bed_to_clean(
    hospital: Hospital, manager: User, two: tuple[Episode, Episode]
) -> None:
    one, other = two
    infected(one, "influenza")
    infected(other, "influenza", "norovirus")
    with pytest.raises(Unsuitable, match="needs a terminal clean"):
        movements.swap(one=one, other=other, at=minutes(10), by=manager)
