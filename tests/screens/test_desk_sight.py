"""Whose needs for a bed somebody is told of who has a role on some wards alone."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from accounts.tokens import TokenScope
from tests.api.callers import Caller
from tests.screens.desk import in_emergency, load_example, request_of
from tests.screens.hospital import Hospital, signed_in, user
from tests.screens.test_desk import DESK, page, send
from wards import requests
from wards.barriers import Said
from wards.facts import MovementKind
from wards.models import BedRequest, Grant, Reservation
from wards.requests import Terms


def own_need(hospital: Hospital, family: str = "Own") -> BedRequest:
    """Somebody in the emergency department for whom a bed on the first ward is asked."""
    fact = hospital.admit(hospital.emergency, family=family)
    hospital.tell(fact, MovementKind.PENDING_ADMIT, wanted=hospital.wards[0])
    return request_of(fact)


def other_need(hospital: Hospital, manager: Client) -> BedRequest:
    """One that is about the second ward and the emergency department alone, with its terms."""
    made = request_of(in_emergency(hospital, family="Other", hours=13, asked=2))
    said = {"priority": "1", "asked_by": "Registrar", "specialty": ""}
    assert send(manager, made, deed="change", **said)[0] == 200
    return made


def test_a_nurse_is_listed_the_needs_of_the_own_ward_and_told_how_many_others_there_are(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    mine, other = own_need(hospital), other_need(hospital, manager)
    bed = hospital.beds(hospital.wards[1])[0].pk
    assert send(manager, other, reserve=bed)[0] == 200
    shown = page(nurse)
    assert f"need-{mine.pk}" in shown
    assert f"need-{other.pk}" not in shown
    assert "Registrar" not in shown
    assert "Held until" not in shown
    assert "1 more of this site is not listed" in shown
    # Figures are of the site.
    assert '<dd><strong>2</strong><span class="aside">1 with a bed held</span>' in shown
    assert "Show all 1" in page(nurse, f"{DESK}?kind=elective")
    # The same rule as over REST.
    caller = Caller("program", Role.WARD_NURSE, TokenScope.BEDS_READ, ward=hospital.wards[0])
    assert [row["id"] for row in caller.get("/api/v1/bed-requests/")] == [mine.pk]
    every = page(manager)
    assert f"need-{other.pk}" in every
    assert "not listed" not in every


def test_what_was_called_off_is_listed_where_the_need_would_be(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    mine, other = own_need(hospital), other_need(hospital, manager)
    for one in (mine, other):
        assert send(manager, one, deed="withdraw", reason="No need")[0] == 200
    shown = page(nurse)
    assert f"/requests/{mine.pk}/" in shown
    assert f"/requests/{other.pk}/" not in shown
    assert f"/requests/{other.pk}/" in page(manager)


def test_boarders_and_the_handover_tell_of_the_needs_that_the_desk_lists(
    hospital: Hospital, manager: Client, nurse: Client
) -> None:
    load_example(hospital)
    mine, other = own_need(hospital), other_need(hospital, manager)
    handover = "/sites/TGH/handover/"
    for address in (f"{DESK}out-of-place/", handover, f"{handover}?patch=all"):
        shown = page(nurse, address)
        assert f"/requests/{other.pk}/" not in shown, address
    assert f"/requests/{mine.pk}/" in page(nurse, f"{DESK}out-of-place/")
    assert f"/requests/{other.pk}/" in page(manager, f"{DESK}out-of-place/")


def test_a_proposal_is_of_those_whom_one_may_see(hospital: Hospital, manager: Client) -> None:
    """What speaks for and against a bed tells of the patient; nor could the line be accepted."""
    load_example(hospital)
    mine, other = own_need(hospital), other_need(hospital, manager)
    assert send(manager, other, deed="needs", infections="MRSA", isolation="side_room")[0] == 200
    both = user("both", Role.WARD_NURSE, ward=hospital.wards[0])
    Grant.objects.create(user=both, role=Role.OBSERVER, everywhere=True)
    for who in (signed_in(both), signed_in(user("one", Role.WARD_NURSE, ward=hospital.wards[0]))):
        shown = page(who, f"{DESK}proposal/")
        assert f'value="{mine.pk}:' in shown
        assert "1 bed proposed, 0 without one" in shown
        assert "1 whom you may not see is left out" in shown
        assert f"/requests/{other.pk}/" not in shown
        assert "MRSA" not in shown
        lines = [line.split('"')[0] for line in shown.split('name="accept" value="')[1:]]
        told = who.post(f"{DESK}proposal/", {"accept": lines}, follow=True).content.decode()
        assert "1 bed is held." in told
        assert "A line was over already" not in told
        Reservation.objects.all().delete()
    assert "may not see" not in page(manager, f"{DESK}proposal/")


def test_whoever_is_here_is_proposed_a_bed_though_it_is_wanted_later(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    mine = own_need(hospital)
    requests.change(
        request=mine,
        terms=Terms(due_at=hospital.now + timedelta(hours=9)),
        said=Said(timezone.now(), user("asker", Role.BED_MANAGER, everywhere=True)),
    )
    shown = page(manager, f"{DESK}proposal/")
    assert f'value="{mine.pk}:' in shown
    assert "left out" not in shown
