"""When forecasts are issued, and what becomes of the notes that ask for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from flow import census, tasks
from flow.forecasts import issuing, keeping, learning, versions
from flow.forecasts.learnt import Unreadable
from flow.forecasts.notes import note_changed
from flow.forecasts.recorded import STANDARD_HOURS
from flow.models import Forecast, ForecastDue, ForecastInputs, ForecastModel, ForecastTraining
from live.doorbell import version
from tests.forecasts.living import BEGIN, LITTLE, Hospital
from wards.models import DirtyWard

pytestmark = pytest.mark.django_db
TEN = BEGIN + timedelta(days=2, hours=10)


@pytest.fixture
def hospital() -> Hospital:
    """Learnt on its second day at 9:00; it is 10:00."""
    made = Hospital()
    made.live(TEN - timedelta(hours=1))
    assert learning.learn(made.site, at=made.now, effort=LITTLE)
    made.live(TEN)
    ForecastDue.objects.all().delete()
    return made


def at(minute: float) -> datetime:
    return TEN + timedelta(minutes=minute)


def issued() -> list[float]:
    """The minutes after ten from which forecasts speak."""
    moments = Forecast.objects.order_by("at").values_list("at", flat=True)
    return [(moment - TEN) / timedelta(minutes=1) for moment in moments]


def test_one_is_issued_for_each_full_hour(hospital: Hospital) -> None:
    assert issuing.issue_due(now=at(0.1)) == [hospital.site.pk]
    assert issuing.issue_due(now=at(0.4)) == []
    assert issuing.issue_due(now=at(59.9)) == []
    hospital.live(at(60))
    assert issuing.issue_due(now=at(60.2)) == [hospital.site.pk]
    assert issued() == [0, 60]


def test_the_first_one_waits_until_what_was_learnt_counts() -> None:
    made = Hospital()
    made.live(TEN)
    learning.learn(made.site, at=at(0.5), effort=LITTLE)
    assert issuing.issue_due(now=at(0.9)) == []
    assert issuing.issue_due(now=at(1.1)) == [made.site.pk]
    [row] = Forecast.objects.all()
    assert issued() == [1]
    assert row.said["beds"]["pools"]


def test_a_change_brings_one_at_most_every_five_minutes(hospital: Hospital) -> None:
    issuing.issue_due(now=at(0.1))
    note_changed([hospital.site.pk, hospital.site.pk])
    assert issuing.issue_due(now=at(3)) == []
    assert ForecastDue.objects.count() == 1
    assert issuing.issue_due(now=at(5.5)) == [hospital.site.pk]
    assert not ForecastDue.objects.exists()
    assert issuing.issue_due(now=at(11)) == []
    assert issued() == [0, 5]


def test_a_note_written_meanwhile_stays(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuing.issue_due(now=at(0.1))
    note_changed([hospital.site.pk])
    real = issuing.foretold

    def overtaken(*args: object, **more: object) -> object:
        note_changed([hospital.site.pk])
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(issuing, "foretold", overtaken)
    issuing.issue_due(now=at(6))
    assert ForecastDue.objects.count() == 1


def test_a_late_one_still_speaks_from_the_full_hour(hospital: Hospital) -> None:
    issuing.issue_due(now=at(0.1))
    hospital.live(at(60))
    note_changed([hospital.site.pk])
    assert issuing.issue_due(now=at(70)) == [hospital.site.pk]
    assert issued() == [0, 60]
    # The note may tell of something after the hour, so that it is still to be seen to.
    assert ForecastDue.objects.count() == 1
    issuing.issue_due(now=at(71))
    assert issued() == [0, 60, 71]


def test_after_a_pause_it_speaks_of_now(hospital: Hospital) -> None:
    issuing.issue_due(now=at(0.1))
    hospital.live(at(180))
    issuing.issue_due(now=at(200.5))
    assert issued() == [0, 200]


def test_the_hours_of_the_record_are_marked(hospital: Hospital) -> None:
    hospital.live(TEN + timedelta(hours=7))
    for minute in (0, 5, 60, 120, 180, 240):
        assert issuing.issue(hospital.site, at=at(minute))
    marked = Forecast.objects.filter(is_standard=True).order_by("at")
    assert [row.at.hour for row in marked] == [12]
    assert 12 in STANDARD_HOURS


def test_the_census_notes_the_sites_whose_wards_have_changed(hospital: Hospital) -> None:
    other = Hospital(seed=2)
    DirtyWard.objects.all().delete()
    DirtyWard.objects.create(ward=hospital.wards[0])
    DirtyWard.objects.create(ward=hospital.wards[1])
    census.refresh()
    assert list(ForecastDue.objects.values_list("site", flat=True)) == [hospital.site.pk]
    census.confirm_all()
    census.refresh()
    assert ForecastDue.objects.filter(site=other.site).count() == 0
    assert ForecastDue.objects.count() == 1


def test_boards_are_rung_when_a_forecast_is_committed(
    hospital: Hospital, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    name = f"forecast:{hospital.site.pk}"
    before = version(name)
    with django_capture_on_commit_callbacks(execute=True):
        issuing.issue(hospital.site, at=at(0))
    assert before is not None
    assert version(name) != before


def test_one_sites_failure_leaves_the_others_alone(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = Hospital(seed=2)
    other.live(TEN)
    learning.learn(other.site, at=TEN, effort=LITTLE)
    real = issuing.foretold

    def fails(site: object, *args: object, **more: object) -> object:
        if site == hospital.site:
            raise RuntimeError("a fault")
        return real(site, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(issuing, "foretold", fails)
    assert issuing.issue_due(now=at(1)) == [other.site.pk]
    assert f"no forecast of site {hospital.site.pk}" in caplog.text


def test_what_if_starts_from_the_latest_forecast(hospital: Hospital) -> None:
    assert issuing.inputs_kept(hospital.site.pk) is None
    issuing.issue(hospital.site, at=at(0))
    row = issuing.issue(hospital.site, at=at(6))
    found = issuing.inputs_kept(hospital.site.pk)
    assert found is not None
    forecast, inputs = found
    assert forecast == row
    assert row is not None
    assert inputs.residents.keys.size == row.patients
    ForecastInputs.objects.update(libraries="others")
    assert issuing.inputs_kept(hospital.site.pk) is None


def test_without_a_model_nothing_is_said() -> None:
    empty = Hospital()
    assert issuing.issue(empty.site, at=TEN) is None
    note_changed([empty.site.pk])
    assert issuing.issue_due(now=TEN) == []


def test_a_model_of_another_version_is_learnt_anew(hospital: Hospital) -> None:
    old = ForecastModel.objects.get()
    versions.forget()
    # As an upgrade of a library would leave it; the guard of the database is put aside.
    ForecastModel.objects.bulk_create(
        [
            ForecastModel(
                site=Hospital(seed=3).site, number=1, kind="floor", verdict="first",
                trained_at=TEN, learnt_from=BEGIN, learnt_until=TEN, departures=3, seconds=1,
                format=old.format, libraries="scikit-learn 0.1", blob=old.blob, live_from=TEN,
            )
        ]
    )  # fmt: skip
    other = ForecastModel.objects.exclude(pk=old.pk).get()
    assert versions.live(other.site_id) is None
    assert issuing.issue(other.site, at=TEN) is None
    assert learning.due(now=TEN)[0].pk == other.site_id
    done = learning.learn(other.site, at=TEN, effort=LITTLE)
    assert done is not None
    assert done.model is not None
    assert (done.model.number, done.model.verdict) == (2, "first")
    other.refresh_from_db()
    assert other.live_until == TEN
    assert issuing.issue(other.site, at=TEN) is not None


def test_what_need_not_be_kept_is_thinned_out(hospital: Hospital) -> None:
    hospital.live(TEN + timedelta(hours=3))
    for minute in (0, 5, 60, 120):
        issuing.issue(hospital.site, at=at(minute))
    assert keeping.thin(now=at(0) + timedelta(days=1)) == 0
    assert keeping.thin(now=at(0) + timedelta(days=3)) == 1
    assert issued() == [0, 60, 120]
    assert keeping.thin(now=at(0) + timedelta(days=29)) == 2
    # 12:00 is of the record; it stays for ever.
    assert issued() == [120]


def test_the_latest_is_kept_however_old(hospital: Hospital) -> None:
    issuing.issue(hospital.site, at=at(5))
    keeping.thin(now=at(0) + timedelta(days=60))
    assert issued() == [5]


def test_old_models_are_dropped_and_their_rows_stay(hospital: Hospital) -> None:
    first = ForecastModel.objects.get()
    learning.learn(hospital.site, at=at(1), effort=LITTLE)
    keeping.thin(now=at(0) + timedelta(weeks=5))
    assert ForecastModel.objects.filter(blob__isnull=False).count() == 2
    keeping.thin(now=at(0) + timedelta(weeks=7))
    rows = ForecastModel.objects.order_by("number")
    assert [row.blob is None for row in rows] == [True, False]
    assert rows[1].is_live
    versions.forget()
    with pytest.raises(Unreadable):
        versions.read(ForecastModel.objects.get(pk=first.pk))
    assert versions.live(hospital.site.pk) is not None
    assert versions.levels(rows[1], at=at(0) + timedelta(weeks=7)) is not None


def test_tasks_are_known_by_the_names_the_schedule_calls() -> None:
    names = ("issue_forecasts", "score_forecasts", "learn_forecasts")
    for name in names:
        assert getattr(tasks, name).name == f"flow.tasks.{name}"
    earlier, hospital = Hospital(), Hospital()
    learning.learn(earlier.site, at=timezone.now() - timedelta(minutes=2), effort=LITTLE)
    tasks.learn_forecasts()
    assert ForecastTraining.objects.latest("pk").site == hospital.site
    tasks.issue_forecasts()
    # What was just learnt speaks from the next minute on.
    assert [(row.site, row.patients) for row in Forecast.objects.all()] == [(earlier.site, 0)]
    tasks.score_forecasts()
