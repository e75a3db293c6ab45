"""The clocks that run on somebody who waits in an emergency department. Pure: no Django.

Three that are often taken for one another: four hours from arrival (the four-hour standard, NHS
England, A&E Attendances and Emergency Admissions), twelve hours from the decision to admit (a wait
for a bed, same collection), and twelve hours from arrival (Emergency Care Data Set). The second
begins later and so ends later than the third.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

NEAR: Final = timedelta(hours=1)
"""From when before its end a clock is shown as about to run out."""


class ClockKind(StrEnum):
    """Which clock."""

    FOUR_FROM_ARRIVAL = "four_from_arrival"
    TWELVE_FROM_DECISION = "twelve_from_decision"
    TWELVE_FROM_ARRIVAL = "twelve_from_arrival"
    CORRIDOR = "corridor"


LIMITS: Final = {
    ClockKind.FOUR_FROM_ARRIVAL: timedelta(hours=4),
    ClockKind.TWELVE_FROM_DECISION: timedelta(hours=12),
    ClockKind.TWELVE_FROM_ARRIVAL: timedelta(hours=12),
    # Counted as corridor care from then on (NHS England, definition of March 2026).
    ClockKind.CORRIDOR: timedelta(minutes=45),
}

TWELVE_HOURS: Final = frozenset({ClockKind.TWELVE_FROM_DECISION, ClockKind.TWELVE_FROM_ARRIVAL})
"""The clocks whose end is a breach that is reported."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: since when it runs and when it runs out."""

    kind: ClockKind
    since: datetime

    @property
    def ends_at(self) -> datetime:
        """When it runs out, or ran out."""
        return self.since + LIMITS[self.kind]

    def is_over(self, at: datetime) -> bool:
        """Whether it has run out: the whole time has been waited."""
        return at >= self.ends_at

    def is_near(self, at: datetime) -> bool:
        """Whether it runs out soon."""
        return not self.is_over(at) and at >= self.ends_at - NEAR

    def left(self, at: datetime) -> timedelta:
        """How long is left; negative once it has run out."""
        return self.ends_at - at

    def run(self, at: datetime) -> timedelta:
        """How long it has run."""
        return at - self.since


def emergency_clocks(arrived: datetime | None, decided: datetime | None) -> tuple[Clock, ...]:
    """The clocks of somebody in an emergency department, from what is known of them."""
    found = []
    if arrived is not None:
        found.append(Clock(ClockKind.FOUR_FROM_ARRIVAL, arrived))
    if decided is not None:
        found.append(Clock(ClockKind.TWELVE_FROM_DECISION, decided))
    if arrived is not None:
        found.append(Clock(ClockKind.TWELVE_FROM_ARRIVAL, arrived))
    return tuple(found)


def next_to_end(clocks: tuple[Clock, ...], at: datetime) -> Clock | None:
    """The clock that runs out next; where all have, the one that did last."""
    running = [clock for clock in clocks if not clock.is_over(at)]
    if running:
        return min(running, key=lambda clock: clock.ends_at)
    return max(clocks, key=lambda clock: clock.ends_at, default=None)
