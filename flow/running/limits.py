"""The drawer of a ward's limits: what it can safely hold, set by whoever manages its beds."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from flow.running.forms import LimitsForm
from flow.running.opening import ward_to_manage
from wards.limits import history, limits_of, set_limits
from wards.marks import mark_of
from wards.models import Ward
from wards.rule_files import Limits
from wards.rule_loading import limits_changed


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, ward: int) -> HttpResponse:
    """The limits of one ward, who set them, and the form to set them."""
    place, may = ward_to_manage(request, ward)
    known = limits_of(place.pk)
    if request.method != "POST":
        return _drawn(request, place, LimitsForm(known=known) if may else None, known)
    assert isinstance(request.user, User)
    form = LimitsForm(request.POST, known=known)
    if not form.is_valid():
        return _drawn(request, place, form, known, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.POST.get("seen", "") != mark_of(known):
        return _drawn(request, place, form, known, reason=_changed(place.pk))
    try:
        changed = set_limits(ward=place.pk, limits=form.limits, seen=known, by=request.user)
    except Refused as refused:
        known = limits_of(place.pk)
        return _drawn(request, place, form, known, reason=refused.reason)
    said = _said(place, changed)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect("running:staffing", place.site.code)


def _changed(ward: int) -> str:
    last = next(iter(history(ward, most=1)), None)
    how = "; ".join(last.how) if last else _("all taken back")
    who = last.by if last and last.by else _("a rule file")
    return _(
        "Meanwhile set by %(who)s: %(how)s. What you typed is below; send it again if it is to "
        "count."
    ) % {"who": who, "how": how}


def _said(place: Ward, changed: tuple[str, ...]) -> str:
    if not changed:
        return _("Nothing was different, so nothing was recorded.")
    return _("%(ward)s: %(how)s.") % {"ward": place.name, "how": "; ".join(changed)}


def _drawn(
    request: HttpRequest,
    place: Ward,
    form: LimitsForm | None,
    known: Limits,
    *,
    reason: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "ward": place,
        "form": form,
        "known": [words.partition(", was ")[0] for words in limits_changed(Limits(), known)],
        "seen": mark_of(known),
        "history": history(place.pk),
        "reason": reason,
        "refused": bool(reason) or status != HTTPStatus.OK,
        "here": request.path,
        "up_address": reverse("running:staffing", args=[place.site.code]),
        "moment": now,
        "live": True,
    }
    template = "flow/_limits.html" if "fragment" in request.GET else "flow/limits.html"
    answer = HTTPStatus.CONFLICT if reason else status
    response = render(request, template, context, status=answer)
    response["Cache-Control"] = "no-store"
    return response
