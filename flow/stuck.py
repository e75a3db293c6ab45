"""Where flow is stuck: one rule for every move between two kinds of place. It knows no database.

A queue may be stuck though it does not grow: nothing moves and nobody new is asked for. So three
signs count, each for itself:

- *Work*: how many days it would take to move all who wait at the pace of the last 24 hours,
  waiting / moved per day. By Little's law (a queue is its rate times its time: L = λW) that is
  how long somebody who joins has to expect to wait. Nobody moved at all is the worst of it.
- *Longest*: the first of them has waited longer than the move should ever take. What that is
  depends on the move. Twelve hours from the decision to admit to the admission is what the NHS
  England statistics of A&E attendances and emergency admissions count as a long trolley wait; the
  other limits are this installation's own.
- *Growth*: more wait than both 4 and 24 hours earlier, so neither the hour of the day nor one
  busy morning explains it.

One or two people say little about a flow: fewer than `least` are stuck only by their wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flow.flow_map_types import SINKS, Node, Sign

CARE: Final = frozenset({Node.COMMUNITY, Node.VIRTUAL, Node.REABLEMENT, Node.CARE_HOME})
"""Places of care beyond the hospital."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a move counts as stuck; each is a setting, `STUCK_` and its name.

    least: people below whom neither work nor growth counts. work_days: days of work waiting.
    The others are hours that the first may have waited: to leave the emergency department, to
    move on within a hospital, to go home, to go to a place of care beyond the hospital.
    """

    least: int = 3
    work_days: int = 2
    emergency_hours: int = 12
    hospital_hours: int = 24
    home_hours: int = 48
    care_hours: int = 72

    def longest(self, origin: Node, target: Node) -> timedelta:
        """How long the first may have waited for this move."""
        if origin == Node.EMERGENCY and target not in SINKS:
            return timedelta(hours=self.emergency_hours)
        if target in SINKS:
            return timedelta(hours=self.home_hours)
        if target in CARE:
            return timedelta(hours=self.care_hours)
        return timedelta(hours=self.hospital_hours)


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits for one move. moved: in the last 24 hours. waiting_4h, waiting_24h: so long ago.
    longest: how long the first has waited; zero where nobody waits."""

    origin: Node
    target: Node
    moved: int
    waiting: int
    waiting_4h: int
    waiting_24h: int
    longest: timedelta


def signs(queue: Queue, limits: Limits) -> tuple[Sign, ...]:
    """Why the move counts as stuck; empty where it does not."""
    if not queue.waiting:
        return ()
    many = queue.waiting >= limits.least
    found = {
        Sign.WORK: many and queue.waiting >= limits.work_days * queue.moved,
        Sign.LONGEST: queue.longest >= limits.longest(queue.origin, queue.target),
        Sign.GROWTH: many and queue.waiting > max(queue.waiting_4h, queue.waiting_24h),
    }
    return tuple(sign for sign, holds in found.items() if holds)
