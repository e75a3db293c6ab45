"""Small inputs drawn from a seed, and their distributions by writing every outcome out."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import WardFacts
from flow.forecasts.horizon import Horizon
from flow.forecasts.inputs import NO_BED, OFF_THE_BOOKS, Asking, Comers, Inputs, Residents, Unknown
from flow.forecasts.leaving import HOURS
from flow.forecasts.level import Level, Levels
from flow.forecasts.outlook import Spread
from flow.forecasts.supply import Supply
from tests.forecasts.hospital import START

AT = START + 22 * 24 * 60 + 10 * 60
WARDS = (
    WardFacts(0, "", "", "", counts=False),
    WardFacts(1, "ED", "emergency", "", counts=False),
    WardFacts(2, "AMU", "assessment", "acute", counts=True),
    WardFacts(3, "Ward 3", "inpatient", "surgery", counts=True),
    WardFacts(4, "Ward 4", "inpatient", "medicine", counts=True),
)
BEDS = np.array([ward.key > 1 for ward in WARDS])
Floats = NDArray[np.float64]


def certain() -> Level:
    """The level is known to be 1."""
    weights = Levels().common.weights
    return Level(np.eye(weights.size)[weights.size // 2])


def comers(rng: np.random.Generator, number: int, *, mean: float = 1.0) -> Comers:
    coming = rng.uniform(0, 1, (number, HOURS)) ** 4
    coming = mean * coming / coming.sum(1, keepdims=True) * rng.uniform(0.2, 1, (number, 1))
    ward = rng.uniform(0, 1, (number, len(WARDS))) * BEDS
    return Comers(
        coming=coming,
        ward=ward / ward.sum(1, keepdims=True),
        way=rng.integers(0, 4, number),
        factor=rng.choice([1.0, 1.5], number),
        women=np.repeat(rng.uniform(0, 1, (number, 1)), len(WARDS), axis=1),
    )


def survival(rng: np.random.Generator, most: float, people: int) -> Floats:
    """Chances to be there still, where chances an hour to go are `most` at most."""
    return np.asarray(np.cumprod(1 - rng.uniform(0, most, (people, HOURS)), axis=1), dtype=float)


def nobody() -> Comers:
    return Comers(
        np.zeros((0, HOURS)), np.zeros((0, len(WARDS))), np.zeros(0, dtype=np.int64),
        np.zeros(0), np.zeros((0, len(WARDS))),
    )  # fmt: skip


def small(
    seed: int, *, beds: int = 7, people: int = 5, come: int = 2, unknown: float = 0.0
) -> Inputs:
    """A hospital of a few beds on three wards. unknown: expected number of those yet to come."""
    rng = np.random.default_rng(seed)
    ahead = Horizon(AT)
    ward = rng.integers(2, 5, people)
    bed_ward = np.concatenate([ward, rng.integers(2, 5, max(0, beds - people))])[:beds]
    bed = np.where(np.arange(people) < beds, np.arange(people), NO_BED)
    bed = np.where(rng.uniform(size=people) < 0.15, OFF_THE_BOOKS, bed)
    used = np.isin(np.arange(beds), bed)
    usable = np.cumsum(rng.uniform(size=(beds, HOURS)) < 0.01, axis=1) == 0
    moves = rng.uniform(0, 1, (len(WARDS), len(WARDS))) * BEDS
    np.fill_diagonal(moves, 0)
    later = np.triu(np.ones((HOURS, HOURS)))
    steps = np.arange(HOURS)[None, :] - np.arange(HOURS)[:, None] + 0.5
    rest = comers(rng, 4, mean=unknown)
    return Inputs(
        ahead=ahead,
        wards=WARDS,
        beds=BEDS,
        supply=Supply(
            ward=bed_ward, sex=rng.integers(0, 3, beds), usable=usable,
            patient=np.where(used, np.arange(beds) + 100, 0), empty=~used & usable[:, 0],
            unready=np.zeros(beds, dtype=bool),
        ),
        residents=Residents(
            keys=np.arange(people) + 100, ward=ward, bed=bed, sexes=rng.integers(0, 2, people),
            left=1 - survival(rng, 0.05, people),
            put=survival(rng, 0.03, people),
            onward=(moves / moves.sum(1, keepdims=True))[ward],
            ready=np.where(rng.uniform(size=people) < 0.6, AT - rng.uniform(0, 9999, people),
                           np.nan),
            pathway=rng.integers(0, 3, people).astype(np.float64),
        ),
        emergency=comers(rng, come),
        listed=comers(rng, come),
        unknown=Unknown(
            comers=replace(rest, way=np.arange(4), factor=np.ones(4)),
            day=np.zeros(4, dtype=np.int64), unsure=np.zeros(4), own=np.zeros(4),
        ),
        asking=Asking(
            asked=np.zeros(0, dtype=np.int64), needs=np.zeros((0, HOURS)),
            to_come=np.zeros(HOURS), unsure=np.zeros(HOURS), own=0.0, has=True,
            reached=np.zeros((0, HOURS)), to_be_reached=np.eye(HOURS),
        ),
        level=certain(),
        away=np.where(later > 0, np.stack([steps * rate for rate in (0.01, 0.02, 0.03, 0.04)]),
                      np.inf),
        put_from=np.where(later > 0, np.exp(-0.02 * steps), 1.0)[None].repeat(len(WARDS), 0),
        moves=moves / moves.sum(1, keepdims=True),
        days_known=100.0,
        marks=(),
    )  # fmt: skip


def shares(inputs: Inputs, ward: int | None, hour: int, level: float = 1.0) -> list[float]:
    """The chance of each single patient to count on a ward (None: on the site), one by one."""
    found = []
    people, supply = inputs.residents, inputs.supply
    for n in range(people.keys.size):
        stays = (1 - people.left[n, hour]) ** level
        bed, put = people.bed[n], people.put[n, hour]
        usable = 0.0 if bed == OFF_THE_BOOKS else 1.0 if bed == NO_BED else float(
            supply.usable[bed, hour])  # fmt: skip
        if ward is None:
            found.append(stays * (put * usable + (1 - put)))
            if usable:
                found[-1] = stays
        else:
            own = put * usable if people.ward[n] == ward else 0.0
            found.append(stays * (own + (1 - put) * people.onward[n, ward]))
    for who in (inputs.emergency, inputs.listed):
        for n in range(who.way.size):
            total = 0.0
            for come in range(hour + 1):
                stays = math.exp(-inputs.away[who.way[n], come, hour] * who.factor[n] * level)
                there = 0.0
                for first in range(len(WARDS)):
                    put = inputs.put_from[first, come, hour]
                    here = 1.0 if ward is None else float(first == ward)
                    then = 1.0 if ward is None else inputs.moves[first, ward]
                    there += who.ward[n, first] * (put * here + (1 - put) * then)
                total += who.coming[n, come] * stays * there
            found.append(total)
    return found


def written_out(chances: list[float], beds: int) -> Spread:
    """Beds less those who are there, over every outcome."""
    found = np.zeros(len(chances) + 1)
    for outcome in itertools.product((0, 1), repeat=len(chances)):
        found[len(chances) - sum(outcome)] += math.prod(
            p if there else 1 - p for p, there in zip(chances, outcome, strict=True)
        )
    return Spread(beds - len(chances), found)


def same(one: Spread, other: Spread) -> float:
    """The greatest difference of two distributions' chances."""
    low = min(one.lowest, other.lowest)
    high = max(one.lowest + one.chances.size, other.lowest + other.chances.size)
    rows = []
    for each in (one, other):
        row = np.zeros(high - low)
        row[each.lowest - low : each.lowest - low + each.chances.size] = each.chances
        rows.append(row)
    return float(np.abs(rows[0] - rows[1]).max())
