"""What a message says, before its places are known here, and the key of what was said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from interop.hl7v2.places import Location
from wards.facts import (
    Described,
    Details,
    Fact,
    Joined,
    Moved,
    Place,
    VisitGiven,
    VisitJoined,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact whose places are still the sender's own codes."""

    fact: Fact
    place: Location | None = None
    from_place: Location | None = None
    wanted: Location | None = None

    def locations(self) -> Iterator[Location]:
        """The places it names."""
        return (x for x in (self.place, self.from_place, self.wanted) if x is not None)

    def settled(self, places: Mapping[Location, Place]) -> Fact:
        """The fact with Flowboard's places."""
        if not isinstance(self.fact, Moved):
            return self.fact
        return replace(
            self.fact,
            place=places[self.place] if self.place else None,
            from_place=places[self.from_place] if self.from_place else None,
            wanted_ward=places[self.wanted].ward if self.wanted else None,
        )


@dataclass(frozen=True, slots=True)
class BedStatement:
    """A bed is in a state (HL7 table 0116) from `occurred_at` on."""

    bed: Location
    status: str
    occurred_at: datetime
    sent_at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """All that a message says. `ignored` is the reason why nothing is to be done."""

    statements: tuple[Statement, ...] = ()
    beds: tuple[BedStatement, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: str = ""

    def locations(self) -> Iterator[Location]:
        """The places it names."""
        for statement in self.statements:
            yield from statement.locations()
        yield from (statement.bed for statement in self.beds)


def keyed(statement: Statement) -> Statement:
    """The statement with the key of what it says.

    The key is made of the meaning alone, to which belongs when the source said it (`sent_at`):
    what is said again after it was taken back, or after something else was said, is said anew.
    Of the envelope, the control number is no part of the key, nor is MSH-7 where EVN-2 says
    when, so that a message sent again in a new envelope is known for the same. `times.times_of`
    says where MSH-7 has to stand in for EVN-2; such a message, sent again, is one more.
    """
    fact = statement.fact
    said: list[object] = [
        type(fact).__name__,
        (statement.place, statement.from_place, statement.wanted),
    ]
    for name in sorted(_FIELDS[type(fact)]):
        value = getattr(fact, name)
        if isinstance(value, Details):
            said.append((sorted(value.values.items()), value.identifiers))
        elif isinstance(value, Mapping):
            said.append(sorted(value.items()))
        else:
            said.append(value)
    return replace(statement, fact=replace(fact, key=digest(said)))


_FIELDS: Final[Mapping[type[Fact], frozenset[str]]] = {
    kind: frozenset(
        name for name in kind.__dataclass_fields__ if name not in ("key", "reference", "place")
    )
    for kind in (Moved, Described, Joined, VisitGiven, VisitJoined)
}


def digest(said: object) -> str:
    """64 characters that stand for what was said and for nothing else."""
    return hashlib.blake2b(repr(said).encode(), digest_size=32).hexdigest()
