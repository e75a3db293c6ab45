"""What is learnt from a history, from the first days on."""

from __future__ import annotations

import numpy as np
import pytest

from flow.forecasts.backtesting import FORECAST, KAPLAN_MEIER, Replayed, replay, score
from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.features import Question, table
from flow.forecasts.hazards import LEAST, Effort, fit_boosted, fit_floor
from flow.forecasts.history import Log, Stays
from flow.forecasts.hours import fit_hours
from flow.forecasts.leaving import DAYS, HOURS
from flow.forecasts.level import Levels
from flow.forecasts.numbers import central, poisson_binomial
from flow.forecasts.numbers import crps as crps_of
from flow.forecasts.predicting import Voice, leaving
from flow.forecasts.sampling import later, moments, today, told_from
from flow.forecasts.scores import log_score
from flow.forecasts.training import train, trial_days
from tests.forecasts.worlds import START, Hospital

pytestmark = pytest.mark.xdist_group("learning")  # what is learnt once serves all of them
QUICK = Effort(fits=1, moments=40_000, far_moments=20_000)


@pytest.fixture(scope="module")
def year() -> Hospital:
    return Hospital(beds=80, days=240, seed=5)


@pytest.fixture(scope="module")
def history(year: Hospital) -> Stays:
    return year.stays()


@pytest.fixture(scope="module")
def voice(history: Stays) -> Voice:
    until = START + 180 * DAY
    known = history.known_by(until)
    since = told_from(known, until=until)
    hours = fit_hours(known, since=since, until=until)
    boosted = fit_boosted(known, since=since, until=until, effort=QUICK)
    assert boosted is not None
    return Voice(boosted, hours)


def test_the_model_comes_near_the_truth(year: Hospital, history: Stays, voice: Voice) -> None:
    until = START + 180 * DAY
    floor = Voice(
        fit_floor(history.known_by(until), voice.hours, since=START + 7 * DAY, until=until),
        voice.hours,
    )
    said: dict[str, list[np.ndarray]] = {"model": [], "floor": [], "truth": []}
    came = []
    for at in range(until + 8 * HOUR, year.until() - DAY, DAY):
        stays = history.present(at)
        then = np.array([at + DAY])
        said["model"].append(voice.left_by(history, stays, at, then)[:, 0])
        said["floor"].append(floor.left_by(history, stays, at, then)[:, 0])
        said["truth"].append(year.truth(stays, at))
        came.append(history.ended(stays, np.full(stays.size, year.until())) <= at + DAY)
    left = np.concatenate(came)
    model, kaplan, truth = (
        log_score(np.concatenate(said[n]), left) for n in ("model", "floor", "truth")
    )
    assert model < kaplan
    assert (kaplan - model) / (kaplan - truth) > 0.65
    totals = np.array([each.sum() for each in said["model"]])
    true = np.array([each.sum() for each in said["truth"]])
    assert totals.mean() == pytest.approx(true.mean(), rel=0.06)
    assert np.abs(totals - true).mean() < 0.1 * true.mean()


def test_chances_grow_with_time_and_are_never_certain(history: Stays, voice: Voice) -> None:
    at = START + 200 * DAY + 10 * HOUR
    said = leaving(voice, Levels(), history, at)
    assert said.hours.shape == (said.stays.size, HOURS)
    assert said.days.shape == (said.stays.size, DAYS)
    assert (np.diff(said.hours, axis=1) >= 0).all()
    assert (np.diff(said.days, axis=1) >= 0).all()
    assert said.hours[:, 23] == pytest.approx(said.days[:, 0])
    assert said.hours[:, 71] == pytest.approx(said.days[:, 2])
    assert said.days.min() > 0
    assert said.days.max() < 1
    assert said.departures(24).sum() == pytest.approx(1)


@pytest.mark.parametrize("days", [0, 1, 3, 5, 7])
def test_the_first_days_give_wide_honest_forecasts(days: int) -> None:
    """Of many hospitals, whatever the weekday that comes next: none is certain of anything, and
    what comes lies where it was said to."""
    held = []
    for seed in range(25):
        hospital = Hospital(beds=50, days=days + 2, seed=seed)
        history, until = hospital.stays(), START + days * DAY + 8 * HOUR
        known = history.known_by(until)
        trained = train(known, since=told_from(known, until=until), until=until)
        assert trained.voice.model.name == "staged hazard"
        [said] = replay(trained, known, [until], span=DAY)
        chances = said.chances[FORECAST]
        assert chances.size == known.present(until).size
        assert ((chances > LEAST) & (chances < 1 - LEAST)).all()
        low, high = central(said.numbers[FORECAST], 0.9)
        left = history.ended(said.stays, np.full(said.stays.size, hospital.until()))
        held.append(low <= int((left <= until + DAY).sum()) <= high)
    # Of 25, 19 and fewer would be held with a chance below 1 in 30 were it 9 in 10.
    assert sum(held) >= 20


def test_an_empty_site_is_forecast_as_empty() -> None:
    empty = Hospital(beds=1, days=0).stays()
    trained = train(empty, since=START, until=START)
    [said] = replay(trained, empty, [START], span=DAY)
    assert said.numbers[FORECAST] == pytest.approx([1.0])
    assert score([said], empty, known=START + DAY)["patients"] == 0


def test_corrupting_the_future_changes_no_past_forecast() -> None:
    hospital = Hospital(beds=50, days=100, seed=8)
    stays = hospital.stays()
    until = START + 70 * DAY
    asked = [until + n * DAY + 8 * HOUR for n in range(5)]
    corrupt = _corrupted(stays, asked[-1])
    assert not np.array_equal(
        stays.present(asked[-1] + 9 * DAY), corrupt.present(asked[-1] + 9 * DAY)
    )
    for one, other in zip(
        _replayed(stays, until, asked), _replayed(corrupt, until, asked), strict=True
    ):
        assert np.array_equal(one.stays, other.stays)
        for speaker in one.chances:
            assert np.array_equal(one.chances[speaker], other.chances[speaker]), speaker
        for speaker in one.numbers:
            assert np.array_equal(one.numbers[speaker], other.numbers[speaker]), speaker
        assert one.level == other.level


def _replayed(stays: Stays, until: int, asked: list[int]) -> list[Replayed]:
    since = told_from(stays.known_by(until), until=until)
    return list(
        replay(train(stays, since=since, until=until, effort=QUICK), stays, asked, span=DAY)
    )


def _corrupted(stays: Stays, after: int) -> Stays:
    """Whatever was learnt later is turned into nonsense, and there is more of it."""
    rng = np.random.default_rng(99)
    logs = {}
    for name, log in stays.logs.items():
        kept = log.known_by(after)
        number = 400
        who = rng.integers(0, len(stays), number)
        when = after + rng.integers(1, 20 * DAY, number)
        value = (
            rng.integers(START, after + 30 * DAY, number) if name in ("admitted", "ended") else 1
        )
        past_stays, past_when, past_values = kept.entries()
        logs[name] = Log(
            np.concatenate([past_stays, who]),
            np.concatenate([past_when, when]),
            np.concatenate([past_values, np.broadcast_to(value, number)]),
        )
    return Stays(stays.keys, stays.sexes, stays.ages, stays.codes, stays.wards, logs)


def test_a_replay_follows_a_shift_that_its_baselines_miss() -> None:
    hospital = Hospital(beds=90, days=210, seed=6, shift=150, slow=0.65)
    history = hospital.stays()
    until = START + 150 * DAY
    known = history.known_by(until)
    trained = train(known, since=told_from(known, until=until), until=until, effort=QUICK)
    assert trained.trial is not None
    assert trained.voice.model.name == "boosted hazard"
    asked = [until + n * DAY + 8 * HOUR for n in range(59)]
    found = score(list(replay(trained, history, asked, span=DAY)), history, known=hospital.until())
    speakers = found["speakers"]
    assert found["forecasts"] == 59
    assert speakers[FORECAST]["log_score"] < speakers[KAPLAN_MEIER]["log_score"]
    crps = {name: speaker["crps"] for name, speaker in speakers.items()}
    assert min(crps, key=lambda name: crps[name]) == FORECAST, crps
    assert crps[FORECAST] < 1.25 * _best_possible(hospital, asked)
    assert 0.8 < speakers[FORECAST]["coverage"]["0.9"] < 0.99
    assert sum(one["patients"] for one in speakers[FORECAST]["reliability"]) == found["patients"]


def _best_possible(hospital: Hospital, asked: list[int]) -> float:
    """The mean CRPS of who knows every chance, the shift included."""
    history = hospital.stays()
    found = []
    for at in asked:
        stays = history.present(at)
        left = history.ended(stays, np.full(stays.size, hospital.until())) <= at + DAY
        found.append(crps_of(poisson_binomial(hospital.truth(stays, at)), int(left.sum())))
    return float(np.mean(found))


def test_records_that_begin_with_those_present_are_learnt_from_later_on() -> None:
    hospital = Hospital(beds=60, days=60, seed=2)
    begun = START + 30 * DAY
    stays = hospital.stays()
    everyone = np.arange(len(stays))
    there = stays.ended(everyone, np.full(len(stays), hospital.until())) >= begun
    logs = {name: _only(log, set(everyone[there])) for name, log in stays.logs.items()}
    told = Stays(stays.keys, stays.sexes, stays.ages, stays.codes, stays.wards, logs)
    assert begun <= told_from(told, until=hospital.until()) < begun + DAY


def _only(log: Log, kept: set[int]) -> Log:
    rows = [row for row in zip(*log.entries(), strict=True) if row[0] in kept]
    return Log(*zip(*rows, strict=True))


def test_features_are_read_at_the_moment_and_the_clock_at_the_day(history: Stays) -> None:
    at = START + 20 * DAY + 8 * HOUR
    stays = history.present(at)[:1]
    now = np.array([at])
    tomorrow = Question(stays, now, now - 8 * HOUR + DAY)
    row = table(history, tomorrow)[0]
    assert row[3:6] == pytest.approx([(20 + 1) % 7, 0, 16])  # weekday, hour, lead
    assert tomorrow.ends[0] == at - 8 * HOUR + 2 * DAY


@pytest.mark.parametrize(
    ("history", "tried_on"), [(0, 0), (13, 0), (14, 3), (20, 5), (27, 6), (28, 14), (700, 14)]
)
def test_a_short_history_keeps_fewer_days_back(history: int, tried_on: int) -> None:
    assert trial_days(history) == tried_on


def test_a_day_that_goes_on_still_teaches_nothing(history: Stays) -> None:
    """Of it those alone are known who have left already: they would say that everybody leaves."""
    rng = np.random.default_rng(1)
    until = START + 30 * DAY + 15 * HOUR
    known = history.known_by(until)
    stays, at = moments(known, since=START + 7 * DAY, until=until, most=100_000, rng=rng)
    assert at.max() > until - 12 * HOUR
    for sample in (
        today(known, stays, at, until=until), later(known, stays, at, until=until, rng=rng),
    ):  # fmt: skip
        assert sample.question.ends.max() <= until
    early, late = (
        fit_hours(known.known_by(minute), since=START + 7 * DAY, until=minute).any_day
        for minute in (until - 15 * HOUR, until)
    )
    assert np.array_equal(early, late)
