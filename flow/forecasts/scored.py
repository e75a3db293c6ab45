"""One forecast beside what came of it, and beside what others would have said. Pure: no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.baselines import by_plan
from flow.forecasts.clock import HOUR
from flow.forecasts.composing import parts
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.numbers import poisson_binomial
from flow.forecasts.outlook import Fan, PoolKind, Spread
from flow.forecasts.paths import Attendances, paths
from flow.forecasts.predicting import Voice
from flow.forecasts.recorded import PARTS_AT, Part, Speaker, Until, What, ends
from flow.forecasts.stored import Issued, Patients
from flow.forecasts.tallies import Tally, tally
from flow.forecasts.waited import joined, over
from flow.forecasts.yardsticks import admitted_within, begins_of, left_by_part, like, like_beds

_BACK = (Speaker.WEEKDAY, Speaker.YESTERDAY)

Flags = NDArray[np.bool_]
Free = Callable[[int], Mapping[int, int]]
"""Free beds by primary key of the ward, at a minute."""


@dataclass(frozen=True)
class Past:
    """What those others know. history: as read; numbered: the same as the model numbers it, for
    its `floor`, where that is still kept. since: from when on departures are told in full. known:
    the minute of which all is known now."""

    history: Stays
    since: int
    known: int
    numbered: Stays | None = None
    floor: Voice | None = None

    @cached_property
    def attendances(self) -> Attendances:
        """In the emergency department, as they are known now."""
        return paths(self.history, self.known).attendances


@dataclass(frozen=True, slots=True)
class Scored:
    """One speaker about one number."""

    what: What
    until: Until
    part: Part
    key: str
    speaker: Speaker
    tally: Tally


def departures(
    issued: Issued, until: Until, left: Mapping[int, int], past: Past
) -> Iterator[Scored]:
    """Who left by then, and how many. left: when each patient left the site, by episode; whoever
    is not in it, or not known to the others, counts for nobody."""
    at, end = issued.at, ends(issued.at)[until]
    here = past.history.present(at)
    place = {int(key): stay for key, stay in zip(past.history.keys[here], here, strict=True)}
    episodes = issued.patients.episodes.tolist()
    counted = np.array([key in left and key in place for key in episodes], dtype=bool)
    patients = _only(issued.patients, counted)
    stays = np.array([place[key] for key in patients.episodes.tolist()], dtype=np.int64)
    came = np.array([left[key] <= end for key in patients.episodes.tolist()], dtype=bool)
    said = dict(_chances(patients, stays, at, end, past))
    back = {who: _numbers_back(who, at, end, past) for who in _BACK}
    for part, key, mine in parts(patients, until):
        seen = int(came[mine].sum())
        for who, chances in said.items():
            spread = (
                issued.number(What.DEPARTURES, until, part, key)
                if who is Speaker.FORECAST
                else Spread(0, poisson_binomial(chances[mine]))
            )
            told = tally(chances=chances[mine], came=came[mine], said=spread, seen=seen)
            yield Scored(What.DEPARTURES, until, part, key, who, told)
        for who, counts in back.items():
            if (looked := like([one.get((part, key), 0) for one in counts])) is not None:
                told = tally(said=looked, seen=seen)
                yield Scored(What.DEPARTURES, until, part, key, who, told)


def _only(patients: Patients, which: Flags) -> Patients:
    kept = np.flatnonzero(which).tolist()
    return Patients(
        patients.episodes[kept], patients.wards[kept], [patients.specialties[n] for n in kept],
        patients.hours[kept], patients.days[kept],
    )  # fmt: skip


def _chances(
    patients: Patients, stays: Indices, at: int, end: int, past: Past
) -> Iterator[tuple[Speaker, Floats]]:
    yield Speaker.FORECAST, patients.hours[:, (end - at) // HOUR - 1]
    if past.floor is not None and past.numbered is not None:
        told = past.floor.left_by(past.numbered, stays, at, np.array([end]))
        yield Speaker.KAPLAN_MEIER, told[:, 0]
    planned = by_plan(past.history, stays, at, end - at, since=past.since)
    if planned is not None:
        yield Speaker.PLAN, planned


def _numbers_back(
    who: Speaker, at: int, end: int, past: Past
) -> Sequence[Mapping[tuple[Part, str], int]]:
    span = end - at
    return [
        left_by_part(past.history, begin, span, known=at)
        for begin in begins_of(who, at, span, since=past.since)
    ]


def admissions(issued: Issued, until: Until, past: Past) -> Iterator[Scored]:
    """How many came to a bed by then; nothing where that was not told."""
    at = issued.at
    span = ends(at)[until] - at
    try:
        said = issued.number(What.ADMISSIONS, until)
    except KeyError:
        return
    [seen] = admitted_within(past.history, [at], span, known=past.known)
    told: dict[Speaker, Spread | None] = {Speaker.FORECAST: said}
    for who in _BACK:
        begins = begins_of(who, at, span, since=past.since)
        told[who] = like(admitted_within(past.history, begins, span, known=at))
    for who, spread in told.items():
        if spread is not None:
            result = tally(said=spread, seen=seen)
            yield Scored(What.ADMISSIONS, until, Part.SITE, "", who, result)


def free_beds(issued: Issued, until: Until, free: Free, past: Past) -> Iterator[Scored]:
    """How many beds were free then, of the site and, where parts are told, of its wards; nothing
    where that was not told. Patients for whom there is no bed are not in what is counted: where
    all beds are taken, none are free. free: asked at most eight times."""
    if issued.outlook is None:
        return
    at = issued.at
    end = ends(at)[until]
    seen = free(end)
    back = {
        who: [free(begin + end - at) for begin in begins_of(who, at, end - at, since=past.since)]
        for who in _BACK
    }
    for part, key, fan in _fans(issued, until):
        mine = fan.spreads[(end - at) // HOUR - 1].not_below(fan.least)
        told: dict[Speaker, Spread | None] = {Speaker.FORECAST: mine}
        weeks = [_sum(fan, one) for one in back[Speaker.WEEKDAY]]
        for who, counts in back.items():
            told[who] = like_beds([_sum(fan, one) for one in counts], spread=weeks)
        for who, spread in told.items():
            if spread is not None:
                result = tally(said=spread, seen=_sum(fan, seen))
                yield Scored(What.FREE_BEDS, until, part, key, who, result)


def waits(issued: Issued, until: Until, past: Past) -> Iterator[Scored]:
    """How many have waited too long for a bed then, and whether nobody has come to since; nothing
    where that was not told. As with free beds, the past that others look back at is the one that
    is known now."""
    if issued.outlook is None or issued.outlook.waiting is None:
        return
    waiting, at = issued.outlook.waiting, issued.at
    end, limit = ends(at)[until], waiting.limit_hours * HOUR
    queue, hour = past.attendances, (end - at) // HOUR - 1
    none = np.array([not joined(queue, at, end, limit=limit)])
    seen = over(queue, end, limit=limit)
    said = _short_of_certain(float(waiting.none_over[hour]) * waiting.paths, waiting.paths)
    told = tally(chances=said, came=none, said=waiting.over[hour], seen=seen)
    yield Scored(What.WAITS, until, Part.SITE, "", Speaker.FORECAST, told)
    for who in _BACK:
        spans = [(one, one + end - at) for one in begins_of(who, at, end - at, since=past.since)]
        quiet = sum(not joined(queue, *span, limit=limit) for span in spans)
        looked = like([over(queue, last, limit=limit) for _, last in spans])
        told = tally(
            chances=_short_of_certain(quiet, len(spans)), came=none, said=looked, seen=seen
        )
        if looked is not None:
            yield Scored(What.WAITS, until, Part.SITE, "", who, told)


def _short_of_certain(number: float, of: int) -> Floats:
    """The chance of what came about so often: never 0, never 1."""
    return np.array([(number + 0.5) / (of + 1)])


def _fans(issued: Issued, until: Until) -> Iterator[tuple[Part, str, Fan]]:
    assert issued.outlook is not None
    if issued.outlook.site.has_beds:
        yield Part.SITE, "", issued.outlook.site
    if until not in PARTS_AT:
        return
    for fan in issued.outlook.pools:
        if fan.pool.kind is PoolKind.WARD and fan.has_beds:
            yield Part.WARD, fan.pool.key, fan


def _sum(fan: Fan, free: Mapping[int, int]) -> int:
    return sum(free.get(ward, 0) for ward in fan.pool.wards)
