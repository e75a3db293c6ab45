"""What moves one patient's chance most. Pure: no Django.

One fact after the other is replaced by what is usual at the site, and the model is asked again:
the difference is what the fact does here, everything else being as it is. Facts that go together
(an expected date and how often it slipped) are replaced together. It explains the model, not the
patient; facts that depend on each other share what they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY
from flow.forecasts.features import NAMES, Question, Table, table
from flow.forecasts.history import Floats, Stays
from flow.forecasts.level import lifted
from flow.forecasts.predicting import Voice


class Fact(StrEnum):
    """Facts that are replaced together."""

    READINESS = "readiness"
    PLAN = "plan"
    ARRANGED = "arranged"
    BARRIERS = "barriers"
    STAY = "stay"
    PLACE = "place"
    METHOD = "method"
    CALENDAR = "calendar"
    PERSON = "person"


COLUMNS: Final[Mapping[Fact, tuple[str, ...]]] = {
    Fact.READINESS: ("ready", "ready_for", "green", "pathway"),
    Fact.PLAN: ("to_plan", "slips"),
    Fact.ARRANGED: ("arranged", "arranged_for", "announced", "announced_for"),
    Fact.BARRIERS: ("barriers", "barrier_for"),
    Fact.STAY: ("elapsed", "on_ward", "moves"),
    Fact.PLACE: ("ward", "specialty"),
    Fact.METHOD: ("method",),
    Fact.CALENDAR: ("weekday", "holiday"),
    Fact.PERSON: ("age", "sex"),
}
WITHIN: Final = DAY
"""The drivers are those of the chance to leave within 24 hours."""
MOST: Final = 4
LEAST: Final = 0.02
"""Changes of the chance below this are not worth a word."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A fact and by how much it raises (or, negative, lowers) the chance to leave within 24 hours.
    values: of its columns, NaN where not known; see `features.NAMES`."""

    fact: Fact
    change: float
    values: Mapping[str, float]


def drivers(
    voice: Voice, typical: Floats, history: Stays, stay: int, at: int, *, level: float
) -> tuple[Driver, ...]:
    """The facts that move the chance of one stay most, the strongest first. typical: usual values
    (`Learnt.typical`); level: the factor on all hazards that is believed now. None where nobody was
    in hospital when it was learnt: nothing is usual there."""
    if np.isnan(typical[NAMES.index("elapsed")]):
        return ()
    facts = list(COLUMNS)
    many = np.full(len(facts) + 1, stay, dtype=np.int64)

    def change(rows: Table) -> Table:
        found = rows.copy()
        # The stays come day after day: the first as it is, then one for each fact.
        for n, fact in enumerate(facts, start=1):
            for column in map(NAMES.index, COLUMNS[fact]):
                found[n :: many.size, column] = typical[column]
        return found

    then = np.array([at + WITHIN])
    raw = voice.left_by(history, many, at, then, change=change)[:, 0]
    chances = lifted(raw, level)
    now = np.array([at], dtype=np.int64)
    values = dict(zip(NAMES, table(history, Question.today(many[:1], now))[0], strict=True))
    found = [
        Driver(fact, float(chances[0] - other), {name: values[name] for name in COLUMNS[fact]})
        for fact, other in zip(facts, chances[1:], strict=True)
    ]
    told = [one for one in found if abs(one.change) >= LEAST]
    return tuple(sorted(told, key=lambda one: -abs(one.change))[:MOST])
