"""What changed in a patch: everything that was recorded in a time, by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flow.board_types import Sight
from flow.faces import faces
from flow.handover.barriers import barriers
from flow.handover.beds import closures, holds_over, openings, overrides
from flow.handover.moves import moves, taken_back
from flow.handover.needs import needs, put_off
from flow.handover.patch import Patch
from flow.handover.types import Change, Changes, Kind, Told

MOST: Final = 100
"""Lines of one kind that a page holds; the latest."""
_READ: Final = (
    moves, taken_back, needs, put_off, holds_over, overrides, closures, openings, barriers,
)  # fmt: skip
UNFOLDED: Final = 8
"""Lines of a list that is not daily business and is unfolded at first: a longer one is for who
wants it."""
ROUTINE: Final = frozenset(
    {
        Kind.ARRIVED,
        Kind.ADMITTED,
        Kind.MOVED,
        Kind.LEFT,
        Kind.LEFT_EMERGENCY,
        Kind.NEED_NEW,
        Kind.NEED_MET,
        Kind.BARRIER_RAISED,
        Kind.BARRIER_OVER,
    }
)
"""Daily business: its lists are folded in at first."""


def changes(*, since: datetime, until: datetime, patch: Patch, sight: Sight) -> Sequence[Changes]:
    """What was recorded in `[since, until)` of the wards of the patch, of every kind, also where
    it is nothing; ten queries. People are named to those who may see them."""
    found: defaultdict[Kind, list[Told]] = defaultdict(list)
    for reader in _READ:
        for told in reader(since=since, until=until, wards=patch.wards):
            found[told.kind].append(told)
    for listed in found.values():
        listed.sort(key=lambda told: (told.at, told.words), reverse=True)
    shown = {kind: listed[:MOST] for kind, listed in found.items()}
    named = {
        told.patient
        for listed in shown.values()
        for told in listed
        if told.patient is not None and told.named(sight)
    }
    known = faces(named)

    def change(told: Told) -> Change:
        if told.patient is None or not told.named(sight):
            return Change(told, None, "")
        return Change(told, known.get(told.patient), told.private)

    return [
        Changes(
            kind=kind,
            count=len(found[kind]),
            late=sum(told.late for told in found[kind]),
            shown=[change(told) for told in shown.get(kind, ())],
            unfolded=kind not in ROUTINE and len(found[kind]) <= UNFOLDED,
        )
        for kind in Kind
    ]
