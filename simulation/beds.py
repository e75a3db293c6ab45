"""Who gets which bed: requests, promises, cleaning, and the hourly bed meeting.

A bed can be promised when it is empty, clean, not in a closed room, and suits the patient. A
request first looks for its own kind of ward, then, the longer it waits, for ever less fitting
ones; a bed that comes free goes to whoever needs it most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.clock import HOUR, local_hour
from simulation.engine import Engine, handles
from simulation.infections import infection_of
from simulation.outlying import Taken, taken
from simulation.places import Bed, Ward
from simulation.state import NOWHERE, Request, Visit
from simulation.worlds import Stream

_CLOSED_TO_OTHERS: Final = frozenset({"elective_orthopaedics", "paediatrics"})
_SPARED: Final = frozenset({"stroke", "haematology_oncology", "gynaecology"})
_PLANNED: Final = ("11", "12")  # NHS Data Dictionary, ADMISSION METHOD: waiting list, booked
_ALIKE: Final = {"acute_frailty": "acute_medicine", "acute_medicine": "acute_frailty"}

# How far a bed is from the best, each step worth so many hours of waiting: a bed goes to patients
# of its own specialty first, then to those whom the ward takes as well, and to outliers at last.
_STEP: Final = 4  # hours
_ALLIED: Final = 3
_OUTLIER: Final = 12
_OUTLIER_OF_OTHERS: Final = 20
_OUTLYING_AFTER: Final = 10  # hours
_OUTLYING_AFTER_ELECTIVE: Final = 2
_OUTLYING_ELSEWHERE_AFTER: Final = 24
_SIDE_ROOM: Final = 1  # of who need not be kept apart
_APART_WAITS: Final = 3  # hours for a side room
_APART_OUTLYING: Final = 8  # hours earlier on a ward that is not theirs
_NOT_APART: Final = 4


def is_free(e: Engine, bed: Bed) -> bool:
    """Empty, clean, open and promised to nobody."""
    state = e.state
    return (
        state.occupant[bed.number] == 0
        and state.reserved[bed.number] == 0
        and state.condition[bed.number] == "U"
        and bed.room_key not in state.rooms
    )


def free_beds(e: Engine, ward: Ward) -> list[Bed]:
    """The free beds of a ward."""
    occupant = e.state.occupant
    return [bed for bed in ward.beds if not occupant[bed.number] and is_free(e, bed)]


def suits(e: Engine, request: Request, bed: Bed) -> int | None:
    """How well a bed fits a request, 0 best, or None where it does not."""
    ward = e.wards[bed.ward]
    rank = _ward_rank(e, request, ward) if bed.takes(request.sex) else None
    return None if rank is None else _bed_rank(e, request, ward, bed, rank)


def _bed_rank(e: Engine, request: Request, ward: Ward, bed: Bed, rank: int) -> int | None:
    if bed.is_escalation and not e.state.escalated.get(ward.site):
        return None
    if ward.kind == "critical_care" or request.kind == "onward":
        return rank
    if request.apart and not bed.is_side_room:
        waits = e.now - request.since < _APART_WAITS * HOUR
        return None if waits else rank + _NOT_APART
    return rank + _SIDE_ROOM * (bed.is_side_room and not request.apart)


def _ward_rank(e: Engine, request: Request, ward: Ward) -> int | None:
    if ward.sex not in ("any", request.sex):
        return None
    if request.kind == "onward":
        return 0 if ward.kind == request.unit else None
    if ward.site != request.site:
        return None
    hours = (e.now - request.since) / HOUR
    if request.kind == "critical" and (ward.kind == "critical_care" or hours < 4):
        return 0 if ward.kind == "critical_care" else None
    if ward.kind == "assessment":
        return _unit_rank(request, ward, hours)
    if ward.kind != "inpatient":
        return None
    if ward.specialty == request.specialty:
        return 2 if request.kind == "assessment" and hours < 4 else 0
    if ward.specialty in _CLOSED_TO_OTHERS or request.family == "children":
        return None
    hours += 6 * e.state.escalated.get(ward.site, False) + _APART_OUTLYING * request.apart
    how = taken(ward.code, ward.specialty, ward.kind, request.specialty)
    if how is Taken.TAKES:
        return _ALLIED if hours >= (4 if request.kind == "assessment" else 1) else None
    return _outlier_rank(request, ward, hours) if how is Taken.OUTLIER else None


def _unit_rank(request: Request, ward: Ward, hours: float) -> int | None:
    if request.kind not in ("assessment", "critical") or not request.unit:
        return None
    if ward.specialty == request.unit:
        return 0
    return 3 if ward.specialty == _ALIKE.get(request.unit) and hours >= 2 else None


def _outlier_rank(request: Request, ward: Ward, hours: float) -> int | None:
    """Rank of a ward that does not take the specialty: open to those who have waited long."""
    if ward.specialty in _SPARED:
        hours -= 8
    surgical = "surgery" in ward.specialty or ward.specialty in (
        "trauma_orthopaedics", "urology", "gynaecology", "ear_nose_throat",
    )  # fmt: skip
    if (request.family == "surgical") == surgical:
        after = _OUTLYING_AFTER_ELECTIVE if request.kind == "elective" else _OUTLYING_AFTER
        return _OUTLIER if hours >= after else None
    is_open = hours >= _OUTLYING_ELSEWHERE_AFTER and request.kind != "elective"
    return _OUTLIER_OF_OTHERS if is_open else None


def urgency(e: Engine, request: Request) -> float:
    """Who goes first: larger is sooner."""
    hours = (e.now - request.since) / HOUR
    if request.kind == "critical":
        return 1000 + hours
    if request.kind == "elective":
        return 48
    if request.kind == "assessment" or request.admits:
        return 25 + 2 * hours
    visit = e.state.visits[request.visit]
    kind = e.wards[visit.ward].kind if visit.ward != NOWHERE else ""
    return {"critical_care": 50.0, "assessment": 28.0}.get(kind, 20.0) + hours


def ask(
    e: Engine,
    visit: Visit,
    kind: str,
    stream: Stream | None = None,
    *,
    unit: str = "",
    site: str | None = None,
    admits: bool = False,
) -> Request:
    """A patient needs a bed from now on."""
    person = e.person_of(visit)
    name = stream.name if stream else visit.stream
    since = visit.admitted or e.now
    planned = visit.method in _PLANNED
    found = infection_of(person, name, at=since, is_planned=planned)
    request = Request(
        key=e.state.next_key(),
        visit=visit.key,
        kind=kind,
        site=site or visit.site,
        specialty=stream.specialty if stream else visit.specialty,
        unit=unit,
        family=stream.family if stream else "",
        sex=person.sex_word,
        since=e.now,
        admits=admits,
        apart=found is not None and found.lasts(since, e.now),
    )
    e.state.requests[request.key] = request
    visit.request = request.key
    return request


def drop(e: Engine, visit: Visit) -> Request | None:
    """The patient needs the bed no longer; what was promised is free for others."""
    request = e.state.requests.pop(visit.request, None)
    visit.request = 0
    if request is not None and request.bed != NOWHERE:
        e.state.reserved[request.bed] = 0
        e.schedule(e.now, "bed_offered", request.bed)
    return request


def wards_for(e: Engine, request: Request) -> Iterator[Ward]:
    """Wards that may take a request at all."""
    if request.kind == "onward":
        return e.places.of_kind(request.unit)
    return e.places.of_site(request.site, "assessment", "inpatient", "critical_care")


def best_bed(e: Engine, request: Request) -> Bed | None:
    """The free bed that suits a request best; among equals any."""
    best: list[Bed] = []
    lowest = 99
    for ward in wards_for(e, request):
        ward_rank = _ward_rank(e, request, ward)
        if ward_rank is None or ward_rank > lowest:
            continue
        for bed in free_beds(e, ward):
            if bed.takes(request.sex):
                rank = _bed_rank(e, request, ward, bed, ward_rank)
                if rank is not None and rank <= lowest:
                    best = [bed] if rank < lowest else [*best, bed]
                    lowest = rank
    return e.rng.choice(best) if best else None


def best_request(e: Engine, bed: Bed) -> Request | None:
    """Who among those who wait should have a free bed."""
    best, highest = None, float("-inf")
    for request in e.state.requests.values():
        if request.bed == NOWHERE and _may_move_now(e, request):
            rank = suits(e, request, bed)
            if rank is not None and urgency(e, request) - _STEP * rank > highest:
                best, highest = request, urgency(e, request) - _STEP * rank
    return best


def _may_move_now(e: Engine, request: Request) -> bool:
    """Patients on wards are not moved at night unless the emergency department is waiting."""
    if request.kind != "ward" or request.admits or 7 <= local_hour(e.now) < 22:
        return True
    return waiting_admissions(e, request.site) >= 4


def waiting_admissions(e: Engine, site: str) -> int:
    """Patients in an emergency department for whom a bed has been asked."""
    requests = e.state.requests.values()
    return sum(r.admits and r.site == site and r.kind != "elective" for r in requests)


def promise(e: Engine, request: Request, bed: Bed) -> None:
    """Hold a bed for a request and set off the move."""
    request.bed = bed.number
    e.state.reserved[bed.number] = request.key
    if request.kind == "onward":
        e.schedule(e.now, "place_found", request.visit)
        return
    low, high = {"critical": (8, 35), "assessment": (12, 55), "elective": (5, 25)}.get(
        request.kind, (20, 60) if request.admits else (30, 140)
    )
    e.schedule(e.now + e.between(low, high), "transfer", request.key)


def look_for_bed(e: Engine, request: Request) -> None:
    """Promise a bed at once if there is one that suits."""
    if request.bed == NOWHERE and _may_move_now(e, request):
        bed = best_bed(e, request)
        if bed is not None:
            promise(e, request, bed)


@handles("bed_offered")
def bed_offered(e: Engine, number: int) -> None:
    """A bed may have come free: it goes to whoever needs it most."""
    bed = e.beds[number]
    ward = e.wards[bed.ward]
    if ward.kind == "emergency":
        e.schedule(e.now, "trolley_free", ward.site)
    elif is_free(e, bed):
        request = best_request(e, bed)
        if request is not None:
            promise(e, request, bed)


@handles("bed_left")
def bed_left(e: Engine, number: int) -> None:
    """A patient has left: the bed is dirty, or closed with its room; chairs need no cleaning."""
    bed = e.beds[number]
    if bed.room_key in e.state.rooms:
        e.tell_bed(number, "C")
    elif bed.kind in ("chair", "place"):
        e.state.condition[number] = "U"
        bed_offered(e, number)
    elif bed.kind == "trolley":
        e.tell_bed(number, "K")
        e.schedule(e.now + e.between(4, 11), "bed_clean", number)
    else:
        needs_cleaning(e, number, 1.4 if bed.is_side_room else 1.0)


def needs_cleaning(e: Engine, number: int, effort: float) -> None:
    """Call housekeeping to a bed; at night few are there and it takes longer."""
    pace = effort * (1.0 if 7 <= local_hour(e.now) < 21 else 1.8)
    begins = e.now + round(e.around(14, 0.5) * pace)
    e.tell_bed(number, "K")
    e.schedule(begins, "housekeeping", number)
    e.schedule(begins + round(e.around(24, 0.3) * pace), "bed_clean", number)


@handles("housekeeping")
def housekeeping(e: Engine, number: int) -> None:
    """Housekeeping begins with a bed."""
    if e.beds[number].room_key not in e.state.rooms:
        e.tell_bed(number, "H")


@handles("bed_clean")
def bed_clean(e: Engine, number: int) -> None:
    """Housekeeping is done with a bed."""
    if e.beds[number].room_key in e.state.rooms:
        e.tell_bed(number, "C")
        return
    e.tell_bed(number, "U")
    bed_offered(e, number)


def bed_meeting(e: Engine, site: str) -> None:
    """Open or shut the escalation beds, then try to place everybody who waits."""
    waiting = waiting_admissions(e, site)
    if waiting >= 0.018 * e.acute_beds[site]:
        e.state.escalated[site] = True
    elif waiting <= 0.006 * e.acute_beds[site]:
        e.state.escalated[site] = False
    unplaced = [r for r in e.state.requests.values() if r.bed == NOWHERE and r.site == site]
    for request in sorted(unplaced, key=lambda r: -urgency(e, r)):
        look_for_bed(e, request)
