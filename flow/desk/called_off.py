"""Requests that somebody here called off lately, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.row_keys import storable
from flow.board_types import Sight
from flow.desk.deeds import Side
from flow.desk.queue import one_need
from flow.desk.rights import is_in_sight_at
from flow.reading import person_sql, read
from wards import requests
from wards.barriers import Said
from wards.models import BedRequest
from wards.scope import scope_of

LATELY: Final = timedelta(hours=4)
"""How long the desk offers to take it back; a start, about half a shift."""
_INSTANT: Final = timedelta(microseconds=1)
_SQL: Final = f"""
SELECT r.id, off.occurred_at, off.reference,
       {person_sql("who")},
       coalesce(there.name, ''),
       coalesce(origin.name, ''),
       coalesce((SELECT bed.label FROM wards_occupancy o JOIN wards_bed bed ON bed.id = o.bed_id
                  WHERE o.episode_id = e.id AND o.period @> off.occurred_at), ''),
       array_remove(ARRAY[there.id, origin.id], NULL)
  FROM wards_movement off
  JOIN wards_movement asked ON asked.id = off.cancels_id
                           AND asked.kind IN ('pending_admit', 'pending_transfer', 'expected')
  JOIN patients_visit v ON v.id = asked.visit_id
  JOIN patients_episode e ON e.visit_id IN (v.id, v.merged_into_id)
  JOIN wards_bedrequest r ON r.episode_id = e.id AND r.key = asked.key
                         AND upper(r.period) = off.occurred_at
  JOIN accounts_user who ON who.id = off.by_id
  LEFT JOIN wards_ward there ON there.id = r.ward_id
  LEFT JOIN wards_ward origin ON origin.id = r.from_ward_id
 WHERE off.occurred_at > %(at)s - %(lately)s AND off.occurred_at <= %(at)s
   AND CASE WHEN %(request)s::bigint IS NULL
            THEN %(site)s::bigint IN (there.site_id, origin.site_id) ELSE r.id = %(request)s END
   AND NOT EXISTS (SELECT 1 FROM wards_movement back WHERE back.cancels_id = off.id)
   AND NOT EXISTS (SELECT 1 FROM wards_bedrequest now WHERE now.episode_id = e.id
                      AND now.kind <> 'discharge' AND now.period @> %(at)s::timestamptz)
   AND (e.discharged_at IS NULL OR e.discharged_at > %(at)s)
 ORDER BY off.occurred_at DESC, r.id
"""  # noqa: S608 - names of ours alone; the values travel as parameters


@dataclass(frozen=True, slots=True)
class CalledOff:
    """One request that is called off: when, why and by whom; the ward it was for, and where the
    patient was. wards: the keys of both."""

    request: int
    at: datetime
    reason: str
    by: str
    target: str
    origin: str
    bed: str
    wards: Sequence[int]


def called_off(site: int, *, at: datetime, sight: Sight) -> list[CalledOff]:
    """What was called off on a site within `LATELY` and can be taken back, the latest first, as
    far as it is in sight."""
    rows = _read(at=at, site=site, request=None)
    return [row for row in rows if is_in_sight_at(row.wards, sight)]


def _read(*, at: datetime, site: int | None, request: int | None) -> list[CalledOff]:
    params = {"at": at, "lately": LATELY, "site": site, "request": storable(request)}
    return [CalledOff(*row) for row in read(_SQL, params)]


def called_off_request(request: HttpRequest, key: int) -> HttpResponse | None:
    """The drawer of a request that is called off, and taking that back; None where it is over in
    another way, or longer ago."""
    now, scope = timezone.now(), scope_of(request.user)
    one = next(iter(_read(at=now, site=None, request=key)), None)
    if one is None:
        return None
    need = one_need(key, at=one.at - _INSTANT, sight=Sight.of(scope))
    if need is None:
        return None
    side = Side(scope, now, need)
    side.must_see_counts()
    if request.method != "POST":
        return _drawn(request, side, one)
    if not (side.asks and need.may_see):
        raise PermissionDenied(_("Only those who move patients where this bed was asked for may."))
    assert isinstance(request.user, User)
    try:
        if request.POST.get("deed") != "restore":
            raise Refused(_("This request was called off meanwhile. Take that back first."))
        row = BedRequest.objects.select_related("episode__patient").get(pk=key)
        requests.restore(request=row, said=Said(now, request.user))
    except Refused as refused:
        side.reason = refused.reason
        return _drawn(request, side, one, HTTPStatus.CONFLICT)
    said = _("The bed is asked for again, as before.")
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect("desk:request", key)


def _drawn(
    request: HttpRequest, side: Side, one: CalledOff, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    fragment = "fragment" in request.GET
    context = {
        "side": side,
        "need": side.need,
        "one": one,
        "may": side.asks and side.need.may_see,
        "moment": side.now,
        "live": True,
        "here": request.path,
        "desk_address": side.desk_address,
        "drawer_template": "flow/_called_off.html",
    }
    template = "flow/_called_off.html" if fragment else "flow/request.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
