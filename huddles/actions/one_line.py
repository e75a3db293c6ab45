"""Reads what somebody says in one line of a meeting: "therapy to see bed 12 by 11, Sam".

Pure: which person, team or bed the words mean is asked of the database elsewhere
(`huddles.actions.understanding`). Times are those of the clock on the wall.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from huddles.actions.when import Unclear, when
from huddles.letters import plain

MOST_WORDS: Final = 4
"""Of a name before the first or after the last comma; more is part of what is to be done."""

LONGEST: Final = 400
"""Characters of a line that are read at all; what is to be done may have fewer."""

_LABEL = r"[a-z]{0,3}-?\d{1,3}[a-z]?\b"
_AND = r"(?:and|&|\+|/|-|to|or|then|plus|with)"
_COUNTED = (
    r"(?:(?!(?:needs|wants|has|is|was|goes|waits|awaits)\b)[a-z]{3,}s|min|mg|ml|mcg|hrs?|am|pm|"
    r"staff|people|unit|hour|hourly|day|week|nurse|porter|more|extra)\b"
)
# What follows a bed is another one, unless it counts something or is a time.
_ANOTHER = rf"{_LABEL}(?![:.]\d|\s+{_COUNTED})"
_BED = re.compile(
    # beds 2, 3 and 4; beds 2 3; bed 2 and bed 3; bed 2 and 3; bed 2, 3
    rf"\bbeds\s+(?P<many>{_LABEL}(?:\s*(?:,|{_AND})\s*(?:{_AND}\s*)?(?:beds?\s+)?{_LABEL}|"
    rf"\s+\d{{1,3}}\b(?![:.]\d|\s+{_COUNTED}))*)|"
    rf"\bbed\s+(?P<one>{_LABEL}(?:\s*(?:[,;]|{_AND})\s*(?:{_AND}\s*)?{_ANOTHER}|"
    rf"\s+\d{{1,3}}\b(?![:.]\d|\s+{_COUNTED}))*)",
    re.IGNORECASE,
)
_ONE_LABEL = re.compile(_LABEL, re.IGNORECASE)
_WARD = re.compile(r"\b(?:ward|wd)\s+(?P<ward>[\w-]+)", re.IGNORECASE)
_OWNER = re.compile(r"(?<!\S)@(?P<owner>[\w'-]+(?:\.[\w'-]+)*)")
_BAY = r"(?:[\s,]*\bbay\s+[\w-]+)?"
_WARD_BEFORE = re.compile(
    rf"\b(?:ward|wd)\s+(?P<ward>[\w-]+?)(?:['’]s)?(?P<comma>\s*,)?{_BAY}[\s:,]*$", re.IGNORECASE
)
_WARD_AFTER = re.compile(
    rf"^{_BAY}\s*,?\s*\(?(?:(?:on|in|of|at|from)\s+)?(?:the\s+)?(?:ward|wd)\s+(?P<ward>[\w-]+)"
    r"(?P<does>\s+(?:to|will|can|must|should|has|have|is|takes?)\b)?",
    re.IGNORECASE,
)
_TO_WARD = re.compile(r"\b(?:to|with|into|onto|for)\s+(?:the\s+)?(?:ward|wd)\s+$", re.IGNORECASE)
_WARD_DOES = re.compile(r"^\s+(?:to|will|can|must|should|has|have|is|takes?)\b", re.IGNORECASE)
_WARD_BEGINS = re.compile(r"(?:^|[,;:]|\b(?:on|in|of|at|see))\s*$", re.IGNORECASE)
_DOER = re.compile(r"^(?P<doer>[^,:]{2,60}?)\s*(?:\bto\b|:)\s+(?P<deed>\S.*)", re.IGNORECASE)
_PATIENT = re.compile(r"^(?:mr|mrs|ms|miss|mx)\b", re.IGNORECASE)
_OF_PATIENTS = re.compile(
    r"^(?:be|have|go|leave|stay|remain|transfer\s+(?:to|back|home)|"
    r"move(?!\s+(?:beds?|patients?|the|mr|mrs|ms|miss|him|her|them|all)\b))\b",
    re.IGNORECASE,
)
"""What the sentence says of who is in the bed: "Jones to go home" asks it of somebody else."""
_BESIDE: Final = 6
"""Words before and after a bed among which its ward may stand."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says.

    text: what is to be done, without the time and the name at its end. owner: the name said
    ("Sam"), doer: who does it by the sentence ("therapy to …"), first: what stands before the first
    comma and may be the name as well; each may be empty. due_at: aware, None where no time was
    said or it is `unclear`. left: words of other times and days, not used. beds: the labels said;
    before, after: the words beside the first. ward: the word after "ward", directly beside the bed
    where one is named. elsewhere: the words after other "ward"s of the line, which are not the
    bed's. either_ward: several wards stand where the bed's does. said: the line without the time,
    unless that is part of what is to be done; kept: it is.
    """

    text: str
    owner: str
    doer: str
    due_at: datetime | None
    beds: tuple[str, ...] = ()
    ward: str = ""
    first: str = ""
    before: str = ""
    after: str = ""
    unclear: Unclear | None = None
    left: tuple[str, ...] = ()
    said: str = ""
    elsewhere: tuple[str, ...] = ()
    either_ward: bool = False
    kept: bool = False


def read(line: str, *, now: datetime) -> Line:
    """What `line` says at `now` (aware, in the zone of the clock on the wall)."""
    said = plain(line).strip(" ,;.")
    timed = when(said, now=now)
    rest, owner = _owned(timed.rest)
    bed = _BED.search(rest)
    first, comma, _more = timed.rest.partition(",")
    ward, elsewhere, either = _wards(rest, bed)
    return Line(
        text=_with_time(said, owner, timed.kept) if timed.kept else rest,
        owner=owner,
        doer=_doer(rest),
        due_at=timed.at,
        beds=beds_of(rest),
        ward=ward,
        first=first.strip() if comma and _is_name(first) and not _PATIENT.match(first) else "",
        said=said if timed.kept else timed.rest,
        before=" ".join(rest[: bed.start()].split()[-_BESIDE:]) if bed else "",
        after=" ".join(rest[bed.end() :].split()[:_BESIDE]) if bed else "",
        unclear=timed.unclear,
        left=timed.left,
        elsewhere=elsewhere,
        either_ward=either,
        kept=bool(timed.kept),
    )


def _with_time(said: str, owner: str, time: str) -> str:
    """The line without the name of who does it, and with its time."""
    if owner:
        ends = rf"(?=[\s,;.]*(?:{re.escape(time)})?[\s,;.]*$)"
        said = re.sub(rf"(?:\s*,\s*|\s*@){re.escape(owner)}{ends}", "", said)
    return said.strip(" ,;.")


def _doer(rest: str) -> str:
    """Who does it by the sentence; nobody where that is somebody in a bed."""
    found = _DOER.match(rest)
    if found is None or _PATIENT.match(rest):
        return ""
    by_colon = rest[found.end("doer") :].lstrip().startswith(":")
    return "" if not by_colon and _OF_PATIENTS.match(found["deed"]) else found["doer"].strip()


def _wards(rest: str, bed: re.Match[str] | None) -> tuple[str, tuple[str, ...], bool]:
    """The word after "ward" that is the bed's (or of the line, where it names no bed), those of
    other wards, and whether one cannot tell which is the bed's."""
    every = [(one.start("ward"), one["ward"]) for one in _WARD.finditer(rest)]
    if bed is None:
        several = len({word.lower() for _start, word in every if _numbered(word)}) > 1
        return (every[0][1] if every else ""), (), several
    beside: dict[int, str] = {}
    either = False
    if before := _WARD_BEFORE.search(rest[: bed.start()]):
        beside[before.start("ward")] = before["ward"]
        # "tell ward 8, bed 4 is ready" may mean another ward's; "see ward 8, bed 4" does not.
        begins = _WARD_BEGINS.search(rest[: before.start()])
        either = bool(before["comma"]) and begins is None
    if (after := _WARD_AFTER.match(rest[bed.end() :])) and not after["does"]:
        beside[bed.end() + after.start("ward")] = after["ward"]
    words = {word.lower() for word in beside.values()}
    elsewhere = tuple(word for start, word in every if start not in beside)
    if not beside:
        # "bed 4 to ward 8" and "ward 8 to take bed 4" say where to; anything else may say where.
        numbered = [(start, word) for start, word in every if _numbered(word)]
        either = len({word.lower() for _start, word in numbered}) > 1 or not all(
            _TO_WARD.search(rest[:start]) or _WARD_DOES.match(rest[start + len(word) :])
            for start, word in numbered
        )
    return next(iter(beside.values()), ""), elsewhere, either or len(words) > 1


def _numbered(word: str) -> bool:
    return any(char.isdigit() for char in word)


def beds_of(said: str) -> tuple[str, ...]:
    """The labels of beds that words name, each once."""
    found: dict[str, str] = {}
    for match in _BED.finditer(said):
        for one in _ONE_LABEL.findall(match["many"] or match["one"]):
            found.setdefault(one.strip("-").lower(), one.strip("-"))
    return tuple(found.values())


def _is_name(words: str) -> bool:
    return 0 < len(words.split()) <= MOST_WORDS and not any(char.isdigit() for char in words)


def _owned(said: str) -> tuple[str, str]:
    """The line without the name of who does it, and that name."""
    if at_sign := _OWNER.search(said):
        rest = said[: at_sign.start()] + said[at_sign.end() :]
        return " ".join(rest.split()).strip(" ,;."), at_sign["owner"]
    before, comma, after = said.rpartition(",")
    name = after.strip()
    if comma and before.strip() and _is_name(name):
        return before.strip(" ,;."), name
    return said, ""
