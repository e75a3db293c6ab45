"""Infection and protection, side rooms, and being seen.

Pure: no Django. Each rule is a function of a person, a bed, the setting and the rule book; None
means that it has nothing against the bed. "Kettering" is the rule set of Kettering General
Hospital and the NHS AI Lab (nhsx/skunkworks-bed-allocation, 2021); NIPCM is NHS England's National
infection prevention and control manual.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from wards.suitability.facts import Bed, Isolation, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import RuleBook, RuleLine
from wards.suitability.ruling import Rule, said_of
from wards.suitability.setting import Setting

_VISIBLE: Final = "high_visibility"


def _against(code: str, bed: Bed, setting: Setting, book: RuleBook) -> Finding:
    return book.lines[code].finding(said_of(bed, setting))


def is_cohort(needs: Needs, bed: Bed, setting: Setting, line: RuleLine) -> bool:
    """Whether the bay holds people with just the same organisms, all of which may be nursed
    together by the parameter `cohort`. Opening a new cohort bay is infection control's to do."""
    if not needs.infections or not needs.infections <= set(line.names("cohort")):
        return False
    others = setting.neighbours(bed, needs)
    return bool(others) and all(other.infections == needs.infections for other in others)


def side_room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who is to be isolated needs a room of their own, or a bay in which all have the same
    organisms (`cohort` lists those for which that will do). NIPCM, patient placement."""
    if not needs.must_be_isolated or bed.is_side_room:
        return None
    line = book.lines["side_room"]
    if needs.isolation == Isolation.SIDE_ROOM and is_cohort(needs, bed, setting, line):
        return None
    return line.finding(said_of(bed, setting))


def negative_pressure(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Airborne isolation needs a negative-pressure room. NIPCM, patient placement; Health Building
    Note 04-01 supplement 1."""
    if needs.isolation != Isolation.NEGATIVE_PRESSURE or "negative_pressure" in bed.features:
        return None
    return _against("negative_pressure", bed, setting, book)


def cohort(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """People share a bay only with the same organisms, or all with none. NIPCM, patient placement;
    Kettering: no known or suspected Covid, and the reverse."""
    if all(other.infections == needs.infections for other in setting.neighbours(bed, needs)):
        return None
    return _against("cohort", bed, setting, book)


def immunosuppressed_beside(
    needs: Needs, bed: Bed, setting: Setting, book: RuleBook
) -> Finding | None:
    """Nobody immunosuppressed shares a bay with an organism that they do not have. NIPCM, patient
    placement."""
    for other in setting.neighbours(bed, needs):
        if (needs.immunosuppressed and other.infections - needs.infections) or (
            other.immunosuppressed and needs.infections - other.infections
        ):
            return _against("immunosuppressed_beside", bed, setting, book)
    return None


def protective_room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who is immunosuppressed is better in a side room. Kettering."""
    if not needs.immunosuppressed or bed.is_side_room:
        return None
    return _against("protective_room", bed, setting, book)


def end_of_life_room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who is in the last days of life is better in a side room, with those close to them.
    Kettering; Leadership Alliance for the Care of Dying People, One chance to get it right
    (2014)."""
    if not needs.end_of_life or bed.is_side_room:
        return None
    return _against("end_of_life_room", bed, setting, book)


def side_room_kept(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """`rooms` side rooms of a ward stay empty for the next patient to be isolated; only isolation
    takes them. One that is held already has been decided on. Kettering: keep one side room
    empty."""
    if needs.must_be_isolated or not bed.is_side_room or bed.reserved_for is not None:
        return None
    line = book.lines["side_room_kept"]
    left = setting.empty_side_rooms(bed.ward) - setting.is_empty(bed)
    return line.finding(said_of(bed, setting)) if left < line.number("rooms") else None


def side_room_wasted(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A side room for somebody who needs none. Local."""
    wants = needs.must_be_isolated or needs.immunosuppressed or needs.end_of_life
    if wants or not bed.is_side_room:
        return None
    return _against("side_room_wasted", bed, setting, book)


def not_alone(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who must not be left alone cannot be in a side room. Local."""
    if not needs.not_alone or not bed.is_side_room:
        return None
    return _against("not_alone", bed, setting, book)


def falls_side_room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A high risk of falls is seen too late in a side room. Kettering: must not be in a side
    room (high falls risk)."""
    if not needs.falls_risk or not bed.is_side_room:
        return None
    return _against("falls_side_room", bed, setting, book)


def falls_visible(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A high risk of falls or of wandering is better in a bed that staff see. Local."""
    if not (needs.falls_risk or needs.wander_risk) or _VISIBLE in bed.features:
        return None
    return _against("falls_visible", bed, setting, book)


def wander_side_room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Somebody with dementia or likely to wander is not seen leaving a side room. Kettering:
    dementia and wander risk."""
    if not needs.wander_risk or not bed.is_side_room:
        return None
    return _against("wander_side_room", bed, setting, book)


def high_visibility(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Who needs watching needs a bed that staff see. Kettering: needs visual supervision."""
    if _VISIBLE not in needs.requires or _VISIBLE in bed.features:
        return None
    return _against("high_visibility", bed, setting, book)


def _people(bed: Bed, setting: Setting) -> Hashable:
    found = set()
    for other in setting.hospital.rooms[bed.room]:
        if other != bed.key:
            for people in (setting.patients, setting.coming):
                if other in people:
                    who = people[other]
                    found.add((who.infections, who.immunosuppressed))
    return frozenset(found)


def _kept(bed: Bed, setting: Setting) -> Hashable:
    if not bed.is_side_room:
        return None
    return bed.ward, setting.is_empty(bed), bed.reserved_for is None


def _side(bed: Bed, setting: Setting) -> bool:
    return bed.is_side_room


def _seen(bed: Bed, setting: Setting) -> bool:
    return _VISIBLE in bed.features


RULES: Final = (
    Rule("side_room", side_room, lambda n, s: (n.isolation, n.infections),
         lambda b, s: (b.is_side_room, _people(b, s)), beside=True),
    Rule("negative_pressure", negative_pressure, lambda n, s: n.isolation,
         lambda b, s: "negative_pressure" in b.features),
    Rule("cohort", cohort, lambda n, s: n.infections, _people, beside=True),
    Rule("immunosuppressed_beside", immunosuppressed_beside,
         lambda n, s: (n.infections, n.immunosuppressed), _people, beside=True),
    Rule("protective_room", protective_room, lambda n, s: n.immunosuppressed, _side),
    Rule("end_of_life_room", end_of_life_room, lambda n, s: n.end_of_life, _side),
    Rule("side_room_kept", side_room_kept, lambda n, s: n.must_be_isolated, _kept),
    Rule("side_room_wasted", side_room_wasted,
         lambda n, s: n.must_be_isolated or n.immunosuppressed or n.end_of_life, _side),
    Rule("not_alone", not_alone, lambda n, s: n.not_alone, _side),
    Rule("falls_side_room", falls_side_room, lambda n, s: n.falls_risk, _side),
    Rule("falls_visible", falls_visible, lambda n, s: n.falls_risk or n.wander_risk, _seen),
    Rule("wander_side_room", wander_side_room, lambda n, s: n.wander_risk, _side),
    Rule("high_visibility", high_visibility, lambda n, s: _VISIBLE in n.requires, _seen),
)  # fmt: skip
