"""Since when it has been decided that somebody is to be admitted, whatever replaced the request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import User
from flow.board_types import Sight
from flow.desk.clocks import ClockKind
from flow.desk.queue import one_need
from tests.screens.desk import in_emergency, request_of
from tests.screens.hospital import Hospital, build
from wards import requests
from wards.barriers import Said
from wards.facts import Moved, MovementKind, Place
from wards.movements import record
from wards.requests import Terms

pytestmark = pytest.mark.django_db

PENDING, MOVE = MovementKind.PENDING_ADMIT, MovementKind.PENDING_TRANSFER
UNDONE = MovementKind.CANCELLED_PENDING_ADMIT


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def asked_and_decided(hospital: Hospital, fact: Moved) -> tuple[timedelta, timedelta]:
    """How long ago their open request was made, and since when the clock of it runs."""
    need = one_need(request_of(fact).pk, at=hospital.now, sight=Sight(patients=None))
    assert need is not None
    [decided] = [one for one in need.clocks if one.kind == ClockKind.TWELVE_FROM_DECISION]
    return hospital.now - need.since, hospital.now - decided.since


def test_another_ward_is_no_new_decision(hospital: Hospital, manager: User) -> None:
    fact = in_emergency(hospital, family="Waiting", hours=13, asked=12.5)
    for ago, ward in ((6, 0), (2, 1)):
        said = Said(hospital.now, manager, occurred_at=hospital.now - hours(ago))
        wanted = hospital.wards[ward]
        requests.change(request=request_of(fact), terms=Terms(), said=said, ward=wanted)
    assert asked_and_decided(hospital, fact) == (hours(2), hours(12.5))


@pytest.mark.parametrize("again", [PENDING, MOVE])
def test_a_feed_that_says_it_again_restarts_no_clock(
    hospital: Hospital, again: MovementKind
) -> None:
    fact = in_emergency(hospital, family="Waiting", hours=13, asked=12.5)
    hospital.tell(fact, again, ago=hours(3), wanted=hospital.wards[0])
    assert asked_and_decided(hospital, fact) == (hours(3), hours(12.5))


@pytest.mark.parametrize("later", [0, 0.5])
def test_withdrawn_and_asked_again_is_a_new_decision(hospital: Hospital, later: float) -> None:
    fact = in_emergency(hospital, family="Waiting", hours=13, asked=12.5)
    hospital.tell(fact, UNDONE, ago=hours(3 + later))
    at = hospital.now - hours(3)
    asked_again = replace(
        fact, key="again", kind=PENDING, occurred_at=at, sent_at=at + timedelta(seconds=1)
    )
    record([asked_again], source="feed")
    assert asked_and_decided(hospital, fact) == (hours(3), hours(3))


def test_who_was_moved_and_waits_anew_has_a_new_decision(hospital: Hospital) -> None:
    bed = hospital.beds(hospital.wards[1])[0]
    place = Place(bed.ward_id, bed.bay_id, bed.pk)
    fact = in_emergency(hospital, family="Waiting", hours=13, asked=12.5)
    hospital.tell(fact, MovementKind.TRANSFERRED, ago=hours(3), place=place)
    hospital.tell(fact, PENDING, ago=hours(3), wanted=hospital.wards[0])
    assert asked_and_decided(hospital, fact) == (hours(3), hours(3))
