"""What is known of stays, so laid out that a moment of the past can be asked for. Pure: no Django.

Everything that changes during a stay is a log: what was said, of which stay, and when we *learnt*
it. A question about a moment reads the last entry learnt by then, so that nothing learnt later can
reach an answer about the past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flow.forecasts.clock import Minutes

NOT_YET: Final = 1 << 50
"""The time of what has not happened, as far as is known."""
_SPAN: Final = np.int64(1) << 32
"""More minutes than any history has."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Log:
    """What was learnt of stays, in the order in which it was: of which stay, when (minutes), and
    the value that holds from then on, until something else does."""

    def __init__(
        self, stays: ArrayLike = (), learnt: ArrayLike = (), values: ArrayLike = ()
    ) -> None:
        who = np.asarray(stays, dtype=np.int64)
        when = np.asarray(learnt, dtype=np.int64)
        order = np.lexsort((when, who))  # stable: of one minute, what was given last counts
        self._starts: Indices = who[order]
        self._keys: Indices = self._starts * _SPAN + when[order]
        self._values: Floats = np.asarray(values, dtype=np.float64)[order]

    def last(self, stays: Indices, at: Minutes, *, default: float = np.nan) -> Floats:
        """For each stay the value learnt last by its moment; `default` where there is none."""
        if not self._keys.size:
            return np.full(stays.shape, default)
        place = np.searchsorted(self._keys, stays * _SPAN + at, side="right") - 1
        found = np.maximum(place, 0)
        mine = (place >= 0) & (self._starts[found] == stays)
        return np.where(mine, self._values[found], default)

    def entries(self) -> tuple[Indices, Minutes, Floats]:
        """Of which stay, learnt when, and the value: by stay, and of each in order of time."""
        return self._starts, self._keys - self._starts * _SPAN, self._values

    def count(self, stays: Indices, at: Minutes) -> Floats:
        """How many entries each stay has by its moment."""
        if not self._keys.size:
            return np.zeros(stays.shape)
        upto = np.searchsorted(self._keys, stays * _SPAN + at, side="right")
        before = np.searchsorted(self._starts, stays, side="left")
        return np.asarray((upto - before).astype(np.float64))

    def since(self, stays: Indices, at: Minutes) -> Floats:
        """When the last entry by its moment was learnt, in minutes; NaN where there is none."""
        if not self._keys.size:
            return np.full(stays.shape, np.nan)
        place = np.searchsorted(self._keys, stays * _SPAN + at, side="right") - 1
        found = np.maximum(place, 0)
        mine = (place >= 0) & (self._starts[found] == stays)
        return np.where(mine, (self._keys[found] % _SPAN).astype(np.float64), np.nan)

    @property
    def reached(self) -> int:
        """When the last entry was learnt, in minutes; 0 where there is none."""
        return int((self._keys % _SPAN).max()) if self._keys.size else 0

    def first(self, stays: Indices) -> Minutes:
        """When something was first learnt of each stay; NOT_YET where nothing was."""
        if not self._keys.size:
            return np.full(stays.shape, NOT_YET)
        place = np.searchsorted(self._starts, stays, side="left")
        found = np.minimum(place, self._starts.size - 1)
        mine = self._starts[found] == stays
        return np.where(mine, self._keys[found] % _SPAN, NOT_YET)

    def known_by(self, at: int) -> Log:
        """The log as it was at a moment."""
        kept = Log()
        mask = self._keys % _SPAN <= at
        kept._keys, kept._values = self._keys[mask], self._values[mask]
        kept._starts = self._starts[mask]
        return kept


@dataclass(frozen=True, slots=True)
class WardFacts:
    """What a ward's number stands for. counts: whether a patient there is an inpatient (not in
    an emergency department, for a day case or in a clinic)."""

    key: int
    name: str
    kind: str
    specialty: str
    counts: bool


@dataclass(frozen=True)
class Stays:
    """Stays at one site, side by side; a stay lasts until its patient leaves the site.

    keys: the primary key of each one's episode; `names` the number its source knows it by, where
    they were asked for; `sexes` 0 female, 1 male, 2 anything else; `ages` in years at admission,
    NaN where unknown. `codes` name the numbers in `specialty` and `method`, `wards` those in
    `ward`; number 0 is "not known". `people`: the primary key of the person of each, as known now;
    empty where nobody can be told apart.

    Logs, all by number of the stay: `ward`, `specialty`, `method`; `admitted` and `ended`, in
    minutes, as far as known then (NOT_YET: no such stay, and still there); `asked`, the minute
    since which a bed on another ward is asked for (NaN: none is); and whatever `features` reads
    beside them.
    """

    keys: Indices
    sexes: Indices
    ages: Floats
    codes: Mapping[str, Sequence[str]]
    wards: Sequence[WardFacts]
    logs: Mapping[str, Log]
    names: Sequence[str] = ()
    people: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return self.keys.size

    def log(self, name: str) -> Log:
        """What was learnt under this name; an empty log where nothing ever was."""
        return self.logs.get(name, _NOTHING)

    def code(self, name: str, stays: Indices, at: Minutes) -> Indices:
        """The number of ward, specialty or method, as known at each stay's moment."""
        return self.log(name).last(stays, at, default=0).astype(np.int64)

    def admitted(self, stays: Indices, at: Minutes) -> Minutes:
        """When each began, as known at its moment; NOT_YET where none was known of."""
        return self.log("admitted").last(stays, at, default=NOT_YET).astype(np.int64)

    def ended(self, stays: Indices, at: Minutes) -> Minutes:
        """When each ended, as known at its moment; NOT_YET while it goes on."""
        return self.log("ended").last(stays, at, default=NOT_YET).astype(np.int64)

    def in_hospital(self, stays: Indices, at: Minutes) -> NDArray[np.bool_]:
        """Whether each stay was, as known at its moment, of somebody in a ward that counts."""
        counts = np.array([ward.counts for ward in self.wards], dtype=bool)
        there = (self.admitted(stays, at) <= at) & (self.ended(stays, at) > at)
        return np.asarray(there & counts[self.code("ward", stays, at)])

    def present(self, at: int) -> Indices:
        """The stays that were known, at the moment, to be in hospital then."""
        begun, settled, over = self._known
        stays = np.flatnonzero((begun <= at) & ~((settled <= at) & (over <= at)))
        return stays[self.in_hospital(stays, np.full(stays.size, at))]

    @cached_property
    def _known(self) -> tuple[Minutes, Minutes, Minutes]:
        """When each stay was first known of, from when on nothing more was learnt of its end, and
        when it ended as known then: what spares `present` a look at those long gone."""
        everyone, never = np.arange(len(self)), np.full(len(self), NOT_YET)
        ended = self.log("ended")
        settled = ended.since(everyone, np.full(len(self), _SPAN - 1))
        return (
            self.log("admitted").first(everyone),
            np.where(np.isnan(settled), never, settled).astype(np.int64),
            self.ended(everyone, np.full(len(self), _SPAN - 1)),
        )

    def known_by(self, at: int) -> Stays:
        """The same as far as it was known at a moment."""
        return replace(self, logs={name: log.known_by(at) for name, log in self.logs.items()})


_NOTHING: Final = Log()


class Notes:
    """Gathers entries for logs."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[list[int], list[int], list[float]]] = {}

    def add(self, name: str, stay: int, learnt: int, value: float) -> None:
        """Of a stay something was learnt."""
        stays, times, values = self._rows.setdefault(name, ([], [], []))
        stays.append(stay)
        times.append(learnt)
        values.append(value)

    def logs(self) -> dict[str, Log]:
        """All logs, by name."""
        return {name: Log(*rows) for name, rows in self._rows.items()}
