"""The page of the hub: the board with its list, a view to be sent, and the list as CSV."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.asking import Asked, asked, tidy
from flow.board_types import Sight
from flow.discharges import LONG_STAYS
from flow.hub.board import SEE, SEE_WHO, hub
from flow.hub.export import csv_of
from flow.hub.filters import FILTERS
from flow.hub.picture import HEIGHT, WIDTH, columns
from flow.hub.wishes import GROUPS, SORTS, Wish, wish
from flow.moment import Moment
from flow.part import parts_seen
from flow.showing import Show, answer
from wards.scope import Scope, scope_of

CHOICES: Final = (
    "ward", "pathway", "days", "family", "reason", "organisation", "team", "overdue",
    "referral", "criteria",
)  # fmt: skip
"""The filters that the form offers."""
COLUMNS: Final = (
    "name", "ward", "pathway", "ready", "reason", "organisation", "due", "expected", "reviewed",
    "referral",
)  # fmt: skip
LONG_COLUMNS: Final = (
    "name", "ward", "nights", "ready", "reason", "organisation", "expected", "reviewed", "referral",
)  # fmt: skip


@require_safe
def discharges(request: HttpRequest) -> HttpResponse:
    """Everybody who could leave, or has been here long; who owns steps alone is led to them."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(SEE):
        if scope.may_anywhere(Permission.OWN_STEPS):
            return redirect("flow:work")
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    if any(not value for value in request.GET.values()) and "fragment" not in request.GET:
        return redirect(tidy(request.path, request.GET))
    wanted = wish(request.GET, scope)
    if "format" in request.GET:
        return _export(request, scope, wanted)
    return answer(request, scope, _show(scope, wanted))


def _show(scope: Scope, wanted: Wish) -> Show:
    sight = Sight.of(scope)
    part = parts_seen(sight).whole
    sees_somebody = scope.may_anywhere(SEE_WHO)

    def context(told: Asked, now: datetime) -> dict[str, Any]:
        here = replace(wanted, when=told.pairs)
        board = hub(here, moment=Moment(told.at or now, told.known_at), scope=scope)
        return {
            "board": board,
            "wish": here,
            "here": reverse("hub:hub"),
            "columns": columns(board.by_pathway),
            "picture": (WIDTH, HEIGHT),
            "sites": _sites(here, board.choices),
            "form": _form(here, board.choices),
            "hidden": _hidden(here),
            "groups": [(name, FILTERS[name].label, name == here.group) for name in GROUPS],
            "heads": _heads(here),
            "long_stays": LONG_STAYS,
            "sees_somebody": sees_somebody,
            "blind": told.at is not None and told.known_at is None,
        }

    return Show(
        "hub",
        _("Discharge hub"),
        "flow/_hub.html",
        context,
        private=sees_somebody,
        subtitle=str(part) if part else "",
        drawer=True,
        kept=wanted.pairs,
        page="flow/hub.html",
        beside={"csv": sees_somebody, "wish": wanted, "part": part},
        wrong=bool(wanted.errors),
    )


def _sites(here: Wish, choices: Any) -> list[tuple[str, int, str, bool]]:
    """The sites there are, with their addresses; none where there is but one."""
    offered = choices["site"]
    everywhere = sum(count for _key, _name, count in offered)
    chosen = here.values("site")
    found = [(_("All sites"), everywhere, here.without("site").address, not chosen)]
    found += [
        (name, count, here.narrowed(("site", key)).address, key in chosen)
        for key, name, count in offered
    ]
    return found if len(offered) > 1 or chosen else []


def _form(here: Wish, choices: Any) -> list[tuple[str, Any, str, Any]]:
    """Name, label, what is chosen and the choices of each filter; what has several values stays
    as it is."""
    found = []
    for name in CHOICES:
        values = here.values(name)
        offered = list(choices[name])
        if len(values) > 1 or (name == "criteria" and not here.long):
            continue
        chosen = values[0] if values else ""
        if chosen and chosen not in {key for key, _name, _count in offered}:
            offered.append((chosen, (here.names or {}).get((name, chosen), chosen), 0))
        if len(offered) > 1 or chosen:
            found.append((name, FILTERS[name].label, chosen, offered))
    return found


def _hidden(here: Wish) -> list[tuple[str, str]]:
    """What the form sends on without showing it."""
    several = {n for n in FILTERS if len(here.values(n)) > 1 or n not in CHOICES}
    if not here.long:
        several.add("criteria")
    kept = [(name, value) for name, value in here.chosen if name in several]
    kept += [pair for pair in here.pairs if pair[0] in ("long", "sort")]
    return [*kept, *here.when]


def _heads(here: Wish) -> list[tuple[str, Any, str, str]]:
    """The heads of the list: name, label, the address that sorts by it, and how it is sorted."""
    found = []
    usual = "nights" if here.long else "ready"
    for name in LONG_COLUMNS if here.long else COLUMNS:
        now = here.sort == name or (not here.sort and name == usual)
        # The most nights are those of who came first.
        falls = here.backwards != (name == "nights")
        order = ("descending" if falls else "ascending") if now else ""
        label = _("Criteria") if here.long and name == "ready" else SORTS[name]
        turned = here if here.sort else replace(here, sort=usual)
        found.append((name, label, turned.sorted_by(name).address, order))
    return found


def _export(request: HttpRequest, scope: Scope, wanted: Wish) -> HttpResponse:
    """The list as filtered. Who may see figures alone is refused: a row is a person, without a
    name as well."""
    if not scope.may_anywhere(SEE_WHO):
        raise PermissionDenied(
            _(
                "The list names patients, whom you may not see. The figures are in "
                "/api/v1/discharges/summary/?format=csv."
            )
        )
    now = timezone.now()
    told = asked(request, now=now)
    errors = [*wanted.errors, *([told.error] if told.error else [])]
    if request.GET["format"] != "csv":
        errors.append(_("The list is written as csv: give format=csv."))
    if errors:
        # A file that does not hold what was asked for would be taken for one that does.
        return HttpResponse("\n".join(errors), status=400, content_type="text/plain; charset=utf-8")
    moment = Moment(told.at or now, told.known_at)
    response = HttpResponse(
        csv_of(hub(wanted, moment=moment, scope=scope), moment),
        content_type="text/csv; charset=utf-8",
    )
    name = f"discharges-{timezone.localtime(moment.at):%Y-%m-%dT%H%M}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
