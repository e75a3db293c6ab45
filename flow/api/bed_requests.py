"""Who needs a bed, over REST: asking, changing, holding a bed and giving it, and withdrawing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers as s
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.refusals import Refused
from accounts.roles import Permission
from flow.api import describing_desk as describing
from flow.api.asking_for_beds import (
    Desk,
    bed_named,
    details_of,
    key_of,
    names_people,
    need_in_sight,
    places_of,
    record_of,
    said_now,
    seen_by_name,
    ward_to_ask,
)
from flow.api.barriers import done, entry_of, episode_in_sight
from flow.api.entries_desk import AskEntry, CancelEntry, HoldEntry, ReleaseEntry, TermsEntry
from flow.api.needs_told import flat, need_told, reservation_told
from flow.api.reading import answered, filters_of, form_of, now, scope, written
from flow.board_types import Sight
from flow.desk.matches import leaving_soon_from
from flow.desk.queue import Wanted, as_needs, order
from flow.desk.rights import is_in_sight, may_ask, may_hold, moves_on_any
from flow.desk.rows import needs_at
from flow.desk.types import Need
from wards import requests, reservations
from wards.expecting import Coming, expect
from wards.models import BedRequest, Occupancy, Reservation, Site
from wards.requests import Terms
from wards.scope import ALL, Scope
from wards.suitability.facts import NeedKind

KINDS: Final = frozenset(kind.value for kind in NeedKind)
WAITS_FOR: Final = frozenset({"bed", "ready", "move"})
_TERMS: Final = ("priority", "specialty", "asked_by", "note", "due_at")


class BedRequests(Desk):
    """Everybody who needs a bed."""

    known: ClassVar = frozenset({"site", "kind", "specialty", "ward", "waits_for"})

    @extend_schema(**describing.REQUESTS)
    def get(self, request: Request) -> HttpResponse:
        """Sorted by what matters, as on the desk; seven queries at most."""
        at, seen = now(), scope(request)
        params = self.params(request, now=at)
        if not seen.may_anywhere(Permission.SEE_COUNTS):
            raise PermissionDenied("This needs a role that may see figures somewhere.")
        filters = filters_of(request, params)
        wards, sites = filters.wards(), filters.sites()
        wanted = Wanted(
            kinds=params.choices("kind", KINDS),
            specialties=params.texts("specialty"),
            waits_for=params.choices("waits_for", WAITS_FOR),
        )
        params.check()
        sight = Sight.of(seen)
        needs = [
            need
            for need in as_needs(needs_at(*_sites(seen, sites), at=at), at=at, sight=sight)
            if is_in_sight(need, sight)
            and wanted.fits(need)
            and (not wards or (need.target is not None and need.target.code in wards))
        ]
        needs.sort(key=lambda need: order(need, at))
        names = names_people(request)
        results = [need_told(need, at=at, names=names) for need in needs]
        body = written(form_of(request), {"results": results}, rows=lambda: flat(results))
        return answered(request, body)

    @extend_schema(**describing.ASK)
    def post(self, request: Request) -> HttpResponse:
        """Ask for a bed for somebody who is in hospital, or is to come."""
        self.params(request, now=now()).check()
        said = entry_of(AskEntry, request)
        if said["person"] is not None:
            return _one(request, _expect(request, said).pk, status=HTTPStatus.CREATED)
        episode, seen = episode_in_sight(request, said["episode"]), scope(request)
        if not may_ask(seen, episode, at=now()):
            raise PermissionDenied(
                "Asking for a bed needs a role that moves patients where the patient is."
            )
        here = Occupancy.objects.filter(episode=episode, period__contains=now())
        near = here.values_list("ward__site_id", flat=True).first()
        made = done(
            lambda: requests.ask(
                episode=episode,
                ward=ward_to_ask(said["ward"], said["site"], seen=seen, near=near),
                terms=_terms(said, Terms()),
                said=said_now(request, said["occurred_at"]),
                key=key_of(request, said, "ask", episode.pk),
            )
        )
        return _one(request, made.pk, status=HTTPStatus.CREATED)


class OneBedRequest(Desk):
    """One request."""

    @extend_schema(**describing.REQUEST)
    def get(self, request: Request, key: int) -> HttpResponse:
        """Its clocks, its terms, what is needed, and the beds that were held for it."""
        self.params(request, now=now()).check()
        return _one(request, key)


class Deed(Desk, ABC):
    """Something done about a request. `entry` reads what is said with it."""

    entry: ClassVar[type[s.Serializer[Any]]]

    def post(self, request: Request, key: int) -> HttpResponse:
        """Do it; the request as it is then."""
        self.params(request, now=now()).check()
        said = entry_of(self.entry, request)
        need, row = need_in_sight(request, key)
        seen_by_name(need)
        made = done(lambda: self.do(request, need, row, said))
        return _one(request, made)

    @abstractmethod
    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        """The deed itself; the key of the request as it goes on. Raises Refused."""


@extend_schema_view(post=extend_schema(**describing.CHANGE))
class ChangeRequest(Deed):
    """It is asked for otherwise."""

    entry = TermsEntry

    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        seen = scope(request)
        _check_asks(seen, need)
        place = need.target or need.origin
        near = Site.objects.filter(code=place.site).values_list("pk", flat=True) if place else None
        changed = requests.change(
            request=row,
            ward=ward_to_ask(
                said["ward"], said["site"], seen=seen, near=near.first() if near else None
            ),
            terms=_terms(said, requests.terms_of(row)),
            said=said_now(request, said["occurred_at"]),
        )
        return changed.pk


@extend_schema_view(post=extend_schema(**describing.RESERVE))
class Reserve(Deed):
    """A bed is kept back for it."""

    entry = HoldEntry
    decided: ClassVar = False

    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        bed = bed_named(said["bed"], seen=scope(request))
        if not may_hold(scope(request), bed.ward_id):
            raise PermissionDenied("Holding a bed needs a role on its ward that gives beds.")
        held = reservations.reserve(
            request=row,
            bed=bed.pk,
            said=said_now(request),
            until=said["until"],
            note=said["note"],
            reason=said["reason"],
            decided=self.decided,
            seen=said.get("seen", reservations.ANY),
            soon=leaving_soon_from(bed, at=now()),
        )
        assert held.bed_id == bed.pk
        return row.pk


@extend_schema_view(post=extend_schema(**describing.ALLOCATE))
class Allocate(Reserve):
    """A bed is given to it."""

    decided = True


@extend_schema_view(post=extend_schema(**describing.RELEASE))
class Release(Deed):
    """What is held for it is given back."""

    entry = ReleaseEntry

    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        if need.held is None:
            raise Refused("No bed is held for this request.")
        if not may_hold(scope(request), need.held.ward.id):
            _check_asks(scope(request), need)
        held = Reservation.objects.select_related("episode__patient").get(pk=need.held.reservation)
        reservations.release(reservation=held, said=said_now(request))
        return row.pk


@extend_schema_view(post=extend_schema(**describing.CANCEL))
class CancelRequest(Deed):
    """The bed is not wanted any more."""

    entry = CancelEntry

    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        _check_asks(scope(request), need)
        requests.withdraw(
            request=row,
            said=said_now(request, said["occurred_at"]),
            reason=said["reason"],
        )
        return row.pk


@extend_schema_view(post=extend_schema(**describing.RESTORE))
class RestoreRequest(Deed):
    """That the bed is not wanted any more is taken back."""

    entry = ReleaseEntry

    def do(self, request: Request, need: Need, row: BedRequest, said: Mapping[str, Any]) -> int:
        _check_asks(scope(request), need)
        return requests.restore(request=row, said=said_now(request)).pk


def _expect(request: Request, said: Mapping[str, Any]) -> BedRequest:
    """Announce somebody who is to come."""
    seen, person = scope(request), said["person"]
    ward = ward_to_ask(said["ward"], said["site"], seen=seen, near=None)
    if ward is None or not seen.may(Permission.MOVE_PATIENTS, ward.pk):
        raise PermissionDenied("Expecting somebody needs a role on the ward that moves patients.")
    coming = Coming(
        person=record_of(person, ward),
        details=details_of(person),
        expected_at=said["expected_at"],
        method=said["method"],
        specialty=said.get("specialty", "").strip(),
        confirmed=said["confirmed"],
        others=said["others"],
    )
    return done(
        lambda: expect(
            coming=coming,
            ward=ward,
            terms=_terms(said, Terms()),
            said=said_now(request, said["occurred_at"]),
            key=key_of(request, said, "expect", ward.pk),
        )
    )


def _check_asks(seen: Scope, need: Need) -> None:
    if not moves_on_any(seen, places_of(need)):
        raise PermissionDenied(
            "This needs a role that moves patients where the patient is, or is to go."
        )


def _terms(said: Mapping[str, Any], before: Terms) -> Terms:
    return replace(before, **{name: said[name] for name in _TERMS if name in said})


def _sites(seen: Scope, codes: list[str]) -> list[int]:
    rows = Site.objects.filter(code__in=codes) if codes else Site.objects.all()
    held = seen.sites_in_part(Permission.SEE_COUNTS)
    return list((rows if held == ALL else rows.filter(pk__in=held)).values_list("pk", flat=True))


def _one(request: Request, key: int, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    at = now()
    need, row = need_in_sight(request, key)
    ended = row.period.upper if row.period.upper is not None and row.period.upper <= at else None
    history = (
        Reservation.objects.filter(episode=row.episode_id, period__overlap=row.period)
        .select_related("bed__ward__site", "by")
        .prefetch_related("overrides")
        .order_by("pk")
    )
    answer = need_told(need, at=ended or at, names=names_people(request), ended_at=ended)
    answer["history"] = [reservation_told(one) for one in history] if need.may_see else []
    response = answered(request, written(form_of(request), answer, rows=lambda: flat([answer])))
    response.status_code = status
    return response
