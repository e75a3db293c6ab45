"""The pages of escalation: a site and the system, with what can be done there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.site_naming import site_named
from huddles.escalation.board import site_escalation, system_escalation
from huddles.escalation.cards import take
from huddles.escalation.course import SPANS, figure
from huddles.escalation.declaring import declare, may_declare, may_declare_system
from huddles.escalation.forms import DeclareForm, ValuesForm
from huddles.escalation.rule_sets import escalates
from huddles.escalation.standing import Standing, standings
from huddles.escalation.values import tell, withdraw
from huddles.models import OpelValue
from live.shared import rendered
from wards.models import Site
from wards.scope import Scope, scope_of

KEPT: Final = 20
"""Seconds for which a drawn board may be shown again."""
WHO: Final = "who-"
"""What the name of the field begins with in which one of several of a role is chosen."""


@dataclass(slots=True)
class Desk:
    """One request of somebody at a site, or with none at the system. failed: the deed that was
    refused, reason: why."""

    scope: Scope
    site: Site | None
    now: datetime
    standing: Standing
    may_declare: bool
    may_tell: bool
    forms: dict[str, Form] = field(default_factory=dict)
    failed: str = ""
    reason: str = ""

    @property
    def here(self) -> str:
        """Where it is."""
        if self.site is None:
            return reverse("escalation:system")
        return reverse("escalation:site", args=[self.site.code])

    @property
    def name(self) -> str:
        """Of the board's doorbell."""
        return f"escalation:{self.site.pk}" if self.site else "escalation"


@require_http_methods(["GET", "HEAD", "POST"])
def site(request: HttpRequest, code: str) -> HttpResponseBase:
    """The level of one site, its parameters, and the cards of its level."""
    scope, place = site_named(request, code)
    if not escalates(place):
        raise Http404(_("Acute hospitals alone have a level here."))
    now = timezone.now()
    if request.method != "POST" and "fragment" in request.GET:
        return _fragment(request, scope, place, now)
    standing = standings([place], at=now).sites[place.pk]
    may = scope.may_at_site(Permission.RUN_HUDDLES, place.pk)
    desk = Desk(scope, place, now, standing, may_declare(scope, place), may)
    return _answered(request, desk)


@require_http_methods(["GET", "HEAD", "POST"])
def system(request: HttpRequest) -> HttpResponseBase:
    """The level of the system and of every site in sight."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    now = timezone.now()
    if request.method != "POST" and "fragment" in request.GET:
        return _fragment(request, scope, None, now)
    standing = standings([], at=now).system
    weighed = [share.site for share in standing.shares]
    desk = Desk(scope, None, now, standing, may_declare_system(scope, weighed), may_tell=False)
    return _answered(request, desk)


def _answered(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    deed = request.POST.get("deed", "")
    said = desk.standing.declared
    if desk.may_declare:
        typed = request.POST if deed == "declare" else None
        desk.forms["declare"] = DeclareForm(typed, seen=str(said.pk) if said else "")
    if desk.may_tell and desk.standing.lines:
        typed = request.POST if deed == "values" else None
        desk.forms["values"] = ValuesForm(typed, lines=desk.standing.lines)
    if request.method != "POST":
        return _page(request, desk, HTTPStatus.OK)
    return _posted(request, desk, deed)


def _posted(request: HttpRequest, desk: Desk, deed: str) -> HttpResponseBase:
    assert isinstance(request.user, User)
    desk.failed = deed
    if deed in {"cards", "withdraw"} and desk.may_tell and desk.site is not None:
        form = None
    elif (form := desk.forms.get(deed)) is None:
        raise PermissionDenied(_("You may not do that here. Ask your administrator."))
    elif not form.is_valid():
        return _page(request, desk, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        told = _DO[deed](request, desk, request.user)
    except Refused as refused:
        desk.reason = refused.reason
        return _page(request, desk, HTTPStatus.CONFLICT)
    messages.success(request, told)
    return redirect(desk.here)


def _declare(request: HttpRequest, desk: Desk, by: User) -> str:
    said = desk.forms["declare"].cleaned_data
    row = declare(
        site=desk.site,
        level=said["level"],
        reason=said["reason"],
        seen=row_key(said["seen"]),
        at=desk.now,
        by=by,
    )
    return _("OPEL %(level)d declared. It holds until another is.") % {"level": row.level}


@transaction.atomic
def _tell(request: HttpRequest, desk: Desk, by: User) -> str:
    form = desk.forms["values"]
    assert isinstance(form, ValuesForm)
    assert desk.site is not None
    if not form.told:
        raise Refused(_("Give at least one value."))
    for code, value in form.told.items():
        tell(
            site=desk.site,
            parameter=code,
            value=value,
            as_at=form.cleaned_data["as_at"] or desk.now,
            source=OpelValue.Source.HAND,
            by=by,
            at=desk.now,
        )
    return ngettext("One value recorded.", "%(number)d values recorded.", len(form.told)) % {
        "number": len(form.told)
    }


def _withdraw(request: HttpRequest, desk: Desk, by: User) -> str:
    key = row_key(request.POST.get("value", ""))
    value = OpelValue.objects.filter(site=desk.site, pk=key).first() if key else None
    if value is None:
        raise Refused(_("There is no such value here. Look at the values again."))
    withdraw(value=value, at=desk.now, by=by)
    return _("Value withdrawn. It counts no more, and stays in the history.")


def _take(request: HttpRequest, desk: Desk, by: User) -> str:
    assert desk.site is not None
    keys = [row_key(text) for text in request.POST.get("card", "").split(",")]
    declared = row_key(request.POST.get("declared", ""))
    if declared is None or None in keys:
        raise Refused(_("That card is not of the level in force. Look at the cards again."))
    chosen = {
        name.removeprefix(WHO): row_key(str(text))
        for name, text in request.POST.items()
        if name.startswith(WHO)
    }
    made = take(
        site=desk.site,
        cards=[key for key in keys if key is not None],
        declaration=declared,
        at=desk.now,
        by=by,
        who={role: key for role, key in chosen.items() if key is not None},
    )
    if not made:
        return _("That was agreed already.")
    return ngettext("One action agreed.", "%(number)d actions agreed.", len(made)) % {
        "number": len(made)
    }


_DO: Final = {"declare": _declare, "values": _tell, "withdraw": _withdraw, "cards": _take}


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    return int(text) if text in {str(days) for days in SPANS} else SPANS[0]


def _drawn(request: HttpRequest, scope: Scope, place: Site | None, now: datetime) -> Any:
    """The board, drawn once for all who see alike."""
    days = _days(request)
    name = f"escalation:{place.pk}" if place else "escalation"
    may = place is not None and scope.may_at_site(Permission.RUN_HUDDLES, place.pk)

    def paint() -> bytes:
        return render_to_string(*_board(scope, place, days, now, may=may, names=names)).encode()

    # Every viewer of a site sees all of it, so the variant is what they may do and read there.
    names = place is not None and scope.may_at_site(Permission.SEE_PATIENTS, place.pk)
    variant = f"{days}:{int(may)}{int(names)}" if place else f"{days}:{scope.key}"
    return rendered(name, variant, paint, KEPT, private=names or place is None)


def _board(
    scope: Scope, place: Site | None, days: int, now: datetime, *, may: bool, names: bool
) -> tuple[str, Mapping[str, Any]]:
    context: dict[str, Any] = {"moment": now, "live": True, "days": days, "spans": SPANS}
    if place is None:
        system_board = system_escalation(scope, days=days, at=now)
        context |= {"board": system_board, "figure": figure(system_board.course)}
        return "huddles/_escalation_system.html", context
    board = site_escalation(place, days=days, at=now, names=names)
    left = [str(one.row.pk) for one in board.cards if one.taken is None]
    context |= {
        "board": board,
        "site": place,
        "may": may,
        "figure": figure(board.course),
        "left": ",".join(left),
        "few": len(left) > 1,
    }
    return "huddles/_escalation.html", context


def _fragment(
    request: HttpRequest, scope: Scope, place: Site | None, now: datetime
) -> HttpResponse:
    drawn = _drawn(request, scope, place, now)
    same = request.headers.get("If-None-Match") == drawn.etag
    response = HttpResponse(b"" if same else drawn.body, status=304 if same else 200)
    response["ETag"] = drawn.etag
    response["X-Board"] = f"escalation:{place.pk}" if place else "escalation"
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, desk: Desk, status: HTTPStatus) -> HttpResponse:
    drawn = _drawn(request, desk.scope, desk.site, desk.now)
    days = _days(request)
    kept = f"?days={days}&fragment=1"
    up = [(_("System"), reverse("flow:system"))]
    if desk.site is not None:
        up.append((_("Escalation"), reverse("escalation:system")))
        up.append((desk.site.name, reverse("flow:site", args=[desk.site.code])))
    context = {
        "desk": desk,
        "site": desk.site,
        "standing": desk.standing,
        "declare": desk.forms.get("declare"),
        "values": desk.forms.get("values"),
        "refused": desk.forms.get(desk.failed) if status != HTTPStatus.OK else None,
        "title": _("Escalation"),
        "subtitle": desk.site.name if desk.site else _("Whole system"),
        "up": up,
        "here": desk.here,
        "board_name": desk.name,
        "fragment_address": f"{desk.here}{kept}",
        # Drawn by our own template, which escaped what had to be.
        "board_html": SafeString(drawn.body.decode()),
        "etag": drawn.etag,
        "moment": desk.now,
        "live": True,
        "today_words": f"{timezone.localtime(desk.now):%a %-d %b %H:%M}",
    }
    response = render(request, "huddles/escalation.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
