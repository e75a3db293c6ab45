"""The places: who owns which site, which wards it has, and what they are."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.models import Organisation
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing
from flow.api.finding import ward_named
from flow.api.occupancy import Choice
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, sight, written
from flow.lines import visible
from wards.models import Bay, Site, Ward
from wards.scope import ALL, Scope

SITE_KINDS = frozenset(kind.value for kind in Site.Kind)


def sites_in_sight(seen: Scope) -> QuerySet[Site]:
    """The sites of which the caller may see at least one ward."""
    sites = Site.objects.select_related("organisation").order_by("position", "name", "pk")
    keys = seen.sites_in_part(Permission.SEE_COUNTS)
    return sites if keys == ALL else sites.filter(pk__in=keys)


def organisations_in_sight(seen: Scope) -> list[Organisation]:
    """The owners of those sites, what the caller has a role at, and all above them; two queries."""
    everyone = {one.pk: one for one in Organisation.objects.order_by("name", "pk")}
    held = seen.organisations(Permission.SEE_COUNTS)
    if held == ALL:
        return list(everyone.values())
    shown: set[int] = set()
    for key in {*held, *sites_in_sight(seen).values_list("organisation", flat=True)}:
        way: int | None = key
        while way is not None and way not in shown:
            shown.add(way)
            way = everyone[way].parent_id
    return [one for key, one in everyone.items() if key in shown]


def _owners(request: Request, params: Params) -> list[str]:
    seen = scope(request)
    filters = filters_of(request, params)
    return filters.owners(lambda: {one.code for one in organisations_in_sight(seen)})


class Places(Reader):
    """Lists of places."""

    needs = TokenScope.PLACES_READ

    def listed(self, request: Request, rows: list[dict[str, Any]]) -> HttpResponse:
        """All rows at once: a whole care system has a few hundred wards."""
        return answered(request, written(form_of(request), {"results": rows}))

    def one(self, request: Request, row: dict[str, Any]) -> HttpResponse:
        """A single place."""
        return answered(request, written(form_of(request), row, rows=lambda: [row]))


class Organisations(Places):
    """Trusts, councils, boards and other bodies."""

    @extend_schema(**describing.ORGANISATIONS)
    def get(self, request: Request) -> HttpResponse:
        """Those that own a site in sight, and those above them."""
        self.params(request, now=now())
        found = organisations_in_sight(scope(request))
        codes = {one.pk: one.code for one in found}
        return self.listed(
            request,
            [
                {
                    "code": one.code,
                    "name": one.name,
                    "kind": one.kind,
                    "parent": codes.get(one.parent_id or 0),
                }
                for one in found
            ],
        )


def _site(site: Site) -> dict[str, Any]:
    return {
        "code": site.code,
        "name": site.name,
        "kind": site.kind,
        "organisation": site.organisation.code,
    }


class Sites(Places):
    """Hospitals and the bases of services."""

    known: ClassVar = frozenset({"organisation", "kind"})

    @extend_schema(**describing.SITES)
    def get(self, request: Request) -> HttpResponse:
        """Those with a ward in sight."""
        params = self.params(request, now=now())
        owners, kinds = _owners(request, params), params.choices("kind", SITE_KINDS)
        params.check()
        sites = sites_in_sight(scope(request))
        if owners:
            sites = sites.filter(organisation__code__in=owners)
        if kinds:
            sites = sites.filter(kind__in=kinds)
        return self.listed(request, [_site(site) for site in sites])


class OneSite(Places):
    """One site by its code."""

    @extend_schema(**describing.SITE)
    def get(self, request: Request, code: str) -> HttpResponse:
        """The site."""
        self.params(request, now=now())
        site = sites_in_sight(scope(request)).filter(code=code).first()
        if site is None:
            raise missing("site of this code")
        return self.one(request, _site(site))


def _ward(ward: Any) -> dict[str, Any]:
    return {
        "code": ward.code,
        "name": ward.name,
        "kind": ward.kind,
        "site": ward.site.code,
        "organisation": ward.site.organisation.code,
        "specialty": ward.specialty or None,
        "sex": ward.sex,
        "recognised": ward.is_recognised,
        "beds": ward.listed_beds,
    }


def _counted(wards: QuerySet[Ward], moment: Any) -> QuerySet[Any]:
    on_the_books = Q(beds__is_recognised=True, beds__same_as=None) & (
        Q(beds__in_use=None) | Q(beds__in_use__contains=moment)
    )
    return wards.annotate(listed_beds=Count("beds", filter=on_the_books))


class Wards(Places):
    """Wards, units, virtual wards and teams: every place with capacity."""

    known: ClassVar = frozenset({"organisation", "site", "kind", "ward"})

    @extend_schema(**describing.WARDS)
    def get(self, request: Request) -> HttpResponse:
        """Those in sight, in the order of their sites."""
        asked_at = now()
        params = self.params(request, now=asked_at)
        choice = Choice.of(params, filters_of(request, params))
        owners = _owners(request, params)
        params.check()
        wards = choice.wards
        if owners:
            wards = wards.filter(site__organisation__code__in=owners)
        found = _counted(visible(wards, sight(request)), asked_at)
        return self.listed(request, [_ward(ward) for ward in found])


class OneWard(Places):
    """One ward by its code."""

    known: ClassVar = frozenset({"site"})

    @extend_schema(**describing.WARD)
    def get(self, request: Request, code: str) -> HttpResponse:
        """The ward with its bays; its beds are at `beds/` below it."""
        asked_at = now()
        params = self.params(request, now=asked_at)
        site = params.text("site")
        params.check()
        seen = sight(request)
        key = ward_named(code, site=site, sight=seen)
        ward = _counted(visible(Ward.objects.filter(pk=key), seen), asked_at).get()
        bays = Bay.objects.filter(ward=key).order_by("position", "code")
        told = [{"code": bay.code, "name": str(bay), "sex": bay.sex} for bay in bays]
        return answered(
            request,
            written(form_of(request), _ward(ward) | {"bays": told}, rows=lambda: [_ward(ward)]),
        )
