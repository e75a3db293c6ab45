"""Equipment of the bed, and what the ward can bear.

Pure: no Django. Each rule is a function of a person, a bed, the setting and the rule book; None
means that it has nothing against the bed.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from wards.suitability.facts import Bed, Isolation, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import RuleBook
from wards.suitability.ruling import Rule, said_of
from wards.suitability.setting import Setting

LEVEL_2: Final = 2


def _equipment(feature: str, needs: Needs, bed: Bed, setting: Setting,
               book: RuleBook) -> Finding | None:  # fmt: skip
    if feature not in needs.requires or feature in bed.features:
        return None
    return book.lines[feature].finding(said_of(bed, setting))


def oxygen(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Needs piped oxygen. British Thoracic Society, Guideline for oxygen use in adults in
    healthcare and emergency settings (2017): oxygen as prescribed, at once."""
    return _equipment("oxygen", needs, bed, setting, book)


def telemetry(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Needs their heart rhythm watched from afar. Local."""
    return _equipment("telemetry", needs, bed, setting, book)


def bariatric(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Their weight is over the limit of an ordinary bed. Lifting Operations and Lifting
    Equipment Regulations 1998: within the safe working load; Kettering and NHS AI Lab, bed
    allocation: none above 100 kg."""
    return _equipment("bariatric", needs, bed, setting, book)


def specialist_mattress(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Needs a pressure-redistributing mattress. NICE CG179, Pressure ulcers (2014)."""
    return _equipment("specialist_mattress", needs, bed, setting, book)


def ventilator(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Needs a ventilated bed. Intensive Care Society, Levels of adult critical care (2021)."""
    return _equipment("ventilator", needs, bed, setting, book)


def ensuite(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Needs a toilet of their own. NHS England, National infection prevention and control manual,
    patient placement."""
    return _equipment("ensuite", needs, bed, setting, book)


def feature_wasted(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The weight for each feature in `scarce` that the bed has and the person does not need.
    Local."""
    line = book.lines["feature_wasted"]
    wanted = set(needs.requires)
    if needs.falls_risk or needs.wander_risk:
        wanted.add("high_visibility")
    if needs.isolation == Isolation.NEGATIVE_PRESSURE:
        wanted.add("negative_pressure")
    wasted = sorted((set(line.names("scarce")) & bed.features) - wanted)
    if not wasted:
        return None
    said = ", ".join(wasted).replace("_", " ")
    return line.finding(said_of(bed, setting), cost=line.weight * len(wasted), feature=said)


def acuity_place(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Level 3 goes to a ward of a kind in `level_3`; level 2 to one in `level_2`, or to a ward
    staffed for some (`most_acute`). Intensive Care Society, Levels of adult critical care
    (2021)."""
    if needs.acuity is None or needs.acuity < LEVEL_2:
        return None
    line, ward = book.lines["acuity_place"], setting.ward_of(bed)
    if needs.acuity == LEVEL_2 and (ward.most_acute or ward.kind in line.names("level_2")):
        return None
    if needs.acuity > LEVEL_2 and ward.kind in line.names("level_3"):
        return None
    return line.finding(said_of(bed, setting), level=needs.acuity)


def critical_care_wasted(
    needs: Needs, bed: Bed, setting: Setting, book: RuleBook
) -> Finding | None:
    """A bed of a kind of ward in `kinds` for somebody of level 0 or 1, or of no known level, who
    is not on that ward and for whom it was not asked for. Intensive Care Society, Levels of adult
    critical care (2021)."""
    line = book.lines["critical_care_wasted"]
    if bed.ward in (needs.wanted_ward, needs.place and needs.place.ward):
        return None
    if (needs.acuity or 0) >= LEVEL_2 or setting.ward_of(bed).kind not in line.names("kinds"):
        return None
    return line.finding(said_of(bed, setting))


def acuity_limit(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """One more patient of level 2 or 3 than today's staff can look after. Local limit."""
    most = setting.ward_of(bed).most_acute
    if most is None or (needs.acuity or 0) < LEVEL_2:
        return None
    others = setting.others_on_ward(bed, needs)
    if others is None or sum((o.acuity or 0) >= LEVEL_2 for o in others.values()) < most:
        return None
    return book.lines["acuity_limit"].finding(said_of(bed, setting), most=most)


def ward_full(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """One more patient than today's staff can look after. Local limit; NHS England, UEC Daily
    SitRep: funded beds without staff do not count."""
    most = setting.ward_of(bed).most_patients
    if most is None:
        return None
    others = setting.others_on_ward(bed, needs)
    if others is None or len(others) < most:
        return None
    return book.lines["ward_full"].finding(said_of(bed, setting), most=most)


def nurse_ratio(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """More than `patients` for each registered nurse, or than the ward's own limit. NICE SG1, Safe
    staffing for nursing in adult inpatient wards (2014): harm rises when one cares for more than 8
    in the day."""
    ward = setting.ward_of(bed)
    nurses = ward.nurses
    if nurses is None:
        return None
    others = setting.others_on_ward(bed, needs)
    line = book.lines["nurse_ratio"]
    most = ward.patients_per_nurse or line.number("patients")
    if others is None or len(others) + 1 <= most * nurses:
        return None
    ratio = f"{(len(others) + 1) / nurses:.1f}" if nurses else "no nurse for"
    return line.finding(said_of(bed, setting), ratio=ratio, most=f"{most:g}")


def _load(bed: Bed, setting: Setting) -> Hashable:
    """All that the limits look at; None where the ward has none."""
    ward = setting.ward_of(bed)
    if ward.most_patients is None and ward.most_acute is None and ward.nurses is None:
        return None
    leaving = setting.coming.get(bed.key) or setting.patients.get(bed.key)
    return ward.key, leaving and (leaving.key, bed.key)


def _counted(needs: Needs, setting: Setting) -> Hashable:
    """The wards on which they count already."""
    return frozenset(
        setting.beds[bed].ward
        for bed in setting.holding.get(needs.key, ())
        if (setting.coming.get(bed) or setting.patients[bed]).key == needs.key
    )


def _features(bed: Bed, setting: Setting) -> Hashable:
    return bed.features


RULES: Final = (
    Rule("oxygen", oxygen, lambda n, s: "oxygen" in n.requires, _features),
    Rule("telemetry", telemetry, lambda n, s: "telemetry" in n.requires, _features),
    Rule("bariatric", bariatric, lambda n, s: "bariatric" in n.requires, _features),
    Rule("specialist_mattress", specialist_mattress,
         lambda n, s: "specialist_mattress" in n.requires, _features),
    Rule("ventilator", ventilator, lambda n, s: "ventilator" in n.requires, _features),
    Rule("ensuite", ensuite, lambda n, s: "ensuite" in n.requires, _features),
    Rule("feature_wasted", feature_wasted,
         lambda n, s: (n.requires, n.falls_risk or n.wander_risk, n.isolation), _features),
    Rule("acuity_place", acuity_place, lambda n, s: n.acuity,
         lambda b, s: (s.ward_of(b).kind, bool(s.ward_of(b).most_acute))),
    Rule("critical_care_wasted", critical_care_wasted,
         lambda n, s: ((n.acuity or 0) >= LEVEL_2, n.wanted_ward, n.place and n.place.ward),
         lambda b, s: (b.ward, s.ward_of(b).kind)),
    Rule("acuity_limit", acuity_limit,
         lambda n, s: ((n.acuity or 0) >= LEVEL_2, _counted(n, s)), _load),
    Rule("ward_full", ward_full, _counted, _load),
    Rule("nurse_ratio", nurse_ratio, _counted, _load),
)  # fmt: skip
