"""What pages and programs show of forecasts: as far as the viewer may see, with few queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flow.board_types import Sight
from flow.forecasts import accuracy, issued, issuing, learning, scoring, versions
from flow.forecasts.accuracy import Asked, By, accuracy_board
from flow.forecasts.boards import ForecastBoard, forecast_board
from flow.forecasts.clock import minute_of
from flow.forecasts.drift import DAYS as DRIFT_DAYS
from flow.forecasts.drift import Recent, Sign, signs
from flow.forecasts.drivers import COLUMNS, Fact, drivers
from flow.forecasts.features import NAMES
from flow.forecasts.happened import HappenedBoard, happened_board, yesterday_morning
from flow.forecasts.models_board import models_board
from flow.forecasts.outlook import PoolKind
from flow.forecasts.phrases import driver_said
from flow.forecasts.prediction import Prediction, predicted
from flow.forecasts.reading import read_present
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.models import Forecast, ForecastScore
from patients.models import Episode
from tests.forecasts.living import BEGIN, DAY, LITTLE, Hospital, told
from wards.facts import MovementKind
from wards.models import Bed, Site

pytestmark = pytest.mark.django_db
START = BEGIN + timedelta(days=8, hours=8)
ALL = Sight()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    versions.forget()
    issued.forget()
    yield
    versions.forget()
    issued.forget()


@pytest.fixture
def hospital() -> Hospital:
    """A forecast at 8:00 of its ninth day; it is 8:00."""
    made = Hospital(a_day=8)
    made.live(START)
    assert learning.learn(made.site, at=START, effort=LITTLE)
    issue(made)
    return made


def issue(hospital: Hospital) -> Forecast:
    row = issuing.issue(hospital.site, at=hospital.now, issued_at=hospital.now + MINUTE)
    assert row is not None
    return row


MINUTE = timedelta(minutes=1)


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


def test_the_last_one_issued_by_a_moment_speaks_for_it(hospital: Hospital) -> None:
    hospital.live(START + timedelta(hours=1))
    issue(hospital)

    def at(minutes: float) -> ForecastBoard | None:
        moment = START + timedelta(minutes=minutes)
        return forecast_board(hospital.site, now=START + DAY, sight=ALL, at=moment)

    assert at(0) is None  # not yet written down
    assert [found.at for minutes in (1, 60, 61) if (found := at(minutes))] == [
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
        for ask in (lambda m: board(m), lambda m: happened(m), lambda m: table(m)):
            issued.forget()
            with CaptureQueriesContext(connection) as queries:
                ask(made)
            mine.append(len(queries))
        counts.append(mine)
    assert counts[0] == counts[1]
    assert counts[0][0] == 3
    assert counts[0][1] == 6
    assert counts[0][2] == 5


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
    assert found.beds[0].seen.count(None) == 71
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


# --- The record -----------------------------------------------------------------------------


@pytest.fixture
def scored(hospital: Hospital) -> Hospital:
    """Three mornings and three noons that are over and scored."""
    for day in range(3):
        hospital.live(START + day * DAY)
        if day:
            issue(hospital)
        hospital.live(START + day * DAY + timedelta(hours=4))
        issue(hospital)
    hospital.live(START + 4 * DAY)
    assert scoring.score_due(now=hospital.now) > 0
    return hospital


def table(hospital: Hospital, sight: Sight = ALL, **asked: object) -> accuracy.AccuracyBoard:
    days = {"first": START.date(), "last": START.date() + 3 * DAY}
    which = Asked(**(days | asked))  # type: ignore[arg-type]
    return accuracy_board([hospital.site], which, now=hospital.now, sight=sight)


def test_the_table_adds_up_the_scores(scored: Hospital) -> None:
    [row] = table(scored).rows
    by = {one.speaker: one for one in row.speakers}
    assert list(by) == [who for who in Speaker if who in by]
    rows = ForecastScore.objects.filter(
        speaker=Speaker.FORECAST, what=What.DEPARTURES, until=Until.DAY, part=Part.SITE
    )
    assert rows.count() == by[Speaker.FORECAST].forecasts == 6
    patients = sum(one.patients for one in rows)
    own = by[Speaker.FORECAST]
    assert own.patients == patients
    assert own.log_score == pytest.approx(sum(one.log_sum for one in rows) / patients)
    assert own.brier == pytest.approx(sum(one.brier_sum for one in rows) / patients)
    assert own.crps == pytest.approx(np.mean([one.crps for one in rows]))
    assert own.mae == pytest.approx(np.mean([abs(one.said - one.seen) for one in rows]))
    assert own.bias == pytest.approx(np.mean([one.said - one.seen for one in rows]))
    assert own.within_90 == pytest.approx(np.mean([one.within_90 for one in rows]))
    assert sum(tenth.patients for tenth in own.tenths) == patients
    tenth = own.tenths[0]
    assert tenth.patients == sum(one.bin_patients[round(tenth.low * 10)] for one in rows)
    assert tenth.low <= tenth.said <= tenth.high
    looked_back = by[Speaker.YESTERDAY]
    assert (looked_back.patients, looked_back.log_score) == (0, None)
    assert looked_back.forecasts == 6


def test_the_table_tells_hours_horizons_and_days_apart(scored: Hospital) -> None:
    assert [row.key for row in table(scored, by=By.HOUR).rows] == ["8", "12"]
    [noon] = table(scored, hours=(12,)).rows
    assert noon.speakers[0].forecasts == 3
    keys = [row.key for row in table(scored, by=By.UNTIL).rows]
    assert keys == ["24h", "48h", "72h", "18:00", "midnight"]
    [one] = table(scored, last=START.date(), hours=(8,)).rows
    assert one.speakers[0].forecasts == 1
    assert table(scored, first=START.date() + 9 * DAY, last=START.date() + 9 * DAY).rows == ()
    [beds] = table(scored, what=What.FREE_BEDS).rows
    assert beds.speakers[0].patients == 0
    assert beds.speakers[0].crps is not None


def test_wards_and_specialties_are_told_apart(scored: Hospital) -> None:
    wards = table(scored, by=By.WARD).rows
    assert [row.label for row in wards] == sorted(ward.name for ward in scored.wards)
    assert {row.code for row in wards} == {ward.code for ward in scored.wards}
    specialties = table(scored, by=By.SPECIALTY).rows
    assert [row.key for row in specialties] == ["300", "430"]
    [whole] = table(scored).rows
    for rows in (wards, specialties):
        assert sum(r.speakers[0].patients for r in rows) == whole.speakers[0].patients


def test_the_record_of_a_site_is_for_those_who_see_all_of_it(scored: Hospital) -> None:
    sight = seeing(scored, 1)
    assert table(scored, sight).rows == ()
    assert table(scored, sight).hidden == (scored.site,)
    assert table(scored, sight).drifts == ()
    assert table(scored, sight, by=By.SPECIALTY).rows == ()
    assert [row.key for row in table(scored, sight, by=By.WARD).rows] == [str(scored.wards[1].pk)]


def test_it_says_which_model_spoke(scored: Hospital) -> None:
    learning.learn(scored.site, at=scored.now, effort=LITTLE)
    [spoke] = table(scored).models
    assert (spoke.number, spoke.kind, spoke.forecasts) == (1, "floor", 6)
    known = models_board(scored.site)
    assert known.live is not None
    assert (known.live.number, [one.number for one in known.models]) == (2, [2, 1])
    assert known.training is not None
    assert (known.training.state, known.training.percent, known.training.model) == ("done", 100, 2)
    with CaptureQueriesContext(connection) as queries:
        models_board(scored.site)
    assert len(queries) == 3


@pytest.mark.parametrize(
    ("level", "own", "others", "seen"),
    [
        ((1.02, 0.95, 1.09), None, [], ()),
        ((0.8, 0.7, 0.95), None, [], (Sign.SLOWER,)),
        ((0.8, 0.6, 1.05), None, [], ()),
        ((0.9, 0.85, 0.95), None, [], ()),
        ((1.2, 1.05, 1.4), None, [], (Sign.FASTER,)),
        ((1, 0.9, 1.1), Recent(900, 400.0, 14, 9), [], (Sign.INTERVALS,)),
        ((1, 0.9, 1.1), Recent(900, 400.0, 14, 10), [], ()),
        ((1, 0.9, 1.1), Recent(900, 400.0, 9, 0), [], ()),
        ((1, 0.9, 1.1), Recent(900, 400.0, 14, 13), [Recent(900, 399.0, 14, 0)], (Sign.BEATEN,)),
        ((1, 0.9, 1.1), Recent(900, 400.0, 14, 13), [Recent(800, 300.0, 12, 0)], ()),
        ((1, 0.9, 1.1), Recent(200, 90.0, 14, 13), [Recent(200, 80.0, 14, 0)], ()),
    ],
)
def test_when_somebody_should_look(
    level: tuple[float, float, float], own: Recent | None, others: list[Recent],
    seen: tuple[Sign, ...],
) -> None:  # fmt: skip
    assert signs(*level, own, others) == seen


def test_drift_is_seen_in_the_scores(scored: Hospital) -> None:
    [calm] = table(scored).drifts
    assert calm.signs == ()
    assert calm.level_low < calm.level < calm.level_high
    [score] = ForecastScore.objects.filter(
        speaker=Speaker.FORECAST, what=What.DEPARTURES, until=Until.DAY, part=Part.SITE, hour=8,
        day=START.date(),
    )  # fmt: skip
    for number in range(DRIFT_DAYS):
        row = Forecast.objects.get(pk=score.forecast_id)
        row.pk, row.at = None, START + timedelta(seconds=number + 1)
        row.save(force_insert=True)
        score.pk, score.forecast, score.within_90 = None, row, 0
        score.within_50 = score.within_80 = 0
        score.save(force_insert=True)
    [drifting] = table(scored).drifts
    assert Sign.INTERVALS in drifting.signs


# --- One patient ----------------------------------------------------------------------------


def prediction(hospital: Hospital, name: str) -> Prediction | None:
    episode = Episode.objects.get(visit__number=f"V{name}")
    return predicted(episode, now=hospital.now + MINUTE)


def test_a_patient_is_told_as_the_forecast_was_issued(hospital: Hospital) -> None:
    name = hospital.there[3].name
    plan = START + 2 * DAY
    hospital.now += timedelta(minutes=30)
    told(
        hospital.says(
            name, MovementKind.OBSERVED, at=hospital.now, expected_discharge_at=plan.isoformat()
        )
    )
    found = prediction(hospital, name)
    assert found is not None
    kept = issued.latest(hospital.site.pk, by=hospital.now)
    assert kept is not None
    place = kept.patients.place(found.episode)
    assert [one.chance for one in found.hours] == kept.patients.hours[place].tolist()
    assert found.hours[0].by == START + timedelta(hours=1)
    assert found.days[13].by == START + 14 * DAY
    assert (found.at, found.model.number, found.site) == (START, 1, hospital.site)
    assert found.words
    # The date was told after the forecast, which knew of none.
    assert found.expected_discharge_at is None


def test_somebody_who_came_since_is_in_no_forecast(hospital: Hospital) -> None:
    hospital.live(START + timedelta(hours=3))
    known = set(Forecast.objects.values_list("patients", flat=True))
    late = Episode.objects.filter(admitted_at__gt=START, discharged_at=None).first()
    assert known
    assert late is not None
    assert predicted(late, now=hospital.now) is None
    expected = Episode.objects.create(visit=late.visit, ordinal=9, patient=late.patient,
                                      status="expected")  # fmt: skip
    assert predicted(expected, now=hospital.now) is None


def test_of_somebody_who_has_left_the_last_forecast_before_counts(hospital: Hospital) -> None:
    patient = hospital.there.pop(2)
    told(hospital.says(patient.name, MovementKind.DISCHARGED, at=START + timedelta(minutes=20)))
    hospital.live(START + timedelta(hours=2))
    issue(hospital)
    found = prediction(hospital, patient.name)
    assert found is not None
    assert found.at == START


def test_what_moves_a_chance_is_told_with_it(hospital: Hospital) -> None:
    live = versions.live(hospital.site.pk)
    assert live is not None
    raw = read_present(hospital.site, at=START)
    history = live.learnt.numbered(raw)
    minute = minute_of(START)
    voice, typical = live.learnt.trained.voice, live.learnt.typical
    for stay in history.present(minute)[:6].tolist():
        found = drivers(voice, typical, history, stay, minute, level=1.0)
        assert [abs(one.change) for one in found] == sorted(
            (abs(one.change) for one in found), reverse=True
        )
        own = voice.left_by(
            history, np.array([stay]), minute, np.array([minute + 1440])
        )[0, 0]  # fmt: skip
        for one in found:
            usual = history  # the model is asked again with the one fact replaced
            columns = [NAMES.index(name) for name in COLUMNS[one.fact]]

            def replaced(rows: np.ndarray, columns: list[int] = columns) -> np.ndarray:
                rows[:, columns] = typical[columns]
                return rows

            other = voice.left_by(
                usual, np.array([stay]), minute, np.array([minute + 1440]), change=replaced
            )[0, 0]
            assert one.change == pytest.approx(own - other)
            assert driver_said(one, ward="Ward 1", at=minute)
        # This model knows weekday, specialty and time in hospital alone.
        assert {one.fact for one in found} <= {Fact.STAY, Fact.PLACE, Fact.CALENDAR}


def test_a_prediction_asks_the_same_for_any_number_of_beds() -> None:
    counts = []
    for beds, a_day in ((6, 2.0), (60, 20.0)):
        made = Hospital(a_day=a_day, beds=beds)
        made.live(BEGIN + timedelta(days=3, hours=8))
        learning.learn(made.site, at=made.now, effort=LITTLE)
        issue(made)
        versions.forget()
        issued.forget()
        episode = Episode.objects.get(visit__number=f"V{made.there[0].name}")
        with CaptureQueriesContext(connection) as queries:
            found = predicted(episode, now=made.now + MINUTE)
        assert found is not None
        assert found.drivers is not None
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 11


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
