"""The desk on stale sight: what somebody else did meanwhile is never undone without a word."""

from __future__ import annotations

import re
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from patients.models import CareNeeds
from tests.screens.desk import in_emergency, load_example, request_of
from tests.screens.hospital import Hospital, build, signed_in, user
from tests.screens.test_desk import DESK, address_of, free_bed, page, send
from wards import reservations
from wards.barriers import Said
from wards.models import Occupancy, RequestTerms, Reservation
from wards.movements import swap

PROPOSAL = f"{DESK}proposal/"


def field(shown: str, name: str, deed: str) -> str:
    """The hidden field of the form of one deed."""
    form = shown[shown.index(f'name="deed" value="{deed}"') :]
    found = re.search(rf'name="{name}" value="([^"]*)"', form)
    assert found is not None
    return found[1]


def accepted(client: Client, *lines: str, address: str = PROPOSAL) -> str:
    answer = client.post(address, {"accept": lines, "hours": "2"}, follow=True)
    assert answer.status_code == 200
    shown: str = answer.content.decode()
    return shown


def test_a_proposal_takes_no_bed_back_that_was_given_meanwhile(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    by = User.objects.get(username="manager")
    given = reservations.allocate(
        request=request, bed=free_bed(hospital), said=Said(timezone.now(), by)
    )
    shown = accepted(manager, f"{request.pk}:{free_bed(hospital, 1)}")
    assert "Meanwhile bed 1 on Ward 2 was held for them" in shown
    given.refresh_from_db()
    assert given.status == Reservation.Status.HELD
    assert Reservation.objects.count() == 1


def test_a_proposal_gives_beds_to_those_of_the_site_whom_one_may_see(hospital: Hospital) -> None:
    load_example(hospital)
    waiting = request_of(in_emergency(hospital, family="Waiting"))
    other = build(code="OTH")
    nurse = signed_in(user("othernurse", Role.WARD_NURSE, ward=other.wards[0]))
    bed = other.beds(other.wards[0])[0].pk
    for address in ("/sites/OTH/desk/proposal/", PROPOSAL):
        answer = nurse.post(address, {"accept": [f"{waiting.pk}:{bed}"], "hours": "2"}, follow=True)
        assert "1 bed is held" not in answer.content.decode()
    assert not Reservation.objects.exists()


def test_a_bed_is_held_from_when_it_is_ready(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    accepted(manager, f"{request.pk}:{free_bed(hospital)}:600")
    until = Reservation.objects.get().period.upper
    assert timedelta(hours=11) < until - timezone.now() <= timedelta(hours=12)
    far = request_of(in_emergency(hospital, family="Far"))
    accepted(manager, f"{far.pk}:{free_bed(hospital, 1)}:99999999999999999")
    latest = Reservation.objects.latest("pk").period.upper
    assert latest - timezone.now() <= timedelta(hours=26)


def test_holding_a_bed_that_was_given_does_not_shorten_it(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    send(manager, request, allocate=free_bed(hospital), held_seen="")
    held = Reservation.objects.get()
    until = held.period.upper
    status, said = send(
        manager, request, reserve=free_bed(hospital), hours="1", held_seen=str(held.pk)
    )
    assert status == 200, said
    held.refresh_from_db()
    assert (held.period.upper, held.decided) == (until, True)


def test_needs_said_meanwhile_are_not_written_over(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    seen = field(page(manager, address_of(request)), "seen", "needs")
    status, _said = send(
        manager, request, deed="needs", isolation="side_room", infections="mrsa", seen=seen
    )
    assert status == 200
    status, said = send(manager, request, deed="needs", infections="flu", seen=seen)
    assert status == 409
    assert "Somebody said otherwise meanwhile" in said
    assert 'value="flu"' in said
    assert CareNeeds.objects.latest("pk").isolation == "side_room"
    again = field(said, "seen", "needs")
    assert send(manager, request, deed="needs", infections="flu", seen=again)[0] == 200


def test_terms_said_meanwhile_are_not_written_over(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    ward = hospital.wards[1].pk
    seen = field(page(manager, address_of(request)), "seen", "change")
    more = {"deed": "change", "ward": ward, "seen": seen}
    assert send(manager, request, **more, priority=1, note="septic")[0] == 200
    status, said = send(manager, request, **more, priority=3, note="mine")
    assert status == 409
    assert "Somebody asked for it otherwise meanwhile" in said
    assert "mine" in said
    assert RequestTerms.objects.get().note == "septic"


def test_places_are_changed_with_whom_one_saw_and_with_nobody_else(
    hospital: Hospital, manager: Client
) -> None:
    one, two, three = hospital.beds(hospital.wards[1])[:3]
    for bed, name in ((one, "First"), (two, "Second"), (three, "Third")):
        hospital.admit(bed, family=name)
    ward = hospital.wards[1].pk
    shown = page(manager, f"/beds/{one.pk}/?to={ward}&bed={two.pk}")
    assert "SECOND" in shown
    by = User.objects.get(username="manager")
    inside = {row.bed_id: row.episode for row in Occupancy.objects.filter(bed__in=[two, three])}
    swap(one=inside[two.pk], other=inside[three.pk], at=timezone.now(), by=by)
    form = {
        "deed": "swap",
        "episode_seen": field(shown, "episode_seen", "swap"),
        "to": ward,
        "with_bed": two.pk,
        "inside_seen": field(shown, "inside_seen", "swap"),
    }
    answer = manager.post(f"/beds/{one.pk}/?fragment=1", form)
    assert answer.status_code == 422
    assert "Somebody else is in that bed by now" in answer.content.decode()
    now = Occupancy.objects.get(bed=one, period__endswith__isnull=True)
    assert now.episode.patient.family_name == "First"
    again = {**form, "inside_seen": field(answer.content.decode(), "inside_seen", "swap")}
    assert manager.post(f"/beds/{one.pk}/?fragment=1", again).status_code == 200
