"""Saying how many registered nurses a shift of a ward is planned with and has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pghistory
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from live.doorbell import ring
from wards.by_hand import clock
from wards.models import Staffing, Ward
from wards.shifts import Worked

MOST: Final = 99
"""Nurses of one shift of one ward; more is a slip."""
AHEAD: Final = timedelta(days=14)
"""How long before its start a shift can be spoken of."""
BACK: Final = timedelta(days=7)
"""How long after its end."""


@dataclass(frozen=True, slots=True)
class Nurses:
    """Registered nurses of one shift; None is not said. Nobody at work is 0."""

    planned: int | None = None
    actual: int | None = None

    def __str__(self) -> str:
        if self.planned is None and self.actual is None:
            return "nothing said"
        planned = "not said" if self.planned is None else self.planned
        return f"planned {planned}, at work {'not said' if self.actual is None else self.actual}"


class Changed(Refused):
    """Somebody has said otherwise since the caller looked. now: what holds."""

    def __init__(self, reason: str, now: Nurses) -> None:
        super().__init__(reason)
        self.now = now


@transaction.atomic
def say(
    *,
    ward: int,
    shift: Worked,
    nurses: Nurses,
    seen: Nurses | None = None,
    at: datetime,
    by: User | None,
) -> Staffing | None:
    """Say how many nurses a shift has; it replaces what was said of that time before.

    `seen`: what the caller saw; where something else holds by now, nothing is done. With nothing
    said, what was said goes and None is returned; the audit history keeps it. What was said of
    other hours, by another pattern of shifts, keeps the hours before the shift, else those after.
    Raises Refused for an unknown ward, a number out of bounds or a shift too far away, and
    Changed.
    """
    _check(nurses, shift, at)
    place = Ward.objects.select_for_update(no_key=True).filter(pk=ward).first()
    if place is None:
        raise Refused(f"There is no ward with the key {ward}.")
    period = DateTimeTZRange(shift.start, shift.end)
    rows = list(
        Staffing.objects.filter(ward=ward, period__overlap=period)
        .select_related("by")
        .order_by("period")
    )
    mine = next((row for row in rows if row.period == period), None)
    known = nurses_of(mine)
    if seen is not None and seen != known:
        raise Changed(_meanwhile(mine, known), known)
    if nurses == known:
        return mine
    transaction.on_commit(lambda: ring(["desk", f"site:{place.site_id}"]))
    with pghistory.context(**deed("staffing", by)):
        _make_room([row for row in rows if row is not mine], shift)
        if nurses == Nurses():
            if mine is not None:
                mine.delete()
            return None
        row = mine or Staffing(ward=place, period=period)
        row.planned, row.actual = nurses.planned, nurses.actual
        row.recorded_at, row.by = at, by
        row.save()
    return row


def nurses_of(row: Staffing | None) -> Nurses:
    """What a row says; nothing without one."""
    return Nurses() if row is None else Nurses(row.planned, row.actual)


def said_of(
    wards: Collection[int], shifts: Sequence[Worked]
) -> dict[tuple[int, datetime], Staffing]:
    """What was said of these shifts, by ward and start, with who said it; one query."""
    if not wards or not shifts:
        return {}
    wanted = {DateTimeTZRange(one.start, one.end) for one in shifts}
    rows = Staffing.objects.filter(ward__in=wards, period__in=list(wanted)).select_related("by")
    return {(row.ward_id, row.period.lower): row for row in rows}


def _check(nurses: Nurses, shift: Worked, at: datetime) -> None:
    if timezone.is_naive(at):
        raise ValueError("a time needs its zone")
    for number in (nurses.planned, nurses.actual):
        if number is not None and not 0 <= number <= MOST:
            raise Refused(f"A shift has 0 to {MOST} nurses, not {number}.")
    if shift.start > at + AHEAD:
        raise Refused(f"Nurses can be planned {AHEAD.days} days ahead, not for this shift.")
    if shift.end < at - BACK:
        raise Refused(f"This shift ended more than {BACK.days} days ago.")


def _meanwhile(row: Staffing | None, known: Nurses) -> str:
    if row is None:
        return "What you saw has been taken back meanwhile: nothing is said of this shift."
    who = f" by {row.by}" if row.by else ""
    return f"Meanwhile said{who} at {clock(row.recorded_at)}: {known}."


def _make_room(rows: Sequence[Staffing], shift: Worked) -> None:
    """Let go of the hours of a shift what was said of others."""
    for row in rows:
        if row.period.lower < shift.start:
            row.period = DateTimeTZRange(row.period.lower, shift.start)
            row.save(update_fields=["period"])
        elif row.period.upper > shift.end:
            row.period = DateTimeTZRange(shift.end, row.period.upper)
            row.save(update_fields=["period"])
        else:
            row.delete()
