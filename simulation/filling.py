"""The people who are already there when a world begins, so that it need not start empty.

Who came some days ago and would still be here is worked out from the hazards, stage by stage;
a few weeks of running then settle what this leaves out, such as the weekday of admission.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from simulation.beds import ask, best_bed, drop, free_beds
from simulation.clock import DAY, HOUR
from simulation.demand import ADMITTED, Prevalence
from simulation.engine import Engine
from simulation.hazards import MEMORY_DAYS, Condition, Stage
from simulation.inpatients import book_onward, patient_for, resume
from simulation.outlook import Outlook
from simulation.places import Ward
from simulation.state import Visit
from simulation.worlds import HOME, ONWARD_KIND, Onward, Stream

_SERVICES_FULL: Final = 0.9


def fill(e: Engine, there: Prevalence) -> None:
    """Put the patients of an ordinary day into an empty system, unheard."""
    for stream in e.world.streams:
        for number, course in enumerate(stream.courses):
            for day, still in enumerate(there[stream.name, number]):
                for site in e.places.acute_sites:
                    rate = course.weight * _a_day(e, site, stream)
                    for (stage, way), chance in still.items():
                        for _ in range(e.count(rate * chance)):
                            _settle(e, site, stream, number, day, stage, way)
    for service in e.world.onward:
        for ward in e.places.of_kind(ONWARD_KIND[service.way]):
            _fill_service(e, service, ward)


def _a_day(e: Engine, site: str, stream: Stream) -> float:
    rates = e.state.demand[site]
    return rates.get(f"emergency:{stream.name}", 0.0) + rates.get(f"list:{stream.name}", 0.0)


def _settle(
    e: Engine, site: str, stream: Stream, course: int, day: int, stage: Stage, way: str
) -> None:
    person = patient_for(e, stream)
    ward = next(w for w in e.places.of_site(site, "inpatient", "assessment"))
    visit = e.open_visit(
        person, ward, patient_class="I", method="21", stream=stream.name, specialty=stream.specialty
    )
    visit.course = course
    kind = "critical" if stage is Stage.CRITICAL else "ward"
    request = ask(e, visit, kind, stream, site=site)
    request.since = e.now - 2 * DAY  # nobody minds any more which ward it is
    bed = best_bed(e, request)
    drop(e, visit)
    if bed is None:
        e.close_visit(visit)
        return
    _place(e, visit, day, bed.number)
    # Whoever had everything arranged, or waited for a place, starts again at being ready.
    visit.stage = min(stage, Stage.READY)
    visit.expected_discharge = e.now + DAY
    if visit.stage == Stage.READY:
        visit.way = way
        kind = ONWARD_KIND.get(way, "")
        if kind:
            book_onward(e, visit, kind)
    resume(e, visit)


def _place(e: Engine, visit: Visit, day: int, bed: int) -> None:
    visit.status = "in"
    visit.admitted = e.now - day * DAY - e.rng.randrange(DAY)
    visit.since = e.now - HOUR
    e.put(visit, e.beds[bed].ward, bed)
    visit.path = [[visit.admitted, visit.ward, visit.bed]]


def _fill_service(e: Engine, service: Onward, ward: Ward) -> None:
    start = Condition(service.way, 0, Stage.ACTIVE, ADMITTED, ADMITTED)
    hours = Outlook(e.hazards).stages(start, ADMITTED)
    still = [sum(left.values()) for left in islice(hours, 0, 24 * MEMORY_DAYS, 24)]
    for bed in free_beds(e, ward):
        if e.rng.random() < _SERVICES_FULL:
            age = min(max(e.rng.normalvariate(80, 9), 40), 101)
            sex = {"female": "F", "male": "M"}.get(bed.sex) or e.rng.choice("FM")
            visit = e.open_visit(
                e.somebody(sex=sex, age=age), ward,
                patient_class="I", method="81", stream=service.way, specialty=service.specialty,
            )  # fmt: skip
            day = e.rng.choices(range(len(still)), still)[0]
            _place(e, visit, day, bed.number)
            visit.stage, visit.way = Stage.ACTIVE, HOME
            resume(e, visit)
