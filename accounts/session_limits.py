"""When a signed-in session ends by itself.

Boards are open all day and watched more than they are clicked, so a board that somebody can see
counts as use: each time it asks for news the session goes on. A page in a hidden tab says so
(`UNSEEN`) and does not keep the session alive; nor does a laptop that was closed. Two limits:

- `settings.SESSION_IDLE` without any request from a page in view ends the session;
- `settings.SESSION_COOKIE_AGE` after signing in it ends whatever happens: a long shift.

An unattended screen in view is for the computer's own lock to cover. A board whose session has
ended hides its names and asks for a new sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

UNSEEN: Final = "Flowboard-Unseen"
"""Header of a request that a page sent by itself while nobody could see it."""

SIGNED_IN_AT: Final = "signed_in_at"
SEEN_AT: Final = "seen_at"
EVERY: Final = 60
"""Seconds between two notes of use: one write a minute, not one a request."""


def start(session: SessionBase) -> None:
    """Begin to count: somebody has just signed in."""
    session[SIGNED_IN_AT] = session[SEEN_AT] = int(timezone.now().timestamp())


class SessionLimits:
    """Middleware, between sessions and the check that somebody is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Sign out whose time is over; else note that the session is in use."""
        if SESSION_KEY in request.session:
            self._check(request, int(timezone.now().timestamp()))
        return self._get_response(request)

    def _check(self, request: HttpRequest, now: int) -> None:
        session = request.session
        signed_in = session.setdefault(SIGNED_IN_AT, now)
        seen = session.setdefault(SEEN_AT, now)
        if now - signed_in >= settings.SESSION_COOKIE_AGE:
            _end(request, "You were signed out because your shift-long session had ended.")
        elif now - seen >= settings.SESSION_IDLE.total_seconds():
            minutes = int(settings.SESSION_IDLE.total_seconds() // 60)
            _end(request, f"You were signed out after {minutes} minutes without use.")
        elif now - seen >= EVERY and UNSEEN not in request.headers:
            session[SEEN_AT] = now


def _end(request: HttpRequest, why: str) -> None:
    """Sign out and, where a person went to a page, say why on the page they come to."""
    logout(request)
    if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
        messages.info(request, f"{why} Sign in to go on.")
