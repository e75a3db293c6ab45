"""Which ward takes whom: ages, specialties, and same-sex accommodation.

Pure: no Django. Each rule is a function of a person, a bed, the setting and the rule book; None
means that it has nothing against the bed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wards.suitability.facts import Bed, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import NEVER, OUTLIER, RuleBook
from wards.suitability.ruling import Rule, said_of
from wards.suitability.setting import Setting

_DEFAULT_GROUPS: Final = ("F", "M")


def _shown(specialty: str) -> str:
    return specialty.replace("_", " ") or "any specialty"


def children(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Children under `under` years lie on children's wards (those of `specialties`), and nobody
    else does; patients of `except_specialties` are exempt. Department of Health, National Service
    Framework for Children: standard for hospital services (2003)."""
    line = book.lines["children"]
    if needs.specialty in line.names("except_specialties"):
        return None
    for_children = setting.ward_of(bed).specialty in line.names("specialties")
    is_child = needs.age is not None and needs.age < line.number("under")
    if is_child == for_children:
        return None
    who = (
        "a child"
        if is_child
        else "an adult"
        if needs.age is not None
        else "anybody of no known age"
    )
    return line.finding(said_of(bed, setting), who=who)


def ward_age(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The ward takes people of certain ages only. Local."""
    ward = setting.ward_of(bed)
    low, high = ward.youngest, ward.oldest
    if low is None and high is None:
        return None
    if needs.age is not None and (low or 0) <= needs.age <= (needs.age if high is None else high):
        return None
    ages = f"{low or 0} and over" if high is None else f"{low or 0} to {high}"
    who = "anybody of no known age" if needs.age is None else "this age"
    return book.lines["ward_age"].finding(said_of(bed, setting), who=who, ages=ages)


def maternity(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Maternity beds are for the specialties listed. NHS England, UEC Daily SitRep: general and
    acute beds exclude maternity."""
    line = book.lines["maternity"]
    if setting.ward_of(bed).kind != "maternity" or needs.specialty in line.names("specialties"):
        return None
    return line.finding(said_of(bed, setting))


def _by_table(code: str, verdict: str, needs: Needs, bed: Bed, setting: Setting,
              book: RuleBook) -> Finding | None:  # fmt: skip
    if not needs.specialty:
        return None
    ward = setting.ward_of(bed)
    said, cost = book.verdict(needs, ward)
    if said != verdict:
        return None
    return book.lines[code].finding(
        said_of(bed, setting),
        cost=cost,
        specialty=_shown(needs.specialty),
        ward_specialty=_shown(ward.specialty),
    )


def outlier(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A patient under one specialty on a ward of another; costs what the trust's table says.
    Outliers stay longer and do worse. Local table (Royal Wolverhampton OP65 has such a one)."""
    return _by_table("outlier", OUTLIER, needs, bed, setting, book)


def specialty_never(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The trust's table says that this ward never takes this specialty. Kettering and NHS AI Lab,
    bed allocation: no medical, no surgical."""
    return _by_table("specialty_never", NEVER, needs, bed, setting, book)


def specialty_unknown(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Nobody has said under which specialty they are, and the ward has one. Local."""
    if needs.specialty or not setting.ward_of(bed).specialty:
        return None
    return book.lines["specialty_unknown"].finding(said_of(bed, setting))


def _refused_by(place: str, sex: str, female: Iterable[str], male: Iterable[str]) -> bool:
    """Whether a place for one sex is not for this one; one that neither list names is left to
    `sex_unknown`."""
    if place == "any":
        return False
    mine, other = (female, male) if place == "female" else (male, female)
    return sex in other and sex not in mine


def ward_sex(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """The ward is for one sex; `female` and `male` list which recorded sexes each takes. NHS
    England, Delivering same-sex accommodation (2019; under review since April 2025)."""
    line, sex = book.lines["ward_sex"], setting.ward_of(bed).sex
    if not _refused_by(sex, needs.sex, line.names("female"), line.names("male")):
        return None
    return line.finding(said_of(bed, setting), sex=sex)


def groups_of(book: RuleBook) -> dict[str, int]:
    """Which recorded sexes may share a bay: each to the number of its group."""
    line = book.lines.get("bay_sex")
    groups = line.names("groups") if line else _DEFAULT_GROUPS
    return {sex.strip(): number for number, group in enumerate(groups) for sex in group.split(",")}


def bay_sex(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """A sleeping area is shared by one group of `groups` only (each lists recorded sexes with
    commas between), and a bay stated to be female or male takes those. Shared toilets and passing
    through cannot be seen here. NHS England, Delivering same-sex accommodation (2019; under
    review since April 2025): sharing a sleeping area is a breach unless justified."""
    line = book.lines["bay_sex"]
    if setting.ward_of(bed).specialty in line.names("except_specialties"):
        return None
    stated = setting.stated_sex(bed)
    if _refused_by(stated, needs.sex, line.names("female"), line.names("male")):
        return line.finding(said_of(bed, setting), sex=f"for {stated} patients")
    groups = groups_of(book)
    mine = groups.get(needs.sex)
    for other in setting.neighbours(bed, needs):
        if mine is not None and groups.get(other.sex, mine) != mine:
            return line.finding(said_of(bed, setting), sex="shared by patients of another sex")
    return None


def sex_unknown(needs: Needs, bed: Bed, setting: Setting, book: RuleBook) -> Finding | None:
    """Nobody can tell whether the bay or ward is right: a recorded sex is in no group of the rule
    `bay_sex`, theirs or that of somebody there. Ask the patient. NHS England, Delivering same-sex
    accommodation (2019), Annex B: in doubt, the patient's view counts."""
    if bed.is_side_room:
        return None
    groups = groups_of(book)
    others = setting.neighbours(bed, needs)
    if needs.sex in groups:
        unsure = any(other.sex not in groups for other in others)
    else:
        unsure = (
            bool(others) or setting.stated_sex(bed) != "any" or setting.ward_of(bed).sex != "any"
        )
    return book.lines["sex_unknown"].finding(said_of(bed, setting)) if unsure else None


def _sexes(bed: Bed, setting: Setting) -> tuple[object, ...]:
    there = {who.sex for who in _everybody_beside(bed, setting)}
    return (bed.is_side_room, setting.stated_sex(bed), setting.ward_of(bed).sex,
            setting.ward_of(bed).specialty, frozenset(there))  # fmt: skip


def _everybody_beside(bed: Bed, setting: Setting) -> Iterable[Needs]:
    for other in setting.hospital.rooms[bed.room]:
        if other != bed.key:
            for people in (setting.patients, setting.coming):
                if other in people:
                    yield people[other]


def _specialties(bed: Bed, setting: Setting) -> tuple[str, str, str]:
    ward = setting.ward_of(bed)
    return ward.code, ward.specialty, ward.kind


RULES: Final = (
    Rule("children", children, lambda n, s: (n.age, n.specialty),
         lambda b, s: s.ward_of(b).specialty),
    Rule("ward_age", ward_age, lambda n, s: n.age,
         lambda b, s: (s.ward_of(b).youngest, s.ward_of(b).oldest)),
    Rule("maternity", maternity, lambda n, s: n.specialty, lambda b, s: s.ward_of(b).kind),
    Rule("outlier", outlier, lambda n, s: n.specialty, _specialties),
    Rule("specialty_never", specialty_never, lambda n, s: n.specialty, _specialties),
    Rule("specialty_unknown", specialty_unknown, lambda n, s: bool(n.specialty),
         lambda b, s: bool(s.ward_of(b).specialty)),
    Rule("ward_sex", ward_sex, lambda n, s: n.sex, lambda b, s: s.ward_of(b).sex),
    Rule("bay_sex", bay_sex, lambda n, s: n.sex, _sexes, beside=True),
    Rule("sex_unknown", sex_unknown, lambda n, s: n.sex, _sexes, beside=True),
)  # fmt: skip
