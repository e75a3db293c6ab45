"""How fast patients leave these days, beside what the model learnt. Pure: no Django.

Between two trainings a hospital may change: a service closes, a ward is short of staff. The *level*
is a factor on all hazards, 1 while things are as they were. What it is now follows from how many
left on each recent day beside how many were expected to: a filter over a grid of levels (Kitagawa
G, J Am Stat Assoc 1987;82:1032-1041) in which the level drifts a little from day to day and now and
then jumps. What it leaves open becomes width of the forecast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.numbers import Pmf, mixture, poisson_binomial

_GRID: Final = np.linspace(np.log(0.25), np.log(4.0), 111)
_DRIFT: Final = 0.012
"""Standard deviation of a day's drift of the logarithm."""
_JUMP: Final = 0.01
"""The chance of a jump on a day; a jump leads anywhere near."""
_JUMP_FAR: Final = 0.35
_START: Final = 0.08
"""What is left open of the level when a model is new."""
_CLUMPED: Final = 1.15
"""Variance of a day's departures, of what independent patients would have: they leave in clumps,
with a ward round or a transport."""
_POINTS: Final = 9


@dataclass(frozen=True, slots=True)
class Day:
    """One day that is over: the chances of those who were there, and how many of them left."""

    chances: NDArray[np.float64]
    left: int


@dataclass(frozen=True, slots=True)
class Level:
    """What is believed of the level: weights over the grid of its logarithm."""

    weights: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The expected factor."""
        return float(self.weights @ np.exp(_GRID))

    @property
    def interval(self) -> tuple[float, float]:
        """In which it lies with nine chances in ten."""
        reached = np.cumsum(self.weights)
        low, high = np.searchsorted(reached, (0.05, 0.95))
        return float(np.exp(_GRID[low])), float(np.exp(_GRID[min(high, _GRID.size - 1)]))

    @property
    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A few levels that stand for all, with their weights: the means of equal parts."""
        reached = np.cumsum(self.weights) - self.weights / 2
        part = np.minimum((reached * _POINTS).astype(int), _POINTS - 1)
        weight = np.bincount(part, self.weights, _POINTS)
        total = np.bincount(part, self.weights * _GRID, _POINTS)
        there = weight > 0
        return np.exp(total[there] / weight[there]), weight[there] / weight.sum()


def unknown() -> Level:
    """Before anything was seen."""
    return Level(_normal(_GRID, _START))


def _normal(distance: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    density = np.exp(-0.5 * (distance / deviation) ** 2)
    return np.asarray(density / density.sum())


def _step() -> NDArray[np.float64]:
    away = _GRID[:, None] - _GRID[None, :]
    drift = np.exp(-0.5 * (away / _DRIFT) ** 2)
    jump = np.exp(-0.5 * (away / _JUMP_FAR) ** 2)
    found = (1 - _JUMP) * drift / drift.sum(0) + _JUMP * jump / jump.sum(0)
    return np.asarray(found)


_STEP: Final = _step()


def lifted(chances: NDArray[np.float64], level: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances under proportional hazards: `1 - (1 - p) ** level`."""
    return np.asarray(-np.expm1(level * np.log1p(-chances)))


def followed(days: Iterable[Day], *, before: Level | None = None) -> Level:
    """The level after these days, the first first; and what may have changed overnight since."""
    weights = (before or unknown()).weights
    for day in days:
        weights = _STEP @ weights
        if day.chances.size:
            each = lifted(day.chances[None, :], np.exp(_GRID)[:, None])
            expected = each.sum(1)
            # Rare departures are counted at least like a Poisson number, so that none at all on a
            # quiet ward is no proof of anything.
            spread = _CLUMPED * (each * (1 - each)).sum(1) + 0.25
            said = -0.5 * (day.left - expected) ** 2 / spread - 0.5 * np.log(spread)
            weights = weights * np.exp(said - said.max())
            weights = weights / weights.sum()
    return Level(_STEP @ weights)


def chances_at(chances: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """Each patient's chance, over all that the level may be."""
    levels, weights = level.points
    return np.asarray(lifted(chances[None, :], levels[:, None]).T @ weights)


def departures(chances: NDArray[np.float64], level: Level) -> Pmf:
    """The distribution of how many leave, over all that the level may be."""
    levels, weights = level.points
    return mixture([poisson_binomial(lifted(chances, one)) for one in levels], list(weights))
