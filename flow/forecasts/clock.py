"""Local time for whole arrays of moments. Pure: no Django.

Moments are minutes since 1970 in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HOUR: Final = 60
DAY: Final = 24 * HOUR
LONDON: Final = ZoneInfo("Europe/London")
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""No day before or after these years is meant by anybody, and the calendar ends somewhere."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_THURSDAY: Final = 3  # the first day of 1970

Minutes = NDArray[np.int64]


def is_meant(day: date) -> bool:
    """Whether a day that was typed may be meant."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def minute_said(text: str) -> int | None:
    """The minute of a moment written like "2026-03-02T18:00Z"; None of any other text, and where
    nobody can mean it."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return minute_of(moment) if is_meant(moment) else None


def minute_written(minute: int) -> str:
    """A moment as `minute_said` reads it."""
    # Not by `strftime`, which leaves the zeros of a year before 1000 out.
    return moment_of(minute).replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def minute_of(moment: datetime) -> int:
    """The minute in which an aware moment lies."""
    return (moment - _EPOCH) // timedelta(minutes=1)


def minute_reached(moment: datetime) -> int:
    """The first full minute at or after an aware moment."""
    return -((_EPOCH - moment) // timedelta(minutes=1))


def moment_of(minute: int) -> datetime:
    """The beginning of a minute, in UTC."""
    return _EPOCH + timedelta(minutes=int(minute))


def weekday_and_hour(minutes: Minutes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Local weekday (0 is Monday) and hour of each moment."""
    local = minutes + _offsets(minutes)
    days = local // DAY
    return (days + _THURSDAY) % 7, local % DAY // HOUR


def local_days(minutes: Minutes) -> NDArray[np.int64]:
    """The local day of each moment, in days since 1970."""
    return np.asarray((minutes + _offsets(minutes)) // DAY)


def midnight_after(minutes: Minutes) -> Minutes:
    """The local midnight that follows each moment; of a midnight, the next."""
    local = ((minutes + _offsets(minutes)) // DAY + 1) * DAY
    guess = local - _offsets(minutes)
    return np.asarray(local - _offsets(guess))


def local_hours(minutes: Minutes) -> NDArray[np.float64]:
    """Local hours since midnight of each moment, with their fraction."""
    return np.asarray((minutes + _offsets(minutes)) % DAY / HOUR)


def _offsets(minutes: Minutes) -> Minutes:
    if not minutes.size:
        return np.zeros(0, dtype=np.int64)
    first, last = int(minutes.min()), int(minutes.max())
    changes, offsets = _changes(moment_of(first).year, moment_of(last).year)
    return offsets[np.searchsorted(changes, minutes, side="right")]


@lru_cache(maxsize=64)
def _changes(first: int, last: int) -> tuple[Minutes, Minutes]:
    """When the clocks change in these years, and the offset before, between and after."""
    hour = datetime(first, 1, 1, tzinfo=UTC)
    changes: list[int] = []
    offsets = [_offset(hour)]
    while hour.year <= last:
        hour += timedelta(hours=1)
        if (offset := _offset(hour)) != offsets[-1]:
            changes.append(minute_of(hour))
            offsets.append(offset)
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _offset(moment: datetime) -> int:
    away = moment.astimezone(LONDON).utcoffset()
    assert away is not None, "the zone has an offset at every moment"
    return away // timedelta(minutes=1)
