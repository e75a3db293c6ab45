"""How many patients a system of this size must expect so that its beds are as full as they are.

The number of emergencies is worked out, not set: demand is a stated part of the acute beds, and
each stream's expected stay follows from its hazards. A world with longer stays therefore has
fewer patients, not an overflowing hospital.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from simulation.clock import LONDON, minute_of
from simulation.hazards import CRITICAL_DAYS, MEMORY_DAYS, Condition, Hazards, Stage
from simulation.outlook import Key, Outlook
from simulation.places import Places, Ward
from simulation.worlds import Stream, World

ADMITTED: Final = minute_of(datetime(2026, 2, 3, 15, tzinfo=LONDON))  # some Tuesday afternoon
PLACE_RATE: Final = 1 / 60  # about how fast places come free for those who wait, an hour

Prevalence = Mapping[tuple[str, int], Sequence[Mapping[Key, float]]]
"""By stream and course: the chance of each stage and way out, one day after another."""


def has_ward(places: Places, site: str, specialty: str) -> bool:
    """Whether a hospital has a ward of its own for a specialty."""
    return any(w.specialty == specialty for w in places.of_site(site, "inpatient"))


def emergency_streams(places: Places, world: World, site: str) -> list[Stream]:
    """The streams that a hospital takes in as emergencies."""
    return [s for s in world.streams if s.share > 0 and has_ward(places, site, s.specialty)]


def own_beds(places: Places, site: str, specialty: str) -> int:
    """Beds of the wards that a specialty has at a hospital."""
    wards = places.of_site(site, "inpatient")
    return sum(_core(ward) for ward in wards if ward.specialty == specialty)


def acute_beds(places: Places, site: str) -> int:
    """Core acute beds for adults."""
    return sum(
        _core(w) for w in places.of_site(site) if w.is_acute and w.specialty != "paediatrics"
    )


def prevalence(hazards: Hazards) -> Prevalence:
    """What becomes of a patient of each stream and course, from a usual hour of admission."""
    outlook = Outlook(hazards, place_rate=PLACE_RATE)
    days: dict[tuple[str, int], list[Mapping[Key, float]]] = {}
    for stream in hazards.world.streams:
        for number in range(len(stream.courses)):
            start = Condition(stream.name, number, Stage.ACTIVE, ADMITTED, ADMITTED)
            each_hour = outlook.stages(start, ADMITTED)
            days[stream.name, number] = list(islice(each_hour, 23, 24 * MEMORY_DAYS, 24))
    return days


def expected(places: Places, world: World, there: Prevalence) -> dict[str, dict[str, float]]:
    """For each hospital: admissions a day by stream (`emergency:…`, `list:…`), attendances (`ed`)
    and calls of general practitioners (`gp`).

    Shifts of the world are left out on purpose: the world before them sets the scale.
    """
    days = {stream.name: mean_days(stream, there) for stream in world.streams}
    return {site: _of_site(places, world, days, site) for site in places.acute_sites}


def mean_days(stream: Stream, there: Prevalence) -> float:
    """Expected days in hospital of a stream, over its courses and critical care."""
    total = stream.critical * CRITICAL_DAYS
    for number, course in enumerate(stream.courses):
        still = sum(sum(left.values()) for left in there[stream.name, number])
        total += course.weight * (still + 0.5)  # the first day counts half: trapezia
    return total


def _of_site(
    places: Places, world: World, days: Mapping[str, float], site: str
) -> dict[str, float]:
    streams = emergency_streams(places, world, site)
    adults = [s for s in streams if s.family != "children"]
    lists = {
        s.name: s.lists * own_beds(places, site, s.specialty) / days[s.name] for s in world.streams
    }
    elective = sum(rate * days[name] for name, rate in lists.items())
    shares = sum(s.share for s in adults)
    stay = sum(s.share * days[s.name] for s in adults) / shares
    a_day = max(0.0, world.load * acute_beds(places, site) - elective) / stay
    rates = {f"emergency:{s.name}": a_day * s.share / shares for s in streams}
    emergencies = sum(rates.values())
    rates |= {f"list:{name}": rate for name, rate in lists.items() if rate}
    rates["gp"] = emergencies * world.gp_share
    rates["ed"] = emergencies * (1 - world.gp_share) / world.conversion
    return rates


def _core(ward: Ward) -> int:
    return sum(not bed.is_escalation for bed in ward.beds)
