"""The page of a site's forecast: beds ahead, what if, and what was said of the past."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from flow.asking import Asked, tidy
from flow.board_types import Sight
from flow.forecast_pages.panel import panel
from flow.forecast_pages.past import numbers_past, patients_past
from flow.forecast_pages.pools import chosen, fans_of
from flow.forecast_pages.reading import TRACE, Seen, after, counted
from flow.forecast_pages.shown import beds_shown, leaving_shown
from flow.forecast_pages.supposing import Supposed, names_seen, suppose
from flow.forecast_pages.trying import FIELDS, SAID, Typed, typed
from flow.forecasts.boards import ForecastBoard, told
from flow.forecasts.clock import minute_of
from flow.forecasts.happened import happened_board, yesterday_morning
from flow.forecasts.issued import latest
from flow.forecasts.issuing import inputs_kept
from flow.forecasts.models_board import models_board
from flow.forecasts.outlook import Fan
from flow.forecasts.scenario import BadScenario, to_query
from flow.forecasts.wording import fault_said
from flow.showing import Show, answer
from flow.site_naming import site_named
from wards.models import Site, Ward
from wards.scope import NOWHERE, Scope

Pairs = list[tuple[str, str]]


@require_safe
def forecast(request: HttpRequest, code: str) -> HttpResponse:
    """What is foretold of a site; `?of=` chooses beds, `?at=` an earlier forecast beside what came
    of it, and the names of a scenario ask what if."""
    scope, site = site_named(request, code)
    sees_patients = Sight.of(scope).patients != frozenset()
    is_past = bool(request.GET.get("at"))
    wanted = request.GET.get("of", "")[:80].replace("\0", "")
    what_if = Typed() if is_past else _what_if(request.GET, site, sees_patients)
    kept = _kept(wanted, what_if, request.GET)
    if "fragment" not in request.GET:
        if "try" in request.GET and what_if.is_sound:
            return redirect(_address(request.path, kept))
        if "try" not in request.GET and any(not value for value in request.GET.values()):
            return redirect(tidy(request.path, request.GET))
    return answer(request, scope, _show(site, scope, wanted, what_if, kept))


def _what_if(query: QueryDict, site: Site, sees_patients: bool) -> Typed:
    wards: list[int] = []
    if "try" in query:
        wards = list(Ward.objects.filter(site=site, same_as=None).values_list("pk", flat=True))
    at = minute_of(timezone.now())
    return typed(query, wards=wards, at=at, sees_patients=sees_patients)


def _kept(wanted: str, what_if: Typed, query: QueryDict) -> Pairs:
    """What the address asks for, as it is to be sent to somebody."""
    of = [("of", wanted)] if wanted else []
    if what_if.is_sound:
        return [*of, *to_query(what_if.scenario)]
    names = FIELDS if "try" in query else SAID
    return [*of, *((name, value) for name in names for value in query.getlist(name))]


def _address(path: str, pairs: Pairs) -> str:
    return path + ("?" + urlencode(pairs) if pairs else "")


def _show(site: Site, scope: Scope, wanted: str, what_if: Typed, kept: Pairs) -> Show:
    sight = Sight.of(scope)
    here = reverse("forecast:site", args=[site.code])

    def context(asked: Asked, now: datetime) -> dict[str, Any]:
        if asked.at is None:
            found = _now(site, sight, wanted, what_if, now)
        else:
            found = _past(site, sight, wanted, asked.at, now)
        return found | {
            "site": site,
            "here": here,
            "said": _address(here, kept),
            "scenario_pairs": to_query(what_if.scenario),
            "scenario_query": urlencode(to_query(what_if.scenario)),
            "yesterday": yesterday_morning(now).isoformat(),
        }

    return Show(
        f"forecast:{site.pk}",
        _("Forecast"),
        "flow/_forecast.html",
        context,
        private=sight.patients != frozenset() or sight.patients_held != NOWHERE,
        subtitle=site.name,
        up=[
            (_("System"), reverse("flow:system")),
            (site.name, reverse("flow:site", args=[site.code])),
        ],
        chart=True,
        kept=kept,
        page="flow/forecast.html",
        beside={"site": site},
        wrong=not what_if.is_sound,
    )


# --- now ------------------------------------------------------------------------------------------


def _now(site: Site, sight: Sight, wanted: str, what_if: Typed, now: datetime) -> dict[str, Any]:
    kept = latest(site.pk, by=now)
    if kept is None:
        return {"board": None, "models": models_board(site)}
    board = told(site, kept, now=now, sight=sight, live=True)
    fan = chosen(fans_of(board), wanted)
    context: dict[str, Any] = {"board": board, "bad": what_if.strange}
    if fan is None:
        return context | _without_beds(board, wanted)
    supposed = None
    if what_if.scenario:
        supposed, context["bad"] = _supposed(board, fan, what_if, sight)
    context["supposed"] = supposed
    context["beds"] = beds_shown(board, fan, seen=_trace(site, fan, board), supposed=supposed)
    return context | {
        "panel": panel(what_if, kept.issued, fan.pool, sight=sight, board=board, now=now),
        "patients_held": sight.patients != frozenset(),
    }


def _trace(site: Site, fan: Fan, board: ForecastBoard) -> list[Seen]:
    """The free beds of the hours before a forecast."""
    return counted(site.pk, fan.pool, since=board.at - TRACE, until=board.at)


def _without_beds(board: ForecastBoard, wanted: str) -> dict[str, Any]:
    return {"leaving": list(leaving_shown(board)), "unknown": wanted}


def _supposed(
    board: ForecastBoard, fan: Fan, what_if: Typed, sight: Sight
) -> tuple[Supposed | None, str]:
    """What would follow, or why that cannot be told."""
    inputs = inputs_kept(board.site.pk)
    if inputs is None or inputs[0].pk != board.key:
        return None, _("What would follow can be worked out from the next forecast on.")
    names = names_seen(board, [what_if.scenario])
    try:
        found = suppose(
            inputs[1],
            what_if.scenario,
            fan.pool,
            names=names,
            with_queue=fan is board.fan,
            sight=sight,
        )
    except BadScenario as error:
        return None, fault_said(error)
    return found, ""


# --- the past -------------------------------------------------------------------------------------


def _past(site: Site, sight: Sight, wanted: str, at: datetime, now: datetime) -> dict[str, Any]:
    """An earlier forecast, with what came of it."""
    found = happened_board(site, now=now, sight=sight, at=at)
    if found is None:
        return {"board": None, "too_early": True}
    board = found.said
    fan = chosen(fans_of(board), wanted)
    context: dict[str, Any] = {
        "board": board,
        "happened": found,
        "people": patients_past(found, sight=sight),
        "outcomes": numbers_past(found),
    }
    if fan is None:
        return context | _without_beds(board, wanted)
    came = next((one.seen for one in found.beds if one.fan is fan), ())
    seen = [*_trace(site, fan, board), *after(board, came)]
    return context | {"beds": beds_shown(board, fan, seen=seen, came=came)}
