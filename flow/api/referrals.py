"""Places after hospital, over REST: asking, answering, getting there, and what is free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from flow.api import describing_waits as describing
from flow.api.barriers import (
    Waits,
    done,
    entry_of,
    episode_in_sight,
    moment_of,
    said_by_caller,
)
from flow.api.bed_lists import who
from flow.api.entries import AcceptEntry, DeclineEntry, Noted, PlaceEntry, ReferEntry
from flow.api.naming import organisation_named, reason_named, ward_named_in_body
from flow.api.problems import invalid, missing
from flow.api.reading import answered, filters_of, form_of, now, scope, written
from flow.barriers import may_plan
from flow.board_types import Face
from flow.faces import faces
from flow.moment import Moment
from flow.referrals.places import RECEIVING, may_see_places, receiving
from flow.referrals.reading import Asking, Wanted, asking, may_answer
from wards import referrals as deeds
from wards.barriers import Said
from wards.models import Referral, ReferralStep, Ward
from wards.scope import Scope

STATUSES: Final = frozenset(Referral.Status.values)
KINDS: Final = frozenset(Referral.Kind.values)


class Referrals(Waits):
    """Referrals, the oldest first."""

    known: ClassVar = frozenset(
        {"site", "ward", "organisation", "status", "kind", "to_ward", "at", "known_at"}
    )

    @extend_schema(**describing.REFERRALS)
    def get(self, request: Request) -> HttpResponse:
        """Open ones unless `status` says otherwise."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        filters, seen = filters_of(request, params), scope(request)

        def named(some: Wanted) -> list[Asking]:
            """The referrals in sight that name places out of sight."""
            return asking(moment, scope=seen, wanted=replace(some, statuses=()))

        wanted = Wanted(
            statuses=params.choices("status", STATUSES) or tuple(Referral.OPEN),
            kinds=params.choices("kind", KINDS),
            to_wards=filters.wards(
                lambda codes: (
                    {row.to_ward for row in named(Wanted(to_wards=codes))} | _offered(codes, seen)
                ),
                name="to_ward",
            ),
            organisations=filters.accountable(),
            wards=filters.wards(lambda codes: {r.ward for r in named(Wanted(wards=codes))}),
            sites=filters.sites(lambda codes: {r.site for r in named(Wanted(sites=codes))}),
        )
        params.check()
        rows = asking(moment, scope=seen, wanted=wanted)
        known = faces({row.patient for row in rows})
        results = [told(row, known.get(row.patient), moment.at) for row in rows]
        return answered(request, written(form_of(request), {"results": results}))

    @extend_schema(**describing.REFER)
    def post(self, request: Request) -> HttpResponse:
        """Ask a place."""
        said = entry_of(ReferEntry, request)
        episode = episode_in_sight(request, said["episode"])
        if not may_plan(scope(request), episode.pk, at=now()):
            raise PermissionDenied("Asking for a place needs a role on the patient's ward.")
        referral = done(
            lambda: deeds.refer(
                episode=episode,
                kind=said["kind"],
                ward=ward_named_in_body(said["ward"], said["site"]),
                organisation=organisation_named(said["organisation"]),
                pathway=said["pathway"],
                needs=said["needs"],
                due_at=said["due_at"],
                said=said_by_caller(request, said),
                note=said["note"],
                key=said["key"],
            )
        )
        return _one(request, referral.pk, status=HTTPStatus.CREATED)


class OneReferral(Waits):
    """One referral with its steps."""

    @extend_schema(**describing.REFERRAL)
    def get(self, request: Request, key: int) -> HttpResponse:
        """Its clock, who was asked, and everything that was said."""
        self.params(request, now=now())
        return _one(request, key)


class Deed(Waits, ABC):
    """Something done about a referral. `entry` reads what is said with it; `asks`: it is for
    those who asked, not for those who answer."""

    entry: ClassVar[type[s.Serializer[Any]]] = Noted
    asks: ClassVar = False

    def post(self, request: Request, key: int) -> HttpResponse:
        """Do it; the referral as it is then."""
        said = entry_of(self.entry, request)
        _asking(request, key)
        referral = Referral.objects.select_related("episode", "ward").get(pk=key)
        if self.asks and not may_plan(scope(request), referral.episode_id, at=now()):
            raise PermissionDenied("Only those on the patient's ward may take a referral back.")
        if not self.asks and not may_answer(scope(request), referral):
            raise PermissionDenied("Only those who answer for the place may do this.")
        done(lambda: self.do(referral, said, said_by_caller(request, said)))
        return _one(request, key)

    @abstractmethod
    def do(self, referral: Referral, said: Mapping[str, Any], by: Said) -> object:
        """The deed itself. Raises Refused."""


class Accept(Deed):
    """They take the patient."""

    entry = AcceptEntry

    @extend_schema(**describing.ANSWER, request=AcceptEntry)
    def post(self, request: Request, key: int) -> HttpResponse:
        return super().post(request, key)

    def do(self, referral: Referral, said: Mapping[str, Any], by: Said) -> object:
        return deeds.accept(
            referral=referral, starts_at=said["starts_at"], said=by, note=said["note"]
        )


class Decline(Deed):
    """They cannot take the patient."""

    entry = DeclineEntry

    @extend_schema(**describing.ANSWER, request=DeclineEntry)
    def post(self, request: Request, key: int) -> HttpResponse:
        return super().post(request, key)

    def do(self, referral: Referral, said: Mapping[str, Any], by: Said) -> object:
        return deeds.decline(
            referral=referral,
            reason=reason_named(said["reason"], kind="decline"),
            said=by,
            note=said["note"],
        )


class Withdraw(Deed):
    """The place is not wanted any more."""

    asks = True

    @extend_schema(**describing.ANSWER, request=Noted)
    def post(self, request: Request, key: int) -> HttpResponse:
        return super().post(request, key)

    def do(self, referral: Referral, said: Mapping[str, Any], by: Said) -> object:
        return deeds.withdraw(referral=referral, said=by, note=said["note"])


class PlaceThere(Deed):
    """The patient is there."""

    entry = PlaceEntry

    @extend_schema(**describing.ANSWER, request=PlaceEntry)
    def post(self, request: Request, key: int) -> HttpResponse:
        return super().post(request, key)

    def do(self, referral: Referral, said: Mapping[str, Any], by: Said) -> object:
        bed = None
        if said["bed"]:
            beds = referral.ward.beds if referral.ward else None
            bed = beds.filter(label=said["bed"]).values_list("pk", flat=True).first() if beds else 0
            if not bed:
                raise invalid({"bed": f"There is no bed {said['bed']} on that ward."})
        return deeds.place(referral=referral, bed=bed, said=by, note=said["note"])


class ReceivingPlaces(Waits):
    """Places after hospital."""

    known: ClassVar = frozenset({"at", "known_at"})

    @extend_schema(**describing.RECEIVING)
    def get(self, request: Request) -> HttpResponse:
        """Every one of them, with what is free, awaited and asked."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        params.check()
        if not may_see_places(scope(request)):
            raise PermissionDenied(
                "Only those who plan discharges, or answer for places, see this."
            )
        results = [
            {
                "ward": one.code,
                "site": one.site,
                "name": one.name,
                "kind": one.kind,
                "beds_open": one.figures.beds_open,
                "beds_occupied": one.figures.beds_occupied,
                "beds_available": one.figures.beds_available,
                "accepted": one.accepted,
                "asked": one.asked,
                "left": one.left,
                "answered": one.answered,
                "declined": one.declined,
                "hours_to_answer": (
                    None if one.waited is None else round(one.waited.total_seconds() / 3600, 1)
                ),
                "as_at": one.figures.as_at,
            }
            for one in receiving(moment)
        ]
        return answered(request, written(form_of(request), {"results": results}))


def _offered(codes: list[str], seen: Scope) -> set[str]:
    """Those that are places after hospital, to whoever may ask them."""
    if not may_see_places(seen):
        return set()
    places = Ward.objects.filter(kind__in=RECEIVING, same_as=None, code__in=codes)
    return set(places.values_list("code", flat=True))


def _asking(request: Request, key: int) -> Asking:
    found = asking(Moment(now()), scope=scope(request), wanted=Wanted(key=key, statuses=()))
    if not found:
        raise missing("referral of this key")
    return found[0]


def _one(request: Request, key: int, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    row = _asking(request, key)
    steps = ReferralStep.objects.filter(referral=key).select_related("by", "reason")
    answer = told(row, faces({row.patient}).get(row.patient), now()) | {
        "steps": [_step(step) for step in steps.order_by("occurred_at", "pk")]
    }
    response = answered(request, written(form_of(request), answer, rows=lambda: _flat([answer])))
    response.status_code = status
    return response


def _flat(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in answer.items() if k != "steps"} for answer in answers]


def _step(step: ReferralStep) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "occurred_at": step.occurred_at,
        "recorded_at": step.recorded_at,
        "by": str(step.by) if step.by else None,
        "starts_at": step.starts_at,
        "reason": step.reason.slug if step.reason else None,
        "note": step.note or None,
    }


def told(row: Asking, face: Face | None, at: datetime) -> dict[str, Any]:
    """A referral as the API tells it."""
    return {
        "id": row.id,
        "episode": row.episode,
        "visit": (row.visit or None) if not row.own else None,
        "patient": who(face),
        "kind": row.kind,
        "pathway": row.pathway,
        "needs": row.needs or None,
        "status": row.status,
        "asked_at": row.asked_at,
        "due_at": row.due_at,
        "overdue": row.overdue(at),
        "starts_at": row.starts_at,
        "ended_at": row.ended_at,
        "reason": row.reason or None,
        "organisation": row.organisation,
        "to_ward": row.to_ward or None,
        "to_site": row.to_site or None,
        "discharge_ready_at": row.ready_since,
        "ward": row.ward or None,
        "site": row.site or None,
        "bed": row.bed or None,
    }
