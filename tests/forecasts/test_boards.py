"""What pages and programs show of forecasts: as far as the viewer may see, with few queries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flow.board_types import Sight
from flow.forecasts import issued, learning
from flow.forecasts.accuracy import Asked, accuracy_board
from flow.forecasts.boards import ForecastBoard, forecast_board
from flow.forecasts.happened import HappenedBoard, happened_board, yesterday_morning
from flow.forecasts.models_board import models_board
from flow.forecasts.outlook import PoolKind
from flow.forecasts.recorded import Part, Until, What
from patients.models import Episode
from tests.forecasts.living import BEGIN, DAY, LITTLE, MINUTE, NINTH, Hospital, issue
from wards.models import Bed, Site

pytestmark = pytest.mark.django_db
START = NINTH
ALL = Sight()


def seeing(hospital: Hospital, *numbers: int, patients: bool = False) -> Sight:
    keys = frozenset(hospital.wards[n].pk for n in numbers)
    return Sight(counts=keys, patients=keys if patients else frozenset())


def board(hospital: Hospital, sight: Sight = ALL) -> ForecastBoard:
    found = forecast_board(hospital.site, now=hospital.now + MINUTE, sight=sight)
    assert found is not None
    return found


# --- The forecast ---------------------------------------------------------------------------


def test_whoever_sees_all_wards_sees_all(hospital: Hospital) -> None:
    found = board(hospital)
    assert found.is_whole
    assert found.patients == len(hospital.there)
    assert found.fan is not None
    assert found.fan.free_now == 180 - len(hospital.there)
    kinds = [fan.pool.kind for fan in found.pools]
    assert kinds.count(PoolKind.WARD) == 3
    assert {PoolKind.GROUP, PoolKind.SPECIALTY} <= set(kinds)
    assert {one.what for one in found.numbers} == {What.DEPARTURES, What.ADMISSIONS}
    assert (found.at, found.issued_at) == (START, START + MINUTE)
    assert found.model.number == 1
    assert set(found.places) == {ward.pk for ward in hospital.wards}


def test_whoever_sees_one_ward_is_told_nothing_of_the_others(hospital: Hospital) -> None:
    found = board(hospital, seeing(hospital, 2))
    mine = str(hospital.wards[2].pk)
    assert not found.is_whole
    assert found.fan is None
    assert found.patients is None
    assert found.waiting is None
    # The only ward of a specialty is that specialty's beds.
    assert {(fan.pool.kind, fan.pool.key) for fan in found.pools} == {
        (PoolKind.WARD, mine), (PoolKind.SPECIALTY, "430"),
    }  # fmt: skip
    assert {(one.part, one.key) for one in found.numbers} == {(Part.WARD, mine)}
    assert set(found.places) == {hospital.wards[2].pk}


def test_the_last_one_by_its_own_moment_speaks_for_it(hospital: Hospital) -> None:
    hospital.live(START + timedelta(hours=1))
    issue(hospital)

    def at(minutes: float) -> ForecastBoard | None:
        moment = START + timedelta(minutes=minutes)
        return forecast_board(hospital.site, now=START + DAY, sight=ALL, at=moment)

    assert at(-1) is None
    # At the full hour neither has been written down yet; nothing in it is of later, though.
    assert [found.at for minutes in (0, 59, 60) if (found := at(minutes))] == [
        START, START, START + timedelta(hours=1),
    ]  # fmt: skip
    past = at(61)
    assert past is not None
    assert (past.live, past.stale) == (False, False)


def test_an_old_forecast_of_the_present_says_so(hospital: Hospital) -> None:
    def stale(minutes: int) -> bool:
        now = START + timedelta(minutes=minutes)
        found = forecast_board(hospital.site, now=now, sight=ALL)
        return found is not None and found.stale

    assert [stale(minutes) for minutes in (1, 75, 76)] == [False, False, True]


def test_the_board_asks_the_same_for_any_number_of_beds() -> None:
    counts = []
    for beds, a_day in ((6, 2.0), (60, 20.0)):
        made = Hospital(a_day=a_day, beds=beds)
        made.live(BEGIN + timedelta(days=3, hours=8))
        learning.learn(made.site, at=made.now, effort=LITTLE)
        issue(made)
        made.now += timedelta(hours=3)
        mine = []
        for ask in (board, happened):
            issued.forget()
            with CaptureQueriesContext(connection) as queries:
                ask(made)
            mine.append(len(queries))
        counts.append(mine)
    assert counts[0] == counts[1]
    assert counts[0][0] == 3
    assert counts[0][1] == 6


# --- What was said, and what happened -------------------------------------------------------


def happened(hospital: Hospital, sight: Sight = ALL) -> HappenedBoard:
    at = min(hospital.now, START)
    found = happened_board(hospital.site, now=hospital.now, sight=sight, at=at)
    assert found is not None
    return found


def test_yesterday_morning_is_yesterday_at_eight() -> None:
    assert yesterday_morning(START + timedelta(hours=4)) == START - DAY
    assert yesterday_morning(START - timedelta(hours=7)) == START - DAY
    assert yesterday_morning(START - timedelta(hours=9)) == START - DAY - DAY
    assert timezone.localtime(yesterday_morning(START)).hour == 8


def test_what_is_not_over_has_no_outcome(hospital: Hospital) -> None:
    hospital.live(START + timedelta(hours=12))
    found = happened(hospital)
    over = {one.number.until for one in found.outcomes if one.seen is not None}
    assert over == {Until.EVENING}
    assert all(one.held is None for one in found.outcomes if not one.is_over)
    assert all(tenth.left is None for tenth in found.tenths)


def test_what_happened_stands_beside_what_was_said(hospital: Hospital) -> None:
    before = {patient.name: patient.ward for patient in hospital.there}
    hospital.live(START + timedelta(hours=6))
    issue(hospital)
    free = 180 - len(hospital.there)
    hospital.live(START + timedelta(hours=31))
    found = happened(hospital, replace(ALL, patients=None))
    still = {patient.name for patient in hospital.there}
    gone = {
        name for name in before
        if Episode.objects.filter(
            visit__number=f"V{name}", discharged_at__lte=START + DAY
        ).exists()
    }  # fmt: skip
    outcome = next(
        one for one in found.outcomes
        if (one.number.what, one.number.until, one.number.part)
        == (What.DEPARTURES, Until.DAY, Part.SITE)
    )  # fmt: skip
    assert outcome.seen == len(gone)
    assert outcome.held is not None
    by_ward = [
        one.seen for one in found.outcomes
        if one.number.part is Part.WARD and one.number.what is What.DEPARTURES
    ]  # fmt: skip
    assert sum(one or 0 for one in by_ward) == len(gone)
    assert sum(tenth.patients for tenth in found.tenths) == len(before)
    assert sum(tenth.left or 0 for tenth in found.tenths) == len(gone)
    assert found.beds[0].seen[5] == free
    # Of 14:00 a forecast tells; midnight and eight o'clock are counted, whether or not one does.
    assert [n for n, seen in enumerate(found.beds[0].seen) if seen is not None] == [5, 15, 23]
    assert len(found.patients) == len(before)
    left = [one for one in found.patients if one.left_at is not None]
    assert len(left) == len(set(before) - still)
    assert [one.chance for one in found.patients] == sorted(
        (one.chance for one in found.patients), reverse=True
    )


def test_names_and_figures_are_for_those_who_may_see_them(hospital: Hospital) -> None:
    hospital.live(START + timedelta(hours=31))
    ward = hospital.wards[1].pk
    found = happened(hospital, seeing(hospital, 1, patients=True))
    assert {one.ward for one in found.patients} == {ward}
    assert {(one.number.part, one.number.key) for one in found.outcomes} == {(Part.WARD, str(ward))}
    whole = happened(hospital)
    assert whole.patients == ()
    assert sum(t.patients for t in found.tenths) < sum(t.patients for t in whole.tenths)


def test_where_nothing_was_foretold_there_is_no_board() -> None:
    site = Hospital().site
    assert forecast_board(site, now=START, sight=ALL) is None
    assert happened_board(site, now=START, sight=ALL) is None
    assert models_board(site).live is None
    asked = Asked(first=START.date(), last=START.date())
    assert accuracy_board([site], asked, now=START, sight=ALL).rows == ()
    assert isinstance(site, Site)


def test_where_nobody_has_listed_a_bed_no_free_bed_is_foretold() -> None:
    made = Hospital(a_day=6, beds=60)
    made.live(START)
    Bed.objects.update(is_recognised=False)
    assert learning.learn(made.site, at=START, effort=LITTLE)
    issue(made)
    found = board(made)
    assert (found.fan, found.pools) == (None, ())
    assert found.patients == len(made.there)
    assert {one.what for one in found.numbers} == {What.DEPARTURES, What.ADMISSIONS}
