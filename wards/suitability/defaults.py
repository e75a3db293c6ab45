"""An EXAMPLE rule book, to be edited. It is no official rule set, and no trust's.

Weights are in units of its own: 10 is about what an hour's wait for a routine request is worth.
Published rules are named as sources; what follows from them here is a reading, not their text.
Pure: no Django.
"""

from __future__ import annotations

from typing import Final

from wards.suitability.facts import NeedKind
from wards.suitability.rulebook import NEVER, TAKES, OutlierLine, RuleBook, RuleLine, book_of
from wards.suitability.rulebook import OUTLIER as IS_OUTLIER

LOCAL: Final = "Local (example)"
SAME_SEX: Final = (
    "NHS England, Delivering same-sex accommodation (2019; under review since April 2025)"
)
PREVENTION: Final = "NHS England, National infection prevention and control manual"
KETTERING: Final = "Kettering General Hospital and NHS AI Lab, bed allocation rule set (2021)"
CORRIDORS: Final = "NHS England, Principles for providing patient care in corridors (2025)"
CRITICAL: Final = "Intensive Care Society, Levels of adult critical care (2021)"

_AT_HOME: Final = frozenset({"virtual", "reablement"})
_AWAY: Final = _AT_HOME | {"care_home"}
_ACUTE: Final = ("assessment", "inpatient", "critical_care", "maternity")
_MIXED: Final = frozenset({"critical_care", "emergency", "day_case"}) | _AT_HOME


def _refuses(code: str, title: str, text: str, source: str = LOCAL, *, override: bool = True,
             breach: str = "", except_kinds: frozenset[str] = frozenset(),
             **params: float | tuple[str, ...]) -> RuleLine:  # fmt: skip
    return RuleLine(code=code, title=title, text=text, source=source, hard=True,
                    may_override=override, breach=breach, except_kinds=except_kinds,
                    params=params)  # fmt: skip


def _costs(code: str, title: str, text: str, weight: float, source: str = LOCAL, *,
           breach: str = "", except_kinds: frozenset[str] = frozenset(),
           **params: float | tuple[str, ...]) -> RuleLine:  # fmt: skip
    return RuleLine(code=code, title=title, text=text, source=source, hard=False, weight=weight,
                    breach=breach, except_kinds=except_kinds, params=params)  # fmt: skip


_PLACE_KIND: Final = RuleLine(
    code="place_kind",
    title="Wrong kind of place",
    text="This request is not for a place of this kind ({kind}).",
    source=LOCAL,
    hard=True,
    may_override=True,
    params={
        NeedKind.ED_ADMISSION.value: _ACUTE,
        NeedKind.ASSESSMENT_MOVE.value: _ACUTE,
        NeedKind.ELECTIVE.value: ("inpatient", "critical_care", "maternity", "day_case"),
        NeedKind.STEP_DOWN.value: ("inpatient", "maternity"),
        NeedKind.REPATRIATION.value: ("inpatient", "critical_care"),
        NeedKind.TRANSFER_IN.value: _ACUTE,
        NeedKind.COMMUNITY.value: ("community", *sorted(_AWAY)),
        NeedKind.WARD_MOVE.value: _ACUTE,
        NeedKind.EXPECTED.value: ("emergency", *_ACUTE),
    },
)

_BEDS: Final = (
    _refuses("closed", "Closed", "Bed {bed} is closed.", override=False),
    _refuses("occupied", "Occupied", "Somebody is in bed {bed} and is not expected to leave soon.",
             override=False, hours=12, least_chance=0.5),
    _refuses("reserved", "Held for somebody else", "Bed {bed} is held for somebody else.",
             override=False),
    _refuses("not_a_bed", "No place to admit to", "Nobody is admitted to {ward}.", override=False),
    _PLACE_KIND,
    _refuses("bed_kind", "Not a bed", "It is a {bed_kind}, and a bed is needed.",
             sitting=(NeedKind.EXPECTED.value,), sitting_wards=("day_case",)),
    _refuses("cot", "A cot", "A cot is for a child under two years.", override=False, under=2),
    _costs("wanted_ward", "Another ward was asked for", "{wanted} was asked for.", 20),
    _costs("ring_fence", "Kept for elective patients", "{ward} is kept for elective patients.", 60,
           "GIRFT, ring-fenced elective beds; " + KETTERING),
    _costs("elective_elsewhere", "Not on an elective ward",
           "An elective patient would take a bed that emergencies could use.", 15,
           except_kinds=frozenset({"day_case"})),
    _costs("escalation", "Escalation bed", "Bed {bed} is an escalation bed.", 25,
           "NHS England, UEC Daily SitRep: core and escalation beds"),
    _refuses("corridor", "Corridor", "This is corridor care.", CORRIDORS, breach="corridor"),
    _refuses("corridor_group", "Never in a corridor",
             "A corridor is never acceptable for them: {groups}.", CORRIDORS, override=False,
             breach="corridor"),
    _costs("not_ready", "Not ready yet", "Bed {bed} is {state}: about {wait}.", 10,
           cleaning_minutes=45, urgency_1=4, urgency_2=2, urgency_3=1, urgency_4=0.5),
    _costs("chance", "May not come free", "It comes free by then with a chance of {percent}.", 60),
    _costs("distance", "A move", "A move {where}.", 4),
)  # fmt: skip

_PEOPLE: Final = (
    _refuses("children", "Children and adults apart", "{ward} does not take {who}.",
             "Department of Health, National Service Framework for Children: standard for hospital "
             "services (2003)",
             except_kinds=frozenset({"emergency", "maternity", "virtual"}),
             under=16, specialties=("paediatrics", "paediatric_surgery", "neonatology"),
             except_specialties=("obstetrics", "midwifery")),
    _refuses("ward_age", "Age", "{ward} does not take {who}; it takes {ages} years."),
    _refuses("maternity", "Maternity", "Maternity beds are for maternity care.", override=False,
             specialties=("obstetrics", "midwifery", "neonatology")),
    _costs("outlier", "Outlier", "An outlier: {specialty} on a ward of {ward_specialty}.", 40,
           breach="outlier",
           except_kinds=frozenset({"emergency", "critical_care", "community"}) | _AWAY),
    _refuses("specialty_never", "Never takes this specialty", "{ward} never takes {specialty}.",
             "Local (example); " + KETTERING,
             except_kinds=frozenset({"emergency", "critical_care"})),
    _costs("specialty_unknown", "Specialty not known", "Nobody has said the specialty.", 10,
           except_kinds=frozenset({"emergency", "assessment", "critical_care"}) | _AWAY),
    _refuses("ward_sex", "Ward for one sex", "{ward} is a {sex} ward.", SAME_SEX,
             breach="mixed_sex", except_kinds=_MIXED),
    _refuses("bay_sex", "Same-sex bay", "The bay is {sex}.", SAME_SEX, breach="mixed_sex",
             except_kinds=_MIXED | {"care_home"}, groups=("F", "M"),
             except_specialties=("paediatrics", "paediatric_surgery", "neonatology")),
    _costs("sex_unknown", "Sex not sure", "The sex of somebody in the bay is not sure: ask.", 15,
           SAME_SEX, except_kinds=_MIXED | {"care_home"}),
)  # fmt: skip

_ROOMS: Final = (
    _refuses("side_room", "Needs a side room", "They are to be isolated; this is no side room.",
             PREVENTION, except_kinds=_AWAY,
             cohort=("covid", "influenza", "rsv", "norovirus", "diarrhoea_vomiting")),
    _refuses("negative_pressure", "Needs negative pressure",
             "They need a negative-pressure room.", PREVENTION, except_kinds=_AWAY),
    _refuses("cohort", "Infection in the bay",
             "The bay does not hold the same infections as they have.", PREVENTION,
             except_kinds=_AWAY),
    _refuses("immunosuppressed_beside", "Infection beside immunosuppression",
             "Somebody immunosuppressed would share the bay with an infection.", PREVENTION,
             override=False, except_kinds=_AWAY),
    _costs("protective_room", "Better in a side room",
           "They are immunosuppressed; a side room is better.", 35, KETTERING, except_kinds=_AWAY),
    _costs("end_of_life_room", "Better in a side room",
           "They are near the end of life; a side room is better.", 30, KETTERING,
           except_kinds=_AWAY),
    _refuses("side_room_kept", "Side room kept back",
             "{ward} keeps its last side room for isolation.", KETTERING,
             except_kinds=frozenset({"emergency", "critical_care", "maternity", "community"})
             | _AWAY, rooms=1),
    _costs("side_room_wasted", "No need of a side room", "They need no side room.", 30,
           except_kinds=_AWAY),
    _refuses("not_alone", "Must not be alone", "They must not be alone in a side room.",
             except_kinds=frozenset({"critical_care"}) | _AWAY),
    _costs("falls_side_room", "Falls in a side room",
           "A high risk of falls is seen too late in a side room.", 45, KETTERING,
           except_kinds=frozenset({"critical_care"}) | _AWAY),
    _costs("falls_visible", "Out of sight", "Staff do not see bed {bed} well.", 8,
           except_kinds=frozenset({"critical_care"}) | _AWAY),
    _costs("wander_side_room", "Wandering from a side room",
           "Nobody sees them leave a side room.", 25, KETTERING,
           except_kinds=frozenset({"critical_care"}) | _AWAY),
    _refuses("high_visibility", "Must be seen", "They need a bed that staff see.", KETTERING,
             except_kinds=frozenset({"critical_care"}) | _AWAY),
)  # fmt: skip

_CARE: Final = (
    _refuses("oxygen", "No oxygen", "Bed {bed} has no piped oxygen.",
             "British Thoracic Society, Guideline for oxygen use (2017)"),
    _refuses("telemetry", "No telemetry", "Bed {bed} has no telemetry."),
    _refuses("bariatric", "Not for their weight", "Bed {bed} does not bear their weight.",
             "Lifting Operations and Lifting Equipment Regulations 1998; " + KETTERING,
             override=False),
    _costs("specialist_mattress", "No specialist mattress",
           "Bed {bed} has no specialist mattress; one has to be brought.", 12,
           "NICE CG179, Pressure ulcers (2014)"),
    _refuses("ventilator", "No ventilator", "Bed {bed} has no ventilator.", CRITICAL,
             override=False),
    _costs("ensuite", "No toilet of its own", "Bed {bed} has no toilet of its own.", 12,
           PREVENTION),
    _costs("feature_wasted", "Scarce equipment", "It has what they do not need: {feature}.", 10,
           scarce=("telemetry", "bariatric", "negative_pressure", "high_visibility",
                   "ventilator", "specialist_mattress")),
    _refuses("acuity_place", "Needs critical care", "{ward} does not take level {level}.",
             CRITICAL),
    _refuses("critical_care_wasted", "Critical care not needed",
             "They do not need critical care.", CRITICAL),
    _refuses("acuity_limit", "Too many acutely ill",
             "Staff of {ward} can look after {most} of level 2 or 3 today, and has them."),
    _refuses("ward_full", "No staff for one more",
             "Staff of {ward} can look after {most} patients today, and has them."),
    _costs("nurse_ratio", "Few nurses", "{ratio} patients a nurse on {ward}; {most} is the mark.",
           20, "NICE SG1, Safe staffing for nursing in adult inpatient wards (2014)",
           except_kinds=frozenset({"emergency", "critical_care", "maternity"}) | _AWAY,
           patients=8),
)  # fmt: skip

_MEDICINE: Final = (
    "general_medicine", "acute_medicine", "elderly_medicine", "respiratory", "cardiology",
    "gastroenterology", "diabetes_endocrine", "stroke", "renal", "haematology_oncology",
    "acute_frailty",
)  # fmt: skip
_SURGERY: Final = (
    "general_surgery", "acute_surgery", "colorectal_surgery", "urology", "vascular_surgery",
    "ear_nose_throat", "gynaecology", "trauma_orthopaedics",
)  # fmt: skip
_UNITS: Final = {
    "acute_medicine": _MEDICINE,
    "acute_surgery": _SURGERY,
    "acute_frailty": ("acute_frailty", "elderly_medicine", "general_medicine", "acute_medicine"),
}
"""Whom assessment units take, by their own specialty."""


def _outliers() -> tuple[OutlierLine, ...]:
    lines: list[OutlierLine] = []
    for family in (_MEDICINE, _SURGERY):
        for ward in family:
            near = (OutlierLine(ward_specialty=ward, specialty=one, verdict=IS_OUTLIER, cost=25)
                    for one in family if one != ward)  # fmt: skip
            lines.extend(near)
    lines.extend(
        OutlierLine(ward_specialty="elective_orthopaedics", specialty=one, verdict=NEVER)
        for one in (*_MEDICINE, "acute_surgery", "general_surgery")
    )
    lines.extend(
        OutlierLine(ward_specialty="general_medicine", specialty=one, verdict=TAKES)
        for one in ("acute_medicine", "elderly_medicine", "acute_frailty")
    )
    for unit, takes in _UNITS.items():
        lines.extend(
            OutlierLine(ward_kind="assessment", ward_specialty=unit, specialty=one, verdict=TAKES)
            for one in takes
        )
    lines.append(OutlierLine(ward_specialty="day_surgery", specialty="day_surgery", verdict=TAKES))
    lines.append(OutlierLine(ward_specialty="day_surgery", specialty="*", verdict=NEVER))
    return _without_repeats(lines)


def _without_repeats(lines: list[OutlierLine]) -> tuple[OutlierLine, ...]:
    """The last line about the same wards and specialty counts."""
    return tuple({line.about: line for line in lines}.values())


EXAMPLE: Final[RuleBook] = book_of(
    version="example-1",
    name="Example, to be edited",
    lines=(*_BEDS, *_PEOPLE, *_ROOMS, *_CARE),
    outliers=_outliers(),
)
"""Every rule there is, with invented weights."""
