"""Cohorts over REST: who is in them, where they are on the way, and how they do over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.tokens import TokenScope
from flow.api import describing_waits as describing
from flow.api.barriers import moment_of
from flow.api.bed_lists import who
from flow.api.params import Params
from flow.api.problems import missing
from flow.api.reading import Reader, answered, filters_of, form_of, now, scope, written
from flow.cohorts.board import NONE, Board, Known, Line, Member, Tally, Wanted, board, lines
from flow.cohorts.counting import Point, series
from flow.cohorts.people import areas_known
from flow.cohorts.steps import Step
from flow.cohorts.wishes import sites_met
from flow.discharges import days
from patients.cohorts import Phase
from patients.models import Cohort
from wards.scope import Scope

PHASES: Final = frozenset(Phase)
STEPS: Final = frozenset(Step)
_NOBODY: Final = "You see nobody: a role on a ward, or in the team of a neighbourhood, is needed."


class Cohorts(Reader):
    """All cohorts, in figures."""

    needs = TokenScope.WAITS_READ
    known: ClassVar = frozenset({"at", "known_at"})

    @extend_schema(**describing.COHORTS)
    def get(self, request: Request) -> HttpResponse:
        """Each with its figures at the moment, over the people in sight; seven queries at most."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        params.check()
        found = lines(moment=moment, scope=scope(request))
        if found is None:
            raise PermissionDenied(_NOBODY)
        results = [_line(line) for line in found]
        return answered(request, written(form_of(request), {"results": results}))


class OneCohort(Reader):
    """One cohort: its people, their steps, and its days."""

    needs = TokenScope.WAITS_READ
    known: ClassVar = frozenset(
        {"phase", "step", "site", "area", "band", "organisation", "at", "known_at"}
    )

    @extend_schema(**describing.COHORT)
    def get(self, request: Request, slug: str) -> HttpResponse:
        """The filters narrow `results`; the figures are of the whole cohort. A token without
        `episodes:read` is told figures alone. Twelve queries at most."""
        params = self.params(request, now=now())
        moment = moment_of(params)
        cohort = Cohort.objects.filter(slug=slug).select_related("organisation").first()
        if cohort is None:
            raise missing("cohort of this name")
        known, seen = areas_known(), scope(request)
        wanted = Wanted(
            phases=tuple(params.choices("phase", PHASES)),
            steps=tuple(params.choices("step", STEPS)),
            sites=tuple(_sites(params, seen, known)),
            areas=tuple(params.choices("area", {*known[1], NONE})),
            bands=tuple(params.choices("band", {band.name for band in cohort.scale.bands})),
            organisations=tuple(filters_of(request, params).accountable()),
        )
        params.check()
        found = board(cohort, moment=moment, scope=seen, wanted=wanted, known=known)
        if found is None:
            raise PermissionDenied(_NOBODY)
        at = moment.at
        listed = found.listed if _names(request) else ()
        people = [_member(member, at) for member in listed]
        unseen = found.unseen + len(found.listed) - len(listed)
        points = series(cohort, sight=found.sight, until=timezone.localtime(at).date())
        answer = _board(found, points) | {
            "known_at": moment.known_at,
            "unseen": unseen,
            "results": people,
        }
        return answered(request, written(form_of(request), answer))


def _sites(params: Params, seen: Scope, known: Known) -> list[str]:
    """The values of `site`: sites at which the caller may meet somebody, or `none`."""
    values = params.texts("site")
    there = {NONE, *sites_met(values, seen, known)} if values else set()
    if strange := [value for value in values if value not in there]:
        params.errors["site"] = (
            f"“{strange[0][:40]}”: there is no site of this code that you may see; "
            "/api/v1/sites/ lists them."
        )
    return values


def _names(request: Request) -> bool:
    """Whether people may be named: a cohort is of people, not of what they wait for alone, so a
    token needs the scope that episodes need."""
    token = request.auth
    return not isinstance(token, ApiToken) or TokenScope.EPISODES_READ in token.scopes


def _about(cohort: Cohort) -> dict[str, Any]:
    return {
        "slug": cohort.slug,
        "title": cohort.title,
        "about": cohort.about or None,
        "source": cohort.source,
        "organisation": cohort.organisation.code if cohort.organisation else None,
        "criteria": cohort.who,
        "withdrawn": cohort.is_withdrawn,
    }


def _line(line: Line) -> dict[str, Any]:
    return _about(line.cohort) | {
        "people": line.people,
        **{phase.value: line.phases.get(phase, 0) for phase in Phase},
        "ready": line.ready,
        "bed_days": days(line.lost),
        "not_judged": line.not_judged,
    }


def _board(found: Board, points: Iterable[Point]) -> dict[str, Any]:
    cohort = found.cohort
    scale = cohort.scale
    return _about(cohort) | {
        "as_at": found.moment,
        "people": found.people,
        "ready": found.ready,
        "bed_days": days(found.lost),
        "without_owner": found.unowned,
        "by_phase": _tallies(found.by_phase),
        "by_step": _tallies(found.by_step),
        "by_accountable": _tallies(found.by_owner),
        "by_area": _tallies(found.by_area),
        "by_site": _tallies(found.by_site),
        "risk": {
            "source": scale.source,
            "bands": _tallies(found.by_band),
            "drivers": [{"label": d.label, "points": d.points} for d in scale.drivers],
        }
        if scale.bands
        else None,
        "not_judged": found.not_judged,
        "not_known": [{"what": what, "people": people} for what, people in found.lacks],
        "series": [_point(point) for point in points],
    }


def _point(point: Point) -> dict[str, Any]:
    said = asdict(point) | {"mean_stay": point.mean_stay}
    del said["cohort"]
    return said


def _tallies(tallies: Iterable[Tally]) -> list[dict[str, Any]]:
    return [
        {"key": t.key, "name": t.name, "people": t.people, "bed_days": days(t.lost)}
        for t in tallies
    ]


def _member(member: Member, at: datetime) -> Mapping[str, Any]:
    person, facts, stay = member.person, member.person.facts, member.person.stay
    return {
        "episode": person.episode,
        "patient": who(member.face),
        "phase": facts.phase.value,
        "step": person.step.value,
        "since": person.since,
        "accountable": {
            "organisation": person.owner.organisation or None,
            "name": person.owner.name or None,
        },
        "site": person.site or None,
        "ward": person.ward or None,
        "bed": (stay.bed or None) if stay else None,
        "area": facts.area or None,
        "admitted_at": person.admitted_at,
        "left_at": person.left_at,
        "expected_at": person.due_at,
        "discharge_ready_at": stay.ready_since if stay else None,
        "expected_discharge_at": stay.expected_discharge_at if stay else None,
        "waiting_on": (stay.label or None) if stay else None,
        "bed_days": days(member.lost(at)),
        "frailty": facts.frailty,
        "residence": facts.residence or None,
        "band": member.risk.band if member.risk else None,
        "drivers": list(member.risk.drivers) if member.risk else [],
        "not_known": list(member.risk.lacks) if member.risk else [],
    }
