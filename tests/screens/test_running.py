"""Running a ward from pages: its nurses, its limits, a bay closed, and corridor care."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from live import shared
from patients.models import Episode
from tests.screens.desk import load_example
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards.barriers import Said
from wards.bed_states import states_at
from wards.care_needs import Needed
from wards.care_needs import say as say_needs
from wards.corridors import sign_off
from wards.models import (
    Bed,
    Closure,
    CorridorSignOff,
    Grant,
    Occupancy,
    Opening,
    Staffing,
    Ward,
    WardLimits,
)
from wards.shifts import Worked, on_show, today, worked_on
from wards.staffing import Nurses, say

STAFFING = "/sites/TGH/staffing/"
TOMORROW = f"{STAFFING}?day=tomorrow"
DESK = "/sites/TGH/desk/out-of-place/"


def page(client: Client, address: str = STAFFING) -> str:
    shared.forget()
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def running() -> Worked:
    now = timezone.now()
    return next(one for one in on_show(today(now), settings.SHIFTS, at=now) if one.runs(now))


def ahead() -> Worked:
    return worked_on(today(timezone.now()) + timedelta(days=1), settings.SHIFTS)[0]


def key(ward: Ward, worked: Worked) -> str:
    return f"{ward.pk}-{worked.start:%Y%m%dT%H%M}"


def typed(
    ward: Ward, worked: Worked, planned: str, actual: str, seen: str = "-/-"
) -> dict[str, str]:
    name = key(ward, worked)
    return {f"{name}-planned": planned, f"{name}-actual": actual, f"{name}-seen": seen}


# --- staffing -----------------------------------------------------------------------------------


def test_numbers_are_recorded_for_several_wards_at_once(
    hospital: Hospital, manager: Client
) -> None:
    one, two = hospital.wards
    sent = typed(one, ahead(), "5", "") | typed(two, ahead(), "4", "3")
    sent |= typed(hospital.emergency, ahead(), "", "")  # nothing said of a third
    answer = manager.post(TOMORROW, sent, follow=True)
    assert "2 shifts recorded" in answer.content.decode()
    said = Staffing.objects.order_by("ward__position").values_list(
        "planned", "actual", "by__username"
    )
    assert list(said) == [(5, None, "manager"), (4, 3, "manager")]
    shown = page(manager, TOMORROW)
    assert "1 below plan" in shown
    assert 'value="5"' in shown
    assert "5/-" in shown


def test_the_running_shift_says_how_many_patients_a_nurse_has(
    hospital: Hospital, manager: Client
) -> None:
    ward, now = hospital.wards[0], timezone.now()
    say(ward=ward.pk, shift=running(), nurses=Nurses(2, 1), at=now, by=None)
    WardLimits.objects.create(ward=ward, patients_per_nurse=3, most_patients=3)
    shown = page(manager)
    assert "4.0 patients" in shown
    assert "1 below plan, 1 more needed for the limit" in shown
    assert "1 over the limit" in shown
    assert "3 a nurse, 3 patients" in shown
    assert re.search(r"Wards short now</dt><dd><strong>1</strong>", shown)
    assert "2 planned; said by 1 of 3 wards" in shown


def test_without_a_limit_of_its_own_the_rules_say_it(hospital: Hospital, manager: Client) -> None:
    assert "none known" in page(manager)
    load_example(hospital)
    shown = page(manager)
    assert "8 a nurse by the rules" in shown
    assert shown.count("8 a nurse by the rules</span>") == 2  # not of the emergency department


def test_what_was_refused_stays_as_typed_and_the_rest_is_recorded(
    hospital: Hospital, manager: Client
) -> None:
    one, two = hospital.wards
    sent = typed(one, ahead(), "five", "4") | typed(two, ahead(), "4", "3")
    answer = manager.post(TOMORROW, sent)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Not all was recorded" in shown
    assert "Recorded: Ward 2, Day" in shown
    assert "Ward 1, Day</a>: Give whole numbers" in shown
    assert re.search(rf'name="{key(one, ahead())}-planned" value="five"[^>]*aria-invalid', shown)
    assert Staffing.objects.get().ward == two


def test_stale_sight_is_refused_with_what_changed_and_can_be_sent_again(
    hospital: Hospital, manager: Client
) -> None:
    ward = hospital.wards[0]
    other = user("other", Role.BED_MANAGER, everywhere=True)
    say(ward=ward.pk, shift=ahead(), nurses=Nurses(6, 5), at=timezone.now(), by=other)
    answer = manager.post(TOMORROW, typed(ward, ahead(), "4", "4"))
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Meanwhile said by Other" in shown
    assert "holds now: planned 6, at work 5" in shown
    assert re.search(rf'name="{key(ward, ahead())}-planned" value="4"', shown)
    assert f'name="{key(ward, ahead())}-seen" value="6/5"' in shown
    again = manager.post(TOMORROW, typed(ward, ahead(), "4", "4", seen="6/5"))
    assert again.status_code == 302
    assert Staffing.objects.get().planned == 4


def test_only_who_manages_the_beds_says_anything(
    hospital: Hospital, nurse: Client, observer: Client
) -> None:
    sent = typed(hospital.wards[0], ahead(), "5", "5")
    for client in (nurse, observer):
        assert 'class="number' not in page(client)
        assert client.post(TOMORROW, sent).status_code == 403
    part = signed_in(user("part", Role.BED_MANAGER, ward=hospital.wards[0]))
    shown = page(part, TOMORROW)
    assert "Ward 2" not in shown
    assert part.post(TOMORROW, sent).status_code == 302
    assert part.post(TOMORROW, typed(hospital.wards[1], ahead(), "5", "5")).status_code == 302
    assert Staffing.objects.get().ward == hospital.wards[0]
    elsewhere = build(code="OTH")
    stranger = signed_in(user("stranger", Role.SITE_MANAGER, site=elsewhere.site))
    assert stranger.get(STAFFING).status_code == 403
    assert stranger.get("/sites/NONE/staffing/").status_code == 404
    assert Client().get(STAFFING).status_code == 302


def test_who_sees_two_wards_and_manages_one_cannot_write_into_the_other(
    hospital: Hospital,
) -> None:
    person = user("both", Role.BED_MANAGER, ward=hospital.wards[0])
    Grant.objects.create(user=person, role=Role.OBSERVER, site=hospital.site)
    client = signed_in(person)
    shown = page(client, TOMORROW)
    assert shown.count('-planned" value') == 2  # two shifts of one ward
    assert client.post(TOMORROW, typed(hospital.wards[1], ahead(), "5", "5")).status_code == 403
    assert not Staffing.objects.exists()


# --- limits -------------------------------------------------------------------------------------


def limits_of(ward: Ward) -> str:
    return f"/limits/{ward.pk}/"


def seen_in(shown: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', shown)
    assert found is not None
    return found[1]


def test_limits_are_set_with_their_history(hospital: Hospital, manager: Client) -> None:
    address = limits_of(hospital.wards[0])
    seen = seen_in(page(manager, address))
    sent = {"seen": seen, "most_patients": "28", "patients_per_nurse": "7.5", "ring_fenced": "on"}
    answer = manager.post(f"{address}?fragment=1", sent)
    assert answer.status_code == 200
    assert "most patients 28, was no limit" in answer.content.decode()
    row = WardLimits.objects.get()
    assert (row.most_patients, row.patients_per_nurse, row.ring_fenced) == (28, 7.5, True)
    shown = page(manager, address)
    assert "<strong>Manager</strong>" in shown
    assert 'value="7.5"' in shown
    # Sent from what was seen before: refused, what was typed stays, and can be sent again.
    late = manager.post(address, {"seen": seen, "most_patients": "30"})
    assert late.status_code == 409
    assert "Meanwhile set by Manager" in late.content.decode()
    assert 'value="30"' in late.content.decode()
    again = {"seen": seen_in(late.content.decode()), "most_patients": "30"}
    assert manager.post(address, again).status_code == 302
    assert WardLimits.objects.get().most_patients == 30


def test_wrong_limits_are_refused_by_their_field(hospital: Hospital, manager: Client) -> None:
    address = limits_of(hospital.wards[0])
    seen = seen_in(page(manager, address))
    for sent, why in (
        ({"most_patients": "many"}, "Give a whole number"),
        ({"youngest": "18", "oldest": "16"}, "youngest age is above"),
        ({"patients_per_nurse": "0"}, "greater than or equal to 0.1"),
    ):
        answer = manager.post(address, {"seen": seen} | sent)
        assert answer.status_code in (409, 422)
        assert why in answer.content.decode()
    assert not WardLimits.objects.exists()


def test_limits_are_for_who_manages_the_ward(
    hospital: Hospital, nurse: Client, manager: Client
) -> None:
    address = limits_of(hospital.wards[0])
    assert "Set these limits" not in page(nurse, address)
    assert nurse.post(address, {"most_patients": "3"}).status_code == 403
    assert nurse.get(limits_of(hospital.wards[1])).status_code == 403
    assert manager.get("/limits/999999/").status_code == 404
    assert not WardLimits.objects.exists()


# --- closing together ---------------------------------------------------------------------------


def closing_of(ward: Ward) -> str:
    return f"/closing/{ward.pk}/"


def closed(ward: Ward) -> int:
    return sum(one.is_closed for one in states_at(at=timezone.now(), wards=[ward.pk]))


def test_a_bay_is_closed_and_reopened_while_its_patients_stay(
    hospital: Hospital, manager: Client
) -> None:
    ward = hospital.wards[0]
    address = closing_of(ward)
    shown = page(manager, address)
    assert "Bay A (6 beds, 4 with patients)" in shown
    bay = ward.bays.get()
    sent = {"deed": "close", "seen": seen_in(shown), "place": bay.pk, "reason": "infection",
            "note": "Norovirus"}  # fmt: skip
    answer = manager.post(f"{address}?fragment=1", sent)
    assert answer.content.decode().startswith("Closed: Bay A. 4 patients stay")
    assert closed(ward) == 6
    assert Occupancy.objects.filter(ward=ward, period__endswith__isnull=True).count() == 4
    board = page(manager, "/wards/TGH-W1/?site=TGH")
    assert "<strong>Bay A closed</strong>: infection" in board
    assert board.count("is-closed") >= 2  # the two empty beds, and a mark on the others
    # Sent twice: refused, since it has changed.
    assert manager.post(address, sent).status_code == 409
    closure = Closure.objects.get()
    shown = page(manager, address)
    assert "Norovirus" in shown
    sent = {"deed": "reopen", "seen": seen_in(shown), "closure": closure.pk}
    answer = manager.post(f"{address}?fragment=1", sent)
    assert answer.content.decode() == "Open again: Bay A."
    assert closed(ward) == 0


def test_the_whole_ward_is_closed_with_a_reason_and_an_end(
    hospital: Hospital, manager: Client
) -> None:
    ward = hospital.wards[1]
    address = closing_of(ward)
    seen = seen_in(page(manager, address))
    sent = {"deed": "close", "seen": seen, "place": "ward"}
    answer = manager.post(address, sent)
    assert answer.status_code == 422
    assert "Choose a reason." in answer.content.decode()
    ended = {"reason": "staffing", "until": "2001-01-01T08:00"}
    answer = manager.post(address, sent | ended)
    assert answer.status_code == 422
    assert "must end after it starts" in answer.content.decode()
    assert manager.post(address, sent | {"reason": "staffing"}).status_code == 302
    assert closed(ward) == 6
    assert (Closure.objects.get().ward, Closure.objects.get().bay) == (ward, None)


def test_a_closure_of_another_ward_is_not_reopened_from_here(
    hospital: Hospital, manager: Client
) -> None:
    one, two = hospital.wards
    seen = seen_in(page(manager, closing_of(one)))
    sent = {"deed": "close", "seen": seen, "place": "ward", "reason": "estates"}
    manager.post(closing_of(one), sent)
    seen = seen_in(page(manager, closing_of(two)))
    sent = {"deed": "reopen", "seen": seen, "closure": str(Closure.objects.get().pk)}
    assert manager.post(closing_of(two), sent).status_code == 409
    assert closed(one) == 6


def test_escalation_beds_are_opened_together(hospital: Hospital, manager: Client) -> None:
    ward = hospital.wards[1]
    Bed.objects.filter(ward=ward, label__in=["5", "6"]).update(funding=Bed.Funding.ESCALATION)
    shown = page(manager, closing_of(ward))
    assert "The whole ward (2 escalation beds)" in shown
    sent = {"deed": "open", "seen": seen_in(shown), "place": "ward"}
    answer = manager.post(f"{closing_of(ward)}?fragment=1", sent)
    assert answer.content.decode() == "2 escalation beds opened."
    sent = {"deed": "shut", "seen": seen_in(page(manager, closing_of(ward))), "place": "ward"}
    answer = manager.post(f"{closing_of(ward)}?fragment=1", sent)
    assert answer.content.decode() == "2 escalation beds no longer opened."
    assert Opening.objects.count() == 2


def test_closing_is_for_who_manages_the_ward(hospital: Hospital, nurse: Client) -> None:
    address = closing_of(hospital.wards[0])
    shown = page(nurse, address)
    assert "Whoever manages the beds" in shown
    assert nurse.post(address, {"deed": "close"}).status_code == 403
    assert nurse.get(closing_of(hospital.wards[1])).status_code == 403
    assert "Close or open beds" not in page(nurse, "/wards/TGH-W1/?site=TGH")


# --- corridor care ------------------------------------------------------------------------------


@pytest.fixture
def corridor(hospital: Hospital) -> Occupancy:
    """Somebody who is cared for in a corridor."""
    bed = hospital.beds(hospital.wards[0])[0]
    Bed.objects.filter(pk=bed.pk).update(features=["corridor"])
    return Occupancy.objects.get(bed=bed)


def sign_of(row: Occupancy) -> str:
    return f"/stays/{row.episode_id}/sign-off/"


def test_corridor_care_is_signed_off_and_the_list_says_by_whom(
    corridor: Occupancy, manager: Client
) -> None:
    shown = page(manager, DESK)
    assert "Nobody has signed this off" in shown
    assert "1 with nobody who answers for it now" in shown
    assert "Nobody has said whether they belong to a group" in shown
    sent = {"bed_seen": corridor.bed_id, "signed_seen": "", "accountable": "Site matron",
            "reason": "No bed before noon", "hours": "2"}  # fmt: skip
    answer = manager.post(f"{sign_of(corridor)}?fragment=1", sent)
    assert answer.status_code == 200
    assert answer.content.decode().startswith("Signed off by Site matron; look again by")
    shown = page(manager, DESK)
    assert "Nobody has signed this off" not in shown
    assert "Signed off by Site matron at" in shown
    assert "Sign off anew" in shown
    late = manager.post(sign_of(corridor), sent)
    assert late.status_code == 409
    assert "Meanwhile signed off by Site matron" in late.content.decode()
    assert "No bed before noon" in late.content.decode()


def test_past_its_review_nobody_answers_for_it(corridor: Occupancy, manager: Client) -> None:
    person = User.objects.get(username="manager")
    then = timezone.now() - timedelta(hours=3)
    assert corridor.bed_id is not None
    sign_off(
        episode=corridor.episode_id, bed=corridor.bed_id, accountable="Chief nurse", reason="x",
        review_at=then + timedelta(hours=1), seen=None, at=then, by=person,
    )  # fmt: skip
    shown = page(manager, DESK)
    assert "To be looked at again since" in shown
    assert "1 with nobody who answers for it now" in shown


def test_who_must_never_be_there_is_said_plainly(corridor: Occupancy, manager: Client) -> None:
    needed = Needed(corridor_groups=("news2_over_5",))
    stay = Episode.objects.get(pk=corridor.episode_id)
    say_needs(episode=stay, needed=needed, said=Said(timezone.now(), None))
    for address in (DESK, sign_of(corridor)):
        shown = page(manager, address)
        assert "Must never be in a corridor:</strong> news2 above 5" in shown
        assert "Nobody has said whether" not in shown
    sent = {"bed_seen": corridor.bed_id, "signed_seen": "", "accountable": "Matron",
            "reason": "No other way", "hours": "1"}  # fmt: skip
    assert manager.post(sign_of(corridor), sent).status_code == 302
    assert CorridorSignOff.objects.get().groups == ["news2_over_5"]
    shown = page(manager, "/rules/")
    assert "Corridor care signed off" in shown
    assert "of who must never be there 1 and 1" in shown


def test_what_is_not_said_is_refused_and_what_was_typed_stays(
    corridor: Occupancy, manager: Client
) -> None:
    sent = {"bed_seen": corridor.bed_id, "signed_seen": "", "accountable": "", "reason": "Full",
            "hours": "2"}  # fmt: skip
    answer = manager.post(sign_of(corridor), sent)
    assert answer.status_code == 422
    assert "Say who answers for it" in answer.content.decode()
    assert "Full</textarea>" in answer.content.decode()
    moved = manager.post(sign_of(corridor), sent | {"bed_seen": "1", "accountable": "x"})
    assert moved.status_code == 409
    assert not CorridorSignOff.objects.exists()


def test_names_and_groups_are_for_who_may_see_the_patient(
    corridor: Occupancy, observer: Client, nurse: Client
) -> None:
    shown = page(observer, DESK)
    assert FAMILY.upper() not in shown
    assert "Nobody has signed this off" in shown
    assert "corridor-unknown" not in shown
    assert observer.get(sign_of(corridor)).status_code == 403
    assert "Whoever manages the beds" in page(nurse, sign_of(corridor))
    assert nurse.post(sign_of(corridor), {"accountable": "x"}).status_code == 403
    Bed.objects.update(features=[])
    assert nurse.get(sign_of(corridor)).status_code == 404


# --- budgets ------------------------------------------------------------------------------------


def test_every_page_asks_as_much_at_60_beds_as_at_6(
    hospital: Hospital, corridor: Occupancy, manager: Client
) -> None:
    ward, now = hospital.wards[0], timezone.now()
    load_example(hospital)
    say(ward=ward.pk, shift=running(), nurses=Nurses(2, 1), at=now, by=None)
    WardLimits.objects.create(ward=ward, most_patients=3)
    budgets = {
        STAFFING: 15,
        limits_of(ward): 11,
        closing_of(ward): 14,
        sign_of(corridor): 15,
        DESK: 34,
        "/wards/TGH-W1/?site=TGH": 20,
    }

    def asked_by(address: str) -> int:
        page(manager, address)
        shared.forget()
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(address).status_code == 200
        return len(asked)

    small = {address: asked_by(address) for address in budgets}
    assert all(small[address] <= budget for address, budget in budgets.items()), small
    add_beds(ward, 54, first=6)
    hospital.fill(ward, 60)
    Bed.objects.filter(ward=ward, position__lt=20).update(features=["corridor"])
    for number in range(3, 13):
        more = Ward.objects.create(
            site=hospital.site, code=f"TGH-M{number}", name=f"More {number}", position=number
        )
        say(ward=more.pk, shift=running(), nurses=Nurses(2, 1), at=now, by=None)
        WardLimits.objects.create(ward=more, most_patients=3)
    assert {address: asked_by(address) for address in budgets} == small
