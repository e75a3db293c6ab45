"""What a wall screen itself asks for: nobody signs in here, and nobody who is counts.

`/screen/` shows a code until it has been typed in, and from then on what the screen was given.
"""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.refusals import Refused
from flow.api.throttles import CallerThrottle
from huddles.models import ScreenPage
from huddles.screens.listening import board_of
from huddles.screens.pairing import ask, waiting_code
from huddles.screens.recognising import COOKIE, Known, heard, new_secret, recognised
from huddles.screens.showing import drawn, edition, is_dark

TEN_YEARS: Final = 10 * 365 * 24 * 60 * 60
"""Browsers shorten it to 400 days, so it is given anew while the screen listens."""

AGAIN: Final = 30
"""Seconds after which a screen that has no code yet tries again by itself."""


@login_not_required
@require_safe
def screen(request: HttpRequest) -> HttpResponse:
    """The screen: what it was given, or the code by which it is paired."""
    secret = request.COOKIES.get(COOKIE, "")
    now = timezone.now()
    known = recognised(secret)
    if known is None:
        return _waiting(request, secret, now=now)
    response = render(request, "huddles/screens/screen.html", frame(known, now=now))
    heard(known, at=now)
    _give(response, secret)
    return _unkept(response)


def frame(known: Known, *, now: datetime) -> dict[str, Any]:
    """What stands around the pages of a screen."""
    plan = {
        "own": known.screen.board,
        "edition": edition(known.screen),
        "theme": known.screen.theme,
        "dark": [known.screen.dark_from, known.screen.dark_until],
        "pages": [
            {
                "board": board_of(page, known.screen),
                "address": reverse("screen:page", args=[page.position]),
                "seconds": page.seconds,
            }
            for page in known.pages
        ],
    }
    return {
        "plan": json.dumps(plan),
        "dark": is_dark(known.screen, now=now),
        "now": now,
        "pages": known.pages,
    }


@login_not_required
@require_safe
def page(request: HttpRequest, number: int) -> HttpResponse:
    """One page of the screen's playlist; 304 where the screen has it, 401 once it is revoked."""
    secret = request.COOKIES.get(COOKIE, "")
    known = recognised(secret)
    if known is None:
        return _unkept(HttpResponse("not paired", status=HTTPStatus.UNAUTHORIZED))
    shown = page_at(known, number)
    if shown is None:
        return _unkept(HttpResponse("no such page", status=HTTPStatus.NOT_FOUND))
    made = drawn(shown, known.screen)
    response: HttpResponse
    if request.headers.get("If-None-Match") == made.etag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(made.body)
    response["ETag"] = made.etag
    response["X-Edition"] = edition(known.screen)
    if heard(known, at=timezone.now()):
        _give(response, secret)
    return _unkept(response)


def page_at(known: Known, number: int) -> ScreenPage | None:
    """The page of the playlist at this place, from 1 on."""
    return known.pages[number - 1] if 0 < number <= len(known.pages) else None


@login_not_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Whether the browser's code still counts: `waiting`, `paired`, or `over`."""
    secret = request.COOKIES.get(COOKIE, "")
    if recognised(secret) is not None:
        said = "paired"
    else:
        said = "waiting" if waiting_code(secret=secret, at=timezone.now()) else "over"
    return _unkept(HttpResponse(said, content_type="text/plain; charset=utf-8"))


def _waiting(request: HttpRequest, secret: str, *, now: datetime) -> HttpResponse:
    """The code: the one it has while that counts, else a new one with a new secret."""
    code = waiting_code(secret=secret, at=now)
    fresh = ""
    if code is None:
        fresh = new_secret()
        try:
            code = _new_code(request, fresh, now=now)
        except Refused as refused:
            return _no_code(request, refused.reason)
    where = request.build_absolute_uri(reverse("screens:list"))
    context = {"halves": (code[:3], code[3:]), "where": where.partition("://")[2]}
    response = render(request, "huddles/screens/waiting.html", context)
    if fresh:
        _give(response, fresh)
    return _unkept(response)


def _new_code(request: HttpRequest, secret: str, *, now: datetime) -> str:
    """Raises Refused where this address has asked for too many, or too many wait."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not CallerThrottle().admits("pairing", f"pairing:{address}"):
        raise Refused(_("Too many codes were asked for from this address."))
    return ask(secret=secret, at=now)


def _no_code(request: HttpRequest, reason: str) -> HttpResponse:
    response = render(
        request,
        "huddles/screens/no_code.html",
        {"reason": reason, "seconds": AGAIN},
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    response["Refresh"] = response["Retry-After"] = str(AGAIN)
    return _unkept(response)


def _give(response: HttpResponse, secret: str) -> None:
    """Let the browser carry its secret; no script can read it, and no other site makes it sent."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=TEN_YEARS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
