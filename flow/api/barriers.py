"""What discharges wait for, over REST: reading barriers, and what is done about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers as s
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.api_auth import HasScope
from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.tokens import TokenScope
from flow.api import describing_waits as describing
from flow.api.bed_lists import who
from flow.api.entries import Explained, Noted, OwnerEntry, RaiseEntry
from flow.api.naming import organisation_named, reason_named, team_named
from flow.api.params import Params
from flow.api.problems import WHOLE, invalid, missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, written
from flow.api.refusing import problem_of
from flow.barriers import Waiting, Wanted, may_act, may_plan, waiting
from flow.board_types import Face
from flow.faces import faces
from flow.moment import Moment
from patients.models import Barrier, BarrierStep, Code, Episode
from wards import barriers as deeds
from wards.barriers import Said
from wards.scope import Scope, visible_episodes

T = TypeVar("T")
STATUSES: Final = frozenset({"open", *Barrier.Outcome.values})
PATHWAYS: Final = frozenset({"0", "1", "2", "3"})
SOURCE: Final = "api"


class Waits(Reader):
    """A view of what is waited for: reading and writing ask for different scopes of a token."""

    needs = TokenScope.WAITS_READ

    def get_permissions(self) -> Sequence[Any]:
        """Reading and writing ask for different scopes of a token."""
        if self.request.method in ("GET", "HEAD", "OPTIONS"):
            return super().get_permissions()
        return [HasScope(TokenScope.WAITS_WRITE)()]


class Barriers(Waits):
    """Barriers, the oldest first."""

    known: ClassVar = frozenset(
        {"site", "ward", "organisation", "team", "reason", "status", "pathway", "at", "known_at"}
    )

    @extend_schema(**describing.BARRIERS)
    def get(self, request: Request) -> HttpResponse:
        """Open ones unless `status` says otherwise."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        filters, seen = filters_of(request, params), scope(request)
        wanted = Wanted(
            wards=filters.wards(lambda codes: _wards_of_own(codes, moment, seen)),
            sites=filters.sites(lambda codes: _sites_of_own(codes, moment, seen)),
            organisations=filters.accountable(),
            teams=filters.teams(),
            reasons=filters.reasons(),
            pathways=[int(p) for p in params.choices("pathway", PATHWAYS) if p in PATHWAYS],
            statuses=params.choices("status", STATUSES) or ("open",),
        )
        params.check()
        return _listed(request, waiting(moment, scope=seen, wanted=wanted), moment.at)


class EpisodeBarriers(Waits):
    """The barriers of one stay."""

    known: ClassVar = frozenset({"at", "known_at"})

    @extend_schema(**describing.EPISODE_BARRIERS)
    def get(self, request: Request, key: int) -> HttpResponse:
        """All of them, over or not."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        params.check()
        wanted = Wanted(episode=key, statuses=())
        rows = waiting(moment, scope=scope(request), wanted=wanted)
        if not rows:
            episode_in_sight(request, key)
        return _listed(request, rows, moment.at)

    @extend_schema(**describing.RAISE)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Raise one."""
        said = entry_of(RaiseEntry, request)
        episode = episode_in_sight(request, key)
        if not may_plan(scope(request), episode.pk, at=now()):
            raise PermissionDenied("Raising a barrier needs a role on the patient's ward.")
        barrier = done(
            lambda: deeds.raise_barrier(
                episode=episode,
                reason=reason_named(said["reason"], kind="delay", code_set=said["code_set"]),
                said=said_by_caller(request, said),
                organisation=organisation_named(said["organisation"]),
                team=team_named(said["team"], said["organisation"]),
                person=said["person"],
                due_at=said["due_at"],
                reportable=said["reportable"],
                note=said["note"],
                key=said["key"],
            )
        )
        return _one(request, barrier.pk, status=HTTPStatus.CREATED)


class Reasons(Waits):
    """The reasons that a barrier can have, and what else is coded."""

    @extend_schema(**describing.REASONS)
    def get(self, request: Request) -> HttpResponse:
        """Every code of every set; one query."""
        self.params(request, now=now())
        codes = Code.objects.select_related("code_set").order_by("code_set", "position")
        results = [
            {
                "code_set": code.code_set.slug,
                "kind": code.code_set.kind,
                "reason": code.slug,
                "label": code.label,
                "family": code.family or None,
                "pathways": code.pathways,
                "owner": code.owner or None,
                "team_kind": code.team_kind or None,
                "target_hours": code.target_hours,
                "valid_from": code.code_set.valid_from,
                "valid_until": code.code_set.valid_until,
                "withdrawn": code.is_withdrawn,
            }
            for code in codes
        ]
        return answered(request, written(form_of(request), {"results": results}))


class OneBarrier(Waits):
    """One barrier with its steps."""

    @extend_schema(**describing.BARRIER)
    def get(self, request: Request, key: int) -> HttpResponse:
        """Its clock, its owner, and everything that was done about it."""
        self.params(request, now=now())
        return _one(request, key)


class Deed(Waits, ABC):
    """Something done about a barrier. `entry` reads what is said with it."""

    entry: ClassVar[type[s.Serializer[Any]]]

    @extend_schema(**describing.DEED)
    def post(self, request: Request, key: int) -> HttpResponse:
        """Do it; the barrier as it is then."""
        said = entry_of(self.entry, request)
        row = _waiting(request, key)
        barrier = _mine(request, row)
        done(lambda: self.do(barrier, said, said_by_caller(request, said)))
        return self.after(request, row)

    def after(self, request: Request, row: Waiting) -> HttpResponse:
        """The barrier as it is then; `row`: as it was."""
        if found := _waiting_at(request, row.id):
            return _shown(request, found)
        # Handed on out of the caller's sight; told a last time.
        now_with = Barrier.objects.select_related("organisation", "team").get(pk=row.id)
        body, team = now_with.organisation, now_with.team
        told = replace(
            row,
            organisation=body.code if body else "",
            organisation_name=body.name if body else "",
            team=team.code if team else "",
            team_name=team.name if team else "",
            person=now_with.person,
        )
        return _shown(request, told)

    @abstractmethod
    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        """The deed itself. Raises Refused."""


class Resolve(Deed):
    """What was waited for has come."""

    entry = Noted

    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        return deeds.resolve(barrier=barrier, said=by, note=said["note"])


class Escalate(Deed):
    """One step up the ladder."""

    entry = Noted

    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        return deeds.escalate(barrier=barrier, said=by, note=said["note"])


@extend_schema_view(post=extend_schema(**describing.TAKE_BACK))
class TakeBack(Deed):
    """It was raised by mistake."""

    entry = Explained

    def after(self, request: Request, row: Waiting) -> HttpResponse:
        """Told a last time: from now on it is as if it had never been."""
        gone = Barrier.objects.get(pk=row.id)
        ended = replace(row, outcome=gone.outcome, ended_at=gone.period.upper, reportable=False)
        return _shown(request, ended)

    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        return deeds.take_back(barrier=barrier, said=by, note=said["note"])


class Contact(Deed):
    """Somebody was asked about it."""

    entry = Noted

    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        return deeds.contact(barrier=barrier, said=by, note=said["note"])


@extend_schema_view(post=extend_schema(**describing.REASSIGN))
class Reassign(Deed):
    """Somebody else is accountable."""

    entry = OwnerEntry

    def do(self, barrier: Barrier, said: Mapping[str, Any], by: Said) -> object:
        return deeds.reassign(
            barrier=barrier,
            said=by,
            organisation=organisation_named(said["organisation"]),
            team=team_named(said["team"], said["organisation"]),
            person=said["person"],
            note=said["note"],
        )


def _wards_of_own(codes: list[str], moment: Moment, seen: Scope) -> set[str]:
    """Those out of sight at which somebody waits for a step of the caller's own."""
    wanted = Wanted(wards=codes, statuses=())
    return {row.ward for row in waiting(moment, scope=seen, wanted=wanted)}


def _sites_of_own(codes: list[str], moment: Moment, seen: Scope) -> set[str]:
    wanted = Wanted(sites=codes, statuses=())
    return {row.site for row in waiting(moment, scope=seen, wanted=wanted)}


def moment_of(params: Params) -> Moment:
    """Asked for a past moment, what was known then counts, unless `known_at` says otherwise."""
    at, known = params.moment("at"), params.moment("known_at")
    if at is not None and "known_at" not in params.given:
        params.check_known_by(at, name="at")
    return Moment(at or params.now, known or at)


def entry_of(entry: type[s.Serializer[Any]], request: Request) -> Mapping[str, Any]:
    """What the body says. Raises a 400 problem that names every field that is wrong."""
    body = request.data
    if not isinstance(body, Mapping):
        raise invalid({WHOLE: "Send a JSON object."})
    read = entry(data=body)
    unknown = sorted(set(body) - set(read.fields))
    if unknown:
        names = ", ".join(sorted(read.fields))
        raise invalid(
            dict.fromkeys(unknown, f"There is no field of this name; known are {names}."),
            kind="unknown-parameter",
        )
    read.is_valid(raise_exception=True)
    said: Mapping[str, Any] = read.validated_data
    return said


def said_by_caller(request: Request, said: Mapping[str, Any]) -> Said:
    """The caller, now, of the time it happened."""
    user = request.user
    assert isinstance(user, User)
    return Said(now(), user, said["occurred_at"], SOURCE)


def done(deed: Callable[[], T]) -> T:
    """Do it; what is refused is told as a conflict with its reason."""
    try:
        return deed()
    except Refused as refused:
        raise problem_of(refused) from None


def episode_in_sight(request: Request, key: int) -> Episode:
    """The stay, if the caller may see its patient. Raises a 404 problem."""
    seen = visible_episodes(Episode.objects.all(), scope(request), Permission.SEE_PATIENTS)
    found = seen.filter(pk=key).first()
    if found is None:
        raise missing("episode of this key")
    return found


def _mine(request: Request, row: Waiting) -> Barrier:
    """The barrier, if the caller may do something about it."""
    barrier = Barrier.objects.select_related("episode").get(pk=row.id)
    if not may_act(scope(request), barrier, at=now()):
        raise PermissionDenied(
            "Only those on the patient's ward, or whose step it is, may change this barrier."
        )
    return barrier


def _waiting(request: Request, key: int) -> Waiting:
    found = _waiting_at(request, key)
    if found is None:
        raise missing("barrier of this key")
    return found


def _waiting_at(request: Request, key: int) -> Waiting | None:
    wanted = Wanted(key=key, statuses=())
    return next(iter(waiting(Moment(now()), scope=scope(request), wanted=wanted)), None)


def _listed(request: Request, rows: Sequence[Waiting], at: datetime) -> HttpResponse:
    known = faces({row.patient for row in rows})
    results = [told(row, known.get(row.patient), at) for row in rows]
    return answered(request, written(form_of(request), {"results": results}))


def _one(request: Request, key: int, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    response = _shown(request, _waiting(request, key))
    response.status_code = status
    return response


def _shown(request: Request, row: Waiting) -> HttpResponse:
    known = faces({row.patient})
    steps = BarrierStep.objects.filter(barrier=row.id).select_related("by", "organisation", "team")
    answer = told(row, known.get(row.patient), now()) | {
        "steps": [_step(step) for step in steps.order_by("occurred_at", "pk")]
    }
    return answered(request, written(form_of(request), answer, rows=lambda: [answer]))


def _step(step: BarrierStep) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "occurred_at": step.occurred_at,
        "recorded_at": step.recorded_at,
        "by": str(step.by) if step.by else None,
        "organisation": step.organisation.code if step.organisation else None,
        "team": step.team.code if step.team else None,
        "level": step.level,
        "due_at": step.due_at,
        "note": step.note or None,
    }


def told(row: Waiting, face: Face | None, at: datetime) -> dict[str, Any]:
    """A barrier as the API tells it. Its owner alone sees of the patient what the step needs."""
    return {
        "id": row.id,
        "episode": row.episode,
        "visit": (row.visit or None) if not row.own else None,
        "patient": who(face),
        "reason": row.reason,
        "label": row.label,
        "family": row.family,
        "organisation": row.organisation or None,
        "team": row.team or None,
        "person": row.person or None,
        "status": row.outcome or "open",
        "raised_at": row.since,
        "due_at": row.due_at,
        "ended_at": row.ended_at,
        "overdue": row.overdue(at),
        "reportable": row.reportable,
        "level": row.level,
        "note": row.note or None,
        "pathway": row.pathway,
        "discharge_ready_at": row.ready_since,
        "ward": row.ward or None,
        "site": row.site or None,
        "bed": row.bed or None,
    }
