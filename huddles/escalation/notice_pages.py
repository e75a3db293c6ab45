"""The page on which everybody says what they want to be told of, and when not."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from huddles.escalation.board import sites_seen
from huddles.escalation.notice_deeds import end_rule, make_rule, set_hours
from huddles.escalation.notice_form import HoursForm, RuleForm
from huddles.escalation.rule_sets import in_force
from huddles.models import Notice, NoticeHours, NoticeRule
from wards.models import Site
from wards.scope import scope_of

SHOWN = 20
"""How many of the notices sent last are listed."""


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponseBase:
    """One's own rules, quiet hours, and what was sent."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    assert isinstance(request.user, User)
    sites = sites_seen(scope)
    hours = NoticeHours.objects.filter(user=request.user).first() or NoticeHours(user=request.user)
    deed = request.POST.get("deed", "")
    forms: dict[str, Form] = {
        "rule": RuleForm(
            request.POST if deed == "rule" else None,
            sites=sites,
            parameters=_parameters(sites),
        ),
        "hours": HoursForm(request.POST if deed == "hours" else None, hours=hours),
    }
    status = HTTPStatus.OK
    if request.method == "POST":
        form = forms.get(deed)
        if form is not None and not form.is_valid():
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            try:
                messages.success(request, _done(request, deed, form, request.user))
                return redirect("escalation:notices")
            except Refused as refused:
                messages.error(request, refused.reason)
                status = HTTPStatus.CONFLICT
    return _page(request, request.user, hours, forms, status)


def _parameters(sites: list[Site]) -> dict[str, str]:
    """Every parameter of the rules that hold at one of these sites, by its code."""
    rules = in_force(timezone.localdate())
    found: dict[str, str] = {}
    for site in sites:
        stored = rules.of(site)
        for one in stored.rules.parameters if stored else ():
            found.setdefault(one.code, one.name)
    return found


def _done(request: HttpRequest, deed: str, form: Form | None, user: User) -> str:
    now = timezone.now()
    if isinstance(form, RuleForm):
        make_rule(user=user, wish=form.wish, at=now)
        return _("You will be told of it.")
    if isinstance(form, HoursForm):
        said = form.cleaned_data
        set_hours(
            user=user,
            quiet_from=said["quiet_from"],
            quiet_until=said["quiet_until"],
            on_duty_until=said["on_duty_until"],
            at=now,
        )
        return _("Your hours are recorded.")
    end_rule(user=user, rule=row_key(request.POST.get("rule", "")), at=now)
    return _("You will not be told of it any more.")


def _page(
    request: HttpRequest,
    user: User,
    hours: NoticeHours,
    forms: dict[str, Form],
    status: HTTPStatus,
) -> HttpResponse:
    now = timezone.now()
    rules = NoticeRule.objects.filter(user=user, ended_at=None).select_related("site")
    sent = Notice.objects.filter(rule__user=user).order_by("-at", "-pk")
    context = {
        "rules": rules.order_by("pk"),
        "names": _parameters(sites_seen(scope_of(user))),
        "sent": sent[:SHOWN],
        "hours": hours,
        "on_duty": hours.on_duty_until is not None and now < hours.on_duty_until,
        "ready": settings.MAIL_READY,
        "address": user.email,
        "form": forms["rule"],
        "hours_form": forms["hours"],
        "moment": now,
    }
    response = render(request, "huddles/notices.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
