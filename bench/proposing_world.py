"""Invented days of a hospital in which beds are asked for, left and cleaned, hour by hour."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from wards.suitability.costing import costs
from wards.suitability.facts import Bay, Bed, BedState, Needs, Spot, Ward
from wards.suitability.judging import judge
from wards.suitability.proposing import Proposal
from wards.suitability.rulebook import RuleBook
from wards.suitability.setting import Setting, setting_of

START: Final = datetime(2026, 1, 14, 8, 0, tzinfo=UTC)
STEP: Final = timedelta(hours=1)
STEPS: Final = 17
CLEAN: Final = timedelta(minutes=45)
PATIENCE: Final = timedelta(hours=8)
"""After so long somebody entitled sets rules aside."""
ED: Final = Spot(site=1, ward=1)
SPECIALTIES: Final = (
    "respiratory", "cardiology", "elderly_medicine", "general_surgery", "trauma_orthopaedics",
    "gastroenterology",
)  # fmt: skip
Method = Callable[[Sequence[Needs], Setting, RuleBook], Proposal]


@dataclass
class World:
    """A hospital at 8:00, and what will happen that day, which nobody in it knows.

    leaves: when whoever lies in a bed goes. said: when it is announced that they go, and for when.
    arrivals: who will need a bed, by `since`.
    """

    wards: list[Ward] = field(default_factory=list)
    bays: list[Bay] = field(default_factory=list)
    beds: dict[int, Bed] = field(default_factory=dict)
    patients: dict[int, Needs] = field(default_factory=dict)
    leaves: dict[int, datetime] = field(default_factory=dict)
    said: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    arrivals: list[Needs] = field(default_factory=list)

    def setting(self) -> Setting:
        """As it stands at 8:00."""
        return setting_of(at=START, wards=self.wards, bays=self.bays, beds=self.beds.values(),
                          patients=self.patients)  # fmt: skip


def world(seed: int, *, wards: int, fullness: float, waiting: int, arrivals: int) -> World:
    """A hospital so full, with a queue at 8:00 and arrivals until midnight."""
    rng = random.Random(seed)
    made = World(wards=[Ward(key=1, site=1, kind="emergency", name="ED")])
    for number in range(wards):
        _ward(rng, made, 2 + number, SPECIALTIES[number % len(SPECIALTIES)])
    sexes = {bay.key: rng.choice("FM") for bay in made.bays}
    specialty = {ward.key: ward.specialty for ward in made.wards}
    for bed in made.beds.values():
        if rng.random() < fullness:
            _fill(rng, made, bed, sexes, specialty)
    for key in range(1, 1 + waiting + arrivals):
        hours = -rng.uniform(0, 6) if key <= waiting else rng.uniform(0, 16)
        since = START + timedelta(hours=hours)
        made.arrivals.append(_person(rng, key, since=since, place=ED))
    made.arrivals.sort(key=lambda needs: (needs.since or START, needs.key))
    return made


def _ward(rng: random.Random, made: World, key: int, specialty: str) -> None:
    limit = rng.choice((None, 27, 28))
    made.wards.append(Ward(key=key, site=1, name=f"Ward {key}", code=f"W{key}",
                           specialty=specialty, most_patients=limit))  # fmt: skip
    for _ in range(4):
        bay = Bay(key=len(made.bays) + 1, ward=key)
        made.bays.append(bay)
        for place in range(6):
            features = {"oxygen"} if rng.random() < 0.7 else set()
            features |= {"high_visibility"} if place == 0 else set()
            features |= {"telemetry"} if specialty == "cardiology" and place < 3 else set()
            _bed(made, key, bay.key, features)
    for _ in range(4):
        _bed(made, key, None, {"side_room", "oxygen"})


def _bed(made: World, ward: int, bay: int | None, features: set[str]) -> None:
    key = 10_000 + len(made.beds)
    made.beds[key] = Bed(key=key, ward=ward, bay=bay, features=frozenset(features), position=key)


def _person(rng: random.Random, key: int, **said: Any) -> Needs:
    isolated = rng.random() < 0.1
    infections = rng.choice((("influenza",), ("covid",), ("mrsa",))) if isolated else ()
    shares = (("oxygen", 0.25), ("telemetry", 0.08), ("high_visibility", 0.08))
    chosen = {feature for feature, share in shares if rng.random() < share}
    return Needs(
        **{
            "key": key, "sex": rng.choice("FM"), "age": rng.randint(18, 98),
            "specialty": rng.choice(SPECIALTIES), "infections": frozenset(infections),
            "isolation": "side_room" if isolated else "none", "requires": frozenset(chosen),
            "falls_risk": rng.random() < 0.2, "immunosuppressed": rng.random() < 0.04,
            "end_of_life": rng.random() < 0.03, "priority": rng.choice((1, 2, 2, 3, 3, 3, 4)),
            **said,
        }
    )  # fmt: skip


def _fill(
    rng: random.Random, made: World, bed: Bed, sexes: dict[int, str], specialty: dict[int, str]
) -> None:
    who = _person(rng, bed.key, kind="ward_move",
                  place=Spot(site=1, ward=bed.ward, bay=bed.bay, bed=bed.key))  # fmt: skip
    if rng.random() < 0.85:
        who = replace(who, specialty=specialty[bed.ward])
    if bed.bay is not None:
        who = replace(who, sex=sexes[bed.bay], isolation="none", infections=frozenset())
    made.patients[bed.key] = who
    if rng.random() < 0.18:
        gone = START + timedelta(hours=min(15.9, max(0.2, rng.gauss(7, 2.5))))
        made.leaves[bed.key] = gone
        if rng.random() < 0.8:
            told = gone - timedelta(hours=rng.uniform(1, 5))
            made.said[bed.key] = (told, gone - timedelta(minutes=rng.uniform(-60, 60)))


@dataclass
class Score:
    """What came of days: people placed, and how many of these count as what; hours waited by
    everybody who asked, until their bed or midnight; rules set aside."""

    placed: int = 0
    left: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    hours: float = 0.0
    urgent_hours: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        self.placed += other.placed
        self.left += other.left
        self.counts += other.counts
        self.hours += other.hours
        self.urgent_hours += other.urgent_hours


class Day:
    """One day of one world, served by one method."""

    def __init__(self, made: World, method: Method, book: RuleBook) -> None:
        self.world, self.method, self.book = made, method, book
        self.patients, self.beds = dict(made.patients), dict(made.beds)
        self.coming: dict[int, Needs] = {}
        self.queue: list[Needs] = []
        self.score = Score()

    def live(self) -> Score:
        for number in range(STEPS):
            self._hour(START + number * STEP)
        end = START + STEPS * STEP
        for needs in (*self.queue, *self.coming.values()):
            self.score.left += 1
            self._waited(needs, end)
        return self.score

    def _hour(self, at: datetime) -> None:
        for bed, gone in self.world.leaves.items():
            if gone <= at and self.patients.get(bed) is self.world.patients[bed]:
                del self.patients[bed]
                self.beds[bed] = replace(self.beds[bed], ready_at=gone + CLEAN)
        for bed in [bed for bed in self.coming if self._ready(bed, at)]:
            self._lie(bed, self.coming.pop(bed), at)
        arrived = [n for n in self.world.arrivals if at - STEP < (n.since or at) <= at]
        early = [n for n in self.world.arrivals if (n.since or at) <= at] if at == START else []
        self.queue += early or arrived
        proposal = self.method(self.queue, self._setting(at), self.book)
        waiting = {needs.key: needs for needs in self.queue}
        for line in proposal.lines:
            needs = waiting.pop(line.request)
            self.score.counts.update(line.judgement.breaches)
            if self._ready(line.bed, at):
                self._lie(line.bed, needs, at)
            else:
                self.coming[line.bed] = needs
        self.queue = list(waiting.values())
        self._set_aside(at)

    def _ready(self, bed: int, at: datetime) -> bool:
        ready = self.beds[bed].ready_at
        return bed not in self.patients and (ready is None or ready <= at)

    def _lie(self, bed: int, needs: Needs, at: datetime) -> None:
        one = self.beds[bed]
        spot = Spot(site=1, ward=one.ward, bay=one.bay, bed=bed)
        self.patients[bed] = replace(needs, kind="ward_move", place=spot)
        self.beds[bed] = replace(one, ready_at=None)
        self.score.placed += 1
        self._waited(needs, at)

    def _waited(self, needs: Needs, until: datetime) -> None:
        hours = (until - (needs.since or until)).total_seconds() / 3600
        self.score.hours += hours
        if needs.priority == 1:
            self.score.urgent_hours.append(hours)

    def _setting(self, at: datetime) -> Setting:
        beds = [self._seen(bed, at) for bed in self.beds.values()]
        return setting_of(at=at, wards=self.world.wards, bays=self.world.bays, beds=beds,
                          patients=self.patients, coming=self.coming)  # fmt: skip

    def _seen(self, bed: Bed, at: datetime) -> Bed:
        """The bed as the desk sees it: who has said that they go, and what is to be cleaned."""
        if bed.key in self.patients:
            told, gone = self.world.said.get(bed.key, (None, at))
            if told is None or told > at or self.patients[bed.key].key != bed.key:
                return replace(bed, state=BedState.OCCUPIED, ready_at=None)
            ready = max(gone, at) + CLEAN
            return replace(bed, state=BedState.OCCUPIED, ready_at=ready, chance=0.9)
        unclean = bed.ready_at is not None and bed.ready_at > at
        return replace(bed, state=BedState.BEING_CLEANED if unclean else BedState.READY)

    def _set_aside(self, at: datetime) -> None:
        """Who has waited too long is put where the fewest rules have to be set aside."""
        for needs in list(self.queue):
            if at - (needs.since or at) < PATIENCE:
                continue
            setting = self._setting(at)
            found = costs([needs], setting, self.book)
            ready = np.array([self._ready(bed, at) for bed in found.beds])
            able = ready & (found.fixed[0] == 0)
            order = np.lexsort((found.cost[0], found.refusals[0], ~able))
            if not able[order[0]]:
                continue
            bed = found.beds[int(order[0])]
            one = judge(needs, setting.beds[bed], setting, self.book,
                        overriding=set(self.book.lines))  # fmt: skip
            self.score.counts.update(one.breaches)
            self.score.counts["set_aside"] += len(one.set_aside)
            self.queue.remove(needs)
            self._lie(bed, needs, at)
