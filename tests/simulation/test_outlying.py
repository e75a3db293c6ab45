"""The simulated hospitals read their table of outliers as Flowboard does, and keep to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from simulation import beds, system
from simulation.clock import HOUR, local_hour
from simulation.engine import Engine, Happening
from simulation.outlying import Taken, taken
from simulation.places import NORTHMOOR, RULES, Places, load
from simulation.state import NOWHERE
from simulation.worlds import ORDINARY
from tests.simulation.conftest import START
from wards.rule_files import read_rules


def test_both_read_the_same_table() -> None:
    places, book = load(NORTHMOOR), read_rules(RULES).book
    specialties = {ward.specialty for ward in places.wards} | {"something_else"}
    for ward in places.wards:
        for specialty in specialties:
            who, where = SimpleNamespace(specialty=specialty), SimpleNamespace(
                code=ward.code, specialty=ward.specialty, kind=ward.kind
            )  # fmt: skip
            verdict = book.verdict(cast("Any", who), cast("Any", where))[0]
            mine = taken(ward.code, ward.specialty, ward.kind, specialty)
            assert mine.name.lower() == verdict, (ward.code, specialty)


def test_every_corridor_is_marked() -> None:
    corridors = [bed for bed in load(NORTHMOOR).beds if bed.room == "COR"]
    assert len(corridors) == 20
    assert all("corridor" in bed.features for bed in corridors)


def out_of_place(engine: Engine) -> tuple[int, int, int]:
    """Inpatients, outliers, and those whom their ward never takes."""
    here = [
        (visit, engine.wards[visit.ward]) for visit in engine.state.visits.values()
        if visit.is_here and visit.bed != NOWHERE and engine.wards[visit.ward].kind == "inpatient"
    ]  # fmt: skip
    found = [taken(w.code, w.specialty, w.kind, visit.specialty) for visit, w in here]
    return len(found), found.count(Taken.OUTLIER), found.count(Taken.NEVER)


@pytest.mark.slow
def test_a_tenth_are_outliers_and_they_go_back_by_day() -> None:
    engine = system.lived_in(load(NORTHMOOR), ORDINARY, seed=20, until=START)
    back: list[int] = []

    def hear(what: Happening) -> None:
        if what.event == "A02" and what.visit is not None and what.from_ward != NOWHERE:
            specialty, was, now = (
                what.visit.specialty, engine.wards[what.from_ward], engine.wards[what.ward],
            )  # fmt: skip
            left = taken(was.code, was.specialty, was.kind, specialty)
            if was.kind == now.kind == "inpatient" and left is Taken.OUTLIER:
                back.append(now.specialty == specialty)

    engine.listener = hear
    shares = []
    for _ in range(5):
        engine.run_until(engine.now + 24 * HOUR)
        inside, outliers, never = out_of_place(engine)
        shares.append(outliers / inside)
        assert never == 0
    assert 0.02 < sum(shares) / len(shares) < 0.15
    assert sum(back) > 10


def test_a_bed_goes_to_its_own_specialty_first(quarter: Places) -> None:
    engine = system.new(quarter, ORDINARY, seed=3, start=START)
    while local_hour(engine.now) != 10:
        engine.run_until(engine.now + HOUR)
    ward = next(w for w in quarter.of_kind("inpatient") if w.specialty == "general_medicine")
    bed = next(b for b in ward.beds if b.sex == "female" and not b.is_escalation)
    visit = next(v for v in engine.state.visits.values() if v.is_here and v.stage is not None)
    own = beds.ask(engine, visit, "ward", engine.stream("general_medicine"), site=ward.site)
    other = beds.ask(engine, visit, "ward", engine.stream("cardiology"), site=ward.site)
    own.sex = other.sex = "female"
    own.apart = other.apart = False
    other.since = engine.now - 13 * HOUR
    assert (beds.suits(engine, own, bed), beds.suits(engine, other, bed)) == (0, 12)
    other.since = engine.now - 2 * HOUR
    assert beds.suits(engine, other, bed) is None
    own.apart = True
    assert beds.suits(engine, own, bed) is None
    own.since = engine.now - 4 * HOUR
    assert beds.suits(engine, own, bed) == 4
