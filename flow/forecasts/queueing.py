"""Who waits in the emergency department because no bed is free, by simulation. Pure: no Django.

Where beds are short, what happens is no sum of independent numbers: whoever gets a bed takes it
from the next. So the coming hours are played through many times. In each hour, patients leave the
wards; those who come straight to a ward or as planned take their beds; then those who wait in the
department get what is left, first come, first served, once theirs has been found, handed over and
reached: that takes as long as it took in calm hours before, and never ends within the hour in which
they ask. Beds are those of assessment units and wards, as one
pool: critical care and maternity neither take from it nor give to it.

That is kinder than a hospital is, where a free bed may be one for the other sex or another
specialty. So beds that are free while somebody has waited for two hours count as unfit, and are
left out throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR
from flow.forecasts.history import Floats, Indices
from flow.forecasts.inputs import NO_BED, OFF_THE_BOOKS, Comers, Inputs
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Spreads, Waiting
from flow.forecasts.paths import Flags, Way

LIMIT_HOURS: Final = 4
"""Waits from the request for a bed to the bed that are counted nationally: more than 4 hours from
decision to admit (NHS England, A&E attendances and emergency admissions)."""
PATHS: Final = 1000
_KINDS: Final = ("assessment", "inpatient", "community")
_UNFIT_AFTER: Final = 2 * HOUR

Counts = NDArray[np.int64]


def waiting(inputs: Inputs, *, paths: int = PATHS) -> Waiting | None:
    """The queue for beds; None where the site has no emergency department, or no beds are listed.

    What is drawn depends on nothing but the moment, so that the same inputs give the same numbers
    and a changed one is met with the same luck.
    """
    if not inputs.asking.has or not inputs.supply.ward.size:
        return None
    kinds = np.array([ward.kind in _KINDS for ward in inputs.wards])
    queue = _Queue(inputs, kinds & inputs.beds, paths)
    number, over, none = queue.played()
    asked = inputs.asking.asked
    return Waiting(
        limit_hours=LIMIT_HOURS,
        now=asked.size,
        over_now=int((asked <= inputs.ahead.at - LIMIT_HOURS * HOUR).sum()),
        numbers=_spreads(number),
        over=_spreads(over),
        none_over=none,
        paths=paths,
    )


def _spreads(seen: Counts) -> Spreads:
    """How often each number was seen: paths by hours."""
    size = int(seen.max(initial=0)) + 1
    hours = np.arange(seen.shape[1])
    found = np.zeros((seen.shape[1], size))
    for path in seen:
        found[hours, path] += 1
    return Spreads(0, found / max(len(seen), 1))


@dataclass
class _Queue:
    """The draws of all paths. wards: those whose beds are meant."""

    inputs: Inputs
    wards: Flags
    paths: int

    def __post_init__(self) -> None:
        # One stream of numbers for each sort of luck: a change of one leaves the others alone.
        seeds = np.random.SeedSequence(self.inputs.ahead.at).spawn(6)
        self._luck = [np.random.default_rng(seed) for seed in seeds]

    def played(self) -> tuple[Counts, Counts, Floats]:
        """How many wait, and how many too long, on each path at the end of each hour; and the
        chance that up to then nobody has come to wait too long."""
        room = self._room()
        asked = self._asked()
        ready, slow, behind = self._ready(asked)
        gone_again = self._leave_again()
        newcomers = np.zeros(self.paths, dtype=np.int64)
        straight = self._straight()
        served = np.zeros(self.paths, dtype=np.int64)
        total = np.zeros((self.paths, HOURS), dtype=np.int64)
        for hour in range(HOURS):
            newcomers -= self._luck[4].binomial(newcomers, gone_again[hour])
            newcomers += straight[:, hour]
            given = np.clip(room[:, hour] - newcomers, 0, ready[:, hour] - served)
            served = served + given
            newcomers += given
            total[:, hour] = served
        return self._waits(asked, total, slow, behind)

    def _waits(
        self, asked: Counts, served: Counts, slow: Counts, behind: Counts
    ) -> tuple[Counts, Counts, Floats]:
        inputs = self.inputs
        by_then = self._asked_by(asked, inputs.ahead.ends - LIMIT_HOURS * HOUR)
        already = self._asked_by(asked, np.array([inputs.ahead.at - LIMIT_HOURS * HOUR]))
        over = np.maximum(by_then - served, behind)
        new = np.maximum(by_then - np.maximum(served, already), 0)
        none = (np.cumsum(new, axis=1) + slow == 0).mean(0)
        return asked - served, over, np.asarray(none)

    def _asked_by(self, asked: Counts, moments: Indices) -> Counts:
        """How many had asked for a bed by these moments, on each path."""
        now = np.sort(self.inputs.asking.asked)
        before = np.searchsorted(now, moments, side="right")
        hour = np.searchsorted(self.inputs.ahead.ends, moments, side="right") - 1
        later = asked[:, np.maximum(hour, 0)]
        return np.where(hour >= 0, later, before)

    def _asked(self) -> Counts:
        """How many have asked for a bed of these by the end of each hour, those who wait now
        included."""
        asking, luck = self.inputs.asking, self._luck[0]
        part = self._part(Way.DEPARTMENT)
        mean = asking.to_come * part * self._level(asking.unsure, asking.own, luck)
        found = luck.poisson(mean).astype(np.int64)
        found += self._drawn(asking.needs * part, self._luck[1])
        return np.asarray(asking.asked.size + np.cumsum(found, axis=1))

    def _ready(self, asked: Counts) -> tuple[Counts, Counts, Counts]:
        """Of those who have asked: for how many, by the end of each hour, a bed could have been
        reached; how many have come to wait too long since now for that alone; and for how many
        who wait too long it could not be reached yet."""
        asking, luck = self.inputs.asking, self._luck[5]
        found = np.zeros((self.paths, HOURS + 1), dtype=np.int64)
        slow, behind = np.zeros_like(found), np.zeros_like(found)
        rows = np.arange(self.paths)
        limit = asking.asked + LIMIT_HOURS * HOUR
        # The first hour at whose end each who waits now has waited too long.
        ends = np.searchsorted(self.inputs.ahead.ends, limit)
        for chances, end, until in zip(asking.reached, ends, limit, strict=True):
            then = np.searchsorted(np.cumsum(chances), luck.uniform(size=self.paths), side="right")
            found[rows, then] += 1
            late = then > end
            slow[:, end] += late & (until > self.inputs.ahead.at)
            behind[late, end] += 1
            behind[rows[late], then[late]] -= 1
        asks = np.diff(asked, axis=1, prepend=asking.asked.size)
        for hour, chances in enumerate(asking.to_be_reached):
            # Not within the hour in which they ask.
            later = np.r_[chances[hour] + chances[hour + 1 : hour + 2], chances[hour + 2 :]]
            rest = np.clip(1 - later.sum(), 0.0, 1.0)
            drawn = luck.multinomial(asks[:, hour], np.r_[later, rest] / (later.sum() + rest))
            found[:, hour + 1 :] += drawn
            end = hour + LIMIT_HOURS
            late = drawn[:, LIMIT_HOURS:]
            if end < HOURS:
                slow[:, end] += late.sum(1)
                behind[:, end] += late.sum(1)
                behind[:, end + 1 :] -= late
        return (
            np.cumsum(found, axis=1)[:, :HOURS],
            np.cumsum(slow, axis=1)[:, :HOURS],
            np.cumsum(behind, axis=1)[:, :HOURS],
        )

    def _part(self, way: Way) -> float:
        """The share of those who come this way who come to these wards."""
        who = self.inputs.unknown.comers
        mine = np.flatnonzero(who.way == way)
        return float(who.ward[mine[0]] @ self.wards) if mine.size else 1.0

    def _level(self, unsure: Floats, own: float, luck: np.random.Generator) -> Floats:
        """A factor on arrivals for each path and hour: of their level, and of each day."""
        found = np.ones((self.paths, HOURS))
        variance = float(unsure.mean())
        if variance > 0:
            found *= luck.gamma(1 / variance, variance, size=(self.paths, 1))
        if own > 0:
            days = luck.gamma(1 / own, own, size=(self.paths, -(-HOURS // 24)))
            found *= np.repeat(days, 24, axis=1)[:, :HOURS]
        return found

    def _straight(self) -> Counts:
        """How many come straight to one of these wards in each hour."""
        listed, unknown = self.inputs.listed, self.inputs.unknown
        found = self._drawn(listed.coming * (listed.ward @ self.wards)[:, None], self._luck[2])
        who = unknown.comers
        for way in (Way.EMERGENCY, Way.ELECTIVE, Way.OTHER):
            mine = who.way == way
            mean = who.coming[mine].sum(0) * self._part(way)
            level = self._level(unknown.unsure[mine], float(unknown.own[mine][0]), self._luck[2])
            found = found + self._luck[2].poisson(mean * level)
        return found

    def _drawn(self, chances: Floats, luck: np.random.Generator) -> Counts:
        """For each path and hour, how many of these patients (rows of chances) have it then."""
        found = np.zeros((self.paths, HOURS + 1), dtype=np.int64)
        rows = np.arange(self.paths)
        for one in np.cumsum(chances, axis=1):
            found[rows, np.searchsorted(one, luck.uniform(size=self.paths), side="right")] += 1
        return found[:, :HOURS]

    def _room(self) -> Counts:
        """Beds that are open and hold none of those in hospital now, on each path by hour."""
        inputs, luck = self.inputs, self._luck[3]
        people, supply = inputs.residents, inputs.supply
        mine = self.wards[people.ward] & (people.bed != OFF_THE_BOOKS)
        levels, weights = inputs.level.points
        level = luck.choice(levels, size=self.paths, p=weights)
        here = self.wards[inputs.bed_ward] | (supply.ward == 0)
        room = np.tile(supply.usable[here].sum(0) - self._unfit(here), (self.paths, 1))
        rows = np.arange(self.paths)
        by_pattern: dict[bytes, Counts] = {}
        for left, bed in zip(people.left[mine], people.bed[mine], strict=True):
            usable = supply.usable[bed] if bed != NO_BED else np.ones(HOURS, dtype=bool)
            stays = by_pattern.setdefault(
                usable.tobytes(), np.zeros((self.paths, HOURS + 1), dtype=np.int64)
            )
            # Of proportional hazards: left by an hour if 1 - (1 - u) ** (1 / level) is below.
            luck_then = -np.expm1(np.log1p(-luck.uniform(size=self.paths)) / level)
            stays[rows, np.searchsorted(left, luck_then, side="left")] += 1
        for pattern, leaves in by_pattern.items():
            usable = np.frombuffer(pattern, dtype=bool)
            still = leaves.sum(1, keepdims=True) - np.cumsum(leaves, axis=1)[:, :HOURS]
            room = room - still * usable
        return np.asarray(room, dtype=np.int64)

    def _unfit(self, here: Flags) -> int:
        """Beds that have stayed free though somebody waits."""
        asked = self.inputs.asking.asked
        waits_long = bool((asked <= self.inputs.ahead.at - _UNFIT_AFTER).any())
        ready = self.inputs.supply.empty & ~self.inputs.supply.unready
        return int((ready & here).sum()) if waits_long else 0

    def _leave_again(self) -> Floats:
        """The chance in each hour of those who have come since now to leave the site."""
        who: Comers = self.inputs.unknown.comers
        come, there = np.zeros(HOURS), np.zeros(HOURS)
        for way in np.unique(who.way):
            numbers = who.coming[who.way == way].sum(0)
            come += numbers
            there += numbers @ np.exp(-self.inputs.away[way])
        before = np.r_[0.0, there[:-1]]
        gone = before + come - there
        return np.asarray(np.clip(gone / np.maximum(before + come, 1e-9), 0.0, 1.0))
