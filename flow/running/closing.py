"""The drawer in which a bay or a whole ward is closed and reopened, or its escalation opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.row_keys import row_key
from flow.bed_state_forms import said_at
from flow.bedside_forms import WhenForm
from flow.running.forms import WHOLE, CloseGroupForm, OpenGroupForm, PlaceForm, bay_of
from flow.running.opening import ward_to_manage
from flow.ward_naming import ward_address
from wards import bed_states
from wards.bed_groups import Group, close_group, closures_of, groups_of, open_group
from wards.by_hand import refuse_ahead
from wards.models import Closure, Ward


@dataclass(slots=True)
class Side:
    """One request. seen: tells whether the same was closed and open when it was looked at.
    reopening: for each closure in force the form that ends it. failed, reason: what was refused,
    and why; which: the closure it was about."""

    ward: Ward
    now: datetime
    may: bool
    groups: Sequence[Group]
    closures: Sequence[Closure]
    forms: dict[str, WhenForm] = field(default_factory=dict)
    reopening: list[tuple[Closure, WhenForm]] = field(default_factory=list)
    failed: str = ""
    reason: str = ""
    which: int | None = None

    @property
    def whole(self) -> Group:
        """The whole ward."""
        return self.groups[0]

    @property
    def seen(self) -> str:
        """What is closed and opened, as the form sends it back."""
        shut = "-".join(str(one.shut) for one in self.groups)
        return f"{','.join(str(one.pk) for one in self.closures)}/{shut}"

    @property
    def failed_form(self) -> WhenForm | None:
        """The form that was refused."""
        if self.failed != "reopen":
            return self.forms.get(self.failed)
        return next((form for one, form in self.reopening if one.pk == self.which), None)


@require_http_methods(["GET", "HEAD", "POST"])
def closing(request: HttpRequest, ward: int) -> HttpResponse:
    """What of a ward is closed as a whole, and what can be done about it."""
    place, may = ward_to_manage(request, ward)
    side = _looked_at(request, place, may)
    if request.method != "POST":
        return _drawn(request, side, HTTPStatus.OK)
    return _posted(request, side)


def _looked_at(request: HttpRequest, place: Ward, may: bool) -> Side:
    now = timezone.now()
    groups, closures = groups_of(place, at=now), closures_of(place.pk, at=now)
    side = Side(place, now, may, groups, closures)
    if not may:
        return side
    deed, which = request.POST.get("deed"), row_key(request.POST.get("closure", ""))

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    closed = {one.bay_id for one in closures}
    open_places = [(_key(one), _words(one)) for one in groups if one.bay not in closed]
    if open_places:
        side.forms["close"] = CloseGroupForm(typed("close"), places=open_places)
    shut = [(_key(one), _escalation(one, one.shut)) for one in groups if one.shut]
    if shut:
        side.forms["open"] = OpenGroupForm(typed("open"), places=shut, auto_id="open-%s")
    opened = [(_key(one), _escalation(one, one.opened)) for one in groups if one.opened]
    if opened:
        side.forms["shut"] = PlaceForm(typed("shut"), places=opened, auto_id="shut-%s")
    side.reopening = [
        (one, WhenForm(typed("reopen") if one.pk == which else None, auto_id=f"again-{one.pk}-%s"))
        for one in closures
    ]
    return side


def _posted(request: HttpRequest, side: Side) -> HttpResponse:
    assert isinstance(request.user, User)
    deed = request.POST.get("deed", "")
    side.failed, side.which = deed, row_key(request.POST.get("closure", ""))
    if request.POST.get("seen") != side.seen:
        side.reason = _("What is closed here has changed meanwhile. Look again, then decide.")
        return _drawn(request, side, HTTPStatus.CONFLICT)
    form = side.failed_form
    if form is None or deed not in _DO:
        side.reason = _("That cannot be done here now. Look at the board again.")
        return _drawn(request, side, HTTPStatus.CONFLICT)
    if not form.is_valid():
        return _drawn(request, side, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        refuse_ahead(said_at(form), side.now)
        said = _DO[deed](side, form, request.user)
    except Refused as refused:
        side.reason = refused.reason
        return _drawn(request, side, HTTPStatus.UNPROCESSABLE_ENTITY)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect(ward_address("flow:ward", side.ward))


def _close(side: Side, form: WhenForm, by: User) -> str:
    bay, said = bay_of(form), form.cleaned_data
    group = next(one for one in side.groups if one.bay == bay)
    bed_states.close(
        ward=side.ward.pk if bay is None else None,
        bay=bay,
        reason=said["reason"],
        since=said_at(form) or side.now,
        until=said["until"],
        note=said["note"],
        by=by,
    )
    if not group.occupied:
        return _("Closed: %(what)s.") % {"what": _name(group)}
    return ngettext(
        "Closed: %(what)s. One patient stays; the bed is out of use once they have left.",
        "Closed: %(what)s. %(number)d patients stay; each bed is out of use once they have left.",
        group.occupied,
    ) % {"what": _name(group), "number": group.occupied}


def _reopen(side: Side, form: WhenForm, by: User) -> str:
    found = next(one for one, own in side.reopening if own is form)
    bed_states.reopen(closure=found.pk, at=said_at(form) or side.now, by=by)
    return _("Open again: %(what)s.") % {"what": found.bay or _("the whole ward")}


def _open(side: Side, form: WhenForm, by: User) -> str:
    done = open_group(
        ward=side.ward.pk,
        bay=bay_of(form),
        since=said_at(form) or side.now,
        until=form.cleaned_data["until"],
        by=by,
    )
    return ngettext(
        "One escalation bed opened.", "%(number)d escalation beds opened.", len(done)
    ) % {"number": len(done)}


def _shut(side: Side, form: WhenForm, by: User) -> str:
    number = close_group(ward=side.ward.pk, bay=bay_of(form), at=said_at(form) or side.now, by=by)
    return ngettext(
        "One escalation bed no longer opened.",
        "%(number)d escalation beds no longer opened.",
        number,
    ) % {"number": number}


_DO: Final[Mapping[str, Callable[[Side, WhenForm, User], str]]] = {
    "close": _close,
    "reopen": _reopen,
    "open": _open,
    "shut": _shut,
}


def _key(group: Group) -> str:
    return WHOLE if group.bay is None else str(group.bay)


def _name(group: Group) -> str:
    return group.name or _("the whole ward")


def _words(group: Group) -> str:
    said = [
        ngettext("1 bed", "%(number)d beds", group.beds) % {"number": group.beds},
        _("%(number)d with patients") % {"number": group.occupied},
    ]
    if group.held:
        said.append(_("%(number)d held") % {"number": group.held})
    name = _name(group)
    return f"{name[:1].upper()}{name[1:]} ({', '.join(said)})"


def _escalation(group: Group, number: int) -> str:
    name = _name(group)
    beds = ngettext("1 escalation bed", "%(number)d escalation beds", number) % {"number": number}
    return f"{name[:1].upper()}{name[1:]} ({beds})"


def _drawn(request: HttpRequest, side: Side, status: HTTPStatus) -> HttpResponse:
    context = {
        "side": side,
        "ward": side.ward,
        "here": request.path,
        "board_address": ward_address("flow:ward", side.ward),
        "moment": side.now,
        "live": True,
    }
    template = "flow/_closing.html" if "fragment" in request.GET else "flow/closing.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
