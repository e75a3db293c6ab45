"""How full the wards are, and bed by bed who is where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from accounts.tokens import TokenScope
from flow.api import describing
from flow.api.bed_lists import bed_lists
from flow.api.filters import Filters
from flow.api.finding import ward_named
from flow.api.formats import Row
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, sight, written
from flow.api.sharing import Shared, SharedReader
from flow.beginning import records
from flow.board_types import Sight, WardLine
from flow.census import confirmed_at
from flow.figure_types import Figures, Group
from flow.lines import View, lines_of, visible
from flow.moment import Moment
from flow.totals import sums, total_of
from wards.models import Ward

SOON: Final = 2
"""Seconds for which one answer about many wards serves everybody: the boards' version tells of
a change once it has been counted, and this bounds the wait where nobody counts."""

CALM: Final = 10
"""Seconds for which one answer about one ward serves everybody: its version tells of every
change, so only what the clock alone changes can be late."""

KINDS: Final = frozenset(kind.value for kind in Ward.Kind)

ALL_GROUPS: Final = "all"
"""The group of a total over all recognised wards."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which wards `site`, `ward` and `kind` name; each may be repeated."""

    sites: list[str]
    codes: list[str]
    kinds: list[str]

    @classmethod
    def of(cls, params: Params, filters: Filters) -> Choice:
        """What the parameters say."""
        return cls(filters.sites(), filters.wards(), params.choices("kind", KINDS))

    @property
    def wards(self) -> QuerySet[Ward]:
        """These wards."""
        named = {"site__code__in": self.sites, "code__in": self.codes, "kind__in": self.kinds}
        return Ward.objects.filter(**{name: values for name, values in named.items() if values})


@extend_schema_view(get=extend_schema(**describing.OCCUPANCY))
class Occupancy(SharedReader):
    """The census of every ward in sight: now or at `at`, as known now or at `known_at`."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"site", "ward", "kind", "at", "known_at"})

    def share(self, request: Request, **_: Any) -> Shared:
        """One row a ward."""
        params = self.params(request, now=now())
        choice = Choice.of(params, filters_of(request, params))
        at, known_at = params.moment("at"), params.moment("known_at")
        params.check()
        seen, form = sight(request), form_of(request)

        def make(asked_at: datetime) -> bytes:
            view = View.of(now=asked_at, at=at, known_at=known_at, sight=seen)
            answer = {"results": list(_rows(choice.wards, view)), "records": told(view.live)}
            return written(form, answer)

        variant = ("occupancy", scope(request).key, params.canonical)
        return Shared("system", variant, ttl=SOON, private=False, form=form, make=make)


def told(live: bool) -> dict[str, Any] | None:
    """From when on answers about the past can be relied on; nothing of the present."""
    if live:
        return None
    found = records()
    return {
        "begin": found.begin,
        "complete_from": found.complete,
        "recorded_from": found.recorded,
        "cleaning_from": found.cleaning,
    }


def _rows(wards: QuerySet[Ward], view: View) -> Iterable[Row]:
    found = lines_of(wards, view)
    for ward, line in zip(found.wards, found.lines, strict=True):
        yield {
            "ward": ward.code,
            "ward_name": ward.name,
            "site": ward.site.code,
            "organisation": ward.site.organisation.code,
            "kind": ward.kind,
            "specialty": ward.specialty or None,
            "recognised": line.recognised,
            "in_use": line.in_use,
            **_figures(line.figures, line.longest_wait),
        }


def _figures(figures: Figures, longest_wait: datetime | None) -> dict[str, Any]:
    return {
        "beds_open": figures.beds_open,
        "beds_occupied": figures.beds_occupied,
        "beds_available": figures.beds_available,
        "beds_unready": figures.beds_unready,
        "beds_closed": figures.beds_closed,
        "beds_not_opened": figures.beds_not_opened,
        "beds_escalation": figures.beds_escalation,
        "patients": figures.patients,
        "bedless": figures.bedless,
        "unlisted": figures.unlisted,
        "clashes": figures.clashes,
        "on_leave": figures.on_leave,
        "waiting": figures.waiting,
        "waiting_out": figures.waiting_out,
        "longest_wait_since": longest_wait,
        "pending_discharges": figures.pending_discharges,
        "as_at": figures.as_at,
        "stale": figures.stale,
    }


@extend_schema_view(get=extend_schema(**describing.TOTALS))
class Totals(SharedReader):
    """What the wards in sight add up to: of the system and of each site, group by group."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"site", "at", "known_at"})

    def share(self, request: Request, **_: Any) -> Shared:
        """One row a group; those of the system first, unless sites were chosen."""
        params = self.params(request, now=now())
        sites = filters_of(request, params).sites()
        at, known_at = params.moment("at"), params.moment("known_at")
        params.check()
        seen, form = sight(request), form_of(request)

        def make(asked_at: datetime) -> bytes:
            view = View.of(now=asked_at, at=at, known_at=known_at, sight=seen)
            answer = {"results": list(_totals(sites, view)), "records": told(view.live)}
            return written(form, answer)

        variant = ("totals", scope(request).key, params.canonical)
        return Shared("system", variant, ttl=SOON, private=False, form=form, make=make)


def _totals(sites: list[str], view: View) -> Iterable[Row]:
    found = lines_of(Choice(sites, [], []).wards, view)
    by_site: dict[str, list[WardLine]] = defaultdict(list)
    for line in found.lines:
        by_site[line.place.site].append(line)
    if not sites:
        yield from _sums(None, found.lines, view)
    for site, lines in by_site.items():
        yield from _sums(site, lines, view)


def _sums(site: str | None, lines: Sequence[WardLine], view: View) -> Iterable[Row]:
    at = view.moment.at
    added = sums(lines, at=at)
    strangers = [line for line in lines if not line.recognised]
    parts = [*added.parts, added.everything]
    if strangers:
        parts.append(total_of(Group.UNRECOGNISED, strangers, at=at))
    for part in parts:
        yield {
            "site": site,
            "group": part.group or ALL_GROUPS,
            "wards": part.wards,
            **_figures(part.figures, part.longest_wait),
        }


@extend_schema_view(get=extend_schema(**describing.WARD_BEDS))
class WardBeds(SharedReader):
    """One ward, bed by bed in their order; patients where the caller may see them."""

    needs = TokenScope.OCCUPANCY_READ
    or_needs = (TokenScope.BEDS_READ,)
    known: ClassVar = frozenset({"site", "at", "known_at"})

    def share(self, request: Request, **place: Any) -> Shared:
        """One row a bed, and whoever has none."""
        params = self.params(request, now=now())
        site = params.text("site")
        at, known_at = params.moment("at"), params.moment("known_at")
        params.check()
        seen, form = sight(request), form_of(request)
        ward = ward_named(place["code"], site=site, sight=seen)
        named = seen.sees_patients(ward)

        def make(asked_at: datetime) -> bytes:
            row = Ward.objects.select_related("site").get(pk=ward)
            told_at = at or (asked_at if known_at else confirmed_at([ward], now=asked_at))
            moment = Moment(at or asked_at, known_at)
            beds, bedless = bed_lists([row], moment=moment, sight=seen)
            head = {"ward": row.code, "site": row.site.code, "as_at": told_at}
            told_of = told(not (at or known_at))
            answer = head | {"results": beds, "bedless": bedless, "records": told_of}
            return written(form, answer)

        variant = ("beds", "named" if named else "counted", params.canonical)
        return Shared(f"ward:{ward}", variant, ttl=CALM, private=named, form=form, make=make)


@extend_schema_view(get=extend_schema(**describing.BEDS))
class Beds(SharedReader):
    """As a ward's beds, of all wards chosen, ward after ward."""

    needs = TokenScope.OCCUPANCY_READ
    or_needs = (TokenScope.BEDS_READ,)
    known: ClassVar = frozenset({"site", "ward", "kind", "at", "known_at"})

    def share(self, request: Request, **_: Any) -> Shared:
        """One row a bed."""
        params = self.params(request, now=now())
        choice = Choice.of(params, filters_of(request, params))
        at, known_at = params.moment("at"), params.moment("known_at")
        params.check()
        seen, form = sight(request), form_of(request)
        named = seen.patients != frozenset()

        def make(asked_at: datetime) -> bytes:
            moment = Moment(at or asked_at, known_at)
            live = not (at or known_at)
            return written(form, _all_beds(choice.wards, moment, seen, live=live))

        variant = ("beds", scope(request).key, str(named), params.canonical)
        return Shared("system", variant, ttl=SOON, private=named, form=form, make=make)


def _all_beds(wards: QuerySet[Ward], moment: Moment, seen: Sight, *, live: bool) -> dict[str, Any]:
    rows = list(visible(wards, seen))
    beds, bedless = bed_lists(rows, moment=moment, sight=seen)
    place = {(ward.site.code, ward.code): number for number, ward in enumerate(rows)}
    beds.sort(key=lambda bed: place[bed["site"], bed["ward"]])
    told_at = confirmed_at([row.pk for row in rows], now=moment.at) if live else moment.at
    return {"as_at": told_at, "results": beds, "bedless": bedless, "records": told(live)}


class OneBed(Reader):
    """One bed by its key."""

    needs = TokenScope.OCCUPANCY_READ
    or_needs = (TokenScope.BEDS_READ,)
    known: ClassVar = frozenset({"at", "known_at"})

    @extend_schema(**describing.BED)
    def get(self, request: Request, key: int) -> HttpResponse:
        """The bed as in the lists."""
        asked_at = now()
        params = self.params(request, now=asked_at)
        at, known_at = params.moment("at"), params.moment("known_at")
        params.check()
        seen = sight(request)
        ward = visible(Ward.objects.filter(beds=key), seen).first()
        beds, _ = bed_lists(
            [ward] if ward else [], moment=Moment(at or asked_at, known_at), sight=seen
        )
        found = next((bed for bed in beds if bed["id"] == key), None)
        if found is None:
            raise missing("bed of this key")
        return answered(request, written(form_of(request), found, rows=lambda: [found]))
