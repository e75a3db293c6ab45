"""Who is where when sources contradict each other. Pure functions of claims, not of arrival.

Two rules, both pointwise in time, so that any part of the past can be settled by itself:

- A person is in one place: where two stays of a person overlap, the one that was last told to
  move says where they are, and the other resumes when it ends.
- A bed holds one person: of all who are said to be in it, the one who came first holds it, on
  leave or not; the others are on the ward without a bed for just as long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, TypeVar

from wards.projection import Claim

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
S = TypeVar("S", bound=Hashable)


def settle(stays: Mapping[S, Sequence[Claim]]) -> dict[S, list[Claim]]:
    """The claims of one person's stays, cut so that none overlaps another."""
    if len(stays) == 1:
        return {stay: list(claims) for stay, claims in stays.items()}
    ranked = sorted(
        ((claim, stay) for stay, claims in stays.items() for claim in claims),
        key=lambda pair: (pair[0].start, pair[0].sent_at, pair[0].key),
        reverse=True,
    )
    taken: list[tuple[datetime, datetime]] = []
    settled: dict[S, list[Claim]] = {stay: [] for stay in stays}
    for claim, stay in ranked:
        free = _without((claim.start, claim.end or FOREVER), taken)
        for lo, hi in free:
            settled[stay].append(replace(claim, start=lo, end=None if hi == FOREVER else hi))
        taken.extend(free)
    for claims in settled.values():
        claims.sort(key=lambda c: c.start)
    return settled


def _without(
    period: tuple[datetime, datetime], taken: Iterable[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """`period` less everything in `taken`, as half-open periods in order."""
    left = [period]
    for lo, hi in taken:
        left = [
            part
            for a, b in left
            for part in ((a, min(b, lo)), (max(a, hi), b))
            if part[0] < part[1]
        ]
    return sorted(left)


@dataclass(frozen=True, slots=True, order=True)
class BedClaim:
    """Who wants the bed, in order of precedence: first come, then by content."""

    start: datetime
    key: str
    episode: int


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """Part of a bed claim: `[lo, hi)`, with the bed or without."""

    lo: datetime
    hi: datetime
    held: bool


def regrant(
    claims: Mapping[BedClaim, Sequence[Piece]], window: tuple[datetime, datetime]
) -> dict[BedClaim, list[Piece]]:
    """Decide anew, within `window`, who holds the bed; outside it nothing changes."""
    lo, hi = window
    cuts = {lo, hi}
    for pieces in claims.values():
        for piece in pieces:
            cuts.update((max(lo, min(hi, piece.lo)), max(lo, min(hi, piece.hi))))
    edges = sorted(cuts)
    inside: dict[BedClaim, list[Piece]] = defaultdict(list)
    ranked = sorted(claims)
    for a, b in pairwise(edges):
        covering = [c for c in ranked if any(p.lo <= a and b <= p.hi for p in claims[c])]
        for place, claim in enumerate(covering):
            inside[claim].append(Piece(a, b, held=place == 0))
    result: dict[BedClaim, list[Piece]] = {}
    for claim, pieces in claims.items():
        outside = [
            Piece(x, y, p.held)
            for p in pieces
            for x, y in ((p.lo, min(p.hi, lo)), (max(p.lo, hi), p.hi))
            if x < y
        ]
        result[claim] = _joined(sorted(outside + inside[claim]))
    return result


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours alike in all but time become one."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].hi == piece.lo and joined[-1].held == piece.held:
            joined[-1] = Piece(joined[-1].lo, piece.hi, piece.held)
        else:
            joined.append(piece)
    return joined
