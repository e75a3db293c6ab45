"""What happens around the stays: infections, leave, moves within a ward, and tidied records."""

from __future__ import annotations

from typing import Final

from simulation import beds
from simulation.clock import DAY, HOUR
from simulation.engine import Engine, Happening, handles
from simulation.hazards import Stage
from simulation.inpatients import move_to, resume
from simulation.places import Bed, Ward
from simulation.state import NOWHERE, Visit

_SHUFFLES_A_DAY: Final = 14.0
_SWAPS_A_DAY: Final = 2.5
_LEAVES_A_WEEKEND: Final = 6
_INPATIENT_KINDS: Final = ("inpatient", "community")


def plan_day(e: Engine) -> None:
    """Draw when today's interruptions happen. Called in the small hours."""
    for event, mean, first, last in (
        ("outbreak", e.world.outbreaks_per_day, 8, 18),
        ("shuffle", _SHUFFLES_A_DAY, 8, 22),
        ("swap", _SWAPS_A_DAY, 9, 20),
    ):
        for _ in range(e.count(mean)):
            minutes = e.rng.randrange((last - first) * HOUR)
            e.schedule(e.local(first) + minutes, event)
    e.schedule(e.local(10, minutes=e.rng.randrange(50)), "review_dates")


def _some_ward(e: Engine) -> Ward:
    return e.rng.choice([w for w in e.wards if w.kind in _INPATIENT_KINDS])


def _in_bed(e: Engine, bed: Bed) -> Visit | None:
    """Who lies in a bed and could be moved."""
    visit = e.state.visits.get(e.state.occupant[bed.number])
    movable = visit is not None and visit.is_here and visit.last_at < e.now and not visit.request
    return visit if movable else None


def _may_lie(e: Engine, visit: Visit, bed: Bed) -> bool:
    return bed.takes(e.person_of(visit).sex_word)


@handles("outbreak")
def outbreak(e: Engine) -> None:
    """Sickness in a bay: it is closed for some days, with those who lie in it."""
    ward = _some_ward(e)
    rooms = sorted({b.room for b in ward.beds if not b.is_side_room and not b.is_escalation})
    if not rooms:
        return
    room = e.rng.choice(rooms)
    inside = [b for b in ward.beds if b.room == room]
    name = inside[0].room_key
    if name in e.state.rooms:
        return
    until = e.state.rooms[name] = e.now + e.between(3 * DAY, 8 * DAY)
    for bed in inside:
        e.tell_bed(bed.number, "I" if e.state.occupant[bed.number] else "C")
    e.schedule(until, "reopen", name)


@handles("reopen")
def reopen(e: Engine, name: str) -> None:
    """The bay is clear: empty beds are deep cleaned, the others are ordinary beds again."""
    del e.state.rooms[name]
    for bed in e.beds:
        if bed.room_key == name:
            if e.state.occupant[bed.number]:
                e.tell_bed(bed.number, "O")
            else:
                beds.needs_cleaning(e, bed.number, 3.0)


@handles("shuffle")
def shuffle(e: Engine) -> None:
    """A patient is moved to a free bed of the same ward: nearer the nurses, or to a side room."""
    ward = _some_ward(e)
    free = [b for b in beds.free_beds(e, ward) if not b.is_escalation]
    if not free:
        return
    bed = e.rng.choice(free)
    moving = [v for b in ward.beds if (v := _in_bed(e, b)) and _may_lie(e, v, bed)]
    if moving:
        move_to(e, e.rng.choice(moving), bed.number)


@handles("swap")
def swap(e: Engine) -> None:
    """Two patients of a ward change beds, one of them needing a side room."""
    ward = _some_ward(e)
    lying = [(b, v) for b in ward.beds if (v := _in_bed(e, b))]
    e.rng.shuffle(lying)
    rooms = [(b, v) for b, v in lying if b.is_side_room]
    for one, visit in rooms:
        for other, partner in lying:
            if (
                not other.is_side_room
                and _may_lie(e, visit, other)
                and other.room_key not in e.state.rooms
            ):
                _change_places(e, visit, one, partner, other)
                return


def _change_places(e: Engine, visit: Visit, one: Bed, partner: Visit, other: Bed) -> None:
    for moved, bed in ((visit, other), (partner, one)):
        moved.bed, moved.last_at = bed.number, e.now
        moved.path.append([e.now, bed.ward, bed.number])
        e.state.occupant[bed.number] = moved.key
    second = Happening(
        at=e.now, event="A17", visit=partner, person=e.person_of(partner),
        ward=one.ward, bed=one.number, from_ward=other.ward, from_bed=other.number,
    )  # fmt: skip
    e.tell("A17", visit, from_ward=one.ward, from_bed=one.number, other=second)


@handles("review_dates")
def review_dates(e: Engine) -> None:
    """Expected discharge dates that have passed are put off, if anybody finds the time."""
    for visit in list(e.state.visits.values()):
        overdue = 0 < visit.expected_discharge < e.now
        staying = visit.is_here and visit.stage in (Stage.CRITICAL, Stage.ACTIVE)
        if overdue and staying and e.rng.random() < 0.6:
            visit.expected_discharge = e.local(15, days=e.rng.choice((1, 1, 2, 2, 3)))
            e.schedule(e.now + e.rng.randrange(3 * HOUR), "tell_date", visit.key)


@handles("tell_date")
def tell_date(e: Engine, key: int) -> None:
    """The new date reaches the record."""
    visit = e.state.visits.get(key)
    if visit is not None and visit.is_here:
        e.tell("A08", visit)


def plan_weekend_leave(e: Engine) -> None:
    """Some patients go home for the weekend to see how they manage."""
    long_stay = [
        v
        for v in e.state.visits.values()
        if v.is_here and v.stage == Stage.ACTIVE and v.patient_class == "I" and v.bed != NOWHERE
        and e.wards[v.ward].kind in _INPATIENT_KINDS and e.now - v.admitted > 12 * DAY
    ]  # fmt: skip
    for visit in e.rng.sample(long_stay, min(_LEAVES_A_WEEKEND, len(long_stay))):
        e.schedule(e.local(10) + e.rng.randrange(4 * HOUR), "leave", visit.key)


@handles("leave")
def leave(e: Engine, key: int) -> None:
    """The patient goes on leave; the bed is kept."""
    visit = e.state.visits.get(key)
    if visit is None or not visit.is_here or visit.stage != Stage.ACTIVE or visit.request:
        return
    if visit.last_at >= e.now or visit.bed == NOWHERE:
        return
    visit.status, visit.last_at, visit.leave_since = "leave", e.now, e.now
    visit.token += 1  # nothing changes while away
    visit.leave_until = e.local(17, days=1) + e.rng.randrange(2 * HOUR)
    e.tell("A21", visit)
    e.schedule(visit.leave_until, "come_back", key)


@handles("come_back")
def come_back(e: Engine, key: int) -> None:
    """Back from leave, into the same bed."""
    visit = e.state.visits[key]
    visit.status, visit.last_at = "in", e.now
    e.tell("A22", visit)
    resume(e, visit)


@handles("correct")
def correct(e: Engine, key: int) -> None:
    """Somebody notices that a detail was written down wrongly."""
    person = e.state.people.get(key)
    if person is None or not person.misheard or not person.mrn:
        return
    person.misheard = {}
    for visit in e.state.visits.values():
        if visit.person == key and visit.is_here:
            e.tell("A08", visit)
            return
    e.listener(Happening(at=e.now, event="A31", person=person))


@handles("merge")
def merge(e: Engine, key: int, double: int, organisation: str) -> None:
    """A patient registered a second time is found to be the known one."""
    person, other = e.state.people[key], e.state.people[double]
    for visit in e.state.visits.values():
        if visit.person == double:
            visit.person = key
            person.open_visits += 1
            other.open_visits -= 1
    person.open_visits -= 1
    person.died = person.died or other.died
    del e.state.people[double]
    e.listener(
        Happening(
            at=e.now,
            event="A40",
            person=person,
            old_number=other.mrn[organisation],
            organisation=organisation,
        )
    )
    e.forget(person)
