"""What speaks until boosting can: hazards by how far a discharge has come. Pure: no Django.

The floor (`hazards.Floor`) knows specialty, weekday and day of the stay. A week of history is
enough to learn more than that: somebody whose discharge is announced leaves far sooner than
somebody who meets criteria to reside. Here a hazard is a product of factors, each of a group of
patients; the factors are those of greatest likelihood under a gamma prior around 1 (a
proportional-hazards model with piecewise constant hazards: Holford TR, Biometrics
1980;36:299-305), so that a group of which little has been seen changes little. For a stage the
prior is around what those have of whom nothing is known: a hospital that begins to tell of reviews
one morning has not changed that day, and what a fact means is learnt from who leaves with it. When
within a day somebody left is not used: its exposure is what is to be expected (Dempster AP, Laird
NM, Rubin DB, J R Stat Soc B 1977;39:1-38). Where none of these facts is recorded, it
says what the floor does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.features import NAMES, Question, Table, table
from flow.forecasts.hazards import (
    LEAST,
    LONGEST,
    Change,
    as_known,
    days_in_hospital,
    in_use,
    specialties_known,
    spent_of,
)
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.hours import Hours
from flow.forecasts.sampling import Sample, later, moments, today

_MOMENTS: Final = 120_000
_PRIOR: Final = 8.0
"""Departures that count for a factor of 1 beside those that were seen."""
_USUAL: Final = 0.18
_WEEKEND: Final = 0.75
"""What hazards of a weekend are taken to be, of those of other days, until some have been seen."""
_ROUNDS: Final = 20
_SATURDAY: Final = 5
_STAGES: Final = 5
_DUE: Final = 3
_HOURS: Final = (8, 11, 14, 17, 20)
_LEADS: Final = (36, 60, 108)
"""Hours from which on a day is tomorrow no more, nor the day after, nor one of the next."""


@dataclass(frozen=True)
class Factors:
    """A hazard per day as a product of `usual` and a factor for each of some groups."""

    usual: float
    each: tuple[Floats, ...]
    specialties: int

    def rates(self, rows: Table) -> Floats:
        """Of each row of `features.table`."""
        return _rates(self.usual, self.each, _groups(rows, self.specialties))


def _rates(usual: float, each: Sequence[Floats], groups: Sequence[Indices]) -> Floats:
    found = np.full(groups[0].size, usual)
    for factors, group in zip(each, groups, strict=True):
        found *= factors[group]
    return found


def _sizes(specialties: int) -> tuple[int, ...]:
    stages, hours, leads = _STAGES * _DUE, len(_HOURS) + 1, len(_LEADS) + 1
    return (
        specialties, 7, LONGEST, stages, hours, leads,
        stages * hours, stages * leads, stages * specialties, stages * 2,
        specialties * 7, specialties * LONGEST,
    )  # fmt: skip


_MAIN: Final = 6
"""So many of the kinds of group stand alone; the others are pairs of them."""
_STAGED: Final = frozenset({3, 6, 7, 8, 9})
"""The kinds that tell stages apart, each stage in one stretch, the first without any fact."""


def _groups(rows: Table, specialties: int) -> tuple[Indices, ...]:
    """The groups that each row belongs to, one of each kind, in the order of `_sizes`."""
    column = {name: rows[:, n] for n, name in enumerate(NAMES)}
    specialty = in_use(column["specialty"], specialties)
    weekday = column["weekday"].astype(np.int64)
    day = np.clip(column["elapsed"] / 24, 0, LONGEST - 1).astype(np.int64)
    stage = _stages(column["ready"], column["arranged"], column["announced"])
    stage = stage * _DUE + _due(column["to_plan"], column["hour"])
    hour = np.digitize(column["hour"], _HOURS)
    lead = np.digitize(column["lead"], _LEADS)
    return (
        specialty, weekday, day, stage, hour, lead,
        stage * (len(_HOURS) + 1) + hour, stage * (len(_LEADS) + 1) + lead,
        stage * specialties + specialty, stage * 2 + (weekday >= _SATURDAY),
        specialty * 7 + weekday, specialty * LONGEST + day,
    )  # fmt: skip


def _stages(ready: Floats, arranged: Floats, announced: Floats) -> Indices:
    """How far a discharge has come: nothing known, criteria to reside met, not met, something
    arranged, announced."""
    found = np.zeros(ready.size, dtype=np.int64)
    found[ready == 0] = 1
    found[ready > 0] = 2
    found[arranged > 0] = 3
    found[announced > 0] = 4
    return found


def _due(to_plan: Floats, hour: Floats) -> Indices:
    """Whether the team expects the patient to have left by the end of that day: nothing said, not
    yet, or by then."""
    return np.where(np.isnan(to_plan), 0, 1 + (to_plan + 24 - hour > 0)).astype(np.int64)


@dataclass(frozen=True)
class Staged:
    """Hazards by how far a discharge has come, for what is left of today and for later days."""

    today: Factors
    later: Factors
    hours: Hours
    name: str = "staged hazard"

    def chances(self, history: Stays, question: Question, change: Change = as_known) -> Floats:
        """As in `hazards.Model`."""
        rows = change(table(history, question))
        is_now = question.begins == question.at
        rates = np.where(is_now, self.today.rates(rows), self.later.rates(rows))
        found = -np.expm1(-rates * self.hours.left_of(question.begins))
        return np.clip(found, LEAST, 1 - LEAST)


def fit_staged(history: Stays, hours: Hours, *, since: int, until: int, seed: int = 0) -> Staged:
    """From what was known at `until` of the time from `since` on."""
    rng = np.random.default_rng(seed)
    stays, at = moments(history, since=since, until=until, most=_MOMENTS, rng=rng)
    specialties = specialties_known(history)
    days = days_in_hospital(history, since, until)
    now = today(history, stays, at, until=until)
    then = later(history, stays, at, until=until, rng=rng)
    return Staged(
        _fit(history, now, hours, specialties, days),
        _fit(history, then, hours, specialties, days),
        hours,
    )


def _fit(history: Stays, sample: Sample, hours: Hours, specialties: int, days: float) -> Factors:
    usually = [np.ones(size) for size in _sizes(specialties)]
    usually[1][_SATURDAY:] = _WEEKEND
    each = [factors.copy() for factors in usually]
    if not sample.left.size:
        return Factors(_USUAL, tuple(each), specialties)
    groups = _groups(table(history, sample.question), specialties)
    exposed = hours.left_of(sample.question.begins)
    # The moments of one day tell much the same: what is left of it counts once for all.
    weight = min(1.0, days / max(1.0, float(exposed.sum())))
    left = weight * sample.left
    usual, rates = _USUAL, np.full(left.size, _USUAL)
    # What one group tells alone comes first, so that a pair never seen before loses nothing of it.
    for kinds in (range(_MAIN), range(_MAIN, len(groups))):
        for _ in range(_ROUNDS):
            spent = weight * spent_of(rates, exposed, sample.left)
            more = (left.sum() + _PRIOR) / (rates @ spent + _PRIOR * usual / _USUAL)
            usual, rates = usual * more, rates * more
            for number in kinds:
                group, before = groups[number], each[number]
                came = np.bincount(group, left, before.size)
                expected = np.bincount(group, rates * spent, before.size) / before
                if number in _STAGED:
                    _centre(usually[number], came, expected)
                each[number] = _likeliest(came, expected, usually[number])
                rates *= (each[number] / before)[group]
    return Factors(float(usual), tuple(each), specialties)


def _centre(usually: Floats, came: NDArray[Any], expected: Floats) -> None:
    """Put the priors of what is told of a discharge around what there is where it is not told: of
    an expected date around none, and then of each stage around the first."""
    by_stage = usually.reshape(_STAGES, _DUE, -1)
    found = _likeliest(came, expected, usually).reshape(by_stage.shape)
    by_stage[0, 1:] = found[0, 0]
    by_stage[1:] = _likeliest(came, expected, usually).reshape(by_stage.shape)[0]


def _likeliest(came: NDArray[Any], expected: Floats, usually: Floats) -> Floats:
    """The factors under a gamma prior around what they usually are."""
    return (came + _PRIOR) / (expected + _PRIOR / usually)
