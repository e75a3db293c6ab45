"""What wards add up to: each recognised ward counts in one group and in the whole.

Pages and the API take their totals from here, so that a number can be compared with a number:
of every group the system is the sum of its sites, and a site the sum of its wards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flow.board_types import WardLine
from flow.counts import total
from flow.figure_types import Group, Sums, Total
from flow.kinds import GROUP_OF


def total_of(group: Group | None, lines: Iterable[WardLine], *, at: datetime) -> Total:
    """The sum over these lines; `at` is its time where there are none."""
    listed = list(lines)
    waits = [line.longest_wait for line in listed if line.longest_wait is not None]
    figures = total((line.figures for line in listed), empty_at=at)
    return Total(group, len(listed), figures, min(waits, default=None))


def sums(lines: Iterable[WardLine], *, at: datetime) -> Sums:
    """What the recognised ones of these lines add up to."""
    known = [line for line in lines if line.recognised]
    groups = {GROUP_OF[line.place.kind] for line in known}
    return Sums(
        parts=tuple(
            total_of(group, (one for one in known if GROUP_OF[one.place.kind] == group), at=at)
            for group in Group
            if group in groups
        ),
        everything=total_of(None, known, at=at),
    )


def head_wards(lines: Iterable[WardLine]) -> list[int]:
    """The wards of one site whose sum is the head of its `Sums`."""
    known = [line for line in lines if line.recognised]
    order = list(Group)
    first = min((order.index(GROUP_OF[line.place.kind]) for line in known), default=0)
    return [one.place.id for one in known if GROUP_OF[one.place.kind] == order[first]]
