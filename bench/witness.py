"""Watches an invented system and keeps what forecasts are to be held against.

What a hospital could have known (admissions, moves, readiness, what was arranged, departures) as
the history that forecasts are made from, and beside it what nobody can know of a real one: each
patient's true chance to leave within a day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import Notes, Stays, WardFacts
from simulation.clock import HOUR, local_time
from simulation.engine import Engine
from simulation.hazards import Stage
from simulation.outlook import Outlook
from simulation.places import Places
from simulation.state import Visit

_PATHWAYS: Final = {
    "home": 0, "virtual": 1, "support": 1, "reablement": 1, "rehabilitation": 2, "care_home": 3,
}  # fmt: skip
_ARRANGED: Final = ("medicines", "transport", "places")
"""Once somebody is ready, each further stage shows one more of these."""
_SEXES: Final = {"F": 0, "M": 1}


@dataclass(frozen=True)
class Truth:
    """One morning: who was in hospital, by number of the stay, and the true chance of each to
    leave within 24 hours."""

    at: int
    stays: NDArray[np.int64]
    chances: NDArray[np.float64]


@dataclass
class Witness:
    """What was seen: visits by key, sex and age of each, when each ended, and the mornings."""

    places: Places
    wards: Collection[int]
    visits: dict[int, Visit] = field(default_factory=dict)
    people: dict[int, tuple[int, float]] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    mornings: list[tuple[int, dict[int, float]]] = field(default_factory=list)

    def watch(self, engine: Engine, *, start: int, days: int, say: Callable[[int], None]) -> None:
        """Let the system run for so many days, and look at it every hour; `say` is told each day
        that is over."""
        engine.spells = []
        outlook = Outlook(engine.hazards)
        for day in range(days):
            morning = local_time(start, days=day, hour=8)
            engine.run_until(morning)
            self._meet(engine)
            self.mornings.append((morning, self._chances(engine, outlook)))
            for hour in range(1, 24):
                engine.run_until(morning + hour * HOUR)
                self._meet(engine)
            say(day + 1)
        engine.run_until(engine.now + HOUR)
        numbers = {visit.number: key for key, visit in self.visits.items()}
        self.ended = {
            numbers[spell.number]: spell.end for spell in engine.spells if spell.number in numbers
        }

    def _meet(self, engine: Engine) -> None:
        for key, visit in engine.state.visits.items():
            if key not in self.visits and visit.stage is not None and visit.path:
                person = engine.state.people[visit.person]
                born = int(person.born[:4])
                self.visits[key] = visit
                self.people[key] = (_SEXES.get(person.sex, 2), 2026.0 - born)

    def _chances(self, engine: Engine, outlook: Outlook) -> dict[int, float]:
        return {
            visit.key: outlook.leaving(
                visit.condition(), engine.now, 24, on_leave_until=visit.leave_until
            )[-1]
            for visit in engine.state.visits.values()
            if visit.stage is not None
            and visit.path
            and visit.status in ("in", "leave")
            and visit.ward in self.wards
        }

    def history(self) -> tuple[Stays, list[Truth]]:
        """What a hospital could have known, and the truth of each morning."""
        keys = sorted(
            key
            for key, visit in self.visits.items()
            if any(ward in self.wards for _, ward, _ in visit.path)
        )
        notes, codes = Notes(), {"specialty": {"": 0}, "method": {"": 0}}
        for stay, key in enumerate(keys):
            _tell(notes, codes, stay, self.visits[key], self.ended.get(key))
        history = Stays(
            keys=np.array(keys, dtype=np.int64),
            sexes=np.array([self.people[key][0] for key in keys], dtype=np.int64),
            ages=np.array([self.people[key][1] for key in keys]),
            codes={name: tuple(known) for name, known in codes.items()},
            wards=(
                WardFacts(0, "", "", "", counts=False),
                *(
                    WardFacts(n + 1, ward.code, ward.kind, ward.specialty, counts=n in self.wards)
                    for n, ward in enumerate(self.places.wards)
                ),
            ),
            logs=notes.logs(),
        )
        return history, [self._truth(at, chances, keys) for at, chances in self.mornings]

    def _truth(self, at: int, chances: dict[int, float], keys: list[int]) -> Truth:
        number = {key: stay for stay, key in enumerate(keys)}
        rows = sorted((number[key], chance) for key, chance in chances.items())
        stays, values = zip(*rows, strict=True) if rows else ((), ())
        return Truth(at, np.array(stays, dtype=np.int64), np.array(values))


def _tell(
    notes: Notes, codes: dict[str, dict[str, int]], stay: int, visit: Visit, ended: int | None
) -> None:
    """Write down of one visit what a hospital would have learnt, when it happened."""
    began = visit.admitted
    notes.add("admitted", stay, began, began)
    for name, value in (("specialty", visit.specialty), ("method", visit.method)):
        notes.add(name, stay, began, codes[name].setdefault(value, len(codes[name])))
    if ended is not None:
        notes.add("ended", stay, ended, ended)
    here = None
    for at, ward, _ in visit.path:
        if ward != here:
            notes.add("ward", stay, at, ward + 1)
            here = ward
    notes.add("ready", stay, began, 0)
    since: int | None = None
    for at, stage in sorted(map(tuple, visit.stages)):
        is_ready = stage >= Stage.READY
        if is_ready and since is None:
            since = at
            notes.add("pathway", stay, at, _PATHWAYS[visit.way])
        elif not is_ready:
            since = None
        notes.add("ready", stay, at, since or 0)
        for number, name in enumerate(_ARRANGED, start=1):
            notes.add(name, stay, at, float(is_ready and stage - Stage.READY >= number))
