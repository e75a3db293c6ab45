"""What is foretold of one patient, and what moves it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow.board_types import Sight
from flow.forecasts import issued, learning, versions
from flow.forecasts.clock import minute_of
from flow.forecasts.drivers import COLUMNS, Fact, drivers
from flow.forecasts.features import NAMES
from flow.forecasts.phrases import driver_said
from flow.forecasts.prediction import Prediction, predicted
from flow.forecasts.reading import read_present
from flow.models import Forecast
from patients.models import Episode
from tests.forecasts.living import BEGIN, DAY, HOUR, LITTLE, MINUTE, NINTH, Hospital, issue, told
from wards.facts import MovementKind

pytestmark = pytest.mark.django_db
START = NINTH
ALL = Sight()


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


def test_where_nobody_was_in_hospital_when_it_was_learnt_nothing_is_usual() -> None:
    made = Hospital(a_day=24)
    assert learning.learn(made.site, at=BEGIN, effort=LITTLE)
    made.live(BEGIN + 6 * HOUR)
    issue(made)
    found = prediction(made, made.there[0].name)
    assert found is not None
    assert found.words
    assert found.drivers == ()
