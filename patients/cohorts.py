"""Who belongs to a cohort, and how much risk drives them: rules over facts. Pure: no Django.

A cohort is described by plain criteria, all of which have to hold. A criterion is true, false or
cannot be judged because the fact that it asks for is not known; somebody of whom none is false and
some cannot be judged is neither in the cohort nor out of it, and is counted as such.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Phase(StrEnum):
    """Before, during or after a stay in hospital."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person at a moment.

    age: in whole years. frailty: the Clinical Frailty Scale, 1 (very fit) to 9 (terminally ill);
    Rockwood K, Theou O, Can Geriatr J 2020;23:210-215. residence: where they usually live (a
    `Review.Residence` value), empty where nobody asked. area: slug of the neighbourhood whose
    team looks after them, empty for none. days: in hospital, for a stay that goes on or is over.
    ready_days: since the discharge ready date, None for who meets a criterion to reside.
    days_since_leaving: from the discharge before to the admission of this stay, None where none
    is known within a year. unplanned: admitted as an emergency. stays_in_year: unplanned
    admissions in the 365 days up to the moment. waits: what open barriers wait for.
    """

    phase: Phase
    age: int | None = None
    frailty: int | None = None
    residence: str = ""
    area: str = ""
    days: float | None = None
    ready_days: float | None = None
    days_since_leaving: float | None = None
    unplanned: bool = False
    stays_in_year: int = 0
    pathway: int | None = None
    site: str = ""
    ward_kind: str = ""
    specialty: str = ""
    waits: Collection[Wait] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """An open barrier: slug and family of its reason, kind of team, accountable organisation."""

    reason: str
    family: str = ""
    team: str = ""
    organisation: str = ""


class Sort(StrEnum):
    """What a criterion is given as."""

    NUMBER = "number"
    YES = "yes"
    ONE_OF = "one_of"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that can be asked of a person.

    name: in files, addresses and the API. words: in a sentence, `{}` standing for the value.
    holds: True, False, or None where it cannot be judged. lacks: what is missing then. least,
    most: of a number. choices: the only values there are; empty for any.
    """

    name: str
    sort: Sort
    words: str
    holds: Callable[[Facts, Any], bool | None]
    lacks: str = ""
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()


def _from(value: float | None, least: float) -> bool | None:
    return None if value is None else value >= least


def _to(value: float | None, most: float) -> bool | None:
    return None if value is None else value <= most


def _among(value: str, wanted: Sequence[str]) -> bool | None:
    return None if not value else value in wanted


def _waits(facts: Facts, name: str, wanted: Sequence[str]) -> bool:
    return any(getattr(wait, name) in wanted for wait in facts.waits)


def _readmitted(facts: Facts, days: int) -> bool:
    """An emergency admission 0 to `days` - 1 days after the last discharge before it (NHS England
    Digital, indicator I02040; its exclusions by diagnosis cannot be made from movements)."""
    gap = facts.days_since_leaving
    return facts.unplanned and gap is not None and gap < days


_ALL: Final = (
    Criterion(
        "age_from", Sort.NUMBER, "aged {} or over",
        lambda f, v: _from(f.age, v), "date of birth", least=0, most=120,
    ),
    Criterion(
        "age_to", Sort.NUMBER, "aged {} or under",
        lambda f, v: _to(f.age, v), "date of birth", least=0, most=120,
    ),
    Criterion(
        "frailty_from", Sort.NUMBER, "Clinical Frailty Scale {} or more",
        lambda f, v: _from(f.frailty, v), "frailty score", least=1, most=9,
    ),
    Criterion(
        "frailty_to", Sort.NUMBER, "Clinical Frailty Scale {} or less",
        lambda f, v: _to(f.frailty, v), "frailty score", least=1, most=9,
    ),
    Criterion(
        "days_from", Sort.NUMBER, "in hospital for {} days or more",
        lambda f, v: f.days is not None and f.days >= v, least=1, most=1000,
    ),
    Criterion(
        "ready", Sort.YES, "meeting no criteria to reside",
        lambda f, v: (f.ready_days is not None) == v,
    ),
    Criterion(
        "ready_days_from", Sort.NUMBER, "ready to leave for {} days or more",
        lambda f, v: f.ready_days is not None and f.ready_days >= v, least=1, most=1000,
    ),
    Criterion(
        "readmitted_within", Sort.NUMBER,
        "back as an emergency within {} days of leaving hospital", _readmitted, least=1, most=365,
    ),
    Criterion(
        "stays_from", Sort.NUMBER, "{} or more emergency admissions in twelve months",
        lambda f, v: f.stays_in_year >= v, least=1, most=100,
    ),
    Criterion(
        "residence", Sort.ONE_OF, "usually living in: {}",
        lambda f, v: _among(f.residence, v), "usual residence",
        choices=("own_home", "supported", "care_home", "no_fixed_abode", "other"),
    ),
    Criterion(
        "area", Sort.ONE_OF, "of the neighbourhood: {}", lambda f, v: f.area in v
    ),
    Criterion(
        "of_any_area", Sort.YES, "of one of the neighbourhoods", lambda f, v: bool(f.area) == v
    ),
    Criterion(
        "pathway", Sort.ONE_OF, "on pathway {}",
        lambda f, v: f.pathway is not None and str(f.pathway) in v, choices=("0", "1", "2", "3"),
    ),
    Criterion("site", Sort.ONE_OF, "at {}", lambda f, v: f.site in v),
    Criterion("ward_kind", Sort.ONE_OF, "in: {}", lambda f, v: f.ward_kind in v),
    Criterion("specialty", Sort.ONE_OF, "under: {}", lambda f, v: f.specialty in v),
    Criterion(
        "waiting_reason", Sort.ONE_OF, "waiting on: {}",
        lambda f, v: _waits(f, "reason", v),
    ),
    Criterion(
        "waiting_family", Sort.ONE_OF, "waiting on: {}",
        lambda f, v: _waits(f, "family", v),
    ),
    Criterion(
        "waiting_team", Sort.ONE_OF, "waiting on a team of: {}",
        lambda f, v: _waits(f, "team", v),
    ),
    Criterion(
        "waiting_organisation", Sort.ONE_OF, "waiting on {}",
        lambda f, v: _waits(f, "organisation", v),
    ),
    Criterion(
        "phase", Sort.ONE_OF, "{} the stay", lambda f, v: f.phase in v,
        choices=tuple(Phase),
    ),
)  # fmt: skip
CRITERIA: Final[Mapping[str, Criterion]] = {one.name: one for one in _ALL}

TAKEN: Final = frozenset({"new", "our-people"})
"""Words that no cohort can have as its slug: they are addresses of pages beside theirs."""

Who = Mapping[str, Any]
"""Criteria by name with what each is given: a whole number, true or false, or a list of texts."""


def mistakes(who: object) -> list[str]:
    """What is wrong with criteria as somebody wrote them, in sentences; none where they are sound.

    No criteria at all are sound: they describe everybody.
    """
    if not isinstance(who, Mapping):
        return ["Criteria are given by name, such as “age_from: 65”."]
    found = []
    for name, value in who.items():
        one = CRITERIA.get(str(name))
        if one is None:
            found.append(f"There is no criterion “{name}”. There are: {', '.join(CRITERIA)}.")
        elif wrong := _mistake(one, value):
            found.append(f"{name}: {wrong}")
    for low, high in (("age_from", "age_to"), ("frailty_from", "frailty_to")):
        if not found and low in who and high in who and who[low] > who[high]:
            found.append(f"{low} is more than {high}: nobody fits.")
    return found


def _mistake(one: Criterion, value: object) -> str:
    if one.sort is Sort.YES:
        return "" if isinstance(value, bool) else "say true or false."
    if one.sort is Sort.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int):
            return "give a whole number."
        if not one.least <= value <= one.most:
            return f"give a whole number from {one.least} to {one.most}."
        return ""
    if not isinstance(value, list | tuple) or not value:
        return "give a list with something in it."
    if not all(isinstance(item, str) and item for item in value):
        return "give a list of texts."
    unknown = [item for item in value if one.choices and item not in one.choices]
    if unknown:
        return f"there is no “{unknown[0]}”; there are: {', '.join(one.choices)}."
    return ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether somebody is in a cohort: True, False, or None where `lacks` is not known."""

    holds: bool | None
    lacks: tuple[str, ...] = ()


def judge(facts: Facts, who: Who) -> Judged:
    """Whether all criteria hold. One that is false settles it, whatever is not known."""
    lacks = []
    for name, value in who.items():
        one = CRITERIA[name]
        holds = one.holds(facts, value)
        if holds is False:
            return Judged(False)
        if holds is None:
            lacks.append(one.lacks)
    return Judged(None, tuple(dict.fromkeys(lacks))) if lacks else Judged(True)


@dataclass(frozen=True, slots=True)
class Driver:
    """Something that adds to a risk. label: in words; points: how much; who: when it is there."""

    label: str
    points: int
    who: Who


@dataclass(frozen=True, slots=True)
class Band:
    """A band of risk: its name, and the points from which it begins."""

    name: str
    least: int


@dataclass(frozen=True, slots=True)
class Scale:
    """How risk is told in a cohort. source: where the scale was published, or that it is an
    example to be agreed locally. bands: the lowest first; empty where there is no scale."""

    source: str = ""
    drivers: tuple[Driver, ...] = ()
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Risk:
    """The band somebody is in and why. band: its name; rank: 0 for the lowest. drivers: labels of
    what is there. lacks: what is not known and might add to it."""

    band: str
    rank: int
    points: int
    drivers: tuple[str, ...] = field(default=())
    lacks: tuple[str, ...] = field(default=())


def risk(facts: Facts, scale: Scale) -> Risk | None:
    """The band by the sum of points; None where the cohort has no scale. Who has fewer points
    than the lowest band is in it all the same."""
    if not scale.bands:
        return None
    points = 0
    there: list[str] = []
    lacks: list[str] = []
    for driver in scale.drivers:
        judged = judge(facts, driver.who)
        if judged.holds:
            points += driver.points
            there.append(driver.label)
        lacks += judged.lacks
    rank = max((n for n, band in enumerate(scale.bands) if points >= band.least), default=0)
    band = scale.bands[rank]
    return Risk(band.name, rank, points, tuple(there), tuple(dict.fromkeys(lacks)))
