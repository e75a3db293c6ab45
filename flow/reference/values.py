"""Numbers and days as published tables write them. Pure: no Django.

The tables come from spreadsheets of many hands, so the same thing is written in many ways. What
cannot be read with certainty is not guessed: it is told as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")

MISSING: Final = frozenset(
    ["", "-", "--", ".", "..", "...", ":", "?", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none",
     "nil", "no data", "not available", "not applicable", "not known", "not submitted", "unknown",
     "missing", "no return", "[x]", "x", "z", "[z]", "#value!", "#ref!", "#div/0!"]
)  # fmt: skip
"""Words that stand where no figure was given, in lower case and with plain dashes."""
SUPPRESSED: Final = frozenset(["*", "**", "c", "[c]", "suppressed", "s", "#", "~"])
"""Words for a figure that is known but held back because it is small."""

MOST: Final = Decimal(10) ** 11
"""Larger numbers are no count of anything here."""

_SMALL = re.compile(r"[<≤] ?=? ?[0-9]{1,2}|[1-9][0-9]? ?(-|to) ?[1-9][0-9]?\*?")
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<money>£?)"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]{1,3}(?:'[0-9]{3})+|[0-9]+)"
    r"(?P<part>\.[0-9]*)?(?P<power>[eE][+-]?[0-9]{1,2})?(?P<percent> ?%?)"
)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣-\x96\x97"), "-")
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f"), None)


@dataclass(frozen=True, slots=True)
class Number:
    """What a cell says.

    value: the figure, None where there is none or it cannot be one. mark: what stands there
    instead of a figure, empty for a plain figure. wrong: neither a figure, nor a word for none;
    or one below nought. suppressed: held back by the publisher.
    """

    value: Decimal | None
    mark: str = ""
    wrong: bool = False
    suppressed: bool = False


def plain(text: str) -> str:
    """The text without invisible characters, with plain dashes and single spaces."""
    said = unicodedata.normalize("NFKC", text).translate(_UNSEEN).translate(_DASHES)
    return " ".join(said.split())


@lru_cache(maxsize=65_536)
def number(text: str) -> Number:
    """Read a cell that should hold a figure.

    `1234`, `1,234`, `1 234`, `1234.0`, `1.2E3`, `£1,234` and `95.4%` (0.954) are figures. A
    comma that does not part thousands (`1,23`) is not read: it could mean two things.
    """
    said = plain(text).strip("\"'")
    low = said.casefold()
    if low in MISSING:
        return Number(None, said[:20] or "")
    if low in SUPPRESSED or _SMALL.fullmatch(low):
        return Number(None, said[:20], suppressed=True)
    if said.startswith("(") and said.endswith(")"):
        said = f"-{said[1:-1]}"  # as accountants write it
    found = _NUMBER.fullmatch(said)
    if found is None:
        return Number(None, text.strip()[:20], wrong=True)
    digits = re.sub(r"[ ,']", "", found["whole"]) + (found["part"] or "")
    value = Decimal(digits + (found["power"] or ""))
    if found["percent"].strip():
        value /= 100
    if value >= MOST or (found["sign"] == "-" and value):
        return Number(None, text.strip()[:20], wrong=True)
    return Number(value)


@dataclass(frozen=True, slots=True)
class Day:
    """A day; `whole_month`: what was written names a month, and `day` is its first."""

    day: date
    whole_month: bool = False


_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ["january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sep sept", "october oct", "november nov", "december dec"], 1
    )
    for name in names.split()
}  # fmt: skip
_TIME = r"(?:[t ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_ISO_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)? ?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}z?")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_COMPACT = re.compile(r"([12][0-9]{3})([01][0-9])([0-3][0-9])")
_NAMED = re.compile(
    rf"{_WEEKDAY}([0-9]{{1,2}})(?:st|nd|rd|th)?[- /.]*([a-z]+)[- /.,]*"
    rf"([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_NAMED_FIRST = re.compile(
    rf"{_WEEKDAY}([a-z]+)[- .]([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_TIME}"
)
_MONTH = re.compile(r"([a-z]+)[- /.,']*([0-9]{4}|[0-9]{2})")
_MONTH_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})")
_SERIAL = re.compile(r"([2-7][0-9]{4})(?:\.[0-9]+)?")
EPOCH: Final = date(1899, 12, 30)
"""Day nought of spreadsheets, as they count after February 1900."""
EARLIEST: Final = date(1990, 1, 1)
LATEST: Final = date(2100, 1, 1)


@lru_cache(maxsize=65_536)
def day(text: str, *, day_first: bool = True) -> Day | None:
    """Read a cell that should hold a day; None where it holds none.

    A time with an offset is a moment, and its day is the one in England: a spreadsheet's
    midnight of 29 March 2021 becomes `2021-03-28T23:00:00Z` on its way through UTC. Numbers of
    five digits are days as spreadsheets count them. `01/04/2022` is 1 April unless `day_first`
    is False.
    """
    said = plain(text).strip("\"'").lower()
    found = _read(said, day_first)
    if found is None or not EARLIEST <= found.day < LATEST:
        return None
    return found


def _read(said: str, day_first: bool) -> Day | None:
    said = re.sub(r" ?(utc|gmt)$", "z", said)
    if _ISO_TIME.fullmatch(said):
        moment = datetime.fromisoformat(re.sub(r" (?=[z+-])", "", said).upper())
        return Day(moment.astimezone(UTC).astimezone(LONDON).date())
    if found := _YEAR_FIRST.fullmatch(said) or _COMPACT.fullmatch(said):
        return _of(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(said):
        first, second = int(found[1]), int(found[2])
        month, dom = (second, first) if day_first else (first, second)
        return _of(_year(found[3]), month, dom)
    if found := _SERIAL.fullmatch(said):
        return Day(EPOCH + timedelta(days=int(found[1])))
    if (found := _NAMED.fullmatch(said)) and found[2] in _MONTHS:
        return _of(_year(found[3]), _MONTHS[found[2]], int(found[1]))
    if (found := _NAMED_FIRST.fullmatch(said)) and found[1] in _MONTHS:
        return _of(int(found[3]), _MONTHS[found[1]], int(found[2]))
    if (found := _MONTH.fullmatch(said)) and found[1] in _MONTHS:
        return _of(_year(found[2]), _MONTHS[found[1]], 1, whole_month=True)
    if found := _MONTH_ISO.fullmatch(said):
        return _of(int(found[1]), int(found[2]), 1, whole_month=True)
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def _of(year: int, month: int, dom: int, *, whole_month: bool = False) -> Day | None:
    try:
        return Day(date(year, month, dom), whole_month)
    except ValueError:
        return None


def is_day_first(texts: Iterable[str]) -> bool:
    """Whether `03/04/2022` means 3 April in this column: yes, as in all of Britain, unless some
    cell makes sense only the other way round (`04/25/2022`) and none only this way."""
    other = False
    for text in texts:
        found = _YEAR_LAST.fullmatch(plain(text).lower())
        if found is None:
            continue
        if int(found[1]) > 12:
            return True
        other = other or int(found[2]) > 12
    return not other
