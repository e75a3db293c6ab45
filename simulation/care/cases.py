"""Everybody of whom it can be said what they need of a bed: who lies in one, who waits for one in
an emergency department, and who is expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulation.care.stays import chance
from simulation.clock import DAY, HOUR
from simulation.hazards import Stage
from simulation.infections import Infection, infection_of
from simulation.places import Places
from simulation.state import NOWHERE, Request, State, Visit
from simulation.worlds import ONWARD_KIND

_LIE_IN: Final = ("assessment", "inpatient", "critical_care", "community")
_COME_TO: Final = ("assessment", "inpatient", "day_case", *ONWARD_KIND.values())
_EXPECTED_WITHIN: Final = 2 * DAY
_SEEN_AFTER: Final = 45
"""Minutes after which a nurse of an emergency department knows what a patient needs."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A bed that is asked for. `key` tells requests apart, 0 for who is only expected; `kind` is
    critical, assessment, ward or elective, for those expected planned or referred."""

    key: int
    kind: str
    since: int


@dataclass(frozen=True, slots=True)
class Case:
    """One attendance, stay or expected arrival, times in minutes since 1970. `since`: arrival or
    admission, for the expected when they are to come; `stream` what they come with;
    `place` the kind of ward where they are, "" while expected; `stage` of their stay."""

    visit: str
    person: int
    age: float
    stream: str
    since: int
    place: str
    stage: Stage | None = None
    entered: int = 0
    infection: Infection | None = None
    is_planned: bool = False
    is_severe: bool = False
    asking: Asking | None = None

    @property
    def is_ready(self) -> bool:
        """Whether they need hospital no longer."""
        return self.stage is not None and self.stage >= Stage.READY


def cases(state: State, places: Places) -> Iterator[Case]:
    """All of them, in no order that means anything."""
    ill = {}
    for visit in state.visits.values():
        if visit.status in ("in", "leave") and visit.onward:
            ill[visit.onward] = visit
    for visit in state.visits.values():
        if visit.status == "expected":
            if _is_coming(state, visit, places):
                yield _expected(state, visit, ill.get(visit.key))
        elif visit.status in ("in", "leave") and visit.path and visit.ward != NOWHERE:
            kind = places.wards[visit.ward].kind
            if kind in _LIE_IN or (kind == "emergency" and _is_known(state, visit)):
                yield _there(state, visit, kind)


def _is_known(state: State, visit: Visit) -> bool:
    """Somebody in an emergency department who has a bed asked for, or probably will."""
    return bool(visit.stream) and (
        bool(visit.request) or (visit.bed != NOWHERE and state.now - visit.admitted > _SEEN_AFTER)
    )


def _is_coming(state: State, visit: Visit, places: Places) -> bool:
    return (
        visit.booked != NOWHERE
        and places.wards[visit.booked].kind in _COME_TO
        and visit.expected_at <= state.now + _EXPECTED_WITHIN
    )


def _there(state: State, visit: Visit, kind: str) -> Case:
    request = state.requests.get(visit.request)
    return Case(
        visit=visit.number,
        person=visit.person,
        age=state.people[visit.person].age(visit.admitted),
        stream=visit.stream,
        since=visit.admitted,
        place=kind,
        stage=Stage(visit.stage) if visit.stage is not None else None,
        entered=visit.since,
        infection=_infection(state, visit, visit.stream, visit.admitted),
        is_planned=_is_planned(visit),
        is_severe=visit.area == "RES" or visit.is_critical,
        asking=_asking(request),
    )


def _asking(request: Request | None) -> Asking | None:
    if request is None or not request.told:
        return None
    return Asking(request.key, request.kind, request.since)


def _expected(state: State, visit: Visit, ill: Visit | None) -> Case:
    """Whoever goes on to another service needs there what they need in hospital."""
    stream = ill.stream if ill else visit.stream
    since = ill.admitted if ill else visit.expected_at
    planned = _is_planned(visit)
    return Case(
        visit=visit.number,
        person=visit.person,
        age=state.people[visit.person].age(state.now),
        stream=stream,
        since=since,
        place="",
        stage=Stage.READY if ill else None,
        entered=ill.since if ill else 0,
        infection=_infection(state, visit, stream, since),
        is_planned=planned,
        asking=None if ill else Asking(0, "planned" if planned else "referred", state.now),
    )


def _is_planned(visit: Visit) -> bool:
    return visit.method in ("11", "12")


def _infection(state: State, visit: Visit, stream: str, at: int) -> Infection | None:
    person = state.people[visit.person]
    return infection_of(person, stream, at=at, is_planned=_is_planned(visit))


def first_said(case: Case, *, seed: int) -> int:
    """When somebody first says what they need: soon after they have come, in an emergency
    department before a bed is asked for; 0 for the expected, of whom it is known."""
    if not case.place:
        return 0
    draw = chance(seed, case.visit, "first said")
    if case.place == "emergency":
        at = case.since + draw.randrange(10, _SEEN_AFTER)
        asked = case.asking.since if case.asking else at + HOUR
        return max(case.since + 1, min(at, asked - 2))
    return case.since + draw.randrange(4, 25)
