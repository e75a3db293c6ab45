"""The rules by which levels are computed: their versions, what changed, and filling them in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import Permission
from huddles.escalation.assessing import assessed_sites
from huddles.escalation.declaring import may_declare
from huddles.escalation.rule_form import FillInForm
from huddles.escalation.rule_sets import (
    BANDS,
    DATES,
    Stored,
    amended,
    in_force,
    invented,
    keep,
    stored,
    versions,
    will_hold,
)
from huddles.escalation.rule_words import changes, cut_words, minutes, weights_text
from huddles.models import OpelRuleSet
from wards.scope import Scope, scope_of

_NEVER: Final = lazy(
    "It would never hold: it is over, or on every day to come a version valid from a later day "
    "holds. Give a later day."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A version in the list. state: "holds", "comes" or "held"; "never" where its days are over
    or another took them all."""

    row: OpelRuleSet
    state: str


def may_fill_in(scope: Scope, organisation: Organisation | None) -> bool:
    """Whether somebody may keep another version: of a body's rules who declares levels for it, of
    those for all who declares them at every hospital."""
    if organisation is not None:
        return scope.may_at_organisation(Permission.DECLARE_LEVELS, organisation.pk)
    sites = assessed_sites()
    if scope.may_everywhere(Permission.DECLARE_LEVELS):
        return True
    return bool(sites) and all(may_declare(scope, site) for site in sites)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in force, or one of their versions, beside another."""
    scope = _seen(request)
    organisation = _organisation(request)
    every = versions(organisation)
    holds = _holding(organisation)
    number = _number(request, "version", every)
    chosen = _of(every, number) if number else (holds or (every[0] if every else None))
    against = _of(every, _number(request, "against", every) or (chosen.number - 1 if chosen else 0))
    shown = stored(chosen) if chosen else None
    context = {
        "organisation": organisation,
        "organisations": _organisations(),
        "chosen": shown,
        "lines": _lines(shown) if shown else [],
        "band_label": shown.label(BANDS) if shown else None,
        "date_label": shown.label(DATES) if shown else None,
        "weights": weights_text(shown.weights) if shown else "",
        "against": against,
        "changes": changes(stored(against), shown) if against and shown else None,
        "versions": [Listed(row, _state(row, holds)) for row in every],
        "holds": holds,
        "may": bool(every) and may_fill_in(scope, organisation),
        "here": _address("escalation:rules", organisation),
        "fill_in": _address("escalation:fill_in", organisation),
        "moment": timezone.now(),
    }
    response = render(request, "huddles/opel_rules.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def fill_in(request: HttpRequest) -> HttpResponseBase:
    """Make the next version out of the last one."""
    scope = _seen(request)
    organisation = _organisation(request)
    if not may_fill_in(scope, organisation):
        raise PermissionDenied(_("Only who declares levels everywhere the rules hold may do that."))
    every = versions(organisation)
    if not every:
        raise Http404(_("No rules have been loaded yet."))
    last = stored(every[0])
    form = FillInForm(
        request.POST if request.method == "POST" else None,
        last=last,
        today=timezone.localdate(),
        may_weigh=organisation is None,
    )
    if request.method != "POST":
        return _form(request, form, organisation, last, HTTPStatus.OK)
    if not form.is_valid():
        return _form(request, form, organisation, last, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert isinstance(request.user, User)
    said = form.cleaned_data["said"]
    labels = amended(last, said=said, by=request.user, at=timezone.now())
    if not will_hold(*_days(form), organisation, on=timezone.localdate()):
        form.add_error("valid_from", _NEVER)
        return _form(request, form, organisation, last, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        row = keep(
            said=said,
            organisation=organisation,
            labels=labels,
            note=form.cleaned_data["note"],
            by=request.user,
            seen=form.cleaned_data["seen"],
        )
    except Refused as refused:
        form.add_error(None, refused.reason)
        return _form(request, form, organisation, last, HTTPStatus.CONFLICT)
    messages.success(request, _kept(row, unticked=not form.cleaned_data["example"]))
    address = _address("escalation:rules", organisation)
    return redirect(f"{address}{'&' if '?' in address else '?'}version={row.number}")


def _days(form: FillInForm) -> tuple[date, date | None]:
    return form.cleaned_data["valid_from"], form.cleaned_data["valid_until"]


def _kept(row: OpelRuleSet, *, unticked: bool) -> str:
    told = _("Kept as version %(number)d.") % {"number": row.number}
    left = invented(row.labels)
    if row.is_example and unticked and left:
        more = ngettext(
            "It stays an example: the cut-offs of %(number)d parameter are still invented.",
            "It stays an example: the cut-offs of %(number)d parameters are still invented.",
            len(left),
        )
        told = f"{told} {more % {'number': len(left)}}"
    return told


def _form(
    request: HttpRequest,
    form: FillInForm,
    organisation: Organisation | None,
    last: Stored,
    status: HTTPStatus,
) -> HttpResponse:
    context = {
        "form": form,
        "last": last,
        "organisation": organisation,
        "up": _address("escalation:rules", organisation),
        "here": _address("escalation:fill_in", organisation),
        "moment": timezone.now(),
    }
    response = render(request, "huddles/opel_fill_in.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _seen(request: HttpRequest) -> Scope:
    scope = scope_of(request.user)
    if not scope.may_anywhere(Permission.SEE_COUNTS):
        raise PermissionDenied(_("You have no role at any place yet. Ask your administrator."))
    return scope


def _organisation(request: HttpRequest) -> Organisation | None:
    code = request.GET.get("organisation", "")
    if not code:
        return None
    found = Organisation.objects.filter(code=code).first()
    if found is None:
        raise Http404(_("There is no such organisation."))
    return found


def _organisations() -> list[Organisation]:
    """Those with rules of their own."""
    rows = Organisation.objects.filter(opel_rule_sets__isnull=False)
    return list(rows.distinct().order_by("name"))


def _holding(organisation: Organisation | None) -> OpelRuleSet | None:
    found = in_force(timezone.localdate()).by_organisation
    held = found.get(organisation.pk if organisation else None)
    return held.row if held else None


def _state(row: OpelRuleSet, holds: OpelRuleSet | None) -> str:
    if holds is not None and row.pk == holds.pk:
        return "holds"
    return "comes" if row.valid_from > timezone.localdate() else "held"


def _number(request: HttpRequest, name: str, every: list[OpelRuleSet]) -> int | None:
    """Raises Http404 for what is no version."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if text not in {str(row.number) for row in every}:
        raise Http404(_("There is no such version of these rules."))
    return int(text)


def _of(every: list[OpelRuleSet], number: int) -> OpelRuleSet | None:
    return next((row for row in every if row.number == number), None)


def _lines(shown: Stored) -> list[dict[str, Any]]:
    return [
        {
            "parameter": one,
            "cuts": cut_words(one),
            "label": shown.label(one.code),
            "minutes": minutes(one.stale_after),
        }
        for one in shown.rules.parameters
    ]


def _address(name: str, organisation: Organisation | None) -> str:
    asked = urlencode({"organisation": organisation.code}) if organisation else ""
    return reverse(name) + (f"?{asked}" if asked else "")
