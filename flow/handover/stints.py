"""When somebody was last here.

A stint goes on as long as its person opens a page or does a deed at least every `GAP`. What a
page asks for by itself, as a live board does, is no work and asks the database nothing here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import User
from flow.models import Stint

GAP: Final = timedelta(hours=4)
"""How long somebody may do nothing here and still be in the same stint: a long meeting, but less
than the time between two shifts."""
EVERY: Final = 300.0
"""Seconds between two notes of one person by one process."""
_PARTS: Final = frozenset(
    {"flow", "desk", "handover", "hub", "forecast", "rules", "cohorts", "referrals"}
)
"""The parts of Flowboard (namespaces of addresses) in which flow is managed."""
_DRAWERS: Final = frozenset({"flow:bed", "flow:stay", "flow:barrier", "desk:request"})
"""What somebody opens beside a board; these ask for a fragment as live boards do."""
_ROOM: Final = 10_000

_noted: dict[int, float] = {}


def forget() -> None:
    """Forget whom this process has noted lately."""
    _noted.clear()


def touch(user: int, *, at: datetime) -> None:
    """Note that somebody is at work at `at`; one query, none where this process noted them less
    than `EVERY` ago."""
    now = time.monotonic()
    if now - _noted.get(user, -EVERY) < EVERY:
        return
    if len(_noted) >= _ROOM:
        _noted.clear()
    _noted[user] = now
    note(user, at=at)


def note(user: int, *, at: datetime) -> None:
    """Let the stint of somebody go on at `at`, or begin one; of those before, the last stays.

    Two processes that begin one at once begin one: the database forbids the second.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"user": user, "at": at, "earliest": at - GAP})


_NOTE: Final = """
WITH last AS (
    SELECT id, seen_at FROM flow_stint WHERE user_id = %(user)s ORDER BY seen_at DESC LIMIT 1),
longer AS (
    UPDATE flow_stint SET seen_at = greatest(flow_stint.seen_at, %(at)s)
      FROM last
     WHERE flow_stint.id = last.id AND last.seen_at >= %(earliest)s
    RETURNING flow_stint.id),
older AS (
    DELETE FROM flow_stint
     WHERE user_id = %(user)s AND NOT EXISTS (SELECT 1 FROM longer)
       AND id <> (SELECT id FROM last))
INSERT INTO flow_stint (user_id, began_at, seen_at)
SELECT %(user)s, %(at)s, %(at)s WHERE NOT EXISTS (SELECT 1 FROM longer)
ON CONFLICT DO NOTHING
"""


def last_here(user: int, *, at: datetime) -> datetime | None:
    """When the stint before the one at `at` ended; None where there was none. One query."""
    rows = Stint.objects.filter(user=user, began_at__lte=at).order_by("-began_at")
    ends = list(rows.values_list("seen_at", flat=True)[:2])
    if ends and ends[0] < at - GAP:
        return ends[0]  # the present one has not been noted
    return ends[1] if len(ends) > 1 else None


class AtWork:
    """Middleware: notes that somebody signed in opens a page or does a deed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go on; the page is known only later."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Note it before the page asks since when."""
        match = request.resolver_match
        if match is None or match.namespace not in _PARTS:
            return None
        asks_itself = request.method != "POST" and "fragment" in request.GET
        if asks_itself and match.view_name not in _DRAWERS:
            return None
        if isinstance(request.user, User):
            touch(request.user.pk, at=timezone.now())
        return None
