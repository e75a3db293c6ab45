"""How many patients a system of this size must expect so that its beds are as full as they are.

The number of emergencies is worked out, not set: demand is a stated part of the acute beds, and
each stream's expected stay follows from its hazards. A world with longer stays therefore has
fewer patients, not an overflowing hospital.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from simulation.clock import LONDON, minute_of
from simulation.hazards import CRITICAL_DAYS, Condition, Hazards, Stage
from simulation.outlook import Outlook
from simulation.places import Places, Ward
from simulation.worlds import Stream, World

ADMITTED: Final = minute_of(datetime(2026, 2, 3, 15, tzinfo=LONDON))  # some Tuesday afternoon
PLACE_RATE: Final = 1 / 60  # about how fast places come free for those who wait, an hour


def has_ward(places: Places, site: str, specialty: str) -> bool:
    """Whether a hospital has a ward of its own for a specialty."""
    return any(w.specialty == specialty for w in places.of_site(site, "inpatient"))


def emergency_streams(places: Places, world: World, site: str) -> list[Stream]:
    """The streams that a hospital takes in as emergencies."""
    return [s for s in world.streams if s.share > 0 and has_ward(places, site, s.specialty)]


def elective_share(places: Places, site: str, specialty: str) -> float:
    """The part of a specialty's elective list that is done at a hospital: by its beds."""

    def beds(of: str) -> int:
        wards = places.of_site(of, "inpatient")
        return sum(len(w.beds) for w in wards if w.specialty == specialty)

    here = beds(site)
    return here / sum(beds(each) for each in places.acute_sites) if here else 0.0


def acute_beds(places: Places, site: str) -> int:
    """Core acute beds for adults."""
    return sum(
        _core(w) for w in places.of_site(site) if w.is_acute and w.specialty != "paediatrics"
    )


def expected(places: Places, hazards: Hazards) -> dict[str, dict[str, float]]:
    """For each hospital: admissions a day by stream (`emergency:…`), attendances and GP calls.

    Shifts of the world are left out on purpose: the world before them sets the scale.
    """
    days = mean_days(hazards)
    return {site: _of_site(places, hazards.world, days, site) for site in places.acute_sites}


def mean_days(hazards: Hazards) -> dict[str, float]:
    """Expected days in hospital of each stream, over its courses and critical care."""
    outlook = Outlook(hazards, place_rate=PLACE_RATE)
    return {s.name: _mean_days(outlook, s) for s in hazards.world.streams}


def _mean_days(outlook: Outlook, stream: Stream) -> float:
    total = stream.critical * CRITICAL_DAYS
    for number, course in enumerate(stream.courses):
        condition = Condition(stream.name, number, Stage.ACTIVE, ADMITTED, ADMITTED)
        total += course.weight * outlook.mean_days(condition)
    return total


def _of_site(
    places: Places, world: World, days: Mapping[str, float], site: str
) -> dict[str, float]:
    streams = emergency_streams(places, world, site)
    adults = [s for s in streams if s.family != "children"]
    elective = sum(
        s.electives / 7 * elective_share(places, site, s.specialty) * days[s.name]
        for s in world.streams
    )
    shares = sum(s.share for s in adults)
    stay = sum(s.share * days[s.name] for s in adults) / shares
    a_day = max(0.0, world.load * acute_beds(places, site) - elective) / stay
    rates = {f"emergency:{s.name}": a_day * s.share / shares for s in streams}
    emergencies = sum(rates.values())
    rates["gp"] = emergencies * world.gp_share
    rates["ed"] = emergencies * (1 - world.gp_share) / world.conversion
    return rates


def _core(ward: Ward) -> int:
    return sum(not bed.is_escalation for bed in ward.beds)
