"""Which meeting of a site runs, or is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from huddles.meetings.holding import timetable_of
from huddles.models import Huddle, HuddleTemplate
from wards.models import Site


def running(rows: Iterable[Huddle]) -> Huddle | None:
    """The first of the meetings that runs."""
    return next((one for one in rows if one.runs), None)


def next_start(
    template: HuddleTemplate, rows: Sequence[Huddle], *, at: datetime
) -> datetime | None:
    """When the meeting of a template that runs began or, where none does, when the next one that
    has not ended is due; None where it is held on no day. rows: those kept of it."""
    if (now := running(rows)) is not None:
        return now.starts_at
    over = {one.starts_at for one in rows if one.closed_at is not None}
    return timetable_of(template).next_due(at, over=over)


def meeting_of_room(site: Site, *, at: datetime) -> tuple[HuddleTemplate, datetime] | None:
    """The meeting that runs at a site, the one opened last; else the one that is due first; None
    where none is set up. Two queries."""
    templates = list(
        HuddleTemplate.objects.filter(site=site, is_active=True).select_related(
            "site__organisation"
        )
    )
    rows = list(
        Huddle.objects.filter(template__in=templates, opened_at__isnull=False)
        .defer("frozen")
        .order_by("-opened_at")[: 20 * max(1, len(templates))]
    )
    by_key = {one.pk: one for one in templates}
    if (now := running(rows)) is not None:
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
