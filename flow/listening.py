"""Which boards the caller of an event stream may hear of (`settings.LIVE_AUTHORISER`)."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.roles import Permission
from live.stream import Caller
from wards.scope import ALL, Scope, scope_of


def may_hear(caller: Caller, boards: frozenset[str]) -> frozenset[str] | None:
    """Those of `boards` that the session's user may see; None without a session."""
    key = caller.cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    if not user.is_authenticated:
        return None
    scope = scope_of(user)
    return frozenset(board for board in boards if _sees(scope, board))


def _sees(scope: Scope, board: str) -> bool:
    kind, _, number = board.partition(":")
    if kind in ("system", "checks", "forecasts", "desk", "handover", "escalation") and not number:
        return scope.may_anywhere(Permission.SEE_COUNTS)
    if kind == "actions" and not number:
        return True  # the bell alone; the list shows what each may see
    if kind == "hub" and not number:
        return scope.may_anywhere(Permission.SEE_COUNTS) or scope.may_anywhere(Permission.OWN_STEPS)
    if kind == "cleaning" and not number:
        return scope.may_anywhere(Permission.CLEAN_BEDS)
    if kind == "team" and number:
        teams = scope.teams(Permission.OWN_STEPS)
        return teams == ALL or int(number) in teams
    if kind == "ward" and number:
        return scope.may(Permission.SEE_COUNTS, int(number))
    if kind in ("site", "checks", "forecast", "huddle", "escalation") and number:
        sites = scope.sites_in_part(Permission.SEE_COUNTS)
        return sites == ALL or int(number) in sites
    return False
