"""The daily returns over REST: as sent, and as counted now."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing, describing_waits
from flow.api.barriers import done, entry_of
from flow.api.entries import SignEntry
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, form_of, now, scope, written
from flow.returns.definitions import KINDS, Kind
from flow.returns.pages import bodies_of
from flow.returns.submitting import Row, Sheet, counted_from, sheet, submit


class _Return(Reader):
    """The return of one day, of every organisation in sight."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"date", "organisation"})
    kind: ClassVar[Kind]

    def get(self, request: Request) -> HttpResponse:
        """Of today unless `date` says otherwise; up to twelve queries an organisation."""
        at = now()
        params = self.params(request, now=at)
        day = _day(params)
        wanted = params.texts("organisation")
        bodies = [body for body in bodies_of(scope(request)) if not wanted or body.code in wanted]
        if set(wanted) - {body.code for body in bodies}:
            params.errors["organisation"] = "There is no such organisation, or none in sight."
        params.check()
        try:
            sheets = [sheet(self.kind, body, day) for body in bodies]
        except Refused:
            raise missing("definition of this return for that day") from None
        lines = [row for mine in sheets for row in _lines(mine, at)]
        return answered(request, written(form_of(request), {"results": lines}))


class Sitrep(_Return):
    """Bed lines of the daily situation report, at 08:00."""

    kind = "sitrep"

    @extend_schema(**describing.SITREP)
    def get(self, request: Request) -> HttpResponse:
        return super().get(request)


class Discharges(_Return):
    """The daily discharge return, of the day before."""

    kind = "discharge"

    @extend_schema(**describing.DISCHARGE_RETURN)
    def get(self, request: Request) -> HttpResponse:
        return super().get(request)


class SignReturn(Reader):
    """Signing the return of one day."""

    needs = TokenScope.RETURNS_WRITE

    @extend_schema(**describing_waits.SIGN)
    def post(self, request: Request, kind: str, organisation: str, day: str) -> HttpResponse:
        """Send it as it is counted now; the return as it was sent."""
        params = self.params(request, now=now())
        params.check()
        said = entry_of(SignEntry, request)
        when, body = _date(day), Organisation.objects.filter(code=organisation).first()
        if kind not in KINDS or body is None or when is None:
            raise missing("such return")
        if not scope(request).may_at_organisation(Permission.SEE_COUNTS, body.pk):
            raise missing("such return")
        if not scope(request).may_at_organisation(Permission.SIGN_RETURNS, body.pk):
            raise PermissionDenied("Only those who sign returns of this organisation may.")
        user = request.user
        which: Kind = kind
        assert isinstance(user, User)
        done(
            lambda: submit(
                kind=which, organisation=body, day=when, by=user, at=now(), note=said["note"],
                seen=said["seen"],
            )
        )  # fmt: skip
        lines = _lines(sheet(which, body, when), now())
        response = answered(request, written(form_of(request), {"results": lines}))
        response.status_code = HTTPStatus.CREATED
        return response


_BAD: Final = "Give a day of the past or today, such as 2026-11-21."


def _day(params: Params) -> date:
    text = params.text("date")
    today = timezone.localdate()
    if text is None:
        return today
    day = _date(text)
    if day is None or day > today:
        params.errors["date"] = _BAD
        return today
    return day


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _lines(mine: Sheet, at: datetime) -> list[dict[str, Any]]:
    """What there is to tell at `at`; no number before the moment at which they are counted."""
    latest, begins = mine.latest, counted_from(mine.definition.kind, mine.day)
    is_counted = begins <= at
    return [
        {
            "organisation": mine.organisation.code,
            "date": mine.day,
            "definition": mine.definition.slug,
            "version": mine.definition.version,
            "line": row.number.key,
            "label": row.number.label,
            "value": _value(row) if is_counted else None,
            "counted_now": row.number.value if is_counted else None,
            "counted_from": begins,
            "differs": is_counted and row.differs,
            "reason": row.why or None,
            "state": _state(mine, is_counted=is_counted),
            "amendment": latest.number if latest else None,
            "signed_by": str(latest.signed_by) if latest else None,
            "signed_at": latest.signed_at if latest else None,
        }
        for row in mine.rows
    ]


def _value(row: Row) -> float | None:
    return row.sent if row.is_sent else row.number.value


def _state(mine: Sheet, *, is_counted: bool) -> str:
    if mine.latest is None:
        return "not_sent" if is_counted else "not_yet"
    return "sent" if mine.latest.number == 1 else "amended"
