"""Which meeting of a site runs, or is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from huddles.meetings.holding import timetable_of
from huddles.meetings.timetable import LATE
from huddles.models import Huddle, HuddleTemplate
from wards.models import Site

FORGOTTEN: Final = timedelta(hours=3)
"""A meeting that runs for longer has been left without anybody ending it."""
KEPT_IN_VIEW: Final = timedelta(days=9)
"""How far back meetings matter to which one is due: as far as a timetable looks back."""


def running(rows: Iterable[Huddle], *, at: datetime) -> Huddle | None:
    """The first of the meetings that runs at `at`; one that was forgotten does not."""
    return next((one for one in rows if one.runs and not is_forgotten(one, at=at)), None)


def is_forgotten(huddle: Huddle, *, at: datetime) -> bool:
    """Whether it runs still and should long have been ended."""
    opened = huddle.opened_at
    return huddle.runs and opened is not None and at >= opened + FORGOTTEN


def held_at(site: Site) -> QuerySet[HuddleTemplate]:
    """The templates by which meetings are held at a site, or one is being held still."""
    runs = Q(huddles__opened_at__isnull=False, huddles__closed_at__isnull=True)
    return HuddleTemplate.objects.filter(Q(is_active=True) | runs, site=site).distinct()


def recent(templates: Iterable[HuddleTemplate], *, at: datetime) -> QuerySet[Huddle]:
    """The meetings of templates that matter to which one is due, without what was kept of them."""
    rows = Huddle.objects.filter(template__in=list(templates), starts_at__gte=at - KEPT_IN_VIEW)
    return rows.defer("frozen")


def next_start(
    template: HuddleTemplate, rows: Sequence[Huddle], *, at: datetime
) -> datetime | None:
    """When the meeting of a template that runs began or, where none does, when the next one that
    has not ended is due; None where it is held on no day. rows: those kept of it."""
    if (now := running(rows, at=at)) is not None:
        return now.starts_at
    if not template.is_active:
        return None
    times = timetable_of(template)
    # Somebody has spoken for a start that was moved since: it is held all the same.
    moved = [
        one.starts_at
        for one in rows
        if one.opened_at is None
        and one.starts_at - times.opens_before <= at < one.starts_at + LATE
        and not times.is_a_start(one.starts_at)
    ]
    if moved:
        return min(moved)
    over = {one.starts_at for one in rows if one.closed_at or is_forgotten(one, at=at)}
    return times.next_due(at, over=over)


def meeting_of_room(site: Site, *, at: datetime) -> tuple[HuddleTemplate, datetime] | None:
    """The meeting that runs at a site, the one opened last; else the one that is due first; None
    where none is set up. Two queries."""
    templates = list(held_at(site).select_related("site__organisation"))
    rows = list(recent(templates, at=at).filter(opened_at__isnull=False).order_by("-opened_at"))
    by_key = {one.pk: one for one in templates}
    if (now := running(rows, at=at)) is not None:
        return by_key[now.template_id], now.starts_at
    due = [
        (start, template.pk)
        for template in templates
        if (
            start := next_start(
                template, [one for one in rows if one.template_id == template.pk], at=at
            )
        )
    ]
    if not due:
        return None
    start, key = min(due)
    return by_key[key], start
