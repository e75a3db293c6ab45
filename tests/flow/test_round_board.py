"""The board round as a value: who, in which order, seen when, and what that adds up to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from flow.days import midnight, o_clock
from flow.moment import Moment
from flow.round_board import round_board, round_figures
from flow.round_types import RoundBoard
from patients.code_loading import built_in, load_codes
from patients.models import Code, Episode
from tests.screens.hospital import Hospital, add_beds, build, user
from wards.barriers import Said, raise_barrier
from wards.facts import Moved, MovementKind, Place
from wards.models import Ward
from wards.movements import record
from wards.rounds import Found, review
from wards.scope import scope_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def hospital() -> Hospital:
    """A ward of six beds whose clock stands at three in the afternoon of a day gone by."""
    load_codes(built_in())
    made = build()
    made.now = o_clock(timezone.now() - DAY, 15)
    return made


@pytest.fixture
def nurse(hospital: Hospital) -> User:
    return user("nurse", Role.WARD_NURSE, ward=hospital.wards[0])


def stays(hospital: Hospital) -> list[Episode]:
    return list(
        Episode.objects.filter(occupancies__ward=hospital.wards[0], status="in_hospital").order_by(
            "occupancies__bed__position"
        )
    )


def board_of(hospital: Hospital, nurse: User, at: datetime | None = None) -> RoundBoard:
    ward = Ward.objects.select_related("site").get(pk=hospital.wards[0].pk)
    return round_board(ward, moment=Moment(at or hospital.now), scope=scope_of(nurse))


def seen(episode: Episode, at: datetime, by: User, **found: object) -> None:
    said = Found(criteria=["oxygen"])
    said.update(found)  # type: ignore[typeddict-item]
    review(episode=episode, found=said, said=Said(at, by))


def test_patients_come_in_the_order_of_the_beds_and_without_one_last(
    hospital: Hospital, nurse: User
) -> None:
    ward = hospital.wards[0]
    add_beds(ward, 6, first=6)
    beds = hospital.beds(ward)
    for number in (9, 1, 0, 11):
        hospital.admit(beds[number])
    hospital.admit(ward)
    board = board_of(hospital, nurse)
    assert [p.row.place for p in board.patients] == ["1", "2", "10", "12", ""]
    assert [p.face is not None for p in board.patients] == [True] * 5
    first, last = board.patients[0], board.patients[-1]
    assert board.beside(first.row.episode) == (None, board.patients[1])
    assert board.beside(last.row.episode) == (board.patients[3], None)
    assert board.of(0) is None


def test_who_is_next_is_the_first_after_this_one_not_seen_today(
    hospital: Hospital, nurse: User
) -> None:
    hospital.fill(hospital.wards[0], 4)
    one, two, three, four = stays(hospital)
    for each in (one, three):
        seen(each, hospital.now - HOUR, nurse)
    board = board_of(hospital, nurse)
    assert [p.done for p in board.patients] == [True, False, True, False]

    def after(episode: Episode | None) -> int | None:
        found = board.after(episode.pk if episode else None)
        return found.row.episode if found else None

    assert (after(None), after(two), after(four)) == (two.pk, four.pk, two.pk)
    for each in (two, four):
        seen(each, hospital.now - HOUR, nurse)
    assert board_of(hospital, nurse).after(one.pk) is None


def test_a_ward_is_confirmed_once_everybody_has_been_seen_today(
    hospital: Hospital, nurse: User
) -> None:
    hospital.admit(hospital.beds(hospital.wards[0])[0], ago=3 * DAY)
    hospital.admit(hospital.beds(hospital.wards[0])[1], ago=3 * DAY)
    one, two = stays(hospital)
    status = board_of(hospital, nurse).figures.status
    assert (status.confirmed, status.done, status.never, status.as_of) == (False, 0, 2, None)
    yesterday = hospital.now - DAY
    seen(one, yesterday, nurse)
    seen(two, yesterday + HOUR, nurse)
    assert board_of(hospital, nurse, at=yesterday + 2 * HOUR).figures.status.confirmed
    status = board_of(hospital, nurse).figures.status
    assert (status.confirmed, status.done, status.as_of) == (False, 0, yesterday)
    this_morning = hospital.now - 4 * HOUR
    seen(one, this_morning, nurse)
    status = board_of(hospital, nurse).figures.status
    assert (status.confirmed, status.done, status.as_of) == (False, 1, yesterday + HOUR)
    seen(two, this_morning + HOUR, nurse)
    status = board_of(hospital, nurse).figures.status
    assert (status.confirmed, status.done, status.due) == (True, 2, 2)
    assert (status.began_at, status.ended_at) == (this_morning, this_morning + HOUR)
    assert status.by == ("Nurse",)
    hospital.admit(hospital.beds(hospital.wards[0])[2], ago=HOUR)
    status = board_of(hospital, nurse).figures.status
    assert (status.confirmed, status.came_since, status.due) == (True, 1, 2)
    tomorrow = midnight(hospital.now, days=1) + HOUR
    assert not board_of(hospital, nurse, at=tomorrow).figures.status.confirmed


def test_an_empty_ward_has_nothing_to_confirm(hospital: Hospital, nurse: User) -> None:
    board = board_of(hospital, nurse)
    assert (board.patients, board.after(None)) == ((), None)
    assert board.figures.status.confirmed


def test_slips_are_counted_by_the_day(hospital: Hospital, nurse: User) -> None:
    hospital.admit(hospital.beds(hospital.wards[0])[0], ago=3 * DAY)
    [episode] = stays(hospital)
    noon = o_clock(hospital.now, 12)
    plans = [noon + DAY, noon + DAY + HOUR, noon + 3 * DAY, noon + 2 * DAY, noon + 4 * DAY, None]
    for number, plan in enumerate(plans):
        seen(episode, hospital.now - (20 - number) * HOUR, nurse, expected_discharge_at=plan)
    [patient] = board_of(hospital, nurse).patients
    assert [(c.was, c.now, c.slipped) for c in patient.plans] == [
        (None, plans[0], False),
        (plans[1], plans[2], True),
        (plans[2], plans[3], False),
        (plans[3], plans[4], True),
        (plans[4], None, False),
    ]
    assert (patient.slips, patient.first_plan) == (2, plans[0])
    assert {change.by for change in patient.plans} == {"Nurse"}
    [then] = board_of(hospital, nurse, at=hospital.now - 17 * HOUR).patients
    assert then.slips == 1, "what was said later was not said yet"


def test_safer_falls_out_of_the_facts(hospital: Hospital, nurse: User) -> None:
    ward, now = hospital.wards[0], hospital.now
    unit = Ward.objects.create(
        site=hospital.site, code="AMU", name="Assessment", kind=Ward.Kind.ASSESSMENT
    )
    beds = hospital.beds(ward)
    midday, ten = o_clock(now, 12), o_clock(now, 10)
    old = hospital.admit(beds[0], ago=9 * DAY)
    hospital.admit(beds[1], ago=2 * DAY)
    told = Place(ward.pk, beds[2].bay_id, beds[2].pk)
    come = hospital.admit(unit, ago=12 * HOUR)
    hospital.tell(come, MovementKind.TRANSFERRED, ago=now - (ten - HOUR), place=told)
    early = hospital.admit(beds[3], ago=2 * DAY)
    hospital.tell(early, MovementKind.DISCHARGED, ago=now - (midday - HOUR))
    late = hospital.admit(beds[3], ago=now - (midday - HOUR / 2))
    hospital.tell(late, MovementKind.DISCHARGED, ago=now - (midday + HOUR))
    last_week = hospital.admit(beds[4], ago=6 * DAY)
    hospital.tell(last_week, MovementKind.DISCHARGED, ago=now - (midday - 3 * DAY + HOUR))
    safer = board_of(hospital, nurse).safer
    assert (safer.first_at, safer.on_time) == (ten - HOUR, True)
    assert (safer.early.count, safer.early.of) == (1, 2)
    assert (safer.early_week.count, safer.early_week.of) == (0, 1)
    assert (safer.senior.count, safer.senior.of) == (0, 3)
    assert (safer.long_stays.count, safer.long_stays.of) == (0, 1)
    assert old.visit is not None
    one, two, three = stays(hospital)
    seen(one, midday - HOUR, nurse, senior_reviewed=True, expected_discharge_at=now + DAY)
    seen(two, midday + HOUR, nurse, senior_reviewed=True)
    seen(three, midday - 2 * HOUR, nurse, senior_reviewed=False)
    safer = board_of(hospital, nurse).safer
    assert (safer.senior.count, safer.senior.of) == (1, 3)
    assert (safer.planned.count, safer.planned.of) == (1, 3)
    assert (safer.long_stays.count, safer.long_stays.of) == (1, 1)
    assert safer.senior.share == pytest.approx(1 / 3)


def test_the_first_from_assessment_is_late_only_once_ten_has_passed(
    hospital: Hospital, nurse: User
) -> None:
    hospital.admit(hospital.beds(hospital.wards[0])[0], ago=2 * DAY)
    ten = o_clock(hospital.now, 10)
    for at, on_time in ((ten - HOUR, None), (ten + HOUR, False)):
        safer = board_of(hospital, nurse, at=at).safer
        assert (safer.first_at, safer.on_time) == (None, on_time)


def test_the_figures_count_what_was_found(hospital: Hospital, nurse: User) -> None:
    hospital.fill(hospital.wards[0], 4)
    now = hospital.now
    one, two, three, four = stays(hospital)
    seen(one, now - HOUR, nurse, criteria=[], day="red", expected_discharge_at=now - DAY)
    seen(two, now - HOUR, nurse, day="green", expected_discharge_at=o_clock(now, 22))
    seen(three, now - HOUR, nurse, criteria=[], exception="Dr Ash: no carer until Monday")
    seen(four, now - HOUR, nurse, day="red", expected_discharge_at=now + 2 * DAY)
    figures = board_of(hospital, nurse).figures
    assert (figures.ready, figures.red, figures.green) == (1, 2, 1)
    assert (figures.planned, figures.due_today) == (3, 2)
    ward = Ward.objects.select_related("site").get(pk=hospital.wards[0].pk)
    assert round_figures(ward, Moment(now)) == figures
    assert round_figures(hospital.emergency, Moment(now)) is None


def test_open_barriers_stand_with_their_patient(hospital: Hospital, nurse: User) -> None:
    hospital.fill(hospital.wards[0], 2)
    one, two = stays(hospital)
    for slug in ("transport", "therapy-review"):
        reason = Code.objects.select_related("code_set").get(
            slug=slug, code_set__slug="delay-reasons-2024"
        )
        raise_barrier(episode=two, reason=reason, said=Said(hospital.now - HOUR, nurse))
    first, second = board_of(hospital, nurse).patients
    assert (first.row.episode, first.barriers) == (one.pk, ())
    assert [b.reason for b in second.barriers] == ["transport", "therapy-review"]


def test_the_board_asks_as_often_for_sixty_as_for_six(hospital: Hospital, nurse: User) -> None:
    def queries() -> int:
        scope_of(nurse)
        with CaptureQueriesContext(connection) as asked:
            board_of(hospital, nurse)
        return len(asked)

    hospital.fill(hospital.wards[0], 6)
    few = queries()
    assert few == 6, "the ward of the test, and five of the board's own"
    add_beds(hospital.wards[0], 54, first=6)
    for bed in hospital.beds(hospital.wards[0])[6:]:
        hospital.admit(bed)
    for episode in stays(hospital)[::3]:
        seen(episode, hospital.now - HOUR, nurse, expected_discharge_at=hospital.now + DAY)
    assert queries() == few


def test_a_visit_told_anew_by_a_feed_keeps_its_plans(hospital: Hospital, nurse: User) -> None:
    about = hospital.admit(hospital.beds(hospital.wards[0])[0], ago=2 * DAY)
    for hours, days in ((30, 1), (20, 1), (10, 2)):
        at = hospital.now - hours * HOUR
        plan = o_clock(hospital.now, 15) + days * DAY
        record(
            [
                Moved(
                    key=f"plan {hours}",
                    sent_at=at,
                    person=about.person,
                    visit=about.visit,
                    kind=MovementKind.OBSERVED,
                    occurred_at=at,
                    stay={"expected_discharge_at": plan.isoformat()},
                )
            ],
            source="pas",
        )
    [patient] = board_of(hospital, nurse).patients
    assert [(c.slipped, c.by) for c in patient.plans] == [(False, "pas"), (True, "pas")]
