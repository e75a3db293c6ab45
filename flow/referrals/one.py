"""One referral with what was said and what can be done, and asking a place for a patient.

Both work as pages of their own, without a script; with `?fragment=1` as the drawer of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.barrier_forms import WaitForm
from flow.barriers import may_plan
from flow.bedside_reads import free_beds
from flow.faces import faces
from flow.moment import Moment
from flow.referrals.forms import AcceptForm, ArriveForm, DeclineForm, ReferForm, WithdrawForm
from flow.referrals.places import receiving
from flow.referrals.reading import Asking, Wanted, asking, may_answer
from patients.models import Code, CodeSet, Episode
from wards import referrals as deeds
from wards.barriers import Said
from wards.models import Referral, ReferralStep
from wards.scope import Scope, scope_of, visible_episodes


@dataclass(slots=True)
class Side:
    """One request at a referral. failed: the deed that was refused, reason: why."""

    scope: Scope
    now: datetime
    row: Asking
    referral: Referral
    forms: dict[str, WaitForm] = field(default_factory=dict)
    failed: str = ""
    reason: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def referral(request: HttpRequest, referral: int) -> HttpResponse:
    """One referral."""
    side = _side(request, referral)
    if request.method != "POST":
        return _drawn(request, side, 200)
    name = request.POST.get("deed", "")
    form = side.forms.get(name)
    try:
        if form is None:
            raise Refused(_("That cannot be done any more, or not by you. Look at it again."))
        if not form.is_valid():
            side.failed = name
            return _drawn(request, side, 422)
        assert isinstance(request.user, User)
        said = _DEEDS[name](side, form, Said(side.now, request.user))
    except Refused as refusal:
        side.failed, side.reason = name, refusal.reason
        return _drawn(request, side, 422)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect("referrals:list")


def _side(request: HttpRequest, key: int) -> Side:
    now, scope = timezone.now(), scope_of(request.user)
    found = asking(Moment(now), scope=scope, wanted=Wanted(key=key, statuses=()))
    if not found:
        raise Http404(_("There is no such referral, or it is not yours to see."))
    one = Referral.objects.select_related("episode", "ward__site", "organisation", "reason").get(
        pk=key
    )
    side = Side(scope, now, found[0], one)
    side.forms = _forms(side, request)
    return side


def _forms(side: Side, request: HttpRequest) -> dict[str, WaitForm]:
    """The forms of what the viewer can do now, the posted one filled with what was typed."""
    deed = request.POST.get("deed") if request.method == "POST" else None
    one = side.referral
    if one.status not in Referral.OPEN:
        return {}

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    found: dict[str, WaitForm] = {}
    if may_answer(side.scope, one):
        if one.status == Referral.Status.ACCEPTED and one.ward is not None:
            beds = free_beds(one.ward.pk, at=side.now)
            found["place"] = ArriveForm(typed("place"), beds=beds)
        found["accept"] = AcceptForm(typed("accept"), auto_id="accept-%s")
        found["decline"] = DeclineForm(typed("decline"), reasons=reasons())
    if may_plan(side.scope, one.episode_id, at=side.now):
        found["withdraw"] = WithdrawForm(typed("withdraw"), auto_id="withdraw-%s")
    return found


def reasons() -> list[Code]:
    """Why a place can decline, in order."""
    return list(
        Code.objects.filter(code_set__kind=CodeSet.Kind.DECLINE, is_withdrawn=False)
        .select_related("code_set")
        .order_by("-code_set__valid_from", "position")
    )


def _accept(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, AcceptForm)
    deeds.accept(
        referral=side.referral, starts_at=form.start, said=said, note=form.cleaned_data["note"]
    )
    return _("Accepted from %s.") % f"{timezone.localtime(form.start):%a %-d %b %H:%M}"


def _decline(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, DeclineForm)
    deeds.decline(
        referral=side.referral, reason=form.code, said=said, note=form.cleaned_data["note"]
    )
    return _("Declined: %s.") % form.code.label


def _withdraw(side: Side, form: WaitForm, said: Said) -> str:
    deeds.withdraw(referral=side.referral, said=said, note=form.cleaned_data["note"])
    return _("Taken back.")


def _arrive(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, ArriveForm)
    deeds.place(referral=side.referral, bed=form.chosen, said=said, note=form.cleaned_data["note"])
    return _("They are on %s now.") % side.referral.ward


_DEEDS: Final[Mapping[str, Callable[[Side, WaitForm, Said], str]]] = {
    "accept": _accept,
    "decline": _decline,
    "withdraw": _withdraw,
    "place": _arrive,
}


def _drawn(request: HttpRequest, side: Side, status: int) -> HttpResponse:
    steps = ReferralStep.objects.filter(referral=side.referral).select_related("by", "reason")
    context = {
        "side": side,
        "row": side.row,
        "face": faces({side.row.patient}).get(side.row.patient),
        "steps": steps.order_by("-occurred_at", "-pk"),
        "moment": side.now,
        "live": True,
        "here": request.path,
        "kind": Referral.Kind(side.row.kind).label,
        "status_word": Referral.Status(side.row.status).label,
        "list_address": reverse("referrals:list"),
    }
    alone = "fragment" in request.GET
    template = "flow/_referral.html" if alone else "flow/referral.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def refer(request: HttpRequest, episode: int) -> HttpResponse:
    """Ask a place for a patient."""
    scope, now = scope_of(request.user), timezone.now()
    seen = visible_episodes(Episode.objects.all(), scope, Permission.SEE_PATIENTS)
    stay = seen.select_related("patient").filter(pk=episode).first()
    if stay is None:
        raise Http404(_("There is no such stay, or it is not yours to see."))
    if not may_plan(scope, stay.pk, at=now):
        raise PermissionDenied(_("Asking for a place needs a role on the patient's ward."))
    form = ReferForm(
        request.POST if request.method == "POST" else None,
        places=receiving(Moment(now)),
        bodies=_hospitals(stay),
    )
    refused = ""
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        try:
            made = deeds.refer(
                episode=stay,
                kind=form.kind,
                ward=form.ward,
                organisation=form.organisation,
                pathway=form.cleaned_data["pathway"],
                needs=form.cleaned_data["needs"],
                due_at=form.cleaned_data["due_at"],
                said=Said(now, request.user),
            )
        except Refused as refusal:
            refused = refusal.reason
        else:
            messages.success(request, _("Asked: %s.") % (made.ward or made.organisation))
            return redirect(reverse("flow:stay", args=[stay.pk]))
    known = asking(Moment(now), scope=scope, wanted=Wanted(episode=stay.pk, statuses=()))
    return render(
        request,
        "flow/refer.html",
        {
            "form": form,
            "refused": refused,
            "stay": stay,
            "face": faces({stay.patient_id}).get(stay.patient_id),
            "known": known,
            "moment": now,
            "live": True,
        },
        status=422 if request.method == "POST" else 200,
    )


def _hospitals(stay: Episode) -> list[Organisation]:
    """Other bodies with hospitals, to which somebody can go back or be sent."""
    bodies = Organisation.objects.filter(kind=Organisation.Kind.TRUST).order_by("name")
    return [body for body in bodies if body.pk != stay.provider_id]
