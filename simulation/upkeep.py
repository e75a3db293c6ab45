"""What goes on in a hospital at every hour besides arrivals, moves and departures.

Most messages of a patient administration system tell of neither: a patient in the emergency
department is triaged and seen, and is given another trolley; nurses keep records up to date; and
at night housekeeping works through the beds that stand empty. None of it changes who is where for
long, so it belongs to the living feed alone: the weeks of history do without.

With it, a system of 1,000 acute beds sends three to four messages a minute in the small hours and
seven or eight at noon; without, half a message and three. Hospitals with electronic records send
more, most of them A08.
"""

from __future__ import annotations

import heapq
from typing import Final

from simulation import beds, emergency
from simulation.clock import HOUR, local_hour
from simulation.engine import Engine, handles
from simulation.places import Bed
from simulation.state import NOWHERE

EVERY: Final = 10
"""Minutes for which work is drawn at a time."""

LONGEST_GAP: Final = HOUR
"""Minutes that a living feed may be behind and still make up for upkeep as well."""

_SEEN_AN_HOUR: Final = 0.8  # updates of a patient in an emergency department
_TROLLEYS_AN_HOUR: Final = 0.5  # changes of trolley, of whoever has one
_NOTES_AN_HOUR: Final = {True: 0.07, False: 0.08}  # updates of a patient on a ward, by night
_CLEANED_AN_HOUR: Final = 20.0  # empty places of the whole system, at night
_UNTOUCHED: Final = 6 * HOUR  # a place as clean as that is cleaned again


def resume(e: Engine, at: int) -> None:
    """Let it go on from a minute at which the world is to be told of again.

    A gap of hours is made up without it. It stands on the agenda, so that a world that is saved
    and continued goes the same way.
    """
    if at - e.now > LONGEST_GAP:
        e.state.agenda[:] = [due for due in e.state.agenda if due[2] != "upkeep"]
        heapq.heapify(e.state.agenda)
        e.schedule(at, "upkeep")
    elif not any(due[2] == "upkeep" for due in e.state.agenda):
        e.schedule(e.now, "upkeep")


@handles("upkeep")
def upkeep(e: Engine) -> None:
    """Draw the work of the coming minutes."""
    for key in [v.key for v in e.state.visits.values() if v.is_here]:
        visit = e.state.visits[key]
        if visit.patient_class == "E":
            _perhaps(e, _SEEN_AN_HOUR, "note", key)
            if visit.bed != NOWHERE:
                _perhaps(e, _TROLLEYS_AN_HOUR, "other_trolley", key)
        else:
            _perhaps(e, _NOTES_AN_HOUR[_is_night(e)], "note", key)
    if _is_night(e):
        for _ in range(e.count(_CLEANED_AN_HOUR * EVERY / HOUR)):
            e.schedule(e.now + e.rng.randrange(EVERY), "clean_empty")
    e.schedule(e.now + EVERY, "upkeep")


def _is_night(e: Engine) -> bool:
    return not 7 <= local_hour(e.now) < 21


def _perhaps(e: Engine, an_hour: float, event: str, key: int) -> None:
    if e.rng.random() < an_hour * EVERY / HOUR:
        e.schedule(e.now + e.rng.randrange(EVERY), event, key)


@handles("note")
def note(e: Engine, key: int) -> None:
    """Something is added to the record: where the patient is and who looks after them."""
    visit = e.state.visits.get(key)
    if visit is not None and visit.is_here:
        e.tell("A08", visit)


@handles("other_trolley")
def other_trolley(e: Engine, key: int) -> None:
    """Nearer the nurses, or back from an examination to another place."""
    visit = e.state.visits.get(key)
    if visit is None or visit.bed == NOWHERE or visit.request:
        return
    emergency.change_trolley(e, visit)


@handles("clean_empty")
def clean_empty(e: Engine) -> None:
    """The night team takes the next place that stands empty and was not touched for long."""
    due = [bed for bed in e.beds if _stands_empty(e, bed)]
    if due:
        number = e.rng.choice(due).number
        e.tell_bed(number, "H")
        e.schedule(e.now + e.between(9, 20), "bed_clean", number)


def _stands_empty(e: Engine, bed: Bed) -> bool:
    untouched = e.now - e.state.condition_since[bed.number] >= _UNTOUCHED
    away = bed.kind == "place" or e.wards[bed.ward].kind == "emergency"
    return untouched and not away and not bed.is_escalation and beds.is_free(e, bed)
