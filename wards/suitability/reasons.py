"""What speaks for a bed, in plain words. Pure: no Django.

Reasons for a bed cost nothing and decide nothing; they tell the reader why it stands where it
stands.
"""

from __future__ import annotations

from wards.suitability.facts import Bed, BedState, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import TAKES, RuleBook
from wards.suitability.rules_of_beds import minutes_until_ready
from wards.suitability.rules_of_people import groups_of
from wards.suitability.rules_of_rooms import is_cohort
from wards.suitability.setting import SAME_BAY, SAME_WARD, Setting


def _for(code: str, title: str, text: str) -> Finding:
    return Finding(code=code, title=title, text=text, against=False)


def reasons_for(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> list[Finding]:
    """Every reason for this bed, the weightiest first."""
    return [
        *_held(needs, bed),
        *_ward(needs, bed, setting, book),
        *_room(needs, bed, setting, book),
        *_equipment(needs, bed),
        *_when(bed, setting, book),
        *_where(needs, bed, setting),
    ]


def _held(needs: Needs, bed: Bed) -> list[Finding]:
    if bed.reserved_for != needs.key:
        return []
    return [_for("held", "Held", "It is held for this request.")]


def _ward(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> list[Finding]:
    ward, found = setting.ward_of(bed), []
    if needs.wanted_ward == bed.ward:
        found.append(_for("asked_for", "Asked for", "This ward was asked for."))
    if needs.specialty and book.verdict(needs, ward)[0] == TAKES:
        if ward.specialty == needs.specialty:
            text = f"The ward's specialty is {needs.specialty.replace('_', ' ')}."
        else:
            text = f"The ward takes {needs.specialty.replace('_', ' ')}."
        found.append(_for("specialty", "Specialty", text))
    if needs.elective and ward.ring_fenced:
        found.append(_for("elective", "Elective", "The ward is kept for elective patients."))
    return found


def _room(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> list[Finding]:
    if bed.is_side_room:
        if needs.must_be_isolated:
            return [_for("isolated", "Side room", "It is a side room, which is needed.")]
        if needs.immunosuppressed or needs.end_of_life:
            return [_for("private", "Side room", "It is a side room, which is better for them.")]
        return []
    found = []
    if "side_room" in book.lines and is_cohort(needs, bed, setting, book.lines["side_room"]):
        found.append(_for("cohorted", "Cohort", "All in the bay have the same organisms."))
    groups, others = groups_of(book), setting.neighbours(bed, needs)
    mine = groups.get(needs.sex)
    if mine is not None and others and all(groups.get(other.sex) == mine for other in others):
        found.append(_for("same_sex", "Same sex", "The bay is of the same sex."))
    elif not others and setting.hospital.rooms[bed.room] != (bed.key,):
        found.append(_for("empty_bay", "Empty bay", "Nobody is in the bay."))
    return found


def _equipment(needs: Needs, bed: Bed) -> list[Finding]:
    has = sorted(needs.requires & bed.features)
    if not has:
        return []
    said = ", ".join(has).replace("_", " ")
    return [_for("equipment", "Equipment", f"It has what is needed: {said}.")]


def _when(bed: Bed, setting: Setting, book: RuleBook) -> list[Finding]:
    if bed.state == BedState.CLOSED or bed.state == BedState.OCCUPIED:
        return []
    if minutes_until_ready(bed, setting, book) > 0:
        return []
    return [_for("ready", "Ready", "It is ready now.")]


def _where(needs: Needs, bed: Bed, setting: Setting) -> list[Finding]:
    steps = setting.distance(needs, bed)
    if steps == SAME_BAY:
        return [_for("same_bay", "Near", "It is in the same bay.")]
    if steps == SAME_WARD:
        return [_for("same_ward", "Near", "It is on the ward where they are.")]
    return []
