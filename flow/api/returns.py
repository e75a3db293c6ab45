"""The daily returns over REST: as sent, and as counted now."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.refusals import Refused
from accounts.tokens import TokenScope
from flow.api import describing
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, form_of, now, scope, written
from flow.returns.definitions import Kind
from flow.returns.pages import bodies_of
from flow.returns.submitting import Sheet, sheet


class _Return(Reader):
    """The return of one day, of every organisation in sight."""

    needs = TokenScope.OCCUPANCY_READ
    known: ClassVar = frozenset({"date", "organisation"})
    kind: ClassVar[Kind]

    def get(self, request: Request) -> HttpResponse:
        """Of today unless `date` says otherwise; up to twelve queries an organisation."""
        params = self.params(request, now=now())
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
        lines = [row for mine in sheets for row in _lines(mine)]
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


_BAD: Final = "Give a day of the past or today, such as 2026-11-21."


def _day(params: Params) -> date:
    text = params.text("date")
    today = timezone.localdate()
    if text is None:
        return today
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or day > today:
        params.errors["date"] = _BAD
        return today
    return day


def _lines(mine: Sheet) -> list[dict[str, Any]]:
    latest = mine.latest
    state = "not_sent" if latest is None else "sent" if latest.number == 1 else "amended"
    return [
        {
            "organisation": mine.organisation.code,
            "date": mine.day,
            "definition": mine.definition.slug,
            "version": mine.definition.version,
            "line": row.number.key,
            "label": row.number.label,
            "value": row.sent if row.is_sent else row.number.value,
            "counted_now": row.number.value,
            "differs": row.differs,
            "reason": row.why or None,
            "state": state,
            "amendment": latest.number if latest else None,
            "signed_by": str(latest.signed_by) if latest else None,
            "signed_at": latest.signed_at if latest else None,
        }
        for row in mine.rows
    ]
