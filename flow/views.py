"""The pages of the boards: who may see what of which moment, drawn once for all who see alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.asking import Asked, asked, in_words, presets
from flow.board_types import Sight
from flow.boards import checks_board, site_board, system_board, ward_board
from flow.charts import trend_figure, trend_rows
from flow.flow_map_drawing import drawn
from flow.moment import Moment
from flow.navigation import address_of
from flow.part import Part, parts_seen
from flow.round_board import round_figures
from flow.site_groups import site_groups, ward_groups
from flow.ward_naming import ward_address, ward_named
from live.shared import rendered
from wards.models import Site, Ward
from wards.scope import ALL, NOWHERE, Scope, scope_of

KEPT: Final = 20
"""Seconds for which a rendered board may be shown again: what depends on the clock alone (a
closure that begins, a figure that grows stale) is at most so late."""


@dataclass(frozen=True, slots=True)
class Show:
    """A board to be shown. name: of the doorbell. private: holds patients' names. context: what
    its template needs, for the moment asked for and the clock's now. part: what the viewer sees
    of the place, None for the whole."""

    name: str
    title: str
    template: str
    context: Callable[[Asked, datetime], Mapping[str, Any]]
    private: bool = False
    subtitle: str = ""
    up: Sequence[tuple[str, str]] = field(default=())
    chart: bool = False
    drawer: bool = False
    part: Callable[[], Part | None] = lambda: None

    @property
    def heading(self) -> tuple[str, str]:
        """Title and subtitle: who sees a part is not told that it is the whole."""
        part = self.part()
        if part is None:
            return self.title, self.subtitle
        yours = part.yours.capitalize()
        title = _("%(yours)s in %(place)s") % {"yours": yours, "place": self.title}
        subtitle = f"{self.subtitle}, {part}" if self.subtitle else str(part)
        return (title if self.up else yours), subtitle


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Where one begins after signing in: on the own ward, if there is but one."""
    held = scope_of(request.user).wards(Permission.SEE_COUNTS)
    if held != ALL and len(held) == 1:
        place = Ward.objects.select_related("site").get(pk__in=held)
        return redirect(ward_address("flow:ward", place))
    return redirect("flow:system")


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """The whole care system; who sees none of it begins with their work."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(Permission.SEE_COUNTS) and scope.may_anywhere(Permission.OWN_STEPS):
        return redirect("flow:work")
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
        }

    show = Show(
        "system",
        _("Whole system"),
        "flow/_system.html",
        context,
        part=lambda: parts().whole,
    )
    return _answer(request, scope, show)


@require_safe
def site(request: HttpRequest, code: str) -> HttpResponse:
    """One site: its wards and who waits for a bed."""
    scope, place = _site_named(request, code)
    sight = Sight.of(scope)
    parts = cache(partial(parts_seen, sight, site=place.pk))

    def context(wish: Asked, now: datetime) -> dict[str, Any]:
        board = site_board(place, now=now, sight=sight, at=wish.at, known_at=wish.known_at)
        return {
            "board": board,
            "checks_address": reverse("flow:site_checks", args=[place.code]),
            "part": parts().whole,
            "groups": ward_groups(board.wards),
            "figure": trend_figure(board.site.trend, beds_open=board.site.figures.beds_open),
            "hours": trend_rows(board.site.trend),
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
    return _answer(request, scope, show)


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
    )
    return _answer(request, scope, show)


@require_safe
def checks(request: HttpRequest, code: str = "") -> HttpResponse:
    """The stays that somebody should look at: of one site, or all of them."""
    place: Site | None = None
    if code:
        scope, place = _site_named(request, code)
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
    return _answer(request, scope, show)


def _check_sees_counts(scope: Scope) -> None:
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))


def _site_named(request: HttpRequest, code: str) -> tuple[Scope, Site]:
    """The site of this code, and the scope of somebody who may see counts of some of it."""
    scope = scope_of(request.user)
    place = Site.objects.select_related("organisation").filter(code=code).first()
    if place is None:
        raise Http404(_("There is no site with this code."))
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    if held != ALL and place.pk not in held:
        raise PermissionDenied(_("You have no role at this site. Ask your administrator."))
    return scope, place


def _answer(request: HttpRequest, scope: Scope, show: Show) -> HttpResponse:
    """The page, or with `?fragment=1` the board alone, 304 where the caller has it already."""
    now = timezone.now()
    wish = asked(request, now=now)

    def paint() -> bytes:
        if wish.nothing_known:
            told = {"first": in_words(wish.records.recorded) if wish.records.recorded else ""}
            return render_to_string("flow/_nothing_known.html", told).encode()
        context = {
            "cleaning_untold": wish.at is not None and not wish.records.tells_cleaning(wish.at),
            "moment": wish.at or now,
            "live": wish.at is None,
            "at_query": wish.query,
            "mapping": address_of("interop:mapping")
            if scope.may_anywhere(Permission.MANAGE_FEEDS)
            else "",
            **show.context(wish, now),
        }
        return render_to_string(show.template, context).encode()

    if wish.at is None:
        body, etag = _kept(show, scope, paint)
    else:
        body, etag = paint(), ""
    if "fragment" in request.GET:
        return _fragment(request, show, body, etag)
    response = render(
        request,
        "flow/board_page.html",
        _page_context(request, show, wish, now)
        # Rendered by our own template, which escaped what had to be.
        | {"board_html": SafeString(body.decode()), "etag": etag},
        status=400 if wish.error else 200,
    )
    response["Cache-Control"] = "no-store"
    return response


def _kept(show: Show, scope: Scope, paint: Callable[[], bytes]) -> tuple[bytes, str]:
    board = rendered(show.name, scope.key, paint, KEPT, private=show.private)
    return board.body, board.etag


def _fragment(request: HttpRequest, show: Show, body: bytes, etag: str) -> HttpResponse:
    response: HttpResponse
    if etag and request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body)
    if etag:
        response["ETag"] = etag
    response["X-Board"] = show.name
    response["Cache-Control"] = "no-store"
    return response


def _other_knowledge(wish: Asked, kept: Mapping[str, str]) -> str:
    """The same moment as known then, or as known now: whichever is not shown."""
    if wish.at is None:
        return ""
    said = {**kept, "at": wish.at.isoformat()} | ({} if wish.then else {"known": "then"})
    return "?" + urlencode(said)


def _page_context(request: HttpRequest, show: Show, wish: Asked, now: datetime) -> dict[str, Any]:
    moment = wish.at or now
    site = request.GET.get("site")
    kept = {"site": site} if site else {}
    fragment = {**kept, "fragment": "1"}
    title, subtitle = show.heading
    return {
        "title": title,
        "subtitle": subtitle,
        "up": show.up,
        "chart": show.chart,
        "drawer": show.drawer,
        "board_name": show.name,
        "page_path": request.path + ("?" + urlencode(kept) if kept else ""),
        "fragment_address": f"{request.path}?{urlencode(fragment)}",
        "moment": moment,
        "past": wish.at is not None,
        "past_words": in_words(moment),
        "known_then": wish.then,
        "caveats": wish.caveats,
        "known_other": _other_knowledge(wish, kept),
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
        "presets": presets(now=now),
        "at_query": wish.query,
        "at_typed": wish.typed or f"{timezone.localtime(now):%Y-%m-%dT%H:%M}",
        "at_most": f"{timezone.localtime(now):%Y-%m-%dT%H:%M}",
        "at_error": wish.error,
    }
