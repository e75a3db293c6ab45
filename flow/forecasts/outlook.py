"""What a forecast of beds says: frozen values without any rule but how to read them.

Pure: no Django. Moments are minutes since 1970 in UTC (`flow.forecasts.clock` turns them into
times). Everything is told for the same hours: `Outlook.ends`, the next 72 full hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts import numbers
from flow.forecasts.clock import Minutes

QUANTILES: Final = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
"""Those a fan chart is drawn from, in the order of the columns of `Fan.quantiles`."""
SAID: Final = (0.9, 0.7)
"""How sure a manager wants to be of "at least so many"."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The distribution of a whole number: `chances[k]` is the chance of exactly `lowest + k`.

    Of free beds the number may be negative: so many patients have no bed.
    """

    lowest: int
    chances: Floats

    @property
    def mean(self) -> float:
        """The expected number."""
        return self.lowest + numbers.mean(self.chances)

    @property
    def variance(self) -> float:
        """The variance of the number."""
        return numbers.variance(self.chances)

    def quantile(self, level: float) -> int:
        """The smallest number that is not exceeded with at least this chance."""
        return int(self.lowest + numbers.quantile(self.chances, level))

    def at_least(self, chance: float) -> int:
        """The largest number of which "at least so many" holds with this chance or more."""
        return int(self.lowest + numbers.at_least(self.chances, chance))

    def chance_of_at_least(self, number: int) -> float:
        """The chance of this number or more."""
        return float(self.chances[max(0, number - self.lowest) :].sum())

    def central(self, chance: float) -> tuple[int, int]:
        """The interval that leaves out half of the rest on either side; both ends included."""
        low, high = numbers.central(self.chances, chance)
        return self.lowest + low, self.lowest + high

    def not_below(self, number: int) -> Spread:
        """The same where anything less counts as this number."""
        return Spreads(self.lowest, self.chances[None, :]).not_below(number)[0]

    def crps(self, seen: int) -> float:
        """Continuous ranked probability score beside what was seen; see `numbers.crps`."""
        if seen < self.lowest:
            return float(self.lowest - seen + numbers.crps(self.chances, 0))
        return float(numbers.crps(self.chances, seen - self.lowest))


@dataclass(frozen=True)
class Spreads:
    """Distributions of a number at each hour: `chances[h, k]` is the chance of exactly `lowest + k`
    at the hour at place h. `spreads[h]` is that hour's alone."""

    lowest: int
    chances: Floats

    def __len__(self) -> int:
        return len(self.chances)

    def __getitem__(self, hour: int) -> Spread:
        return Spread(self.lowest, self.chances[hour])

    @cached_property
    def means(self) -> Floats:
        """The expected number at each hour."""
        return np.asarray(self.lowest + self.chances @ np.arange(self.chances.shape[1]))

    def quantiles(self, levels: Sequence[float]) -> Counts:
        """Hours by levels: the smallest number not exceeded with at least this chance."""
        return self._first(np.cumsum(self.chances, axis=1), levels)

    def at_least(self, chances: Sequence[float]) -> Counts:
        """Hours by chances: the largest number of which "at least so many" holds with it."""
        tail = np.cumsum(self.chances[:, ::-1], axis=1)
        from_top = self._first(tail, chances) - self.lowest
        return np.asarray(self.lowest + self.chances.shape[1] - 1 - from_top)

    def chance_of_at_least(self, number: int) -> Floats:
        """The chance at each hour of this number or more."""
        return np.asarray(self.chances[:, max(0, number - self.lowest) :].sum(1))

    def not_below(self, number: int) -> Spreads:
        """The same where anything less counts as this number."""
        below = number - self.lowest
        if below <= 0:
            return self
        if below >= self.chances.shape[1]:
            return Spreads(number, np.ones((len(self), 1)))
        kept = self.chances[:, below:].copy()
        kept[:, 0] += self.chances[:, :below].sum(1)
        return Spreads(number, kept)

    def _first(self, reached: Floats, levels: Sequence[float]) -> Counts:
        # A level that is missed by rounding alone counts as reached.
        rows = [(reached >= level - 1e-12).argmax(axis=1) for level in levels]
        return np.asarray(self.lowest + np.stack(rows, axis=1))


class PoolKind(StrEnum):
    """What makes beds a pool."""

    SITE = "site"
    GROUP = "group"
    WARD = "ward"
    SPECIALTY = "specialty"
    SEX = "sex"


@dataclass(frozen=True, slots=True)
class Pool:
    """Beds that are counted together.

    key: of a ward its primary key; of a group of wards the name that the boards know it by
    (`flow.site_groups.WARD_GROUPS`); of specialty and sex (a `Ward.Sex` value: for whom the bed
    is) the value itself; empty for the site. name: of a ward or specialty; empty where the key
    says all. wards: primary keys.
    """

    kind: PoolKind
    key: str
    name: str
    wards: tuple[int, ...]


@dataclass(frozen=True)
class Parts:
    """The expected numbers that a change of free beds is made of: of patients, from the moment of
    the forecast to each hour.

    left: have left the site, or their bed for the discharge lounge; also from a bed that takes
    nobody in, which stays empty and is not free. moved_out, moved_in: between
    wards (0 for the site). emergency: now in the emergency department and by then admitted.
    listed: expected by name (electives, referrals, transfers). to_come: of whom nothing is known
    yet. Of the last four, those who have left again by then are taken off.
    """

    left: Floats
    moved_out: Floats
    moved_in: Floats
    emergency: Floats
    listed: Floats
    to_come: Floats


@dataclass(frozen=True)
class Fan:
    """The beds of a pool that are free at each hour.

    Free are open beds without a patient, being cleaned included. Of the site, below 0 are patients
    without a bed; of a part of it, whoever finds none goes to another part, so that it has none
    free, unless patients without a bed are there already. patients, free_now: at the moment of the
    forecast. open: beds at each hour that are open by then, as is planned now (a closed bed with a
    patient in it counts in neither). spreads: the distributions. parts: what changes them.
    """

    pool: Pool
    patients: int
    free_now: int
    open: Counts
    spreads: Spreads
    parts: Parts

    @property
    def has_beds(self) -> bool:
        """Whether any bed is open now or ahead; without one nothing can be said of free beds."""
        return bool(self.open.any()) or self.free_now > 0

    @cached_property
    def quantiles(self) -> Counts:
        """Hours by `QUANTILES`."""
        return self.spreads.quantiles(QUANTILES)

    @property
    def means(self) -> Floats:
        """The expected number at each hour."""
        return self.spreads.means

    @cached_property
    def full(self) -> Floats:
        """The chance at each hour that no bed is free."""
        return np.asarray(1 - self.spreads.chance_of_at_least(1))

    @property
    def least(self) -> int:
        """What free beds cannot fall below where whoever finds none stays away: 0, or as many below
        as patients are there without a bed now."""
        return min(0, self.free_now)

    def said(self, hour: int, chances: Sequence[float] = SAID) -> tuple[tuple[float, int], ...]:
        """Of the hour at this place (0 to 71): pairs of a chance and the number of which "at least
        so many" holds with it."""
        return tuple((chance, self.spreads[hour].at_least(chance)) for chance in chances)


@dataclass(frozen=True)
class Waiting:
    """Patients in the emergency department who wait for a bed, by simulation of the queue.

    now, over_now: how many wait, and of them longer than `limit_hours`, at the moment of the
    forecast; a wait begins when the bed is asked for. numbers: how many wait at each hour.
    over: of these, longer than the limit. none_over: the chance that from now until this hour
    nobody comes to wait longer than that (whoever does already is not held against it).
    paths: how often it was simulated.
    """

    limit_hours: int
    now: int
    over_now: int
    numbers: Spreads
    over: Spreads
    none_over: Floats
    paths: int


class MarkKind(StrEnum):
    """What is drawn on the time line."""

    CLOSURE_BEGINS = "closure_begins"
    CLOSURE_ENDS = "closure_ends"
    OPENING_BEGINS = "opening_begins"
    OPENING_ENDS = "opening_ends"
    LISTED = "listed"
    DISCHARGE = "discharge"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that is planned. minute: when. number: beds, or patients. ward: primary key of the
    ward that it concerns; None where none is named. reason: of a closure (`Closure.Reason`)."""

    minute: int
    kind: MarkKind
    number: int
    ward: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Outlook:
    """The forecast for a site, made at the minute `at` from what was known then.

    ends: the moments it speaks of, in minutes. shown_always: which of them (by place) are local
    midnight or eight o'clock. site: all beds in which patients stay. pools: of wards, groups of
    wards, specialties and sexes, in this order. waiting: None where the site has no emergency
    department. marks: what is planned, in order of time. days_known: length of the history that
    it rests on; with less than a week or two it is wide and rests on little.
    """

    at: int
    ends: Minutes
    shown_always: tuple[int, ...]
    site: Fan
    pools: tuple[Fan, ...]
    waiting: Waiting | None
    marks: tuple[Mark, ...]
    days_known: float

    def fan(self, kind: PoolKind, key: str) -> Fan | None:
        """The pool of this kind and key; None where there is none."""
        return next((f for f in self.pools if f.pool.kind is kind and f.pool.key == key), None)
