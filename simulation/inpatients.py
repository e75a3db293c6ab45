"""Stays in hospital and in the services after it: from the first bed to the door."""

from __future__ import annotations

from typing import Final

from simulation import beds
from simulation.clock import DAY, HOUR, local_hour
from simulation.engine import Engine, handles
from simulation.hazards import Stage
from simulation.people import Person
from simulation.places import Ward
from simulation.state import NOWHERE, Request, Visit
from simulation.worlds import HOME, ONWARD_KIND, SUPPORT, Stream

# Discharge destinations of the NHS Data Dictionary: usual place of residence, NHS hospital,
# patient died, care home.
_DESTINATION: Final = {"rehabilitation": "51", "care_home": "85"}
_USUAL_PLACE: Final = "19"
_DIED: Final = "79"
_BY_TRANSFER: Final = "81"


def course_of(e: Engine, stream: Stream) -> int:
    """Draw how the illness will run."""
    return int(e.chosen((str(n), c.weight) for n, c in enumerate(stream.courses)))


def patient_for(e: Engine, stream: Stream) -> Person:
    """Somebody with an illness of a stream."""
    mean, spread = stream.ages
    low, high = (0.1, 15.9) if stream.family == "children" else (17.0, 101.0)
    age = min(max(e.rng.normalvariate(mean, spread), low), high)
    return e.somebody(sex="F" if e.rng.random() < stream.female else "M", age=age)


def begin(
    e: Engine,
    visit: Visit,
    ward: int,
    bed: int = NOWHERE,
    *,
    event: str = "A01",
    critical: bool = False,
) -> None:
    """The stay begins in a bed, or on a ward that has none for the patient yet."""
    if event != "A06":  # a day case who stays was admitted this morning
        visit.admitted = e.now
    visit.status, visit.patient_class = "in", "I"
    e.put(visit, ward, bed)
    _note(visit, Stage.CRITICAL if critical else Stage.ACTIVE, e.now)
    if e.wards[ward].is_acute:
        if e.wards[ward].kind != "assessment":
            _estimate(e, visit)
        hour = local_hour(e.now)
        wait = e.between(3 * HOUR, 6 * HOUR) if 6 <= hour < 16 else e.between(8 * HOUR, 15 * HOUR)
        e.schedule(e.now + wait, "round", visit.key)
    e.tell(event, visit)
    _draw(e, visit)


def _draw(e: Engine, visit: Visit) -> None:
    visit.token += 1
    change = e.hazards.next_change(visit.condition(), e.now, e.rng)
    if change is not None:
        e.schedule(change.at, "stage", visit.key, visit.token, int(change.to))


def resume(e: Engine, visit: Visit) -> None:
    """Draw anew after a pause in which nothing could change."""
    _draw(e, visit)


def _enter(e: Engine, visit: Visit, stage: Stage) -> None:
    _note(visit, stage, e.now)
    _draw(e, visit)


def _note(visit: Visit, stage: Stage, at: int) -> None:
    visit.stage, visit.since = stage, at
    visit.stages.append([at, stage])


def _estimate(e: Engine, visit: Visit) -> None:
    """The team's expected date: typical for the illness, rarely right."""
    stream = e.stream(visit.stream)
    days = stream.courses[visit.course].median_days * e.rng.lognormvariate(0.1, 0.35)
    visit.expected_discharge = e.local(15, days=max(1, round(days)))


@handles("round")
def ward_round(e: Engine, key: int) -> None:
    """The first senior review on an assessment unit, and the daily ones while still there."""
    visit = e.state.visits.get(key)
    if visit is None or not visit.is_here or visit.stage not in (Stage.CRITICAL, Stage.ACTIVE):
        return
    first = not visit.expected_discharge
    if first:
        _estimate(e, visit)
    unit = e.wards[visit.ward]
    stays_long = visit.course > 0 or e.now - visit.admitted > 2 * DAY
    if unit.kind == "assessment" and stays_long and not visit.request:
        _ask_for_ward(e, visit, unit)
    elif first:
        e.tell("A08", visit)
    if unit.kind == "assessment":
        e.schedule(e.local(9, days=1, minutes=e.rng.randrange(60)), "round", key)


def _ask_for_ward(e: Engine, visit: Visit, unit: Ward) -> None:
    stream = e.stream(visit.stream)
    wards = [w for w in e.places.of_kind("inpatient") if w.specialty == stream.specialty]
    # A specialty that this hospital does not have is asked for at the one that does.
    there = next((w for w in wards if w.site == unit.site), wards[0] if wards else None)
    site = there.site if there else unit.site
    request = beds.ask(e, visit, "ward", stream, site=site)
    if there is not None:
        request.ward, request.told = there.number, True
        e.tell("A15", visit, wanted=there.number)
    beds.look_for_bed(e, request)


@handles("stage")
def stage_left(e: Engine, key: int, token: int, to: int) -> None:
    """What was drawn for a stay comes true, unless something came between."""
    visit = e.state.visits.get(key)
    if visit is None or visit.token != token or not visit.is_here:
        return
    if visit.last_at >= e.now:  # two movements of one patient never share a minute
        e.schedule(e.now + 1, "stage", key, token, to)
        return
    stage = Stage(to)
    if stage in (Stage.GONE, Stage.DEAD):
        leave_hospital(e, visit, died=stage is Stage.DEAD)
    elif stage is Stage.CRITICAL:
        _enter(e, visit, stage)
        call_off(e, visit)
        _ask_for_critical(e, visit)
    elif stage is Stage.ACTIVE:
        _enter(e, visit, stage)
        if e.wards[visit.ward].kind == "critical_care" and not visit.request:
            _ask_for_ward(e, visit, e.wards[visit.ward])
    elif stage is Stage.READY:
        _ready(e, visit)
    elif stage is Stage.WAITING:
        _enter(e, visit, stage)
        _wait_for_place(e, visit)
    elif stage is Stage.ARRANGED:
        _arranged(e, visit)
    else:
        _to_lounge(e, visit)


def _ask_for_critical(e: Engine, visit: Visit) -> None:
    if e.wards[visit.ward].kind == "critical_care":
        return
    stream = e.stream(visit.stream)
    unit = next(iter(e.places.of_site(visit.site, "critical_care")), None)
    request = beds.ask(e, visit, "critical", stream)
    if unit is not None:
        request.ward, request.told = unit.number, True
        e.tell("A15", visit, wanted=unit.number)
    beds.look_for_bed(e, request)


def _ready(e: Engine, visit: Visit) -> None:
    """Medically ready: the way out is chosen, or, from a later stage, chosen anew."""
    if visit.stage == Stage.ARRANGED:  # what was arranged has fallen through
        e.tell("A25", visit)
        _release_place(e, visit)
    elif visit.stage == Stage.WAITING:  # the place never came: home with support instead
        _cancel_onward(e, visit)
        visit.way = SUPPORT
    else:
        visit.way = e.chosen(e.hazards.ways(visit.stream))
        if visit.request and e.rng.random() < 0.8:
            call_off(e, visit)
        kind = ONWARD_KIND.get(visit.way)
        if kind and visit.patient_class == "I" and e.wards[visit.ward].is_acute:
            book_onward(e, visit, kind)
    _enter(e, visit, Stage.READY)


def book_onward(e: Engine, visit: Visit, kind: str) -> None:
    """The service after this one hears of the patient."""
    wards = list(e.places.of_kind(kind))
    if not wards:
        visit.way = HOME
        return
    ward = e.rng.choice(wards)
    service = next(s for s in e.world.onward if s.way == visit.way)
    onward = e.open_visit(
        e.person_of(visit), ward,
        patient_class="I", method=_BY_TRANSFER, stream=service.way, specialty=service.specialty,
    )  # fmt: skip
    onward.booked = ward.number
    visit.onward = onward.key
    e.tell("A14", onward, ward=ward.number, wanted=ward.number)


def _wait_for_place(e: Engine, visit: Visit) -> None:
    onward = e.state.visits.get(visit.onward)
    if onward is None:
        _arranged(e, visit)
        return
    onward.origin = visit.key
    request = beds.ask(e, onward, "onward", unit=ONWARD_KIND[visit.way])
    beds.look_for_bed(e, request)


@handles("place_found")
def place_found(e: Engine, key: int) -> None:
    """A place after hospital is held: the discharge can be fixed."""
    onward = e.state.visits.get(key)
    visit = e.state.visits.get(onward.origin) if onward else None
    if visit is not None and visit.is_here and visit.stage == Stage.WAITING:
        _arranged(e, visit)


def _release_place(e: Engine, visit: Visit) -> None:
    onward = e.state.visits.get(visit.onward)
    if onward is not None:
        beds.drop(e, onward)


def _cancel_onward(e: Engine, visit: Visit) -> None:
    onward = e.state.visits.get(visit.onward)
    visit.onward = 0
    if onward is not None:
        beds.drop(e, onward)
        e.tell("A27", onward, ward=onward.booked)
        e.close_visit(onward)


def _arranged(e: Engine, visit: Visit) -> None:
    visit.expected_discharge = e.local(17 if local_hour(e.now) < 17 else 23)
    if visit.request:
        call_off(e, visit)
    e.tell("A16", visit)
    _enter(e, visit, Stage.ARRANGED)


def _to_lounge(e: Engine, visit: Visit) -> None:
    lounge = next(e.places.of_site(visit.site, "discharge_lounge"), None)
    if lounge is not None:
        _move(e, visit, lounge.number, _any_free(e, lounge))
    _enter(e, visit, Stage.LOUNGE)


def _any_free(e: Engine, ward: Ward) -> int:
    free = [b.number for b in beds.free_beds(e, ward)]
    return e.rng.choice(free) if free else NOWHERE


def _move(e: Engine, visit: Visit, ward: int, bed: int) -> None:
    was = (visit.ward, visit.bed)
    e.put(visit, ward, bed)
    e.tell("A02", visit, from_ward=was[0], from_bed=was[1])


def move_to(e: Engine, visit: Visit, bed: int) -> None:
    """A transfer to a bed, as the feed tells it."""
    _move(e, visit, e.beds[bed].ward, bed)


def call_off(e: Engine, visit: Visit) -> None:
    """A bed that was asked for is needed no longer."""
    request = beds.drop(e, visit)
    if request is not None and request.told:
        e.tell("A26", visit, wanted=request.ward)


def leave_hospital(e: Engine, visit: Visit, *, died: bool = False) -> None:
    """The stay ends: home, to the service that expects the patient, or by death."""
    beds.drop(e, visit)
    person, onward = e.person_of(visit), e.state.visits.get(visit.onward)
    if died:
        _cancel_onward(e, visit)
        person.died = e.now
        onward = None
    destination = _DESTINATION.get(visit.way, _USUAL_PLACE) if onward else _USUAL_PLACE
    e.tell("A03", visit, destination=_DIED if died else destination, died=died)
    if onward is not None:
        onward.expected_at = e.now + e.between(30, 90)
        e.schedule(onward.expected_at, "arrive", onward.key)
    e.close_visit(visit)


@handles("arrive")
def arrive_onward(e: Engine, key: int) -> None:
    """The patient reaches the service after hospital."""
    visit = e.state.visits[key]
    request = e.request_of(visit)
    held = request.bed if request else NOWHERE
    beds.drop(e, visit)
    if held != NOWHERE:
        begin(e, visit, e.beds[held].ward, held)
        return
    kind = ONWARD_KIND[visit.stream]
    sex = e.person_of(visit).sex_word
    for ward in e.places.of_kind(kind):
        for bed in beds.free_beds(e, ward):
            if bed.takes(sex):
                begin(e, visit, ward.number, bed.number)
                return
    begin(e, visit, next(e.places.of_kind(kind)).number)


@handles("transfer")
def transfer(e: Engine, key: int) -> None:
    """The move to a promised bed takes place."""
    request = e.state.requests.get(key)
    if request is None or request.bed == NOWHERE:
        return
    visit, bed = e.state.visits[request.visit], e.beds[request.bed]
    if visit.last_at >= e.now:
        e.schedule(e.now + 1, "transfer", key)
    elif e.state.condition[bed.number] != "U" or visit.status == "leave":
        e.state.reserved[bed.number], request.bed = 0, NOWHERE
        e.schedule(e.now, "bed_offered", bed.number)
    elif not request.admits:
        beds.drop(e, visit)
        move_to(e, visit, bed.number)
    else:
        beds.drop(e, visit)
        admit(e, visit, request, bed.number)


def admit(e: Engine, visit: Visit, request: Request, bed: int) -> None:
    """The stay of somebody who was waiting for it begins.

    An attendance in an emergency department ends there and then; the stay is another visit.
    """
    ward = e.beds[bed].ward
    if visit.patient_class == "E":
        stay = e.open_visit(
            e.person_of(visit), e.wards[ward],
            patient_class="I", method="21", stream=visit.stream, specialty=visit.specialty,
        )  # fmt: skip
        stay.course, critical = visit.course, visit.is_critical
        e.tell("A03", visit, destination=_USUAL_PLACE)
        e.close_visit(visit)
        begin(e, stay, ward, bed, critical=critical)
    else:
        event = "A06" if visit.status == "in" else "A01"
        begin(e, visit, ward, bed, event=event, critical=visit.is_critical)
