"""The pages of the boards: who may see what of which moment, drawn once for all who see alike."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.asking import Asked
from flow.board_types import Sight
from flow.boards import checks_board, site_board, system_board, ward_board
from flow.charts import trend_figure, trend_rows
from flow.flow_map_drawing import drawn
from flow.forecast_pages.headline import headlines
from flow.levels import levels
from flow.moment import Moment
from flow.part import parts_seen
from flow.round_board import round_figures
from flow.showing import Show, answer
from flow.site_groups import site_groups, ward_groups
from flow.site_naming import site_named
from flow.ward_naming import ward_address, ward_named
from wards.bed_groups import closures_of
from wards.models import Site, Ward
from wards.scope import ALL, NOWHERE, Scope, scope_of


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Where one begins after signing in: on the own ward, if there is but one."""
    held = scope_of(request.user).wards(Permission.SEE_COUNTS)
    if held != ALL and len(held) == 1:
        place = Ward.objects.select_related("site").get(pk__in=held)
        return redirect(ward_address("flow:ward", place))
    return redirect("flow:system")


def _elsewhere(scope: Scope) -> str:
    """Where they begin who see no figures at all; empty for everybody else."""
    if scope.may_anywhere(Permission.SEE_COUNTS):
        return ""
    if scope.may_anywhere(Permission.OWN_STEPS):
        return "flow:work"
    return "cleaning:beds" if scope.may_anywhere(Permission.CLEAN_BEDS) else ""


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """The whole care system; who sees none of it begins with their work or the beds to clean."""
    scope = scope_of(request.user)
    if elsewhere := _elsewhere(scope):
        return redirect(elsewhere)
    _check_sees_counts(scope)
    sight = Sight.of(scope)
    # Asked for once, and not for a board that is remembered.
    parts = cache(partial(parts_seen, sight))

    def context(wish: Asked, now: datetime) -> dict[str, Any]:
        board = system_board(now=now, sight=sight, at=wish.at, known_at=wish.known_at)
        return {
            "board": board,
            "checks_address": reverse("flow:checks"),
            "part": parts().whole,
            "parts": {site.id: parts().of_site(site.id) for site in board.sites},
            "groups": site_groups(board.sites),
            "map": drawn(board.flow),
            "levels": levels(at=wish.at or now),
            "foretold": headlines([site.code for site in board.sites], sight=sight, now=now)
            if wish.at is None
            else {},
        }

    show = Show(
        "system",
        _("Whole system"),
        "flow/_system.html",
        context,
        part=lambda: parts().whole,
    )
    return answer(request, scope, show)


@require_safe
def site(request: HttpRequest, code: str) -> HttpResponse:
    """One site: its wards and who waits for a bed."""
    scope, place = site_named(request, code)
    sight = Sight.of(scope)
    parts = cache(partial(parts_seen, sight, site=place.pk))

    def context(wish: Asked, now: datetime) -> dict[str, Any]:
        board = site_board(place, now=now, sight=sight, at=wish.at, known_at=wish.known_at)
        return {
            "board": board,
            "checks_address": reverse("flow:site_checks", args=[place.code]),
            "part": parts().whole,
            "groups": ward_groups(board.wards),
            "level": levels(at=wish.at or now).get(place.pk),
            "figure": trend_figure(board.site.trend, beds_open=board.site.figures.beds_open),
            "hours": trend_rows(board.site.trend),
            "foretold": headlines([place.code], sight=sight, now=now).get(place.code)
            if wish.at is None
            else None,
        }

    show = Show(
        f"site:{place.pk}",
        place.name,
        "flow/_site.html",
        context,
        private=sight.patients != frozenset(),
        subtitle=place.get_kind_display(),
        up=[(_("System"), reverse("flow:system"))],
        chart=True,
        part=lambda: parts().whole,
    )
    return answer(request, scope, show)


@require_safe
def ward(request: HttpRequest, code: str) -> HttpResponse:
    """The bed board of one ward."""
    scope = scope_of(request.user)
    place = ward_named(request, code)
    if isinstance(place, HttpResponse):
        return place
    if not scope.may(Permission.SEE_COUNTS, place.pk):
        raise PermissionDenied(_("You have no role on this ward. Ask your administrator."))
    sight = Sight.of(scope)

    def context(wish: Asked, now: datetime) -> dict[str, Any]:
        known_at = wish.known_at
        return {
            "board": ward_board(place, now=now, sight=sight, at=wish.at, known_at=known_at),
            "rounds": round_figures(place, Moment(wish.at or now, known_at)),
            "round_address": ward_address("flow:round", place)
            if sight.sees_patients(place.pk)
            else "",
            "shut": closures_of(place.pk, at=now) if wish.at is None else (),
            "closing_address": reverse("running:closing", args=[place.pk])
            if wish.at is None and scope.may(Permission.MANAGE_BEDS, place.pk)
            else "",
        }

    show = Show(
        f"ward:{place.pk}",
        place.name,
        "flow/_ward.html",
        context,
        private=sight.patients != frozenset(),
        subtitle=place.get_kind_display(),
        up=[
            (_("System"), reverse("flow:system")),
            (place.site.name, reverse("flow:site", args=[place.site.code])),
        ],
        drawer=True,
        beside={
            "moving": scope.may(Permission.MOVE_PATIENTS, place.pk) and "at" not in request.GET
        },
    )
    return answer(request, scope, show)


@require_safe
def checks(request: HttpRequest, code: str = "") -> HttpResponse:
    """The stays that somebody should look at: of one site, or all of them."""
    place: Site | None = None
    if code:
        scope, place = site_named(request, code)
    else:
        scope = scope_of(request.user)
        _check_sees_counts(scope)
    sight = Sight.of(scope)
    site = place.pk if place else None

    def context(wish: Asked, now: datetime) -> dict[str, Any]:
        board = checks_board(now=now, sight=sight, site=site, at=wish.at, known_at=wish.known_at)
        return {"board": board, "site": place}

    up = [(_("System"), reverse("flow:system"))]
    if place is not None:
        up.append((place.name, reverse("flow:site", args=[place.code])))
    show = Show(
        f"checks:{site}" if site else "checks",
        _("Stays to check"),
        "flow/_checks.html",
        context,
        private=sight.patients != frozenset() or sight.patients_held != NOWHERE,
        up=up,
        drawer=True,
    )
    return answer(request, scope, show)


def _check_sees_counts(scope: Scope) -> None:
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
