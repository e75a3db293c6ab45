"""The hours ahead that a forecast speaks of. Pure: no Django.

They end on the full hour, so that midnight and eight o'clock are among them whenever it was made:
a forecast made at 10:07 says what holds at 11:00, 12:00 and so on, and its first hour is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR, Minutes, weekday_and_hour
from flow.forecasts.leaving import HOURS

SHOWN_ALWAYS: Final = (0, 8)
"""Local hours that are shown whatever else is: the midnight count, and the morning's report."""


@dataclass(frozen=True)
class Horizon:
    """The next `HOURS` full hours after the minute `at`."""

    at: int

    @cached_property
    def ends(self) -> Minutes:
        """When each hour ends, in minutes; the moments a forecast speaks of."""
        return (self.at // HOUR + 1 + np.arange(HOURS, dtype=np.int64)) * HOUR

    @cached_property
    def begins(self) -> Minutes:
        """When each hour begins; the first begins at `at`."""
        return np.concatenate([[self.at], self.ends[:-1]])

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """How much of each hour lies ahead, from 0 to 1: all of it, but for the first."""
        return np.asarray((self.ends - self.begins) / HOUR)

    @cached_property
    def weekdays(self) -> NDArray[np.int64]:
        """Local weekday of each hour (0 is Monday)."""
        return weekday_and_hour(self.ends - HOUR)[0]

    @cached_property
    def local_hours(self) -> NDArray[np.int64]:
        """Which hour of the local day each one is, 0 to 23."""
        return weekday_and_hour(self.ends - HOUR)[1]

    @cached_property
    def shown_always(self) -> tuple[int, ...]:
        """Places of the moments that are local midnight or eight o'clock."""
        at_end = weekday_and_hour(self.ends)[1]
        return tuple(int(n) for n in np.flatnonzero(np.isin(at_end, SHOWN_ALWAYS)))

    def at_or_after(self, moment: int) -> int:
        """The place of the first moment that is not before this one; HOURS where none is."""
        return int(np.searchsorted(self.ends, moment, side="left"))

    def on_the_hour(self, chances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chances to have left by 1, 2, … hours after `at` (in columns), for the ends of the full
        hours instead: within an hour the hazard is taken to be even."""
        late = (HOUR - self.at % HOUR) / HOUR
        if late == 1:
            return chances
        stays = np.log1p(-np.minimum(chances, 1 - 1e-12))
        before = np.concatenate([np.zeros((stays.shape[0], 1)), stays[:, :-1]], axis=1)
        return np.asarray(-np.expm1(before + late * (stays - before)))
