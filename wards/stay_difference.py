"""What a file says of an episode beside what was loaded of it before.

Pure: no Django. Movements are never edited. One that a file no longer tells is cancelled by name,
as if that had been said an instant after it, and what the file tells instead is said after that:
corrected history, too, counts as known when it happened. The audit history keeps what stood here
before, and until when.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from wards.facts import Moved, MovementKind
from wards.stay_facts import Reviewed, Telling

_INSTANT: Final = timedelta(microseconds=1)
_ENDS: Final = frozenset({MovementKind.DISCHARGED, MovementKind.CANCELLED_DISCHARGE})
_UNDO: Final[Mapping[MovementKind, MovementKind]] = {
    MovementKind.ADMITTED: MovementKind.CANCELLED_ADMIT,
    MovementKind.TRANSFERRED: MovementKind.CANCELLED_TRANSFER,
    MovementKind.DISCHARGED: MovementKind.CANCELLED_DISCHARGE,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A movement that was loaded before."""

    id: int
    key: str
    kind: MovementKind
    occurred_at: datetime
    sent_at: datetime
    cancels: int | None = None


@dataclass(slots=True)
class Known:
    """What was loaded of an episode before: movements, and the keys of reviews."""

    loaded: list[Loaded] = field(default_factory=list)
    reviews: set[str] = field(default_factory=set)

    def standing(self) -> dict[str, Loaded]:
        """The movements that were not cancelled, by key."""
        cancelled = {m.cancels for m in self.loaded}
        return {m.key: m for m in self.loaded if m.cancels is None and m.id not in cancelled}


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be said, if the file is right. gone: movements that it no longer tells;
    gone_reviews: reviews of the kind, which nothing takes back."""

    fresh: Sequence[Moved]
    reviewed: Sequence[Reviewed]
    gone: Sequence[Loaded]
    gone_reviews: frozenset[str]

    @property
    def is_new(self) -> bool:
        """Whether the file says anything that is not known."""
        return bool(self.fresh or self.reviewed)

    @property
    def contradicts(self) -> bool:
        """Whether the file leaves out anything that is."""
        return bool(self.gone or self.gone_reviews)


def difference(said: Telling, known: Known) -> Difference:
    """Compare; facts said once more after they were cancelled get keys of their own."""
    stand = known.standing()
    kept, fresh = _matched(said.moved, known, stand)
    gone = [loaded for key, loaded in stand.items() if key not in kept]
    if gone:
        # Of a moment at which anything changes all is said anew, so that its order is the file's.
        changed = {m.occurred_at for m in gone} | {fact.occurred_at for fact in fresh}
        lasting = {key for key, m in stand.items() if m.occurred_at not in changed}
        kept, fresh = _matched(said.moved, known, lasting)
        gone = [loaded for key, loaded in stand.items() if key not in kept]
    return Difference(
        fresh=fresh,
        reviewed=[one for one in said.reviewed if one.key not in known.reviews],
        gone=gone,
        gone_reviews=frozenset(known.reviews - {one.key for one in said.reviewed}),
    )


def _matched(
    facts: Iterable[Moved], known: Known, stand: Collection[str]
) -> tuple[set[str], list[Moved]]:
    """Which of the keys in `stand` the facts have, and the facts that have none of them."""
    taken = {m.key for m in known.loaded}
    kept: set[str] = set()
    fresh: list[Moved] = []
    for fact in facts:
        key, times = fact.key, 0
        while key in taken and key not in stand:
            times += 1
            key = _again(fact.key, times)
        if key in stand:
            kept.add(key)
        else:
            fresh.append(replace(fact, key=key))
    return kept, fresh


def extension(found: Difference, known: Known) -> list[Moved]:
    """What to say where the file only adds."""
    return _said_in_turn(found.fresh, known.loaded)


def correction(said: Telling, found: Difference, known: Known) -> list[Moved]:
    """What to say where the file is right and what was loaded before is not."""
    first = said.moved[0]
    cancels = [
        Moved(
            key=_again(loaded.key, -1),
            sent_at=loaded.sent_at + _INSTANT,
            person=first.person,
            kind=_UNDO[loaded.kind],
            occurred_at=loaded.occurred_at,
            visit=first.visit,
            cancels=loaded.id,
        )
        for loaded in found.gone
    ]
    return [*cancels, *_said_in_turn(found.fresh, [*known.loaded, *cancels])]


def _said_in_turn(facts: Iterable[Moved], before: Sequence[Loaded | Moved]) -> list[Moved]:
    """The facts, said after all that was said of their moments before; a discharge also after
    every other one and its cancellation, with which goes what had been said earlier."""
    ends = {m.sent_at for m in before if m.kind in _ENDS}
    at_moment: dict[datetime, set[datetime]] = defaultdict(set)
    for m in before:
        if m.kind not in _ENDS:
            at_moment[m.occurred_at].add(m.sent_at)
    told = []
    for fact in facts:
        earlier = at_moment[fact.occurred_at] | (ends if fact.kind in _ENDS else set())
        sent_at = max([fact.sent_at, *(moment + _INSTANT for moment in earlier)])
        at_moment[fact.occurred_at].add(sent_at)
        told.append(replace(fact, sent_at=sent_at))
    return told


def _again(key: str, times: int) -> str:
    return hashlib.sha256(f"{key} {times}".encode()).hexdigest()
