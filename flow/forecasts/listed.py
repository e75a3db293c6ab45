"""Patients who are expected by name: will they come, and how far from the planned time?

Pure: no Django. Electives as listed, patients sent in by their doctor, and transfers that were
accepted. From what became of earlier ones follow the chance to come, by how long before the planned
time somebody is still expected; how much earlier or later they come; and what share of those who
come some way had been announced so and so long before, so that the others are not forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.history import NOT_YET, Floats, Indices
from flow.forecasts.horizon import Horizon
from flow.forecasts.paths import Admissions, Way
from flow.forecasts.rates import bin_of

LEARNT_DAYS: Final = 120
_LEADS: Final = (0.0, 6, 12, 24, 48)
"""Hours before the planned time at which the bands begin."""
_USUAL: Final = 0.92
_PSEUDO: Final = 15.0
"""The chance to come where nothing has been seen, and how many patients that counts for."""
_EARLIEST, _LATEST = -12, 24
"""Hours from the planned time between which people come."""
_PUNCTUAL: Final = {-2: 0.05, -1: 0.15, 0: 0.4, 1: 0.2, 2: 0.1, 3: 0.05, 4: 0.05}
"""When they do where nothing has been seen."""
_FORGOTTEN: Final = DAY
"""An expected patient of whom nothing more was heard by then did not come."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Patients expected by name, side by side, as known at some moment.

    keys: of the episode. way: a `Way`. listed: when they were put on the list. planned: for when,
    as last said. came, dropped: when they came, and when that was called off; NOT_YET for what has
    not happened. ward: the primary key of the one that was named, 0 for none. specialty: its code.
    sexes: as in `Stays`.
    """

    keys: Indices
    way: Indices
    listed: Minutes
    planned: Minutes
    came: Minutes
    dropped: Minutes
    ward: Indices
    specialty: NDArray[np.str_]
    sexes: Indices

    def only(self, which: NDArray[np.bool_]) -> Listed:
        """A part of them."""
        return Listed(*(getattr(self, name)[which] for name in self.__slots__))

    def expected(self, at: int) -> Listed:
        """Those who are still to come at the moment."""
        waiting = (self.came == NOT_YET) & (self.dropped == NOT_YET)
        return self.only(waiting & (self.planned > at - _FORGOTTEN) & (self.listed <= at))


def nobody() -> Listed:
    """Where nobody is ever listed."""
    none = np.zeros(0, dtype=np.int64)
    return Listed(none, none, none, none, none, none, none, np.zeros(0, dtype=str), none)


@dataclass(frozen=True)
class Punctuality:
    """comes: the chance to come, by way in and band of hours before the planned time. late: the
    chance of each hour from `_EARLIEST` to `_LATEST` around that time, of those who come, by way
    in. announced: the share of those who come some way who had been announced at least 0, 1, 2, …
    hours before."""

    comes: Floats
    late: Floats
    announced: Floats

    def coming(self, who: Listed, ahead: Horizon) -> Floats:
        """The chance of each patient to come in each hour ahead (in columns)."""
        lead = (who.planned - ahead.at) / HOUR
        ever = self.comes[who.way, bin_of(np.maximum(lead, 0.0), _LEADS)]
        reached = np.cumsum(self.late, axis=1)
        by_now = _at(reached, who.way, -lead)
        each = np.diff(
            _at(reached, who.way[:, None], (ahead.ends - who.planned[:, None]) / HOUR),
            axis=1, prepend=by_now[:, None],
        )  # fmt: skip
        # Who is not there yet may be late, or not come at all.
        there_or_not = np.maximum(1 - ever * by_now, 1e-9)
        return np.asarray(each * (ever / there_or_not)[:, None])

    def unannounced(self, way: Way, ahead: Horizon) -> Floats:
        """The share of those who come some way in each hour ahead of whom nothing is known now."""
        lead = ((ahead.begins + ahead.ends) / 2 - ahead.at) / HOUR
        known = np.interp(lead, np.arange(self.announced.shape[1]), self.announced[way])
        return np.asarray(1 - known)


def _at(reached: Floats, way: Indices, late: Floats) -> Floats:
    """The chance to have come by so many hours after the planned time, evenly within an hour."""
    place = np.clip(late - _EARLIEST, 0, reached.shape[1])
    whole = np.minimum(place.astype(np.int64), reached.shape[1] - 1)
    before = np.where(whole > 0, reached[way, np.maximum(whole - 1, 0)], 0.0)
    return np.asarray(before + (reached[way, whole] - before) * (place - whole))


def learn(seen: Listed, admissions: Admissions, *, since: int, at: int) -> Punctuality:
    """What became of those listed and of those who came in `[since, at)`, as known at `at`."""
    since = max(since, at - LEARNT_DAYS * DAY)
    comes = np.full((len(Way), len(_LEADS)), _USUAL)
    late = np.zeros((len(Way), _LATEST - _EARLIEST))
    announced = np.zeros((len(Way), 24 * 4))
    over = (seen.planned >= since) & (seen.planned <= at - _FORGOTTEN)
    for way in Way:
        mine = seen.only(over & (seen.way == way))
        came = mine.came < NOT_YET
        until = np.where(came, mine.planned, np.minimum(mine.dropped, mine.planned))
        for band, hours in enumerate(_LEADS):
            moment = mine.planned - int(hours * HOUR)
            on_list = (mine.listed <= moment) & (until >= moment)
            comes[way, band] = (came[on_list].sum() + _PSEUDO * _USUAL) / (on_list.sum() + _PSEUDO)
        hour = (mine.came[came] - mine.planned[came]) // HOUR - _EARLIEST
        late[way] = np.bincount(np.clip(hour, 0, late.shape[1] - 1), minlength=late.shape[1])
        for usual, share in _PUNCTUAL.items():
            late[way, usual - _EARLIEST] += share * _PSEUDO
        announced[way] = _announced(seen, admissions, way, since, announced.shape[1])
    return Punctuality(comes, late / late.sum(1, keepdims=True), announced)


def _announced(seen: Listed, admissions: Admissions, way: Way, since: int, hours: int) -> Floats:
    """The share of those who came who had been listed at least so many hours before."""
    came = seen.only((seen.way == way) & (seen.came < NOT_YET) & (seen.came >= since))
    ahead = np.clip((came.came - came.listed) // HOUR, -1, hours - 1) + 1
    by_lead = np.bincount(ahead, minlength=hours + 1)[1:]
    at_least = np.cumsum(by_lead[::-1])[::-1]
    everybody = ((admissions.way == way) & (admissions.at >= since)).sum()
    return np.asarray(np.minimum(at_least / max(int(everybody), came.keys.size, 1), 1.0))
