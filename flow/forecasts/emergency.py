"""From the emergency department to a bed: who will need one, and how soon they get it.

Pure: no Django. An attendance goes through two stages. First it is open whether the patient needs a
bed: in each hour they come to need one, leave, or stay, as competing risks in discrete time (Singer
JD, Willett JB, J Educ Stat 1993;18:155-195), by hours in the department, age and hour of the day.
Who needs a bed then waits for it, by hours since it was asked for and hour of the day. Where nobody
records that a bed is asked for, the need shows with the admission and the wait is nothing. That
numbers of admissions are told from each patient's chance follows King Z, et al., npj Digit Med
2022;5:104.
"""

from __future__ import annotations

from dataclasses import dataclass
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
_BLOCK: Final = 3
"""Hours of the day that are taken together."""
_BLOCKS: Final = 24 // _BLOCK
_OWN: Final = 25.0
_NEEDS: Final = 0.08
_LEAVES: Final = 0.20
_GETS: Final = 0.40
_DROPS: Final = 0.01
"""Rates an hour where nothing has been seen: about three in ten are admitted (NHS England, A&E
attendances and emergency admissions), after some hours."""

Chances = NDArray[np.float64]


@dataclass(frozen=True)
class Department:
    """Rates an hour of needing a bed and of leaving (by elapsed hours, age band and hours of the
    day), of getting the bed and of leaving without (by hours waited and hours of the day).

    bands: the share of those who come in each age band. seen: how many were seen to need a bed.
    """

    needs: Floats
    leaves: Floats
    gets: Floats
    drops: Floats
    bands: Floats
    seen: int

    @property
    def unsure(self) -> float:
        """The variance of the share who need a bed, as part of its square."""
        return 1 / (self.seen + _SEEN)

    def present(self, who: Attendances, ahead: Horizon) -> tuple[Chances, Chances]:
        """For each attendance that goes on now, the chance of the bed being asked for and of
        coming to it in each hour ahead (in columns). Of those who wait already the first is 0."""
        waits = who.asked < NOT_YET
        open_still = np.where(waits, 0.0, 1.0)
        needs = self._needing(who.arrived, _bands(who.ages), open_still, ahead)
        gets = needs @ self.waiting(_middles(ahead), ahead)
        gets[waits] = self.waiting(who.asked[waits], ahead)
        return needs, gets

    def to_come(self, arrivals: Floats, ahead: Horizon) -> tuple[Floats, Floats]:
        """Of so many who come in each hour ahead, how many will need a bed, and how many come to
        it, in each hour: expected numbers."""
        bands, hours = self.bands.size, arrivals.size
        arrived = np.tile(_middles(ahead), bands)
        numbers = np.outer(self.bands, arrivals).ravel()
        needs = self._needing(arrived, np.repeat(np.arange(bands), hours), numbers, ahead).sum(0)
        return needs, needs @ self.waiting(_middles(ahead), ahead)

    def waiting(self, asked: Minutes, ahead: Horizon) -> Chances:
        """The chance of coming to the bed in each hour ahead, of those who ask at these moments."""
        found = np.zeros((asked.size, ahead.ends.size))
        still = np.ones(asked.size)
        for n, (begin, end) in enumerate(zip(ahead.begins, ahead.ends, strict=True)):
            length = np.maximum(end - np.maximum(begin, asked), 0) / HOUR
            waited = bin_of(np.maximum((begin + end) / 2 - asked, 0) / HOUR, _WAITED)
            key = (waited, np.full(asked.size, ahead.local_hours[n] // _BLOCK))
            found[:, n], gone = _competing(still, self.gets[key], self.drops[key], length)
            still = still - gone
        return found

    def _needing(self, arrived: Minutes, bands: Indices, numbers: Floats, ahead: Horizon) -> Floats:
        found = np.zeros((arrived.size, ahead.ends.size))
        still = numbers.copy()
        for n, (begin, end) in enumerate(zip(ahead.begins, ahead.ends, strict=True)):
            length = np.maximum(end - np.maximum(begin, arrived), 0) / HOUR
            elapsed = bin_of(np.maximum((begin + end) / 2 - arrived, 0) / HOUR, _ELAPSED)
            key = (elapsed, bands, np.full(arrived.size, ahead.local_hours[n] // _BLOCK))
            found[:, n], gone = _competing(still, self.needs[key], self.leaves[key], length)
            still = still - gone
        return found


def _competing(still: Floats, one: Floats, other: Floats, length: Floats) -> tuple[Floats, Floats]:
    """Of those still there, who meets the one risk in the time, and who meets either."""
    gone = still * -np.expm1(-(one + other) * length)
    return gone * one / (one + other), gone


def _middles(ahead: Horizon) -> Minutes:
    return np.asarray((ahead.begins + ahead.ends) // 2)


def _bands(ages: Floats) -> Indices:
    return np.where(np.isnan(ages), len(_AGES), bin_of(np.maximum(ages, 0), _AGES))


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
    needs, leaves = _fitted(
        (arrived, first), (_ELAPSED, (len(_AGES) + 1,)), band,
        (asks, left & ~asks), (_NEEDS, _LEAVES), _OWN,
    )  # fmt: skip
    gets, drops = _fitted(
        (need[asks], ended[asks]), (_WAITED, ()), None,
        (admitted[asks], left[asks]), (_GETS, _DROPS), _OWN,
    )  # fmt: skip
    shares = np.bincount(band, minlength=len(_AGES) + 1) + 1.0 / (len(_AGES) + 1)
    return Department(needs, leaves, gets, drops, shares / shares.sum(), int(asks.sum()))


def _fitted(
    times: tuple[Minutes, Minutes],
    bands: tuple[tuple[float, ...], tuple[int, ...]],
    trait: Indices | None,
    ends: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    usual: tuple[float, float],
    own: float,
) -> tuple[Floats, Floats]:
    """Rates of two ends of these times, by hours since their beginning, a trait if there is one,
    and hours of the day."""
    begins, finishes = times
    edges, sizes = bands
    shape = (len(edges), *sizes, _BLOCKS)

    def keys(which: Indices, moments: Minutes) -> tuple[Indices, ...]:
        since = bin_of(np.maximum(moments - begins[which], 0) / HOUR, edges)
        middle = () if trait is None else (trait[which],)
        return since, *middle, local_hour(moments) // _BLOCK

    which, pieces, lengths = hourly_pieces(begins, finishes)
    hours = counted(shape, keys(which, pieces + (lengths * HOUR / 2).astype(np.int64)), lengths)
    found = []
    for end, rate in zip(ends, usual, strict=True):
        over = np.flatnonzero(end)
        events = counted(shape, keys(over, finishes[over]), np.ones(over.size))
        found.append(rates(events, hours, usual=rate, own=own))
    return found[0], found[1]
