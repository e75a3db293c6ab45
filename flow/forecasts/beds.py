"""How many beds will be free, as a distribution for each hour ahead. Pure: no Django.

Free beds of a pool are the open beds less the patients in it:

- Those there now are gone by a chance of their own each: a Poisson-binomial number, given the
  level of all departures. So are those in the emergency department and on lists.
- Of those of whom nothing is known yet the number is negative binomial: a Poisson number (arrivals
  at random, thinned by who has left again) around a mean that is not known exactly.
- What is independent given the level is added exactly (`sums`); over the levels it is a mixture.

A patient in a bed that will be closed takes nobody's bed away and leaves none behind, so that the
two are left out together. Within the three days a patient moves on to one other ward at most.

Whoever finds no bed in one part of a site goes to another or waits in the emergency department:
the part has none free then, and the site as a whole has patients without a bed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flow.forecasts import sums
from flow.forecasts.history import Floats
from flow.forecasts.inputs import NO_BED, Inputs
from flow.forecasts.outlook import Fan, Parts, Pool, PoolKind, Spreads
from flow.forecasts.pools import Share, pools, site
from flow.forecasts.whereabouts import Whereabouts

_FEWER: Final = 3
"""Levels that stand for all in pools smaller than the site."""
_MANY: Final = 80
"""Patients from which on levels are told apart at all: of fewer, what they leave open makes little
odds, and is counted with the variance of those yet to come."""
_RARE: Final = 0.002
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


def pool_fan(inputs: Inputs, groups: Mapping[str, Collection[str]], pool: Pool) -> Fan | None:
    """Free beds of one pool alone, as `fans` would tell them; None where there is no such pool."""
    if pool.kind is PoolKind.SITE:
        return site_fan(inputs)
    shares = [
        share
        for share in pools(inputs, groups)
        if (share.pool.kind, share.pool.key) == (pool.kind, pool.key)
    ]
    return next(map(_held, _fans(inputs, shares)), None)


def fans(inputs: Inputs, groups: Mapping[str, Collection[str]]) -> tuple[Fan, ...]:
    """Free beds of the site's pools; see `pools.pools`."""
    return tuple(map(_held, balances(inputs, groups)))


def balances(inputs: Inputs, groups: Mapping[str, Collection[str]]) -> tuple[Fan, ...]:
    """The same before anybody goes elsewhere who finds no bed: what is below 0 is wanted too."""
    return tuple(_fans(inputs, pools(inputs, groups)))


def _held(fan: Fan) -> Fan:
    return replace(fan, spreads=fan.spreads.not_below(fan.least))


def _fans(inputs: Inputs, shares: Sequence[Share]) -> Iterator[Fan]:
    if not shares:
        return
    where = Whereabouts(inputs, shares)
    levels, weights = _fewer(*inputs.level.points)
    mean = np.array([levels @ weights])
    # Of those who come and go within three days the level makes little odds on a ward.
    big = _Levels(levels, weights, np.full(levels.size, mean[0]))
    small = _Levels(mean, np.ones(1), mean, open=(levels, weights))
    for n, share in enumerate(shares):
        yield _fan(inputs, share, where, n, big if share.residents.sum() >= _MANY else small)


@dataclass(frozen=True, slots=True)
class _Levels:
    """Levels of the hazards of leaving with their weights; and those for patients yet to come.
    open: levels and weights of which only the variance is counted."""

    residents: Floats
    weights: Floats
    comers: Floats
    open: tuple[Floats, Floats] = (np.zeros(0), np.zeros(0))


def _fewer(levels: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """A few levels instead of more, with their weights: means of neighbours."""
    part = np.minimum((np.cumsum(weights) - weights / 2) * _FEWER, _FEWER - 1).astype(np.int64)
    weight = np.bincount(part, weights, _FEWER).astype(np.float64)
    there = weight > 0
    total = np.bincount(part, weights * levels, _FEWER)
    return total[there] / weight[there], weight[there]


@dataclass(frozen=True)
class _Patients:
    """What the number of patients in a pool is the sum of: chances of single patients (levels by
    patients by hours), expected numbers of those with hardly any chance, and expected numbers of
    those of whom nothing is known, with the variance that comes on top (levels by hours)."""

    chances: Floats
    rare: Floats
    unknown: Floats
    excess: Floats

    @property
    def means(self) -> Floats:
        """Levels by hours."""
        return np.asarray(self.chances.sum(1) + self.rare + self.unknown)

    @property
    def variances(self) -> Floats:
        """Levels by hours."""
        single = (self.chances * (1 - self.chances)).sum(1)
        return np.asarray(single + self.rare + self.unknown + self.excess)


def _fan(
    inputs: Inputs,
    share: Share,
    where: Whereabouts,
    number: int,
    levels: _Levels,
) -> Fan:
    usable, put, moved_in = where.usable(number), where.put(), where.moved_in(number)
    leaving = where.on_the_books(number)
    open_beds = inputs.supply.usable[share.beds].sum(0)
    there = usable * put + moved_in
    patients_ahead = _patients(inputs, where, number, there, levels)
    spreads = _spreads(patients_ahead, levels.weights, open_beds)
    patients, free = _now(inputs, share)
    stays = where.stays(float(levels.residents @ levels.weights))
    emergency, listed, unknown = where.coming(number, float(levels.comers[len(levels.comers) // 2]))
    return Fan(
        pool=share.pool,
        patients=patients,
        free_now=free,
        open=open_beds.astype(np.int64),
        spreads=spreads,
        parts=Parts(
            left=(leaving * (1 - stays)).sum(0),
            moved_out=(leaving * stays * (1 - put)).sum(0),
            moved_in=(moved_in * stays).sum(0),
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


def _patients(
    inputs: Inputs, where: Whereabouts, number: int, there: Floats, levels: _Levels
) -> _Patients:
    """there: the chance of everybody in hospital to count in the pool, unless they left the site
    (patients by hours)."""
    often = there.max(1, initial=0.0) > _RARE
    chances, rare, unknown = [], [], []
    for level, comers in zip(levels.residents, levels.comers, strict=True):
        stays = where.stays(float(level))
        emergency, listed, to_come = where.coming(number, float(comers))
        chances.append(np.concatenate([there[often] * stays[often], emergency, listed]))
        rare.append((there[~often] * stays[~often]).sum(0))
        unknown.append(to_come)
    single = np.stack(chances)
    often = single.max((0, 2), initial=0.0) > _RARE
    return _Patients(
        chances=single[:, often],
        rare=np.stack(rare) + single[:, ~often].sum(1),
        unknown=np.stack([one.sum(0) for one in unknown]),
        excess=np.stack([_excess(inputs, one) for one in unknown])
        + np.minimum(_left_open(where, there, levels), unknown[0].sum(0)),
    )


def _left_open(where: Whereabouts, there: Floats, levels: _Levels) -> Floats:
    """The variance of how many are there still, over levels that are not told apart."""
    means = [(there * where.stays(float(level))).sum(0) for level in levels.open[0]]
    if not means:
        return np.zeros(there.shape[1])
    weights = levels.open[1]
    return np.asarray(weights @ np.square(means) - (weights @ np.stack(means)) ** 2)


def _excess(inputs: Inputs, unknown: Floats) -> Floats:
    """The variance that comes on top of a Poisson number's: the level of each way in is common to
    all days, and each day has a factor of its own."""
    who = inputs.unknown
    found = (who.own[:, None] * unknown**2).sum(0)
    deviations = np.sqrt(who.unsure)[:, None] * unknown
    for way in np.unique(who.comers.way):
        found = found + deviations[who.comers.way == way].sum(0) ** 2
    return np.asarray(found)


def _spreads(patients: _Patients, weights: Floats, open_beds: Floats) -> Spreads:
    """Open beds less patients, over all levels."""
    means, variances = patients.means, patients.variances
    most = patients.chances.shape[1] + _most(patients.rare + patients.unknown, patients.excess)
    width = sums.width_for(variances, means, most)
    top = open_beds - np.zeros(means.shape, dtype=np.int64)
    found = np.zeros((*means.shape, width))
    known: dict[bytes, sums.Transform] = {}
    for n in range(weights.size):
        # Of those yet to come the same holds at every level, but for the whole site.
        key = patients.unknown[n].tobytes()
        if key not in known:
            known[key] = sums.counts(patients.unknown[n], patients.excess[n], width)
        transform = _single(patients, n, width) * known[key]
        lowest, found[n] = sums.chances(transform, means[n], width)
        top[n] -= lowest
    # Of each level and hour the highest number of free beds, and how far below it goes.
    first, last = int(top.min()) - width + 1, int(top.max())
    total = np.zeros((means.shape[1], last - first + 1))
    hours = np.arange(means.shape[1])[:, None]
    for n, weight in enumerate(weights):
        total[hours, top[n, :, None] - np.arange(width) - first] += weight * found[n]
    return _trimmed(first, total)


def _single(patients: _Patients, level: int, width: int) -> sums.Transform:
    """The number of single patients at one level: a row for each hour."""
    chances, rare = patients.chances[level], patients.rare[level]
    often = chances.max(1, initial=0.0) > sums.SELDOM
    found = sums.events(chances[often].T, width)
    return np.asarray(found * sums.seldom(chances[~often].T, rare, width))


def _most(means: Floats, excess: Floats) -> int:
    """A number that what is Poisson, or wider, does not exceed."""
    variance = means + excess
    skew = variance / np.maximum(means, 1.0)
    return int((means + 12 * (np.sqrt(variance) + skew)).max(initial=0.0)) + 12


def _trimmed(lowest: int, chances: Floats) -> Spreads:
    told = chances.max(0) > _NOTHING
    first = int(told.argmax())
    last = told.size - int(told[::-1].argmax())
    kept = chances[:, first:last]
    return Spreads(lowest + first, kept / kept.sum(1, keepdims=True))
