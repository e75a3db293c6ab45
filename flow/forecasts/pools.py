"""Which beds are counted together, and who is in them or may come there. Pure: no Django."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import Floats
from flow.forecasts.inputs import NO_BED, Inputs
from flow.forecasts.outlook import Pool, PoolKind
from flow.forecasts.supply import EITHER, FEMALE, MALE, SEXES

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """A pool and what belongs to it.

    beds: which of the supply. residents: the share of each that counts there (1 or 0, but for
    patients without a bed where beds are for one sex). comers: of a woman and of a man who come to
    each ward, the chance to come to a bed of the pool.
    """

    pool: Pool
    beds: Flags
    residents: Floats
    comers: Floats


def site(inputs: Inputs) -> Share:
    """All beds of the site."""
    return _of_wards(inputs, PoolKind.SITE, "", "", [True] * len(inputs.wards))


def pools(inputs: Inputs, groups: Mapping[str, Collection[str]]) -> list[Share]:
    """The wards, the groups of wards (by name, the kinds of ward in each), the specialties of
    wards, and, where beds are for one sex, for whom beds are."""
    return [
        *_wards(inputs),
        *_groups(inputs, groups),
        *_specialties(inputs),
        *_sexes(inputs),
    ]


def _in_use(inputs: Inputs) -> list[int]:
    """Wards with beds that have any, or a patient."""
    used = np.zeros(len(inputs.wards), dtype=bool)
    used[inputs.bed_ward] = True
    used[inputs.residents.ward] = True
    return [n for n in range(len(inputs.wards)) if inputs.beds[n] and used[n]]


def _wards(inputs: Inputs) -> Iterator[Share]:
    for n in _in_use(inputs):
        mine = [number == n for number in range(len(inputs.wards))]
        ward = inputs.wards[n]
        yield _of_wards(inputs, PoolKind.WARD, str(ward.key), ward.name, mine)


def _groups(inputs: Inputs, groups: Mapping[str, Collection[str]]) -> Iterator[Share]:
    used = {inputs.wards[n].kind for n in _in_use(inputs)}
    for name, kinds in groups.items():
        if used & set(kinds):
            mine = [ward.kind in kinds for ward in inputs.wards]
            yield _of_wards(inputs, PoolKind.GROUP, name, "", mine)


def _specialties(inputs: Inputs) -> Iterator[Share]:
    for name in sorted({inputs.wards[n].specialty for n in _in_use(inputs)} - {""}):
        mine = [ward.specialty == name for ward in inputs.wards]
        yield _of_wards(inputs, PoolKind.SPECIALTY, name, name, mine)


def _of_wards(inputs: Inputs, kind: PoolKind, key: str, name: str, which: Sequence[bool]) -> Share:
    """The beds of these of the wards."""
    mine = np.array(which) & inputs.beds
    pool = Pool(kind, key, name, _keys(inputs, mine))
    weight = mine.astype(np.float64)
    beds = mine[inputs.bed_ward]
    if kind is PoolKind.SITE:
        beds = beds | (inputs.supply.ward == 0)  # more beds, wherever they may be put
    return Share(pool, beds, weight[inputs.residents.ward], np.stack([weight, weight]))


def _sexes(inputs: Inputs) -> Iterator[Share]:
    supply, wards = inputs.supply, len(inputs.wards)
    if not (supply.sex != EITHER).any():
        return
    # How many beds of each ward are for whom; with none listed a ward's are for either.
    number = np.zeros((len(SEXES), wards))
    np.add.at(number, (supply.sex, inputs.bed_ward), 1.0)
    number[EITHER, number.sum(0) == 0] = 1.0
    for sex, key in enumerate(SEXES):
        comers = np.zeros((2, wards))
        for person in (FEMALE, MALE):
            fit = number[person] + number[EITHER]
            if sex in (person, EITHER):
                comers[person] = np.where(fit > 0, number[sex] / np.maximum(fit, 1), sex == EITHER)
        people = inputs.residents
        bed = np.maximum(people.bed, 0)
        women = np.array([1.0, 0.0, 0.5])[np.minimum(people.sexes, EITHER)]
        drawn = women * comers[FEMALE, people.ward] + (1 - women) * comers[MALE, people.ward]
        in_bed = (supply.sex[bed] == sex).astype(np.float64) if supply.sex.size else drawn
        residents = np.where(people.bed >= 0, in_bed, np.where(people.bed == NO_BED, drawn, 0.0))
        yield Share(
            Pool(PoolKind.SEX, key, "", _keys(inputs, inputs.beds)),
            (supply.sex == sex) & inputs.beds[inputs.bed_ward],
            residents,
            comers * inputs.beds,
        )


def _keys(inputs: Inputs, which: Flags) -> tuple[int, ...]:
    return tuple(ward.key for ward, mine in zip(inputs.wards, which, strict=True) if mine)
