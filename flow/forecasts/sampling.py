"""The rows a hazard is learnt from: days in which somebody might have left. Pure: no Django.

Moments are drawn from all hours in which patients were there, each with equal chance. From each
one looks at what was left of that day, and at whole days after it: did the stay end in them, if
it went on until then? Days run from midnight to midnight: few leave around then, so that what is
true of a weekday and of an hour stays apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR, Minutes, midnight_after
from flow.forecasts.features import Question
from flow.forecasts.history import Indices, Stays

DAYS: Final = 14
"""Whole days ahead that are told, after what is left of today."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions with their answers: 1, left in that day."""

    question: Question
    left: NDArray[np.float64]


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


def today(history: Stays, stays: Indices, at: Minutes, *, until: int) -> Sample:
    """What was left of the day, as far as its outcome is known at `until`."""
    return _answered(history, Question.today(stays, at), until)


def later(
    history: Stays, stays: Indices, at: Minutes, *, until: int, rng: np.random.Generator
) -> Sample:
    """From each moment one of the whole days ahead, tomorrow as often as all others together."""
    ahead = np.where(rng.random(stays.size) < 0.5, 1, rng.integers(2, DAYS + 1, size=stays.size))
    # From noon to noon, so that no change of the clock leads to another day.
    begins = midnight_after(midnight_after(at) + (ahead - 1) * DAY - DAY // 2)
    return _answered(history, Question(stays, at, begins), until)


def _answered(history: Stays, question: Question, until: int) -> Sample:
    ended = history.ended(question.stays, np.full(question.stays.size, until))
    left = ended <= question.ends
    # A day that goes on still teaches nothing: of it those alone are known who have left already.
    decided = (ended > question.begins) & (question.ends <= until)
    return Sample(question.only(decided), left[decided].astype(np.float64))


def told_from(history: Stays, *, until: int) -> int:
    """From which minute on departures are told of in full, as known at `until`; `until` itself
    where none are.

    A first load tells of the patients who are there, and of when they came, but not of those who
    had left: learnt from, such days would say that nobody ever leaves. So it is the first
    departure that opens a week with a quarter of the departures of a usual week, and two at least.
    """
    everyone = np.arange(len(history))
    ended = history.ended(everyone, np.full(len(history), until))
    left = np.sort(ended[ended <= until])
    if not left.size:
        return until
    week = 7 * DAY
    later = left[left >= left[left.size // 2]]
    weeks = max(1.0, float(until - later[0]) / week)
    enough = max(2, int(later.size / weeks / 4))
    opened = np.searchsorted(left, left + week) - np.arange(left.size)
    opens = np.flatnonzero(opened >= enough)
    return int(left[opens[0]]) if opens.size else int(left[0])
