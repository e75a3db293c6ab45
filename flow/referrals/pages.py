"""The pages of places after hospital: what is asked and free, one referral, and asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.board_types import Face
from flow.discharges import ready_to_leave
from flow.faces import faces
from flow.moment import Moment
from flow.referrals.places import Demand, Receiving, demand, may_see_places, receiving
from flow.referrals.reading import ANSWERS, Asking, Wanted, asking
from wards.models import Referral
from wards.scope import Scope, scope_of

SHOWN: Final = {
    "open": (lazy("Open"), tuple(Referral.OPEN)),
    "declined": (lazy("Declined"), (Referral.Status.DECLINED,)),
    "over": (lazy("There or withdrawn"), (Referral.Status.PLACED, Referral.Status.WITHDRAWN)),
}
MOST: Final = 200
"""Rows of one list; what is over is listed newest first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A referral in a list, with the patient as far as the viewer may see them."""

    asking: Asking
    face: Face | None


@dataclass(frozen=True, slots=True)
class Onward:
    """All of it at a moment: to_answer waits for the viewer, coming was accepted, others wait for
    somebody else's answer."""

    moment: datetime
    demand: Sequence[Demand]
    places: Sequence[Receiving]
    to_answer: Sequence[Row]
    coming: Sequence[Row]
    others: Sequence[Row]
    over: Sequence[Row]


@require_safe
def referrals(request: HttpRequest) -> HttpResponse:
    """What is asked of places after hospital, and what they have free."""
    scope, now = scope_of(request.user), timezone.now()
    if not may_see_places(scope) and not scope.may_anywhere(Permission.MOVE_PATIENTS):
        raise PermissionDenied(_("Places after hospital are for those who plan or answer."))
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    mine = onward(scope, moment=Moment(now), shown=shown)
    context = {
        "onward": mine,
        "title": _("Places after hospital"),
        "board_name": "hub",
        "drawer": True,
        "moment": now,
        "live": True,
        "shown": shown,
        "filters": [
            (label, request.path if key == "open" else f"{request.path}?show={key}", key == shown)
            for key, (label, _statuses) in SHOWN.items()
        ],
        "fragment_address": f"{request.path}?{urlencode({'show': shown, 'fragment': '1'})}",
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
    }
    alone = "fragment" in request.GET
    response = render(request, "flow/_referrals.html" if alone else "flow/referrals.html", context)
    response["X-Board"] = "hub"
    response["Cache-Control"] = "no-store"
    return response


def onward(scope: Scope, *, moment: Moment, shown: str = "open") -> Onward:
    """Places, referrals and demand as the scope sees them; seven queries at most."""
    _label, statuses = SHOWN[shown]
    rows = asking(moment, scope=scope, wanted=Wanted(statuses=statuses))
    if shown != "open":
        rows = sorted(rows, key=lambda row: row.ended_at or row.asked_at, reverse=True)
    rows = rows[:MOST]
    known = faces({row.patient for row in rows})
    mine = [Row(row, known.get(row.patient)) for row in rows]
    places = receiving(moment) if may_see_places(scope) else []
    is_open = shown == "open"
    ready = ready_to_leave(moment, scope=scope, permission=Permission.SEE_COUNTS) if is_open else []
    waits = [row for row in mine if row.asking.status == Referral.Status.ASKED]
    answers = [row for row in waits if _answers(scope, row.asking)]
    return Onward(
        moment=moment.at,
        demand=demand(((one.episode, one.pathway) for one in ready), rows, places) if ready else [],
        places=places,
        to_answer=answers,
        coming=[row for row in mine if row.asking.status == Referral.Status.ACCEPTED],
        others=[row for row in waits if row not in answers],
        over=[row for row in mine if row.asking.status not in Referral.OPEN],
    )


def _answers(scope: Scope, one: Asking) -> bool:
    if one.to_ward_id is not None:
        return any(scope.may(permission, one.to_ward_id) for permission in ANSWERS)
    return scope.may_at_organisation(Permission.OWN_STEPS, one.organisation_id)
