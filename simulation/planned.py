"""Patients who are expected: operations, day cases, and those sent in by their doctor."""

from __future__ import annotations

from typing import Final

from simulation import beds
from simulation.clock import HOUR, hour_of_week, weekday
from simulation.emergency import register
from simulation.engine import Engine, handles
from simulation.inpatients import admit, begin, course_of, patient_for
from simulation.places import Ward
from simulation.state import NOWHERE, Visit
from simulation.worlds import Stream

_LIST_DAYS: Final = (1.04, 1.06, 1.04, 1.02, 0.84, 0.10, 0.0)  # Monday first; sums to about 5
_CALLS: Final = (0,) * 8 + (0.3, 1.0, 1.4, 1.5, 1.4, 1.3, 1.3, 1.3, 1.2, 1.0, 0.6, 0.3) + (0,) * 4
_CALL_DAYS: Final = (1.25, 1.15, 1.1, 1.1, 1.15, 0.6, 0.5)
_SEATS: Final = 6  # patients who may wait on an assessment unit without a bed
_DAY_SURGERY: Final = "day_surgery"


def book_lists(e: Engine, site: str) -> None:
    """Book the patients of the lists in two days' time, each at some minute of this afternoon."""
    day = (weekday(e.now) + 2) % 7
    for name, a_day in _lists(e, site):
        for _ in range(e.count(a_day * 7 / 5 * _LIST_DAYS[day])):
            e.schedule(e.local(13) + e.rng.randrange(5 * HOUR), "book", site, name)
    unit = next(e.places.of_site(site, "day_case"), None)
    if unit is not None:
        chairs = sum(len(w.beds) for w in e.places.of_kind("day_case"))
        mean = e.world.day_cases * len(unit.beds) / chairs * _LIST_DAYS[day]
        for _ in range(e.count(mean)):
            e.schedule(e.local(13) + e.rng.randrange(5 * HOUR), "book_day_case", site)


def _lists(e: Engine, site: str) -> list[tuple[str, float]]:
    """The streams that are treated on lists at a hospital, with patients a day."""
    rates = e.state.demand[site].items()
    return [(key.removeprefix("list:"), rate) for key, rate in rates if key.startswith("list:")]


@handles("book")
def book(e: Engine, site: str, name: str) -> None:
    """A patient is put on the list: pre-admitted to the ward."""
    stream = e.stream(name)
    ward = next(w for w in e.places.of_site(site, "inpatient") if w.specialty == stream.specialty)
    minute = e.rng.choice((0, 0, 30, 45)) + e.rng.randrange(5)
    _pre_admit(
        e, ward, stream, e.local(e.rng.choice((7, 7, 7, 10, 11)), days=2, minutes=minute), "11"
    )


@handles("book_day_case")
def book_day_case(e: Engine, site: str) -> None:
    """A patient is put on a day list."""
    unit = next(e.places.of_site(site, "day_case"))
    stream = e.stream(e.chosen(_lists(e, site)))
    hour = e.rng.choice((7, 7, 8, 8, 9, 11, 12, 12, 13))
    _pre_admit(e, unit, stream, e.local(hour, days=2, minutes=e.rng.randrange(60)), "12")


def _pre_admit(e: Engine, ward: Ward, stream: Stream, at: int, method: str) -> None:
    day_case = ward.kind == "day_case"
    visit = e.open_visit(
        patient_for(e, stream), ward,
        patient_class="O" if day_case else "I", method=method, stream=stream.name,
        specialty=_DAY_SURGERY if day_case else stream.specialty,
    )  # fmt: skip
    visit.booked, visit.expected_at = ward.number, at
    visit.course = course_of(e, stream)
    e.tell("A05", visit, ward=ward.number)
    if e.rng.random() < 0.05:  # the patient rings up, or the theatre list is cut
        e.schedule(e.now + e.between(HOUR, 30 * HOUR), "cancel", visit.key)
    else:
        e.schedule(at, "come_in", visit.key)


@handles("cancel")
def cancel(e: Engine, key: int) -> None:
    """An expected patient will not come, or cannot be taken."""
    visit = e.state.visits.get(key)
    if visit is None or visit.status != "expected":
        return
    beds.drop(e, visit)
    # A referral was told as a pending admission, a list patient as a pre-admission.
    e.tell("A27" if visit.method == "22" else "A11", visit, ward=visit.booked)
    e.close_visit(visit)


@handles("come_in")
def come_in(e: Engine, key: int) -> None:
    """A list patient is at the door."""
    visit = e.state.visits[key]
    if visit.patient_class == "O":
        _start_day_case(e, visit)
        return
    stream = e.stream(visit.stream)
    crowded = beds.waiting_admissions(e, visit.site) > 0.03 * e.acute_beds[visit.site]
    if crowded and e.rng.random() < 0.4:
        e.schedule(e.now, "cancel", key)
        return
    # The largest operations go to critical care first, or not ahead.
    visit.is_critical = e.rng.random() < stream.critical
    kind = "critical" if visit.is_critical else "elective"
    request = beds.ask(e, visit, kind, stream, admits=True)
    beds.look_for_bed(e, request)
    e.schedule(e.local(15), "cancel", key)


def _start_day_case(e: Engine, visit: Visit) -> None:
    unit = e.wards[visit.booked]
    free = [b.number for b in beds.free_beds(e, unit)]
    visit.status, visit.admitted = "in", e.now
    e.put(visit, unit.number, e.rng.choice(free) if free else NOWHERE)
    e.tell("A04", visit)
    e.schedule(e.now + e.between(3 * HOUR, 7 * HOUR), "day_done", visit.key)


@handles("day_done")
def day_done(e: Engine, key: int) -> None:
    """A day case goes home, or has to stay the night after all."""
    visit = e.state.visits[key]
    stream = e.stream(visit.stream)
    if e.rng.random() < 0.025:
        visit.specialty = stream.specialty
        request = beds.ask(e, visit, "elective", stream, admits=True)
        beds.look_for_bed(e, request)
        return
    e.tell("A03", visit, destination="19")
    e.close_visit(visit)


def calls_of_the_hour(e: Engine, site: str) -> None:
    """General practitioners ring to send patients in during the coming hour."""
    how = hour_of_week(e.now // HOUR)
    mean = e.state.demand[site]["gp"] * _CALLS[how % 24] / sum(_CALLS) * _CALL_DAYS[how // 24]
    for shift in e.world.shifts:
        mean *= shift.arrivals if e.now >= shift.since else 1.0
    for _ in range(e.count(mean)):
        e.schedule(e.now + e.rng.randrange(HOUR), "call", site)


@handles("call")
def call(e: Engine, site: str) -> None:
    """A patient is expected on an assessment unit some time today."""
    streams = [s for s in e.intake[site] if s.unit]
    stream = e.stream(e.chosen((s.name, s.share) for s in streams))
    unit = next(
        (w for w in e.places.of_site(site, "assessment") if w.specialty == stream.unit), None
    )
    if unit is None:
        return
    visit = e.open_visit(
        patient_for(e, stream), unit,
        patient_class="I", method="22", stream=stream.name, specialty=stream.specialty,
    )  # fmt: skip
    visit.booked, visit.course = unit.number, course_of(e, stream)
    visit.expected_at = e.now + e.between(40, 260)
    e.tell("A14", visit, ward=unit.number, wanted=unit.number)
    does_not_come = e.rng.random() < 0.07
    e.schedule(visit.expected_at, "cancel" if does_not_come else "referral", visit.key)


@handles("referral")
def referral(e: Engine, key: int) -> None:
    """A referred patient arrives: into a bed, on to a chair of the unit, or to the emergency
    department where the unit is full."""
    visit = e.state.visits[key]
    stream, unit = e.stream(visit.stream), visit.booked
    request = beds.ask(e, visit, "assessment", stream, unit=stream.unit)
    bed = beds.best_bed(e, request)
    if bed is not None:
        request.admits = True
        beds.drop(e, visit)
        admit(e, visit, request, bed.number)
    elif _seated(e, unit) < _SEATS:
        begin(e, visit, unit)
    else:
        person = e.person_of(visit)
        person.open_visits += 1  # not forgotten in between
        cancel(e, key)
        person.open_visits -= 1
        register(e, e.wards[unit].site, person, stream)


def _seated(e: Engine, ward: int) -> int:
    return sum(v.ward == ward and v.bed == NOWHERE and v.is_here for v in e.state.visits.values())
