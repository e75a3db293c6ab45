"""A whole system, ready to run: new from a seed, or continued from what was saved."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from simulation import state as states
from simulation.beds import bed_meeting
from simulation.clock import HOUR, weekday
from simulation.demand import expected, prevalence
from simulation.emergency import arrivals_of_the_hour
from simulation.engine import Engine, handles
from simulation.filling import fill
from simulation.moving_back import move_outliers_back
from simulation.places import Places
from simulation.planned import book_lists, calls_of_the_hour
from simulation.state import State
from simulation.surroundings import plan_day, plan_weekend_leave
from simulation.worlds import World

WARM_UP_DAYS: Final = 21
"""Days that a world runs unheard from its filling until it is as it ever is."""


def new(places: Places, world: World, *, seed: int, start: int) -> Engine:
    """A system at a minute, filled but not yet settled. The same seed gives the same history."""
    rng = Random(seed)
    beds = len(places.beds)
    state = State(
        world=world.name,
        digest=places.digest,
        now=start,
        occupant=[0] * beds,
        reserved=[0] * beds,
        condition=["U"] * beds,
        condition_since=[start] * beds,
        random=states.packed_random(rng),
    )
    engine = Engine(places, world, state)
    there = prevalence(engine.hazards)
    state.demand = expected(places, world, there)
    fill(engine, there)
    for site in places.acute_sites:
        engine.schedule(start - start % HOUR + HOUR, "hour", site)
    engine.schedule(engine.local(3, days=1), "day")
    return engine


def lived_in(places: Places, world: World, *, seed: int, until: int) -> Engine:
    """A system that has been running long enough by a minute to be as full as it ever is."""
    engine = new(places, world, seed=seed, start=until - WARM_UP_DAYS * 24 * HOUR)
    engine.run_until(until)
    return engine


def resumed(places: Places, world: World, data: Mapping[str, Any]) -> Engine:
    """The system that `Engine.data` described, to go on as if it had never stopped."""
    return Engine(places, world, states.from_data(data))


@handles("hour")
def every_hour(e: Engine, site: str) -> None:
    """Draw the coming hour's arrivals at a hospital and hold its bed meeting."""
    arrivals_of_the_hour(e, site)
    calls_of_the_hour(e, site)
    bed_meeting(e, site)
    move_outliers_back(e, site)
    e.schedule(e.now + HOUR, "hour", site)


@handles("day")
def every_day(e: Engine) -> None:
    """Draw what the day brings besides patients."""
    plan_day(e)
    for site in e.places.acute_sites:
        book_lists(e, site)
    if weekday(e.now) == 5:
        plan_weekend_leave(e)
    e.schedule(e.local(3, days=1), "day")
