"""How many come: the truth is found, intervals hold what they say, and little is told as little."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nbinom

from flow.forecasts.arrivals import Stream, learn
from flow.forecasts.clock import DAY, HOUR, minute_of, weekday_and_hour
from flow.forecasts.horizon import Horizon
from flow.forecasts.rates import counted, hourly_pieces, rates
from tests.forecasts.hospital import START

Shape = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


def daily(_: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(1 + 0.6 * np.sin((hour - 9) / 24 * 2 * np.pi))


def weekly(weekday: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(daily(weekday, hour) * np.where(weekday >= 5, 0.7, 1.12))


def arrivals(
    days: int,
    *,
    seed: int,
    a_day: float = 100.0,
    shape: Shape = daily,
    shift: tuple[int, float] = (10**6, 1.0),
    own: float = 0.0,
    growth: float = 0.0,
) -> NDArray[np.int64]:
    """The minutes of arrivals of so many days from `START` on."""
    rng = np.random.default_rng(seed)
    hours = START + np.arange(days * 24) * HOUR
    day = np.arange(days * 24) // 24
    rate = a_day / 24 * shape(*weekday_and_hour(hours)) * np.where(day >= shift[0], shift[1], 1.0)
    rate = rate * np.exp(growth * day)
    if own:
        rate = rate * rng.gamma(1 / own, own, size=days)[day]
    number = rng.poisson(rate)
    return np.sort(np.repeat(hours, number) + rng.integers(0, HOUR, number.sum()))


def of_hours(stream: Stream, ahead: Horizon, hours: int) -> tuple[float, float]:
    """Mean and variance of the number that comes in the next hours, as the forecast takes it."""
    expected = stream.expected(ahead)[:hours]
    days = [expected[n : n + 24].sum() for n in range(0, hours, 24)]
    mean = float(expected.sum())
    unsure = mean**2 * float(stream.unsure(ahead)[:hours].mean())
    return mean, mean + unsure + stream.own * sum(day**2 for day in days)


def coverage(history: int, world: dict[str, Any]) -> tuple[float, float]:
    """The share of 90 % intervals that held the number of the next 24 and 72 hours, and the mean
    miss in standard deviations."""
    held, misses = [], []
    for seed in range(120):
        times = arrivals(history + 3, seed=seed, **world)
        at = START + history * DAY
        stream = learn(times, since=START, at=at, usual=90.0)
        for hours in (24, 72):
            mean, variance = of_hours(stream, Horizon(at), hours)
            seen = int(((times >= at) & (times < at + hours * HOUR)).sum())
            shape = mean**2 / (variance - mean)
            low, high = nbinom.ppf([0.05, 0.95], shape, shape / (shape + mean))
            held.append(low <= seen <= high)
            misses.append((seen - mean) / np.sqrt(variance))
    return float(np.mean(held)), float(np.mean(misses))


@pytest.mark.parametrize(
    ("history", "world", "least"),
    [
        (60, {}, 0.88),
        (60, {"shape": weekly}, 0.86),
        (90, {"own": 0.02}, 0.84),
        (90, {"shift": (70, 1.3)}, 0.86),
        (90, {"shift": (80, 0.6)}, 0.86),
        (90, {"growth": 0.002}, 0.84),
        (60, {"a_day": 3.0}, 0.86),
        (3, {}, 0.86),
    ],
)
def test_intervals_hold_what_they_say(history: int, world: dict[str, object], least: float) -> None:
    held, miss = coverage(history, world)
    assert least < held
    assert abs(miss) < 0.45


def test_days_of_the_week_that_were_never_seen_are_unsure() -> None:
    """From Monday to Wednesday nothing tells of a quiet Saturday."""
    held, miss = coverage(3, {"shape": weekly})
    assert held > 0.6
    assert 0 > miss > -1.5


def test_the_week_is_found() -> None:
    at = START + 182 * DAY
    stream = learn(arrivals(182, seed=1, shape=weekly), since=START, at=at, usual=10.0)
    weekday, hour = np.meshgrid(np.arange(7), np.arange(24), indexing="ij")
    true = 100 / 24 * weekly(weekday, hour)
    assert stream.level * stream.profile == pytest.approx(true, rel=0.35, abs=0.3)
    assert (stream.level * stream.profile).sum(1) == pytest.approx(true.sum(1), rel=0.06)


def test_a_shift_is_followed_within_two_weeks() -> None:
    times = arrivals(120, seed=2, shift=(90, 1.4))
    levels = [
        float(learn(times, since=START, at=START + day * DAY, usual=90).expected(
            Horizon(START + day * DAY))[:24].sum())
        for day in (89, 92, 96, 104)
    ]  # fmt: skip
    assert levels[0] == pytest.approx(100, rel=0.08)
    assert levels[-1] == pytest.approx(140, rel=0.08)
    assert levels == sorted(levels)


def test_no_history_is_wide_and_no_error() -> None:
    at = START + 5 * DAY
    stream = learn(np.zeros(0, dtype=np.int64), since=at, at=at, usual=90.0)
    mean, variance = of_hours(stream, Horizon(at), 24)
    assert mean == pytest.approx(90, rel=0.01)
    assert np.sqrt(variance) > 0.5 * mean
    nobody = learn(np.zeros(0, dtype=np.int64), since=START, at=at, usual=0.0)
    assert 0 < nobody.expected(Horizon(at)).sum() < 1


def test_more_history_is_narrower() -> None:
    def deviation(days: int) -> float:
        at = START + days * DAY
        stream = learn(arrivals(days, seed=4), since=START, at=at, usual=90.0)
        mean, variance = of_hours(stream, Horizon(at), 24)
        return float(np.sqrt(variance) / mean)

    found = [deviation(days) for days in (0, 1, 3, 14, 60)]
    assert found == sorted(found, reverse=True)


def test_what_comes_later_changes_nothing() -> None:
    at = START + 40 * DAY + 617
    times = arrivals(60, seed=5)
    later = np.concatenate([times[times < at], np.full(5000, at + 3)])
    one = learn(times, since=START, at=at, usual=90.0)
    other = learn(later, since=START, at=at, usual=90.0)
    assert one.profile.tobytes() == other.profile.tobytes()
    assert (one.level, one.level_variance, one.trend, one.own) == (
        other.level, other.level_variance, other.trend, other.own,
    )  # fmt: skip


def test_hours_are_cut_at_the_clock() -> None:
    which, begin, length = hourly_pieces(np.array([90, 130, 200]), np.array([130, 130, 321]))
    assert which.tolist() == [0, 0, 2, 2, 2]
    assert begin.tolist() == [90, 120, 200, 240, 300]
    assert length.tolist() == pytest.approx([30 / 60, 10 / 60, 40 / 60, 1, 21 / 60])


def test_rates_find_factors_and_are_drawn_together() -> None:
    rng = np.random.default_rng(6)
    true = 0.2 * np.outer([0.5, 1.0, 2.0], [1.5, 0.7, 1.0, 0.9])
    hours = rng.uniform(200, 4000, true.shape)
    events = rng.poisson(true * hours).astype(np.float64)
    assert rates(events, hours, usual=0.1) == pytest.approx(true, rel=0.15)
    nothing = np.zeros(true.shape)
    assert rates(nothing, nothing, usual=0.1) == pytest.approx(np.full(true.shape, 0.1))
    few = rates(nothing, nothing + 1.0, usual=0.1, own=25)
    assert (few > 0).all()
    assert (few < 0.1).all()


def test_tables_add_up() -> None:
    keys = (np.array([0, 1, 1]), np.array([2, 0, 0]))
    assert counted((2, 3), keys, np.array([1.0, 2.0, 0.5])).tolist() == [[0, 0, 1], [2.5, 0, 0]]


@pytest.mark.parametrize("day", ["2026-03-28T10:00+00:00", "2026-10-24T10:20+01:00"])
def test_three_days_over_a_change_of_the_clocks(day: str) -> None:
    """Every hour ahead lasts an hour, and is counted as the local one that it is."""
    ahead = Horizon(minute_of(datetime.fromisoformat(day)))
    assert (np.diff(ahead.ends) == HOUR).all()
    assert ahead.lengths[1:].tolist() == [1.0] * 71
    always = [int(weekday_and_hour(ahead.ends[[n]])[1][0]) for n in ahead.shown_always]
    assert sorted(set(always)) == [0, 8]
    assert len(always) == 6
