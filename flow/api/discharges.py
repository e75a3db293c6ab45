"""Figures of those who could leave, over REST."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing_waits as describing
from flow.api.barriers import PATHWAYS, moment_of
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, written
from flow.discharges import Asked, lost_within, ready_to_leave, summarise

COUNTS: Final = Permission.SEE_COUNTS


class DischargeSummary(Reader):
    """Who could leave and what they wait for, in figures."""

    needs = TokenScope.WAITS_READ
    known: ClassVar = frozenset(
        {"site", "ward", "organisation", "reason", "pathway", "at", "known_at"}
    )

    @extend_schema(**describing.SUMMARY)
    def get(self, request: Request) -> HttpResponse:
        """Counted at the moment, as it was known then; three queries at most."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        filters = filters_of(request, params)
        asked = Asked(
            sites=filters.sites(),
            wards=filters.wards(),
            organisations=filters.accountable(),
            reasons=filters.reasons(),
            pathways=[int(p) for p in params.choices("pathway", PATHWAYS) if p in PATHWAYS],
        )
        params.check()
        seen = scope(request)
        rows = ready_to_leave(moment, scope=seen, permission=COUNTS, asked=asked)
        # What somebody waited for on each day of the week is not asked of the past.
        whole = not (asked.organisations or asked.reasons or asked.pathways)
        week = lost_within(moment, scope=seen, permission=COUNTS, asked=asked) if whole else None
        told = asdict(summarise(rows, moment=moment, last_week=week))
        groups = [
            {"group": name, **group}
            for name, found in told.items()
            if isinstance(found, tuple)
            for group in found
        ]
        return answered(request, written(form_of(request), told, rows=lambda: groups))
