"""When nurses change over, and how many patients each has. Pure: no Django.

A pattern is the shifts of one day, such as 07:30 to 19:30 and 19:30 to 07:30. They are this
installation's own: no pattern is official. Times of the clock are London's; what is worked out
from them is aware UTC, so that a night on which the clocks change is an hour shorter or longer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

USUAL: Final = "Day 07:30-19:30, Night 19:30-07:30"
"""Long days, as an example."""
SHORTEST: Final = 60
"""Minutes below which a shift is taken for a slip."""
_LONDON: Final = ZoneInfo("Europe/London")
_SHIFT: Final = re.compile(
    r"(?P<name>\w[\w ]{0,19}) (?P<starts>[0-2]\d:[0-5]\d)-(?P<ends>[0-2]\d:[0-5]\d)"
)
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of every day, by the clock; one that ends at or before its start ends next day."""

    name: str
    starts: time
    ends: time

    @property
    def minutes(self) -> int:
        """How long it is by the clock."""
        return (_minute(self.ends) - _minute(self.starts)) % _DAY or _DAY


Pattern = tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Worked:
    """A shift of one day: `day` is the one on which it begins; it ends before `end`."""

    name: str
    day: date
    start: datetime
    end: datetime

    def runs(self, at: datetime) -> bool:
        """Whether it is being worked."""
        return self.start <= at < self.end

    def is_over(self, at: datetime) -> bool:
        """Whether it has ended."""
        return self.end <= at


def parse(text: str) -> Pattern:
    """The pattern that a text says, in the order of the day.

    Raises ValueError for what is no shift, a name used twice, or shifts that overlap: nobody could
    say then how many nurses there are.
    """
    found = []
    for part in (part.strip() for part in text.split(",")):
        match = _SHIFT.fullmatch(part)
        if match is None or max(match["starts"][:2], match["ends"][:2]) > "23":
            raise ValueError(f"holds '{part}'; write each shift as {USUAL.split(',')[0]}.")
        starts, ends = time.fromisoformat(match["starts"]), time.fromisoformat(match["ends"])
        found.append(Shift(match["name"], starts, ends))
    names = [shift.name.lower() for shift in found]
    if len(set(names)) < len(names):
        raise ValueError("names two shifts alike.")
    if any(shift.minutes < SHORTEST for shift in found):
        raise ValueError(f"holds a shift of less than {SHORTEST} minutes.")
    found.sort(key=lambda shift: shift.starts)
    for shift, after in zip(found, [*found[1:], found[0]], strict=True):
        until_next = (_minute(after.starts) - _minute(shift.starts)) % _DAY or _DAY
        if shift.minutes > until_next:
            raise ValueError(f"has {shift.name} and {after.name} at the same time.")
    return tuple(found)


def worked_on(day: date, pattern: Pattern) -> list[Worked]:
    """The shifts that begin on a day."""
    found = []
    for shift in pattern:
        last = day if shift.ends > shift.starts else day + timedelta(days=1)
        found.append(Worked(shift.name, day, _utc(day, shift.starts), _utc(last, shift.ends)))
    return found


def on_show(day: date, pattern: Pattern, *, at: datetime) -> list[Worked]:
    """The shifts that begin on a day, and before those of today the one of yesterday that runs
    still. Tomorrow's shifts stand alone: what runs now is read and said under today."""
    before = worked_on(day - timedelta(days=1), pattern) if day == today(at) else []
    return [*(one for one in before if one.runs(at)), *worked_on(day, pattern)]


def today(at: datetime) -> date:
    """The day in London."""
    return at.astimezone(_LONDON).date()


def per_nurse(patients: int, nurses: int | None) -> float | None:
    """Patients for each nurse; None where that is not known, infinite where there is no nurse."""
    if nurses is None:
        return None
    if nurses == 0:
        return math.inf if patients else 0.0
    return patients / nurses


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a shift lacks. planned: nurses fewer than planned. needed: nurses more that the limit of
    patients for each asks for."""

    planned: int = 0
    needed: int = 0

    def __bool__(self) -> bool:
        return bool(self.planned or self.needed)


def shortage(
    *, planned: int | None, actual: int | None, patients: int, most: float | None
) -> Shortage:
    """What a shift lacks for so many patients, at most `most` for each registered nurse.

    Those at work count; those planned where nobody has said who is at work. NICE SG1, Safe staffing
    for nursing in adult inpatient wards (2014): look again where a nurse has more than 8 patients
    in the day, and at less than planned.
    """
    nurses = planned if actual is None else actual
    if nurses is None:
        return Shortage()
    # The same comparison as the rule: somebody is too much once patients > most × nurses.
    least = math.ceil(patients / most - 1e-9) if most else 0
    return Shortage(
        planned=max(0, (planned or 0) - nurses),
        needed=max(0, least - nurses),
    )


def named(name: str, shifts: Sequence[Worked]) -> Worked | None:
    """The shift of this name, in any case of letters."""
    return next((one for one in shifts if one.name.lower() == name.strip().lower()), None)


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _utc(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, _LONDON).astimezone(UTC)
