"""From the emergency department to a bed: who will need one, and how soon they get it.

Pure: no Django. An attendance goes through two stages. First it is open whether the patient needs a
bed: in each hour they come to need one, leave, or stay, as competing risks in discrete time (Singer
JD, Willett JB, J Educ Stat 1993;18:155-195), by hours in the department, age and hour of the day.
Who needs a bed then waits for it, by hours since it was asked for and hour of the day. Where nobody
records that a bed is asked for, the need shows with the admission and the wait is nothing. That
numbers of admissions are told from each patient's chance follows King Z, et al., npj Digit Med
2022;5:104.

All of it depends on how many wait for a bed: the more there are, the longer it takes, and the more
are treated without one. A queue lasts, so that what holds of the present one holds of the hours
ahead, less and less with each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.history import NOT_YET, Floats, Indices
from flow.forecasts.horizon import Horizon
from flow.forecasts.paths import Attendances
from flow.forecasts.rates import bin_of, counted, hourly_pieces, local_hour, rates

LEARNT_DAYS: Final = 120
_ELAPSED: Final = (0.0, 1, 2, 3, 4, 6, 8, 12, 24)
"""Hours in the department at which the bands begin."""
_WAITED: Final = (0.0, 1, 2, 4, 8, 12, 24)
"""Hours since a bed was asked for."""
_AGES: Final = (0.0, 16, 45, 65, 80)
"""Years at which the bands begin; after the last comes the band of those of unknown age."""
_SEEN: Final = 5.0
"""How many are thought to be seen where nobody was."""
_OWN_DAY: Final = 0.003
_OWN_DAYS: Final = 10
"""Usual variance of a day's own factor on the share admitted, and for how many days it counts."""
_BLOCK: Final = 3
"""Hours of the day that are taken together."""
_BLOCKS: Final = 24 // _BLOCK
_CROWDS: Final = (1 / 3, 2 / 3, 0.9)
"""Queues are told apart by these shares of hours in which fewer waited."""
_CROWD: Final = len(_CROWDS) + 1
_LASTS: Final = 0.9
"""What is left after an hour of what a queue tells, where nothing has been seen yet."""
_OWN: Final = 25.0
_NEEDS: Final = 0.08
_LEAVES: Final = 0.20
_GETS: Final = 0.40
_DROPS: Final = 0.01
"""Rates an hour where nothing has been seen: about three in ten are admitted (NHS England, A&E
attendances and emergency admissions), after some hours."""

Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Crowds:
    """How many wait for a bed, as bands: from which number on each begins after the first, the
    share of hours in each, and what is left after an hour of what the present one tells."""

    edges: Floats
    shares: Floats
    lasts: float

    def ahead(self, waiting: int, ahead: Horizon) -> Floats:
        """The chance of each band in each hour ahead (hours by bands), while so many wait now."""
        now = np.eye(_CROWD)[self.band(np.array([waiting]))[0]]
        left = self.lasts ** ((ahead.ends - ahead.at) / HOUR)[:, None]
        return np.asarray(left * now + (1 - left) * self.shares)

    def band(self, waiting: Indices) -> Indices:
        """Which band each of these numbers is in."""
        return np.searchsorted(self.edges, waiting, side="right")


@dataclass(frozen=True)
class Department:
    """Rates an hour of needing a bed and of leaving (by elapsed hours, age band, hours of the day
    and crowd), of getting the bed and of leaving without (by hours waited, hours of the day and
    crowd).

    bands: the share of those who come in each age band. seen: how many were seen to need a bed.
    own: variance of a day's own factor on the share who come to one.
    """

    needs: Floats
    leaves: Floats
    gets: Floats
    drops: Floats
    crowds: Crowds
    bands: Floats
    seen: int
    own: float

    @property
    def unsure(self) -> float:
        """The variance of the share who need a bed, as part of its square."""
        return 1 / (self.seen + _SEEN)

    def ahead_of(self, ahead: Horizon, *, waiting: int) -> DepartmentAhead:
        """The department in the hours ahead, while so many wait for a bed now."""
        return DepartmentAhead(self, ahead, self.crowds.ahead(waiting, ahead))


@dataclass(frozen=True)
class DepartmentAhead:
    """The same for the hours ahead of one moment."""

    department: Department
    ahead: Horizon
    crowd: Floats

    def present(self, who: Attendances) -> tuple[Chances, Chances]:
        """For each attendance that goes on now, the chance of the bed being asked for and of
        coming to it in each hour ahead (in columns). Of those who wait already the first is 0."""
        waits = who.asked < NOT_YET
        needs = self._needing(who.arrived, _bands(who.ages), np.where(waits, 0.0, 1.0))
        gets = needs @ self.waiting(self._middles)
        gets[waits] = self.waiting(who.asked[waits])
        return needs, gets

    def to_come(self, arrivals: Floats) -> tuple[Floats, Floats]:
        """Of so many who come in each hour ahead, how many will need a bed, and how many come to
        it, in each hour: expected numbers."""
        bands = self.department.bands
        arrived = np.tile(self._middles, bands.size)
        numbers = np.outer(bands, arrivals).ravel()
        band = np.repeat(np.arange(bands.size), arrivals.size)
        needs = self._needing(arrived, band, numbers).sum(0)
        return needs, needs @ self.waiting(self._middles)

    def waiting(self, asked: Minutes) -> Chances:
        """The chance of coming to the bed in each hour ahead, of those who ask at these moments."""
        return self._played(
            np.ones(asked.size), asked, _WAITED, (self.department.gets, self.department.drops), ()
        )

    def reached(self, asked: Minutes) -> Chances:
        """The chance that a bed would be found and reached in each hour ahead, of those who ask at
        these moments, while no more wait than in the calmest third of hours: how long handing over,
        cleaning and finding one that suits take even where beds are free."""
        calm = np.zeros_like(self.crowd)
        calm[:, 0] = 1.0
        nobody = np.zeros_like(self.department.drops)
        rates = (self.department.gets, nobody)
        return replace(self, crowd=calm)._played(np.ones(asked.size), asked, _WAITED, rates, ())

    def to_be_reached(self) -> Chances:
        """The same of those who ask in each hour ahead (rows): by hours ahead."""
        return self.reached(self._middles)

    def _needing(self, arrived: Minutes, bands: Indices, numbers: Floats) -> Floats:
        rates = (self.department.needs, self.department.leaves)
        return self._played(numbers, arrived, _ELAPSED, rates, (bands,))

    @property
    def _middles(self) -> Minutes:
        return np.asarray((self.ahead.begins + self.ahead.ends) // 2)

    def _played(
        self,
        numbers: Floats,
        since: Minutes,
        edges: tuple[float, ...],
        rates: tuple[Floats, Floats],
        traits: tuple[Indices, ...],
    ) -> Floats:
        """Of those who began at these moments, who meets the first of two risks in each hour."""
        ahead, still = self.ahead, numbers
        found = np.zeros((since.size, ahead.ends.size))
        for n, (begin, end) in enumerate(zip(ahead.begins, ahead.ends, strict=True)):
            length = np.maximum(end - np.maximum(begin, since), 0) / HOUR
            elapsed = bin_of(np.maximum((begin + end) / 2 - since, 0) / HOUR, edges)
            key = (elapsed, *traits, np.full(since.size, ahead.local_hours[n] // _BLOCK))
            one, other = (rate[key] @ self.crowd[n] for rate in rates)
            gone = still * -np.expm1(-(one + other) * length)
            found[:, n] = gone * one / (one + other)
            still = still - gone
        return found


def _bands(ages: Floats) -> Indices:
    return np.where(np.isnan(ages), len(_AGES), bin_of(np.maximum(ages, 0), _AGES))


@dataclass(frozen=True)
class _Queue:
    """How many waited at the beginning of each hour from `since` on."""

    since: int
    waiting: Indices

    @classmethod
    def of(cls, asked: Minutes, ended: Minutes, *, since: int, at: int) -> _Queue:
        hours = np.arange(since // HOUR, at // HOUR + 1) * HOUR
        begun = np.searchsorted(np.sort(asked), hours, side="right")
        over = np.searchsorted(np.sort(ended[asked < NOT_YET]), hours, side="right")
        return cls(int(hours[0]), begun - over)

    def at(self, moments: Minutes) -> Indices:
        """How many waited at the beginning of the hours of these moments."""
        place = (moments - self.since) // HOUR
        return self.waiting[np.clip(place, 0, self.waiting.size - 1)]

    def crowds(self) -> Crowds:
        # Between whole numbers, so that a number that hardly ever changes makes fewer bands.
        edges = np.quantile(self.waiting, _CROWDS) + 0.5
        band = np.searchsorted(edges, self.waiting, side="right")
        shares = np.bincount(band, minlength=_CROWD) / self.waiting.size
        return Crowds(edges, shares, self._lasts())

    def _lasts(self) -> float:
        """What is left an hour later, from how alike a day and the next are at the same hour."""
        days = self.waiting[: self.waiting.size // 24 * 24].reshape(-1, 24).astype(np.float64)
        if days.shape[0] < 14:
            return _LASTS
        away = days - days.mean(0)
        alike = float((away[1:] * away[:-1]).sum() / max(float((away**2).sum()), 1e-9))
        return float(np.clip(max(alike, 1e-9) ** (1 / 24), 0.8, 0.99))


def learn(seen: Attendances, *, since: int, at: int) -> Department:
    """The department's rates, from the attendances of the last months that began at `since` or
    later, as known at `at`."""
    since = max(since, at - LEARNT_DAYS * DAY)
    recent = seen.arrived >= since
    arrived, ended = seen.arrived[recent], np.minimum(seen.ended[recent], at)
    admitted = seen.admitted[recent]
    # Who came to a bed that nobody had asked for, needed it then.
    need = np.where(admitted, np.minimum(seen.asked[recent], ended), seen.asked[recent])
    band, asks = _bands(seen.ages[recent]), need < NOT_YET
    left = (seen.ended[recent] <= at) & ~admitted
    first = np.minimum(need, ended)
    queue = _Queue.of(seen.asked, seen.ended, since=since, at=at)
    crowds = queue.crowds()

    def crowd(moments: Minutes) -> Indices:
        return crowds.band(queue.at(moments))

    needs, leaves = _fitted(
        (arrived, first), (_ELAPSED, (len(_AGES) + 1,)), band, crowd,
        (asks, left & ~asks), (_NEEDS, _LEAVES),
    )  # fmt: skip
    gets, drops = _fitted(
        (need[asks], ended[asks]), (_WAITED, ()), None, crowd,
        (admitted[asks], left[asks]), (_GETS, _DROPS),
    )  # fmt: skip
    shares = np.bincount(band, minlength=len(_AGES) + 1) + 1.0 / (len(_AGES) + 1)
    return Department(
        needs, leaves, gets, drops, crowds, shares / shares.sum(), int(asks.sum()),
        _own_days(arrived, admitted, since, at),
    )  # fmt: skip


def _own_days(arrived: Minutes, admitted: NDArray[np.bool_], since: int, at: int) -> float:
    """By how much the share of those who are admitted varies from day to day more than chance
    would let it: the variance of its factor."""
    days = max((at - since) // DAY - 1, 0)  # of the last day it is still open
    day = (arrived - since) // DAY
    whole = day < days
    came = np.bincount(day[whole], minlength=days).astype(np.float64)
    stayed = np.bincount(day[whole & admitted], minlength=days).astype(np.float64)
    share = float((stayed.sum() + 1) / (came.sum() + 3))
    said = share * came
    usual = _OWN_DAYS * float((said**2).mean()) if days else 1.0
    excess = float(((stayed - said) ** 2 - said * (1 - share)).sum()) + _OWN_DAY * usual
    return float(np.clip(excess / max(float((said**2).sum()) + usual, 1e-9), 0.0, 0.2))


def _fitted(
    times: tuple[Minutes, Minutes],
    bands: tuple[tuple[float, ...], tuple[int, ...]],
    trait: Indices | None,
    crowd: Callable[[Minutes], Indices],
    ends: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    usual: tuple[float, float],
) -> tuple[Floats, Floats]:
    """Rates of two ends of these times, by hours since their beginning, a trait if there is one,
    hours of the day and crowd."""
    begins, finishes = times
    edges, sizes = bands
    shape = (len(edges), *sizes, _BLOCKS, _CROWD)

    def keys(which: Indices, moments: Minutes) -> tuple[Indices, ...]:
        since = bin_of(np.maximum(moments - begins[which], 0) / HOUR, edges)
        middle = () if trait is None else (trait[which],)
        return since, *middle, local_hour(moments) // _BLOCK, crowd(moments)

    which, pieces, lengths = hourly_pieces(begins, finishes)
    hours = counted(shape, keys(which, pieces + (lengths * HOUR / 2).astype(np.int64)), lengths)
    found = []
    for end, rate in zip(ends, usual, strict=True):
        over = np.flatnonzero(end)
        events = counted(shape, keys(over, finishes[over]), np.ones(over.size))
        found.append(rates(events, hours, usual=rate, own=_OWN))
    return found[0], found[1]
