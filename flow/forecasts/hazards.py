"""The chance of leaving in each day ahead, learnt from a site's own history. Pure: no Django.

The *floor* works from the first days on: the product-limit estimate (Kaplan EL, Meier P, J Am Stat
Assoc 1958;53:457-481) by specialty, weekday and day of the stay, drawn towards what is common to
all where there are few stays. The *boosted* model is a discrete-time hazard (Singer JD, Willett JB,
J Educ Stat 1993;18:155-195) fitted by gradient boosting to everything that is known of a patient;
it is the mean of a few fits to different moments (bagging: Breiman L, Mach Learn 1996;24:123-140),
which costs little and keeps each fit from trusting single patients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from flow.forecasts.clock import DAY
from flow.forecasts.features import CATEGORIES, NAMES, Question, Table, table
from flow.forecasts.history import Indices, Stays
from flow.forecasts.hours import Hours
from flow.forecasts.sampling import Sample, later, moments, today
from flow.forecasts.threads import one_thread

LEAST: Final = 1e-4
"""No day is without any chance of leaving, and none is certain: a chance of exactly 0 or 1 that
is wrong once costs any log score everything."""
_FLOOR_MOMENTS: Final = 120_000
_ENOUGH: Final = 300
"""Departures from which on boosting is tried at all."""
_CHECKED_DAYS: Final = 28
"""The last days, which decide how many trees there are."""
_PRIOR: Final = 8.0
_ROUNDS: Final = 8
_USUAL: Final = 0.18
"""The hazard of a day where nothing has been seen yet: stays of five to six days."""
LONGEST: Final = 30
"""Days of a stay that are told apart."""

Chances = NDArray[np.float64]
Say = Callable[[str], None]
Change = Callable[[Table], Table]
"""Replaces facts by others before a model is asked."""


def as_known(rows: Table) -> Table:
    """Without any change."""
    return rows


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a boosted model is worth. fits: for what is left of today, averaged; moments:
    looked at by each of them, so that each patient's day is seen at several hours; far_moments: by
    the one fit for the days after."""

    fits: int = 4
    moments: int = 250_000
    far_moments: int = 120_000


class Model(Protocol):
    """Something that tells the chance of each day ahead."""

    @property
    def name(self) -> str:
        """Which sort of model it is."""

    def chances(self, history: Stays, question: Question, change: Change = as_known) -> Chances:
        """The chance of each part of the question, with the facts changed so."""


@dataclass(frozen=True)
class Floor:
    """The hazard of a day by specialty, weekday and day of the stay, spread over its hours."""

    rates: NDArray[np.float64]
    hours: Hours
    name: str = "Kaplan-Meier"

    def chances(self, history: Stays, question: Question, change: Change = as_known) -> Chances:
        """As in `Model`."""
        rates = self.rates[_keys(change(table(history, question)), self.rates.shape[0])]
        found = -np.expm1(-rates * self.hours.left_of(question.begins))
        return np.clip(found, LEAST, 1 - LEAST)


def _keys(rows: Table, specialties: int) -> tuple[NDArray[np.int64], ...]:
    column = {name: rows[:, n] for n, name in enumerate(NAMES)}
    return (
        in_use(column["specialty"], specialties),
        column["weekday"].astype(np.int64),
        np.clip(column["elapsed"] / 24, 0, LONGEST - 1).astype(np.int64),
    )


def fit_floor(history: Stays, hours: Hours, *, since: int, until: int, seed: int = 0) -> Floor:
    """The floor from what was known at `until` of the time from `since` on."""
    rng = np.random.default_rng(seed)
    specialties = specialties_known(history)
    shape = (specialties, 7, LONGEST)
    left, there = np.zeros(shape), np.zeros(shape)
    stays, at = moments(history, since=since, until=until, most=_FLOOR_MOMENTS, rng=rng)
    if stays.size:
        sample = today(history, stays, at, until=until)
        keys = _keys(table(history, sample.question), specialties)
        exposed = hours.left_of(sample.question.begins)
        # The moments of one day tell much the same: what is left of it counts once for all.
        days = max(1.0, float(exposed.sum()))
        weight = min(1.0, days_in_hospital(history, since, until) / days)
        np.add.at(left, keys, weight * sample.left)
        # Whoever left was there for a part of the day alone: for how much of it follows from the
        # hazard, and the hazard from that.
        spent = exposed
        for _ in range(_ROUNDS):
            there[...] = 0
            np.add.at(there, keys, weight * spent)
            spent = spent_of(_drawn_together(left, there)[keys], exposed, sample.left)
    return Floor(_drawn_together(left, there), hours)


def spent_of(rates: Chances, exposed: Chances, left: Chances) -> Chances:
    """How much of the exposure each is expected to have stayed for: all of it, or until leaving."""
    total = np.maximum(rates * exposed, 1e-9)
    until = exposed * (1 / total - 1 / np.expm1(np.minimum(total, 500.0)))
    return np.where(left > 0, until, exposed)


def specialties_known(history: Stays) -> int:
    """How many numbers of specialties were in use by then, 0 for "not known" among them."""
    _, _, values = history.log("specialty").entries()
    return 1 + int(values.max(initial=0))


def in_use(specialty: NDArray[np.float64], known: int) -> NDArray[np.int64]:
    """Numbers of specialties; those met later are not known."""
    return np.where(specialty < known, specialty, 0).astype(np.int64)


def days_in_hospital(history: Stays, since: int, until: int) -> float:
    """Of all patients together, between the two minutes."""
    everyone, now = np.arange(len(history)), np.full(len(history), until)
    ended, admitted = history.ended(everyone, now), history.admitted(everyone, now)
    inside = np.minimum(ended, until) - np.maximum(admitted, since)
    return float(np.maximum(inside, 0).sum()) / DAY


def _drawn_together(left: NDArray[np.float64], there: NDArray[np.float64]) -> Chances:
    """The hazard of each group, drawn towards that of the wider ones."""
    whole = (left.sum() + _PRIOR * _USUAL) / (there.sum() + _PRIOR)
    by_day = (left.sum((0, 1)) + _PRIOR * whole) / (there.sum((0, 1)) + _PRIOR)
    weekdays = (left.sum((0, 2)) + _PRIOR * whole) / (there.sum((0, 2)) + _PRIOR) / whole
    specialties = (left.sum((1, 2)) + _PRIOR * whole) / (there.sum((1, 2)) + _PRIOR) / whole
    usual = specialties[:, None, None] * weekdays[None, :, None] * by_day[None, None, :]
    return np.asarray((left + _PRIOR * usual) / (there + _PRIOR))


@dataclass(frozen=True)
class Boosted:
    """A discrete-time hazard fitted by gradient boosting: fits for what is left of today, and for
    the days after it. columns: of `NAMES`, those that told anything."""

    today: Sequence[Any]
    later: Sequence[Any]
    columns: Indices
    name: str = "boosted hazard"

    def chances(self, history: Stays, question: Question, change: Change = as_known) -> Chances:
        """As in `Model`."""
        found = np.zeros(question.stays.size)
        now = question.begins == question.at
        for which, fits in ((now, self.today), (~now, self.later)):
            if which.any():
                rows = change(table(history, question.only(which)))[:, self.columns]
                with one_thread():
                    found[which] = np.mean([fit.predict_proba(rows)[:, 1] for fit in fits], axis=0)
        return np.clip(found, LEAST, 1 - LEAST)


def fit_boosted(
    history: Stays,
    *,
    since: int,
    until: int,
    seed: int = 0,
    effort: Effort = Effort(),
    say: Say = lambda _: None,
) -> Boosted | None:
    """The boosted model from what was known at `until`; None where there is too little to learn
    from. `say` is told what is done."""
    rng = np.random.default_rng(seed)
    split = until - min((until - since) // 5, _CHECKED_DAYS * DAY)
    early = history.known_by(split)

    def learn(which: str, most: int) -> tuple[Sample, Sample]:
        def ask(known: Stays, a: int, b: int, number: int) -> Sample:
            stays, at = moments(known, since=a, until=b, most=number, rng=rng)
            if which == "today":
                return today(known, stays, at, until=b)
            return later(known, stays, at, until=b, rng=rng)

        return ask(early, since, split, most), ask(history, split, until, most // 4)

    learnt, checked = learn("today", effort.moments)
    if min(_who_left(learnt), _who_left(checked) * 10) < _ENOUGH:
        return None
    columns = np.flatnonzero(_told(table(early, learnt.question)))
    found: dict[str, list[Any]] = {"today": [], "later": []}
    todo = (("today", effort.moments, effort.fits), ("later", effort.far_moments, 1))
    for which, most, number in todo:
        for one in range(number):
            say(f"learning who leaves {which}: fit {one + 1} of {number}")
            learnt, checked = learn(which, most)
            found[which].append(_fit(early, learnt, history, checked, columns, seed + one))
    return Boosted(tuple(found["today"]), tuple(found["later"]), columns)


def _who_left(sample: Sample) -> int:
    return int(np.unique(sample.question.stays[sample.left > 0]).size)


def _fit(
    early: Stays, learnt: Sample, history: Stays, checked: Sample, columns: Indices, seed: int
) -> Any:
    """Fit to the early part until the late part gains nothing more; then so many trees to both."""
    rows = table(early, learnt.question)[:, columns]
    others = table(history, checked.question)[:, columns]
    trial = _trees(columns, seed, 600, early_stopping=True)
    with one_thread():
        trial.fit(rows, learnt.left, X_val=others, y_val=checked.left)
        trees = _trees(columns, seed, max(trial.n_iter_, 1), early_stopping=False)
        trees.fit(np.concatenate([rows, others]), np.concatenate([learnt.left, checked.left]))
    return trees


def _trees(
    columns: Indices, seed: int, trees: int, *, early_stopping: bool
) -> HistGradientBoostingClassifier:
    codes = {NAMES.index(name) for name in (*CATEGORIES, "weekday")}
    return HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=0.05,
        max_leaf_nodes=16,
        min_samples_leaf=60,
        l2_regularization=3.0,
        max_features=0.5,
        categorical_features=[n for n, column in enumerate(columns) if column in codes],
        early_stopping=early_stopping,
        n_iter_no_change=20,
        random_state=seed,
    )


def _told(rows: Table) -> NDArray[np.bool_]:
    """Which columns have more than one value."""
    known = ~np.isnan(rows)
    least = np.where(known, rows, np.inf).min(0)
    most = np.where(known, rows, -np.inf).max(0)
    return np.asarray((least < most) | (known.any(0) & ~known.all(0)))
