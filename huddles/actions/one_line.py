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

MOST_WORDS: Final = 4
"""Of a name before the first or after the last comma; more is part of what is to be done."""

_LABEL = r"[a-z]{0,3}-?\d{1,3}[a-z]?\b"
_AND = r"(?:and|&|\+|/|-|to|or)"
_BED = re.compile(
    # beds 2, 3 and 4; bed 2 and bed 3; bed 2 and 3
    rf"\bbeds\s+(?P<many>{_LABEL}(?:\s*(?:,|{_AND})\s*(?:{_AND}\s*)?(?:beds?\s+)?{_LABEL})*)|"
    rf"\bbed\s+(?P<one>{_LABEL}(?:\s*{_AND}\s*{_LABEL}(?!\s+[a-z]{{3,}}))*)",
    re.IGNORECASE,
)
_ONE_LABEL = re.compile(_LABEL, re.IGNORECASE)
_WARD = re.compile(r"\b(?:ward|wd)\s+(?P<ward>[\w-]+)", re.IGNORECASE)
_OWNER = re.compile(r"(?<!\S)@(?P<owner>[\w'-]+(?:\.[\w'-]+)*)")
_DOER = re.compile(r"^(?P<doer>[^,:]{2,60}?)\s*(?:\bto\b|:)\s+\S", re.IGNORECASE)
_BESIDE: Final = 6
"""Words before and after a bed among which its ward may stand."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a line says.

    text: what is to be done, without the time and the name at its end. owner: the name said
    ("Sam"), doer: who does it by the sentence ("therapy to …"), first: what stands before the first
    comma and may be the name as well; each may be empty. due_at: aware, None where no time was
    said or it is `unclear`. left: words of other times and days, not used. beds: the labels said;
    before, after: the words beside the first. ward: the word after "ward". said: the line without
    the time.
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


def read(line: str, *, now: datetime) -> Line:
    """What `line` says at `now` (aware, in the zone of the clock on the wall)."""
    said = " ".join(line.split()).strip(" ,;.")
    timed = when(said, now=now)
    rest, owner = _owned(timed.rest)
    doer, ward = _DOER.match(rest), _WARD.search(rest)
    bed = _BED.search(rest)
    first, comma, _more = timed.rest.partition(",")
    return Line(
        text=rest,
        owner=owner,
        doer=doer["doer"].strip() if doer else "",
        due_at=timed.at,
        beds=beds_of(rest),
        ward=ward["ward"] if ward else "",
        first=first.strip() if comma and _is_name(first) else "",
        said=timed.rest,
        before=" ".join(rest[: bed.start()].split()[-_BESIDE:]) if bed else "",
        after=" ".join(rest[bed.end() :].split()[:_BESIDE]) if bed else "",
        unclear=timed.unclear,
        left=timed.left,
    )


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
