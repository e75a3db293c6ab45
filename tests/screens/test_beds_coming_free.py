"""Beds in which somebody still lies: offered for when they leave, held, and never while closed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from flow.desk import matches, proposal
from patients.models import Episode
from tests.screens.desk import in_emergency, load_example, request_of
from tests.screens.hospital import Hospital
from tests.screens.test_desk import DESK, page, send
from wards.bed_states import close
from wards.facts import MovementKind
from wards.held_beds import settle
from wards.matching import Soon, setting_at
from wards.models import Bed, Movement, Reservation, Ward
from wards.suitability.facts import BedState


@pytest.fixture
def leaves(hospital: Hospital) -> Bed:
    """A bed of the second ward, which is full, whose patient has been told to go home."""
    ward = hospital.wards[1]
    beds = hospital.beds(ward)
    facts = [hospital.admit(bed, family=f"Lies{bed.label}") for bed in beds]
    hospital.tell(facts[0], MovementKind.PENDING_DISCHARGE)
    return beds[0]


def due(bed: Bed, at: datetime) -> None:
    Episode.objects.filter(occupancies__bed=bed).update(expected_discharge_at=at)


def at_now(bed: Bed, soon: dict[int, Soon]) -> tuple[datetime | None, float]:
    found = setting_at(at=timezone.now(), wards=[bed.ward_id], soon=soon).beds[bed.pk]
    return found.ready_at, found.chance


def test_an_announced_discharge_tells_more_than_a_forecast_until_it_is_long_over(
    hospital: Hospital, leaves: Bed
) -> None:
    now = timezone.now()
    foretold = {leaves.pk: Soon(now + timedelta(hours=7), 0.55)}
    due(leaves, now + timedelta(hours=1))
    ready, chance = at_now(leaves, foretold)
    assert ready is not None
    assert (ready < now + timedelta(hours=3), chance) == (True, 1.0)
    due(leaves, now - timedelta(hours=9))
    ready, chance = at_now(leaves, foretold)
    assert ready is not None
    assert (ready > now + timedelta(hours=7), chance) == (True, 0.55)
    assert at_now(leaves, {})[1] == 1.0, "nobody knows better"


def test_a_bed_closed_behind_whoever_lies_in_it_suits_nobody(
    hospital: Hospital, leaves: Bed, manager: Client
) -> None:
    load_example(hospital)
    due(leaves, timezone.now() + timedelta(hours=1))
    request = request_of(in_emergency(hospital, family="Waiting"))
    assert f'value="{leaves.pk}"' in page(manager, f"/requests/{request.pk}/")
    close(bed=leaves.pk, reason="infection", since=timezone.now(), by=None)
    setting = setting_at(at=timezone.now(), wards=[leaves.ward_id])
    assert setting.beds[leaves.pk].state == BedState.CLOSED
    assert setting.vacated(leaves.pk, ready_at=setting.at).beds[leaves.pk].state == BedState.CLOSED
    assert f'value="{leaves.pk}"' not in page(manager, f"/requests/{request.pk}/")


def test_a_bed_that_is_foretold_to_come_free_can_be_held(
    hospital: Hospital, leaves: Bed, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_example(hospital)
    other = hospital.beds(hospital.wards[1])[1]
    free_at = timezone.now() + timedelta(hours=3)

    def foretold(*_: object, **__: object) -> dict[int, Soon]:
        return {other.pk: Soon(free_at, 0.7)}

    for module in (matches, proposal):
        monkeypatch.setattr(module, "leaving_soon", foretold)
    Ward.objects.filter(pk=hospital.wards[0].pk).update(kind=Ward.Kind.CLINIC)
    first = request_of(in_emergency(hospital, family="Waiting"))
    line = f"{first.pk}:{other.pk}"
    shown = page(manager, f"{DESK}proposal/")
    assert f'value="{line}' in shown
    answer = manager.post(f"{DESK}proposal/", {"accept": [line], "hours": "4"}, follow=True)
    assert "1 bed is held." in answer.content.decode()
    Reservation.objects.all().delete()
    assert send(manager, first, reserve=other.pk)[0] == 200
    # Of whom nobody foretells that they leave, the bed cannot be held.
    third = hospital.beds(hospital.wards[1])[2]
    status, said = send(manager, first, reserve=third.pk)
    assert (status, "is not expected to leave soon" in said) == (409, True)


def test_a_held_bed_that_somebody_had_already_is_lost_once_that_is_told(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    bed = hospital.beds(hospital.wards[1])[0]
    assert send(manager, request, reserve=bed.pk)[0] == 200
    Reservation.objects.update(recorded_at=timezone.now() - timedelta(minutes=5))
    hospital.admit(bed, ago=timedelta(minutes=12), family="Toldlate")
    settle(at=timezone.now(), beds=[bed.pk])
    assert Reservation.objects.get().status == Reservation.Status.LOST
    assert "Somebody else was put into the bed" in page(manager)


def test_a_bed_held_behind_somebody_who_was_known_to_lie_there_stays_held(
    hospital: Hospital, leaves: Bed, manager: Client
) -> None:
    due(leaves, timezone.now() + timedelta(hours=1))
    request = request_of(in_emergency(hospital, family="Waiting"))
    assert send(manager, request, reserve=leaves.pk)[0] == 200
    told = Movement.objects.filter(bed=leaves).order_by("recorded_at").first()
    assert told is not None
    Reservation.objects.update(recorded_at=told.recorded_at + timedelta(seconds=1))
    settle(at=timezone.now(), beds=[leaves.pk])
    assert Reservation.objects.get().status == Reservation.Status.HELD


def test_who_lies_out_of_place_is_not_sent_to_a_bed_in_which_somebody_lies(
    hospital: Hospital, leaves: Bed, manager: Client
) -> None:
    load_example(hospital)
    due(leaves, timezone.now() + timedelta(hours=1))
    Ward.objects.filter(pk=hospital.wards[0].pk).update(specialty="orthopaedics")
    shown = page(manager, f"{DESK}out-of-place/")
    assert f"?elsewhere={leaves.ward_id}" in shown
    assert f"bed={leaves.pk}" not in shown
    mine = hospital.beds(hospital.wards[0])[0]
    drawer = page(manager, f"/beds/{mine.pk}/?elsewhere={leaves.ward_id}")
    assert f'<option value="{leaves.ward_id}" selected>' in drawer
