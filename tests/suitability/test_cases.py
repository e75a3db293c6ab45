"""Written cases: this person, that bed, what the example book says, and by which rule."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pytest

from tests.suitability.named import Named
from wards.suitability.defaults import EXAMPLE
from wards.suitability.judging import Judgement, judge
from wards.suitability.shapes import SHAPES

FLU: Final = {"isolation": "side_room", "infections": frozenset({"influenza"})}
MRSA: Final = {"isolation": "side_room", "infections": frozenset({"mrsa"})}
CHILD: Final = {"age": 8, "specialty": "paediatrics"}
PLANNED: Final = {"kind": "elective", "elective": True, "specialty": "elective_orthopaedics"}

SUITS, COSTS, OVERRIDE, REFUSED = "suits", "costs", "override", "refused"

CASES: Final[dict[str, tuple[dict[str, Any], str, str, str]]] = {
    # id: the person, the bed, suits / costs / override / refused, and the rule that says so.
    # The bed itself.
    "an empty bay suits": ({}, "empty", SUITS, ""),
    "closed": ({}, "closed", REFUSED, "closed"),
    "occupied": ({}, "taken", REFUSED, "occupied"),
    "occupied, leaving soon": ({}, "soon", COSTS, "not_ready"),
    "occupied, leaving perhaps": ({}, "soon", COSTS, "chance"),
    "occupied, leaving hardly": ({}, "doubtful", REFUSED, "occupied"),
    "occupied, leaving tomorrow": ({}, "tomorrow", REFUSED, "occupied"),
    "to be cleaned": ({}, "dirty", COSTS, "not_ready"),
    "being cleaned": ({}, "cleaned", COSTS, "not_ready"),
    "held for another": ({}, "held", REFUSED, "reserved"),
    "held for me": ({}, "mine", SUITS, ""),
    "a theatre": ({}, "theatre", REFUSED, "not_a_bed"),
    "the discharge lounge": ({}, "lounge", REFUSED, "not_a_bed"),
    "a clinic": ({}, "clinic", REFUSED, "not_a_bed"),
    "a place not recognised": ({}, "odd", REFUSED, "not_a_bed"),
    "community bed for an acute need": ({}, "stepdown", OVERRIDE, "place_kind"),
    "community bed for a community need": ({"kind": "community"}, "stepdown", SUITS, ""),
    "acute bed for a community need": ({"kind": "community"}, "empty", OVERRIDE, "place_kind"),
    "emergency department for the admitted": ({}, "ed", OVERRIDE, "place_kind"),
    "emergency department for the expected": ({"kind": "expected"}, "ed", SUITS, ""),
    "a trolley for the admitted": ({}, "trolley", OVERRIDE, "bed_kind"),
    "a chair for the admitted": ({}, "chair", OVERRIDE, "bed_kind"),
    "a trolley for the expected": ({"kind": "expected"}, "trolley", SUITS, ""),
    "a trolley of the day case unit": (
        {**PLANNED, "specialty": "day_surgery"}, "day_trolley", SUITS, ""),
    "who stays the night on a day case trolley": (
        PLANNED, "day_trolley", OVERRIDE, "specialty_never"),
    "a caseload place on a ward": ({}, "place", OVERRIDE, "bed_kind"),
    "a place on the virtual ward": ({"kind": "community"}, "home", SUITS, ""),
    "an adult in a cot": ({}, "cot", REFUSED, "cot"),
    "nobody knows the age, in a cot": ({"age": None}, "cot", REFUSED, "cot"),
    "another ward was asked for": ({"wanted_ward": 2}, "empty", COSTS, "wanted_ward"),
    "this ward was asked for": ({"wanted_ward": 1}, "empty", SUITS, ""),
    "emergency on the elective ward": (
        {"specialty": "trauma_orthopaedics"}, "joints", COSTS, "ring_fence"),
    "elective on the elective ward": (PLANNED, "joints", SUITS, ""),
    "elective elsewhere": (PLANNED, "empty", COSTS, "elective_elsewhere"),
    "escalation bed": ({}, "escalation", COSTS, "escalation"),
    "corridor": ({}, "corridor", OVERRIDE, "corridor"),
    "corridor, never for them": (
        {"corridor_groups": frozenset({"severe_frailty"})}, "corridor", REFUSED,
        "corridor_group"),
    "another site": ({}, "away", COSTS, "distance"),
    # Ages and specialties.
    "a child on an adult ward": (CHILD, "empty", OVERRIDE, "children"),
    "a child on the children's ward": (CHILD, "paeds", SUITS, ""),
    "a girl beside a boy on the children's ward": (CHILD, "paeds_boy", SUITS, ""),
    "an adult on the children's ward": ({}, "paeds", OVERRIDE, "children"),
    "nobody knows the age, children's ward": (
        {"age": None, "specialty": "paediatrics"}, "paeds", OVERRIDE, "children"),
    "too young for the ward": ({}, "older", OVERRIDE, "ward_age"),
    "old enough for the ward": ({"age": 75}, "older", SUITS, ""),
    "maternity for anybody else": ({}, "labour", REFUSED, "maternity"),
    "maternity for obstetrics": ({"specialty": "obstetrics", "age": 30}, "labour", SUITS, ""),
    "an outlier": ({}, "surgical", COSTS, "outlier"),
    "medicine on the surgical assessment unit": ({}, "surgical_unit", COSTS, "outlier"),
    "medicine on the medical assessment unit": ({}, "assessment", SUITS, ""),
    "a near outlier": ({}, "cardio", COSTS, "outlier"),
    "its own specialty": ({"specialty": "cardiology"}, "cardio", SUITS, ""),
    "a specialty the ward never takes": ({}, "joints", OVERRIDE, "specialty_never"),
    "no specialty known": ({"specialty": ""}, "empty", COSTS, "specialty_unknown"),
    "a ward of no specialty takes all": ({}, "nobody", SUITS, ""),
    "assessment units know no outliers": ({}, "assessment", SUITS, ""),
    # Same-sex accommodation.
    "a woman among women": ({}, "women", SUITS, ""),
    "a woman among men": ({}, "men", OVERRIDE, "bay_sex"),
    "a man among women": ({"sex": "M"}, "women", OVERRIDE, "bay_sex"),
    "a woman in a bay for men": ({}, "for_men", OVERRIDE, "bay_sex"),
    "a woman in a bay for women": ({}, "for_women", SUITS, ""),
    "a man on a ward for women": (
        {"sex": "M", "specialty": "gynaecology"}, "gynae", OVERRIDE, "ward_sex"),
    "a woman on a ward for men": ({}, "male", OVERRIDE, "ward_sex"),
    "mixing is justified in critical care": ({"acuity": 3}, "intensive", SUITS, ""),
    "sex not known, among women": ({"sex": ""}, "women", COSTS, "sex_unknown"),
    "sex indeterminate, among men": ({"sex": "X"}, "men", COSTS, "sex_unknown"),
    "sex not known, empty bay": ({"sex": ""}, "empty", SUITS, ""),
    "sex not known, ward for women": ({"sex": ""}, "gynae", COSTS, "sex_unknown"),
    "beside somebody of unknown sex": ({}, "unknown", COSTS, "sex_unknown"),
    # Infection and protection.
    "isolated in a bay": (FLU, "empty", OVERRIDE, "side_room"),
    "isolated in a side room": (FLU, "side", SUITS, ""),
    "isolated in the last side room": (
        {**FLU, "specialty": "cardiology"}, "last_side", SUITS, ""),
    "influenza beside influenza": (FLU, "flu", SUITS, ""),
    "influenza beside none": (FLU, "women", OVERRIDE, "cohort"),
    "none beside influenza": ({}, "flu", OVERRIDE, "cohort"),
    "an organism that is not nursed in cohorts": (MRSA, "mrsa", OVERRIDE, "side_room"),
    "two organisms beside one": (
        {**FLU, "infections": frozenset({"influenza", "mrsa"})}, "flu", OVERRIDE, "cohort"),
    "needs negative pressure, side room": (
        {"isolation": "negative_pressure"}, "side", OVERRIDE, "negative_pressure"),
    "needs negative pressure, has it": ({"isolation": "negative_pressure"}, "airtight", SUITS, ""),
    "negative pressure is not had in a cohort": (
        {**FLU, "isolation": "negative_pressure"}, "flu", OVERRIDE, "side_room"),
    "infection beside immunosuppressed": (FLU, "frail", REFUSED, "immunosuppressed_beside"),
    "immunosuppressed beside infection": (
        {"immunosuppressed": True}, "flu", REFUSED, "immunosuppressed_beside"),
    "immunosuppressed beside the same infection": (FLU, "frail_flu", SUITS, ""),
    "immunosuppressed in a bay": ({"immunosuppressed": True}, "empty", COSTS, "protective_room"),
    "immunosuppressed in a side room": ({"immunosuppressed": True}, "side", SUITS, ""),
    "end of life in a bay": ({"end_of_life": True}, "women", COSTS, "end_of_life_room"),
    "end of life in a side room": ({"end_of_life": True}, "side", SUITS, ""),
    "the last side room is kept": (
        {"specialty": "cardiology"}, "last_side", OVERRIDE, "side_room_kept"),
    "a side room for no need": ({}, "side", COSTS, "side_room_wasted"),
    # Being seen.
    "must not be alone": ({"not_alone": True}, "side", OVERRIDE, "not_alone"),
    "must not be alone, in a bay": ({"not_alone": True}, "women", SUITS, ""),
    "falls in a side room": ({"falls_risk": True}, "side", COSTS, "falls_side_room"),
    "falls out of sight": ({"falls_risk": True}, "empty", COSTS, "falls_visible"),
    "falls in sight": ({"falls_risk": True}, "high_visibility", SUITS, ""),
    "wandering from a side room": ({"wander_risk": True}, "side", COSTS, "wander_side_room"),
    "must be seen": ({"requires": {"high_visibility"}}, "empty", OVERRIDE, "high_visibility"),
    # Equipment.
    "no oxygen": ({"requires": {"oxygen"}}, "empty", OVERRIDE, "oxygen"),
    "oxygen": ({"requires": {"oxygen"}}, "oxygen", SUITS, ""),
    "no telemetry": ({"requires": {"telemetry"}}, "oxygen", OVERRIDE, "telemetry"),
    "telemetry": ({"requires": {"telemetry"}}, "telemetry", SUITS, ""),
    "not for their weight": ({"requires": {"bariatric"}}, "empty", REFUSED, "bariatric"),
    "for their weight": ({"requires": {"bariatric"}}, "bariatric", SUITS, ""),
    "no mattress": ({"requires": {"specialist_mattress"}}, "empty", COSTS, "specialist_mattress"),
    "no ventilator": ({"requires": {"ventilator"}}, "oxygen", REFUSED, "ventilator"),
    "no toilet of its own": ({"requires": {"ensuite"}}, "side_too", COSTS, "ensuite"),
    "telemetry for no need": ({}, "telemetry", COSTS, "feature_wasted"),
    "negative pressure for no need": (FLU, "airtight", COSTS, "feature_wasted"),
    # What the ward can bear.
    "level 3 on a ward": ({"acuity": 3}, "empty", OVERRIDE, "acuity_place"),
    "level 2 on a ward": ({"acuity": 2}, "empty", OVERRIDE, "acuity_place"),
    "level 2 on a ward staffed for it": ({"acuity": 2}, "able", SUITS, ""),
    "level 3 on a ward staffed for level 2": ({"acuity": 3}, "able", OVERRIDE, "acuity_place"),
    "one of level 2 too many": ({"acuity": 2}, "acute", OVERRIDE, "acuity_limit"),
    "level 0 where one of level 2 is the most": ({"acuity": 0}, "acute", SUITS, ""),
    "level 1 in critical care": ({"acuity": 1}, "intensive", OVERRIDE, "critical_care_wasted"),
    "no level said, for critical care": ({}, "intensive", OVERRIDE, "critical_care_wasted"),
    "level 2 in critical care": ({"acuity": 2}, "intensive", SUITS, ""),
    "no staff for one more": ({}, "full", OVERRIDE, "ward_full"),
    "few nurses": ({}, "few", COSTS, "nurse_ratio"),
    "few nurses by the ward's own limit": ({}, "own", COSTS, "nurse_ratio"),
    "enough nurses by the ward's own limit": ({}, "more", SUITS, ""),
}  # fmt: skip


@cache
def hospital() -> Named:
    return Named()


def judged(said: dict[str, Any], bed: str) -> Judgement:
    there = hospital()
    said = {**said, "requires": frozenset(said.get("requires", ()))}
    return judge(there.me(**said), there.bed(bed), there.setting, EXAMPLE)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    said, bed, verdict, code = CASES[name]
    found = judged(said, bed)
    refusals = {finding.code for finding in found.refusals}
    soft = {finding.code for finding in found.against if not finding.hard}
    if verdict == SUITS:
        # A move from the emergency department is in every case.
        assert refusals == set()
        assert soft <= {"distance"}
    elif verdict == COSTS:
        assert refusals == set()
        assert code in soft
    else:
        assert code in refusals
        assert found.overridable is (verdict == OVERRIDE)


def test_every_rule_has_a_case() -> None:
    assert set(SHAPES) == {code for _, _, _, code in CASES.values() if code}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_whole_and_names_nobody(name: str) -> None:
    said, bed, _, _ = CASES[name]
    for finding in (*judged(said, bed).against, *judged(said, bed).for_it):
        assert finding.code
        assert finding.title
        assert finding.text.endswith(".")
        assert "{" not in finding.text


@pytest.mark.parametrize(
    ("name", "breach"),
    [("a woman among men", "mixed_sex"), ("a man on a ward for women", "mixed_sex"),
     ("an outlier", "outlier"), ("corridor", "corridor"), ("a woman among women", "")],
)  # fmt: skip
def test_breach(name: str, breach: str) -> None:
    said, bed, _, _ = CASES[name]
    assert judged(said, bed).breaches == (frozenset({breach}) if breach else frozenset())
