"""Moves that free a bed for somebody who waits: proposed beside the queue, and made from there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from tests.screens.desk import load_example, request_of
from tests.screens.hospital import Hospital, build, signed_in, user
from wards.barriers import Said
from wards.care_needs import Needed, say
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, Occupancy
from wards.movements import transfer

pytestmark = pytest.mark.django_db

PROPOSAL = "/sites/TGH/desk/proposal/"


@pytest.fixture
def hospital() -> Hospital:
    """One ward: a side room with somebody who does not need it, and a bay with a free bed; and
    somebody who waits to be isolated."""
    made = build(wards=1, beds=3)
    room, beside, _free = made.beds(made.wards[0])
    Bed.objects.filter(pk=room.pk).update(features=[Bed.Feature.SIDE_ROOM], bay=None)
    load_example(made)
    made.admit(room, family="Settled")
    made.admit(beside, family="Beside")
    isolated(made, made.admit(made.emergency, ago=timedelta(hours=3), family="Isolated"))
    return made


def isolated(hospital: Hospital, fact: Moved) -> None:
    """They are to be isolated, and wait for a bed on the ward."""
    hospital.tell(fact, MovementKind.PENDING_ADMIT, wanted=hospital.wards[0])
    say(
        episode=request_of(fact).episode,
        needed=Needed(isolation="side_room", infections=("influenza",)),
        said=Said(timezone.now(), None),
    )


def beds(hospital: Hospital) -> list[Bed]:
    return hospital.beds(hospital.wards[0])


def offered(client: Client) -> str:
    """The one move that the page offers."""
    shown = client.get(PROPOSAL).content.decode()
    assert "Moves that would free a bed" in shown
    [deed] = re.findall(r'name="move" value="([^"]+)"', shown)
    return str(deed)


def make(client: Client, deed: str, reason: str = "") -> str:
    answer = client.post(PROPOSAL, {"move": deed, "reason": reason}, follow=True)
    assert answer.status_code == 200
    shown: str = answer.content.decode()
    return shown


def inside(bed: Bed) -> str:
    row = Occupancy.objects.filter(bed=bed, period__endswith__isnull=True).first()
    return row.episode.patient.family_name if row is not None else ""


def test_a_side_room_comes_free(hospital: Hospital, manager: Client) -> None:
    room, _beside, free = beds(hospital)
    assert "Moved to bed 3 on Ward 1." in make(manager, offered(manager))
    assert (inside(room), inside(free)) == ("", "Settled")


def test_it_is_not_made_once_somebody_has_been_moved(hospital: Hospital, manager: Client) -> None:
    room, _beside, free = beds(hospital)
    deed = offered(manager)
    by = User.objects.get(username="manager")
    episode = Occupancy.objects.get(bed=room).episode
    transfer(
        episode=episode,
        place=Place(free.ward_id, free.bay_id, free.pk),
        at=timezone.now(),
        by=by,
    )
    assert "Somebody has been moved meanwhile" in make(manager, deed)
    assert inside(free) == "Settled"


def test_a_bed_taken_meanwhile_is_nobodys_to_swap_into(hospital: Hospital, manager: Client) -> None:
    room, _beside, free = beds(hospital)
    deed = offered(manager)
    hospital.admit(free, ago=timedelta(minutes=1), family="Newcomer")
    assert "Somebody has been moved meanwhile" in make(manager, deed)
    assert (inside(room), inside(free)) == ("Settled", "Newcomer")


def test_who_waits_in_a_bay_changes_places_with_who_lies_in_the_side_room() -> None:
    hospital = build(wards=1, beds=2)
    room, bay = beds(hospital)
    Bed.objects.filter(pk=room.pk).update(features=[Bed.Feature.SIDE_ROOM], bay=None)
    load_example(hospital)
    hospital.admit(room, family="Settled")
    waits = hospital.admit(bay, family="Isolated")
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
    say(
        episode=request_of(waits).episode,
        needed=Needed(isolation="side_room", infections=("influenza",)),
        said=Said(timezone.now(), None),
    )
    manager = signed_in(user("manager", Role.BED_MANAGER, site=hospital.site))
    shown = manager.get(PROPOSAL).content.decode()
    assert "Ward 1, 2: needs a terminal clean before anybody else lies in it." in shown
    assert "Bed 2 on Ward 1 needs a terminal clean" in make(manager, offered(manager))
    assert (inside(room), inside(bay)) == ("Settled", "Isolated")
    assert "They have changed places." in make(manager, offered(manager), "Waits on a chair")
    assert (inside(room), inside(bay)) == ("Isolated", "Settled")


@pytest.mark.parametrize("deed", ["", "x", "1-2-3", "1-2-3-4", "9-9-9-9;1-1-1-1;2-2-2-2"])
def test_what_cannot_be_read_or_is_not_there_moves_nobody(
    hospital: Hospital, manager: Client, deed: str
) -> None:
    shown = make(manager, deed)
    assert "Think again" in shown
    assert inside(beds(hospital)[0]) == "Settled"


def test_a_move_is_for_those_who_move_patients_on_both_wards(
    hospital: Hospital, manager: Client
) -> None:
    deed = offered(manager)
    other = build(code="OTH")
    stranger = signed_in(
        user("elsewhere", Role.BED_MANAGER, ward=other.wards[0]),
    )
    answer = stranger.post("/sites/OTH/desk/proposal/", {"move": deed}, follow=True)
    assert "You may not move patients of Ward 1" in answer.content.decode()
    assert inside(beds(hospital)[0]) == "Settled"
