"""The chance of leaving in each day ahead, learnt from a site's own history. Pure: no Django.

Both models tell the hazard of the spans of 24 hours that follow a moment. The *floor* works from
the first days on: the product-limit estimate (Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481)
by specialty, weekday and day of the stay, drawn towards what is common to all where there are few
stays. The *boosted* model is a discrete-time hazard (Singer JD, Willett JB, J Educ Stat
1993;18:155-195) fitted by gradient boosting to everything that is known of a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from flow.forecasts.clock import DAY
from flow.forecasts.features import CATEGORIES, NAMES, Question, Table, table
from flow.forecasts.history import Indices, Stays
from flow.forecasts.sampling import sample

LEAST: Final = 1e-4
"""No day is without any chance of leaving, and none is certain: a chance of exactly 0 or 1 that
is wrong once costs any log score everything."""
MOMENTS: Final = 120_000
_ENOUGH: Final = 300
"""Departures from which on boosting is tried at all."""
_PRIOR: Final = 8.0
_USUAL: Final = 0.17
"""The hazard of a day where nothing has been seen yet: stays of five to six days."""
_LONGEST: Final = 30

Chances = NDArray[np.float64]


class Model(Protocol):
    """Something that tells the hazard of each day ahead."""

    @property
    def name(self) -> str:
        """Which sort of model it is."""

    def hazards(self, history: Stays, question: Question) -> Chances:
        """The chance of each part of the question."""


@dataclass(frozen=True)
class Floor:
    """The hazard of a day by specialty, weekday of its beginning and day of the stay."""

    rates: NDArray[np.float64]
    name: str = "Kaplan-Meier"

    def hazards(self, history: Stays, question: Question) -> Chances:
        """As in `Model`."""
        keys = _keys(table(history, question), self.rates.shape[0])
        return np.clip(self.rates[keys], LEAST, 1 - LEAST)


def _keys(rows: Table, specialties: int) -> tuple[NDArray[np.int64], ...]:
    column = {name: rows[:, n] for n, name in enumerate(NAMES)}
    return (
        np.minimum(column["specialty"], specialties - 1).astype(np.int64),
        column["weekday"].astype(np.int64),
        np.clip(column["elapsed"] / 24, 0, _LONGEST - 1).astype(np.int64),
    )


def fit_floor(history: Stays, *, since: int, until: int, seed: int = 0) -> Floor:
    """The floor from what was known at `until` of the time from `since` on."""
    rng = np.random.default_rng(seed)
    specialties = max(len(history.codes.get("specialty", ())), 1)
    drawn = sample(history, since=since, until=until, most=MOMENTS, rng=rng)
    near = drawn.question.ahead == 0
    question = drawn.question.only(near)
    left, there = np.zeros((specialties, 7, _LONGEST)), np.zeros((specialties, 7, _LONGEST))
    if question.stays.size:
        keys = _keys(table(history, question), specialties)
        # Moments of one day tell much the same: a day of somebody counts as one.
        hours = max(1.0, 24 * question.stays.size / max(1, _hours(history, since, until)))
        np.add.at(there, keys, 1 / hours)
        np.add.at(left, keys, drawn.left[near] / hours)
    return Floor(_drawn_together(left, there))


def _hours(history: Stays, since: int, until: int) -> int:
    everyone, now = np.arange(len(history)), np.full(len(history), until)
    ended, admitted = history.ended(everyone, now), history.admitted(everyone, now)
    inside = np.minimum(ended, until) - np.maximum(admitted, since)
    return int(np.maximum(inside, 0).sum() // 60)


def _drawn_together(left: NDArray[np.float64], there: NDArray[np.float64]) -> Chances:
    """The hazard of each group, drawn towards that of the wider ones."""
    whole = (left.sum() + _PRIOR * _USUAL) / (there.sum() + _PRIOR)
    by_day = (left.sum((0, 1)) + _PRIOR * whole) / (there.sum((0, 1)) + _PRIOR)
    weekdays = (left.sum((0, 2)) + _PRIOR * whole) / (there.sum((0, 2)) + _PRIOR) / whole
    specialties = (left.sum((1, 2)) + _PRIOR * whole) / (there.sum((1, 2)) + _PRIOR) / whole
    usual = specialties[:, None, None] * weekdays[None, :, None] * by_day[None, None, :]
    return np.asarray((left + _PRIOR * np.minimum(usual, 1)) / (there + _PRIOR))


@dataclass(frozen=True)
class Boosted:
    """A discrete-time hazard fitted by gradient boosting. columns: those that told anything."""

    trees: Any
    columns: Indices
    name: str = "boosted hazard"

    def hazards(self, history: Stays, question: Question) -> Chances:
        """As in `Model`."""
        if not question.stays.size:
            return np.zeros(0)
        found: Chances = self.trees.predict_proba(table(history, question)[:, self.columns])[:, 1]
        return np.clip(found, LEAST, 1 - LEAST)


def fit_boosted(
    history: Stays, *, since: int, until: int, seed: int = 0, most: int = MOMENTS
) -> Boosted | None:
    """The boosted model from what was known at `until`; None where there is too little to learn
    from. The last tenth of the time decides how many trees there are."""
    rng = np.random.default_rng(seed)
    split = until - max((until - since) // 10, DAY)
    early = history.known_by(split)
    learnt = sample(early, since=since, until=split, most=most, rng=rng)
    checked = sample(history, since=split, until=until, most=most // 5, rng=rng)
    if learnt.left.sum() < _ENOUGH or checked.left.sum() < _ENOUGH / 10:
        return None
    rows = table(early, learnt.question)
    columns = np.flatnonzero(_told(rows))
    codes = {NAMES.index(name) for name in (*CATEGORIES, "weekday")}
    trees = HistGradientBoostingClassifier(
        max_iter=400,
        learning_rate=0.08,
        max_leaf_nodes=20,
        min_samples_leaf=100,
        l2_regularization=3.0,
        categorical_features=[n for n, column in enumerate(columns) if column in codes],
        early_stopping=True,
        n_iter_no_change=15,
        random_state=seed,
    )
    trees.fit(
        rows[:, columns],
        learnt.left,
        sample_weight=learnt.weight,
        X_val=table(history, checked.question)[:, columns],
        y_val=checked.left,
        sample_weight_val=checked.weight,
    )
    return Boosted(trees, columns)


def _told(rows: Table) -> NDArray[np.bool_]:
    """Which columns have more than one value."""
    known = ~np.isnan(rows)
    least = np.where(known, rows, np.inf).min(0)
    most = np.where(known, rows, -np.inf).max(0)
    return np.asarray((least < most) | (known.any(0) & ~known.all(0)))
