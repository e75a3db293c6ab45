"""The page that shows the rules by which beds are given."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import LABELS, Permission, roles_with
from flow.board_types import Sight
from flow.rules.board import DAYS, NoSuchVersion, rules_board
from flow.site_naming import site_named
from wards.models import Site
from wards.scope import ALL, Scope, scope_of


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The book in force for `site` (none: for all), or one of its versions, beside another."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    code = request.GET.get("site", "")
    site = site_named(request, code)[1] if code else None
    now = timezone.now()
    try:
        board = rules_board(
            site=site,
            sight=Sight.of(scope),
            now=now,
            number=_number(request, "version"),
            against=_number(request, "against"),
        )
    except NoSuchVersion:
        raise Http404(_("There is no such version of these rules.")) from None
    context = {
        "board": board,
        "days": DAYS,
        "aside": list(zip(DAYS, board.set_aside, strict=True)),
        "is_example": board.version is not None and "example" in board.version.name.lower(),
        "sites": _sites(scope),
        "roles": [LABELS[role] for role in roles_with(Permission.MANAGE_BEDS)],
    }
    response = render(request, "flow/rules.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _number(request: HttpRequest, name: str) -> int | None:
    """Raises Http404 for what is no version."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise Http404(_("There is no such version of these rules."))
    return int(text)


def _sites(scope: Scope) -> list[Site]:
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    sites = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
    return list(sites if held == ALL else sites.filter(pk__in=held))
