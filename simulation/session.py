"""A world and its feed together: begun, continued and kept as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from simulation import state as states
from simulation import system
from simulation.clock import HOUR
from simulation.engine import Engine, Happening
from simulation.faults import EVERYDAY, Faults
from simulation.feed import Feed
from simulation.hazards import Stage
from simulation.places import Places
from simulation.state import NOWHERE, StateError, Visit
from simulation.worlds import ORDINARY, World

_REFERRED: Final = ("22", "81")  # admission methods of those who are told as pending admissions


@dataclass
class Session:
    """A running world whose happenings become messages."""

    engine: Engine
    feed: Feed

    @classmethod
    def begin(
        cls,
        places: Places,
        *,
        seed: int,
        start: int,
        world: World = ORDINARY,
        faults: Faults = EVERYDAY,
        is_full: bool = True,
        keep_truth: bool = False,
    ) -> Session:
        """A lived-in system at a minute; its feed opens by telling who is there."""
        engine = system.lived_in(places, world, seed=seed, until=start)
        feed = Feed.new(places, seed=seed, faults=faults, is_full=is_full)
        if keep_truth:
            engine.spells = []
        for happening in sorted(opening(engine), key=lambda h: h.at):
            feed.hear_plainly(happening)
        engine.listener = feed.hear
        return cls(engine, feed)

    @classmethod
    def load(
        cls, path: Path, places: Places, *, world: World = ORDINARY, faults: Faults = EVERYDAY
    ) -> Session:
        """Continue from a file; raises StateError where that is not possible."""
        content = states.load(path)
        try:
            engine = system.resumed(places, world, content["world"])
            feed = Feed.resumed(places, content["feed"], faults=faults)
        except (KeyError, TypeError) as error:
            raise StateError(
                f"{path} is incomplete ({error}): make it anew with `python -m simulation history`"
            ) from error
        engine.listener = feed.hear
        return cls(engine, feed)

    def save(self, path: Path) -> None:
        """Keep everything needed to go on, the messages not yet taken over included."""
        states.save(path, {"world": self.engine.data(), "feed": self.feed.data()})

    def run_until(self, minute: int, *, step: int = HOUR, each: Callable[[], None]) -> None:
        """Run on to a minute, calling `each` after every step so that messages can leave."""
        while self.engine.now < minute:
            self.engine.run_until(min(self.engine.now + step, minute))
            each()


def opening(e: Engine) -> Iterator[Happening]:
    """What a receiver must be told, at the times when it was true, to know the present."""
    for visit in e.state.visits.values():
        if visit.status == "expected":
            pending = visit.method in _REFERRED
            event = "A14" if pending else "A05"
            yield _of(e, visit, event, (e.now, visit.booked, NOWHERE))
        else:
            yield from _way_so_far(e, visit)
    for bed, status in enumerate(e.state.condition):
        if status != "U" and e.beds[bed].kind == "bed":
            since = e.state.condition_since[bed]
            yield Happening(at=since, event="A20", ward=e.beds[bed].ward, bed=bed, status=status)


def _of(
    e: Engine, visit: Visit, event: str, step: Sequence[int], *, before: Sequence[int] = ()
) -> Happening:
    """An event of a visit; `step` and `before` are [minute, ward, bed]."""
    at, ward, bed = step
    _then, from_ward, from_bed = before or (0, NOWHERE, NOWHERE)
    return Happening(
        at=at,
        event=event,
        visit=visit,
        person=e.person_of(visit),
        ward=ward,
        bed=bed,
        from_ward=from_ward,
        from_bed=from_bed,
    )


def _way_so_far(e: Engine, visit: Visit) -> Iterator[Happening]:
    yield _of(e, visit, "A01" if visit.patient_class == "I" else "A04", visit.path[0])
    for before, step in pairwise(visit.path):
        yield _of(e, visit, "A02", step, before=before)
    if visit.status == "leave":
        yield _of(e, visit, "A21", _place_then(visit, visit.leave_since))
    request = e.request_of(visit)
    if request is not None and request.told:
        then = _place_then(visit, request.since)
        yield replace(_of(e, visit, "A15", then), wanted=request.ward)
    if visit.stage == Stage.ARRANGED:
        yield _of(e, visit, "A16", _place_then(visit, visit.since))


def _place_then(visit: Visit, at: int) -> tuple[int, int, int]:
    """The step with which a patient who had come by a minute would be told of at it."""
    step = next(step for step in reversed(visit.path) if step[0] <= at)
    return (at, step[1], step[2])
