"""What looks like a time and is none, or is one that somebody must say more plainly. Pure.

"Hb at 6", "down by 2", "fell at 03:10", "by 2pm Wednesday week", "not before 11".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

_I: Final = re.IGNORECASE
_MEASURED: Final = re.compile(
    r"\b(?:news2?|m?ews|pews|pain|gcs|avpu|hb|haemoglobin|k|potassium|na|sodium|inr|ph|lactate|crp|"
    r"wbc|urea|creatinine|egfr|glucose|bms?|ketones|sats|saturations?|spo2|oxygen|o2|fio2|"
    r"temp(?:erature)?|bp|map|hr|rr|pulse|resps?|weight|score|scor(?:es|ed|ing)|levels?|down|cut|"
    r"(?<!follow )(?<!chase )(?<!pick )(?<!ring )(?<!write )up)[\s,:]*(?:is\s+|are\s+)?$",
    _I,
)
"""Words directly before "at 7" or "by 2" that make it a figure."""
_LESS: Final = re.compile(
    r"\b(?:cut|reduce[ds]?|increase[ds]?|raise[ds]?|lower(?:ed)?)(?:\s+[a-z-]+){0,3}\s*$", _I
)
_FIGURE: Final = re.compile(r"^[\s,]*(?:by|at|before|until|till?)\s+\d{1,2}(?:\.\d+)?(?![\w:])", _I)
_CLEAR: Final = re.compile(
    r"\d\s*(?:[ap]\.?m\b|h\b|hrs\b|o'?clock\b)|\bin\s+the\s+|\b(?:morning|afternoon|evening|night)\b",
    _I,
)
_PAST: Final = re.compile(
    r"\b(?:\w+ed|fell|sent|seen|given|taken|came|left|began|was|went|rang|had|done|put|told)\s*$",
    _I,
)
_SEVERAL: Final = re.compile(
    r"^\s*(?:,|/|&|\+|-|–|\bor\b|\band\b|\bto\b)[\s,]*(?:(?:and|or|at|by)\s+)?"
    r"\d{1,2}(?:[:.]?\d{2})?\s*(?:[ap]\.?m\b)?\s*(?=$|[,;/&+-]|\.(?!\d)|\b(?:and|or|to)\b)",
    _I,
)
_NOT: Final = re.compile(
    r"\b(?:not|no|never|cannot|nor|nil|none|nobody|nothing|without|avoid|hold|withhold|stop|omit|"
    r"suspend|dont|cant|wont|doesnt|isnt|mustnt|shouldnt)\b|n['’]t\b",
    _I,
)
_NOT_NOW: Final = re.compile(r"(?:\bnot|\bnever|n['’]t)\s*$", _I)
_UNTIL: Final = re.compile(r"\b(?:until|till?|before)\b", _I)
_ODD_DAY: Final = re.compile(
    r"(?<!since )(?<!last )(?<!from )(?<!every )(?<!each )\b(?:"
    r"(?:the\s+)?\d{1,2}(?:st|nd|rd|th)\b(?!\s+(?:floor|dose|cycle|bag|unit|opinion))|"
    r"(?:at\s+the\s+)?weekend|(?:a\s+)?week|(?:in\s+a\s+)?fortnight|yesterday|"
    r"(?:the\s+)?day\s+after|"
    r"on\s+(?:the\s+)?\d{1,2}\b(?!\.\d|[:/%]|\s+[a-z]{2,}s\b)|2mrw|2moro|tmw|tmr|tmo|tmoro|tomoro|"
    r"tomorw|tommorw|tomoz)\b(?!['’]s)",
    _I,
)
_ODD_HOUR: Final = re.compile(
    r"\b(?:(?:first|last)\s+thing|breakfast|lunch(?:\s*time)?|tea\s*time|supper|dinner|"
    r"(?:board|ward)\s+rounds?|handover)\b",
    _I,
)
_DAYS: Final = (
    "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_LIKE: Final = 0.87
_BETWEEN: Final = re.compile(r"[\s,]*(?:(?:at|on|of|in|the|a|next)\s+)*", _I)


def is_no_time(said: str, match: re.Match[str]) -> bool:
    """Whether "at 7" or "by 2" in a line is a figure: of what was measured, or of how many."""
    words = match[0]
    if not _FIGURE.match(words) or _CLEAR.search(words):
        return False
    before = said[: match.start()]
    if _MEASURED.search(before):
        return True
    return bool(re.match(r"[\s,]*by\b", words, _I) and _LESS.search(before))


def is_over_or_of_several(match: re.Match[str], *, over: bool, night: bool) -> bool:
    """Whether a time without a day may be one that is over ("fell at 03:10"), or is one of several
    ("at 10, 12 and 2"). over: it was today, as the clock can be read. night: then in the night,
    which nobody means by a bare number."""
    said = match.string
    if _SEVERAL.match(said[match.end() :]):
        return True
    if not over or not re.match(r"[\s,]*at\b", match[0], _I):
        return False
    return not night or _PAST.search(said[: match.start()]) is not None


def stays(said: str, start: int, end: int) -> bool:
    """Whether the words of the time there are part of what is to be done: without them the line
    says something else, or its contrary."""
    return bool(_UNTIL.search(said[start:end]) or _NOT.search(said[:start]))


def odd_words(said: str, start: int, end: int, *, has_day: bool, has_hour: bool) -> str:
    """Words beside the time there that make it another than it seems, or none that can be told:
    "Wednesday week", "the 25th", "before board round", "not today"; empty where there are none.

    Where a day is said with the hour, only what stands directly at them speaks of the day.
    """
    if refused := _NOT_NOW.search(said[:start]):
        return said[refused.start() : end].strip(" ,")
    for one, of_day in _odd(said):
        if one[0] < end and one[1] > start:
            continue
        beside = _BETWEEN.fullmatch(said[one[1] : start] if one[1] <= start else said[end : one[0]])
        if not has_day or beside if of_day else not has_hour:
            return said[one[0] : one[1]].strip(" ,")
    return ""


def _odd(said: str) -> Iterator[tuple[tuple[int, int], bool]]:
    """Where such words stand, and whether they speak of a day and not of an hour."""
    for match in _ODD_DAY.finditer(said):
        yield match.span(), True
    for match in _ODD_HOUR.finditer(said):
        yield match.span(), False
    for match in re.finditer(r"(?<![\w@])[a-z]{5,11}(?!['’\w])", said, _I):
        word = match[0].lower()
        if any(word in (day, f"{day}s") for day in _DAYS):
            continue
        if any(SequenceMatcher(None, word, day).ratio() >= _LIKE for day in _DAYS):
            yield match.span(), True
