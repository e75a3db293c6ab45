"""The nurses of a ward's shifts, over REST: what was said, and saying it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.models import User
from accounts.roles import Permission
from flow.api import describing_staffing as describing
from flow.api.asking_for_beds import Desk
from flow.api.barriers import done, entry_of
from flow.api.entries_staffing import StaffingEntry
from flow.api.finding import ward_named
from flow.api.params import Params
from flow.api.problems import invalid
from flow.api.reading import answered, form_of, now, scope, sight, written
from flow.running.board import limit_for, patients_on
from wards.models import Staffing, Ward
from wards.rule_books import book_of_site
from wards.rule_files import Limits
from wards.rule_loading import limits_in
from wards.shifts import Worked, named, per_nurse, today, worked_on
from wards.staffing import Nurses, nurses_of, said_of, say


class StaffingOfWard(Desk):
    """What was said of the nurses of one ward."""

    known: ClassVar = frozenset({"site", "date"})

    @extend_schema(**describing.STAFFING)
    def get(self, request: Request, code: str) -> HttpResponse:
        """The shifts that begin on a day."""
        at = now()
        ward, day = self._asked(request, code, at=at)
        shifts = worked_on(day, settings.SHIFTS)
        told = _told(ward, shifts, said_of([ward.pk], shifts), at=at)
        head = _head(ward, at=at)
        return answered(request, written(form_of(request), head | {"results": told}))

    @extend_schema(**describing.SAY_STAFFING)
    def put(self, request: Request, code: str) -> HttpResponse:
        """Say how many nurses a shift has; it replaces what was said of it."""
        at = now()
        ward, day = self._asked(request, code, at=at)
        entry = entry_of(StaffingEntry, request)
        if not scope(request).may(Permission.MANAGE_BEDS, ward.pk):
            raise PermissionDenied("This needs a role that manages the beds of the ward.")
        shifts = worked_on(entry["date"] or day, settings.SHIFTS)
        shift = named(entry["shift"], shifts)
        if shift is None:
            names = ", ".join(one.name for one in shifts)
            raise invalid({"shift": f"There is no shift of this name; known are {names}."})
        seen, user = entry["seen"], request.user
        assert isinstance(user, User)
        row = done(
            lambda: say(
                ward=ward.pk,
                shift=shift,
                nurses=Nurses(entry["planned"], entry["actual"]),
                seen=Nurses(seen["planned"], seen["actual"]) if seen else None,
                at=at,
                by=user,
            )
        )
        said = {(ward.pk, shift.start): row} if row is not None else {}
        told = _told(ward, [shift], said, at=at)[0]
        return answered(request, written(form_of(request), told, rows=lambda: [told]))

    def _asked(self, request: Request, code: str, *, at: datetime) -> tuple[Ward, date]:
        params = self.params(request, now=at)
        site, day = params.text("site"), _day(params, at)
        params.check()
        key = ward_named(code, site=site, sight=sight(request))
        return Ward.objects.select_related("site", "limits").get(pk=key), day


def _day(params: Params, at: datetime) -> date:
    text = params.text("date")
    if text is None:
        return today(at)
    try:
        return date.fromisoformat(text)
    except ValueError:
        params.errors["date"] = "Give a day as 2026-11-21."
        return today(at)


def _head(ward: Ward, *, at: datetime) -> dict[str, Any]:
    kept = getattr(ward, "limits", None)
    limits = limits_in(kept) if kept is not None else Limits()
    stored = book_of_site(ward.site_id, at=at)
    return {
        "ward": ward.code,
        "site": ward.site.code,
        "as_at": at,
        "patients": patients_on([ward.pk], at=at).get(ward.pk, 0),
        "patients_per_nurse": limit_for(ward, limits, stored.book if stored else None),
        "most_patients": limits.most_patients,
        "most_acute": limits.most_acute,
    }


def _told(
    ward: Ward,
    shifts: Sequence[Worked],
    said: dict[tuple[int, datetime], Staffing],
    *,
    at: datetime,
) -> list[dict[str, Any]]:
    patients = patients_on([ward.pk], at=at).get(ward.pk, 0)
    found = []
    for one in shifts:
        row = said.get((ward.pk, one.start))
        nurses = nurses_of(row)
        there = nurses.planned if nurses.actual is None else nurses.actual
        ratio = per_nurse(patients, there) if one.runs(at) and there else None
        found.append(
            {
                "shift": one.name,
                "date": one.day,
                "start": one.start,
                "end": one.end,
                "planned": nurses.planned,
                "actual": nurses.actual,
                "patients_each": None if ratio is None else round(ratio, 2),
                "recorded_at": row.recorded_at if row else None,
                "by": str(row.by) if row and row.by else None,
            }
        )
    return found
