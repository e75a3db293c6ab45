"""Which beds suit a request, and why not the others, over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.roles import Permission
from flow.api import describing_desk as describing
from flow.api.asking_for_beds import Desk, need_in_sight, seen_by_name
from flow.api.needs_told import match_told
from flow.api.problems import invalid
from flow.api.reading import answered, filters_of, form_of, now, scope, written
from flow.desk.matches import matches
from flow.desk.types import Need
from wards.models import Site
from wards.scope import ALL

USUAL: Final = 50
MOST: Final = 1000


class RequestMatches(Desk):
    """The beds for one request, best first."""

    known: ClassVar = frozenset({"limit", "suitable", "site"})

    @extend_schema(**describing.MATCHES)
    def get(self, request: Request, key: int) -> HttpResponse:
        """Of the site where it counts unless another is named; as many queries for every bed."""
        at, seen = now(), scope(request)
        params = self.params(request, now=at)
        limit = params.number("limit", default=USUAL, most=MOST)
        suitable = params.choices("suitable", ("true", "false"))
        sites = filters_of(request, params).sites()
        if len(sites) > 1 or len(suitable) > 1:
            params.errors["site" if len(sites) > 1 else "suitable"] = "Give this parameter once."
        params.check()
        need, row = need_in_sight(request, key)
        seen_by_name(need)
        over = row.period.upper is not None and row.period.upper <= at
        held = seen.wards(Permission.SEE_COUNTS)
        found = matches(
            need,
            at=at,
            site=_site(need, sites),
            wards=None if held == ALL else held,
        )
        listed = [*found.suitable, *(() if suitable == ["true"] else found.refused)]
        if suitable == ["false"]:
            listed = list(found.refused)
        manages = seen.wards(Permission.MANAGE_BEDS)
        results = [
            match_told(one, may_override=manages == ALL or one.ward.id in manages)
            for one in ([] if over else listed[:limit])
        ]
        stored = found.stored
        book = {
            "name": found.book.name,
            "version": stored.version if stored else None,
            "valid_from": stored.valid_from if stored else None,
        }
        answer = {
            "results": results,
            "rule_book": book,
            "suitable": 0 if over else len(found.suitable),
            "refused": 0 if over else len(found.refused),
            "as_at": at,
        }
        return answered(request, written(form_of(request), answer, rows=lambda: flat(results)))


def flat(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same for CSV: of the reasons only what they say."""
    return [
        {**row, "reasons": [f"{one['speaks']}: {one['text']}" for one in row["reasons"]]}
        for row in results
    ]


def _site(need: Need, named: list[str]) -> Site:
    place = need.target or need.origin
    code = named[0] if named else place.site if place else ""
    site = Site.objects.filter(code=code).first()
    if site is None:
        raise invalid({"site": "Nobody has said where this bed is wanted; name the site."})
    return site
