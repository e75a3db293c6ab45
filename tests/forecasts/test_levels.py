"""How fast patients leave these days."""

from __future__ import annotations

import numpy as np
import pytest

from flow.forecasts.level import Day, Levels, chances_at, departures, followed, lifted
from flow.forecasts.numbers import mean


def _days(
    rng: np.random.Generator, levels: list[float], *, own: dict[int, float] | None = None
) -> list[Day]:
    days = []
    for level in levels:
        chances = rng.uniform(0.05, 0.4, 300)
        group = rng.integers(0, 3, 300)
        factor = np.array([(own or {}).get(int(g), 1.0) for g in group])
        left = rng.random(300) < lifted(chances, level * factor)
        days.append(Day(chances, left, group[:, None]))
    return days


def test_a_shift_is_followed_within_weeks() -> None:
    rng = np.random.default_rng(1)
    levels = followed(_days(rng, [1.0] * 30 + [0.67] * 35))
    assert levels.common.mean == pytest.approx(0.67, abs=0.05)
    low, high = levels.common.interval
    assert low < 0.67 < high


def test_where_nothing_changes_the_level_stays() -> None:
    rng = np.random.default_rng(2)
    levels = followed(_days(rng, [1.0] * 60))
    assert levels.common.mean == pytest.approx(1.0, abs=0.05)
    assert all(level.mean == pytest.approx(1.0, abs=0.1) for level in levels.own.values())


def test_one_group_that_slows_down_is_told_apart() -> None:
    rng = np.random.default_rng(3)
    levels = followed(_days(rng, [1.0] * 60, own={2: 0.5}))
    factors = levels.common.mean * levels.factors(np.array([[0], [1], [2]]))
    assert factors == pytest.approx([1.0, 1.0, 0.5], abs=0.12)


def test_what_is_open_of_the_level_widens_the_forecast() -> None:
    chances = np.full(200, 0.2)
    fresh = departures(chances, Levels().common)
    settled = departures(chances, followed(_days(np.random.default_rng(4), [1.0] * 60)).common)
    numbers = np.arange(201)

    def deviation(pmf: np.ndarray) -> float:
        return float(np.sqrt(pmf @ (numbers - mean(pmf)) ** 2))

    assert deviation(fresh) > deviation(settled) > np.sqrt(200 * 0.2 * 0.8)
    assert fresh.sum() == pytest.approx(1)
    assert mean(fresh) == pytest.approx(chances_at(chances, Levels().common).sum())


def test_a_day_without_patients_says_nothing_of_the_level() -> None:
    empty = Day(np.zeros(0), np.zeros(0, dtype=bool), np.zeros((0, 1), dtype=np.int64))
    assert followed([empty]).common.mean == pytest.approx(1.0, abs=0.02)


def test_lifted_chances_are_powers_of_staying() -> None:
    assert lifted(np.array([0.0, 0.19]), 0.5) == pytest.approx([0.0, 0.1])
    assert lifted(np.array([0.3]), 1.0) == pytest.approx([0.3])


def test_nobody_leaves_for_certain() -> None:
    sure = lifted(np.array([0.0, 0.5, 1.0]), 1.0)
    assert sure.tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert sure[2] < 1
    assert lifted(np.array([1.0]), 0.25)[0] < 1
