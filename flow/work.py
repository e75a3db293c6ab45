"""The pages of work: one list for each team that owns steps."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Organisation, Team
from accounts.roles import Permission
from flow.moment import Moment
from flow.worklists import STATUS_WORDS, Owner, Status, Worklist, work_of, worklist
from wards.scope import ALL, scope_of

OWN = Permission.OWN_STEPS


@require_safe
def work(request: HttpRequest) -> HttpResponse:
    """My teams; with a single one, its list."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(OWN):
        raise PermissionDenied(_("You are in no team that owns steps. Ask your administrator."))
    now = timezone.now()
    mine = work_of(scope, moment=Moment(now))
    if len(mine.lines) == 1 and not mine.nobodys and "fragment" not in request.GET:
        return redirect(address_of_owner(mine.lines[0].owner))
    context = {"work": mine, "title": _("Our work"), "up": [], "board_name": "hub"}
    return _answer(request, "flow/_work_index.html", context)


@require_safe
def team_work(request: HttpRequest, organisation: str, team: str) -> HttpResponse:
    """The list of one team."""
    found = (
        Team.objects.select_related("organisation")
        .filter(code=team, organisation__code=organisation)
        .first()
    )
    if found is None:
        raise Http404(_("There is no team with this code."))
    held = scope_of(request.user).teams(OWN)
    if held != ALL and found.pk not in held:
        raise PermissionDenied(_("This is the list of another team. Ask your administrator."))
    body = found.organisation
    owner = Owner(body.code, body.name, found.code, found.name, found.pk)
    return _listed(request, owner, f"team:{found.pk}")


@require_safe
def organisation_work(request: HttpRequest, organisation: str) -> HttpResponse:
    """What an organisation is accountable for and has given to none of its teams."""
    found = Organisation.objects.filter(code=organisation).first()
    if found is None:
        raise Http404(_("There is no organisation with this code."))
    held = scope_of(request.user).organisations(OWN)
    if held != ALL and found.pk not in held:
        raise PermissionDenied(
            _("This is the list of another organisation. Ask your administrator.")
        )
    return _listed(request, Owner(found.code, found.name), "hub")


def address_of_owner(owner: Owner) -> str:
    """Where the list of an owner is."""
    if owner.team:
        return reverse("flow:team_work", args=[owner.organisation, owner.team])
    return reverse("flow:organisation_work", args=[owner.organisation])


def _listed(request: HttpRequest, owner: Owner, board_name: str) -> HttpResponse:
    asked = request.GET.get("status", Status.OPEN)
    ward = request.GET.get("ward", "").replace("\0", "")
    status = Status(asked) if asked in list(Status) else Status.OPEN
    mine = worklist(
        owner,
        moment=Moment(timezone.now()),
        scope=scope_of(request.user),
        status=status,
        ward=ward,
    )
    context = {
        "list": mine,
        "title": owner.name,
        "subtitle": owner.organisation_name if owner.team else _("with none of its teams"),
        "up": [(_("Our work"), reverse("flow:work"))],
        "board_name": board_name,
        **_filters(request.path, mine),
    }
    return _answer(request, "flow/_work.html", context)


def _filters(path: str, mine: Worklist) -> dict[str, Any]:
    """Each filter with its address, what else is chosen kept."""

    def address(status: Status, ward: str) -> str:
        said = {"status": status.value} if status is not Status.OPEN else {}
        if ward:
            said["ward"] = ward
        return f"{path}?{urlencode(said)}" if said else path

    wards = [(code, name, count) for code, name, count in mine.wards]
    if mine.ward and mine.ward not in {code for code, _name, _count in wards}:
        wards.append((mine.ward, mine.ward, 0))
    return {
        "statuses": [
            (STATUS_WORDS[each], mine.counts[each], address(each, mine.ward), each is mine.status)
            for each in Status
        ],
        "wards": [
            (name, count, address(mine.status, code), code == mine.ward)
            for code, name, count in wards
        ],
        "all_wards": address(mine.status, ""),
    }


def _answer(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    now = timezone.now()
    query = request.GET.copy()
    query["fragment"] = "1"
    context |= {
        "moment": now,
        "live": True,
        "template": template,
        "drawer": True,
        "fragment_address": f"{request.path}?{query.urlencode()}",
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
    }
    alone = "fragment" in request.GET
    response = render(request, template if alone else "flow/work.html", context)
    response["X-Board"] = context["board_name"]
    response["Cache-Control"] = "no-store"
    return response
