"""The event loop of a simulated world and the few deeds that everything in it is made of.

What happens is told to `listener` as it happens, once, in order of time. Handlers of events
live in the modules named after their subject and register themselves with `handles`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar

from simulation import state as states
from simulation.clock import HOUR, local_time
from simulation.demand import emergency_streams
from simulation.hazards import Hazards
from simulation.people import Person, invent, mishear
from simulation.places import Bed, Places, Ward
from simulation.state import NOWHERE, Request, State, StateError, Visit
from simulation.worlds import Stream, World

REGULARS: Final = 2000

Handler = Callable[..., None]
H = TypeVar("H", bound=Handler)
HANDLERS: Final[dict[str, Handler]] = {}


def handles(event: str) -> Callable[[H], H]:
    """Register a function `(engine, *arguments)` as what happens at an event."""

    def register(handler: H) -> H:
        if event in HANDLERS:
            raise ValueError(f"two handlers for {event}")
        HANDLERS[event] = handler
        return handler

    return register


@dataclass(frozen=True, slots=True)
class Happening:
    """Something true that a hospital system would tell: an HL7 event and what it is about.

    It refers to the living visit and person, so it must be read while it is told.
    """

    at: int
    event: str
    visit: Visit | None = None
    person: Person | None = None
    ward: int = NOWHERE
    bed: int = NOWHERE
    from_ward: int = NOWHERE
    from_bed: int = NOWHERE
    wanted: int = NOWHERE
    status: str = ""
    destination: str = ""
    died: bool = False
    old_number: str = ""
    organisation: str = ""
    other: Happening | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """The truth about a visit that has ended: `path` as in Visit, `end` its last minute."""

    number: str
    path: tuple[tuple[int, int, int], ...]
    end: int


def nobody_listens(_happening: Happening) -> None:
    """Listener of a world that runs unheard."""


class Engine:
    """A running world. `spells` collects the truth of ended visits where it is not None."""

    def __init__(self, places: Places, world: World, state: State) -> None:
        if state.digest != places.digest or state.world != world.name:
            raise StateError(
                "the saved state belongs to another places file or world: "
                "make a new one with `python -m simulation history`"
            )
        self.places = places
        self.world = world
        self.hazards = Hazards(world)
        self.state = state
        self.rng = states.unpacked_random(state.random)
        self.listener: Callable[[Happening], None] = nobody_listens
        self.spells: list[Spell] | None = None
        self.wards: tuple[Ward, ...] = places.wards
        self.beds: tuple[Bed, ...] = places.beds
        self.acute_beds = {
            site: sum(len(w.beds) for w in places.of_site(site) if w.is_acute)
            for site in places.acute_sites
        }
        self.intake = {site: emergency_streams(places, world, site) for site in places.acute_sites}
        self._streams = {stream.name: stream for stream in world.streams}

    @property
    def now(self) -> int:
        """The minute that the world has reached."""
        return self.state.now

    def copy(self, *, seed: int | None = None) -> Engine:
        """A world like this one that goes its own way; with a seed, another one each."""
        self.state.random = states.packed_random(self.rng)
        twin = Engine(self.places, self.world, states.copied(self.state))
        if seed is not None:
            twin.rng = Random(seed)
        return twin

    def data(self) -> dict[str, Any]:
        """The state to save, as JSON data that must be written out at once."""
        self.state.random = states.packed_random(self.rng)
        return states.to_data(self.state)

    def stream(self, name: str) -> Stream:
        """A stream of the world by its name."""
        return self._streams[name]

    # Time

    def schedule(self, at: int, event: str, *arguments: int | str) -> None:
        """Let an event happen at a minute, not before now."""
        self.state.sequence += 1
        heapq.heappush(
            self.state.agenda, [max(at, self.now), self.state.sequence, event, list(arguments)]
        )

    def run_until(self, minute: int) -> None:
        """Let everything happen that is due up to and including a minute."""
        agenda, state = self.state.agenda, self.state
        while agenda and agenda[0][0] <= minute:
            at, _sequence, event, arguments = heapq.heappop(agenda)
            state.now = at
            HANDLERS[event](self, *arguments)
        state.now = max(state.now, minute)

    def local(self, hour: int, *, days: int = 0, minutes: int = 0) -> int:
        """A local clock time today or some days from now."""
        return local_time(self.now, days=days, hour=hour, minutes=minutes)

    # Chance

    def between(self, low: float, high: float) -> int:
        """Whole minutes, evenly spread."""
        return round(self.rng.uniform(low, high))

    def around(self, median: float, sigma: float) -> int:
        """Whole minutes, log-normal."""
        return max(1, round(self.rng.lognormvariate(0.0, sigma) * median))

    def count(self, mean: float) -> int:
        """How many things happen where `mean` are expected (Poisson)."""
        if mean <= 0:
            return 0
        n, left = 0, self.rng.expovariate(1.0)
        while left < mean:
            n += 1
            left += self.rng.expovariate(1.0)
        return n

    def chosen(self, weights: Iterable[tuple[str, float]]) -> str:
        """One of some names, by weight."""
        options = list(weights)
        left = self.rng.random() * sum(weight for _name, weight in options)
        for name, weight in options:
            left -= weight
            if left < 0:
                return name
        return options[-1][0]

    # People

    def somebody(self, *, sex: str, age: float, returning: float = 0.1) -> Person:
        """A patient: now and then one who has been here before, else a new one."""
        if self.rng.random() < returning and self.state.regulars:
            for _ in range(12):
                person = self.state.people[self.rng.choice(self.state.regulars)]
                fits = person.sex == sex and abs(person.age(self.now) - age) < 12
                if fits and not person.open_visits and not person.died:
                    return person
        person = invent(self.rng, key=self.state.next_key(), at=self.now, sex=sex, age=age)
        self.state.people[person.key] = person
        if self.rng.random() < 0.015:
            person.misheard = mishear(self.rng, person)
            self.schedule(self.now + self.between(2 * HOUR, 40 * HOUR), "correct", person.key)
        return person

    def forget(self, person: Person) -> None:
        """Drop a person who has no visit, or keep them among those who may come back."""
        if person.open_visits or person.key not in self.state.people:
            return
        regulars = self.state.regulars
        if person.died:
            del self.state.people[person.key]
            if person.is_regular:
                regulars.remove(person.key)
        elif not person.is_regular:
            if self.rng.random() > 0.25:
                del self.state.people[person.key]
                return
            person.is_regular = True
            regulars.append(person.key)
            if len(regulars) > REGULARS:
                oldest = self.state.people[regulars.pop(0)]
                oldest.is_regular = False
                if not oldest.open_visits:
                    del self.state.people[oldest.key]

    # Visits

    def open_visit(
        self,
        person: Person,
        ward: Ward,
        *,
        patient_class: str,
        method: str,
        stream: str,
        specialty: str,
    ) -> Visit:
        """A new visit, expected at a ward until somebody is put there."""
        key = self.state.next_key()
        prefix = {"E": "E", "O": "D"}.get(patient_class, "V")
        organisation = ward.organisation
        person.mrn.setdefault(organisation, f"{organisation[-1]}{1_000_000 + person.key}")
        person.open_visits += 1
        visit = Visit(
            key=key,
            number=f"{prefix}{organisation[-1]}{key:07d}",
            organisation=organisation,
            site=ward.site,
            person=person.key,
            patient_class=patient_class,
            method=method,
            stream=stream,
            specialty=specialty,
            consultant=self.rng.randrange(4),
        )
        self.state.visits[key] = visit
        return visit

    def person_of(self, visit: Visit) -> Person:
        """Whose visit it is."""
        return self.state.people[visit.person]

    def put(self, visit: Visit, ward: int, bed: int = NOWHERE) -> None:
        """The patient is at a ward now, in a bed if there is one; where they were is left."""
        if bed != NOWHERE and self.state.occupant[bed]:
            raise AssertionError(f"bed {bed} is taken")
        self.lift(visit)
        visit.ward, visit.bed, visit.last_at = ward, bed, self.now
        visit.site = self.wards[ward].site
        visit.path.append([self.now, ward, bed])
        if bed != NOWHERE:
            self.state.occupant[bed] = visit.key

    def lift(self, visit: Visit) -> None:
        """The patient leaves their bed, which is then as they left it."""
        if visit.bed != NOWHERE:
            self.state.occupant[visit.bed] = 0
            self.state.condition[visit.bed] = "K"  # told in a moment, but nobody may use it now
            self.schedule(self.now, "bed_left", visit.bed)
            visit.bed = NOWHERE

    def close_visit(self, visit: Visit) -> None:
        """The visit is over; nothing is due for it any more."""
        self.lift(visit)
        if self.spells is not None and visit.path:
            path = tuple((at, ward, bed) for at, ward, bed in visit.path)
            self.spells.append(Spell(visit.number, path, self.now))
        del self.state.visits[visit.key]
        person = self.person_of(visit)
        person.open_visits -= 1
        self.forget(person)

    def request_of(self, visit: Visit) -> Request | None:
        """The bed request of a visit, if it has one."""
        return self.state.requests.get(visit.request)

    # News

    def tell(self, event: str, visit: Visit, **more: Any) -> None:
        """Tell what happened to a visit now, and where it is after that."""
        self.listener(
            Happening(
                at=self.now,
                event=event,
                visit=visit,
                person=self.person_of(visit),
                ward=more.pop("ward", visit.ward),
                bed=more.pop("bed", visit.bed),
                **more,
            )
        )

    def tell_bed(self, bed: int, status: str) -> None:
        """Tell the state of a bed, a code of HL7 table 0116, and remember it."""
        self.state.condition[bed] = status
        self.state.condition_since[bed] = self.now
        self.listener(
            Happening(at=self.now, event="A20", ward=self.beds[bed].ward, bed=bed, status=status)
        )
