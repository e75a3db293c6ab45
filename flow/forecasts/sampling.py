"""The rows a hazard is learnt from: days in which somebody might have left. Pure: no Django.

Moments are drawn from all hours in which patients were there, each with equal chance. From each
moment one looks at the days ahead, counted in spans of 24 hours from it: did the stay end in that
span, if it went on until then?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.features import Question
from flow.forecasts.history import NOT_YET, Indices, Stays

DAYS: Final = 14
"""Days ahead that are told."""
_NEAR: Final = 3
"""Of these the first are looked at from every moment, and one of the others."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions with their answers (1: left in that day) and what each row weighs."""

    question: Question
    left: NDArray[np.float64]
    weight: NDArray[np.float64]


def moments(
    history: Stays, *, since: int, until: int, most: int, rng: np.random.Generator
) -> tuple[Indices, NDArray[np.int64]]:
    """Stays and full hours in `[since, until)` in which they went on, every one with equal
    chance; no more than `most`. `history` has to be as it was known at `until`."""
    first = -(-np.maximum(history.admitted, since) // HOUR)
    last = (np.minimum(history.ended, until) - 1) // HOUR
    room = np.where(history.begun_learnt < NOT_YET, np.maximum(0, last - first + 1), 0)
    ends = np.cumsum(room)
    total = int(ends[-1]) if ends.size else 0
    if not total:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    drawn = np.sort(rng.choice(total, size=most, replace=False)) if total > most else np.arange(total)
    stays = np.searchsorted(ends, drawn, side="right")
    return stays, (first[stays] + drawn - (ends[stays] - room[stays])) * HOUR


def sample(
    history: Stays, *, since: int, until: int, most: int, rng: np.random.Generator
) -> Sample:
    """The days ahead of at most `most` moments, as far as their outcome was known at `until`."""
    stays, at = moments(history, since=since, until=until, most=most, rng=rng)
    far = rng.integers(_NEAR, DAYS, size=stays.size)
    leads = np.stack([*(np.full(stays.size, n) for n in range(_NEAR)), far], axis=1)
    weights = np.ones(leads.shape)
    weights[:, _NEAR:] = DAYS - _NEAR
    question = Question(
        np.repeat(stays, _NEAR + 1), np.repeat(at, _NEAR + 1), leads.ravel() * DAY
    )
    ended = history.ended[question.stays]
    there = ended > question.begins
    left = ended <= question.begins + DAY
    decided = there & (np.where(left, ended, question.begins + DAY) <= until)
    kept = question.only(decided)
    # Far days count like the near ones, no more: what is near is asked for most.
    return Sample(kept, left[decided].astype(np.float64), np.sqrt(weights.ravel()[decided]))
