"""The drawer of one request for a bed: what is asked for, which beds suit, and every deed.

As a page of its own it works without a script; with `?fragment=1` it is the drawer alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.board_types import Sight
from flow.desk.called_off import called_off_request
from flow.desk.deeds import Side, do, read
from flow.desk.forms import HOURS, NeedsForm, TermsForm, WithdrawForm
from flow.desk.matches import Match, Matches, matches
from flow.desk.queue import one_need
from flow.desk.words import needed_words
from wards.marks import mark_of
from wards.models import BedRequest, Site, Ward
from wards.placing import Unsuitable, may_override
from wards.requests import terms_of
from wards.rule_books import FACTS
from wards.scope import ALL, Scope, scope_of

NOTHING: Final = Matches(
    moment=datetime.min.replace(tzinfo=UTC), suitable=(), refused=(), stored=None, book=FACTS
)
"""What is shown of beds to who may not see the patient."""
SHOWN: Final = 8
"""Beds that suit which are shown at once; the others unfold."""
REFUSED: Final = 40
"""Beds that do not suit which are listed with their reasons."""


@require_http_methods(["GET", "HEAD", "POST"])
def request_for_bed(request: HttpRequest, key: int) -> HttpResponse:
    """One request."""
    now, scope = timezone.now(), scope_of(request.user)
    need = one_need(key, at=now, sight=Sight.of(scope))
    if need is None:
        if (gone := called_off_request(request, key)) is not None:
            return gone
        raise Http404(_("This request is over, or there was none. Look at the list again."))
    side = Side(scope, now, need)
    side.must_see_counts()
    if request.method == "POST":
        return _posted(request, side)
    _offer(request, side)
    return _drawn(request, side, 200)


def _posted(request: HttpRequest, side: Side) -> HttpResponse:
    assert isinstance(request.user, User)
    if not side.need.may_see:
        raise PermissionDenied(_("You may not see this patient. Ask your administrator."))
    _offer(request, side)
    read(request.POST, side)
    try:
        if (changed := _changed_meanwhile(request, side)) is not None:
            raise Refused(changed)
        said = do(request, side, request.user)
    except Unsuitable as refusal:
        side.reason, side.may_override = refusal.reason, refusal.may_override
        return _drawn(request, side, 409)
    except Refused as refusal:
        side.reason = refusal.reason
        return _drawn(request, side, 409)
    if said is None:
        return _drawn(request, side, 422)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect(side.desk_address)


def _changed_meanwhile(request: HttpRequest, side: Side) -> str | None:
    """Why nothing may be done: another bed is held for them than the one that was seen."""
    seen = request.POST.get("held_seen")
    held = side.need.held
    if seen is None or seen == (str(held.reservation) if held else ""):
        return None
    if held is None:
        return _("The bed that was held for them is not held any more. Look again, then decide.")
    return _("Meanwhile bed %(bed)s on %(ward)s was held for them. Look again, then decide.") % {
        "bed": held.label,
        "ward": held.ward.name,
    }


def _offer(request: HttpRequest, side: Side) -> None:
    """The forms for what can be done, the posted one filled with what was typed."""
    if not side.asks or not side.need.may_see:
        return
    deed = request.POST.get("deed") if request.method == "POST" else None

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    target = side.need.target
    row = BedRequest.objects.filter(pk=side.need.id).first()
    terms = terms_of(row) if row is not None else None
    side.terms_mark = mark_of(row.ward_id, terms) if row is not None else ""
    side.forms = {
        "needs": NeedsForm(typed("needs"), needed=side.need.needed),
        "change": TermsForm(
            typed("change"),
            wards=wards_to_ask(side),
            terms=terms,
            ward=target.id if target is not None else None,
        ),
        "withdraw": WithdrawForm(typed("withdraw")),
    }


def wards_to_ask(side: Side) -> list[Ward]:
    """The wards at which a bed can be asked for: those of the sites concerned."""
    sites = {one.site for one in (side.need.origin, side.need.target) if one is not None}
    return list(
        Ward.objects.filter(site__code__in=sites, same_as=None)
        .exclude(kind__in=(Ward.Kind.UNRECOGNISED, Ward.Kind.THEATRE, Ward.Kind.CLINIC))
        .select_related("site")
        .order_by("site__position", "site__name", "position", "name")
    )


def _site(side: Side) -> Site:
    """The site whose beds are looked at: that of the ward asked for, else where they are."""
    place = side.need.target or side.need.origin
    if place is None:
        raise Http404(_("Nobody has said where this bed is wanted."))
    return Site.objects.get(code=place.site)


def _found(side: Side) -> Matches:
    held = side.scope.wards(Permission.SEE_COUNTS)
    return matches(side.need, at=side.now, site=_site(side), wards=None if held == ALL else held)


def _drawn(request: HttpRequest, side: Side, status: int) -> HttpResponse:
    # Reasons for and against a bed tell of the patient.
    found = _found(side) if side.need.may_see else NOTHING
    context = {
        "side": side,
        "need": side.need,
        "needed": needed_words(side.need.needed),
        "found": found,
        "best": found.suitable[:SHOWN],
        "rest": found.suitable[SHOWN:],
        "overridable": _overridable(found, side.scope, request),
        "refused": [one for one in found.refused if not one.judged.overridable][:REFUSED],
        "more_refused": max(0, sum(not one.judged.overridable for one in found.refused) - REFUSED),
        "gives": _gives(found, side),
        "comes": _comes(side),
        "seen_needs": mark_of(side.need.needed),
        "seen_terms": side.terms_mark,
        "hours": HOURS,
        "moment": side.now,
        "live": True,
        "here": request.path,
        "desk_address": side.desk_address,
        "hours_chosen": side.hours,
    }
    template = "flow/_request_drawer.html" if "fragment" in request.GET else "flow/request.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _overridable(found: Matches, scope: Scope, request: HttpRequest) -> list[Match]:
    """Beds that a rule refuses which the viewer may set aside; the twelve that cost least."""
    by = request.user
    assert isinstance(by, User)
    wards = {one.ward.id: may_override(by, one.ward.id) for one in found.refused}
    return [one for one in found.refused if one.judged.overridable and wards[one.ward.id]][:12]


def _gives(found: Matches, side: Side) -> frozenset[int]:
    """The wards whose beds the viewer may give."""
    wards = {one.ward.id for one in (*found.suitable, *found.refused)}
    return frozenset(ward for ward in wards if side.gives(ward))


def _comes(side: Side) -> bool:
    """Whether the viewer may say that they have come, before there is a bed."""
    need = side.need
    awaited = need.origin is None and need.target is not None and need.may_see
    return awaited and need.target is not None and side.gives(need.target.id)
