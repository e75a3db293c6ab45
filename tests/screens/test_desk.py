"""The desk: the queue, a request with the beds that suit, and a proposal for everybody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from live import shared
from tests.screens.desk import in_emergency, load_example, make_male, request_of
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards.bed_states import close, record_status
from wards.facts import MovementKind
from wards.matching import USUAL_CLEANING
from wards.models import Bed, BedRequest, Grant, Occupancy, Override, Reservation, Ward
from wards.reservations import DECIDED

DESK = "/sites/TGH/desk/"


def page(client: Client, address: str = DESK) -> str:
    shared.forget()  # nothing rings within a test's transaction
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def address_of(request: BedRequest) -> str:
    return f"/requests/{request.pk}/"


def send(client: Client, request: BedRequest, **said: object) -> tuple[int, str]:
    answer = client.post(f"{address_of(request)}?fragment=1", said)
    return answer.status_code, answer.content.decode()


def free_bed(hospital: Hospital, number: int = 0) -> int:
    return hospital.beds(hospital.wards[1])[number].pk


# --- the queue ----------------------------------------------------------------------------------


def test_every_need_is_listed_the_most_pressing_first(hospital: Hospital, manager: Client) -> None:
    in_emergency(hospital, family="Later", hours=2, asked=1)
    in_emergency(hospital, family="Sooner", hours=11.5, asked=9)
    shown = page(manager)
    assert shown.index("SOONER") < shown.index("LATER")
    assert "12 h from arrival" in shown
    assert "Emergency admission" in shown


def test_twelve_hours_that_run_out_count_more_than_how_long_others_have_waited(
    hospital: Hospital, manager: Client
) -> None:
    patient = hospital.admit(
        hospital.beds(hospital.wards[0])[5], ago=timedelta(hours=50), family="Patient"
    )
    hospital.tell(
        patient,
        MovementKind.PENDING_TRANSFER,
        ago=timedelta(hours=30),
        wanted=hospital.wards[1],
    )
    in_emergency(hospital, family="Breach", hours=13, asked=2)
    in_emergency(hospital, family="Nearly", hours=11.5, asked=2)
    in_emergency(hospital, family="Fresh", hours=6, asked=1)
    shown = page(manager)
    names = ("BREACH", "NEARLY", "PATIENT", "FRESH")
    places = [shown.index(f">{name}") for name in names]
    breach = shown[places[0] : places[1]]
    assert re.search(r"1 h \d\d over", breach)
    assert "12 h from arrival" in breach
    assert places == sorted(places)


def test_a_clock_that_has_run_out_says_so(hospital: Hospital, manager: Client) -> None:
    in_emergency(hospital, family="Waiting", hours=13, asked=2)
    shown = page(manager)
    assert "1 h 00 over" in shown or "h 59 over" in shown or " over" in shown
    assert 'class="figure is-bad"' in shown


def test_who_moves_from_an_emergency_department_by_another_message_is_an_admission_too(
    hospital: Hospital, manager: Client
) -> None:
    fact = hospital.admit(hospital.emergency, ago=timedelta(hours=3), family="Other")
    hospital.tell(fact, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    assert "Emergency admission" in page(manager)


def test_it_is_narrowed_by_kind(hospital: Hospital, manager: Client) -> None:
    in_emergency(hospital, family="Emergency")
    moving = hospital.admit(hospital.beds(hospital.wards[0])[5], family="Moving")
    hospital.tell(moving, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    shown = page(manager, f"{DESK}?kind=ward_move")
    assert "MOVING" in shown
    assert "EMERGENCY," not in shown
    assert "Show all 2" in shown
    assert "Nobody, as filtered" in page(manager, f"{DESK}?kind=elective")


def test_names_are_for_those_who_may_see_them(hospital: Hospital, observer: Client) -> None:
    in_emergency(hospital, family=FAMILY)
    shown = page(observer)
    assert FAMILY.upper() not in shown
    assert "1 of them you may not see by name" in shown


def test_who_has_no_role_at_the_site_is_refused(hospital: Hospital) -> None:
    elsewhere = build(code="OTH")
    stranger = signed_in(user("stranger", Role.OBSERVER, site=elsewhere.site))
    assert stranger.get(DESK).status_code == 403


# --- one request --------------------------------------------------------------------------------


def test_the_beds_that_suit_are_listed_with_their_reasons(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    request = request_of(in_emergency(hospital, family="Waiting"))
    shown = page(manager, address_of(request))
    assert "Beds that suit" in shown
    assert "Ward 2, bed 1" in shown
    assert "by " in shown
    assert "version 1" in shown


def test_a_bed_is_held_and_the_desk_says_so(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    status, said = send(manager, request, reserve=free_bed(hospital), hours="4", held_seen="")
    assert status == 200, said
    assert said.startswith("Bed 1 on Ward 2 is held until")
    assert "Ward 2, 1" in page(manager)
    board = page(manager, "/wards/TGH-W2/?site=TGH")
    assert "Held" in board
    assert "held until" in board


def test_another_cannot_be_put_into_it(hospital: Hospital, manager: Client) -> None:
    first = request_of(in_emergency(hospital, family="First"))
    second = request_of(in_emergency(hospital, family="Second"))
    send(manager, first, reserve=free_bed(hospital), held_seen="")
    for deed in ("reserve", "allocate", "move"):
        status, said = send(manager, second, **{deed: free_bed(hospital)}, held_seen="")
        assert status == 409
        assert "held for somebody else until" in said
    assert Reservation.objects.filter(status="held").count() == 1


def test_what_was_held_meanwhile_is_told_before_anything_is_done(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    send(manager, request, reserve=free_bed(hospital), held_seen="")
    status, said = send(manager, request, reserve=free_bed(hospital, 1), held_seen="")
    assert status == 409
    assert "Meanwhile bed 1 on Ward 2 was held for them" in said
    assert Reservation.objects.get().bed_id == free_bed(hospital)


def test_they_are_moved_into_the_bed_that_is_held(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    send(manager, request, allocate=free_bed(hospital), held_seen="")
    held = Reservation.objects.get()
    status, said = send(manager, request, deed="go", held_seen=held.pk)
    assert (status, said) == (200, "Moved to bed 1 on Ward 2.")
    held.refresh_from_db()
    assert held.status == Reservation.Status.USED
    assert Occupancy.objects.filter(bed=free_bed(hospital), period__endswith__isnull=True).exists()
    assert "Nobody needs a bed here now" in page(manager)
    assert manager.get(address_of(request)).status_code == 404


def test_a_rule_refuses_and_whoever_manages_the_beds_may_say_why_it_is_right(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    request = request_of(in_emergency(hospital, family="Waiting"))
    status, said = send(manager, request, reserve=free_bed(hospital), held_seen="")
    assert status == 409
    assert "If it is right all the same, say why." in said
    assert not Reservation.objects.exists()
    status, said = send(
        manager, request, reserve=free_bed(hospital), reason="Last bed in the site", held_seen=""
    )
    assert status == 200, said
    kept = Override.objects.get()
    assert (kept.rule, kept.breach, kept.reason) == (
        "bay_sex",
        "mixed_sex",
        "Last bed in the site",
    )
    # What was overridden once needs no second reason to be used.
    held = Reservation.objects.get()
    assert send(manager, request, deed="go", held_seen=held.pk)[0] == 200


def test_a_refusal_names_the_bed_and_keeps_what_was_typed_for_it(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    request, bed = request_of(in_emergency(hospital, family="Waiting")), free_bed(hospital, 1)
    status, said = send(manager, request, reserve=bed, hours="8", held_seen="", **{"reason-1": ""})
    assert (status, "<p>Ward 2, bed 2: " in said) == (409, True)
    override = said.split('class="override"')[1].split("</form>")[0]
    assert 'name="hours" value="8"' in override, "it is held for as long as was chosen"
    # Somebody else held another bed for them: the reason is not typed twice.
    why = {f"reason-{bed}": "Nearest the nurses"}
    status, said = send(manager, request, reserve=bed, held_seen="77", **why)
    assert status == 409
    assert f'name="reason-{bed}" maxlength="500" value="Nearest the nurses"' in said
    assert said.count("Nearest the nurses") == 1, "in the row of this bed alone"
    assert '<details class="more" open><summary>Against a rule' in said


@pytest.mark.parametrize("name", ["reason", "reason-bed"])
@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("Last\0bed", "The reason has characters that cannot be kept."),
        ("x" * 501, "A reason has 500 characters at most, this one 501."),
    ],
)
def test_a_reason_that_cannot_be_kept_whole_is_refused(
    hospital: Hospital, manager: Client, name: str, reason: str, why: str
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    request, bed = request_of(in_emergency(hospital, family="Waiting")), free_bed(hospital)
    typed = {name.replace("bed", str(bed)): reason}
    for deed in ("reserve", "allocate", "move"):
        status, said = send(manager, request, **{deed: bed}, held_seen="", **typed)
        assert (status, f"Ward 2, bed 1: {why}" in said) == (409, True)
        assert f'value="{reason.replace(chr(0), "")}"' in said
    assert not Reservation.objects.exists()
    assert not Override.objects.exists()


def test_a_held_bed_that_a_rule_refuses_by_now_is_given_with_a_reason(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    send(manager, request, reserve=free_bed(hospital), held_seen="")
    load_example(hospital)
    make_male(hospital.wards[1])
    held = Reservation.objects.get()
    status, said = send(manager, request, deed="go", held_seen=held.pk)
    assert status == 409
    assert f'name="move" value="{free_bed(hospital)}">Move all the same' in said
    status, said = send(
        manager, request, move=free_bed(hospital), reason="Promised", held_seen=held.pk
    )
    assert (status, said) == (200, "Moved to bed 1 on Ward 2.")
    assert Override.objects.get().reason == "Promised"


def test_what_is_given_waits_from_when_the_bed_is_ready(
    hospital: Hospital, manager: Client
) -> None:
    request, bed = request_of(in_emergency(hospital, family="Waiting")), free_bed(hospital)
    began, other = timezone.now(), free_bed(hospital, 1)
    for dirty in (bed, other):
        record_status(
            bed=dirty,
            status="K",
            occurred_at=began,
            sent_at=began,
            source="feed",
            key=f"dirty {dirty}",
        )
    assert send(manager, request, allocate=bed, held_seen="")[0] == 200
    held = Reservation.objects.get()
    ready = began + USUAL_CLEANING
    assert ready <= held.period.upper - DECIDED <= timezone.now() + USUAL_CLEANING
    # A bed that is only kept back is given by one key; it is to be cleaned first.
    send(manager, request, reserve=other, hours="1", held_seen=held.pk)
    kept = Reservation.objects.get(status="held")
    began = timezone.now()
    assert send(manager, request, deed="decide", held_seen=kept.pk)[0] == 200
    kept.refresh_from_db()
    assert kept.period.upper >= began + USUAL_CLEANING + DECIDED


def test_who_only_moves_patients_may_set_no_rule_aside(hospital: Hospital) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    nurse = signed_in(user("ward2", Role.WARD_NURSE, ward=hospital.wards[1]))
    request = request_of(in_emergency(hospital, family="Waiting"))
    status, said = send(nurse, request, reserve=free_bed(hospital), reason="Because", held_seen="")
    assert status == 409
    assert "Choose another bed." in said
    assert not Override.objects.exists()


def test_a_bed_of_a_ward_that_is_not_theirs_is_not_theirs_to_give(hospital: Hospital) -> None:
    nurse = signed_in(user("ward2", Role.WARD_NURSE, ward=hospital.wards[1]))
    request = request_of(in_emergency(hospital, family="Waiting"))
    other = hospital.beds(hospital.wards[0])[5].pk
    status, said = send(nurse, request, reserve=other, held_seen="")
    assert (status, "You may not give beds of Ward 1" in said) == (409, True)


def test_what_they_need_is_said_and_judged(hospital: Hospital, manager: Client) -> None:
    load_example(hospital)
    request = request_of(in_emergency(hospital, family="Waiting"))
    status, said = send(
        manager,
        request,
        deed="needs",
        isolation="side_room",
        infections="flu a, norovirus",
        flags=["falls_risk"],
    )
    assert status == 200, said
    shown = page(manager, address_of(request))
    assert "side room" in shown
    assert "norovirus" in shown
    assert "No bed suits now" in shown
    assert "nothing said" not in page(manager)


def test_a_form_that_cannot_be_read_keeps_what_was_typed(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    status, said = send(
        manager, request, deed="change", priority="2", due_at="teatime", asked_by="Ward round"
    )
    assert status == 422
    assert "Give a date and a time" in said
    assert 'value="Ward round"' in said


def test_a_request_is_taken_back_with_a_reason(hospital: Hospital, manager: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    assert send(manager, request, deed="withdraw", reason="")[0] == 422
    assert send(manager, request, deed="withdraw", reason="Goes home")[0] == 200
    assert "Nobody needs a bed here now" in page(manager)


def test_who_may_not_see_the_patient_is_told_of_no_reasons(
    hospital: Hospital, observer: Client
) -> None:
    load_example(hospital)
    request = request_of(in_emergency(hospital, family=FAMILY))
    shown = page(observer, address_of(request))
    assert "not for whom" in shown
    assert "Beds that suit" not in shown
    assert FAMILY.upper() not in shown


def test_who_takes_them_to_a_bed_held_against_a_rule_decides_nothing_anew(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    request = request_of(in_emergency(hospital, family="Waiting"))
    send(manager, request, reserve=free_bed(hospital), reason="The last bed", held_seen="")
    nurse = signed_in(user("ward2", Role.WARD_NURSE, ward=hospital.wards[1]))
    held = Reservation.objects.get()
    status, said = send(nurse, request, deed="go", held_seen=held.pk)
    assert status == 200, said
    assert Override.objects.count() == 1


def test_an_observer_changes_nothing(hospital: Hospital, observer: Client) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    answer = observer.post(address_of(request), {"reserve": free_bed(hospital)})
    assert answer.status_code == 403
    assert not Reservation.objects.exists()


# --- asking at the bedside ----------------------------------------------------------------------


def test_a_bed_is_asked_for_at_the_bedside(hospital: Hospital, manager: Client) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    episode = Occupancy.objects.get(bed=bed).episode_id
    answer = manager.post(
        f"/beds/{bed.pk}/?fragment=1",
        {
            "deed": "elsewhere",
            "episode_seen": episode,
            "ward": hospital.wards[1].pk,
            "priority": "2",
            "asked_by": "Ward round",
        },
    )
    assert (answer.status_code, answer.content.decode()) == (
        200,
        "A bed is asked for on Ward 2.",
    )
    assert "by Ward round" in page(manager)
    assert "A bed is asked for on Ward 2" in page(manager, f"/beds/{bed.pk}/")


# --- for everybody ------------------------------------------------------------------------------


def test_beds_are_proposed_for_everybody_and_accepted_line_by_line(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    requests = [request_of(in_emergency(hospital, family=f"Test{n}")) for n in range(3)]
    shown = page(manager, f"{DESK}proposal/")
    assert "3 beds proposed, 0 without one" in shown
    lines = [line.split('"')[0] for line in shown.split('name="accept" value="')[1:]]
    assert len(lines) == 3
    answer = manager.post(f"{DESK}proposal/", {"accept": lines[:2], "hours": "2"}, follow=True)
    assert "2 beds are held." in answer.content.decode()
    held = Reservation.objects.filter(status="held")
    assert held.count() == 2
    assert {row.episode_id for row in held} <= {one.episode_id for one in requests}
    assert all(row.period.upper <= timezone.now() + timedelta(hours=2, minutes=1) for row in held)


def test_a_line_that_is_over_by_now_is_refused_and_the_others_stand(
    hospital: Hospital, manager: Client
) -> None:
    one = request_of(in_emergency(hospital, family="One"))
    two = request_of(in_emergency(hospital, family="Two"))
    bed = free_bed(hospital)
    answer = manager.post(
        f"{DESK}proposal/",
        {"accept": [f"{one.pk}:{bed}", f"{two.pk}:{bed}", "x", "1:999999999999999999999"]},
        follow=True,
    )
    told = answer.content.decode()
    assert "1 bed is held." in told
    assert "held for somebody else until" in told
    assert Reservation.objects.filter(status="held").count() == 1


def test_proposals_are_for_those_who_give_beds(hospital: Hospital, observer: Client) -> None:
    assert observer.get(f"{DESK}proposal/").status_code == 403


# --- budgets ------------------------------------------------------------------------------------


BUDGETS = {DESK: 14, f"{DESK}?fragment=1": 12, "/wards/TGH-W2/?site=TGH": 20}


def test_the_lists_ask_as_much_of_the_database_for_10_as_for_300(
    hospital: Hospital, manager: Client
) -> None:
    def asked_by(address: str) -> int:
        shared.forget()
        manager.get(address)  # what a process reads once and keeps is not asked for here
        shared.forget()
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(address).status_code == 200
        return len(asked)

    with hospital.together():
        for number in range(10):
            in_emergency(hospital, family=f"Test{number}")
    few = {address: asked_by(address) for address in BUDGETS}
    with hospital.together():
        for number in range(290):
            in_emergency(hospital, family=f"More{number}")
    assert {address: asked_by(address) for address in BUDGETS} == few
    assert all(few[address] <= budget for address, budget in BUDGETS.items()), few


def test_one_request_asks_as_much_at_60_beds_as_at_6(hospital: Hospital, manager: Client) -> None:
    load_example(hospital)
    request = request_of(in_emergency(hospital, family="Waiting"))
    counts = []
    for more in (0, 54):
        if more:
            add_beds(hospital.wards[1], more, first=7)
            hospital.fill(hospital.wards[1], 40)
        page(manager, address_of(request))
        with CaptureQueriesContext(connection) as asked:
            page(manager, address_of(request))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 32


# --- out of place -------------------------------------------------------------------------------


def test_outliers_are_listed_with_the_bed_that_would_mend_it(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    Ward.objects.filter(pk=hospital.wards[0].pk).update(specialty="orthopaedics")
    shown = page(manager, f"{DESK}out-of-place/")
    assert shown.count('id="outliers-') - shown.count('id="outliers-mend') - 1 == 4
    assert "To Ward 2, bed 1" in shown
    assert f"?to={hospital.wards[1].pk}&amp;bed={free_bed(hospital)}" in shown
    # No bed is named for two.
    assert shown.count("To Ward 2, bed 1<") == 1


def test_without_rules_nobody_counts_as_an_outlier(hospital: Hospital, manager: Client) -> None:
    Ward.objects.filter(pk=hospital.wards[0].pk).update(specialty="orthopaedics")
    shown = page(manager, f"{DESK}out-of-place/")
    assert "No rules are loaded" in shown
    assert "Nobody lies on a ward that is not for them" in shown


def test_a_corridor_has_its_clock_and_what_is_closed_its_reason(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    bed = hospital.beds(hospital.wards[0])[0]
    Bed.objects.filter(pk=bed.pk).update(features=["corridor"])
    close(bed=free_bed(hospital), reason="estates", since=hospital.now, by=None, note="Leak")
    shown = page(manager, f"{DESK}out-of-place/")
    assert "45 min in a corridor" in shown
    assert re.search(r"4 h 1\d over", shown)
    assert "Leak" in shown


def test_what_would_follow_from_a_move_is_said_before_it(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    bed = hospital.beds(hospital.wards[0])[0]
    to = free_bed(hospital)
    shown = page(manager, f"/beds/{bed.pk}/?to={hospital.wards[1].pk}&bed={to}")
    assert "To bed 1 on Ward 2: what would follow" in shown
    assert "Against, and refused" in shown
    assert "what would follow" not in page(manager, f"/beds/{bed.pk}/?bed=99999999999999999")


def test_nobody_looks_into_or_swaps_with_a_bed_of_a_ward_where_they_move_nobody(
    hospital: Hospital,
) -> None:
    load_example(hospital)
    hospital.fill(hospital.wards[1], 1)
    here, there = hospital.beds(hospital.wards[0])[0], hospital.beds(hospital.wards[1])[0]
    nurse = signed_in(user("ward1", Role.WARD_NURSE, ward=hospital.wards[0]))
    to = hospital.wards[1].pk
    address = f"/beds/{here.pk}/?to={to}&bed={there.pk}"
    shown = page(nurse, address)
    assert "Bed to be given on the ward" in shown
    assert "what would follow" not in shown
    stay = Occupancy.objects.get(bed=here).episode_id
    said = {"deed": "swap", "to": to, "with_bed": there.pk, "episode_seen": stay}
    answer = nurse.post(f"/beds/{here.pk}/", said)
    assert answer.status_code == 422
    assert Occupancy.objects.get(episode=stay).bed_id == here.pk


def test_nobody_is_sent_into_a_bed_of_a_ward_where_the_viewer_moves_nobody(
    hospital: Hospital,
) -> None:
    """Who fetches somebody for their ward gives them a bed, but sends nobody back for it."""
    load_example(hospital)
    make_male(hospital.wards[0])
    fact = hospital.admit(hospital.beds(hospital.wards[0])[0], family="Fetched")
    hospital.tell(fact, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    hospital.fill(hospital.wards[1], 1)
    there = hospital.beds(hospital.wards[1])[0]
    stay = BedRequest.objects.get().episode_id
    inside = Occupancy.objects.get(bed=there).episode_id
    said = {"deed": "swap", "to": there.ward_id, "with_bed": there.pk, "episode_seen": stay}
    nurse = signed_in(user("ward2", Role.WARD_NURSE, ward=hospital.wards[1]))
    address = f"/stays/{stay}/"
    shown = page(nurse, f"{address}?to={there.ward_id}&bed={there.pk}")
    assert "Changing places needs a role that moves patients on both wards" in shown
    assert "The bay is for" not in shown
    assert 'value="swap"' not in shown
    answer = nurse.post(address, {**said, "inside_seen": inside})
    assert answer.status_code == 422
    assert Occupancy.objects.get(episode=inside).bed_id == there.pk
    both = user("both", Role.WARD_NURSE, ward=hospital.wards[1])
    Grant.objects.create(user=both, role=Role.WARD_NURSE, ward=hospital.wards[0])
    shown = page(signed_in(both), f"{address}?to={there.ward_id}&bed={there.pk}")
    assert 'value="swap"' in shown


# --- those who are to come ----------------------------------------------------------------------


def expect_form(hospital: Hospital, **said: object) -> dict[str, object]:
    due = timezone.localtime(hospital.now + timedelta(hours=3))
    return {
        "family_name": "Winter",
        "given_name": "Ada",
        "date_of_birth": "1947-03-31",
        "sex": "female",
        "ward": hospital.wards[1].pk,
        "expected_at": due.strftime("%Y-%m-%dT%H:%M"),
        "priority": 3,
        **said,
    }


def test_somebody_of_whom_no_system_tells_is_expected_held_a_bed_and_comes(
    hospital: Hospital, manager: Client
) -> None:
    assert "Expect somebody" in page(manager)
    answer = manager.post(f"{DESK}expect/", expect_form(hospital, method="12", asked_by="Clinic"))
    request = BedRequest.objects.get(kind="expected")
    assert answer.status_code == 302
    assert answer["Location"] == address_of(request)
    shown = page(manager)
    assert "WINTER" in shown
    assert "Elective" in shown
    bed = free_bed(hospital)
    status, said = send(manager, request, reserve=bed, hours="4", held_seen="")
    assert status == 200, said
    held = str(Reservation.objects.get().pk)
    assert "Has come: admit to it" in page(manager, address_of(request))
    status, said = send(manager, request, deed="go", held_seen=held)
    assert (status, said) == (200, "Admitted to bed 1 on Ward 2.")
    assert Occupancy.objects.get(episode=request.episode_id).bed_id == bed
    assert "WINTER" not in page(manager)


def test_they_may_come_without_a_bed_and_are_offered_at_an_empty_one(
    hospital: Hospital, manager: Client
) -> None:
    manager.post(f"{DESK}expect/", expect_form(hospital))
    request = BedRequest.objects.get(kind="expected")
    bed = free_bed(hospital)
    offered = manager.get(f"/beds/{bed}/?fragment=1").content.decode()
    assert "WINTER" in offered.upper()
    assert ", expected" in offered
    status, said = send(manager, request, deed="come")
    assert (status, said) == (200, "They are on Ward 2, without a bed as yet.")
    there = Occupancy.objects.get(episode=request.episode_id)
    assert (there.ward_id, there.bed_id) == (hospital.wards[1].pk, None)


def test_who_is_expected_is_brought_to_a_bed_from_the_board(
    hospital: Hospital, manager: Client
) -> None:
    manager.post(f"{DESK}expect/", expect_form(hospital))
    request = BedRequest.objects.get(kind="expected")
    bed = free_bed(hospital)
    answer = manager.post(
        f"/beds/{bed}/?fragment=1", {"deed": "bring", "episode": request.episode_id}
    )
    assert answer.status_code == 200, answer.content.decode()
    assert Occupancy.objects.get(episode=request.episode_id).bed_id == bed


def test_a_refused_announcement_keeps_what_was_typed(hospital: Hospital, manager: Client) -> None:
    wrong = expect_form(hospital, family_name="", given_name="Ada", expected_at="tomorrow")
    answer = manager.post(f"{DESK}expect/", wrong)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Give a hospital number, an NHS number or a family name." in shown
    assert "Give a date and a time" in shown
    assert 'value="Ada"' in shown
    assert 'value="tomorrow"' in shown
    early = expect_form(hospital, expected_at="2020-01-01T10:00")
    answer = manager.post(f"{DESK}expect/", early)
    assert answer.status_code == 409
    assert "more than a day ago" in answer.content.decode()
    assert 'value="Winter"' in answer.content.decode()
    assert not BedRequest.objects.exists()


def test_who_has_the_same_name_is_asked_about_before_they_are_expected(
    hospital: Hospital, manager: Client
) -> None:
    manager.post(f"{DESK}expect/", expect_form(hospital))
    send(manager, BedRequest.objects.get(), deed="come")
    answer = manager.post(f"{DESK}expect/", expect_form(hospital))
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Is this another person?" in shown
    others = re.search(r'name="others" value="([\d ]+)"', shown)
    assert others is not None
    answer = manager.post(f"{DESK}expect/", expect_form(hospital, others=others[1]))
    assert answer.status_code == 302
    assert BedRequest.objects.filter(period__endswith__isnull=True).count() == 1


def test_who_is_expected_already_is_asked_about_by_where_and_when(
    hospital: Hospital, manager: Client
) -> None:
    manager.post(f"{DESK}expect/", expect_form(hospital))
    first = BedRequest.objects.get()
    answer = manager.post(f"{DESK}expect/", expect_form(hospital))
    shown = answer.content.decode()
    assert answer.status_code == 409
    box = shown.split('id="namesakes"')[1].split("</fieldset>")[0]
    due = timezone.localtime(hospital.now + timedelta(hours=3))
    when = f"{due:%H:%M on %-d %B}"
    asked = f"of this name and date of birth is expected on Ward 2 at {when}. Is this another"
    assert asked in box
    assert f'href="{address_of(first)}"' in box
    assert "move them" not in box
    others = re.search(r'name="others" value="([\d ]+)"', box)
    assert others is not None
    answer = manager.post(f"{DESK}expect/", expect_form(hospital, others=others[1]))
    assert answer.status_code == 302
    assert BedRequest.objects.count() == 2


def test_expecting_is_for_those_who_may_admit(hospital: Hospital, observer: Client) -> None:
    assert observer.get(f"{DESK}expect/").status_code == 403
    assert observer.post(f"{DESK}expect/", expect_form(hospital)).status_code == 403
    assert "Expect somebody" not in page(observer)
    nurse = signed_in(user("w1nurse", Role.WARD_NURSE, ward=hospital.wards[0]))
    answer = nurse.post(f"{DESK}expect/", expect_form(hospital))
    assert answer.status_code == 422
    assert not BedRequest.objects.exists()


def test_the_list_tells_of_a_level_of_care_above_that_of_every_ward(
    hospital: Hospital, manager: Client
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    for level, listed in (("0", "nothing special"), ("1", "<li>level 1</li>")):
        status, said = send(manager, request, deed="needs", acuity=level)
        assert status == 200, said
        assert listed in page(manager)
        assert f"level {level}" in page(manager, address_of(request))
        assert "level 0" not in page(manager)
