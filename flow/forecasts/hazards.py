"""The chance of leaving in each hour ahead, learnt from a site's own history. Pure: no Django.

Two models of the same thing. The *floor* works from the first days on: the product-limit estimate
(Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481) by specialty, weekday and days in hospital,
drawn towards what is common to all where there are few stays. The *boosted* model is a discrete-
time hazard (Singer JD, Willett JB, J Educ Stat 1993;18:155-195) fitted by gradient boosting to
everything that is known of a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.features import CATEGORIES, NAMES, Question, table
from flow.forecasts.history import NOT_YET, Indices, Stays
from flow.forecasts.sampling import sample

HOURS: Final = 72
"""Hours ahead that are told one by one."""
LEAST: Final = 1e-6
"""No hour is without any chance of leaving, and none is certain: a chance of exactly 0 or 1 that
is wrong once costs any log score everything."""
ROWS: Final = 600_000
_ENOUGH: Final = 400
"""Departures from which on boosting is tried at all."""
_PRIOR: Final = 8.0
_USUAL: Final = 0.18
"""Departures a day of those present, where nothing has been seen yet: stays of five to six days."""
_DAYS: Final = 30

Chances = NDArray[np.float64]


class Model(Protocol):
    """Something that tells the hazard of each hour ahead."""

    @property
    def name(self) -> str:
        """Which sort of model it is."""

    def hazards(self, history: Stays, who: Indices, at: int, leads: Indices) -> Chances:
        """For each stay (rows) the chance that it ends in the hour that begins so many hours
        after `at` (columns), if it goes on until then."""


def _asked(who: Indices, at: int, leads: Indices) -> Question:
    return Question(
        np.repeat(who, leads.size),
        np.full(who.size * leads.size, at, dtype=np.int64),
        np.tile(leads, who.size),
    )


@dataclass(frozen=True)
class Floor:
    """Departures an hour by specialty, weekday and day of the stay, times the share of the hour.

    rates: a day, `[specialty, weekday, day]`; hours: the share of each local hour, times 24.
    """

    rates: NDArray[np.float64]
    hours: NDArray[np.float64]
    name: str = "Kaplan-Meier"

    def hazards(self, history: Stays, who: Indices, at: int, leads: Indices) -> Chances:
        """As in `Model`."""
        rows = table(history, _asked(who, at, leads))
        column = {name: rows[:, n] for n, name in enumerate(NAMES)}
        specialty = np.minimum(column["specialty"], self.rates.shape[0] - 1).astype(int)
        day = np.clip(column["elapsed"] / 24, 0, _DAYS - 1).astype(int)
        rate = self.rates[specialty, column["weekday"].astype(int), day] / 24
        rate = rate * self.hours[column["hour"].astype(int)]
        return np.clip(1 - np.exp(-rate), LEAST, 1 - LEAST).reshape(who.size, leads.size)


def fit_floor(history: Stays, *, since: int, until: int) -> Floor:
    """The floor from what was known at `until` of the time from `since` on."""
    specialties = max(len(history.codes.get("specialty", ())), 1)
    shape = (specialties, 7, _DAYS)
    left, there = np.zeros(shape), np.zeros(shape)
    by_hour = np.ones(24)
    first = np.maximum(history.admitted, since)
    last = np.minimum(history.ended, until)
    known = (history.begun_learnt < NOT_YET) & (last > first)
    for lead in range(_DAYS * 24 // 6):
        # A quarter of a day at a time, counted from the admission.
        begins = history.admitted + lead * 6 * HOUR
        inside = known & (begins < last) & (begins + 6 * HOUR > first)
        who = np.flatnonzero(inside)
        if who.size:
            _tally(history, who, begins, first, last, until, left, there, by_hour)
    return Floor(_drawn_together(left, there), by_hour / by_hour.mean())


def _tally(
    history: Stays,
    who: Indices,
    begins: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    until: int,
    left: NDArray[np.float64],
    there: NDArray[np.float64],
    by_hour: NDArray[np.float64],
) -> None:
    """Add a quarter of a day of these stays to the counts."""
    start = np.maximum(begins[who], first[who])
    stop = np.minimum(begins[who] + 6 * HOUR, last[who])
    zero = np.zeros(who.size, dtype=np.int64)
    rows = table(history, Question(who, start, zero))
    column = {name: rows[:, n] for n, name in enumerate(NAMES)}
    specialty, weekday = column["specialty"].astype(int), column["weekday"].astype(int)
    day = np.clip((start - history.admitted[who]) // DAY, 0, _DAYS - 1)
    key = specialty, weekday, day
    np.add.at(there, key, (stop - start) / DAY)
    gone = (history.ended[who] < until) & (history.ended[who] == stop)
    np.add.at(left, tuple(part[gone] for part in key), 1)
    ended = history.ended[who][gone]
    hours = table(history, Question(who[gone], ended, zero[gone]))[:, NAMES.index("hour")]
    np.add.at(by_hour, hours.astype(int), 1)


def _drawn_together(
    left: NDArray[np.float64], there: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Departures a day, each group drawn towards the wider one above it."""
    whole = (left.sum() + _PRIOR * _USUAL) / (there.sum() + _PRIOR)
    by_day = (left.sum((0, 1)) + _PRIOR * whole) / (there.sum((0, 1)) + _PRIOR)
    weekdays = (left.sum((0, 2)) + _PRIOR * whole) / (there.sum((0, 2)) + _PRIOR) / whole
    specialties = (left.sum((1, 2)) + _PRIOR * whole) / (there.sum((1, 2)) + _PRIOR) / whole
    expected = specialties[:, None, None] * weekdays[None, :, None] * by_day[None, None, :]
    return np.asarray((left + _PRIOR * expected) / (there + _PRIOR))


@dataclass(frozen=True)
class Boosted:
    """A discrete-time hazard fitted by gradient boosting. columns: those that told anything."""

    trees: Any
    columns: NDArray[np.int64]
    name: str = "boosted hazard"

    def hazards(self, history: Stays, who: Indices, at: int, leads: Indices) -> Chances:
        """As in `Model`."""
        rows = table(history, _asked(who, at, leads))[:, self.columns]
        found = self.trees.predict_proba(rows)[:, 1]
        return np.clip(found, LEAST, 1 - LEAST).reshape(who.size, leads.size)


def fit_boosted(
    history: Stays, *, since: int, until: int, seed: int = 0, rows: int = ROWS
) -> Boosted | None:
    """The boosted model from what was known at `until`; None where there is too little to learn
    from. The last tenth of the time decides how many trees there are."""
    rng = np.random.default_rng(seed)
    split = until - (until - since) // 10
    learnt = sample(history, since=since, until=split, hours=HOURS, rows=rows, rng=rng)
    checked = sample(history, since=split, until=until, hours=HOURS, rows=rows // 6, rng=rng)
    if learnt.left.sum() < _ENOUGH or checked.left.sum() < 60:
        return None
    rows_learnt = table(history, learnt.question)
    columns = np.flatnonzero(np.nanmin(rows_learnt, 0) < np.nanmax(rows_learnt, 0))
    codes = {NAMES.index(name) for name in (*CATEGORIES, "weekday")}
    trees = HistGradientBoostingClassifier(
        max_iter=300,
        learning_rate=0.06,
        max_leaf_nodes=12,
        min_samples_leaf=80,
        l2_regularization=2.0,
        categorical_features=[n for n, column in enumerate(columns) if column in codes],
        early_stopping=True,
        n_iter_no_change=12,
        random_state=seed,
    )
    trees.fit(
        rows_learnt[:, columns],
        learnt.left,
        sample_weight=learnt.weight,
        X_val=table(history, checked.question)[:, columns],
        y_val=checked.left,
        sample_weight_val=checked.weight,
    )
    return Boosted(trees, columns)


def by_then(hazards: Chances) -> Chances:
    """The chance of having left by the end of each hour, from the hazards of the hours."""
    return np.asarray(1 - np.cumprod(1 - hazards, axis=1))
