"""Reads what somebody says in one line of a meeting: "therapy to see bed 12 by 11, Sam".

Pure: which person, team or bed the words mean is asked of the database elsewhere
(`huddles.actions.understanding`). Times are those of the clock on the wall.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

TOMORROW_AT: Final = time(8, 0)
"""What "by tomorrow" means where no hour is said: before tomorrow's first meeting."""
TODAY_AT: Final = time(17, 0)
"""What "today" means where no hour is said: the end of the working day."""
AT_ONCE: Final = timedelta(minutes=30)
"""What "now" means: time to do it in."""
MOST_WORDS: Final = 4
"""Of a name after the last comma; more is part of what is to be done."""

_CLOCK = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2})|(?P<joined>\d{2}))?\s*(?P<half>[ap]\.?m\.?)?"
_HOUR = rf"(?:(?P<word>noon|midday|midnight)|{_CLOCK})(?:\s*(?:h|hrs|o'clock))?"
_DAY = r"(?P<day>today|tonight|tomorrow|tmrw)"
_BY = re.compile(
    rf"[\s,]*\b(?:by|before|until|til|at)\s+"
    rf"(?:{_DAY}(?:\s+(?:at\s+)?{_HOUR})?|{_HOUR.replace('<', '<x_')}"
    rf"(?:\s+{_DAY.replace('<', '<x_')})?)(?=$|[\s,;.])",
    re.IGNORECASE,
)
_IN = re.compile(
    r"[\s,]*\bin\s+(?P<number>\d{1,3})\s*(?P<unit>m|min|mins|minutes?|h|hrs?|hours?)\b",
    re.IGNORECASE,
)
_SOON = re.compile(
    r"[\s,]*\b(?P<soon>now|asap|straight away|at once|today|tonight|tomorrow)\s*(?=$|,)",
    re.IGNORECASE,
)
_BED = re.compile(r"\bbeds?\s+(?P<label>[a-z]{0,3}-?\d{1,3}[a-z]?)\b", re.IGNORECASE)
_WARD = re.compile(r"\b(?:ward|wd)\s+(?P<ward>[\w-]+)", re.IGNORECASE)
_OWNER = re.compile(r"@(?P<owner>[\w.'-]+)")
_DOER = re.compile(r"^(?P<doer>[^,:]{2,60}?)\s*(?:\bto\b|:)\s+\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says.

    text: what is to be done, without the time and the name at its end. owner: the name said
    ("Sam"), doer: who does it by the sentence ("therapy to …"); either may be empty. due_at: aware,
    None where no time was said. bed, ward: the words for them, empty where none is named.
    """

    text: str
    owner: str
    doer: str
    due_at: datetime | None
    bed: str
    ward: str


def read(line: str, *, now: datetime) -> Line:
    """What `line` says at `now` (aware, in the zone of the clock on the wall).

    An hour of 1 to 12 without am or pm is the next time that a clock shows it ("by 2", said at
    13:00, is 14:00); any hour that is over today is tomorrow's.
    """
    said = " ".join(line.split()).strip(" ,;.")
    rest, due_at = _timed(said, now)
    rest, owner = _owned(rest)
    doer = _DOER.match(rest)
    bed, ward = _BED.search(rest), _WARD.search(rest)
    return Line(
        text=rest,
        owner=owner,
        doer=doer["doer"].strip() if doer else "",
        due_at=due_at,
        bed=bed["label"] if bed else "",
        ward=ward["ward"] if ward else "",
    )


def _timed(said: str, now: datetime) -> tuple[str, datetime | None]:
    """The line without its last time, and that time."""
    found = [
        (match, at)
        for pattern, meaning in ((_BY, _by), (_IN, _in), (_SOON, _soon))
        for match in pattern.finditer(said)
        if (at := meaning(match, now)) is not None
    ]
    if not found:
        return said, None
    match, at = max(found, key=lambda one: (one[0].end(), -one[0].start()))
    rest = said[: match.start()] + " " + said[match.end() :]
    return re.sub(r"\s+([,;.])", r"\1", " ".join(rest.split())).strip(" ,;."), at


def _owned(said: str) -> tuple[str, str]:
    """The line without the name of who does it, and that name."""
    if at_sign := _OWNER.search(said):
        rest = said[: at_sign.start()] + said[at_sign.end() :]
        return " ".join(rest.split()).strip(" ,;."), at_sign["owner"]
    before, comma, after = said.rpartition(",")
    name = after.strip()
    is_name = 0 < len(name.split()) <= MOST_WORDS and not any(char.isdigit() for char in name)
    if comma and before.strip() and is_name:
        return before.strip(" ,;."), name
    return said, ""


def _by(match: re.Match[str], now: datetime) -> datetime | None:
    named = {key.removeprefix("x_"): value for key, value in match.groupdict().items() if value}
    day = _day(named.get("day", ""), now)
    if "word" not in named and "hour" not in named:
        return _whole_day(named["day"], now)
    if "word" in named:
        return _at(day, time(12) if named["word"].lower() != "midnight" else time(0), now)
    hour, minute = int(named["hour"]), int(named.get("minute") or named.get("joined") or 0)
    half = named.get("half", "").lower()[:1]
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
        return _at(day, time(hour, minute), now)
    times = [time(hour, minute)]
    if 1 <= hour <= 12 and not (named["hour"].startswith("0") or day is not None):
        times.append(time((hour + 12) % 24, minute))
    return min(_at(day, each, now) for each in times)


def _day(word: str, now: datetime) -> date | None:
    """The day said, None where none is."""
    if not word:
        return None
    return now.date() + timedelta(days=1 if word.lower() in ("tomorrow", "tmrw") else 0)


def _at(day: date | None, hour: time, now: datetime) -> datetime:
    """That hour on the day, or the next time a clock shows it; midnight ends a day."""
    if day is not None:
        day += timedelta(days=1 if hour == time(0) else 0)
        return datetime.combine(day, hour, now.tzinfo)
    today = datetime.combine(now.date(), hour, now.tzinfo)
    return today if today > now else datetime.combine(
        now.date() + timedelta(days=1), hour, now.tzinfo
    )  # fmt: skip


def _whole_day(word: str, now: datetime) -> datetime:
    if word.lower() in ("tomorrow", "tmrw"):
        return datetime.combine(now.date() + timedelta(days=1), TOMORROW_AT, now.tzinfo)
    end = datetime.combine(now.date(), TODAY_AT, now.tzinfo)
    if word.lower() == "today" and end > now:
        return end
    return datetime.combine(now.date() + timedelta(days=1), time(0), now.tzinfo)


def _in(match: re.Match[str], now: datetime) -> datetime:
    number = int(match["number"])
    hours = match["unit"].lower().startswith("h")
    return now + (timedelta(hours=number) if hours else timedelta(minutes=number))


def _soon(match: re.Match[str], now: datetime) -> datetime:
    word = match["soon"].lower()
    if word in ("today", "tonight", "tomorrow"):
        return _whole_day(word, now)
    return now + AT_ONCE
