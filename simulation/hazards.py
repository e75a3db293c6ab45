"""How a patient moves from illness to the door: hazards by the hour, and what follows from them.

Each stay is in one stage. In every clock hour it may leave that stage at most once, with
chance `1 - exp(-sum of rates)`, and the hour in which a stage began counts nothing towards
leaving it. That rule makes the simulation and the sums of `outlook.py` the same law, so that the
true chance of having left by each coming hour is known without sampling.

Rates depend on nothing but the stay and the local hour of the week, with one exception: in a
world whose places limit discharge, a patient who waits for a place leaves when one is free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from random import Random
from typing import Final

from simulation.clock import HOUR, WEEK_HOURS, hour_of_week
from simulation.worlds import HOME, ONWARD_KIND, SUPPORT, Course, World

MEMORY_DAYS: Final = 90
CRITICAL_DAYS: Final = 4.0
_FOREVER_HOURS: Final = 24 * 400


class Stage(IntEnum):
    """Where a stay is on its way. `GONE` is reached by leaving alive, `DEAD` by dying."""

    CRITICAL = 0
    ACTIVE = 1
    READY = 2
    WAITING = 3
    ARRANGED = 4
    LOUNGE = 5
    GONE = 6
    DEAD = 7


LEFT: Final = (Stage.GONE, Stage.DEAD)


@dataclass(frozen=True, slots=True)
class Condition:
    """All that the future of a stay depends on. Times are minutes since 1970."""

    stream: str
    course: int
    stage: Stage
    admitted: int
    since: int
    way: str = HOME


@dataclass(frozen=True, slots=True)
class _Kind:
    """A stream's or onward service's own rates, ready to be looked up."""

    recovery: tuple[tuple[float, ...], ...]
    ways: tuple[tuple[str, float], ...]
    worsens: float
    dies: float
    staged: bool


@dataclass(frozen=True, slots=True)
class Change:
    """The next change of stage: at which minute, into which stage."""

    at: int
    to: Stage


@dataclass(frozen=True, slots=True)
class Odds:
    """Of one hour: the sum of its rates, the chance of staying, and each rate by what follows."""

    total: float
    stays: float
    moves: tuple[tuple[float, Stage], ...]


class Hazards:
    """The rates of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._kinds = {
            s.name: _kind_of(s.courses, s.pathways, s.worsens, s.dies) for s in world.streams
        }
        for service in world.onward:
            ways = {HOME: 0.75, SUPPORT: 0.25}
            self._kinds[service.way] = replace(
                _kind_of((service.course,), ways, 0.0, service.dies), staged=service.staged
            )
        self._ready = _weekly(world.ready_by_hour, world.ready_by_day, mean=1 / 24)
        self._ready_day = tuple(
            sum(self._ready[(how + n) % WEEK_HOURS] for n in range(24)) for how in range(WEEK_HOURS)
        )
        self._office = _weekly(world.office_hours, world.office_days, mean=1 / 24)
        self._arrange_home = _weekly(world.arrange_home, world.arrange_home_by_day)
        self._leave = _weekly(world.leave_by_hour, world.leave_by_day)
        self._lounge = _weekly(world.lounge_by_hour, (1.0,) * 7)
        self._weeks: dict[tuple[str, Stage, str, tuple[float, float]], list[Odds]] = {}

    def ways(self, stream: str) -> tuple[tuple[str, float], ...]:
        """The ways out of a stream with their chances, which add up to one."""
        return self._kinds[stream].ways

    def odds(self, c: Condition, stage: Stage, way: str, hour: int) -> Odds:
        """What a full hour (counted since 1970) does to a stay like `c` in a stage."""
        shift = self.factors(hour)
        if stage is Stage.ACTIVE:
            return self._recovering(c, hour, shift[0])
        key = (c.stream, stage, way, shift)
        week = self._weeks.get(key)
        if week is None:
            week = [
                self._odds(self._kinds[c.stream], stage, way, how, shift)
                for how in range(WEEK_HOURS)
            ]
            self._weeks[key] = week
        return week[hour_of_week(hour)]

    def _recovering(self, c: Condition, hour: int, pace: float) -> Odds:
        kind = self._kinds[c.stream]
        day = min((hour - c.admitted // HOUR) // 24, MEMORY_DAYS - 1)
        ready = kind.recovery[c.course][day] * self._ready[hour_of_week(hour)] * pace
        to = Stage.READY if kind.staged else Stage.GONE
        return odds_of(
            (ready, to), (kind.worsens / 24, Stage.CRITICAL), (kind.dies / 24, Stage.DEAD)
        )

    def _odds(
        self, kind: _Kind, stage: Stage, way: str, how: int, shift: tuple[float, float]
    ) -> Odds:
        recovery, leaving = shift
        death = (kind.dies / 24, Stage.DEAD)
        if stage is Stage.CRITICAL:
            better = self._ready[how] / CRITICAL_DAYS * recovery
            return odds_of((better, Stage.ACTIVE), (kind.dies / 24 * 6, Stage.DEAD))
        if stage is Stage.READY:
            scarce = self.world.places_limit_discharge and way in ONWARD_KIND
            agreed = Stage.WAITING if scarce else Stage.ARRANGED
            return odds_of((self._arranging(way, how) * leaving, agreed), death)
        if stage is Stage.WAITING:
            return odds_of((self.world.loses_patience / 24, Stage.READY), death)
        if stage is Stage.ARRANGED:
            out = self._leave[how] * leaving
            lounge = out * self._lounge_share(how)
            through = out * self.world.falls_through
            return odds_of(
                (out - lounge, Stage.GONE), (lounge, Stage.LOUNGE), (through, Stage.READY), death
            )
        return odds_of((self._lounge[how], Stage.GONE))

    def _arranging(self, way: str, how: int) -> float:
        if way == HOME:
            return self._arrange_home[how]
        return self._office[how] / self.world.arrange_days[way]

    def next_change(self, c: Condition, at: int, rng: Random) -> Change | None:
        """Draw when the stage is left, given that it has not been left before `at`."""
        left = rng.expovariate(1.0)
        hour, minute = divmod(at, HOUR)
        if c.since // HOUR == hour:
            hour, minute = hour + 1, 0
        last = hour + _FOREVER_HOURS
        while hour < last:
            day = self._whole_day(c, hour) if minute == 0 else None
            if day is not None and day <= left:
                left -= day
                hour += 24
                continue
            here = self._total(c, hour) * (HOUR - minute) / HOUR
            if here > left:
                when = hour * HOUR + minute + int((HOUR - minute) * left / here)
                return Change(when, _pick(self.odds(c, c.stage, c.way, hour), rng))
            left -= here
            hour, minute = hour + 1, 0
        return None

    def _whole_day(self, c: Condition, hour: int) -> float | None:
        """The sum of rates over a whole day since admission, where it is simple to know.

        Most draws pass many days; looking at each of their hours would cost most of the time.
        """
        since = hour - c.admitted // HOUR
        if c.stage is not Stage.ACTIVE or since % 24:
            return None
        how = hour_of_week(hour)
        if hour_of_week(hour + 24) != (how + 24) % WEEK_HOURS:
            return None
        pace = self.factors(hour)
        if pace != self.factors(hour + 23):
            return None
        kind = self._kinds[c.stream]
        ready = kind.recovery[c.course][min(since // 24, MEMORY_DAYS - 1)] * self._ready_day[how]
        return ready * pace[0] + kind.worsens + kind.dies

    def _total(self, c: Condition, hour: int) -> float:
        """The sum of rates of `odds`, without the rest where that would cost most."""
        if c.stage is not Stage.ACTIVE:
            return self.odds(c, c.stage, c.way, hour).total
        kind = self._kinds[c.stream]
        day = min((hour - c.admitted // HOUR) // 24, MEMORY_DAYS - 1)
        ready = kind.recovery[c.course][day] * self._ready[hour_of_week(hour)]
        return ready * self.factors(hour)[0] + kind.worsens / 24 + kind.dies / 24

    def _lounge_share(self, how: int) -> float:
        day, hour = divmod(how, 24)
        return self.world.lounge_share if day < 5 and 9 <= hour < 17 else 0.0

    def factors(self, hour: int) -> tuple[float, float]:
        """What shifts have made of recovery and of leaving by an hour."""
        if not self.world.shifts:
            return (1.0, 1.0)
        recovery = leaving = 1.0
        for shift in self.world.shifts:
            if hour * HOUR >= shift.since:
                recovery *= shift.recovery
                leaving *= shift.leaving
        return recovery, leaving


def _kind_of(
    courses: Sequence[Course], ways: Mapping[str, float], worsens: float, dies: float
) -> _Kind:
    total = sum(ways.values())
    return _Kind(
        recovery=tuple(_daily(course) for course in courses),
        ways=tuple((way, weight / total) for way, weight in ways.items()),
        worsens=worsens,
        dies=dies,
        staged=True,
    )


def _daily(course: Course) -> tuple[float, ...]:
    """Rate a day of recovering in each day since admission, for a log-normal time."""

    def survival(day: float) -> float:
        if day <= 0:
            return 1.0
        return 0.5 * math.erfc(math.log(day / course.median_days) / course.sigma / math.sqrt(2))

    # Far out the tail is too small to divide; patients who are still there leave at its last rate.
    rates: list[float] = []
    for day in range(MEMORY_DAYS):
        before, after = survival(day), survival(day + 1)
        rates.append(math.log(before / after) if after > 1e-9 else max(rates[-1], 0.05))
    return tuple(rates)


def _weekly(
    by_hour: Sequence[float], by_day: Sequence[float], *, mean: float | None = None
) -> tuple[float, ...]:
    """Hour and day profiles as one of 168 hours, scaled to the wanted mean if there is one."""
    week = [by_hour[how % 24] * by_day[how // 24] for how in range(WEEK_HOURS)]
    scale = 1.0 if mean is None else mean * WEEK_HOURS / sum(week)
    return tuple(rate * scale for rate in week)


def odds_of(*moves: tuple[float, Stage]) -> Odds:
    """The odds of an hour with these rates."""
    total = sum(rate for rate, _to in moves)
    return Odds(total, math.exp(-total), moves)


def _pick(odds: Odds, rng: Random) -> Stage:
    left = rng.random() * odds.total
    for rate, to in odds.moves:
        left -= rate
        if left < 0:
            return to
    return odds.moves[0][1]
