"""Which model speaks: learning, comparing, and the schedule of both."""

from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from flow.forecasts import issuing, learning, scoring, site_learning, versions
from flow.forecasts.challenge import MARGIN, Comparison
from flow.forecasts.clock import minute_of
from flow.forecasts.hazards import Effort
from flow.forecasts.learnt import FORMAT, LIBRARIES, Unreadable, packed, unpacked
from flow.forecasts.level import Levels, untried
from flow.forecasts.numbering import numbered
from flow.forecasts.reading import read
from flow.models import (
    Forecast,
    ForecastLevels,
    ForecastModel,
    ForecastPatterns,
    ForecastScore,
    ForecastTraining,
)
from tests.forecasts.living import BEGIN, DAY, LITTLE, Hospital, london
from wards.models import Site, Ward

pytestmark = pytest.mark.django_db
State, Verdict = ForecastTraining.State, ForecastModel.Verdict
NOW = BEGIN + timedelta(days=35, hours=2)


def learn(hospital: Hospital) -> ForecastTraining:
    done = learning.learn(hospital.site, at=hospital.now, effort=LITTLE)
    assert done is not None
    return done


def made(training: ForecastTraining) -> ForecastModel:
    assert training.state == State.DONE
    assert training.model is not None
    return training.model


def old_hospital(days: int = 35, **how: float) -> Hospital:
    hospital = Hospital(**how)  # type: ignore[arg-type]
    hospital.live(BEGIN + timedelta(days=days, hours=2))
    return hospital


# --- The rule -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "live", "is_old", "won"),
    [
        (0.4000, 0.4010, False, True),
        (0.4000, 0.4006, False, False),  # better, but by less than the margin
        (0.4000, 0.4006, True, True),
        (0.4000, 0.4000, True, False),
        (0.4100, 0.4000, False, False),
        (0.4100, 0.4000, True, False),
    ],
)
def test_a_challenger_has_to_win(own: float, live: float, is_old: bool, won: bool) -> None:
    assert pytest.approx(0.002) == MARGIN
    assert Comparison(own, live, 14, is_old).is_won is won


# --- Learning a site ------------------------------------------------------------------------


def test_the_first_speaks_and_while_the_history_is_young_so_does_every_other() -> None:
    hospital = old_hospital(3)
    assert made(learn(hospital)).verdict == Verdict.FIRST
    hospital.live(hospital.now + DAY)
    second = made(learn(hospital))
    assert (second.number, second.verdict, second.is_live) == (2, Verdict.YOUNG, True)
    assert (second.own_loss, second.compared) == (None, 0)
    first = ForecastModel.objects.get(number=1)
    assert first.live_until == hospital.now


def test_a_boosted_model_speaks_where_there_is_enough_to_learn_from() -> None:
    hospital = old_hospital(30, a_day=50, beds=200)
    more = Effort(fits=2, moments=12_000, far_moments=4_000)
    done = learning.learn(hospital.site, at=hospital.now, effort=more)
    assert done is not None
    assert done.steps == 7
    model = made(done)
    assert model.kind == ForecastModel.Kind.BOOSTED
    assert model.departures > 600
    assert model.boosted_loss is not None
    assert model.floor_loss is not None
    assert model.boosted_loss < model.floor_loss
    live = versions.live(hospital.site.pk)
    assert live is not None
    assert live.learnt.trained.voice.model.name == "boosted hazard"
    assert issuing.issue(hospital.site, at=hospital.now) is not None


def compare(hospital: Hospital, monkeypatch: pytest.MonkeyPatch, own: float) -> ForecastModel:
    """A second model, which would have told the last mornings so well."""
    monkeypatch.setattr(site_learning, "would_have_scored", lambda trained, *_, **__: own)
    monkeypatch.setattr(
        site_learning, "_spoken", lambda *_: [(NOW - n * DAY, 10, 5.0) for n in range(9, 1, -1)]
    )
    return made(learn(hospital))


def test_a_challenger_that_wins_goes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    hospital = old_hospital()
    first = made(learn(hospital))
    hospital.live(hospital.now + DAY)
    second = compare(hospital, monkeypatch, own=0.49)
    assert (second.verdict, second.is_live) == (Verdict.WON, True)
    assert (second.own_loss, second.live_loss, second.compared) == (0.49, 0.5, 8)
    first.refresh_from_db()
    assert first.live_until == hospital.now
    assert ForecastLevels.objects.filter(model=second).exists()


def test_a_challenger_that_does_not_win_is_kept_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hospital = old_hospital()
    first = made(learn(hospital))
    hospital.live(hospital.now + DAY)
    second = compare(hospital, monkeypatch, own=0.4995)
    assert (second.verdict, second.is_live, second.blob) == (Verdict.LOST, False, None)
    assert (second.own_loss, second.live_loss) == (0.4995, 0.5)
    assert second.live_from is None
    first.refresh_from_db()
    assert first.is_live
    # How patients come and go is looked at all the same.
    assert ForecastPatterns.objects.filter(site=hospital.site).count() == 2


def test_an_old_model_gives_way_to_whatever_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    hospital = old_hospital()
    made(learn(hospital))
    hospital.live(hospital.now + 29 * DAY)
    assert compare(hospital, monkeypatch, own=0.4995).verdict == Verdict.WON


def test_the_live_model_is_taken_as_it_really_spoke() -> None:
    """The loss it is compared by is that of the record, over the same mornings and patients."""
    hospital = old_hospital(33)
    first = made(learn(hospital))
    for _ in range(10):
        morning = london(hospital.now.day + 0, 8, month=hospital.now.month)
        hospital.live(max(morning, hospital.now))
        issuing.issue(hospital.site, at=hospital.now)
        hospital.live(hospital.now + DAY - timedelta(hours=5))
    hospital.live(hospital.now + DAY)
    # However busy the machine is: what is left over would be scored by the next turn.
    scoring.score_due(now=hospital.now, patience=600.0)
    second = made(learn(hospital))
    rows = ForecastScore.objects.filter(
        speaker="forecast", what="departures", until="24h", part="site", hour=8
    )
    assert second.compared == rows.count() == 10
    said = sum(row.log_sum for row in rows) / sum(row.patients for row in rows)
    assert second.live_loss == pytest.approx(said)
    assert second.own_loss is not None
    assert second.own_loss == pytest.approx(said, rel=0.2)
    assert Forecast.objects.filter(model=first).count() == 10


def test_where_it_did_not_speak_it_is_asked_now() -> None:
    hospital = old_hospital()
    made(learn(hospital))
    hospital.live(hospital.now + DAY)
    second = made(learn(hospital))
    assert second.compared == 13
    assert second.live_loss is not None
    assert second.own_loss is not None
    # It learnt from these days, and the challenger did not.
    assert second.live_loss <= second.own_loss * 1.05


# --- Progress, stopping, going on -----------------------------------------------------------


def test_how_far_it_is_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = learning.Progress.reached

    def told(self: learning.Progress, step: ForecastTraining.Step) -> None:
        real(self, step)
        row = ForecastTraining.objects.get()
        seen.append((row.state, row.step, row.done, row.steps))

    monkeypatch.setattr(learning.Progress, "reached", told)
    done = learn(old_hospital(3))
    assert [step for _, step, _, _ in seen] == ["reading", "trying", "comparing", "following"]
    assert [number for _, _, number, _ in seen] == [0, 1, 2, 3]
    assert {state for state, *_ in seen} == {"running"}
    assert (done.state, done.done) == ("done", done.steps)


def test_a_training_that_is_asked_to_stop_stops_and_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hospital = old_hospital(3)
    first = made(learn(hospital))
    hospital.live(hospital.now + DAY)
    real = learning.Progress.reached

    def told(self: learning.Progress, step: ForecastTraining.Step) -> None:
        running = ForecastTraining.objects.get(state=State.RUNNING)
        if step == ForecastTraining.Step.COMPARING:
            assert learning.ask_to_stop(running.pk)
        real(self, step)

    monkeypatch.setattr(learning.Progress, "reached", told)
    stopped = learn(hospital)
    assert (stopped.state, stopped.model) == (State.STOPPED, None)
    assert not learning.ask_to_stop(stopped.pk)
    assert ForecastModel.objects.get() == first
    # Asked to stop, it is left alone until the next night; then it is taken up again.
    assert learning.due(now=hospital.now + timedelta(minutes=1)) == []
    monkeypatch.setattr(learning.Progress, "reached", real)
    assert learning.due(now=hospital.now + DAY) == [hospital.site]
    assert learn(hospital).state == State.DONE


def test_one_that_died_is_taken_up_again_at_once() -> None:
    hospital = old_hospital(3)
    made(learn(hospital))
    ForecastTraining.objects.all().delete()
    ForecastTraining.objects.create(
        site=hospital.site, started_at=hospital.now, heard_at=hospital.now, step="learning", steps=9
    )
    assert learning.due(now=hospital.now) == [hospital.site]
    hospital.live(hospital.now + timedelta(hours=1))
    made(learn(hospital))
    states = ForecastTraining.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["stopped", "done"]


def test_a_failure_is_logged_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hospital = old_hospital(3)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(learning, "learn_site", fails)
    assert learn(hospital).state == State.FAILED
    assert f"site {hospital.site.pk} was not learnt" in caplog.text
    assert learning.due(now=hospital.now + timedelta(minutes=30)) == []
    assert learning.due(now=hospital.now + timedelta(minutes=61)) == [hospital.site]


def test_sites_are_due_at_half_past_two_and_at_once_without_a_model() -> None:
    hospital = old_hospital(4)  # it is 2:00
    assert learning.due(now=hospital.now) == [hospital.site]
    made(learn(hospital))
    assert learning.due(now=hospital.now + timedelta(minutes=29)) == []
    assert learning.due(now=hospital.now + timedelta(minutes=30)) == [hospital.site]
    new = Hospital(seed=4)
    assert learning.due(now=hospital.now + timedelta(minutes=30)) == [new.site, hospital.site]
    Site.objects.create(code="EMPTY", name="No wards", organisation=hospital.site.organisation)
    Ward.objects.filter(site=new.site).update(kind=Ward.Kind.CLINIC)
    assert learning.due(now=hospital.now + timedelta(minutes=30)) == [hospital.site]


def test_a_site_with_nothing_new_is_left_alone() -> None:
    hospital = old_hospital(4)
    made(learn(hospital))
    [done] = learning.learn_due(now=lambda: hospital.now + DAY)
    assert (done.state, done.model) == (State.UNCHANGED, None)
    assert ForecastModel.objects.count() == 1
    assert learning.learn_due(now=lambda: hospital.now + DAY) == []


def test_news_of_another_site_is_no_news() -> None:
    hospital, other = old_hospital(4), Hospital(seed=2)
    made(learn(hospital))
    other.live(hospital.now + DAY)
    done = learning.learn_due(now=lambda: hospital.now + DAY)
    assert {row.site: row.state for row in done} == {
        hospital.site: State.UNCHANGED, other.site: State.DONE,
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_processes_do_not_learn_at_once() -> None:
    hospital = old_hospital(2)
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [learning._LOCK])
                held.set()
                released.wait(60)
                # A server lets go of a closed connection's locks when it gets round to it.
                cursor.execute("SELECT pg_advisory_unlock(%s)", [learning._LOCK])
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert held.wait(60)
        assert learning.learn(hospital.site, at=hospital.now, effort=LITTLE) is None
        assert learning.learn_due(now=lambda: hospital.now) == []
        assert not ForecastTraining.objects.exists()
    finally:
        released.set()
        other.join()
    assert learning.learn(hospital.site, at=hospital.now, effort=LITTLE) is not None


# --- What the database refuses --------------------------------------------------------------


def row(site: Site, number: int, **more: object) -> ForecastModel:
    values: dict[str, object] = {
        "site": site, "number": number, "kind": "floor", "verdict": "first", "trained_at": NOW,
        "learnt_from": BEGIN, "learnt_until": NOW, "departures": 1, "seconds": 1, "format": 1,
        "libraries": "x", "blob": b"x", "live_from": NOW,
    }  # fmt: skip
    return ForecastModel(**(values | more))


@pytest.mark.parametrize(
    "more",
    [
        {"number": 2},  # a second one live
        {"number": 1, "live_until": NOW},  # a number twice
        {"number": 2, "live_until": BEGIN},  # silent before it spoke
        {"number": 0, "live_until": NOW},
        {"number": 2, "learnt_from": NOW, "learnt_until": BEGIN, "live_until": NOW},
        {"number": 2, "verdict": "lost", "live_until": NOW},  # lost, and spoke
        {"number": 2, "verdict": "won", "live_from": None},  # won, and did not
    ],
)
def test_what_models_cannot_be(more: dict[str, object]) -> None:
    site = Hospital().site
    row(site, 1).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        row(site, **more).save()  # type: ignore[arg-type]


def test_a_model_that_speaks_is_kept_and_no_model_is_rewritten() -> None:
    site = Hospital().site
    row(site, 1).save()
    rows = ForecastModel.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(blob=None)
    for change in ({"departures": 2}, {"verdict": "won"}, {"live_from": BEGIN}, {"format": 2}):
        with pytest.raises(Exception, match="pgtrigger: Cannot"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(Exception, match="pgtrigger: Cannot"), transaction.atomic():
        rows.delete()
    rows.update(live_until=NOW)
    rows.update(blob=None)


def test_a_site_is_learnt_once_at_a_time() -> None:
    site = Hospital().site
    ForecastTraining.objects.create(site=site, started_at=NOW, heard_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ForecastTraining.objects.create(site=site, started_at=NOW, heard_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ForecastTraining.objects.update(state="done", finished_at=NOW)


# --- What is kept of a model ----------------------------------------------------------------


def test_what_was_learnt_is_read_back_and_nothing_of_another_version() -> None:
    levels = untried(50, days=30)
    blob = packed(levels)
    again = unpacked(Levels, blob, format=FORMAT, libraries=LIBRARIES)
    assert np.array_equal(again.common.weights, levels.common.weights)
    for format, libraries in ((FORMAT + 1, LIBRARIES), (FORMAT, "numpy 1.0")):
        with pytest.raises(Unreadable):
            unpacked(Levels, blob, format=format, libraries=libraries)
    with pytest.raises(Unreadable):
        unpacked(Hospital, blob, format=FORMAT, libraries=LIBRARIES)


def test_little_that_was_seen_leaves_much_open() -> None:
    widths = []
    for departures in (0, 10, 100, 10_000):
        low, high = untried(departures, days=30).common.interval
        widths.append(high / low)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 4
    assert widths[-1] == pytest.approx(np.exp(2 * 1.645 * 0.061), rel=0.06)


def test_stays_are_numbered_as_the_model_knows_them() -> None:
    hospital = old_hospital(2)
    raw = read(hospital.site, since=BEGIN, at=hospital.now)
    keys = [ward.key for ward in raw.wards]
    wards = [0, 999_999, keys[3], keys[1]]
    codes = {"specialty": ("", "999", "430"), "method": ("", "11")}
    found = numbered(raw, wards=wards, codes=codes)
    at = np.full(len(raw), minute_of(hospital.now))
    everyone = np.arange(len(raw))
    assert [ward.key for ward in found.wards] == [*wards, keys[2]]
    before = [raw.wards[n].key for n in raw.code("ward", everyone, at)]
    after = [found.wards[n].key for n in found.code("ward", everyone, at)]
    assert after == before
    specialties = [raw.codes["specialty"][n] for n in raw.code("specialty", everyone, at)]
    known = [codes["specialty"][n] for n in found.code("specialty", everyone, at)]
    assert known == ["430" if one == "430" else "" for one in specialties]
    assert not found.wards[1].counts
    moment = minute_of(hospital.now)
    assert np.array_equal(found.present(moment), raw.present(moment))
