"""What the chance of leaving may depend on: facts known at one moment, about a day.

Pure: no Django. Every value is read as of the moment of the question (`at`); only the clock runs
on to the day that is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR, Minutes, midnight_after, weekday_and_hour
from flow.forecasts.history import Indices, Stays
from flow.forecasts.quiet_days import is_bank_holiday, weekdays

Table = NDArray[np.float64]

CATEGORIES: Final = ("ward", "specialty", "method")
"""Features that are codes; each is told apart up to `MOST_CODES`, the rest together."""
MOST_CODES: Final = 250
_STEPS: Final = ("medicines", "transport", "places")
MARKS: Final = (*_STEPS, "announced")
"""Logs of what shows that a discharge is arranged: anything above 0 does."""
NAMES: Final = (
    *CATEGORIES,
    "weekday",
    "hour",
    "lead",
    "elapsed",
    "on_ward",
    "moves",
    "age",
    "sex",
    "to_plan",
    "slips",
    "ready",
    "ready_for",
    "pathway",
    "barriers",
    "barrier_for",
    "green",
    "arranged",
    "arranged_for",
    "announced",
    "announced_for",
    "holiday",
)
"""In the order of the columns. Times are in hours.

weekday, hour: local, of the moment from which on is asked; a bank holiday counts as a Sunday, and
`holiday` tells it from others. lead: from now until then. elapsed: in
hospital by then. on_ward: on the present ward by now. to_plan: from the expected discharge date
until then, negative before it. slips: changes of that date. ready, ready_for: no criteria to
reside are met, and for how long. barriers, barrier_for: open ones, and for how long the oldest has
been open. green: of the last review. arranged: how many steps towards a discharge are done
(medicines ready, transport booked, place agreed); arranged_for: since the last change of them.
announced: whether the discharge is, and announced_for: for how long. The two stand apart, since a
feed may have told the one for years where nobody told the other. What is not known is NaN.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Of each of these stays, at its moment `at`: does it end between `begins` and the local
    midnight after that, if it goes on until then? `begins` is `at` itself, or a midnight."""

    stays: Indices
    at: Minutes
    begins: Minutes

    @classmethod
    def today(cls, stays: Indices, at: Minutes) -> Question:
        """About what is left of the day."""
        return cls(stays, at, at)

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Question:
        """A part of the question."""
        return Question(self.stays[which], self.at[which], self.begins[which])

    @property
    def ends(self) -> Minutes:
        """The midnight by which the stays may have ended."""
        return midnight_after(self.begins)


def table(history: Stays, question: Question) -> Table:
    """A row for each part of the question, with the columns of `NAMES`."""
    who, at = question.stays, question.at
    begins = question.begins
    _, hour = weekday_and_hour(begins)
    plan = history.log("plan").last(who, at)
    ready = history.log("ready").last(who, at)
    barrier = history.log("oldest_barrier").last(who, at)
    steps = [history.log(name).last(who, at, default=0) > 0 for name in _STEPS]
    changed = np.fmax.reduce([history.log(name).since(who, at) for name in _STEPS])
    values = {
        **{name: np.minimum(history.code(name, who, at), MOST_CODES) for name in CATEGORIES},
        "weekday": weekdays(begins),
        "hour": hour,
        "lead": (begins - at) / HOUR,
        "elapsed": (begins - history.admitted(who, at)) / HOUR,
        "on_ward": (at - history.log("ward").since(who, at)) / HOUR,
        "moves": history.log("ward").count(who, at),
        "age": history.ages[who],
        "sex": history.sexes[who],
        "to_plan": (begins - plan) / HOUR,
        "slips": history.log("plan").count(who, at),
        "ready": np.where(np.isnan(ready), np.nan, ready > 0),
        "ready_for": np.where(ready > 0, (at - ready) / HOUR, np.nan),
        "pathway": history.log("pathway").last(who, at),
        "barriers": history.log("barriers").last(who, at),
        "barrier_for": (at - barrier) / HOUR,
        "green": history.log("green").last(who, at),
        "arranged": np.where(np.isnan(changed), np.nan, np.sum(steps, axis=0)),
        "arranged_for": (at - changed) / HOUR,
        "announced": history.log("announced").last(who, at, default=0) > 0,
        "announced_for": (at - history.log("announced").since(who, at)) / HOUR,
        "holiday": is_bank_holiday(begins),
    }
    return np.stack([np.asarray(values[name], dtype=np.float64) for name in NAMES], axis=1)
