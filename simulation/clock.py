"""The simulated clock: whole minutes since 1970 in UTC, read as Europe/London.

Everything that happens in a simulated world happens at a whole minute, so that a feed that
writes times without seconds loses nothing. Hospitals live by local time: rates are looked up
by the hour of the local week, also across the change to and from summer time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
HOUR: Final = 60
DAY: Final = 24 * HOUR
WEEK_HOURS: Final = 168
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY_OFFSET: Final = 3 * 24  # 1 January 1970 was a Thursday; the week starts on Monday

_offsets: dict[int, int] = {}
_hours: dict[int, int] = {}


def minute_of(moment: datetime) -> int:
    """The minute in which an aware moment lies."""
    if moment.tzinfo is None:
        raise ValueError("a simulated moment needs a time zone, for example 2026-11-21T08:00+00:00")
    return int((moment - _EPOCH).total_seconds() // 60)


def moment_of(minute: int) -> datetime:
    """The start of a minute, aware, in UTC."""
    return _EPOCH + timedelta(minutes=minute)


def offset_hours(hour: int) -> int:
    """Hours that London is ahead of UTC in the given hour since 1970."""
    # Summer time starts and ends at 01:00 UTC, so that a day has at most two offsets; asking
    # the zone once an hour and remembering is cheaper than a calendar in every draw.
    known = _offsets.get(hour)
    if known is None:
        ahead = (_EPOCH + timedelta(hours=hour)).astimezone(LONDON).utcoffset()
        known = _offsets[hour] = int(ahead.total_seconds() // 3600) if ahead else 0
    return known


def hour_of_week(hour: int) -> int:
    """Hour of the local week, 0 = Monday 00:00, for an hour since 1970 in UTC."""
    known = _hours.get(hour)
    if known is None:
        known = _hours[hour] = (hour + offset_hours(hour) + _MONDAY_OFFSET) % WEEK_HOURS
    return known


def local_hour(minute: int) -> int:
    """Hour of the local day, 0 to 23."""
    return hour_of_week(minute // HOUR) % 24


def weekday(minute: int) -> int:
    """Local day of the week, 0 = Monday."""
    return hour_of_week(minute // HOUR) // 24


def local_time(minute: int, *, days: int, hour: int, minutes: int = 0) -> int:
    """A local clock time `days` after the local day of `minute`.

    A time that the change to summer time skips is read as an hour later.
    """
    local = moment_of(minute).astimezone(LONDON)
    wanted = datetime(local.year, local.month, local.day, hour, minutes, tzinfo=LONDON)
    return minute_of(wanted + timedelta(days=days))


def hl7_time(second: int, *, digits: int = 14, with_offset: bool = False) -> str:
    """Seconds since 1970 as an HL7 time stamp: London local time, `digits` 12 or 14 long.

    Hospital systems leave the offset out. Within the hour that the end of summer time repeats
    the local time alone would be ambiguous, so it is written there in any case.
    """
    local = (_EPOCH + timedelta(seconds=second)).astimezone(LONDON)
    text = local.strftime("%Y%m%d%H%M%S")[:digits]
    if with_offset or _is_repeated(local):
        text += local.strftime("%z")
    return text


def _is_repeated(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
