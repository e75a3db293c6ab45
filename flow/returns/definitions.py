"""What a national return asks for, as versioned and dated data: the YAML files in `published`.

A return that was submitted keeps the definition's slug and version, so that a later version never
changes what an earlier number meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

HERE: Final = Path(__file__).parent / "published"
Kind = Literal["sitrep", "discharge"]
KINDS: Final[tuple[Kind, ...]] = ("sitrep", "discharge")


@dataclass(frozen=True, slots=True)
class Line:
    """One number of a return.

    count: what is counted. `beds`: those in `place` (a group of wards) with this age group,
    funding and state (open, occupied, or closed and empty by the closure given). `patients`: those
    there for so many nights or more. `rate`: the line `of` over the line `over`, in per cent.
    `ready`: people who met no criteria to reside, by what became of them. each: once for every
    code of this code set.
    """

    key: str
    label: str
    count: str
    place: str = ""
    age: str = ""
    funding: str = ""
    state: str = ""
    closure: str = ""
    nights: int = 0
    of: str = ""
    over: str = ""
    outcome: str = ""
    pathway: int | Literal["unknown"] | None = None
    each: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a return. due: until when of the day it is to be sent. wards: the kinds of
    each group of wards."""

    slug: str
    version: str
    kind: Kind
    title: str
    source: str
    valid_from: date
    due: time
    wards: Mapping[str, frozenset[str]]
    excluded_specialties: frozenset[str] = frozenset()
    paediatric_specialties: frozenset[str] = frozenset()
    lines: tuple[Line, ...] = field(default=())


@cache
def definitions() -> tuple[Definition, ...]:
    """Every version of every return, the newest first."""
    found = [_read(yaml.safe_load(path.read_text("utf-8"))) for path in HERE.glob("*.yaml")]
    return tuple(sorted(found, key=lambda one: (one.kind, one.valid_from), reverse=True))


def in_force(kind: Kind, day: date) -> Definition | None:
    """The definition by which the return of a day is made; None before the first."""
    return next((one for one in definitions() if one.kind == kind and one.valid_from <= day), None)


def definition(slug: str, version: str) -> Definition | None:
    """The version that a submitted return was made by."""
    return next((one for one in definitions() if (one.slug, one.version) == (slug, version)), None)


def _read(said: Mapping[str, Any]) -> Definition:
    return Definition(
        slug=said["slug"],
        version=said["version"],
        kind=said["kind"],
        title=said["title"],
        source=said["source"],
        valid_from=said["valid_from"],
        due=time.fromisoformat(said["due"]),
        wards={name: frozenset(group["kinds"]) for name, group in said["wards"].items()},
        excluded_specialties=frozenset(said.get("excluded_specialties", ())),
        paediatric_specialties=frozenset(said.get("paediatric_specialties", ())),
        lines=tuple(
            Line(**{("place" if name == "in" else name): value for name, value in line.items()})
            for line in said["lines"]
        ),
    )
