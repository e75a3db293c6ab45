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

from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.features import Question
from flow.forecasts.history import Indices, Stays

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
) -> tuple[Indices, Minutes]:
    """Stays and full hours in `[since, until)` in which they went on and were known to be in
    hospital, every one with equal chance; about `most` at most. `history` as known at `until`."""
    everyone, now = np.arange(len(history)), np.full(len(history), until)
    admitted, ended = history.admitted(everyone, now), history.ended(everyone, now)
    first = -(-np.maximum(admitted, since) // HOUR)
    last = (np.minimum(ended, until) - 1) // HOUR
    room = np.maximum(0, last - first + 1)
    ends = np.cumsum(room)
    total = int(ends[-1]) if ends.size else 0
    if not total:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    few = rng.choice(total, size=most, replace=False) if total > most else np.arange(total)
    drawn = np.sort(few)
    stays = np.searchsorted(ends, drawn, side="right")
    at = (first[stays] + drawn - (ends[stays] - room[stays])) * HOUR
    there = history.in_hospital(stays, at)
    return stays[there], at[there]


def sample(
    history: Stays, *, since: int, until: int, most: int, rng: np.random.Generator
) -> Sample:
    """The days ahead of at most `most` moments, as far as their outcome is known at `until`."""
    stays, at = moments(history, since=since, until=until, most=most, rng=rng)
    far = rng.integers(_NEAR, DAYS, size=stays.size)
    leads = np.stack([*(np.full(stays.size, n) for n in range(_NEAR)), far], axis=1)
    weights = np.ones(leads.shape)
    weights[:, _NEAR:] = DAYS - _NEAR
    question = Question(np.repeat(stays, _NEAR + 1), np.repeat(at, _NEAR + 1), leads.ravel() * DAY)
    ended = history.ended(question.stays, np.full(question.stays.size, until))
    there = ended > question.begins
    left = ended <= question.begins + DAY
    decided = there & (np.where(left, ended, question.begins + DAY) <= until)
    kept = question.only(decided)
    # Far days count like the near ones, no more: what is near is asked for most.
    return Sample(kept, left[decided].astype(np.float64), np.sqrt(weights.ravel()[decided]))
