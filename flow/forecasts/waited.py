"""Who has waited too long for a bed, from what is known of attendances. Pure: no Django."""

from __future__ import annotations

from flow.forecasts.paths import Attendances


def over(queue: Attendances, at: int, *, limit: int) -> int:
    """How many wait for a bed at a minute, and have for `limit` minutes."""
    return int(((queue.asked <= at - limit) & (queue.ended > at)).sum())


def joined(queue: Attendances, begin: int, end: int, *, limit: int) -> int:
    """How many came to wait so long after `begin`, until `end`."""
    too_long = queue.asked + limit
    return int(((too_long > begin) & (too_long <= end) & (queue.ended > too_long)).sum())
