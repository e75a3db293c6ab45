"""What the patient at a bedside waits for, and the last review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.barriers import Waiting, Wanted, waiting
from flow.moment import Moment
from flow.round_rows import round_rows
from flow.round_types import RoundRow
from wards.scope import Scope


@dataclass(frozen=True, slots=True)
class Waits:
    """barriers: open ones, the oldest first. row: how the patient stood at the last review;
    None where they are on no ward."""

    barriers: Sequence[Waiting]
    row: RoundRow | None


def waits_of(episode: int, *, ward: int, moment: Moment, scope: Scope) -> Waits:
    """Of one stay on the ward; two queries."""
    rows = round_rows(ward, moment, episode=episode)
    barriers = waiting(moment, scope=scope, wanted=Wanted(episode=episode))
    return Waits(barriers, rows[0] if rows else None)
