"""The single values of a file of stays: what each may be, and what to say when it is not.

Pure: no Django. Whatever cannot be read raises ValueError with words that follow the name of the
column. They never repeat what the file says: that may be about a person.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
_EARLIEST: Final = 1900
_LATEST: Final = 2100
_OLDEST: Final = 130
_EMPTY: Final = frozenset({"", "-", ".", "na", "n/a", "nan", "nat", "nil", "none", "null"})
"""How programs write that there is nothing."""
_FLAGS: Final = {
    **dict.fromkeys(("1", "1.0", "true", "t", "yes", "y"), True),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n"), False),
}
_SEXES: Final = {
    **dict.fromkeys(("1", "1.0", "m", "male"), "male"),
    **dict.fromkeys(("2", "2.0", "f", "female"), "female"),
    **dict.fromkeys(("9", "9.0", "o", "other", "i", "indeterminate"), "other"),
    **dict.fromkeys(("0", "0.0", "x", "u", "unknown", "not known"), "unknown"),
}
"""NHS Data Dictionary, PERSON STATED GENDER CODE (1 male, 2 female, 9 indeterminate, X not known),
0 of its predecessor for not known, HL7 table 0001, and plain words."""
_METHODS: Final = {"emergency": "E", "accident": "A", "urgent": "U", "elective": "C"}
"""Words for which HL7 table 0007 has a code, so that boards count them like those of a feed."""
_PATHWAYS: Final = {
    f"{before}{number}{after}": number
    for number in range(4)
    for before in ("", "p", "pathway ", "pathway")
    for after in ("", ".0")
}
_LOOSE: Final = re.compile(
    r"(?P<Y>\d{4})[-/](?P<M>\d{1,2})[-/](?P<D>\d{1,2})"
    r"(?:[T\s]\s*(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE | re.ASCII,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NO_TIME: Final = (
    "is not a time that can be read; write it as 2025-03-01T08:00, with an offset if it is not "
    "London time"
)


def is_empty(text: str) -> bool:
    """Whether a value that may be left out has been, in any of the ways programs write it."""
    return text.casefold() in _EMPTY


def moment(text: str, *, after: datetime | None = None) -> datetime:
    """The time in UTC. A date alone is its midnight; without an offset it is London time.

    An hour that comes twice is the first of the two, unless that lies before `after`; one that
    never was is read as if the clocks had not changed yet.
    """
    try:
        local = _written(text)
        if local.tzinfo is not None:
            at = local.astimezone(UTC)
        else:
            at, second = (local.replace(tzinfo=LONDON, fold=n).astimezone(UTC) for n in (0, 1))
            if after is not None and at < after <= second:
                at = second
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME) from None
    if not _EARLIEST <= at.year < _LATEST:
        raise ValueError(f"lies before {_EARLIEST} or after {_LATEST}; correct the year")
    return at


def _written(text: str) -> datetime:
    """The time as it is written, aware if it has an offset."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        parts = _LOOSE.fullmatch(text)
        if parts is None:
            raise
    hour, later = int(parts["h"] or 0), timedelta()
    if hour == 24 and not int(parts["m"] or 0) and not int(parts["s"] or 0):
        hour, later = 0, timedelta(days=1)  # the next midnight
    date = f"{parts['Y']}-{int(parts['M']):02}-{int(parts['D']):02}"
    zone = "Z" if (parts["z"] or "").upper() in ("Z", "UTC", "GMT") else parts["z"] or ""
    clock = f"{hour:02}:{parts['m'] or '00'}:{parts['s'] or '00'}"
    return datetime.fromisoformat(f"{date}T{clock}{zone}") + later


def flag(text: str) -> bool:
    """Yes or no; empty is no."""
    if is_empty(text):
        return False
    try:
        return _FLAGS[text.casefold()]
    except KeyError:
        raise ValueError("is neither yes nor no; write 1 or 0") from None


def flag_or_moment(text: str) -> bool | datetime | None:
    """Yes, no, a time, or None where nothing is said."""
    if is_empty(text):
        return None
    said = _FLAGS.get(text.casefold())
    if said is not None:
        return said
    try:
        return moment(text)
    except ValueError:
        raise ValueError(
            "is neither yes, no nor a time; write 1, 0 or a time such as 2025-03-01T08:00"
        ) from None


def moment_or_none(text: str) -> datetime | None:
    """A time, or None where nothing is said."""
    return None if is_empty(text) else moment(text)


def sex(text: str) -> str:
    """male, female, other or unknown; empty is unknown."""
    if is_empty(text):
        return "unknown"
    try:
        return _SEXES[text.casefold()]
    except KeyError:
        raise ValueError("is not known; write M, F, 9 (indeterminate), X or nothing") from None


def age(text: str) -> str:
    """Years as they are kept: whole where they are; empty where nothing is said."""
    if is_empty(text):
        return ""
    try:
        years = float(text.replace(",", ".", 1))
    except ValueError:
        years = -1.0
    if not 0 <= years <= _OLDEST:
        raise ValueError(f"is not a number of years from 0 to {_OLDEST}; correct or empty it")
    return f"{abs(years):.2f}".rstrip("0").rstrip(".")


def pathway(text: str) -> int | None:
    """0 to 3, or None where nothing is said."""
    if is_empty(text):
        return None
    try:
        return _PATHWAYS[text.casefold()]
    except KeyError:
        raise ValueError("is not 0, 1, 2 or 3 (or P0 to P3)") from None


def admission_method(text: str) -> str:
    """The code of it, as far as a plain word has one; else as it is."""
    if is_empty(text):
        return ""
    return _METHODS.get(text.casefold(), label(text, 60))


def specialty(text: str) -> str:
    """As it is; empty where nothing is said."""
    return "" if is_empty(text) else label(text, 60)


def number(text: str) -> str:
    """What an episode or a patient is known by."""
    if not text:
        raise ValueError("is empty; every row needs it")
    return label(text, 100)


def site(text: str) -> str:
    """A code of a site, which is also part of an address."""
    if "/" in text:
        raise ValueError("holds a slash; write a code without one")
    return _place(text, 40)


def ward(text: str) -> str:
    """A code of a ward, which is also part of an address."""
    return _place(text, 100)


def _place(text: str, longest: int) -> str:
    if any(part in (".", "..") for part in text.split("/")):
        raise ValueError("is a dot alone, which leads an address elsewhere; write another code")
    if not text:
        raise ValueError("is empty; every row needs it")
    return label(text, longest)


def label(text: str, longest: int) -> str:
    """The text, if it can be stored: on one line and not longer than this."""
    if len(text) > longest:
        raise ValueError(f"is longer than the {longest} characters that are kept; shorten it")
    if not text.isprintable() and _CONTROL.search(text):
        raise ValueError("holds a line break or control character; write it on one line")
    return text
