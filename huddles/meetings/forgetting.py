"""Ends meetings that everybody has left: one that runs for ever would hide the next.

It is kept as it was seen `FORGOTTEN` after it began, whenever that is found out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.refusals import Refused
from huddles.meetings.board import board_of
from huddles.meetings.due import FORGOTTEN
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import close_meeting, locked
from huddles.models import Huddle

AT_ONCE: Final = 20
"""Meetings that one turn of the worker ends."""


def end_forgotten(*, now: datetime) -> int:
    """End what was forgotten by `now`, in the name of whoever led it; how many were."""
    rows = Huddle.objects.filter(closed_at__isnull=True, opened_at__lte=now - FORGOTTEN)
    ended = 0
    for huddle in rows.select_related("template__site__organisation", "chair")[:AT_ONCE]:
        ended += _end(huddle)
    return ended


@transaction.atomic
def _end(huddle: Huddle) -> bool:
    assert huddle.opened_at is not None, "it was asked for"
    assert huddle.chair is not None, "the database says so"
    at = huddle.opened_at + FORGOTTEN
    try:
        locked(huddle)
        board = board_of(huddle.template, huddle.starts_at, at=at, viewer=None, scope=None)
        kept = as_seen(board) | {"was_left": True}
        close_meeting(huddle=huddle, frozen=kept, at=at, by=huddle.chair)
    except Refused:
        return False  # somebody has ended it meanwhile
    return True
