"""What the staff of a simulated hospital know of each stay: read from the state that `live` keeps.

A stay is plain data, and what is made of it (reviews, waits, referrals) is a function of the stay,
the seed and the clock alone, so that a restart comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulation.clock import DAY, HOUR, local_hour, local_time
from simulation.hazards import Stage
from simulation.places import Places, Ward
from simulation.state import NOWHERE, State, Visit
from simulation.worlds import CARE_HOME, ONWARD_KIND, REHABILITATION, SUPPORT, VIRTUAL

ROUNDS_ON: Final = ("assessment", "inpatient", "critical_care", "community", "virtual")
"""Kinds of ward whose staff hold board rounds."""

STARTS_WORK: Final = 8
ENDS_WORK: Final = 18
_PATHWAY: Final = {REHABILITATION: 2, CARE_HOME: 3, SUPPORT: 1, VIRTUAL: 1, "reablement": 1}
_SUPPORT_ELSEWHERE: Final = ((0.80, 1), (0.87, 2), (1.0, 3))
"""Of those who leave with support outside the services of the places file: some to a bed of a
provider that has none of its own there (pathway 2), some to a care home (pathway 3)."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay, times in minutes since 1970. `path` and `stages` as in `state.Visit`, the latter
    with Stage; `expected` is the hospital's own first date, 0 for none; `onward` the code of the
    ward that expects the patient, "" for none; `person` tells apart people; `age` is
    that of the admission."""

    visit: str
    person: int
    specialty: str
    patient_class: str
    age: float
    admitted: int
    path: tuple[tuple[int, int, int], ...]
    stages: tuple[tuple[int, Stage], ...]
    way: str
    expected: int
    onward: str

    @property
    def stage(self) -> Stage:
        """Where it is on its way now."""
        return self.stages[-1][1]

    def stage_at(self, minute: int) -> Stage:
        """Where it was at a minute, no earlier than the admission."""
        return next((s for at, s in reversed(self.stages) if at <= minute), self.stages[0][1])

    def place_at(self, minute: int) -> tuple[int, int]:
        """Ward and bed, by number, at a minute."""
        for at, ward, bed in reversed(self.path):
            if at <= minute:
                return ward, bed
        return NOWHERE, NOWHERE

    @property
    def ready(self) -> int | None:
        """The minute from which the patient has been medically ready; None while not."""
        if self.stage < Stage.READY:
            return None
        since = self.stages[-1][0]
        for at, stage in reversed(self.stages):
            if stage < Stage.READY:
                break
            since = at
        return since

    def entered(self, stage: Stage) -> int | None:
        """When the present stage, if it is this one, began."""
        return self.stages[-1][0] if self.stage is stage else None

    @property
    def pathway(self) -> int:
        """How the patient leaves, 0 to 3 (Hospital discharge and community support guidance)."""
        if self.way == SUPPORT:
            drawn = chance(0, self.visit, "support").random()
            return next(pathway for below, pathway in _SUPPORT_ELSEWHERE if drawn < below)
        return _PATHWAY.get(self.way, 0)

    @property
    def needs_place(self) -> bool:
        """Whether the way out leads to a place of the places file."""
        return self.way in ONWARD_KIND and bool(self.onward)


def chance(seed: int, *about: object) -> Random:
    """Chances that are always the same about the same thing."""
    return Random(f"{seed}/{'/'.join(map(str, about))}")


def stays(state: State, places: Places) -> Iterator[Stay]:
    """Everybody who stays where board rounds are held, in no order that means anything."""
    for visit in state.visits.values():
        if visit.stage is None or not visit.path or visit.status not in ("in", "leave"):
            continue
        if places.wards[visit.ward].kind in (*ROUNDS_ON, "discharge_lounge"):
            yield stay_of(state, visit, places.wards)


def stay_of(state: State, visit: Visit, wards: Sequence[Ward]) -> Stay:
    """A stay as its staff know it."""
    if visit.stage is None:
        raise ValueError("a visit without stages is no stay")
    now = (visit.since, visit.stage)
    stages = [(at, stage) for at, stage in visit.stages if at < visit.since or stage == now[1]]
    # A state kept before stages were, or a patient who was there when the world began.
    stages = stages if stages and stages[-1] == now else [*stages, now]
    if stages[0][0] > visit.admitted:
        # Somebody who was ready when the world began had been ill until then.
        ill = [] if stages[0][1] > Stage.ACTIVE else stages[:1]
        stages = [(visit.admitted, Stage.ACTIVE), *stages[len(ill) :]]
    onward = state.visits.get(visit.onward)
    return Stay(
        visit=visit.number,
        person=visit.person,
        specialty=visit.specialty,
        patient_class=visit.patient_class,
        age=state.people[visit.person].age(visit.admitted),
        admitted=visit.admitted,
        path=tuple((at, ward, bed) for at, ward, bed in visit.path),
        stages=tuple((at, Stage(stage)) for at, stage in stages),
        way=visit.way,
        expected=visit.expected_discharge if visit.stage < Stage.ARRANGED else 0,
        onward=wards[onward.booked].code if onward and onward.booked != NOWHERE else "",
    )


def in_working_hours(minute: int, draw: Random) -> int:
    """The minute itself, or else one soon after work begins next."""
    hour = local_hour(minute)
    if STARTS_WORK <= hour < ENDS_WORK:
        return minute
    begins = local_time(minute, days=0 if hour < STARTS_WORK else 1, hour=STARTS_WORK)
    return begins + draw.randrange(15, 150)


def hours(draw: Random, median: float, sigma: float = 0.6) -> int:
    """Minutes of a wait whose median is so many hours; log-normal, up to twelve days."""
    return min(12 * DAY, max(20, round(draw.lognormvariate(0.0, sigma) * median * HOUR)))
