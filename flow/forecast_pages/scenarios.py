"""The page of a site's scenarios: those kept under a name, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.board_types import Sight
from flow.forecast_pages.comparing import MOST, Asked, Comparison, compare
from flow.forecast_pages.pools import choices, chosen, fans_of
from flow.forecast_pages.supposing import names_seen
from flow.forecast_pages.trying import SAID, names_patients, nobody_named
from flow.forecasts.boards import ForecastBoard, told
from flow.forecasts.clock import minute_of
from flow.forecasts.issued import latest
from flow.forecasts.issuing import inputs_kept
from flow.forecasts.outlook import Fan
from flow.forecasts.scenario import (
    NOTHING,
    BadScenario,
    Scenario,
    from_json,
    from_query,
    to_query,
)
from flow.forecasts.wording import fault_said, scenario_said
from flow.models import KeptScenario
from flow.scenario_deeds import keep, remove, rename
from flow.site_naming import site_named
from wards.models import Site
from wards.scope import ALL, Scope

KEEPS = (Permission.MANAGE_BEDS, Permission.MOVE_PATIENTS, Permission.PLAN_DISCHARGE)
"""Whoever may do one of these somewhere at the site may keep scenarios of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A kept scenario in the list. address: of the forecast with it. chosen: whether it is
    compared. is_over: a time in it has passed. may_change: for the viewer."""

    kept: KeptScenario
    words: Sequence[str]
    address: str
    chosen: bool
    is_over: bool
    may_change: bool
    error: str


@require_http_methods(["GET", "HEAD", "POST"])
def scenarios(request: HttpRequest, code: str) -> HttpResponse:
    """Scenarios to be compared: `?with=` names kept ones, the names of a scenario one that is not
    kept. Sent by POST with a name, that one is kept."""
    scope, site = site_named(request, code)
    sight = Sight.of(scope)
    scenario, strange = _in_address(request, sight)
    refused = strange if request.method == "POST" else ""
    if request.method == "POST" and not strange:
        try:
            return _keep(request, scope, site, scenario, sight)
        except Refused as refusal:
            refused = refusal.reason
    return _page(request, scope, site, scenario, strange=strange, refused=refused)


def _in_address(request: HttpRequest, sight: Sight) -> tuple[Scenario, str]:
    if sight.patients == frozenset() and names_patients(request.GET):
        return NOTHING, nobody_named()
    try:
        return from_query({name: request.GET.getlist(name) for name in SAID}), ""
    except BadScenario as bad:
        return NOTHING, fault_said(bad)


def may_keep(scope: Scope, site: int) -> bool:
    """Whether the viewer may keep scenarios of the site."""
    return any((held := scope.sites_in_part(one)) == ALL or site in held for one in KEEPS)


def may_change(scope: Scope, user: object, kept: KeptScenario) -> bool:
    """Whether the viewer may rename or remove a scenario: whoever kept it, and who manages the
    beds of the whole site."""
    if scope.may_at_site(Permission.MANAGE_BEDS, kept.site_id):
        return True
    return getattr(user, "pk", None) == kept.by_id and may_keep(scope, kept.site_id)


def _keep(
    request: HttpRequest, scope: Scope, site: Site, scenario: Scenario, sight: Sight
) -> HttpResponse:
    assert isinstance(request.user, User)
    if not may_keep(scope, site.pk):
        raise PermissionDenied(_("You may not keep scenarios of this site."))
    kept = keep(
        site=site,
        name=request.POST.get("name", ""),
        scenario=scenario,
        by=request.user,
        at=timezone.now(),
        sees=sight.patients,
    )
    messages.success(request, _("“%s” is kept.") % kept.name)
    others = [("with", one) for one in request.GET.getlist("with") if one.isdecimal()]
    query = urlencode([*others, ("with", kept.pk)])
    return redirect(f"{reverse('forecast:scenarios', args=[site.code])}?{query}")


@require_POST
def one_scenario(request: HttpRequest, code: str, scenario: int) -> HttpResponse:
    """Rename a kept scenario, or keep it no longer."""
    scope, site = site_named(request, code)
    kept = KeptScenario.objects.filter(pk=scenario, site=site).first()
    if kept is None:
        raise Http404(_("This scenario is no longer kept."))
    if not may_change(scope, request.user, kept):
        raise PermissionDenied(_("Who kept a scenario, or manages the beds, may change it."))
    assert isinstance(request.user, User)
    name = kept.name
    try:
        if request.POST.get("deed") == "remove":
            remove(kept=kept, by=request.user)
            messages.success(request, _("“%s” is no longer kept.") % name)
        else:
            renamed = rename(kept=kept, name=request.POST.get("name", ""), by=request.user)
            said = _("“%(old)s” is now “%(new)s”.") % {"old": name, "new": renamed.name}
            messages.success(request, said)
    except Refused as refusal:
        messages.error(request, refusal.reason)
    return redirect("forecast:scenarios", site.code)


def _page(
    request: HttpRequest,
    scope: Scope,
    site: Site,
    scenario: Scenario,
    *,
    strange: str,
    refused: str,
) -> HttpResponse:
    now = timezone.now()
    found = latest(site.pk, by=now)
    sight = Sight.of(scope)
    board = told(site, found, now=now, sight=sight, live=True) if found else None
    wanted = request.GET.get("of", "")[:80]
    fans = fans_of(board) if board else []
    fan = chosen(fans, wanted)
    keys = {int(one) for one in request.GET.getlist("with") if re.fullmatch(r"[0-9]{1,18}", one)}
    rows = list(KeptScenario.objects.filter(site=site).select_related("by").order_by("name"))
    asked = [Asked("", None, scenario)] if scenario else []
    read = _read(rows)
    asked += [Asked(row.name, row.pk, said) for row, said, _why in read if row.pk in keys and said]
    context = {
        "site": site,
        "here": reverse("forecast:scenarios", args=[site.code]),
        "board": board,
        "comparison": _comparison(board, fan, asked, sight),
        "of": wanted,
        "choices": choices(fans),
        "lines": [_line(*one, board, scope, request, keys) for one in read],
        "scenario": scenario,
        "words": _words(scenario, board),
        "query": urlencode([*to_query(scenario), *(("with", key) for key in sorted(keys))]),
        "pairs": to_query(scenario),
        "may_keep": may_keep(scope, site.pk),
        "name": request.POST.get("name", "")[:200],
        "refused": refused,
        "strange": strange,
        "too_many": len(asked) > MOST,
        "most": MOST,
        "moment": now,
    }
    status = 422 if refused else 400 if strange else 200
    response = render(request, "flow/scenarios.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _read(rows: Sequence[KeptScenario]) -> list[tuple[KeptScenario, Scenario | None, str]]:
    """What they say; None of one that cannot be read, and why."""
    found: list[tuple[KeptScenario, Scenario | None, str]] = []
    for row in rows:
        try:
            found.append((row, from_json(row.said), ""))
        except BadScenario as bad:
            found.append((row, None, fault_said(bad)))
    return found


def _comparison(
    board: ForecastBoard | None, fan: Fan | None, asked: Sequence[Asked], sight: Sight
) -> Comparison | None:
    if board is None or fan is None or not asked:
        return None
    kept = inputs_kept(board.site.pk)
    if kept is None or kept[0].pk != board.key:
        return None
    return compare(board, fan, kept[1], asked, sight=sight)


def _words(scenario: Scenario, board: ForecastBoard | None) -> Sequence[str]:
    if board is None:
        return ()
    names = names_seen(board, [scenario])
    return scenario_said(scenario, names, at=minute_of(board.at))


def _line(
    kept: KeptScenario,
    said: Scenario | None,
    why: str,
    board: ForecastBoard | None,
    scope: Scope,
    request: HttpRequest,
    keys: set[int],
) -> Line:
    # An address that names patients is of use to those alone who may name them.
    leads = said and (not said.gone or Sight.of(scope).patients != frozenset())
    query = urlencode(to_query(said)) if said else ""
    at = minute_of(timezone.now())
    moments: list[int | None] = []
    if said:
        moments += [one.since for one in said.opened]
        moments += [one.since for one in said.closed]
        moments += [one.by for one in said.gone]
    return Line(
        kept=kept,
        words=_words(said, board) if said else (),
        address=f"{reverse('forecast:site', args=[kept.site.code])}?{query}" if leads else "",
        chosen=kept.pk in keys,
        is_over=any(one is not None and one < at for one in moments),
        may_change=may_change(scope, request.user, kept),
        error=_("It cannot be read as it was kept: %(why)s") % {"why": why} if why else "",
    )
