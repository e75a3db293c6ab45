"""Reads by when something is to be done out of a line: "by 11", "tomorrow at 9", "by 10 on 25 Nov".

Pure. Times are those of the clock on the wall. What can be read in two ways, names a day without
an hour, or stands apart from its day is no time: it is said what is unclear, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from huddles.actions.no_time import is_no_time, is_over_or_of_several, odd_words, stays

BY_TOMORROW_AT: Final = time(8, 0)
"""What "by tomorrow" means where no hour is said: before tomorrow's first meeting."""
DAY_ENDS_AT: Final = time(17, 0)
"""What "today" and "tomorrow" mean where no hour is said: the end of the working day."""
AT_ONCE: Final = timedelta(minutes=30)
"""What "now" means: time to do it in."""
NIGHT: Final = (time(0, 0), time(7, 0))
"""Hours that nobody means by a bare number said during the day."""
_PARTS: Final = {
    "morning": range(1, 12),
    "afternoon": range(12, 19),
    "evening": range(16, 24),
    "night": (*range(18, 24), *range(6)),
}
MORNING: Final = range(7, 12)
"""Hours of another day that mean the morning where neither am nor pm is said; 1 to 6 mean the
afternoon."""


class Why(StrEnum):
    """Why a time is unclear."""

    NO_HOUR = "no_hour"
    APART = "apart"
    TWO_WAYS = "two_ways"
    OVER = "over"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words of a time that cannot be told, and why."""

    why: Why
    words: str


@dataclass(frozen=True, slots=True)
class When:
    """rest: the line without the time. at: aware, None where none was said or it is unclear. left:
    words of other times and days that stay in the line. kept: the words of the time where they are
    part of what is to be done ("not before 11", "until tomorrow"), as they stand in the line."""

    rest: str
    at: datetime | None = None
    unclear: Unclear | None = None
    left: tuple[str, ...] = ()
    kept: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    meant: datetime | Unclear
    has_day: bool
    has_hour: bool = True


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = "|".join(_DAYS)
_SHORT = r"mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_PART = r"(?:morning|afternoon|evening|night)"
_DAY = (
    rf"(?P<day>(?:today|tonight|tomorrow|tmrw)(?:\s+{_PART})?|this\s+{_PART}|"
    rf"(?:next\s+|this\s+)?(?:{_WEEKDAY}|{_SHORT})\b(?:\s+{_PART})?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b|"
    r"\d{1,2}/\d{1,2}(?:/(?:\d{4}|\d{2}))?|\d{4}-\d{2}-\d{2})(?!['’\w/-])"
)
_EXACT = (
    r"(?P<word>(?:12\s+)?(?:noon|midday|midnight))|"
    r"(?:(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\b\.?))|"
    r"(?:(?P<hour>\d{1,2})[:.](?P<minute>\d{2}))(?:\s*(?:h|hrs))?|"
    r"(?:(?P<to>half\s+past|quarter\s+past|quarter\s+to)\s+(?P<hour>\d{1,2}))"
)
_BARE = r"(?P<hour>\d{1,2})(?P<minute>\d{2})?(?:\s*(?:h|hrs|o'clock|oclock))?"
_IN_PART = rf"(?:\s+(?:in\s+the|at)\s+(?P<part>{_PART}))?"
_BY = r"\b(?:by|before|until|til|till)\b"
_INTRO = rf"(?:{_BY}|\b(?:at|on)\b)"
_MORE: Final = r"and(?!\s+\d)|then|please|latest|at|sharp|if|so|but|with|when|because"
_STOP = r"(?:[,;@]|\.(?!\d))"
_ENDS = rf"(?=\s*$|\s*{_STOP}|\s+(?:{_MORE})\b)"


def _named(pattern: str, sign: str) -> str:
    """The pattern with its groups renamed, so that it can stand several times in another."""
    count = iter(range(100))
    return re.sub(r"\(\?P<(\w+)>", lambda one: f"(?P<{one[1]}_{sign}{next(count)}>", pattern)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HOUR_ENDS = (
    rf"(?:(?:{_named(_EXACT, 'x')})(?!\w){_named(_IN_PART, 'x')}"
    rf"|{_named(_BARE, 'y')}{_named(_IN_PART, 'y')}{_ENDS})"
)
_PHRASES: Final = tuple(
    _compiled(one)
    for one in (
        # by tomorrow at 9; by Friday 10
        rf"[\s,]*(?P<intro>{_INTRO})\s+{_DAY}(?:\s*,)?\s+(?:{_INTRO}\s+)?{_HOUR_ENDS}",
        # tomorrow at 9; Friday, by 10
        rf"[\s,]*\b{_DAY}(?:\s*,)?\s+(?:{_INTRO}\s+){_HOUR_ENDS}",
        # tomorrow 14:30
        rf"[\s,]*\b{_DAY}(?:\s*,)?\s+(?:{_named(_EXACT, 'x')})(?!\w){_named(_IN_PART, 'x')}",
        # by 10 on Tuesday; by 10, 25 Nov
        rf"[\s,]*(?P<intro>{_INTRO})\s+{_named(_BARE, 'y')}(?!\w){_named(_IN_PART, 'y')}"
        rf"\s*(?:,\s*)?(?:\bon\s+)?(?<!\w){_DAY}",
        # at 2pm tomorrow; 14:30 today
        rf"[\s,]*(?:(?P<intro>{_INTRO})\s+)?(?<!\w)(?:{_named(_EXACT, 'x')})(?!\w)"
        rf"{_named(_IN_PART, 'x')}\s*(?:,\s*)?(?:\bon\s+)?(?<!\w){_DAY}",
        # by 11; before noon; by 9 in the morning
        rf"[\s,]*(?P<intro>{_BY}|\bat\b)\s+{_HOUR_ENDS}",
        # by tomorrow; on Friday; tomorrow, where a clause ends with it
        rf"[\s,]*(?P<intro>{_BY}|\bon\b)\s+{_DAY}(?!\s+\d)",
        rf"[\s,]*\b(?!\d+/){_DAY}(?=\s*$|\s*{_STOP})",
    )
)
_LENGTH = (
    r"(?P<number>\d{1,3}(?:\.\d)?|an?|half\s+an?)\s*(?P<unit>m|mins?|minutes?|h|hrs?|hours?)\b"
)
_IN = _compiled(
    rf"[\s,]*\b(?:in|within)\s+{_LENGTH}"
    r"(?P<half>\s+and\s+a\s+half\b)?(?:\s*(?:and\s+)?(?P<more>\d{1,2})\s*(?:m|mins?|minutes?)\b)?"
)
_SOON = _compiled(
    r"[\s,]*\b(?:now|asap|straight\s+away|at\s+once|immediately)\s*(?=$|[,;@]|\.(?!\d))"
)
_AT_LINE_START = _compiled(rf"^(?P<intro>by|before|until)\s+{_named(_BARE, 'a')}(?=\s+(?-i:[A-Z]))")
_LATEST = _compiled(r"^\s+(?:(?:at\s+the\s+)?latest|sharp)\b")
_LEFT_DAY = _compiled(
    rf"(?<!since )(?<!last )(?<!from )(?<!every )(?<!each )(?<!after )\b(?:today|tonight|tomorrow|"
    rf"tmrw|(?:next\s+|this\s+)?(?:{_WEEKDAY})|this\s+{_PART}|next\s+week|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}|in\s+(?:\d+|an?|two|three)\s+(?:days?|weeks?))"
    r"\b(?!['’]s)"
)
_LEFT_TIME = _compiled(
    rf"\b(?:{_INTRO}\s+)?(?:\d{{1,2}}[:.]\d{{2}}(?!\d)|\d{{1,2}}\s*[ap]\.?m\b|noon\b|midday\b|"
    r"midnight\b|(?:half|quarter)\s+(?:past|to)\b|\d{1,2}\s*o'?clock)|"
    rf"\b(?:by|before|until)\s+(?:{_SHORT}|{_MONTH}|\d{{1,4}})\b(?!\s+[a-z]{{2,}}s\b|\.\d)|"
    r"\bat\s+(?:1?\d|2[0-3])\b(?!\s+[a-z]{2,}s\b|%|\.\d)|"
    rf"\bin\s+the\s+{_PART}|\bend\s+of\s+(?:the\s+)?day\b|\bclose\s+of\s+play\b|\beod\b|\bcop\b"
)


def when(said: str, *, now: datetime) -> When:
    """By when `said` asks for it at `now` (aware, in the zone of the clock on the wall).

    A bare hour of 1 to 12 is the next time that a clock shows it ("by 2", said at 13:00, is
    14:00); on another day 7 to 11 is the morning and 1 to 6 the afternoon. Of several times the
    last counts; the others are among `left`.
    """
    found = list(_all(said, now))
    if not found:
        days, times = _left(said)
        if days or times:
            why = Why.NO_HOUR if days and not times else Why.UNREAD
            return When(said, None, Unclear(why, (days or times)[0] if not times else times[0]))
        return When(said)
    last = max(found, key=lambda one: (one.end, -one.start))
    joined = said[: last.start] + " " + _LATEST.sub("", said[last.end :])
    rest = re.sub(r"\s+([,;.])", r"\1", " ".join(joined.split())).strip(" ,;.")
    if isinstance(last.meant, Unclear):
        return When(said, None, last.meant)
    odd = odd_words(said, last.start, last.end, has_day=last.has_day, has_hour=last.has_hour)
    if odd:
        return When(said, None, Unclear(Why.APART, odd))
    days, times = _left(rest)
    apart = days if not last.has_day else times if not last.has_hour else []
    if apart:
        return When(said, None, Unclear(Why.APART, apart[0]))
    words = said[last.start : last.end].strip(" ,")
    if last.meant.astimezone(UTC) <= now.astimezone(UTC):
        return When(said, None, Unclear(Why.OVER, words))
    kept = words if stays(said, last.start, last.end) else ""
    return When(rest, last.meant, None, (*days, *times), kept)


def _left(rest: str) -> tuple[list[str], list[str]]:
    """Words of days, and of times, that stand in what is left."""
    days = [one[0].strip() for one in _LEFT_DAY.finditer(rest)]
    return days, [one[0].strip() for one in _LEFT_TIME.finditer(rest)]


def _all(said: str, now: datetime) -> Iterator[_Found]:
    taken: list[tuple[int, int]] = []

    def free(one: re.Match[str]) -> bool:
        return all(one.end() <= start or one.start() >= end for start, end in taken)

    for match in _IN.finditer(said):
        taken.append(match.span())
        yield _Found(*match.span(), _later(now, _length(match)), has_day=True)
    for match in _SOON.finditer(said):
        taken.append(match.span())
        yield _Found(*match.span(), _later(now, AT_ONCE), has_day=True)
    for pattern in (*_PHRASES, _AT_LINE_START):
        for match in pattern.finditer(said):
            if is_no_time(said, match):
                continue
            if free(match) and (one := _read(match, now)) is not None:
                taken.append(match.span())
                yield one


def _later(now: datetime, length: timedelta) -> datetime:
    """So much later, also where the clocks change meanwhile."""
    return (now.astimezone(UTC) + length).astimezone(now.tzinfo)


def _length(match: re.Match[str]) -> timedelta:
    number, hours = match["number"].lower(), match["unit"].lower().startswith("h")
    words = {"a": 1.0, "an": 1.0}
    count = 0.5 if number.startswith("half") else words.get(number) or float(number)
    minutes = count * (60 if hours else 1)
    if match["half"]:
        minutes += 30 if hours else 0.5
    return timedelta(minutes=minutes + int(match["more"] or 0))


@dataclass(frozen=True, slots=True)
class _Clock:
    """An hour as it was said. exact: it can be read in one way only."""

    hour: int
    minute: int
    exact: bool
    midnight: bool = False

    def times(self) -> list[time]:
        """Every hour of a day that it can be."""
        first = time(self.hour, self.minute)
        if self.exact or not 1 <= self.hour <= 12:
            return [first]
        return sorted({first, time((self.hour + 12) % 24, self.minute)})


def _read(match: re.Match[str], now: datetime) -> _Found | None:
    """What a phrase means; None where it is no time at all."""
    said = {key.partition("_")[0]: value for key, value in match.groupdict().items() if value}
    words = match[0].strip(" ,")
    day_words = " ".join(said.get("day", "").lower().split())
    if day_words and not _is_a_day(said["day"], intro="intro" in said):
        return None
    day, part = _day(day_words, now)
    part = said.get("part", "").lower() or part
    if "hour" not in said and "word" not in said:
        meant = _whole_day(day_words, by=said.get("intro", "").lower() not in ("", "on"), now=now)
        unclear = Unclear(Why.NO_HOUR, words)
        return _Found(*match.span(), meant or unclear, has_day=True, has_hour=False)
    clock = _clock(said, part)
    if clock is None:
        return None
    for one in (clock, day):
        if isinstance(one, Unclear):
            return _Found(*match.span(), Unclear(one.why, words), has_day=True)
    assert isinstance(clock, _Clock), "what is unclear has been told"
    assert not isinstance(day, Unclear), "what is unclear has been told"
    if day is None:
        meant = _next(clock, now)
        over = any(datetime.combine(now.date(), one, now.tzinfo) <= now for one in clock.times())
        night = not clock.exact and clock.hour < NIGHT[1].hour
        if is_over_or_of_several(match, over=over and not clock.midnight, night=night):
            meant = None
    else:
        meant = _on(day, clock, part, now, by_name=day_words.split()[0] not in _NEAR)
    return _Found(*match.span(), meant or Unclear(Why.TWO_WAYS, words), has_day=day is not None)


_NEAR: Final = ("today", "tonight", "this", "tomorrow", "tmrw")


def _is_a_day(words: str, *, intro: bool) -> bool:
    """Whether a short name is meant as a day: "sat out" is none, "Sat" and "by sat" are."""
    first = words.split()[0].lower()
    return not re.fullmatch(_SHORT, first) or intro or words[0].isupper()


def _clock(said: dict[str, str], part: str) -> _Clock | Unclear | None:
    word = said.get("word", "").lower()
    if word:
        return _Clock(0, 0, True, midnight=True) if "midnight" in word else _Clock(12, 0, True)
    hour, minute = int(said["hour"]), int(said.get("minute") or 0)
    exact = said["hour"].startswith("0")
    if to := said.get("to", "").lower():
        minute = 30 if to.startswith("half") else 15
        if "to" in to.split():
            hour, minute = (hour - 1) % 24, 45
    half = said.get("half", "").lower()[:1]
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour, exact = hour % 12 + (12 if half == "p" else 0), True
    exact = exact or hour > 12
    if part and part != "tonight":
        if exact:
            fits = hour in _PARTS[part]
            return _Clock(hour, minute, True) if fits else Unclear(Why.TWO_WAYS, "")
        return _of_part(hour, minute, part)
    return _Clock(hour, minute, exact)


def _of_part(hour: int, minute: int, part: str) -> _Clock | Unclear:
    """An hour of 1 to 12 in the morning, the afternoon, the evening or at night."""
    if part == "night" and hour == 12:
        return _Clock(0, minute, True, midnight=minute == 0)
    fits = [one for one in (hour, (hour + 12) % 24) if one in _PARTS[part]]
    return _Clock(fits[0], minute, True) if len(fits) == 1 else Unclear(Why.TWO_WAYS, "")


def _day(words: str, now: datetime) -> tuple[date | Unclear | None, str]:
    """The day said, None where none is; and the part of it that was said."""
    if not words:
        return None, ""
    first, _space, rest = words.partition(" ")
    today = now.date()
    part = next((one for one in _PART[3:-1].split("|") if words.endswith(one)), "")
    if first in ("today", "this") and (first == "today" or rest == part):
        return today, part
    if first == "tonight":
        # At two in the morning "tonight" is the night that runs.
        return today - timedelta(days=now.hour < 5), "tonight"
    if first in ("tomorrow", "tmrw"):
        return today + timedelta(days=1), part
    if first == "next":
        return Unclear(Why.TWO_WAYS, words), part
    name = (rest if first == "this" else words).split()[0]
    if re.fullmatch(rf"{_WEEKDAY}|{_SHORT}", name):
        ahead = ([day[:3] for day in _DAYS].index(name[:3]) - today.weekday()) % 7
        return today + timedelta(days=ahead), part
    return _dated(words, today), part


def _dated(words: str, today: date) -> date | Unclear:
    """A date; without a year the next of that day and month."""
    try:
        if "-" in words:
            return _in_reach(date.fromisoformat(words), words)
        if "/" in words:
            day, month, *year = (int(one) for one in words.split("/"))
        else:
            found = re.match(r"(\d+)\D*?\s+(?:of\s+)?([a-z]{3})", words)
            assert found is not None, "the pattern says so"
            day, month, year = int(found[1]), _MONTHS.index(found[2]) + 1, []
        if year:
            return _in_reach(date(year[0] + (2000 if year[0] < 100 else 0), month, day), words)
        this = date(today.year, month, day)
        return this if this >= today else date(today.year + 1, month, day)
    except ValueError:
        return Unclear(Why.UNREAD, words)


def _in_reach(found: date, words: str) -> date | Unclear:
    """The date, unless nobody can mean its year: there is no day after the last of all."""
    return found if 1900 <= found.year < 3000 else Unclear(Why.UNREAD, words)


def _on(day: date, clock: _Clock, part: str, now: datetime, *, by_name: bool) -> datetime | None:
    """That hour on the day; None where it can be read in two ways. What is over is told so.
    `by_name`: the day was said by its name or date, which need not mean today."""
    if clock.midnight:
        return datetime.combine(day + timedelta(days=1), time(0), now.tzinfo)
    if part == "tonight":
        return _tonight(day, clock, now)
    if clock.hour == 0:
        return None  # the night before, or the one after?
    times = clock.times()
    if day == now.date() and not by_name:
        all_of = [datetime.combine(day, one, now.tzinfo) for one in times]
        return next((one for one in all_of if one > now), all_of[-1])
    if len(times) > 1:
        noon_or_later = clock.hour not in MORNING
        times = [one for one in times if (one.hour >= 12) == noon_or_later]
    found = datetime.combine(day, times[0], now.tzinfo)
    # On a Monday afternoon "by 10 on Monday" is over, or a week away.
    return None if day == now.date() and found <= now else found


def _tonight(day: date, clock: _Clock, now: datetime) -> datetime | None:
    """That hour between the evening of the day and the next morning."""
    begins = datetime.combine(day, DAY_ENDS_AT, now.tzinfo)
    ends = datetime.combine(day + timedelta(days=1), time(5), now.tzinfo)
    ways = [
        datetime.combine(one, hour, now.tzinfo)
        for one in (day, day + timedelta(days=1))
        for hour in clock.times()
    ]
    fits = sorted(one for one in ways if begins <= one < ends)
    return next((one for one in fits if one > now), fits[-1] if fits else None)


def _next(clock: _Clock, now: datetime) -> datetime | None:
    """The next time that a clock shows it; None where by day that would be in the night."""
    ways = []
    for hour in [time(0)] if clock.midnight else clock.times():
        today = datetime.combine(now.date(), hour, now.tzinfo)
        later = datetime.combine(now.date() + timedelta(days=1), hour, now.tzinfo)
        ways.append(today if today > now else later)
    first = min(ways)
    at_night = NIGHT[0] <= first.time() < NIGHT[1]
    if at_night and not clock.exact and clock.hour and NIGHT[1] <= now.time() < time(21):
        return None
    return first


def _whole_day(words: str, *, by: bool, now: datetime) -> datetime | None:
    """What a day without an hour means; None where that is not agreed."""
    today = now.date()
    if words in ("tomorrow", "tmrw"):
        hour = BY_TOMORROW_AT if by else DAY_ENDS_AT
        return datetime.combine(today + timedelta(days=1), hour, now.tzinfo)
    end = datetime.combine(today, DAY_ENDS_AT, now.tzinfo)
    midnight = datetime.combine(today + timedelta(days=1), time(0), now.tzinfo)
    if words == "today":
        return end if end > now else midnight
    return midnight if words == "tonight" else None
