"""Meetings, over REST: what was held, what is due, and what was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Count, Q
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.roles import Permission
from accounts.row_keys import storable
from flow.api.problems import missing
from flow.api.reading import answered, form_of, now, scope, written
from huddles.api import describing_huddles as describing
from huddles.api.actions import Huddles, paged, site_asked
from huddles.meetings.board import board_of
from huddles.meetings.due import next_start, recent
from huddles.meetings.freezing import as_seen
from huddles.meetings.timetable import LATE
from huddles.models import Huddle, HuddleTemplate
from wards.scope import ALL

MOST = 100


class Meetings(Huddles):
    """The meetings of the sites in sight."""

    known: ClassVar = frozenset({"site", "status", "limit", "cursor"})

    @extend_schema(**describing.HUDDLES)
    def get(self, request: Request) -> HttpResponse:
        """Due, running and held, the latest first."""
        at = now()
        params = self.params(request, now=at)
        code, status = params.text("site"), params.text("status")
        site = site_asked(params, code, request) if code else None
        if status and status not in describing.STATUSES:
            params.errors["status"] = f"Give one of {', '.join(describing.STATUSES)}."
        limit, place = params.number("limit", default=MOST, most=MOST), params.place()
        params.check()
        held = scope(request).sites_in_part(Permission.SEE_COUNTS)
        seen = Q() if held == ALL else Q(site__in=held)
        if site is not None:
            seen &= Q(site=site)
        rows, last = _rows(seen, at, limit=limit, place=place)
        results = [one for one in rows if status in (None, one["status"])]
        results.sort(key=lambda one: (one["starts_at"], one["template"]), reverse=True)
        return paged(request, results, last, at=at)


class OneMeeting(Huddles):
    """One meeting."""

    @extend_schema(**describing.HUDDLE)
    def get(self, request: Request, key: int) -> HttpResponse:
        """What its wards said and what was agreed: as kept when it ended, else as it is now."""
        self.params(request, now=now())
        at = now()
        held = scope(request).sites_in_part(Permission.SEE_COUNTS)
        rows = Huddle.objects.select_related("template__site__organisation", "chair").filter(
            pk=storable(key) or 0
        )
        if held != ALL:
            rows = rows.filter(template__site__in=held)
        huddle = rows.annotate(said=Count("lines")).first()
        if huddle is None:
            raise missing("huddle of this key")
        kept = huddle.frozen
        if kept is None:
            template = huddle.template
            kept = as_seen(board_of(template, huddle.starts_at, at=at, viewer=None, scope=None))
        told = _told(huddle, at, confirmed=kept["totals"]["confirmed"])
        more = {name: kept[name] for name in describing.KEPT}
        answer = told | {"moment": datetime.fromisoformat(kept["moment"])} | more
        return answered(request, written(form_of(request), answer, rows=lambda: [told]))


def _rows(
    seen: Q, at: datetime, *, limit: int, place: tuple[datetime, int] | None
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """A page of what was held and what runs, on the first with the one of each meeting that is due;
    and where it ended, None on the last."""
    templates = list(HuddleTemplate.objects.filter(seen).select_related("site"))
    rows = Huddle.objects.filter(template__in=templates)
    if place is not None:
        start, key = place
        rows = rows.filter(Q(starts_at__lt=start) | Q(starts_at=start, pk__lt=key))
    held = list(
        rows.select_related("template__site", "chair")
        .defer("frozen")
        .annotate(said=Count("lines"))
        .order_by("-starts_at", "-pk")[: limit + 1]
    )
    last = None
    if len(held) > limit:
        held = held[:limit]
        last = [held[-1].starts_at.isoformat(), held[-1].pk]
    found = [_told(one, at, confirmed=one.said) for one in held]
    if place is not None:
        return found, last
    # What has ended may stand on another page.
    kept = list(recent(templates, at=at))
    for template in templates:
        mine = [one for one in kept if one.template_id == template.pk]
        due = next_start(template, mine, at=at) if template.is_active else None
        if due is not None and all(one.starts_at != due for one in mine):
            found.append(_told(Huddle(template=template, starts_at=due), at, confirmed=0))
    return found, last


def _told(huddle: Huddle, at: datetime, *, confirmed: int) -> dict[str, Any]:
    if huddle.closed_at is not None:
        status = "held"
    elif huddle.runs:
        status = "open"
    else:
        status = "due" if at < huddle.starts_at + LATE else "missed"
    return {
        "id": huddle.pk,
        "site": huddle.template.site.code,
        "template": huddle.template.name,
        "status": status,
        "starts_at": huddle.starts_at,
        "opened_at": huddle.opened_at,
        "closed_at": huddle.closed_at,
        "chair": str(huddle.chair) if huddle.chair else None,
        "step": huddle.step or None,
        "confirmed": confirmed,
    }
