"""The handover: since when, what changed, what is open, what comes next, and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Role
from flow.handover import stints
from flow.handover.board import Handover
from flow.handover.board import handover as board_of
from flow.handover.notes import finish, write
from flow.handover.patch import patch_of
from flow.handover.stints import last_here, note
from flow.handover.types import Changes, Kind, Lane
from flow.models import HandoverNote, HandoverNoteDone, Stint
from live import shared
from patients.keys import VisitKey
from patients.models import Episode, Review
from tests.screens.desk import in_emergency, load_example, make_male, request_of
from tests.screens.hospital import FAMILY, Hospital, build, signed_in, user
from tests.screens.rounds import care_of
from wards import barriers as barrier_deeds
from wards.barriers import Said
from wards.bed_states import close, close_escalation, open_escalation, reopen
from wards.corridors import sign_off
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, Grant, Reservation
from wards.movements import record
from wards.reservations import allocate, reserve
from wards.scope import scope_of

PAGE = "/sites/TGH/handover/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nobody_noted() -> None:
    stints.forget()


@pytest.fixture
def sam(db: None) -> User:
    """Who manages every site."""
    return user("sam", Role.SITE_MANAGER, everywhere=True)


@pytest.fixture
def quiet(db: None) -> Hospital:
    """A hospital that has been told of for ten days, where nothing happened in the last twelve
    hours; what is told from now on counts as known from now on."""
    made = build(known_when_sent=True)
    for bed in made.beds(made.wards[0])[:4]:
        made.admit(bed, ago=timedelta(hours=30))
    made.known_when_sent = False
    return made


def page(client: Client, address: str = PAGE, status: int = 200) -> str:
    shared.forget()
    answer = client.get(address, follow=True)
    assert answer.status_code == status
    return answer.content.decode()


def told(hospital: Hospital, reader: User, *, ward: str = "", hours: float = 12) -> Handover:
    now = timezone.now()
    scope = scope_of(User.objects.get(pk=reader.pk))
    patch = patch_of(hospital.site, scope, ward)
    since = now - timedelta(hours=hours)
    return board_of(hospital.site, since=since, at=now, patch=patch, scope=scope)


def of(board: Handover, kind: Kind) -> Changes:
    return next(one for one in board.changes if one.kind == kind)


def stay_of(fact: Moved) -> Episode:
    assert fact.visit is not None
    return Episode.objects.get(visit__number=fact.visit.number)


def place(bed: Bed) -> Place:
    return Place(bed.ward_id, bed.bay_id, bed.pk)


# --- since when ---------------------------------------------------------------------------------


def test_who_was_never_here_is_told_of_the_last_twelve_hours(manager: Client) -> None:
    assert "You have not been here before: the last 12 hours, since" in page(manager)


def test_it_is_told_since_the_end_of_the_stint_before_this_one(
    hospital: Hospital, sam: User
) -> None:
    gone = timezone.now() - timedelta(hours=20)
    note(sam.pk, at=gone - timedelta(hours=8))
    note(sam.pk, at=gone - timedelta(hours=5))
    note(sam.pk, at=gone - timedelta(hours=2))
    note(sam.pk, at=gone)
    shown = page(signed_in(sam))
    assert f"Since you were last here, {timezone.localtime(gone):%a %-d %b %H:%M}." in shown
    # To look again is the same stint.
    stints.forget()
    assert f"Since you were last here, {timezone.localtime(gone):%a %-d %b %H:%M}." in page(
        signed_in(sam)
    )


def test_a_gap_of_hours_begins_a_stint_and_two_are_kept(sam: User) -> None:
    begun = timezone.now() - timedelta(days=3)
    for hours in (0, 3.5, 7, 20, 21, 40):
        note(sam.pk, at=begun + timedelta(hours=hours))
    kept = list(Stint.objects.filter(user=sam).order_by("began_at"))
    assert [(one.began_at - begun, one.seen_at - begun) for one in kept] == [
        (20 * HOUR, 21 * HOUR),
        (40 * HOUR, 40 * HOUR),
    ]
    assert last_here(sam.pk, at=begun + timedelta(hours=41)) == begun + 21 * HOUR
    assert last_here(sam.pk, at=begun + timedelta(hours=50)) == begun + 40 * HOUR
    with pytest.raises(IntegrityError), transaction.atomic():
        Stint.objects.create(user=sam, began_at=begun + 39 * HOUR, seen_at=begun + 41 * HOUR)


def test_more_than_a_week_ago_is_a_week(sam: User, hospital: Hospital) -> None:
    note(sam.pk, at=timezone.now() - timedelta(days=9))
    assert "You were last here more than 7 days ago: since" in page(signed_in(sam))


def test_what_a_board_asks_for_by_itself_is_no_work_and_asks_nothing(
    hospital: Hospital, sam: User
) -> None:
    client = signed_in(sam)
    for board in ("/sites/TGH/desk/?fragment=1", "/?fragment=1", f"{PAGE}?fragment=1&since=8"):
        client.get(board)
    assert not Stint.objects.exists()
    client.get(f"/beds/{hospital.beds(hospital.wards[0])[0].pk}/?fragment=1")
    assert Stint.objects.count() == 1
    with CaptureQueriesContext(connection) as asked:
        client.get("/sites/TGH/desk/")
    assert not any("flow_stint" in one["sql"] for one in asked)


@pytest.mark.parametrize("hours", [4, 8, 12, 24])
def test_hours_are_chosen_by_one_click(manager: Client, hours: int) -> None:
    shown = page(manager, f"{PAGE}?since={hours}")
    assert f"The last {hours} hours, since" in shown
    assert f'?since={hours}" aria-current="true"' in shown


def test_a_moment_is_typed(manager: Client) -> None:
    moment = timezone.localtime() - timedelta(hours=30)
    shown = page(manager, f"{PAGE}?since={moment:%Y-%m-%dT%H:%M}")
    assert f"Since {moment:%a %-d %b %H:%M}." in shown


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("teatime", "Give a date and a time"),
        ("2199-01-01T00:00", "still to come"),
        ("2020-01-01T00:00", "7 days at most"),
        ("9999999999999", "Give a date and a time"),
        ("0001-01-01T00:00", "7 days at most"),
    ],
)
def test_what_is_no_such_moment_is_said_so(manager: Client, typed: str, why: str) -> None:
    assert why in page(manager, f"{PAGE}?since={typed}", status=400)


def test_the_page_asks_again_for_the_moment_it_was_opened_with(
    hospital: Hospital, sam: User
) -> None:
    gone = timezone.now() - timedelta(hours=20)
    note(sam.pk, at=gone)
    shown = page(signed_in(sam))
    assert f"since={quote(gone.isoformat(), safe='')}" in shown


# --- what changed -------------------------------------------------------------------------------


def test_nothing_of_the_time_before_is_told(quiet: Hospital, sam: User) -> None:
    board = told(quiet, sam)
    assert board.told == []
    assert "Nothing was recorded." in page(signed_in(sam))


def _arrives(h: Hospital, sam: User) -> None:
    h.admit(h.emergency, ago=HOUR)


def _admitted(h: Hospital, sam: User) -> None:
    h.known_when_sent = True
    fact = h.admit(h.emergency, ago=timedelta(hours=20))
    h.known_when_sent = False
    h.tell(fact, MovementKind.TRANSFERRED, ago=HOUR, place=place(h.beds(h.wards[1])[0]))


def _moved(h: Hospital, sam: User) -> None:
    h.tell(_resident(h), MovementKind.TRANSFERRED, ago=HOUR, place=place(h.beds(h.wards[1])[0]))


def _resident(h: Hospital) -> Moved:
    """Somebody who has been on the first ward since yesterday."""
    h.known_when_sent = True
    fact = h.admit(h.beds(h.wards[0])[4], ago=timedelta(hours=20))
    h.known_when_sent = False
    return fact


def _left(h: Hospital, sam: User) -> None:
    h.tell(_resident(h), MovementKind.DISCHARGED, ago=HOUR)


def _died(h: Hospital, sam: User) -> None:
    fact = _resident(h)
    h.tell(fact, MovementKind.DISCHARGED, ago=HOUR)
    stay = stay_of(fact)
    stay.patient.died_at = timezone.now() - HOUR
    stay.patient.save()


def _left_emergency(h: Hospital, sam: User) -> None:
    h.known_when_sent = True
    fact = h.admit(h.emergency, ago=timedelta(hours=20))
    h.known_when_sent = False
    h.tell(fact, MovementKind.DISCHARGED, ago=HOUR)


def _taken_back(h: Hospital, sam: User) -> None:
    fact = _resident(h)
    h.known_when_sent = True
    h.tell(fact, MovementKind.DISCHARGED, ago=timedelta(hours=14))
    h.known_when_sent = False
    h.tell(fact, MovementKind.CANCELLED_DISCHARGE, ago=HOUR)


def _need(h: Hospital, sam: User) -> None:
    h.tell(_resident(h), MovementKind.PENDING_TRANSFER, ago=HOUR, wanted=h.wards[1])


def _asked_before(h: Hospital) -> Moved:
    fact = _resident(h)
    h.known_when_sent = True
    h.tell(fact, MovementKind.PENDING_TRANSFER, ago=timedelta(hours=15), wanted=h.wards[1])
    h.known_when_sent = False
    return fact


def _need_met(h: Hospital, sam: User) -> None:
    fact = _asked_before(h)
    h.tell(fact, MovementKind.TRANSFERRED, ago=HOUR, place=place(h.beds(h.wards[1])[0]))


def _need_withdrawn(h: Hospital, sam: User) -> None:
    h.tell(_asked_before(h), MovementKind.CANCELLED_PENDING_TRANSFER, ago=HOUR)


def _expected_no_more(h: Hospital, sam: User) -> None:
    h.known_when_sent = True
    came = h.admit(h.emergency, ago=timedelta(hours=40))
    h.tell(came, MovementKind.DISCHARGED, ago=timedelta(hours=39))
    h.known_when_sent = False
    fact = replace(
        came,
        key="expected",
        kind=MovementKind.EXPECTED,
        visit=VisitKey("RXX", "EXPECTED"),
        sent_at=h.now - timedelta(hours=15),
        occurred_at=h.now - timedelta(hours=15),
        admitted_at=None,
        place=place(h.beds(h.wards[1])[0]),
    )
    record([fact], source="feed", known_when_sent=True)
    h.tell(fact, MovementKind.CANCELLED_EXPECTED, ago=HOUR)


def _ran_out(h: Hospital, sam: User) -> None:
    request = request_of(_asked_before(h))
    bed = h.beds(h.wards[1])[0]
    reserve(request=request, bed=bed.pk, said=Said(timezone.now(), sam))
    now = timezone.now()
    Reservation.objects.update(period=(now - 5 * HOUR, now - HOUR), status="lapsed")


def _set_aside(h: Hospital, sam: User) -> None:
    load_example(h)
    make_male(h.wards[1])
    request = request_of(_asked_before(h))
    bed = h.beds(h.wards[1])[0]
    allocate(request=request, bed=bed.pk, said=Said(timezone.now(), sam), reason="The last bed")


def _closed(h: Hospital, sam: User) -> None:
    bed = h.beds(h.wards[1])[5]
    close(reason="estates", since=timezone.now() - HOUR, bed=bed.pk, note="Leak", by=sam)


def _reopened(h: Hospital, sam: User) -> None:
    bed = h.beds(h.wards[1])[5]
    made = close(reason="estates", since=timezone.now() - 30 * HOUR, bed=bed.pk, by=sam)
    type(made).objects.update(recorded_at=timezone.now() - 30 * HOUR)
    reopen(closure=made.pk, at=timezone.now() - HOUR, by=sam)


def _escalated(h: Hospital, sam: User) -> None:
    bed = h.beds(h.wards[1])[5]
    Bed.objects.filter(pk=bed.pk).update(funding=Bed.Funding.ESCALATION)
    open_escalation(bed=bed.pk, since=timezone.now() - HOUR, by=sam)


def _escalation_over(h: Hospital, sam: User) -> None:
    bed = h.beds(h.wards[1])[5]
    Bed.objects.filter(pk=bed.pk).update(funding=Bed.Funding.ESCALATION)
    made = open_escalation(bed=bed.pk, since=timezone.now() - 30 * HOUR, by=sam)
    type(made).objects.update(recorded_at=timezone.now() - 30 * HOUR)
    close_escalation(bed=bed.pk, at=timezone.now() - HOUR, by=sam)


def _in_corridor(h: Hospital, sam: User) -> None:
    bed = h.beds(h.wards[1])[0]
    Bed.objects.filter(pk=bed.pk).update(features=["corridor"])
    h.tell(_resident(h), MovementKind.TRANSFERRED, ago=HOUR, place=place(bed))


def _definite(h: Hospital, sam: User) -> None:
    h.tell(_resident(h), MovementKind.PENDING_DISCHARGE, ago=HOUR)


def _not_definite(h: Hospital, sam: User) -> None:
    fact = _resident(h)
    h.known_when_sent = True
    h.tell(fact, MovementKind.PENDING_DISCHARGE, ago=timedelta(hours=15))
    h.known_when_sent = False
    h.tell(fact, MovementKind.CANCELLED_PENDING_DISCHARGE, ago=HOUR)


def _put_off(h: Hospital, sam: User) -> None:
    stay, now = stay_of(_resident(h)), timezone.now()
    for number, (ago, ahead) in enumerate(((18, 1), (2, 3))):
        at = now - ago * HOUR
        Review.objects.create(
            episode=stay, occurred_at=at, recorded_at=at, source="test", key=str(number),
            expected_discharge_at=now + timedelta(days=ahead),
        )  # fmt: skip


def _barrier(h: Hospital, sam: User) -> None:
    care = care_of(h)
    stay = stay_of(_resident(h))
    care.waits(stay, "transport", ago=timedelta(minutes=5))


KINDS: list[tuple[Kind, Callable[[Hospital, User], None], str]] = [
    (Kind.ARRIVED, _arrives, "Emergency Department"),
    (Kind.ADMITTED, _admitted, "Ward 2, bed 1, from Emergency Department"),
    (Kind.MOVED, _moved, "Ward 2, bed 1, from Ward 1"),
    (Kind.LEFT, _left, "from Ward 1, bed 5"),
    (Kind.LEFT_EMERGENCY, _left_emergency, "from Emergency Department"),
    (Kind.DIED, _died, "from Ward 1, bed 5"),
    (Kind.TAKEN_BACK, _taken_back, "Discharge taken back, Ward 1"),
    (Kind.NEED_NEW, _need, "Ward move: Ward 1 to Ward 2"),
    (Kind.NEED_MET, _need_met, "Ward move: Ward 1 to Ward 2"),
    (Kind.NEED_WITHDRAWN, _need_withdrawn, "Ward move: Ward 1 to Ward 2"),
    (Kind.NEED_WITHDRAWN, _expected_no_more, "Expected: to Ward 2"),
    (Kind.HOLD_OVER, _ran_out, "Ward 2, bed 1: ran out"),
    (Kind.OVERRIDE, _set_aside, "Ward 2, bed 1, by Sam"),
    (Kind.BED_CLOSED, _closed, "Ward 2, bed 6: estates"),
    (Kind.BED_REOPENED, _reopened, "Ward 2, bed 6: estates"),
    (Kind.ESCALATION_OPENED, _escalated, "Ward 2, bed 6"),
    (Kind.ESCALATION_CLOSED, _escalation_over, "Ward 2, bed 6"),
    (Kind.CORRIDOR, _in_corridor, "Ward 2, bed 1"),
    (Kind.DEFINITE, _definite, "on Ward 1"),
    (Kind.PUT_OFF, _not_definite, "on Ward 1"),
    (Kind.PUT_OFF, _put_off, "on Ward 1: expected"),
]
BESIDE: dict[Callable[[Hospital, User], None], set[Kind]] = {
    # What else is told of the same.
    _need_met: {Kind.MOVED},
    _in_corridor: {Kind.MOVED},
}


@pytest.mark.parametrize(
    ("kind", "happens", "words"), KINDS, ids=[deed.__name__.strip("_") for _, deed, _ in KINDS]
)
def test_each_kind_of_change_is_told_and_no_other(
    quiet: Hospital,
    sam: User,
    kind: Kind,
    happens: Callable[[Hospital, User], None],
    words: str,
) -> None:
    happens(quiet, sam)
    board = told(quiet, sam)
    assert {one.kind for one in board.told} == {kind} | BESIDE.get(happens, set())
    found = of(board, kind)
    assert found.count == 1
    assert words in found.shown[0].told.words
    shown = page(signed_in(sam), f"{PAGE}?since=12")
    assert words.replace("'", "&#x27;") in shown
    # Nothing of it was recorded in the last minutes of an earlier window.
    now, scope = timezone.now(), scope_of(User.objects.get(pk=sam.pk))
    earlier = board_of(
        quiet.site,
        since=now - 30 * HOUR,
        at=now - 12 * HOUR,
        patch=patch_of(quiet.site, scope, ""),
        scope=scope,
    )
    assert of(earlier, kind).count == 0


@pytest.mark.parametrize("happens", [_set_aside, _closed, _escalated])
def test_who_has_no_name_is_told_of_by_their_user_name(
    quiet: Hospital, sam: User, happens: Callable[[Hospital, User], None]
) -> None:
    User.objects.filter(pk=sam.pk).update(first_name="", last_name="")
    happens(quiet, sam)
    [change] = told(quiet, sam).told
    one = change.shown[0].told
    assert f"by {sam.username}" in f"{one.words} · {one.more}"


def test_who_comes_under_another_number_was_admitted_and_has_not_left(
    quiet: Hospital, sam: User
) -> None:
    quiet.known_when_sent = True
    first = quiet.admit(quiet.emergency, ago=timedelta(hours=20))
    quiet.tell(first, MovementKind.PENDING_ADMIT, ago=timedelta(hours=15), wanted=quiet.wards[1])
    quiet.known_when_sent = False
    quiet.tell(first, MovementKind.DISCHARGED, ago=HOUR)
    board = told(quiet, sam)
    assert {one.kind for one in board.told} == {Kind.LEFT_EMERGENCY, Kind.NEED_WITHDRAWN}
    came = replace(
        first,
        key="another number",
        visit=VisitKey("RXX", "ANOTHER"),
        place=place(quiet.beds(quiet.wards[1])[0]),
        sent_at=quiet.now - HOUR,
        occurred_at=quiet.now - HOUR,
        admitted_at=quiet.now - HOUR,
    )
    record([came], source="feed")
    board = told(quiet, sam)
    assert {one.kind for one in board.told} == {Kind.ADMITTED, Kind.NEED_MET}
    words = of(board, Kind.ADMITTED).shown[0].told.words
    assert words == "Ward 2, bed 1, from Emergency Department"


def test_barriers_are_told_raised_over_and_past_their_target(quiet: Hospital, sam: User) -> None:
    care = care_of(quiet)
    stay = stay_of(_resident(quiet))
    barrier = care.waits(stay, "transport", ago=2 * HOUR)
    assert of(told(quiet, sam), Kind.BARRIER_RAISED).count == 1
    type(barrier).objects.update(due_at=timezone.now() - HOUR)
    board = told(quiet, sam)
    assert of(board, Kind.BARRIER_LATE).count == 1
    assert [one.id for one in board.standing.barriers] == [barrier.pk]
    barrier.refresh_from_db()
    barrier_deeds.resolve(barrier=barrier, said=Said(timezone.now(), sam))
    board = told(quiet, sam)
    assert of(board, Kind.BARRIER_OVER).count == 1
    assert of(board, Kind.BARRIER_LATE).count == 0
    assert board.standing.barriers == []


def test_what_happened_before_and_was_told_since_is_marked(quiet: Hospital, sam: User) -> None:
    fact = _resident(quiet)
    quiet.tell(fact, MovementKind.DISCHARGED, ago=timedelta(hours=14))
    left = of(told(quiet, sam), Kind.LEFT)
    assert (left.count, left.late) == (1, 1)
    assert "told late" in page(signed_in(sam), f"{PAGE}?since=12")


def test_what_is_told_at_once_is_not_marked(quiet: Hospital, sam: User) -> None:
    quiet.tell(_resident(quiet), MovementKind.DISCHARGED, ago=timedelta(minutes=5))
    left = of(told(quiet, sam), Kind.LEFT)
    assert (left.count, left.late) == (1, 0)


# --- whose patch, and names ---------------------------------------------------------------------


def test_a_nurse_is_told_of_the_own_ward(quiet: Hospital) -> None:
    nurse = user("nurse", Role.WARD_NURSE, ward=quiet.wards[0])
    _left(quiet, nurse)
    quiet.admit(quiet.beds(quiet.wards[1])[2], ago=HOUR, family="Elsewhere")
    board = told(quiet, nurse)
    assert {one.kind for one in board.told} == {Kind.LEFT}
    shown = page(signed_in(nurse), f"{PAGE}?since=12&ward={quiet.wards[1].pk}")
    assert "ELSEWHERE" not in shown
    assert FAMILY.upper() in shown


def test_a_ward_is_chosen_and_my_patch_are_the_wards_where_i_move_patients(
    quiet: Hospital,
) -> None:
    person = user("matron", Role.OBSERVER, everywhere=True)
    Grant.objects.create(user=person, role=Role.WARD_NURSE, ward=quiet.wards[0])
    _left(quiet, person)
    quiet.admit(quiet.beds(quiet.wards[1])[2], ago=HOUR, family="Elsewhere")
    assert of(told(quiet, person), Kind.ADMITTED).count == 0
    assert of(told(quiet, person, ward="all"), Kind.ADMITTED).count == 1
    chosen = told(quiet, person, ward=str(quiet.wards[1].pk))
    assert of(chosen, Kind.LEFT).count == 0
    assert of(chosen, Kind.ADMITTED).shown[0].face is None
    assert "ELSEWHERE" not in page(signed_in(person), f"{PAGE}?since=12&ward=all")


def test_who_sees_counts_sees_numbers_and_no_name_nor_reason(quiet: Hospital) -> None:
    sam = user("sam", Role.SITE_MANAGER, everywhere=True)
    observer = user("observer", Role.OBSERVER, everywhere=True)
    _set_aside(quiet, sam)
    _left(quiet, sam)
    in_emergency(quiet, family=FAMILY)
    shown = page(signed_in(observer), f"{PAGE}?since=12")
    assert FAMILY.upper() not in shown
    assert "The last bed" not in shown
    assert "Rules set aside" in shown
    named = page(signed_in(sam), f"{PAGE}?since=12")
    assert FAMILY.upper() in named
    assert "The last bed" in named


def test_who_has_no_role_at_the_site_is_refused(hospital: Hospital) -> None:
    elsewhere = build(code="OTH")
    stranger = signed_in(user("stranger", Role.OBSERVER, site=elsewhere.site))
    assert stranger.get(PAGE).status_code == 403
    cleaner = signed_in(user("cleaner", Role.CLEANER, site=hospital.site))
    assert cleaner.get(PAGE).status_code == 403


# --- what is open, what comes next --------------------------------------------------------------


def test_needs_without_a_bed_and_held_beds_are_open(hospital: Hospital, sam: User) -> None:
    first = in_emergency(hospital, family="First", hours=3, asked=2)
    in_emergency(hospital, family="Second", hours=1, asked=0.5)
    bed = hospital.beds(hospital.wards[1])[0]
    reserve(request=request_of(first), bed=bed.pk, said=Said(timezone.now(), sam))
    close(reason="infection", since=timezone.now() - HOUR, ward=hospital.wards[0].pk, by=sam)
    board = told(hospital, sam)
    assert [need.face.name for need in board.standing.held if need.face] == [
        "FIRST, Given" + (stay_of(first).patient.given_name.removeprefix("Given"))
    ]
    assert len(board.standing.needs) == 1
    assert [one.reason for one in board.standing.closures] == ["infection"]
    assert len(board.standing.boarders) == 2
    entries = board.ahead.entries
    assert [one.at for one in entries] == sorted(one.at for one in entries)
    assert {Lane.CLOCK, Lane.HELD} <= {one.lane for one in entries}
    # Each runs out within the shift and is drawn where it does.
    assert all(0 <= one.x < 100 and one.at < board.ahead.until for one in entries)


def test_more_needs_than_the_page_holds_are_on_the_desk(hospital: Hospital, sam: User) -> None:
    for number in range(13):
        in_emergency(hospital, family=f"Test{number}")
    standing = told(hospital, sam).standing
    assert (len(standing.needs), standing.more_needs, standing.needs_count) == (10, 3, 13)
    assert "3 more on the desk" in page(signed_in(sam))


def test_what_comes_next_is_in_the_order_of_time(quiet: Hospital, sam: User) -> None:
    now = timezone.now()
    care = care_of(quiet)
    stay = stay_of(_resident(quiet))
    barrier = care.waits(stay, "transport", ago=timedelta(minutes=5))
    type(barrier).objects.update(due_at=now + 5 * HOUR)
    bed = quiet.beds(quiet.wards[1])[5]
    close(reason="estates", since=now - HOUR, until=now + 2 * HOUR, bed=bed.pk, by=sam)
    other = quiet.beds(quiet.wards[1])[4]
    close(reason="staffing", since=now + 3 * HOUR, bed=other.pk, by=sam)
    late = quiet.beds(quiet.wards[1])[3]
    close(reason="staffing", since=now + 13 * HOUR, bed=late.pk, by=sam)
    leaves = _resident_of(quiet, 5)
    quiet.tell(leaves, MovementKind.PENDING_DISCHARGE, ago=HOUR)
    coming = told(quiet, sam).ahead
    assert [(one.lane, one.words) for one in coming.entries] == [
        (Lane.BED, "Ward 2, bed 6 opens again"),
        (Lane.BED, "Ward 2, bed 5 closes"),
        (Lane.BARRIER, barrier.reason.label),
    ]
    assert [one.episode for one in coming.untimed] == [stay_of(leaves).pk]


def test_who_answers_for_corridor_care_is_said_and_when_they_look_again(
    quiet: Hospital, sam: User
) -> None:
    _in_corridor(quiet, sam)
    bed = quiet.beds(quiet.wards[1])[0]
    board = told(quiet, sam)
    assert [one.bed for one in board.standing.corridor] == [bed.pk]
    assert "Nobody has signed this off" in page(signed_in(sam))
    now = timezone.now()
    sign_off(
        episode=board.standing.corridor[0].episode,
        bed=bed.pk,
        accountable="Nurse in charge",
        reason="No bed",
        review_at=now + HOUR,
        seen=None,
        at=now,
        by=sam,
    )
    assert "Signed off by Nurse in charge" in page(signed_in(sam))
    again = [one.at for one in told(quiet, sam).ahead.entries if one.lane == Lane.CLOCK]
    assert now + HOUR in again


def _resident_of(h: Hospital, number: int) -> Moved:
    h.known_when_sent = True
    fact = h.admit(h.beds(h.wards[0])[number], ago=timedelta(hours=20))
    h.known_when_sent = False
    return fact


# --- notes --------------------------------------------------------------------------------------


def send(client: Client, **said: object) -> tuple[int, str]:
    shared.forget()
    answer = client.post(PAGE, said, follow=True)
    return answer.status_code, answer.content.decode()


def test_a_note_stays_on_top_until_somebody_says_that_it_is_done(
    hospital: Hospital, sam: User
) -> None:
    status, shown = send(signed_in(sam), ward="site", text="Lift 3\n out of order")
    assert status == 200
    assert "The note is left for the next shift." in shown
    assert "Lift 3 out of order" in shown
    kept = HandoverNote.objects.get()
    assert (kept.text, kept.by, kept.ward) == ("Lift 3 out of order", sam, None)
    next_one = user("night", Role.SITE_MANAGER, site=hospital.site)
    status, shown = send(signed_in(next_one), done=kept.pk)
    assert status == 200
    assert "The note is done." in shown
    assert "No note is open." in shown
    assert "done: Night" in shown
    assert HandoverNoteDone.objects.get().by == next_one
    assert send(signed_in(sam), done=kept.pk)[0] == 422


def test_a_refused_note_keeps_what_was_typed(hospital: Hospital, sam: User) -> None:
    long = "x" * 301
    status, shown = send(signed_in(sam), ward=str(hospital.wards[1].pk), text=long)
    assert status == 422
    assert f">{long}</textarea>" in shown
    assert "shorten it to 300" in shown
    assert f'value="{hospital.wards[1].pk}" selected' in shown
    for said in ({"ward": "site", "text": "  "}, {"ward": "nowhere", "text": "Hello"}):
        assert send(signed_in(sam), **said)[0] == 422
    assert not HandoverNote.objects.exists()


def test_the_database_refuses_to_edit_a_note(hospital: Hospital, sam: User) -> None:
    kept = write(site=hospital.site, ward=None, text="Stays", at=timezone.now(), by=sam)
    done = finish(note=kept, at=timezone.now(), by=sam)
    for change in (
        lambda: HandoverNote.objects.update(text="Changed"),
        lambda: HandoverNoteDone.objects.all().delete(),
        done.delete,
        lambda: HandoverNoteDone.objects.update(by=sam),
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    with pytest.raises(Refused):
        finish(note=kept, at=timezone.now(), by=sam)


def test_a_note_is_for_those_who_see_the_patients_it_is_about(
    hospital: Hospital, sam: User
) -> None:
    now = timezone.now()
    write(site=hospital.site, ward=None, text="For all of us", at=now, by=sam)
    write(site=hospital.site, ward=hospital.wards[0].pk, text="For ward one", at=now, by=sam)
    write(site=hospital.site, ward=hospital.wards[1].pk, text="For ward two", at=now, by=sam)
    nurse = user("ward1", Role.WARD_NURSE, ward=hospital.wards[0])
    shown = page(signed_in(nurse))
    assert [text in shown for text in ("For all of us", "For ward one", "For ward two")] == [
        False,
        True,
        False,
    ]
    observer = page(signed_in(user("observer", Role.OBSERVER, everywhere=True)))
    assert "For ward one" not in observer
    assert "Leave a note" not in observer
    reader = page(signed_in(user("reader", Role.READER, site=hospital.site)))
    assert "For all of us" in reader
    assert "Leave a note" not in reader


def test_notes_are_left_by_those_who_move_patients_there(hospital: Hospital, sam: User) -> None:
    nurse = signed_in(user("ward1", Role.WARD_NURSE, ward=hospital.wards[0]))
    assert send(nurse, ward="site", text="All of us")[0] == 403
    assert send(nurse, ward=str(hospital.wards[1].pk), text="Not mine")[0] == 403
    assert send(nurse, ward=str(hospital.wards[0].pk), text="Mine")[0] == 200
    reader = signed_in(user("reader", Role.READER, site=hospital.site))
    kept = HandoverNote.objects.get()
    assert send(reader, done=kept.pk)[0] == 403
    assert send(nurse, done=99999999)[0] == 404
    other = build(code="OTH")
    with pytest.raises(Refused):
        write(site=other.site, ward=hospital.wards[0].pk, text="x", at=timezone.now(), by=sam)


# --- budget -------------------------------------------------------------------------------------


def test_it_asks_as_much_of_the_database_for_10_changes_as_for_300(
    hospital: Hospital, manager: Client
) -> None:
    load_example(hospital)

    def asked(address: str) -> int:
        page(manager, address)  # what a process reads once and keeps is not asked for here
        shared.forget()
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(address).status_code == 200
        return len(queries)

    def happen(times: int) -> None:
        with hospital.together():
            for number in range(times):
                fact = in_emergency(hospital, family=f"Test{number}")
                if number % 3 == 0:
                    hospital.tell(fact, MovementKind.DISCHARGED, ago=timedelta(minutes=5))

    happen(5)
    few = asked(f"{PAGE}?since=24")
    happen(150)
    assert asked(f"{PAGE}?since=24") == few <= 54
