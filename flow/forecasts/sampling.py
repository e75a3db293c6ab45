"""The rows a hazard is learnt from: hours in which somebody might have left. Pure: no Django.

Every stay lends its hours, each as seen from some moment before it, so that what is learnt holds
for an answer given now about any hour to come. All hours in which somebody left are taken, several
times, from different moments; of the others a sample, weighted up to all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR
from flow.forecasts.features import Question
from flow.forecasts.history import NOT_YET, Stays

LOOKS: Final = 4
"""From how many moments each departure is seen."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions with their answers (1: left in that hour) and what each row weighs."""

    question: Question
    left: NDArray[np.float64]
    weight: NDArray[np.float64]


def sample(
    history: Stays, *, since: int, until: int, hours: int, rows: int, rng: np.random.Generator
) -> Sample:
    """At most about `rows` rows of the hours in `[since, until)`, with leads up to `hours`.

    `history` has to be as it was known at `until`.
    """
    begun = np.flatnonzero(history.begun_learnt < NOT_YET)
    first = np.maximum(history.admitted, since)
    last = np.minimum(history.ended, until)
    who = begun[last[begun] > first[begun]]
    gone = who[(history.ended[who] < until) & (history.ended[who] > first[who])]
    if gone.size * LOOKS > rows // 2:
        gone = rng.choice(gone, size=rows // 2 // LOOKS, replace=False)
        share = float(np.sum((history.ended[who] < until))) / gone.size
    else:
        share = 1.0
    left = _departures(history, np.repeat(gone, LOOKS), hours, rng)
    others, weight = _others(history, who, first, last, hours, rows - left.stays.size, rng)
    question = Question(
        np.concatenate([left.stays, others.stays]),
        np.concatenate([left.at, others.at]),
        np.concatenate([left.lead, others.lead]),
    )
    answers = np.zeros(question.stays.size)
    answers[: left.stays.size] = 1
    weights = np.concatenate(
        [np.full(left.stays.size, share / LOOKS), np.full(others.stays.size, weight)]
    )
    return Sample(question, answers, weights)


def _departures(
    history: Stays, gone: NDArray[np.int64], hours: int, rng: np.random.Generator
) -> Question:
    # Hours are those of the clock; somebody who left at a full hour left in the one before.
    begins = (history.ended[gone] - 1) // HOUR * HOUR
    there = begins >= history.admitted[gone]
    gone, begins = gone[there], begins[there]
    lead = _leads(history, gone, begins, hours, rng)
    return Question(gone, begins - lead * HOUR, lead)


def _others(
    history: Stays,
    who: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    hours: int,
    rows: int,
    rng: np.random.Generator,
) -> tuple[Question, float]:
    start = -(-first[who] // HOUR)
    room = np.maximum(0, (last[who] - 1) // HOUR - start)
    ends = np.cumsum(room)
    total = int(ends[-1]) if ends.size else 0
    if not total or rows <= 0:
        none = np.zeros(0, dtype=np.int64)
        return Question(none, none, none), 0.0
    place = rng.integers(0, total, size=min(rows, 4 * total))
    which = np.searchsorted(ends, place, side="right")
    begins = (start[which] + place - (ends[which] - room[which])) * HOUR
    stays = who[which]
    lead = _leads(history, stays, begins, hours, rng)
    return Question(stays, begins - lead * HOUR, lead), total / place.size


def _leads(
    history: Stays,
    stays: NDArray[np.int64],
    begins: NDArray[np.int64],
    hours: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """From how many hours before each is looked at; no earlier than the admission. Half of the
    looks are from within a day, on which most is decided."""
    most = np.maximum(0, (begins - history.admitted[stays]) // HOUR)
    near = rng.uniform(size=stays.size) < 0.5
    limit = np.minimum(np.where(near, min(24, hours), hours) - 1, most)
    return np.asarray(rng.integers(0, limit + 1))
