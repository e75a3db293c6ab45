"""HL7 times: any precision, with an offset or in the local time of the feed.

Source: HL7 v2.8 chapter 2A, data types TS and DTM (YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]);
the offset of MSH-7 holds for the whole message (chapter 2, section 2.14.9.7).

Local time and the change of the clocks, always decided the same way:

- An hour that comes twice (autumn) is settled by a time of the same message that carries an
  offset, if one lies within three hours: what happened is recorded afterwards and told after
  that, and of what is possible the nearer is meant. Without one it is taken to be the first of
  the two, in summer time.
- An hour that never was (spring) is read as if the clocks had not yet changed: 01:30 on that
  day is 01:30 GMT, which the clocks show as 02:30.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

_DTM: Final = re.compile(
    r"(?P<Y>\d{4})(?:(?P<M>\d{2})(?:(?P<D>\d{2})(?:(?P<h>\d{2})(?:(?P<m>\d{2})"
    r"(?:(?P<s>\d{2})(?:\.?(?P<f>\d{1,9}))?)?)?)?)?)?"
    r"\s*(?P<z>Z|[+-]\d{2}:?(?:\d{2})?)?",
    re.ASCII,
)
_ISO: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2}))?)?(.*)", re.DOTALL | re.ASCII
)
_EARLIEST_YEAR: Final = 1850  # nobody alive was born before; the database takes any of these
_LATEST_YEAR: Final = 2200
_CLOSE: Final = timedelta(hours=3)
_SLACK: Final = timedelta(minutes=5)  # by which the clocks of two computers may differ


class Precision(IntEnum):
    """How much of a time was said; a larger value is finer."""

    YEAR = 1
    MONTH = 2
    DAY = 3
    HOUR = 4
    MINUTE = 5
    SECOND = 6


class Role(IntEnum):
    """What a time is of, in the order in which such times follow each other."""

    HAPPENED = 1
    RECORDED = 2
    TOLD = 3
    PLANNED = 4


_DEGREES: Final = {"Y": 1, "L": 2, "D": 3, "H": 4, "M": 5, "S": 6}  # TS.2 before v2.6


class BadTime(ValueError):
    """The text is not an HL7 time."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it was said: `at` is its beginning (UTC), `day` the date as it was written."""

    at: datetime
    day: date
    precision: Precision
    has_offset: bool

    @property
    def end(self) -> datetime:
        """The first moment that the text no longer covers."""
        lengths = {
            Precision.YEAR: timedelta(days=365 + (self.day.year % 4 == 0)),
            Precision.MONTH: timedelta(days=31),
            Precision.DAY: timedelta(days=1),
            Precision.HOUR: timedelta(hours=1),
            Precision.MINUTE: timedelta(minutes=1),
            Precision.SECOND: timedelta(seconds=1),
        }
        return self.at + lengths[self.precision]

    def covers(self, other: Stamp) -> bool:
        """Whether `other` says the same more precisely."""
        return self.precision < other.precision and self.at <= other.at < self.end


@dataclass(frozen=True, slots=True)
class Clock:
    """How times without an offset are read: in `zone`, or at `fixed` if the message says so.

    `certain` are times of the message that have an offset; they tell which of two equal hours
    is meant.
    """

    zone: ZoneInfo
    fixed: timezone | None = None
    certain: tuple[tuple[Role, datetime], ...] = ()

    def read(self, text: str, degree: str = "", role: Role = Role.HAPPENED) -> Stamp | None:
        """The time in `text`, None if there is none. Raises BadTime for anything else.

        `degree` is the degree of precision (TS.2) of the older versions. Zeros alone mean
        that nothing was said. 24:00 is the next midnight, a 60th second the next minute.
        """
        text = text.strip()
        if not text.strip("0"):
            return None
        parts = _DTM.fullmatch(_compact(text))
        if parts is None:
            raise BadTime("not a time of the form YYYYMMDDHHMMSS")
        values = [int(parts[name]) for name in "YMDhms" if parts[name] is not None]
        precision = Precision(min(len(values), _DEGREES.get(degree.upper(), 6)))
        zone, has_offset = self._zone(parts["z"])
        try:
            local, day = _local(values, parts["f"], precision)
            at = self._settled(local, zone, role)
        except (ValueError, OverflowError) as error:
            raise BadTime("no such date or time") from error
        return Stamp(at, day, precision, has_offset)

    def _settled(self, local: datetime, zone: tzinfo, role: Role) -> datetime:
        """The moment that is meant by a local time, also where there are two."""
        first, second = (local.replace(tzinfo=zone, fold=n).astimezone(UTC) for n in (0, 1))
        if second <= first:
            return first
        for other, moment in self.certain:
            possible = [
                each
                for each in (first, second)
                if not (role < other and each > moment + _SLACK)
                and not (role > other and each < moment - _SLACK)
            ]
            nearest = min(possible or (first, second), key=lambda each: abs(each - moment))
            if abs(nearest - moment) <= _CLOSE:
                return nearest
        return first

    def _zone(self, offset: str | None) -> tuple[tzinfo, bool]:
        if offset is None:
            return self.fixed or self.zone, False
        if offset == "Z":
            return UTC, True
        digits = offset[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes >= 24 * 60:
            raise BadTime("no such offset from UTC")
        return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes)), True


def clock_for(zone: ZoneInfo, header_time: str) -> Clock:
    """The clock of a message: the feed's `zone`, unless MSH-7 carries another offset.

    An offset that `zone` has at that very time says no more than `zone` does; taking it for
    the whole message would put winter times of a message sent in summer an hour out.
    """
    clock = Clock(zone)
    try:
        stamp = clock.read(header_time)
    except BadTime:
        return clock
    if stamp is None or not stamp.has_offset:
        return clock
    parts = _DTM.fullmatch(_compact(header_time.strip()))
    said, _ = clock._zone(parts["z"] if parts else None)
    if said.utcoffset(stamp.at) == stamp.at.astimezone(zone).utcoffset():
        return clock
    return Clock(zone, timezone(said.utcoffset(stamp.at) or timedelta()))


def _compact(text: str) -> str:
    """`text` without the separators that some senders add in the manner of ISO 8601."""
    iso = _ISO.fullmatch(text)
    return "".join(part or "" for part in iso.groups()) if iso else text


def _local(values: list[int], fraction: str | None, precision: Precision) -> tuple[datetime, date]:
    year, month, day, hour, minute, second = _filled(values)
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        raise ValueError("year out of range")
    carried = timedelta()
    if hour == 24 and minute == 0 and second == 0:
        hour, carried = 0, timedelta(days=1)
    if second == 60:
        second, carried = 59, carried + timedelta(seconds=1)
    whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC) + carried
    kept = [whole.year, whole.month, whole.day, whole.hour, whole.minute, whole.second]
    local = datetime(*_filled(kept[:precision]), tzinfo=UTC)  # the zone follows
    if fraction and precision == Precision.SECOND:
        local = local.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return local, date(year, month, day)


def _filled(values: list[int]) -> tuple[int, int, int, int, int, int]:
    """Year to second, with the beginning of the period for what was not said."""
    rest = [1, 1, 1, 0, 0, 0]
    year, month, day, hour, minute, second = (values + rest[len(values) :])[:6]
    return year, month, day, hour, minute, second
