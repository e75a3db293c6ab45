"""What is known of stays, so laid out that a moment of the past can be asked for. Pure: no Django.

Everything that changes during a stay is a log: what was said, of which stay, and when we *learnt*
it. A question about a moment reads the last entry learnt by then, so that nothing learnt later can
reach an answer about the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import Minutes

NOT_YET: Final = np.iinfo(np.int64).max // 4
"""The time of what has not happened, as far as is known."""
_SPAN: Final = np.int64(1) << 32
"""More minutes than any history has."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """Of a stay something was learnt: `value` holds from then on, until something else does."""

    stay: int
    learnt: int
    value: float


class Log:
    """Entries in the order in which they were learnt, stay by stay."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        rows = sorted((e.stay, e.learnt, n, e.value) for n, e in enumerate(entries))
        self._keys: Indices = np.array(
            [stay * _SPAN + learnt for stay, learnt, _n, _v in rows], dtype=np.int64
        )
        self._values: Floats = np.array([value for *_rest, value in rows], dtype=np.float64)
        self._starts: Indices = np.array([row[0] for row in rows], dtype=np.int64)

    def last(self, stays: Indices, at: Minutes, *, default: float = np.nan) -> Floats:
        """For each stay the value learnt last by its moment; `default` where there is none."""
        if not self._keys.size:
            return np.full(stays.shape, default)
        place = np.searchsorted(self._keys, stays * _SPAN + at, side="right") - 1
        found = np.maximum(place, 0)
        mine = (place >= 0) & (self._starts[found] == stays)
        return np.where(mine, self._values[found], default)

    def count(self, stays: Indices, at: Minutes) -> Floats:
        """How many entries each stay has by its moment."""
        if not self._keys.size:
            return np.zeros(stays.shape)
        upto = np.searchsorted(self._keys, stays * _SPAN + at, side="right")
        before = np.searchsorted(self._starts, stays, side="left")
        return (upto - before).astype(np.float64)

    def since(self, stays: Indices, at: Minutes) -> Floats:
        """When the last entry by its moment was learnt, in minutes; NaN where there is none."""
        if not self._keys.size:
            return np.full(stays.shape, np.nan)
        place = np.searchsorted(self._keys, stays * _SPAN + at, side="right") - 1
        found = np.maximum(place, 0)
        mine = (place >= 0) & (self._starts[found] == stays)
        return np.where(mine, (self._keys[found] % _SPAN).astype(np.float64), np.nan)

    def known_by(self, at: int) -> Log:
        """The log as it was at a moment."""
        kept = Log()
        mask = self._keys % _SPAN <= at
        kept._keys, kept._values = self._keys[mask], self._values[mask]
        kept._starts = self._starts[mask]
        return kept


@dataclass(frozen=True)
class Stays:
    """Stays side by side. Of each: `names` (its number outside), `sites`, and, by code,
    `specialties`, `methods`, `sexes` (0 female, 1 male, 2 anything else) and `ages` (NaN unknown).

    admitted: when it began; ended: when it ended, NOT_YET while it goes on. ended_learnt: when we
    learnt that; begun_learnt: when we learnt of the stay at all. `codes` names the numbers.
    """

    names: tuple[str, ...]
    sites: Indices
    specialties: Indices
    methods: Indices
    sexes: Indices
    ages: Floats
    admitted: Minutes
    begun_learnt: Minutes
    ended: Minutes
    ended_learnt: Minutes
    codes: Mapping[str, Sequence[str]]
    logs: Mapping[str, Log]

    def __len__(self) -> int:
        return len(self.names)

    def log(self, name: str) -> Log:
        """What was learnt under this name; an empty log where nothing ever was."""
        return self.logs.get(name, _NOTHING)

    def known_by(self, at: int) -> Stays:
        """The same as far as it was known at a moment; who was not known of yet is left out of
        `present` and `admitted` alike."""
        ended = np.where(self.ended_learnt <= at, self.ended, NOT_YET)
        learnt = np.where(self.ended_learnt <= at, self.ended_learnt, NOT_YET)
        begun = np.where(self.begun_learnt <= at, self.begun_learnt, NOT_YET)
        logs = {name: log.known_by(at) for name, log in self.logs.items()}
        return replace(self, ended=ended, ended_learnt=learnt, begun_learnt=begun, logs=logs)

    def present(self, at: int) -> Indices:
        """The stays that were known, at the moment, to be in hospital then."""
        begun = (self.admitted <= at) & (self.begun_learnt <= at)
        gone = (self.ended <= at) & (self.ended_learnt <= at)
        return np.flatnonzero(begun & ~gone)


_NOTHING: Final = Log()
