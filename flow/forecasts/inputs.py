"""Everything a forecast of beds is worked out from, gathered for one moment. Pure: no Django.

`gather` brings together who is in hospital, who is in the emergency department, who is listed, who
is yet to come and which beds there are. What `beds`, `queueing` and `whatif` do, they do to this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR
from flow.forecasts.history import NOT_YET, Floats, Indices, Stays, WardFacts
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import HOURS, Leaving
from flow.forecasts.level import Level
from flow.forecasts.listed import Listed
from flow.forecasts.outlook import Mark, MarkKind
from flow.forecasts.paths import HERE, Attendances, Flags, Way, paths
from flow.forecasts.patterns import Patterns
from flow.forecasts.supply import EITHER, Supply

NO_BED: Final = -1
"""Instead of the number of a bed: the patient is on the ward without one."""
OFF_THE_BOOKS: Final = -2
"""Instead of the number of a bed: it is not on the books, so that nobody else can have it."""


@dataclass(frozen=True)
class Residents:
    """Patients on wards with beds, side by side.

    keys: of their episodes. ward, specialty: numbers. bed: the number of the bed in `Supply`, or
    `NO_BED`, `OFF_THE_BOOKS`. left: the chance at level 1 to have left the site, or the bed for the
    discharge lounge, by the end of each hour ahead. put: to be on the same ward still, unless they
    have left. onward: where to, by ward.
    ready: since when no criterion to reside is met, in minutes, NaN where one is or nobody said.
    pathway: NaN where not said.
    """

    keys: Indices
    ward: Indices
    bed: Indices
    sexes: Indices
    left: Floats
    put: Floats
    onward: Floats
    ready: Floats
    pathway: Floats


@dataclass(frozen=True)
class Comers:
    """Those who may come to a bed, in rows: single patients, or all who come one way of whom
    nothing is known yet.

    coming: the chance of a patient, or the expected number, to come to a bed in each hour ahead.
    ward: to which, by ward (each row adds up to 1). way: a `Way`. factor: on the hazard of
    leaving again. women: the chance to be a woman, by ward.
    """

    coming: Floats
    ward: Floats
    way: Indices
    factor: Floats
    women: Floats


@dataclass(frozen=True)
class Unknown:
    """Those of whom nothing is known yet: a row for each way in and each span of 24 hours ahead in
    which they come. unsure: variance of the level of their numbers, as part of its square. own:
    the same of each day alone."""

    comers: Comers
    day: Indices
    unsure: Floats
    own: Floats


@dataclass(frozen=True)
class Asking:
    """What the queue for beds in the emergency department is simulated from.

    asked: since when each of those who wait already does. needs: of those in the department of
    whom it is not decided, the chance that a bed is asked for in each hour ahead. to_come: the
    expected number of those yet to come for whom it is. unsure, own: of the level of their numbers,
    as in `Unknown`. has: whether the site has a department at all. reached, to_be_reached: the
    chance that a bed is reached in each hour ahead where it is not beds that are short, of those
    who wait already, and of those who ask in each hour ahead (rows).
    """

    asked: Indices
    needs: Floats
    to_come: Floats
    unsure: Floats
    own: float
    has: bool
    reached: Floats
    to_be_reached: Floats


@dataclass(frozen=True)
class Inputs:
    """All of it. wards: by number. beds: which of them have the site's beds. level: on all hazards
    of leaving. away: hazards of leaving again, by way in (`Staying.hazards`). put_from, moves: of
    those who come to a ward (`Onward`). marks: what is planned."""

    ahead: Horizon
    wards: Sequence[WardFacts]
    beds: Flags
    supply: Supply
    residents: Residents
    emergency: Comers
    listed: Comers
    unknown: Unknown
    asking: Asking
    level: Level
    away: Floats
    put_from: Floats
    moves: Floats
    days_known: float
    marks: tuple[Mark, ...]

    @cached_property
    def bed_ward(self) -> Indices:
        """The number of each bed's ward; 0 for beds that are on none."""
        number = {ward.key: n for n, ward in enumerate(self.wards)}
        return np.array([number.get(int(key), 0) for key in self.supply.ward], dtype=np.int64)

    @cached_property
    def takes(self) -> NDArray[np.bool_]:
        """Wards by hours ahead: whether anybody can come there; not where all beds are closed."""
        found = np.zeros((len(self.wards), HOURS), dtype=bool)
        np.logical_or.at(found, self.bed_ward, self.supply.usable)
        listed = np.zeros(len(self.wards), dtype=bool)
        listed[self.bed_ward] = True
        # Of a ward whose beds nobody has listed nothing says that it is closed.
        return np.asarray(found | ~listed[:, None])


def gather(
    history: Stays, leaving: Leaving, patterns: Patterns, supply: Supply, lists: Listed
) -> Inputs:
    """The inputs for the moment of `leaving`.

    history: the one that `leaving` tells of, with everybody who is at the site now. lists: of whom
    is expected; others in it are left out.
    """
    at = leaving.at
    ahead = Horizon(at)
    patterns = patterns.numbered(history.wards, tuple(history.codes.get("specialty", ("",))))
    seen = paths(history, at)
    spells = seen.spells
    since = np.full(len(history), at, dtype=np.int64)
    there = spells.ends == NOT_YET
    since[spells.stays[there]] = spells.starts[there]
    now = _still(seen.attendances)
    waiting = now.asked[now.asked < NOT_YET]
    department = patterns.department.ahead_of(ahead, waiting=waiting.size)
    needs, gets = department.present(now)
    flow = patterns.streams[Way.DEPARTMENT]
    to_come, admitted = department.to_come(flow.expected(ahead))
    residents = _residents(history, leaving, patterns, supply, since, seen.beds)
    expected = lists.expected(at)
    expected = expected.only(~np.isin(expected.keys, residents.keys))
    return Inputs(
        ahead=ahead,
        wards=history.wards,
        beds=seen.beds,
        supply=supply,
        residents=residents,
        emergency=_in_department(now, gets, patterns),
        listed=_by_name(expected, history, patterns, ahead, seen.beds),
        unknown=_unknown(patterns, ahead, admitted),
        asking=Asking(
            asked=waiting,
            needs=needs[now.asked == NOT_YET],
            to_come=to_come,
            unsure=flow.unsure(ahead) + patterns.department.unsure,
            own=flow.own + patterns.department.own,
            has=bool(seen.departments.any()),
            reached=department.reached(waiting),
            to_be_reached=department.to_be_reached(),
        ),
        level=leaving.level,
        away=patterns.staying.hazards(ahead),
        put_from=patterns.onward.stay_put_from(ahead),
        moves=patterns.onward.moves,
        days_known=patterns.days,
        marks=_marks(supply, expected, at),
    )


def _still(seen: Attendances) -> Attendances:
    """Those who are in the department now."""
    there = seen.ward == HERE
    return Attendances(*(getattr(seen, name)[there] for name in seen.__slots__))


def _residents(
    history: Stays,
    leaving: Leaving,
    patterns: Patterns,
    supply: Supply,
    since: Indices,
    beds: Flags,
) -> Residents:
    now = np.full(leaving.stays.size, leaving.at)
    ward = history.code("ward", leaving.stays, now)
    mine = beds[ward]
    stays, ward, now = leaving.stays[mine], ward[mine], now[mine]
    left = patterns.lounge.beds_left(leaving.hours[mine])
    left = Horizon(leaving.at).on_the_hour(left)
    specialty = history.code("specialty", stays, now)
    ready = history.log("ready").last(stays, now)
    bed_of = {int(key): n for n, key in enumerate(supply.patient) if key}
    bed = [
        OFF_THE_BOOKS if key in supply.elsewhere else bed_of.get(key, NO_BED)
        for key in history.keys[stays].tolist()
    ]
    return Residents(
        keys=history.keys[stays],
        ward=ward,
        bed=np.array(bed, dtype=np.int64),
        sexes=history.sexes[stays],
        left=left,
        put=patterns.onward.stay_put(ward, since[stays], Horizon(leaving.at)),
        onward=patterns.onward.where_to(ward, specialty),
        ready=np.where(ready > 0, ready, np.nan),
        pathway=history.log("pathway").last(stays, now),
    )


def _marks(supply: Supply, expected: Listed, at: int) -> tuple[Mark, ...]:
    """What is planned: of the beds, and who is expected by name, by hour and ward."""
    hours = expected.planned // HOUR * HOUR
    numbers = Counter(zip(hours.tolist(), expected.ward.tolist(), strict=True))
    people = [
        Mark(max(hour, at), MarkKind.LISTED, number, ward or None)
        for (hour, ward), number in numbers.items()
    ]
    return tuple(sorted([*supply.marks, *people], key=lambda mark: (mark.minute, mark.kind)))


def _women(sexes: Indices, wards: int) -> Floats:
    chance = np.array([1.0, 0.0, 0.5])[np.minimum(sexes, EITHER)]
    return np.repeat(chance[:, None], wards, axis=1)


def _in_department(who: Attendances, gets: Floats, patterns: Patterns) -> Comers:
    number = who.stays.size
    return Comers(
        coming=gets,
        ward=np.tile(patterns.first[Way.DEPARTMENT], (number, 1)),
        way=np.full(number, Way.DEPARTMENT),
        factor=np.ones(number),
        women=_women(who.sexes, len(patterns.wards)),
    )


def _by_name(
    who: Listed, history: Stays, patterns: Patterns, ahead: Horizon, beds: Flags
) -> Comers:
    number = {ward.key: n for n, ward in enumerate(history.wards)}
    ward = np.array([number.get(int(key), 0) for key in who.ward], dtype=np.int64)
    # Who is expected for a day case, in theatre or a clinic comes to none of these beds.
    mine = (who.ward == 0) | beds[ward]
    who, ward = who.only(mine), ward[mine]
    code = {code: n for n, code in enumerate(history.codes.get("specialty", ("",)))}
    specialty = np.array([code.get(str(one), 0) for one in who.specialty], dtype=np.int64)
    to = np.where(
        ward[:, None] > 0, np.eye(len(history.wards))[ward], patterns.first[who.way]
    )  # fmt: skip
    return Comers(
        coming=patterns.punctuality.coming(who, ahead),
        ward=to,
        way=who.way,
        factor=patterns.staying.factors(who.way, specialty),
        women=_women(who.sexes, len(patterns.wards)),
    )


def _unknown(patterns: Patterns, ahead: Horizon, admitted: Floats) -> Unknown:
    day = np.arange(HOURS) // 24
    days = int(day[-1]) + 1
    coming, unsure, own = [], [], []
    for way in Way:
        stream = patterns.streams[way]
        numbers = admitted if way is Way.DEPARTMENT else stream.expected(ahead)
        more = patterns.department.unsure if way is Way.DEPARTMENT else 0.0
        each = patterns.department.own if way is Way.DEPARTMENT else 0.0
        if way is not Way.DEPARTMENT:
            numbers = numbers * patterns.punctuality.unannounced(way, ahead)
        coming += [np.where(day == n, numbers, 0.0) for n in range(days)]
        unsure += [float(stream.unsure(ahead)[day == n].mean()) + more for n in range(days)]
        own += [stream.own + each] * days
    ways = np.repeat(np.array(list(Way)), days)
    ward = patterns.first[ways]
    return Unknown(
        comers=Comers(
            coming=np.stack(coming),
            ward=ward,
            way=ways,
            factor=np.ones(ways.size),
            women=np.tile(patterns.women, (ways.size, 1)),
        ),
        day=np.tile(np.arange(days), len(Way)),
        unsure=np.array(unsure),
        own=np.array(own),
    )
