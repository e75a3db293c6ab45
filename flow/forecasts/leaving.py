"""Who of those in hospital has left by when. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import Floats, Indices
from flow.forecasts.level import Level, lifted
from flow.forecasts.numbers import Pmf, mixture, poisson_binomial

HOURS: Final = 72
DAYS: Final = 14


@dataclass(frozen=True)
class Leaving:
    """The patients in hospital at the minute `at`, with their chances to have left the site.

    hours: patients by `HOURS`, by the end of each hour ahead; days: patients by `DAYS`, by the end
    of each span of 24 hours ahead. Both as the model says them, which means at level 1; `level` is
    what is believed of the level now.
    """

    at: int
    stays: Indices
    hours: Floats
    days: Floats
    level: Level

    def expected_hours(self) -> Floats:
        """`hours` over all that the level may be."""
        return _over(self.hours, self.level)

    def expected_days(self) -> Floats:
        """`days` over all that the level may be."""
        return _over(self.days, self.level)

    def departures(self, hours: int, *, of: NDArray[np.bool_] | None = None) -> Pmf:
        """How many have left by so many hours ahead (1 to 72), of those picked out by `of`."""
        chances = self.hours[:, hours - 1]
        chances = chances if of is None else chances[of]
        levels, weights = self.level.points
        return mixture([poisson_binomial(lifted(chances, one)) for one in levels], list(weights))


def _over(chances: Floats, level: Level) -> Floats:
    levels, weights = level.points
    found = sum(weight * lifted(chances, one) for one, weight in zip(levels, weights, strict=True))
    return np.asarray(found, dtype=np.float64)
