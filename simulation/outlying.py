"""Which ward takes patients of which specialty: the hospitals' own table, in their rules.

The same lines that Flowboard loads, read here as the hospitals' bed managers know them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from simulation.places import RULES, PlacesError

_ANY: Final = "any"


class Taken(IntEnum):
    """Whether a ward takes a specialty."""

    TAKES = 0
    OUTLIER = 1
    NEVER = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """Wards by code, specialty and kind, "" for every one, and what is said of one specialty."""

    ward: str
    of: str
    kind: str
    specialty: str
    verdict: Taken

    def is_about(self, code: str, of: str, kind: str, specialty: str) -> bool:
        places = ((self.ward, code), (self.of, of), (self.kind, kind))
        return self.specialty in (specialty, _ANY) and all(not a or a == b for a, b in places)

    @property
    def exactness(self) -> tuple[bool, bool, bool, bool]:
        return bool(self.ward), bool(self.of), bool(self.kind), self.specialty != _ANY


@cache
def taken(code: str, of: str, kind: str, specialty: str) -> Taken:
    """Whether the ward of this code, specialty and kind takes patients of a specialty.

    The most exact line decides; without one a ward takes its own specialty, one of no specialty
    takes all, and everybody else is an outlier.
    """
    found = [line for line in _table(RULES) if line.is_about(code, of, kind, specialty)]
    if found:
        return max(found, key=lambda line: line.exactness).verdict
    return Taken.TAKES if of in ("", specialty) else Taken.OUTLIER


@cache
def _table(path: Path) -> Sequence[_Line]:
    """The lines of a file of rules. Raises PlacesError where it cannot be read."""
    try:
        content = yaml.safe_load(path.read_bytes())
        return [line for entry in content.get("outliers") or () for line in _lines(entry)]
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise PlacesError(f"{path}: its table of outliers cannot be read: {error}") from error


def _lines(entry: Mapping[str, Any]) -> Sequence[_Line]:
    words = (("takes", Taken.TAKES), ("outliers", Taken.OUTLIER), ("never", Taken.NEVER))
    ward, of, kind = (str(entry.get(name) or "") for name in ("ward", "specialty", "kind"))
    return [
        _Line(ward, of, kind, str(specialty), verdict)
        for word, verdict in words
        for specialty in entry.get(word) or ()
    ]
