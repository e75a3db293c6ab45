"""Who tells the boards at which escalation level a site is.

Escalation lies above this package, so whoever knows registers when the program starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LevelSaid:
    """The levels of a site: the one declared, and between which the computed one lies; None where
    there is none. is_example: the computed one comes of invented cut-offs. late_since: when it was
    computed, if that is too long ago for it to be the level now. address: of the page that says
    more."""

    declared: int | None
    lowest: int | None
    highest: int | None
    is_example: bool
    late_since: datetime | None
    address: str


Teller = Callable[[datetime], Mapping[int, LevelSaid]]
"""Given a moment, the levels of sites then, by primary key; of those alone that escalate. Asks a
fixed number of queries."""

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Ask `teller` from now on, instead of any other; called while the program starts."""
    _tellers[:] = [teller]


def levels(*, at: datetime) -> Mapping[int, LevelSaid]:
    """The levels of the sites at a moment; empty while nobody tells."""
    return _tellers[0](at) if _tellers else {}
