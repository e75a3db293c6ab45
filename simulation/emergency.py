"""Emergency departments: who comes when, where they wait, and who is admitted."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Final

from simulation import beds
from simulation.clock import HOUR, hour_of_week
from simulation.engine import Engine, handles
from simulation.inpatients import course_of, move_to, patient_for
from simulation.people import Person
from simulation.places import Ward
from simulation.state import NOWHERE, Visit
from simulation.worlds import Stream

# Where patients of each kind are seen, in order of preference, by bay.
_AREAS: Final = {
    "RES": ("RES", "MAJ", "COR"),
    "MAJ": ("MAJ", "SIT", "COR"),
    "MIN": ("MIN",),
    "PAED": ("PAED", "MIN"),
}
_SITTING: Final = ("SIT", "COR")
_FOUR_HOURS: Final = 4 * HOUR


def department(e: Engine, site: str) -> Ward:
    """The emergency department of a hospital."""
    return next(e.places.of_site(site, "emergency"))


def arrivals_of_the_hour(e: Engine, site: str) -> None:
    """Let the attendances of the coming hour happen at random minutes."""
    how = hour_of_week(e.now // HOUR)
    shape = e.world.ed_by_hour[how % 24] / sum(e.world.ed_by_hour)
    mean = e.state.demand[site]["ed"] * shape * e.world.ed_by_day[how // 24]
    for shift in e.world.shifts:
        mean *= shift.arrivals if e.now >= shift.since else 1.0
    for _ in range(e.count(mean)):
        e.schedule(e.now + e.rng.randrange(HOUR), "attend", site)


@handles("attend")
def attend(e: Engine, site: str) -> None:
    """Somebody walks in or is brought in."""
    sick = e.rng.random() < e.world.conversion
    stream = _emergency_stream(e, site) if sick else None
    person = patient_for(e, stream) if stream else _walking_wounded(e, site)
    register(e, site, _sometimes_unrecognised(e, person, site), stream)


def register(e: Engine, site: str, person: Person, stream: Stream | None) -> None:
    """The attendance begins in the waiting room; a `stream` will probably have to stay."""
    ward = department(e, site)
    visit = e.open_visit(
        person, ward,
        patient_class="E", method="", stream=stream.name if stream else "",
        specialty="emergency_medicine",
    )  # fmt: skip
    visit.area = _area(e, person, stream, site)
    visit.status, visit.admitted = "in", e.now
    if stream:
        visit.course = course_of(e, stream)
        visit.is_critical = visit.area == "RES" and e.rng.random() < min(1.0, stream.critical * 6)
    e.put(visit, ward.number)
    e.tell("A04", visit)
    triage = e.between(1, 4) if visit.area == "RES" else e.between(6, 24)
    e.schedule(e.now + triage, "to_area", visit.key)
    e.schedule(e.now + _minutes_until_decided(e, visit), "decide", visit.key)


def _emergency_stream(e: Engine, site: str) -> Stream:
    rates = e.state.demand[site]
    return e.stream(e.chosen((s.name, rates[f"emergency:{s.name}"]) for s in e.intake[site]))


def _walking_wounded(e: Engine, site: str) -> Person:
    child = e.rng.random() < (0.24 if _sees_children(e, site) else 0.10)
    age = e.rng.uniform(0.2, 16) if child else min(100.0, 17 + e.rng.expovariate(1 / 29))
    return e.somebody(sex=e.rng.choice("FM"), age=age, returning=0.15)


def _sees_children(e: Engine, site: str) -> bool:
    return any(b.room == "PAED" for b in department(e, site).beds)


def _sometimes_unrecognised(e: Engine, person: Person, site: str) -> Person:
    """A known patient is now and then registered as a new one, to be merged later."""
    organisation = department(e, site).organisation
    if organisation not in person.mrn or person.open_visits or e.rng.random() > 0.06:
        return person
    double = replace(
        person, key=e.state.next_key(), nhs_number="", mrn={}, misheard={}, is_regular=False
    )
    double.open_visits, person.open_visits = 1, person.open_visits + 1  # held until merged
    e.state.people[double.key] = double
    e.schedule(e.now + e.between(40, 600), "merge", person.key, double.key, organisation)
    return double


def _area(e: Engine, person: Person, stream: Stream | None, site: str) -> str:
    if person.age(e.now) < 16:
        return "PAED" if _sees_children(e, site) else "MIN"
    chance = e.rng.random()
    if stream:
        return "RES" if chance < 0.14 else "MAJ"
    return "RES" if chance < 0.01 else "MAJ" if chance < 0.42 else "MIN"


def _minutes_until_decided(e: Engine, visit: Visit) -> int:
    median = {"RES": 95, "MAJ": 175, "MIN": 105, "PAED": 120}[visit.area]
    return e.around(median, 0.42)


@handles("to_area")
def to_area(e: Engine, key: int) -> None:
    """After triage: on to a trolley if there is one, else into the queue for it."""
    visit = e.state.visits.get(key)
    if visit is None or visit.bed != NOWHERE:
        return
    if not _take_trolley(e, visit, _AREAS[visit.area]):
        e.state.waiting.setdefault(visit.site, []).append(key)


def _take_trolley(e: Engine, visit: Visit, areas: tuple[str, ...]) -> bool:
    ward = department(e, visit.site)
    if visit.last_at >= e.now:
        return False
    for area in areas:
        for bed in beds.free_beds(e, ward):
            if bed.room == area:
                move_to(e, visit, bed.number)
                return True
    return False


def change_trolley(e: Engine, visit: Visit) -> bool:
    """To another trolley for patients of the same kind, if one is free."""
    return _take_trolley(e, visit, _AREAS[visit.area])


@handles("trolley_free")
def trolley_free(e: Engine, site: str) -> None:
    """The next in the queue whom a free trolley suits; resuscitation patients first."""
    queue = e.state.waiting.get(site, [])
    for key in sorted(queue, key=lambda k: _turn(e, k)):
        visit = e.state.visits.get(key)
        if visit is None or visit.bed != NOWHERE or _take_trolley(e, visit, _AREAS[visit.area]):
            queue.remove(key)
            if visit is not None and visit.bed != NOWHERE:
                return


def _turn(e: Engine, key: int) -> tuple[int, int]:
    visit = e.state.visits.get(key)
    if visit is None:
        return (0, 0)
    return (0 if visit.area == "RES" else 1, visit.admitted)


@handles("decide")
def decide(e: Engine, key: int) -> None:
    """Seen and decided: home, or a bed is asked for."""
    visit = e.state.visits.get(key)
    if visit is None:
        return
    if visit.bed == NOWHERE and visit.area in ("RES", "MAJ"):
        _keep_waiting(e, visit)
    elif visit.stream and not _sent_home_after_all(e, visit):
        _ask_for_bed(e, visit)
    else:
        stayed = e.now - visit.admitted
        more = e.between(3, 20)
        # Departments work towards four hours: many who would pass it leave just before.
        if _FOUR_HOURS - 75 < stayed < _FOUR_HOURS - 12 and e.rng.random() < 0.6:
            more = e.between(_FOUR_HOURS - 22 - stayed, _FOUR_HOURS - 1 - stayed)
        e.schedule(e.now + more, "go_home", key)


def _keep_waiting(e: Engine, visit: Visit) -> None:
    """Nobody has seen the patient yet. Some lose patience."""
    if not visit.stream and e.now - visit.admitted > 5 * HOUR and e.rng.random() < 0.12:
        e.schedule(e.now, "go_home", visit.key)
    else:
        e.schedule(e.now + e.between(25, 55), "decide", visit.key)


def _sent_home_after_all(e: Engine, visit: Visit) -> bool:
    """The fuller the hospital, the more are treated without a bed, short stays above all."""
    site_beds = e.acute_beds[visit.site]
    crowding = (beds.waiting_admissions(e, visit.site) - 0.035 * site_beds) / (0.008 * site_beds)
    turned = 1 / (1 + exp(-crowding))
    stream = e.stream(visit.stream)
    mild = visit.course == 0 and len(stream.courses) > 1
    return not visit.is_critical and e.rng.random() < turned * (0.85 if mild else 0.35)


def _ask_for_bed(e: Engine, visit: Visit) -> None:
    """The decision to admit, told as a pending transfer of the attendance."""
    stream = e.stream(visit.stream)
    kind = "critical" if visit.is_critical else "assessment" if stream.unit else "ward"
    request = beds.ask(e, visit, kind, stream, unit=stream.unit, admits=True)
    visit.specialty = stream.specialty
    wanted = next((w for w in beds.wards_for(e, request) if _is_wanted(w, kind, stream)), None)
    if wanted is not None:
        request.ward, request.told = wanted.number, True
        e.tell("A15", visit, wanted=wanted.number)
    beds.look_for_bed(e, request)
    e.schedule(e.now + e.between(35, 90), "sit_out", visit.key)


def _is_wanted(ward: Ward, kind: str, stream: Stream) -> bool:
    if kind == "critical":
        return ward.kind == "critical_care"
    return ward.specialty == (stream.unit if kind == "assessment" else stream.specialty)


@handles("sit_out")
def sit_out(e: Engine, key: int) -> None:
    """Whoever waits for a bed and is fit to sit makes room for the next."""
    visit = e.state.visits.get(key)
    if visit is None or visit.bed == NOWHERE or not visit.request or visit.is_critical:
        return
    request = e.request_of(visit)
    promised = request is not None and request.bed != NOWHERE
    someone_waits = bool(e.state.waiting.get(visit.site))
    if someone_waits and not promised and e.beds[visit.bed].room == "MAJ":
        _take_trolley(e, visit, _SITTING)


@handles("go_home")
def go_home(e: Engine, key: int) -> None:
    """The attendance ends without admission."""
    visit = e.state.visits.get(key)
    if visit is None:
        return
    if visit.last_at >= e.now:
        e.schedule(e.now + 1, "go_home", key)
        return
    e.tell("A03", visit, destination="19")
    e.close_visit(visit)
