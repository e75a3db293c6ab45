"""Which meeting of a site a room is to show."""

from __future__ import annotations

from datetime import datetime

from huddles.meetings.holding import timetable_of
from huddles.models import Huddle, HuddleTemplate
from wards.models import Site


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
    running = next((one for one in rows if one.runs), None)
    by_key = {one.pk: one for one in templates}
    if running is not None:
        return by_key[running.template_id], running.starts_at
    over: dict[int, set[datetime]] = {}
    for one in rows:
        over.setdefault(one.template_id, set()).add(one.starts_at)
    due = [
        (start, template.pk)
        for template in templates
        if (start := timetable_of(template).next_due(at, over=over.get(template.pk, ())))
    ]
    if not due:
        return None
    start, key = min(due)
    return by_key[key], start
