"""When a meeting is held. Pure: local times of the days of the week, as aware moments.

A meeting is due from when wards may say something for it (`opens_before` minutes before its start)
until `LATE` after its start, whether somebody opened it or not; then the next one is. Where the
next begins sooner, it is due until half-way between the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LATE: Final = timedelta(hours=2)
"""For how long after its start a meeting that nobody opened can still be."""
_LONDON: Final = ZoneInfo("Europe/London")
_WEEK: Final = 8


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a meeting is held: local times, ISO days of the week, and minutes before its start
    from which wards can speak for it."""

    times: tuple[time, ...]
    weekdays: frozenset[int]
    opens_before: timedelta

    def on(self, day: date) -> list[datetime]:
        """The starts of a day, in order."""
        if day.isoweekday() not in self.weekdays:
            return []
        found = {datetime.combine(day, each, _LONDON).astimezone(UTC) for each in self.times}
        return sorted(found)

    def next_due(self, at: datetime, *, over: Collection[datetime] = ()) -> datetime | None:
        """The start of the meeting that is due at `at`, or the next; `over`: starts of those that
        have ended. None where it is held on no day."""
        starts = list(self._around(at))
        for start, after in zip(starts, [*starts[1:], None], strict=True):
            until = start + (LATE if after is None else min(LATE, (after - start) / 2))
            if until > at and start not in over:
                return start
        return None

    def last_before(self, start: datetime) -> datetime | None:
        """The start before another one; None where there is none within a week."""
        before = [each for each in self._around(start - timedelta(days=_WEEK)) if each < start]
        return before[-1] if before else None

    def is_a_start(self, moment: datetime) -> bool:
        """Whether a meeting begins at this very moment."""
        return moment in self.on(moment.astimezone(_LONDON).date())

    def _around(self, at: datetime) -> Iterator[datetime]:
        day = at.astimezone(_LONDON).date() - timedelta(days=1)
        for number in range(_WEEK + 2):
            yield from self.on(day + timedelta(days=number))


def time_near(moment: datetime, other: datetime) -> str:
    """The local time of day, `17:00`; with the day, `Tue 10:00`, where it is another than that of
    `other`, which it is read beside."""
    local = moment.astimezone(_LONDON)
    same = local.date() == other.astimezone(_LONDON).date()
    return f"{local:%H:%M}" if same else f"{local:%a %H:%M}"


def horizons_of(start: datetime, times: Collection[time]) -> list[datetime]:
    """The moments of that day by which discharges are asked for; one that is before the start is
    of the day after."""
    day = start.astimezone(_LONDON).date()
    found = []
    for each in times:
        moment = datetime.combine(day, each, _LONDON).astimezone(UTC)
        if moment <= start:
            moment = datetime.combine(day + timedelta(days=1), each, _LONDON).astimezone(UTC)
        found.append(moment)
    return sorted(found)
