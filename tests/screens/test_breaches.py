"""A rule that was set aside counts as a breach once somebody lay there against it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.screens.desk import in_emergency, load_example, make_male, request_of
from tests.screens.hospital import Hospital
from tests.screens.test_desk import free_bed, page, send
from wards import movements
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, BedRequest, Movement, Override, Reservation


@pytest.fixture
def waiting(hospital: Hospital) -> tuple[Moved, BedRequest]:
    """A woman for whom a bed is asked on a ward of bays for men."""
    load_example(hospital)
    make_male(hospital.wards[1])
    fact = in_emergency(hospital, family="Waiting")
    return fact, request_of(fact)


def counted(client: Client) -> tuple[int, int, bool]:
    """How often something was set aside in 7 days, of these mixed-sex breaches, and whether the
    handover tells of one."""
    said = " ".join(re.sub(r"<[^>]+>", " ", page(client, "/rules/?site=TGH")).split())
    aside = re.search(r"Set aside in 7 days (\d+)", said)
    breach = re.search(r"Mixed-sex breach (\d+) in 7 days", said)
    assert aside is not None
    handover = page(client, "/sites/TGH/handover/?since=12")
    assert "Rules set aside" in handover
    counts = "counted as mixed-sex breach" in handover
    return int(aside[1]), int(breach[1]) if breach else 0, counts


def hold(client: Client, hospital: Hospital, request: BedRequest, deed: str = "reserve") -> str:
    """Against the rule; the key of the reservation."""
    said = {deed: free_bed(hospital), "reason": "The last bed", "held_seen": ""}
    assert send(client, request, **said)[0] == 200
    return str(Reservation.objects.latest("pk").pk)


@pytest.mark.parametrize("deed", ["reserve", "allocate"])
def test_a_bed_held_and_given_back_mixed_nobody(
    hospital: Hospital, manager: Client, waiting: tuple[Moved, BedRequest], deed: str
) -> None:
    held = hold(manager, hospital, waiting[1], deed)
    assert counted(manager) == (1, 0, False)
    assert send(manager, waiting[1], deed="release", held_seen=held)[0] == 200
    assert counted(manager) == (1, 0, False)


def test_a_hold_that_is_taken_up_counts_once(
    hospital: Hospital, manager: Client, waiting: tuple[Moved, BedRequest]
) -> None:
    held = hold(manager, hospital, waiting[1])
    assert send(manager, waiting[1], deed="go", held_seen=held)[0] == 200
    assert counted(manager) == (1, 1, True)


def test_a_hold_that_a_feed_takes_up_counts_once(
    hospital: Hospital, manager: Client, waiting: tuple[Moved, BedRequest]
) -> None:
    hold(manager, hospital, waiting[1])
    bed = Bed.objects.get(pk=free_bed(hospital))
    place = Place(bed.ward_id, bed.bay_id, bed.pk)
    hospital.now = timezone.now()
    hospital.tell(waiting[0], MovementKind.TRANSFERRED, ago=timedelta(0), place=place)
    assert counted(manager) == (1, 1, True)


def test_a_move_counts_until_it_is_taken_back(
    hospital: Hospital, manager: Client, waiting: tuple[Moved, BedRequest]
) -> None:
    said = {"move": free_bed(hospital), "reason": "The last bed"}
    assert send(manager, waiting[1], **said)[0] == 200
    assert counted(manager) == (1, 1, True)
    _undo()
    assert counted(manager) == (1, 0, False)


def test_a_hold_taken_up_and_taken_back_counts_no_more(
    hospital: Hospital, manager: Client, waiting: tuple[Moved, BedRequest]
) -> None:
    held = hold(manager, hospital, waiting[1])
    assert send(manager, waiting[1], deed="go", held_seen=held)[0] == 200
    _undo()
    assert counted(manager) == (1, 0, False)


def _undo() -> None:
    by = User.objects.get(username="manager")
    move = Movement.objects.select_related("visit", "patient").latest("pk")
    movements.cancel(movement=move, at=timezone.now(), by=by)
    assert Override.objects.count() == 1
