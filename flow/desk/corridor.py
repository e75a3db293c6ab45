"""Corridor care signed off: who answers for it, until when, and what speaks against it.

The drawer of one patient in a corridor; as a page of its own it works without a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.desk.clocks import Clock, ClockKind
from flow.desk.forms import CORRIDOR_GROUPS, dress
from flow.faces import faces
from wards.by_hand import clock
from wards.corridors import Against, against, age_of, last_of, sign_off
from wards.models import CorridorSignOff, Occupancy
from wards.scope import scope_of
from wards.suitability.facts import CORRIDOR

HOURS: Final = (1, 2, 4, 8, 12)
"""After how many hours it can be looked at again; local, a start."""
_USUAL: Final = 2


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of somebody's care in a corridor. signed: the last sign-off there. against:
    why they must never be there; None where the viewer may not know. may: whether the viewer may
    sign it off."""

    signed: CorridorSignOff | None
    against: Against | None
    may: bool

    def is_due(self, at: datetime) -> bool:
        """Whether nobody answers for it at `at`: never signed off, or its review is due."""
        return self.signed is None or self.signed.review_at <= at

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in words."""
        words = dict(CORRIDOR_GROUPS)
        named = self.against.groups if self.against is not None else ()
        return tuple(str(words.get(one, one.replace("_", " "))).lower() for one in named)


def cares(
    rows: Mapping[int, tuple[int, datetime]],
    *,
    ages: Mapping[int, int | None],
    seen: frozenset[int],
    signs: frozenset[int],
    at: datetime,
) -> dict[int, Care]:
    """What is known of these episodes, each in a bed since a time; two queries. seen: those whom
    the viewer may see; signs: whom they may sign off."""
    signed, never = last_of(rows), against({one: ages.get(one) for one in rows}, at=at)
    return {
        one: Care(signed.get(one), never[one] if one in seen else None, one in signs)
        for one in rows
    }


class SignOffForm(forms.Form):
    """Who answers for it, why, and when somebody looks again."""

    accountable = forms.CharField(
        label=lazy("Who answers for it"),
        max_length=100,
        help_text=lazy("Name or role, such as: site matron on call."),
        error_messages={"required": lazy("Say who answers for it, by name or role.")},
    )
    reason = forms.CharField(
        label=lazy("Why there is no other way"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": lazy("Say why there is no other way.")},
    )
    hours = forms.TypedChoiceField(
        label=lazy("Look again within"),
        coerce=int,
        choices=[(one, lazy("1 hour") if one == 1 else f"{one} hours") for one in HOURS],
        initial=_USUAL,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="sign-%s")
        dress(self)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_offs(request: HttpRequest, episode: int) -> HttpResponse:
    """Who signed off that somebody is in a corridor, and the form to sign it off anew."""
    now, scope = timezone.now(), scope_of(request.user)
    row = (
        Occupancy.objects.filter(
            episode=episode, period__contains=now, bed__features__contains=[CORRIDOR]
        )
        .select_related("bed", "ward__site", "episode__patient")
        .first()
    )
    if row is None or row.bed is None:
        raise Http404(_("This patient is in no corridor any more. Look at the list again."))
    if not scope.may(Permission.SEE_PATIENTS, row.ward_id):
        raise PermissionDenied(_("You may not see patients here. Ask your administrator."))
    may = scope.may(Permission.MANAGE_BEDS, row.ward_id)
    if request.method != "POST":
        return _drawn(request, row, SignOffForm() if may else None, now=now)
    if not may:
        raise PermissionDenied(_("Whoever manages the beds of this ward can sign this off."))
    assert isinstance(request.user, User)
    return _posted(request, row, by=request.user, now=now)


def _posted(request: HttpRequest, row: Occupancy, *, by: User, now: datetime) -> HttpResponse:
    form = SignOffForm(request.POST)
    if not form.is_valid():
        return _drawn(request, row, form, now=now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    said = form.cleaned_data
    assert row.bed_id is not None
    try:
        if request.POST.get("bed_seen") != str(row.bed_id):
            raise Refused(_("The patient has been moved meanwhile. Look again, then decide."))
        kept = sign_off(
            episode=row.episode_id,
            bed=row.bed_id,
            accountable=said["accountable"],
            reason=said["reason"],
            review_at=now + timedelta(hours=said["hours"]),
            seen=row_key(request.POST.get("signed_seen", "")),
            at=now,
            by=by,
        )
    except Refused as refused:
        return _drawn(
            request, row, form, now=now, status=HTTPStatus.CONFLICT, reason=refused.reason
        )
    text = _("Signed off by %(who)s; look again by %(when)s.") % {
        "who": kept.accountable,
        "when": clock(kept.review_at),
    }
    if "fragment" in request.GET:
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    messages.success(request, text)
    return redirect("desk:misplaced", row.ward.site.code)


def _drawn(
    request: HttpRequest,
    row: Occupancy,
    form: SignOffForm | None,
    *,
    now: datetime,
    status: HTTPStatus = HTTPStatus.OK,
    reason: str = "",
) -> HttpResponse:
    stay = row.episode
    assert row.bed_id is not None
    since = row.period.lower
    signed = last_of({stay.pk: (row.bed_id, since)}).get(stay.pk)
    never = against({stay.pk: age_of(stay, at=now)}, at=now)[stay.pk]
    context = {
        "row": row,
        "face": faces({stay.patient_id}).get(stay.patient_id),
        "care": Care(signed, never, form is not None),
        "due": Care(signed, never, form is not None).is_due(now),
        "past": CorridorSignOff.objects.filter(episode=stay)
        .select_related("by", "bed__ward")
        .order_by("-occurred_at", "-pk")[:20],
        "clock": Clock(ClockKind.CORRIDOR, since),
        "form": form,
        "refused": status != HTTPStatus.OK,
        "reason": reason,
        "here": request.path,
        "up_address": reverse("desk:misplaced", args=[row.ward.site.code]),
        "moment": now,
        "live": True,
    }
    template = "flow/_sign_off.html" if "fragment" in request.GET else "flow/sign_off.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
