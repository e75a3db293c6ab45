"""Criteria to reside that are met, as plausible for specialty and stage.

Slugs of the criteria in Annex A of the Hospital Discharge Service policy and operating model
(2020). How often each is met by patients of a specialty is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulation.care.stays import Stay, chance
from simulation.clock import DAY
from simulation.hazards import Stage

_OXYGEN, _FLUIDS, _NEWS = "oxygen", "intravenous-fluids", "news2-above-3"
_MEDICATION, _FUNCTION = "intravenous-medication", "functional-impairment"
_CONSCIOUSNESS, _LAST_HOURS = "diminished-consciousness", "last-hours-of-life"
_LIMB, _CAVITY, _PROCEDURE = "lower-limb-surgery", "body-cavity-surgery", "invasive-procedure"
_CRITICAL: Final = "critical-care"

_USUAL: Final = {_MEDICATION: 0.55, _NEWS: 0.4, _FLUIDS: 0.3, _OXYGEN: 0.15}
_SURGICAL: Final = {_CAVITY: 0.6, _MEDICATION: 0.55, _FLUIDS: 0.45, _NEWS: 0.2}
_CHANCES: Final[Mapping[str, Mapping[str, float]]] = {
    "respiratory": {_OXYGEN: 0.7, _MEDICATION: 0.5, _NEWS: 0.4, _FLUIDS: 0.1},
    "cardiology": {_MEDICATION: 0.5, _NEWS: 0.4, _OXYGEN: 0.25, _PROCEDURE: 0.12},
    "gastroenterology": {_FLUIDS: 0.5, _MEDICATION: 0.5, _NEWS: 0.35, _PROCEDURE: 0.08},
    "elderly_medicine": {_FUNCTION: 0.5, _NEWS: 0.35, _MEDICATION: 0.4, _CONSCIOUSNESS: 0.1},
    "stroke": {_FUNCTION: 0.7, _CONSCIOUSNESS: 0.15, _NEWS: 0.2, _FLUIDS: 0.2},
    "trauma_orthopaedics": {_LIMB: 0.75, _FUNCTION: 0.5, _MEDICATION: 0.35},
    "elective_orthopaedics": {_LIMB: 0.9, _MEDICATION: 0.3},
    "general_surgery": _SURGICAL,
    "colorectal_surgery": _SURGICAL,
    "vascular_surgery": _SURGICAL,
    "urology": _SURGICAL,
    "gynaecology": _SURGICAL,
    "ear_nose_throat": {_MEDICATION: 0.6, _PROCEDURE: 0.25, _FLUIDS: 0.2},
    "paediatrics": {_OXYGEN: 0.45, _FLUIDS: 0.35, _MEDICATION: 0.5},
    "rehabilitation": {_FUNCTION: 0.95, _MEDICATION: 0.05},
}
_LIMITED: Final = {_LIMB: 2 * DAY, _CAVITY: 3 * DAY, _PROCEDURE: 2 * DAY}
"""Minutes since admission until which a criterion about an operation can be met."""
_MOST: Final = 3


def criteria_of(stay: Stay, stage: Stage, *, seed: int, at: int) -> list[str]:
    """The criteria met by somebody who needs hospital, one to three, by slug.

    A patient keeps most of theirs from day to day.
    """
    of_the_patient = chance(seed, stay.visit, "criteria")
    today = chance(seed, stay.visit, "criteria", at // DAY)
    if stage is Stage.CRITICAL:
        others = [c for c in (_OXYGEN, _MEDICATION) if today.random() < 0.6]
        return sorted([_CRITICAL, *others])
    if stay.age > 70 and of_the_patient.random() < 0.006:
        return [_LAST_HOURS]
    chances = _CHANCES.get(stay.specialty, _USUAL)
    possible = {c: p for c, p in chances.items() if at - stay.admitted < _LIMITED.get(c, at)}
    possible = possible or _USUAL
    met = [c for c, p in possible.items() if of_the_patient.random() < p and today.random() < 0.9]
    if not met:
        met = [max(possible, key=lambda c: possible[c])]
    return sorted(met[:_MOST])
