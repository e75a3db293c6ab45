"""What the staff say is needed of a bed: plausible, in the words of the API, and for a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from flow.desk.forms import CORRIDOR_GROUPS
from patients.models import CareNeeds
from simulation.care.cases import Asking, Case, cases, first_said
from simulation.care.needs import Saying, needs_of
from simulation.care.terms import terms_of
from simulation.clock import DAY, HOUR, minute_of
from simulation.hazards import Stage
from simulation.infections import infection_of
from simulation.people import Person
from simulation.places import Places
from simulation.session import Session
from wards.care_needs import Needed

pytestmark = pytest.mark.xdist_group("seed 11")  # what is simulated once serves all of them

SEED: Final = 5
JANUARY: Final = minute_of(datetime(2027, 1, 11, 9, tzinfo=UTC))
JULY: Final = minute_of(datetime(2027, 7, 12, 9, tzinfo=UTC))
Begin = Callable[..., Session]


def a_case(number: int, stream: str = "respiratory", **other: Any) -> Case:
    said: dict[str, Any] = {"age": 80.0, "since": JANUARY, "place": "emergency", **other}
    return Case(visit=f"V{number}", person=number, stream=stream, **said)


def some_person(number: int) -> Person:
    return Person(
        key=number, family=f"Fernley{number}", given="Ada", title="Mrs", sex="F",
        born="1950-02-03", nhs_number="9990000018", address="", town="", postcode="", practice="",
    )  # fmt: skip


def said_at(case: Case, now: int) -> Saying:
    saying = needs_of(case, seed=SEED, now=now)
    assert saying is not None
    return saying


@pytest.fixture(scope="module")
def world(begin: Begin) -> Session:
    session = begin(seed=11)
    session.run_until(session.engine.now + 30 * HOUR, each=lambda: None)
    return session


def test_of_everybody_in_a_bed_it_is_said_in_words_that_are_taken(
    world: Session, quarter: Places
) -> None:
    groups = {slug for slug, _name in CORRIDOR_GROUPS}
    known, now = list(cases(world.engine.state, quarter)), world.engine.now
    lying = {
        visit.number for visit in world.engine.state.visits.values()
        if visit.is_here and visit.bed >= 0
        and quarter.wards[visit.ward].kind in ("assessment", "inpatient", "critical_care")
    }  # fmt: skip
    assert lying <= {case.visit for case in known}
    said = [s for case in known if (s := needs_of(case, seed=SEED, now=now)) is not None]
    assert len(said) > 0.97 * len(known)
    for saying in said:
        assert set(saying.said) == {field.name for field in fields(Needed)}
        assert saying.said["isolation"] in CareNeeds.Isolation.values
        assert all(0 < len(name) <= 40 for name in saying.said["infections"])
        assert set(saying.said["requires"]) <= set(CareNeeds.Require.values)
        assert set(saying.said["corridor_groups"]) <= groups
        assert saying.at <= now
        assert bool(saying.said["isolation"]) == bool(saying.said["infections"])


def test_the_ward_says_what_the_emergency_department_said() -> None:
    for number in range(200):
        there = a_case(number)
        stay = replace(there, visit=f"W{number}", place="assessment", stage=Stage.ACTIVE)
        now = JANUARY + HOUR
        assert said_at(there, now).said == said_at(stay, now).said


def test_it_is_said_before_a_bed_is_asked_for() -> None:
    for number in range(100):
        asked = replace(a_case(number), asking=Asking(1, "assessment", JANUARY + 20))
        assert JANUARY < first_said(asked, seed=SEED) < JANUARY + 20


def test_needs_end_and_what_lasts_stays() -> None:
    first, later = Counter[str](), Counter[str]()
    for number in range(600):
        case = a_case(number, place="inpatient", stage=Stage.ACTIVE, entered=JANUARY)
        for counts, day in ((first, 0), (later, 12)):
            saying = said_at(case, JANUARY + day * DAY + HOUR)
            counts.update(saying.said["requires"])
            counts["falls"] += saying.said["falls_risk"]
            counts["level 1"] += saying.said["acuity"] == 1
            counts["news2"] += "news2_over_5" in saying.said["corridor_groups"]
        ready = replace(case, stage=Stage.READY, entered=JANUARY + DAY)
        saying = said_at(ready, JANUARY + DAY + HOUR)
        assert "oxygen" not in saying.said["requires"]
        assert saying.said["acuity"] == 0
    assert 0.5 < first["oxygen"] / 600 < 0.66
    assert later["oxygen"] < first["oxygen"] / 3
    assert later["level 1"] < first["level 1"] / 3
    assert later["news2"] == 0 < first["news2"]
    assert later["falls"] == first["falls"] > 100
    assert later["bariatric"] == first["bariatric"]


def test_isolation_ends_and_the_change_is_dated_then() -> None:
    flu = next(
        found for n in range(5000)
        if (found := infection_of(some_person(n), "respiratory", at=JANUARY))
        and found.name == "influenza"
    )  # fmt: skip
    case = a_case(1, place="inpatient", stage=Stage.ACTIVE, infection=flu)
    ill = said_at(case, JANUARY + DAY)
    assert ill.said["isolation"] == "side_room"
    assert ill.said["infections"] == ["influenza"]
    assert "isolation" in ill.said["corridor_groups"]
    over = said_at(case, JANUARY + flu.minutes)
    assert over.said["isolation"] == ""
    assert over.said["infections"] == []
    assert over.at == JANUARY + flu.minutes


def test_infections_follow_the_season_and_are_the_persons_own() -> None:
    def shares(at: int, **how: bool) -> Counter[str]:
        found = (
            infection_of(some_person(n), "general_medicine", at=at, **how) for n in range(8000)
        )
        return Counter(one.name for one in found if one)

    winter, summer = shares(JANUARY), shares(JULY)
    assert winter["influenza"] > 150
    assert summer["influenza"] == 0 < summer["covid"]
    assert 0.05 < winter.total() / 8000 < 0.12
    assert shares(JANUARY, is_planned=True).total() < winter.total() / 4
    double = replace(some_person(3), key=99, nhs_number="")
    for at in (JANUARY, JULY):
        assert infection_of(double, "renal", at=at) == infection_of(some_person(3), "renal", at=at)


def test_the_world_keeps_the_infected_in_side_rooms(world: Session, quarter: Places) -> None:
    visits = {v.number: v for v in world.engine.state.visits.values()}
    beds = world.engine.beds
    rooms = {True: Counter[bool](), False: Counter[bool]()}
    for case in cases(world.engine.state, quarter):
        lies = visits[case.visit].bed
        if case.place in ("assessment", "inpatient") and lies >= 0:
            saying = needs_of(case, seed=SEED, now=world.engine.now)
            if saying is not None:
                rooms[bool(saying.said["isolation"])][beds[lies].is_side_room] += 1
    assert rooms[True].total() > 3
    apart, others = (c[True] / c.total() for c in (rooms[True], rooms[False]))
    assert apart > 2 * others


def test_requests_are_not_all_of_one_priority() -> None:
    kinds = ("critical", "assessment", "ward", "elective", "planned", "referred")
    for kind in kinds:
        asking = Asking(7, kind, JANUARY)
        told = [terms_of(replace(a_case(n), asking=asking), asking, seed=SEED) for n in range(300)]
        said = [one for one in told if one is not None]
        assert said
        assert {one["priority"] for one in said} <= {1, 2, 3, 4}
        assert len({one["priority"] for one in said}) > 1
        assert all(0 < len(one["asked_by"]) <= 100 for one in said)
    severe = a_case(1, is_severe=True)
    for n in range(50):
        asking = Asking(n, "assessment", JANUARY)
        terms = terms_of(severe, asking, seed=SEED)
        assert terms is None or terms["priority"] <= 2
