"""Which ways patients took through a site, as far as was known at a moment. Pure: no Django.

Times on wards are read from the `ward` log of each stay, so that a move counts from the minute in
which we learnt of it. An attendance in an emergency department may be the beginning of a stay or,
where departments number them apart, a stay of its own that another one of the same person follows
at once; both are one way in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, Minutes
from flow.forecasts.history import NOT_YET, Floats, Indices, Stays, WardFacts

HERE: Final = -2
"""Instead of the ward that follows: the patient is still there."""
GONE: Final = -1
"""Instead of the ward that follows: the patient left the site."""
EMERGENCY: Final = "emergency"
ASSESSMENT: Final = "assessment"
LOUNGE: Final = "discharge_lounge"
_IN_HOSPITAL: Final = ("inpatient", ASSESSMENT, "critical_care", "maternity", "community")
_AT_HOME: Final = ("virtual", "reablement", "care_home")
_EARLY: Final = 30
_LATE: Final = 120
"""Minutes before and after the end of an attendance within which a stay that follows it begins."""
_FORGOTTEN: Final = 3 * DAY
"""An attendance that nobody has ended by then is a slip of the pen."""

Flags = NDArray[np.bool_]


class Way(IntEnum):
    """How somebody comes to a bed. Through the emergency department, or straight to a ward: as an
    emergency, as planned, or otherwise (births, transfers, not said)."""

    DEPARTMENT = 0
    EMERGENCY = 1
    ELECTIVE = 2
    OTHER = 3


def way_of(method: str) -> Way:
    """The way in that an admission method names.

    NHS Data Dictionary, ADMISSION METHOD: those that begin with 1 are elective, with 2 emergency;
    HL7 table 0007: A accident, E emergency, U urgent, C elective.
    """
    if method[:1] == "2" or method in ("A", "E", "U"):
        return Way.EMERGENCY
    return Way.ELECTIVE if method[:1] == "1" or method == "C" else Way.OTHER


def bed_wards(wards: Sequence[WardFacts]) -> Flags:
    """Which wards have the beds that a site is about: those where patients stay overnight, or, of
    a service without any, its places (as the boards take the first group of a site for its head).
    """
    kinds = _IN_HOSPITAL if any(ward.kind in _IN_HOSPITAL for ward in wards) else _AT_HOME
    return np.array([ward.kind in kinds for ward in wards], dtype=bool)


@dataclass(frozen=True, slots=True)
class Spells:
    """Times on wards, by stay and in order: of which stay, on which ward (by number), from when,
    to when (NOT_YET while it goes on), and the ward that followed, `GONE` or `HERE`."""

    stays: Indices
    wards: Indices
    starts: Minutes
    ends: Minutes
    following: Indices

    @property
    def first(self) -> Flags:
        """Which are the first of their stay."""
        return np.asarray(np.r_[True, self.stays[1:] != self.stays[:-1]][: self.stays.size])


def spells(history: Stays, at: int) -> Spells:
    """All times on wards that were known at `at` to have begun by then."""
    known = history.known_by(at)
    everyone, now = np.arange(len(known)), np.full(len(known), at)
    admitted, ended = known.admitted(everyone, now), known.ended(everyone, now)
    ended = np.where(ended > at, NOT_YET, ended)
    stays, learnt, values = known.log("ward").entries()
    if not stays.size:
        none = np.zeros(0, dtype=np.int64)
        return Spells(none, none, none, none, none)
    first = np.r_[True, stays[1:] != stays[:-1]]
    starts = np.where(first, admitted[stays], np.maximum(learnt, admitted[stays]))
    real = (admitted[stays] <= at) & (starts < ended[stays]) & ~np.isnan(values)
    stays, starts, wards = stays[real], starts[real], values[real].astype(np.int64)
    # Of what begins in one minute the last holds; what is said of the same ward again is no move.
    last = np.r_[(stays[1:] != stays[:-1]) | (starts[1:] > starts[:-1]), True][: stays.size]
    stays, starts, wards = stays[last], starts[last], wards[last]
    new = np.r_[True, (stays[1:] != stays[:-1]) | (wards[1:] != wards[:-1])][: stays.size]
    stays, starts, wards = stays[new], starts[new], wards[new]
    goes_on = np.r_[stays[1:] == stays[:-1], False][: stays.size]
    ends = np.where(goes_on, np.r_[starts[1:], 0][: stays.size], ended[stays])
    over = np.where(ended[stays] == NOT_YET, HERE, GONE)
    following = np.where(goes_on, np.r_[wards[1:], 0][: stays.size], over)
    return Spells(stays, wards, starts, ends, following)


@dataclass(frozen=True, slots=True)
class Admissions:
    """Beginnings of stays in beds, side by side.

    at: when the patient came to the first bed; ward: which, by number. way: a `Way`. left: when
    they left the site (NOT_YET: not known to have). arrived: when they had come to the emergency
    department, `NOT_YET` for those who had not. specialty: by number, as known at the end.
    """

    stays: Indices
    at: Minutes
    ward: Indices
    way: Indices
    left: Minutes
    arrived: Minutes
    sexes: Indices
    specialty: Indices


@dataclass(frozen=True, slots=True)
class Attendances:
    """Attendances in emergency departments, side by side; NOT_YET is what has not happened.

    asked: when a bed was first asked for. ended: when the patient came to a bed (`admitted`) or
    left; `ward`: to which one, by number, or `GONE`, or `HERE`.
    """

    stays: Indices
    arrived: Minutes
    asked: Minutes
    ended: Minutes
    admitted: Flags
    ward: Indices
    ages: Floats
    sexes: Indices


@dataclass(frozen=True, slots=True)
class Paths:
    """What was known at `at` of all ways through a site.

    beds: which wards (by number) have the site's beds. departments: which are for emergencies.
    """

    at: int
    beds: Flags
    departments: Flags
    spells: Spells
    admissions: Admissions
    attendances: Attendances


def paths(history: Stays, at: int) -> Paths:
    """Every way through the site, as was known at `at`."""
    found = spells(history, at)
    beds = bed_wards(history.wards)
    departments = np.array([ward.kind == EMERGENCY for ward in history.wards], dtype=bool)
    starts, ends = _outlines(history, at)
    before = _before(history, starts, ends)
    bed = _first_of(found, beds, len(history))
    department = _first_of(found, departments, len(history))
    has_bed, came = bed >= 0, department >= 0
    came &= ~has_bed | (department < bed)
    # A stay that follows another: the way in is that of the one before it.
    follows = before >= 0
    through = np.where(came, np.arange(len(history)), np.where(follows, before, -1))
    attended = (through >= 0) & came[np.maximum(through, 0)]
    earlier_bed = follows & has_bed[np.maximum(before, 0)]
    begins = has_bed & ~earlier_bed
    admissions = _admissions(history, at, found, begins, bed, np.where(attended, through, -1), ends)
    return Paths(
        at, beds, departments, found, admissions,
        _attendances(history, at, found, came, department, admissions, ends, through),
    )  # fmt: skip


def _outlines(history: Stays, at: int) -> tuple[Minutes, Minutes]:
    """Begin and end of each stay as known at `at`."""
    known = history.known_by(at)
    everyone, now = np.arange(len(known)), np.full(len(known), at)
    ended = known.ended(everyone, now)
    return known.admitted(everyone, now), np.where(ended > at, NOT_YET, ended)


def _before(history: Stays, starts: Minutes, ends: Minutes) -> Indices:
    """The stay of the same person that each one follows at once; -1 where there is none."""
    found = np.full(len(history), -1, dtype=np.int64)
    if history.people.size != len(history) or not found.size:
        return found
    order = np.lexsort((starts, history.people))
    one, other = order[:-1], order[1:]
    gap = starts[other] - ends[one]
    same = (history.people[one] == history.people[other]) & (history.people[one] > 0)
    joined = same & (gap >= -_EARLY) & (gap <= _LATE)
    found[other[joined]] = one[joined]
    return found


def _first_of(found: Spells, which: Flags, stays: int) -> Indices:
    """The number of each stay's first spell on one of these wards; -1 where there is none."""
    first = np.full(stays, -1, dtype=np.int64)
    there = np.flatnonzero(which[found.wards])[::-1]
    first[found.stays[there]] = there
    return first


def _admissions(
    history: Stays,
    at: int,
    found: Spells,
    begins: Flags,
    bed: Indices,
    through: Indices,
    ends: Minutes,
) -> Admissions:
    stays = np.flatnonzero(begins)
    now = np.full(stays.size, at)
    ways = np.array([way_of(one) for one in history.codes.get("method", ("",))] or [Way.OTHER])
    department = through[stays] >= 0
    first = _first_of(found, np.array([w.kind == EMERGENCY for w in history.wards]), len(history))
    arrived = np.where(department, found.starts[first[through[stays]]], NOT_YET) \
        if stays.size else np.zeros(0, dtype=np.int64)  # fmt: skip
    return Admissions(
        stays=stays,
        at=found.starts[bed[stays]],
        ward=found.wards[bed[stays]],
        way=np.where(department, Way.DEPARTMENT, ways[history.code("method", stays, now)]),
        left=ends[stays],
        arrived=arrived,
        sexes=history.sexes[stays],
        specialty=history.code("specialty", stays, now),
    )


def _attendances(
    history: Stays,
    at: int,
    found: Spells,
    came: Flags,
    department: Indices,
    admissions: Admissions,
    ends: Minutes,
    through: Indices,
) -> Attendances:
    stays = np.flatnonzero(came)
    arrived = found.starts[department[stays]]
    to_bed = np.full(len(history), NOT_YET, dtype=np.int64)
    to_ward = np.full(len(history), GONE, dtype=np.int64)
    came_so = admissions.way == Way.DEPARTMENT
    attended = through[admissions.stays[came_so]]
    to_bed[attended] = admissions.at[came_so]
    to_ward[attended] = admissions.ward[came_so]
    admitted = to_bed[stays] < NOT_YET
    ended = np.where(admitted, to_bed[stays], ends[stays])
    forgotten = ~admitted & (ended == NOT_YET) & (arrived < at - _FORGOTTEN)
    ward = np.where(ended == NOT_YET, HERE, to_ward[stays])
    asked = np.maximum(_asked(history, at)[stays], arrived)
    kept = ~forgotten
    return Attendances(
        stays=stays[kept],
        arrived=arrived[kept],
        asked=np.where(asked < ended, asked, NOT_YET)[kept],
        ended=ended[kept],
        admitted=admitted[kept],
        ward=ward[kept],
        ages=history.ages[stays][kept],
        sexes=history.sexes[stays][kept],
    )


def _asked(history: Stays, at: int) -> Minutes:
    """Since when a bed was first asked for, for each stay; NOT_YET where none was."""
    found = np.full(len(history), NOT_YET, dtype=np.int64)
    stays, learnt, values = history.log("asked").entries()
    told = (learnt <= at) & ~np.isnan(values)
    np.minimum.at(found, stays[told], values[told].astype(np.int64))
    return found
