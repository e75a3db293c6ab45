"""How fast patients leave these days, beside what the model learnt. Pure: no Django.

Between two trainings a hospital may change: a service closes, a ward is short of staff. A *level*
is a factor on hazards, 1 while things are as they were. What it is now follows from how many left
on each recent day beside how many were expected to: a filter over a grid of levels (Kitagawa G,
J Am Stat Assoc 1987;82:1032-1041) in which the level drifts a little from day to day and now and
then jumps. What it leaves open becomes width of the forecast.

One level is common to all patients of a site; beside it each group of patients (a specialty, those
in hospital at a weekend, those likely to leave) has one of its own, which says how far it departs
from the common one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.numbers import Pmf, mixture, poisson_binomial

_GRID: Final = np.linspace(np.log(0.25), np.log(4.0), 221)
_JUMP_FAR: Final = 0.35
"""Standard deviation of a jump of the logarithm; it leads anywhere near."""
_SUREST: Final = float(np.nextafter(1.0, 0.0))
_CLUMPED: Final = 1.15
"""Variance of a day's departures, of what independent patients would have: they leave in clumps,
with a ward round or a transport."""
_POINTS: Final = 9
_WEEKDAY: Final = 0.2
"""By how much the logarithm of a weekday's hazard differs from the others', where that has not been
seen (standard deviation): fewer leave at weekends, more on Fridays."""
_ALL_WEEKDAYS_TWICE: Final = 14

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Ways:
    """How a level may change: `start` and `drift` are standard deviations of its logarithm, when a
    model is new and within a day; `jump` is the chance of a jump on a day."""

    start: float
    drift: float
    jump: float

    def begun(self) -> Weights:
        """Before anything was seen."""
        density = np.exp(-0.5 * (_GRID / self.start) ** 2)
        return np.asarray(density / density.sum())

    def step(self) -> NDArray[np.float64]:
        """From each level to each, overnight."""
        away = _GRID[:, None] - _GRID[None, :]
        drift = np.exp(-0.5 * (away / self.drift) ** 2)
        jump = np.exp(-0.5 * (away / _JUMP_FAR) ** 2)
        found = (1 - self.jump) * drift / drift.sum(0) + self.jump * jump / jump.sum(0)
        return np.asarray(found)


_COMMON: Final = _Ways(start=0.06, drift=0.004, jump=0.003)
_OWN: Final = _Ways(start=0.01, drift=0.003, jump=0.001)
_COMMON_STEP: Final = _COMMON.step()
_OWN_STEP: Final = _OWN.step()


@dataclass(frozen=True, slots=True)
class Level:
    """What is believed of one level: weights over the grid of its logarithm."""

    weights: Weights

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


@dataclass(frozen=True, slots=True)
class Day:
    """One day that is over: the chances of those who were there, whether each left, and the groups
    that each belongs to (patients by kinds of group)."""

    chances: NDArray[np.float64]
    left: NDArray[np.bool_]
    groups: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Levels:
    """The common level, and those of each group by kind of group and number."""

    common: Level = field(default_factory=lambda: Level(_COMMON.begun()))
    own: Mapping[tuple[int, int], Level] = field(default_factory=dict)

    def factors(self, groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """For each patient the expected factor of the groups, without the common level."""
        found = np.ones(groups.shape[0])
        for (kind, number), level in self.own.items():
            found[groups[:, kind] == number] *= level.mean
        return found

    def after(self, day: Day) -> Levels:
        """What is believed once a day is over, and a night has passed."""
        factors = self.factors(day.groups)
        common = _seen(self.common, lifted(day.chances, factors), day.left)
        own = dict(self.own)
        for kind in range(day.groups.shape[1]):
            for number in np.unique(day.groups[:, kind]):
                mine = day.groups[:, kind] == number
                level = own.get((kind, int(number)), Level(_OWN.begun()))
                others = common.mean * factors[mine] / self._mean(kind, int(number))
                chances = lifted(day.chances[mine], others)
                own[kind, int(number)] = _seen(level, chances, day.left[mine])
        return Levels(
            Level(_COMMON_STEP @ common.weights),
            {key: Level(_OWN_STEP @ level.weights) for key, level in own.items()},
        )

    def _mean(self, kind: int, number: int) -> float:
        level = self.own.get((kind, number))
        return 1.0 if level is None else level.mean


def untried(departures: int, *, days: int) -> Levels:
    """Of a model learnt from so many departures of so many days, before any day was seen beside
    what it says.

    A rate counted from n departures is as unsure as a Poisson number: its logarithm has a standard
    deviation of about 1 / sqrt(n). What a model of nobody takes for granted may be wrong by half.
    In less than two weeks no weekday was seen twice, so that none is known from the others.
    """
    start = float(np.hypot(_COMMON.start, 1 / np.sqrt(departures + 4)))
    if days < _ALL_WEEKDAYS_TWICE:
        start = float(np.hypot(start, _WEEKDAY))
    return Levels(Level(replace(_COMMON, start=start).begun()))


def followed(days: Iterable[Day], *, before: Levels | None = None) -> Levels:
    """The levels after these days, the first first."""
    levels = before or Levels()
    for day in days:
        levels = levels.after(day)
    return levels


def _seen(level: Level, chances: NDArray[np.float64], left: NDArray[np.bool_]) -> Level:
    if not chances.size:
        return level
    each = lifted(chances[None, :], np.exp(_GRID)[:, None])
    expected = each.sum(1)
    # Rare departures are counted at least like a Poisson number, so that none at all on a quiet
    # ward is no proof of anything.
    spread = _CLUMPED * (each * (1 - each)).sum(1) + 0.25
    said = -0.5 * (left.sum() - expected) ** 2 / spread - 0.5 * np.log(spread)
    weights = level.weights * np.exp(said - said.max())
    return Level(weights / weights.sum())


def lifted(chances: NDArray[np.float64], level: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances under proportional hazards: `1 - (1 - p) ** level`; never quite 1."""
    return np.asarray(-np.expm1(level * np.log1p(-np.minimum(chances, _SUREST))))


def chances_at(chances: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """Each patient's chance, over all that the level may be."""
    levels, weights = level.points
    return np.asarray(lifted(chances[None, :], levels[:, None]).T @ weights)


def departures(chances: NDArray[np.float64], level: Level) -> Pmf:
    """The distribution of how many leave, over all that the level may be."""
    levels, weights = level.points
    return mixture([poisson_binomial(lifted(chances, one)) for one in levels], list(weights))
