"""What the hazards of a world add up to: the true chances of a stay, without sampling.

Because a stay changes its stage at most once in a clock hour, the chance of each stage at the
end of an hour follows from that at its beginning by one step, and the steps are exact. The one
exception are worlds whose places limit discharge: how long a patient waits for a place depends
on everybody else, and `place_rate` stands for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from simulation.clock import HOUR, WEEK_HOURS, hour_of_week
from simulation.hazards import LEFT, Condition, Hazards, Odds, Stage, odds_of
from simulation.worlds import SUPPORT

_BY_WAY: Final = (Stage.READY, Stage.WAITING, Stage.ARRANGED, Stage.LOUNGE)

Key = tuple[Stage, str]
Move = tuple[int, float, tuple[tuple[int, float], ...]]
"""From a state (by number): the chance of staying, and of going to each other state."""


@dataclass(slots=True)
class _Chain:
    """The states of a stream's stays, numbered, and their moves in each hour of the week."""

    keys: tuple[Key, ...]
    numbers: Mapping[Key, int]
    ways: tuple[tuple[str, float], ...]
    weeks: dict[tuple[float, float], list[tuple[Move, ...]]] = field(default_factory=dict)


class Outlook:
    """True chances in a world. `place_rate`: an hour, for those who wait for a scarce place."""

    def __init__(self, hazards: Hazards, *, place_rate: float = 0.0) -> None:
        self.hazards = hazards
        self.place_rate = place_rate
        self._chains: dict[str, _Chain] = {}

    def leaving(self, c: Condition, at: int, hours: int, *, on_leave_until: int = 0) -> list[float]:
        """The chance that the stay has ended by the end of each of the next clock hours.

        `at` is now, in minutes since 1970; the first value counts departures until the end of
        the clock hour it lies in. Nothing ends before `on_leave_until`.
        """
        steps = self._steps(c, at, on_leave_until)
        return [1.0 - sum(next(steps)) for _ in range(hours)]

    def stages(self, c: Condition, at: int) -> Iterator[dict[Key, float]]:
        """The chance of each stage and way out at the end of each coming clock hour."""
        keys = self._chain(c.stream).keys
        for masses in self._steps(c, at, 0):
            yield {key: mass for key, mass in zip(keys, masses, strict=True) if mass}

    def _steps(self, c: Condition, at: int, on_leave_until: int) -> Iterator[list[float]]:
        chain = self._chain(c.stream)
        masses = [0.0] * len(chain.keys)
        masses[chain.numbers[(c.stage, "" if c.stage <= Stage.ACTIVE else c.way)]] = 1.0
        hour, minute = divmod(at, HOUR)
        begun_now = c.since // HOUR == hour
        if not begun_now and (hour + 1) * HOUR > on_leave_until:
            part = (HOUR - minute) / HOUR
            masses = self._after(chain, c, masses, hour, self._moves(chain, c, hour, part), part)
        yield masses
        while True:
            hour += 1
            if (hour + 1) * HOUR > on_leave_until:
                masses = self._after(chain, c, masses, hour, self._week(chain, c, hour))
            yield masses

    def _after(
        self,
        chain: _Chain,
        c: Condition,
        masses: list[float],
        hour: int,
        moves: tuple[Move, ...],
        part: float = 1.0,
    ) -> list[float]:
        after = [0.0] * len(masses)
        for source, stays, others in moves:
            mass = masses[source]
            if mass:
                after[source] += mass * stays
                for target, chance in others:
                    after[target] += mass * chance
        active = masses[Stage.ACTIVE]
        if active:
            odds = self.hazards.odds(c, Stage.ACTIVE, "", hour)
            _source, stays, others = self._move(chain, (Stage.ACTIVE, ""), odds, part)
            after[Stage.ACTIVE] += active * stays
            for target, chance in others:
                after[target] += active * chance
        return after

    def _week(self, chain: _Chain, c: Condition, hour: int) -> tuple[Move, ...]:
        shift = self.hazards.factors(hour)
        week = chain.weeks.get(shift)
        if week is None:
            week = chain.weeks[shift] = [()] * WEEK_HOURS
        how = hour_of_week(hour)
        if not week[how]:
            week[how] = self._moves(chain, c, hour, 1.0)
        return week[how]

    def _moves(self, chain: _Chain, c: Condition, hour: int, part: float) -> tuple[Move, ...]:
        """The moves of an hour, or part of one, from every state whose rates know no past."""
        moves = []
        for key in chain.keys:
            if key[0] is not Stage.ACTIVE:
                odds = self.hazards.odds(c, key[0], key[1], hour)
                if key[0] is Stage.WAITING:
                    odds = odds_of(*odds.moves, (self.place_rate, Stage.ARRANGED))
                moves.append(self._move(chain, key, odds, part))
        return tuple(moves)

    def _move(self, chain: _Chain, key: Key, odds: Odds, part: float) -> Move:
        stays = odds.stays if part == 1.0 else math.exp(-odds.total * part)
        others: list[tuple[int, float]] = []
        for rate, to in odds.moves:
            if rate and to not in LEFT:
                chance = (1 - stays) * rate / odds.total
                for way, share in _ways_into(chain, key, to):
                    others.append((chain.numbers[(to, way)], chance * share))
        return chain.numbers[key], stays, tuple(others)

    def _chain(self, stream: str) -> _Chain:
        chain = self._chains.get(stream)
        if chain is None:
            ways = self.hazards.ways(stream)
            names = dict.fromkeys([*(way for way, _chance in ways), SUPPORT])
            # The two stages before a way out is chosen are numbered like themselves.
            keys = [(Stage.CRITICAL, ""), (Stage.ACTIVE, "")]
            keys += [(stage, way) for stage in _BY_WAY for way in names]
            numbers = {key: number for number, key in enumerate(keys)}
            chain = self._chains[stream] = _Chain(tuple(keys), numbers, ways)
        return chain


def _ways_into(chain: _Chain, key: Key, to: Stage) -> tuple[tuple[str, float], ...]:
    """Which way out a stay has after a move, with the chance of each."""
    stage, way = key
    if to <= Stage.ACTIVE:
        return (("", 1.0),)
    if to is Stage.READY and stage is Stage.ACTIVE:
        return chain.ways
    if to is Stage.READY and stage is Stage.WAITING:
        return ((SUPPORT, 1.0),)
    return ((way, 1.0),)
