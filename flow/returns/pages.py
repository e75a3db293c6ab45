"""The pages of the daily returns: which are due, one of them with its differences, its patients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.api.formats import as_csv
from flow.board_types import Face
from flow.faces import faces
from flow.models import DailyReturn
from flow.returns.definitions import KINDS, Kind
from flow.returns.submitting import Entered, Sheet, counted_from, sheet, submit
from patients.models import Episode
from wards.models import Site
from wards.scope import ALL, Scope, scope_of, visible_episodes

SEE: Final = Permission.SEE_COUNTS
SIGN: Final = Permission.SIGN_RETURNS
DAYS: Final = 15
"""How many days are listed: as many as may still be amended."""


MOST: Final = 1_000_000
"""More than any hospital has of anything that is counted here."""

_WHOLE: Final = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(,[0-9]{3})+)(\.0*)?")
"""How people type a number of beds or patients: 1204, or 1,204."""


@dataclass(frozen=True, slots=True)
class Line:
    """The return of one day in the list: versions sent, by whom and when last."""

    day: date
    sent: int
    by: str
    at: datetime | None
    address: str


@dataclass(frozen=True, slots=True)
class Behind:
    """A stay behind a number. face: None where the viewer may not see the patient."""

    episode: int
    face: Face | None
    visit: str
    admitted_at: datetime | None
    discharged_at: datetime | None


@require_safe
def returns(request: HttpRequest) -> HttpResponse:
    """The returns of the last days, by organisation and kind."""
    bodies = bodies_of(scope_of(request.user))
    if not bodies:
        raise PermissionDenied(
            _(
                "Returns are of whole organisations, and you have a role at none. "
                "Ask your administrator."
            )
        )
    chosen = next((b for b in bodies if b.code == request.GET.get("organisation")), bodies[0])
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    context = {
        "bodies": bodies,
        "body": chosen,
        "kinds": [(DailyReturn.Kind(kind).label, _lines(kind, chosen, days)) for kind in KINDS],
        "today": today,
    }
    return render(request, "flow/returns.html", context)


def bodies_of(scope: Scope) -> list[Organisation]:
    """The organisations with hospitals whose returns the scope may see; one query."""
    acute = Site.objects.filter(kind=Site.Kind.ACUTE)
    bodies = Organisation.objects.filter(sites__in=acute).distinct().order_by("name")
    held = scope.organisations(SEE)
    return list(bodies if held == ALL else bodies.filter(pk__in=held))


def _lines(kind: Kind, body: Organisation, days: list[date]) -> list[Line]:
    sent = {
        one.day: list(one.versions.all())
        for one in DailyReturn.objects.filter(
            kind=kind, organisation=body, day__in=days
        ).prefetch_related("versions__signed_by")
    }
    lines = []
    for day in days:
        versions = sorted(sent.get(day, ()), key=lambda v: v.number)
        last = versions[-1] if versions else None
        lines.append(
            Line(
                day=day,
                sent=len(versions),
                by=str(last.signed_by) if last else "",
                at=last.signed_at if last else None,
                address=address_of_return(kind, body.code, day),
            )
        )
    return lines


def address_of_return(kind: str, organisation: str, day: date) -> str:
    """Where the return of a day is."""
    return reverse("returns:one", args=[kind, organisation, day.isoformat()])


@require_http_methods(["GET", "HEAD", "POST"])
def one_return(request: HttpRequest, kind: str, organisation: str, day: str) -> HttpResponse:
    """The return of one day: as it was sent, as it would be now, and signing it."""
    scope = scope_of(request.user)
    body, when = _asked(scope, kind, organisation, day)
    may_sign = scope.may_at_organisation(SIGN, body.pk)
    failed, status = "", 200
    if request.method == "POST":
        if not may_sign:
            raise PermissionDenied(_("Only those who sign returns of this organisation may."))
        try:
            made = _sign(request, cast(Kind, kind), body, when)
        except Refused as refused:
            failed, status = refused.reason, 422
        else:
            messages.success(
                request,
                _("Signed and sent.") if made == 1 else _("Amended: version %d.") % made,
            )
            return redirect(request.path)
    try:
        mine = sheet(cast(Kind, kind), body, when)
    except Refused as refused:
        raise Http404(refused.reason) from None
    if request.GET.get("format") == "csv":
        return _csv(mine, kind)
    begins, today = counted_from(mine.definition.kind, when), timezone.localdate()
    return render(
        request,
        "flow/return.html",
        {
            "sheet": mine,
            "kind": DailyReturn.Kind(kind),
            "may_sign": may_sign and begins <= timezone.now() and today <= mine.last_day,
            "not_yet": begins if begins > timezone.now() else None,
            "failed": failed,
            "typed": request.POST,
            "lines": _typed_lines(mine, request.POST),
            "behind": _behind(request, scope, mine),
            "up": f"{reverse('returns:list')}?organisation={body.code}",
        },
        status=status,
    )


def _asked(scope: Scope, kind: str, organisation: str, day: str) -> tuple[Organisation, date]:
    body = Organisation.objects.filter(code=organisation).first()
    when = _date(day)
    if kind not in KINDS or body is None or when is None or when > timezone.localdate():
        raise Http404(_("There is no such return."))
    if not scope.may_at_organisation(SEE, body.pk):
        raise PermissionDenied(_("This is a return of another organisation."))
    return body, when


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _sign(request: HttpRequest, kind: Kind, body: Organisation, day: date) -> int:
    assert isinstance(request.user, User)
    mine = sheet(kind, body, day)
    entered = {}
    for row in mine.rows:
        said = request.POST.get(f"value-{row.number.key}", "").strip()
        if not said or row.number.is_rate:
            continue
        value = float(said.replace(",", "")) if _WHOLE.fullmatch(said) else None
        if value is None or value > MOST:
            raise Refused(_("%s: give a whole number from 0 up, such as 12.") % row.number.label)
        if value != row.number.value:
            why = request.POST.get(f"why-{row.number.key}", "")
            entered[row.number.key] = Entered(value, why[:300])
    seen = request.POST.get("seen", "")
    return submit(
        kind=kind,
        organisation=body,
        day=day,
        by=request.user,
        at=timezone.now(),
        entered=entered,
        note=request.POST.get("note", "")[:500],
        seen=int(seen) if seen.isdecimal() and len(seen) < 5 else -1,
    ).number


def _typed_lines(mine: Sheet, typed: Mapping[str, Any]) -> list[tuple[Any, str, str]]:
    """Each row with the number and the reason that were typed for it."""
    return [
        (row, typed.get(f"value-{row.number.key}", ""), typed.get(f"why-{row.number.key}", ""))
        for row in mine.rows
    ]


def _behind(request: HttpRequest, scope: Scope, mine: Sheet) -> tuple[str, list[Behind]] | None:
    """The patients behind the number that was opened."""
    row = next((r for r in mine.rows if r.number.key == request.GET.get("line")), None)
    if row is None or not row.number.episodes:
        return None
    seen = visible_episodes(
        Episode.objects.filter(pk__in=row.number.episodes), scope, Permission.SEE_PATIENTS
    )
    found = list(seen.select_related("visit").order_by("admitted_at", "pk"))
    known = faces({one.patient_id for one in found})
    listed = [
        Behind(
            one.pk, known.get(one.patient_id), one.visit.number, one.admitted_at, one.discharged_at
        )
        for one in found
    ]
    return row.number.label, listed


def _csv(mine: Sheet, kind: str) -> HttpResponse:
    latest, begins = mine.latest, counted_from(mine.definition.kind, mine.day)
    is_counted = begins <= timezone.now()
    table = [
        {
            "organisation": mine.organisation.code,
            "day": mine.day,
            "definition": mine.definition.slug,
            "version": mine.definition.version,
            "line": row.number.key,
            "label": row.number.label,
            "sent": _plain(row.sent),
            "counted_now": _plain(row.number.value if is_counted else None),
            "reason": row.why,
            "amendment": latest.number if latest else None,
            "signed_by": str(latest.signed_by) if latest else None,
            "signed_at": latest.signed_at if latest else None,
            "counted_from": begins,
        }
        for row in mine.rows
    ]
    response = HttpResponse(as_csv(table), content_type="text/csv; charset=utf-8")
    name = f"{kind}-{mine.organisation.code}-{mine.day:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
