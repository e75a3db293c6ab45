"""The single values of a places file: what each may be, and what to say when it is not."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from accounts.models import Organisation
from wards.models import Bed, Site, Ward

LONGEST: Final = {
    "organisation code": 40,
    "team code": 40,
    "team kind": 30,
    "site code": 40,
    "ward code": 100,
    "bay code": 100,
    "bed label": 100,
    "name": 200,
    "specialty": 60,
    "title": 100,
    "rule title": 200,
    "rule text": 500,
    "source": 500,
    "note": 500,
}
"""Characters that the database keeps of each."""

ORGANISATION_KINDS: Final = tuple(Organisation.Kind.values)
SITE_KINDS: Final = tuple(k for k in Site.Kind.values if k != Site.Kind.UNRECOGNISED)
WARD_KINDS: Final = tuple(k for k in Ward.Kind.values if k != Ward.Kind.UNRECOGNISED)
SEXES: Final = tuple(Ward.Sex.values)
BED_KINDS: Final = tuple(Bed.Kind.values)
FUNDINGS: Final = tuple(Bed.Funding.values)
FEATURES: Final = tuple(Bed.Feature.values)

MOST_BEDS: Final = 1000
"""Beds that one number may ask for: more is a slip of the finger."""

MOST_HOURS: Final = 10_000
"""Hours past its target that a step of an escalation ladder may wait: more than a year."""

MOST_BEDS_IN_ALL: Final = 30_000
"""Beds of one file; a place on a board is kept as a small number."""

TOO_MANY_BEDS: Final = f"the file has more than {MOST_BEDS_IN_ALL} beds by here; split it by site."

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BETWEEN = re.compile(r"[\s,;|+]+")


def clean(text: str, what: str) -> str:
    """The text without spaces around it.

    Raises ValueError when it is longer than the database keeps or holds control characters.
    """
    text = text.strip()
    if _CONTROL.search(text):
        raise ValueError("holds a line break or control character; write it on one line.")
    if len(text) > LONGEST[what]:
        raise ValueError(f"has {len(text)} characters; {LONGEST[what]} are kept, so shorten it.")
    return text


def one_of(text: str, allowed: Collection[str]) -> str:
    """`text` if it is allowed; ValueError names what is, and the nearest."""
    if text in allowed:
        return text
    near = get_close_matches(text.lower(), allowed, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(f"“{shown(text)}” is not known; use one of {', '.join(allowed)}.{hint}")


def some_of(texts: Collection[str], allowed: Collection[str]) -> tuple[str, ...]:
    """The texts, sorted and each once, if all are allowed; ValueError as `one_of`."""
    return tuple(sorted({one_of(text, allowed) for text in texts}))


def split(text: str) -> list[str]:
    """The words of a cell such as `oxygen, side_room`."""
    return [word for word in _BETWEEN.split(text) if word]


def number_of_beds(text: str) -> int:
    """A number of beds; raises ValueError for anything but 0 to MOST_BEDS."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= MOST_BEDS):
        raise ValueError(
            f"“{shown(text)}” is not a number of beds from 0 to {MOST_BEDS}; "
            "write a number, or list the beds."
        )
    return int(text)


def number_of_hours(text: str) -> int:
    """Hours; raises ValueError for anything but 0 to MOST_HOURS."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= MOST_HOURS):
        raise ValueError(f"“{shown(text)}” is not a number of hours from 0 to {MOST_HOURS}.")
    return int(text)


def shown(text: str) -> str:
    """Text of the file as it may stand in a message: short and on one line."""
    text = _CONTROL.sub("·", text)
    return text if len(text) <= 60 else f"{text[:57]}…"
