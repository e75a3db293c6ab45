"""How many beds will be free, as a distribution for each hour ahead. Pure: no Django.

Free beds of a pool are the open beds less the patients in it:

- Those there now are gone by a chance of their own each: a Poisson-binomial number, given the
  level of all departures. So are those in the emergency department and on lists.
- Of those of whom nothing is known yet the number is negative binomial: a Poisson number (arrivals
  at random, thinned by who has left again) around a mean that is not known exactly.
- What is independent given the level is added exactly (`sums`); over the levels it is a mixture.

A patient in a bed that will be closed takes nobody's bed away and leaves none behind, so that the
two are left out together. Within the three days a patient moves on to one other ward at most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts import sums
from flow.forecasts.history import Floats
from flow.forecasts.inputs import NO_BED, Inputs
from flow.forecasts.level import lifted
from flow.forecasts.outlook import Fan, Parts, Spreads
from flow.forecasts.pools import Share, pools, site
from flow.forecasts.whereabouts import Whereabouts

_FEWER: Final = 3
"""Levels that stand for all in pools smaller than the site."""
_RARE: Final = 0.004
"""Patients whose chance to be in a pool never exceeds this are counted in it as a Poisson number:
the error is less than the sum of their squared chances (Le Cam L, Pac J Math 1960;10:1181-1197)."""
_NOTHING: Final = 1e-9
"""Numbers at either end whose chances never exceed this are not told."""


def site_fan(inputs: Inputs) -> Fan:
    """Free beds of the whole site alone: what a slider needs."""
    share = site(inputs)
    where = Whereabouts(inputs, [share], whole=True)
    levels, weights = inputs.level.points
    return _fan(inputs, share, where, 0, _Levels(levels, weights, levels))


def fans(inputs: Inputs, groups: Mapping[str, Collection[str]]) -> tuple[Fan, ...]:
    """Free beds of the site's pools; see `pools.pools`."""
    shares = pools(inputs, groups)
    where = Whereabouts(inputs, shares)
    levels, weights = _fewer(*inputs.level.points)
    # Of those who come and go within three days the level makes little odds on a ward.
    points = _Levels(levels, weights, np.full(levels.size, levels @ weights))
    return tuple(_fan(inputs, share, where, n, points) for n, share in enumerate(shares))


@dataclass(frozen=True, slots=True)
class _Levels:
    """Levels of the hazards of leaving with their weights; and those for patients yet to come."""

    residents: Floats
    weights: Floats
    comers: Floats


def _fewer(levels: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """A few levels instead of more, with their weights: means of neighbours."""
    part = np.minimum((np.cumsum(weights) - weights / 2) * _FEWER, _FEWER - 1).astype(np.int64)
    weight = np.bincount(part, weights, _FEWER).astype(np.float64)
    there = weight > 0
    total = np.bincount(part, weights * levels, _FEWER)
    return total[there] / weight[there], weight[there]


@dataclass(frozen=True)
class _Rows:
    """Of each level and hour (in this order), what a number of patients is the sum of: chances
    (in columns), the mean of what is Poisson, and the variance that comes on top of that."""

    chances: Floats
    means: Floats
    excess: Floats


def _fan(
    inputs: Inputs,
    share: Share,
    where: Whereabouts,
    number: int,
    levels: _Levels,
) -> Fan:
    people = inputs.residents
    there, usable = where.residents(number), where.usable(number)
    open_beds = inputs.supply.usable[share.beds].sum(0)
    rows = _rows(inputs, where, number, there, levels)
    spreads = _spreads(rows, levels.weights, open_beds)
    patients, free = _now(inputs, share)
    mean = float(levels.residents @ levels.weights)
    stays = 1 - lifted(people.left, mean)
    emergency, listed, unknown = where.coming(number, float(levels.comers[len(levels.comers) // 2]))
    return Fan(
        pool=share.pool,
        patients=patients,
        free_now=free,
        open=open_beds.astype(np.int64),
        spreads=spreads,
        parts=Parts(
            left=(usable * (1 - stays)).sum(0),
            moved_out=(usable * stays * (1 - where.put(number))).sum(0),
            moved_in=(where.moved_in(number) * stays).sum(0),
            emergency=emergency.sum(0),
            listed=listed.sum(0),
            to_come=unknown.sum(0),
        ),
    )


def _now(inputs: Inputs, share: Share) -> tuple[int, int]:
    """Patients in the pool and its free beds at the moment of the forecast."""
    people = inputs.residents
    bedless = share.residents[people.bed == NO_BED].sum()
    patients = round(float(share.residents.sum()))
    return patients, int(inputs.supply.empty[share.beds].sum()) - round(float(bedless))


def _rows(inputs: Inputs, where: Whereabouts, number: int, there: Floats, levels: _Levels) -> _Rows:
    chances, means, excess = [], [], []
    often = there.max(1, initial=0.0) > _RARE
    for level, comers in zip(levels.residents, levels.comers, strict=True):
        stays = 1 - lifted(inputs.residents.left, float(level))
        emergency, listed, unknown = where.coming(number, float(comers))
        single = np.concatenate([there[often] * stays[often], emergency, listed])
        seldom = single.max(1, initial=0.0) <= _RARE
        chances.append(single[~seldom].T)
        rare = (there[~often] * stays[~often]).sum(0)
        means.append(rare + single[seldom].sum(0) + unknown.sum(0))
        excess.append(_excess(inputs, unknown))
    size = max(part.shape[1] for part in chances)
    padded = [np.pad(part, ((0, 0), (0, size - part.shape[1]))) for part in chances]
    return _Rows(np.concatenate(padded), np.concatenate(means), np.concatenate(excess))


def _excess(inputs: Inputs, unknown: Floats) -> Floats:
    """The variance that comes on top of a Poisson number's: the level of each way in is common to
    all days, and each day has a factor of its own."""
    who = inputs.unknown
    found = (who.own[:, None] * unknown**2).sum(0)
    deviations = np.sqrt(who.unsure)[:, None] * unknown
    for way in np.unique(who.comers.way):
        found = found + deviations[who.comers.way == way].sum(0) ** 2
    return np.asarray(found)


def _spreads(rows: _Rows, weights: Floats, open_beds: Floats) -> Spreads:
    """Open beds less patients, over all levels."""
    means = rows.chances.sum(1) + rows.means
    variances = (rows.chances * (1 - rows.chances)).sum(1) + rows.means + rows.excess
    most = rows.chances.shape[1] + _most(rows)
    width = sums.width_for(variances, means, most)
    transform = np.concatenate(
        [
            sums.events(rows.chances[part], width)
            * sums.counts(rows.means[part], rows.excess[part], width)
            for part in _parts(rows.means.size)
        ]
    )
    lowest, found = sums.chances(transform, means, width)
    hours = open_beds.size
    # Of each row the highest number of free beds, and how far below it goes.
    top = np.tile(open_beds, weights.size) - lowest
    first, last = int((top - width + 1).min()), int(top.max())
    mixed = np.zeros((hours, last - first + 1))
    for n, weight in enumerate(weights):
        mine = slice(n * hours, (n + 1) * hours)
        columns = top[mine, None] - np.arange(width) - first
        mixed[np.arange(hours)[:, None], columns] += weight * found[mine]
    return _trimmed(first, mixed)


def _most(rows: _Rows) -> int:
    """A number that what is Poisson does not exceed."""
    variance = rows.means + rows.excess
    skew = variance / np.maximum(rows.means, 1.0)
    return int((rows.means + 12 * (np.sqrt(variance) + skew)).max(initial=0.0)) + 12


def _parts(rows: int) -> list[slice]:
    """Rows worked on at a time, so that all of it stays near the processor."""
    return [slice(first, min(first + 36, rows)) for first in range(0, rows, 36)]


def _trimmed(lowest: int, chances: Floats) -> Spreads:
    told = chances.max(0) > _NOTHING
    first = int(told.argmax())
    last = told.size - int(told[::-1].argmax())
    kept = chances[:, first:last]
    return Spreads(lowest + first, kept / kept.sum(1, keepdims=True))
