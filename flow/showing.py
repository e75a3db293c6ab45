"""Showing a board as a page: live or of a past moment, whole or the board alone, drawn once for
all who see alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.roles import Permission
from flow.asking import Asked, asked, in_words, presets
from flow.navigation import address_of
from flow.part import Part
from live.shared import rendered
from wards.scope import Scope

KEPT: Final = 20
"""Seconds for which a rendered board may be shown again: what depends on the clock alone (a
closure that begins, a figure that grows stale) is at most so late."""


@dataclass(frozen=True, slots=True)
class Show:
    """A board to be shown. name: of the doorbell. apart: tells apart what
    several boards with one doorbell keep. private: holds patients' names. context: what
    its template needs, for the moment asked for and the clock's now. part: what the viewer sees
    of the place, None for the whole. kept: what else the address asks for, so that links to
    another moment keep it; None where a site alone may be named. page: the template around the
    board, beside: what that needs besides. wrong: something asked for does not make sense."""

    name: str
    title: str
    template: str
    context: Callable[[Asked, datetime], Mapping[str, Any]]
    apart: str = ""
    private: bool = False
    subtitle: str = ""
    up: Sequence[tuple[str, str]] = field(default=())
    chart: bool = False
    drawer: bool = False
    part: Callable[[], Part | None] = lambda: None
    kept: Sequence[tuple[str, str]] | None = None
    page: str = "flow/board_page.html"
    beside: Mapping[str, Any] = field(default_factory=dict)
    wrong: bool = False

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


def answer(request: HttpRequest, scope: Scope, show: Show) -> HttpResponse:
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
        show.page,
        _page_context(request, show, wish, now)
        | dict(show.beside)
        # Rendered by our own template, which escaped what had to be.
        | {"board_html": SafeString(body.decode()), "etag": etag},
        status=400 if wish.error or show.wrong else 200,
    )
    response["Cache-Control"] = "no-store"
    return response


def _kept(show: Show, scope: Scope, paint: Callable[[], bytes]) -> tuple[bytes, str]:
    asked_for = urlencode([*(show.kept or ()), *([("", show.apart)] if show.apart else [])])
    variant = scope.key + hashlib.sha256(asked_for.encode()).hexdigest() if asked_for else scope.key
    board = rendered(show.name, variant, paint, KEPT, private=show.private)
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


def _other_knowledge(wish: Asked, kept: Sequence[tuple[str, str]]) -> str:
    """The same moment as known then, or as known now: whichever is not shown."""
    if wish.at is None:
        return ""
    said = [*kept, ("at", wish.at.isoformat())]
    return "?" + urlencode(said if wish.then else [*said, ("known", "then")])


def _kept_of(request: HttpRequest, show: Show) -> list[tuple[str, str]]:
    if show.kept is not None:
        return list(show.kept)
    site = request.GET.get("site")
    return [("site", site)] if site else []


def _page_context(request: HttpRequest, show: Show, wish: Asked, now: datetime) -> dict[str, Any]:
    moment = wish.at or now
    kept = _kept_of(request, show)
    page_path = request.path + ("?" + urlencode(kept) if kept else "")
    title, subtitle = show.heading
    return {
        "title": title,
        "subtitle": subtitle,
        "up": show.up,
        "chart": show.chart,
        "drawer": show.drawer,
        "board_name": show.name,
        "page_path": page_path,
        "kept": kept,
        "at_path": f"{page_path}{'&' if kept else '?'}at=",
        "fragment_address": f"{request.path}?{urlencode([*kept, ('fragment', '1')])}",
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
