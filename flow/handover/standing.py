"""What is open in a patch: needs without a bed, what is held, closed or out of place, and
barriers past their target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from flow.board_types import Sight
from flow.desk.misplaced import Outlier, misplaced
from flow.desk.queue import queue
from flow.desk.types import Need
from flow.faces import faces
from flow.handover.ahead import ahead, definite
from flow.handover.barriers import due_by
from flow.handover.patch import Patch
from flow.handover.types import Ahead, Standing
from wards.models import Bed, Site
from wards.scope import Scope

MOST: Final = 10
"""Needs without a bed that are listed; all are on the desk."""


@dataclass(frozen=True, slots=True)
class Situation:
    """How a patch stands, and what comes next."""

    standing: Standing
    ahead: Ahead


def situation(
    site: Site, *, at: datetime, until: datetime, patch: Patch, scope: Scope
) -> Situation:
    """How the patch stands at `at`, and what runs out by `until`; a fixed number of queries."""
    sight = Sight.of(scope)
    needs = [
        need
        for need in queue(site, at=at, sight=sight).needs
        if patch.holds(*(place.id for place in (need.origin, need.target) if place))
    ]
    lists = misplaced(site, at=at, scope=scope, mend=False)
    wards = _wards_of([*lists.corridor, *lists.outliers])
    corridor = _within(lists.corridor, wards, patch)
    due = due_by(until, at=at, wards=patch.wards)
    leaving = definite(at=at, wards=patch.wards)
    seen = {one.patient for one in due if sight.sees_patients(one.ward_id)}
    seen |= {one.patient for one in leaving if sight.sees_patients(one.ward_id)}
    known = faces(seen)
    due = [replace(one, face=known.get(one.patient)) if one.patient in seen else one for one in due]
    leaving = [
        replace(one, face=known.get(one.patient)) if one.patient in seen else one for one in leaving
    ]
    closures = [one for one in lists.closures if one.ward_id in patch.wards]
    # Whoever is expected has no bed yet, but waits for none before they come.
    waiting = [need for need in needs if need.held is None and not _is_to_come(need, at)]
    return Situation(
        standing=Standing(
            needs=waiting[:MOST],
            more_needs=max(0, len(waiting) - MOST),
            held=[need for need in needs if need.held is not None],
            corridor=corridor,
            outliers=_within(lists.outliers, wards, patch),
            boarders=[
                need for need in lists.boarders if need.origin and need.origin.id in patch.wards
            ],
            closures=closures,
            barriers=[one for one in due if one.due_at < at],
            has_rules=lists.has_rules,
        ),
        ahead=ahead(
            at=at,
            until=until,
            wards=patch.wards,
            needs=needs,
            corridor=corridor,
            closures=closures,
            barriers=[one for one in due if one.due_at >= at],
            leaving=leaving,
        ),
    )


def _is_to_come(need: Need, at: datetime) -> bool:
    return need.origin is None and need.due_at is not None and need.due_at > at


def _wards_of(rows: Sequence[Outlier]) -> dict[int, int]:
    """The ward of the bed of each."""
    return dict(Bed.objects.filter(pk__in=[row.bed for row in rows]).values_list("pk", "ward_id"))


def _within(rows: Sequence[Outlier], wards: dict[int, int], patch: Patch) -> list[Outlier]:
    return [row for row in rows if wards.get(row.bed) in patch.wards]
