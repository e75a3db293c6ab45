"""The living feed: the world goes on with the clock on the wall, over MLLP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from simulation.clock import HOUR
from simulation.mllp import Answer, Line, Stopped, Unreachable
from simulation.session import Session
from simulation.upkeep import resume

SAVED_EVERY: Final = 60.0
TOLD_EVERY: Final = 60.0
_LONGEST_PAUSE: Final = 15.0
_TRIES: Final = 60  # of a message that is answered with an error each time, some ten minutes


@dataclass
class Counts:
    """What became of the messages since the start."""

    sent: int = 0
    refused: int = 0
    again: int = 0


@dataclass
class Live:
    """Keeps a session in step with the wall clock and its messages flowing.

    With `speed` 1 the gap since the state was saved is made up as fast as the listener takes
    the messages; from then on simulated time is the time of day. With another speed the gap is
    played at that multiple of real time. The simulated clock never runs ahead of the wall clock.
    """

    session: Session
    line: Line
    path: Path
    say: Callable[[str], None]
    stopped: Callable[[], bool]
    speed: float = 1.0
    wall: Callable[[], float] = time.time
    pause: Callable[[float], object] = time.sleep
    counts: Counts = field(default_factory=Counts)
    _began: tuple[float, float] = (0.0, 0.0)
    _waits: float = 0.0
    _errors: int = 0
    _was_down: bool = False

    def run(self) -> None:
        """Go on until told to stop; the state is kept on the way and at the end."""
        engine = self.session.engine
        self._began = (self.wall(), engine.now * 60.0)
        resume(engine, int(self.simulated()) // 60)
        saved = told = self.wall()
        self.say(self._status())
        try:
            while not self.stopped():
                is_behind = self._advance()
                now = self.wall()
                if abs(now - saved) >= SAVED_EVERY:
                    self.session.save(self.path)
                    saved = now
                if abs(now - told) >= TOLD_EVERY:
                    self.say(self._status())
                    told = now
                if not is_behind:
                    self.pause(min(1.0, self._until_next()))
        except Stopped:
            pass
        finally:
            self.line.close()
            self.session.save(self.path)
            self.say(f"stopped; {self._status()}")

    def simulated(self) -> float:
        """The second since 1970 that the world should have reached."""
        wall_began, world_began = self._began
        now = self.wall()
        if self.speed == 1.0:
            return now
        return min(now, world_began + (now - wall_began) * self.speed)

    def _advance(self) -> bool:
        """One step of the world and its messages; whether there is more to do at once."""
        second = int(self.simulated())
        engine = self.session.engine
        # An hour at a time, so that after a long gap the messages leave as they come up.
        minute = min(second // 60, engine.now + HOUR)
        engine.run_until(minute)
        arrived = min(second, minute * 60 + 59)
        while not self.stopped() and (text := self.session.feed.due(arrived)) is not None:
            if not self._sent(text):
                return True
        return minute < second // 60

    def _sent(self, text: str) -> bool:
        try:
            answer = self.line.send(text)
        except Unreachable as error:
            self._wait_after(str(error))
            return False
        if self._was_down:
            self.say("the listener is back")
            self._was_down = False
        if not answer.is_taken and not self._is_hopeless(answer):
            self._wait_after(f"the listener answered {answer.code} {answer.text}")
            return False
        self._waits, self._errors = 0.0, 0
        self.counts.sent += 1
        self.counts.refused += not answer.is_taken
        self.session.feed.done()
        return True

    def _is_hopeless(self, answer: Answer) -> bool:
        self._errors += 1
        return answer.is_refused or self._errors >= _TRIES

    def _wait_after(self, reason: str) -> None:
        if not self._was_down:
            self.say(f"{reason}; trying again until it takes the message")
            self._was_down = True
        self.counts.again += 1
        self._waits = min(_LONGEST_PAUSE, self._waits * 1.6 + 0.3)
        left = self._waits
        while left > 0 and not self.stopped():
            self.pause(min(0.3, left))
            left -= 0.3

    def _until_next(self) -> float:
        due = self.session.feed.next_due
        return 1.0 if due is None else max(0.02, (due - self.simulated()) / self.speed)

    def _status(self) -> str:
        engine, counts = self.session.engine, self.counts
        behind = max(0, int(self.wall()) // 60 - engine.now)
        beds = [b for b in engine.beds if engine.wards[b.ward].is_acute]
        inside = sum(engine.state.occupant[b.number] != 0 for b in beds)
        now = datetime.fromtimestamp(self.wall(), UTC)
        return (
            f"{now:%Y-%m-%d %H:%M:%S}Z simulation: {counts.sent} sent, {counts.refused} refused, "
            f"{counts.again} tried again; {inside} in acute beds, "
            f"{len(engine.state.visits)} visits open; {behind} min behind"
        )
