"""How right forecasts were: the table, its parts, and when somebody should look."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow.board_types import Sight
from flow.forecasts import accuracy, learning
from flow.forecasts.accuracy import Asked, By, accuracy_board
from flow.forecasts.drift import DAYS as DRIFT_DAYS
from flow.forecasts.drift import Recent, Sign, signs
from flow.forecasts.models_board import models_board
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.models import Forecast, ForecastScore
from tests.forecasts.living import DAY, LITTLE, NINTH, Hospital

pytestmark = pytest.mark.django_db
START = NINTH
ALL = Sight()


def seeing(hospital: Hospital, *numbers: int, patients: bool = False) -> Sight:
    keys = frozenset(hospital.wards[n].pk for n in numbers)
    return Sight(counts=keys, patients=keys if patients else frozenset())


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
    assert (spoke.number, spoke.kind, spoke.forecasts) == (1, "staged", 6)
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


def test_the_table_asks_the_same_for_any_number_of_beds(scored: Hospital) -> None:
    for by in (None, *By):
        with CaptureQueriesContext(connection) as queries:
            table(scored, by=by)
        assert len(queries) == 5
