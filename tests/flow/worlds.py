"""Random small hospitals: described in plain Python, written to the database, counted slowly.

The slow count shares nothing with the SQL it checks: it loops over the description.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from django.db import transaction
from hypothesis import strategies as st

from patients.models import Episode
from tests.flow.places import HOUR, START, make_episode, make_site, make_ward, span
from wards.models import Bay, Bed, BedRequest, BedStatus, Closure, Occupancy, Opening, Ward

LAST = 12
_keys = count(1)


def hour(number: int) -> datetime:
    return START + number * HOUR


@dataclass(frozen=True)
class Span:
    """Hours `[lo, hi)`; without `hi` it lasts."""

    lo: int
    hi: int | None

    def holds(self, at: int) -> bool:
        return self.lo <= at and (self.hi is None or at < self.hi)

    def meets(self, other: Span) -> bool:
        return (other.hi is None or self.lo < other.hi) and (self.hi is None or other.lo < self.hi)

    @property
    def period(self) -> object:
        return span(hour(self.lo), None if self.hi is None else hour(self.hi))


@dataclass(frozen=True)
class OneBed:
    ward: int
    bay: int | None
    escalation: bool
    recognised: bool
    in_use: Span | None
    alias_of: int | None


@dataclass(frozen=True)
class OneStay:
    """One patient in one place; `bed` is the one held, `wanted` the one named."""

    person: int
    span: Span
    ward: int
    bed: int | None
    wanted: int | None
    on_leave: bool


@dataclass(frozen=True)
class OneClosure:
    ward: int
    bay: int | None
    bed: int | None
    span: Span


@dataclass(frozen=True)
class OneStatus:
    bed: int
    letter: str
    at: int
    sent: int


@dataclass(frozen=True)
class OneRequest:
    person: int
    kind: str
    span: Span
    origin: int | None
    target: int | None


@dataclass
class World:
    """Three wards of two bays each, and everything that happened there."""

    beds: list[OneBed] = field(default_factory=list)
    stays: list[OneStay] = field(default_factory=list)
    closures: list[OneClosure] = field(default_factory=list)
    openings: list[tuple[int, Span]] = field(default_factory=list)
    statuses: list[OneStatus] = field(default_factory=list)
    requests: list[OneRequest] = field(default_factory=list)
    people: int = 0


WARDS = 3
spans = st.builds(
    lambda lo, length: Span(lo, None if length is None else lo + length),
    st.integers(0, LAST - 1),
    st.none() | st.integers(1, LAST),
)


@st.composite
def _beds(draw: st.DrawFn) -> list[OneBed]:
    beds: list[OneBed] = []
    for number in range(draw(st.integers(1, 9))):
        ward = draw(st.integers(0, WARDS - 1))
        recognised = draw(st.integers(0, 4)) > 0
        real = [n for n, b in enumerate(beds) if b.alias_of is None and b.recognised]
        beds.append(
            OneBed(
                ward=ward,
                bay=draw(st.sampled_from([None, 0, 1])),
                escalation=draw(st.integers(0, 3)) == 0,
                recognised=recognised,
                in_use=draw(st.none() | spans) if draw(st.booleans()) else None,
                alias_of=draw(st.sampled_from(real))
                if real and number and not recognised and draw(st.booleans())
                else None,
            )
        )
    return beds


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any history that the database's own constraints allow."""
    world = World(beds=draw(_beds()), people=draw(st.integers(1, 7)))
    real = [n for n, b in enumerate(world.beds) if b.alias_of is None]
    for _ in range(draw(st.integers(0, 16))):
        _add_stay(draw, world, real)
    for _ in range(draw(st.integers(0, 5))):
        ward, bay = draw(st.integers(0, WARDS - 1)), draw(st.sampled_from([None, None, 0, 1]))
        world.closures.append(OneClosure(ward, bay, None, draw(spans)))
    for _ in range(draw(st.integers(0, 5))):
        number, period = draw(st.sampled_from(real)), draw(spans)
        if not any(c.bed == number and c.span.meets(period) for c in world.closures):
            bed = world.beds[number]
            world.closures.append(OneClosure(bed.ward, None, number, period))
    for _ in range(draw(st.integers(0, 4))):
        number, period = draw(st.sampled_from(real)), draw(spans)
        if not any(b == number and s.meets(period) for b, s in world.openings):
            world.openings.append((number, period))
    hours = st.integers(0, LAST)
    for _ in range(draw(st.integers(0, 10))):
        number = draw(st.integers(0, len(world.beds) - 1))
        world.statuses.append(
            OneStatus(number, draw(st.sampled_from("CHIKOU")), draw(hours), draw(hours))
        )
    somewhere = st.none() | st.integers(0, WARDS - 1)
    for _ in range(draw(st.integers(0, 6))):
        world.requests.append(
            OneRequest(
                draw(st.integers(0, world.people - 1)),
                draw(st.sampled_from(["admit", "transfer", "discharge"])),
                draw(spans),
                draw(somewhere),
                draw(somewhere),
            )
        )
    return world


def _add_stay(draw: st.DrawFn, world: World, real: list[int]) -> None:
    person, period = draw(st.integers(0, world.people - 1)), draw(spans)
    if any(s.person == person and s.span.meets(period) for s in world.stays):
        return
    wanted = draw(st.none() | st.sampled_from(real))
    ward = draw(st.integers(0, WARDS - 1)) if wanted is None else world.beds[wanted].ward
    taken = any(s.bed == wanted and s.span.meets(period) for s in world.stays)
    bed = None if wanted is None or taken else wanted
    world.stays.append(OneStay(person, period, ward, bed, wanted, draw(st.booleans())))


@dataclass(frozen=True)
class Written:
    """The rows of a world, in the order of its description."""

    wards: list[Ward]
    beds: list[Bed]
    episodes: list[Episode]


@contextmanager
def written(world: World) -> Iterator[Written]:
    """The world as rows, gone again afterwards."""
    with transaction.atomic():
        yield write(world)
        transaction.set_rollback(True)


def write(world: World) -> Written:
    site = make_site()
    wards = [make_ward(site) for _ in range(WARDS)]
    bays = [[Bay.objects.create(ward=w, code=c) for c in "AB"] for w in wards]
    beds: list[Bed] = []
    for number, bed in enumerate(world.beds):
        beds.append(
            Bed.objects.create(
                ward=wards[bed.ward],
                bay=None if bed.bay is None else bays[bed.ward][bed.bay],
                label=f"b{number}",
                funding="escalation" if bed.escalation else "core",
                is_recognised=bed.recognised,
                in_use=bed.in_use.period if bed.in_use else None,
                same_as=None if bed.alias_of is None else beds[bed.alias_of],
            )
        )
    episodes = [make_episode() for _ in range(world.people)]
    Occupancy.objects.bulk_create(
        Occupancy(
            episode=episodes[s.person],
            person=episodes[s.person].patient,
            ward=wards[s.ward],
            bed=None if s.bed is None else beds[s.bed],
            wanted_bed=None if s.wanted is None else beds[s.wanted],
            period=s.span.period,
            claim_start=hour(s.span.lo),
            claim_key=str(next(_keys)),
            on_leave=s.on_leave,
        )
        for s in world.stays
    )
    Closure.objects.bulk_create(
        Closure(
            ward=wards[c.ward],
            bay=None if c.bay is None else bays[c.ward][c.bay],
            bed=None if c.bed is None else beds[c.bed],
            reason="infection",
            period=c.span.period,
        )
        for c in world.closures
    )
    Opening.objects.bulk_create(Opening(bed=beds[b], period=s.period) for b, s in world.openings)
    BedStatus.objects.bulk_create(
        BedStatus(
            bed=beds[s.bed],
            status=s.letter,
            occurred_at=hour(s.at),
            sent_at=hour(s.sent),
            source="test",
            # Keys sort as the description does, so that the last of two equals counts.
            key=f"{number:05}",
        )
        for number, s in enumerate(world.statuses)
    )
    BedRequest.objects.bulk_create(
        BedRequest(
            episode=episodes[r.person],
            kind=r.kind,
            from_ward=None if r.origin is None else wards[r.origin],
            ward=None if r.target is None else wards[r.target],
            period=r.span.period,
            key=str(next(_keys)),
        )
        for r in world.requests
    )
    return Written(wards, beds, episodes)


def slow_states(world: World, at: int) -> list[str]:
    """The state of each bed at an hour; an alias has none ("")."""
    states = []
    for number, bed in enumerate(world.beds):
        if bed.alias_of is not None:
            states.append("")
            continue
        names = {number} | {n for n, b in enumerate(world.beds) if b.alias_of == number}
        told = [
            (s.at, s.sent, place, s.letter)
            for place, s in enumerate(world.statuses)
            if s.bed in names and s.at <= at
        ]
        letter = max(told)[3] if told else ""
        occupied = any(s.bed == number and s.span.holds(at) for s in world.stays)
        opened = any(b == number and s.holds(at) for b, s in world.openings)
        closed = any(
            c.span.holds(at)
            and c.ward == bed.ward
            and (
                c.bed == number
                or (c.bed is None and c.bay is None)
                or (c.bay is not None and c.bay == bed.bay)
            )
            for c in world.closures
        )
        if not bed.recognised or (bed.in_use and not bed.in_use.holds(at)):
            states.append("unlisted")
        elif occupied:
            states.append("occupied")
        elif bed.escalation and not opened:
            states.append("not_opened")
        elif closed or letter == "C":
            states.append("closed")
        else:
            states.append("unready" if letter in ("H", "K") else "available")
    return states


def slow_count(world: World, ward: int, at: int) -> dict[str, int]:
    """The figures of one ward at an hour, by name."""
    states = slow_states(world, at)
    mine = [(b, s) for b, s in zip(world.beds, states, strict=True) if b.ward == ward]
    tally = dict.fromkeys(("occupied", "available", "unready", "closed", "not_opened"), 0)
    escalation = 0
    for bed, state in mine:
        if state in tally:
            tally[state] += 1
        escalation += bed.escalation and state in ("occupied", "available", "unready")
    here = [s for s in world.stays if s.ward == ward and s.span.holds(at)]
    place = {s.person: s.ward for s in world.stays if s.span.holds(at)}
    asked = [r for r in world.requests if r.span.holds(at)]
    moves = [r for r in asked if r.kind != "discharge"]

    def counts_on(r: OneRequest) -> int | None:
        for choice in (r.target, r.origin, place.get(r.person)):
            if choice is not None:
                return choice
        return None

    return {
        "beds_open": tally["occupied"] + tally["available"] + tally["unready"],
        **{f"beds_{name}": number for name, number in tally.items()},
        "beds_escalation": escalation,
        "patients": len(here),
        "bedless": sum(s.bed is None for s in here),
        "unlisted": sum(s.bed is not None and states[s.bed] == "unlisted" for s in here),
        "clashes": sum(s.bed is None and s.wanted is not None for s in here),
        "on_leave": sum(s.on_leave for s in here),
        "waiting": sum(counts_on(r) == ward for r in moves),
        "waiting_out": sum(place.get(r.person) == ward and r.target != ward for r in moves),
        "pending_discharges": sum(
            place.get(r.person, r.origin) == ward for r in asked if r.kind == "discharge"
        ),
    }
