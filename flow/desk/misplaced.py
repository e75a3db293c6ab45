"""Who lies where they should not: outliers, boarders, corridor care, and beds out of use.

Each with how long it has been so, and the move that would mend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import Permission
from flow.asking import Asked
from flow.board_types import Face, Sight
from flow.desk.clocks import Clock, ClockKind
from flow.desk.corridor import Care, cares
from flow.desk.matches import Match, Scene, scene_of
from flow.desk.queue import Wanted, queue
from flow.desk.types import Need
from flow.faces import faces
from flow.showing import Show, answer
from flow.site_naming import site_named
from wards.held_beds import MOVES
from wards.models import BedRequest, Closure, Occupancy, Site, Ward
from wards.needing import needs_of
from wards.scope import ALL, Scope
from wards.suitability.costing import costs
from wards.suitability.facts import CORRIDOR, BedState, NeedKind
from wards.suitability.facts import Needs as Facts
from wards.suitability.judging import judge
from wards.suitability.rulebook import TAKES

_TRIED: Final = 60
"""Beds looked at for one patient, the cheapest first."""
_BETTER: Final = (Ward.Kind.INPATIENT, Ward.Kind.MATERNITY, Ward.Kind.COMMUNITY)
"""Kinds of ward that mend it: nobody is moved back to an assessment unit for that."""
MOST: Final = 60
"""Patients of one list for whom a better bed is looked for; the longest there come first."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """Somebody on a ward that is not for them. never: the ward is said never to take them. clock:
    of corridor care; care: who answers for that. mend: the bed that would suit best and is not out
    of place; None without. request: by which a bed is asked for already."""

    episode: int
    face: Face | None
    specialty: str
    ward: str
    bed: int
    label: str
    since: datetime
    never: bool
    clock: Clock | None
    mend: Match | None
    care: Care | None
    due: bool
    request: int | None

    @property
    def mend_address(self) -> str:
        """Where that is done: the move itself or, while somebody lies there, asking for it."""
        if self.mend is None:
            return ""
        if self.mend.state != BedState.OCCUPIED:
            where = urlencode({"to": self.mend.ward.id, "bed": self.mend.bed})
            return f"{reverse('flow:bed', args=[self.bed])}?{where}"
        if self.request is not None:
            return reverse("desk:request", args=[self.request])
        where = urlencode({"elsewhere": self.mend.ward.id})
        return f"{reverse('flow:bed', args=[self.bed])}?{where}"


@dataclass(frozen=True, slots=True)
class Misplaced:
    """All of it for a site."""

    moment: datetime
    outliers: Sequence[Outlier]
    corridor: Sequence[Outlier]
    boarders: Sequence[Need]
    closures: Sequence[Closure]
    has_rules: bool

    @property
    def unsigned(self) -> int:
        """In how many corridor spaces nobody answers for it now."""
        return sum(row.due for row in self.corridor)


def misplaced(site: Site, *, at: datetime, scope: Scope, mend: bool = True) -> Misplaced:
    """The lists of a site at `at`; a fixed number of queries. mend: look for better beds."""
    sight = Sight.of(scope)
    held = scope.wards(Permission.SEE_COUNTS)
    scene = scene_of(site, at=at, wards=None if held == ALL else held)
    rows = list(
        Occupancy.objects.filter(
            bed__in=list(scene.setting.patients), period__contains=at
        ).values_list("bed_id", "episode_id", "episode__patient_id", "period", "ward_id")
    )
    people = needs_of([row[1] for row in rows], at=at)
    known = faces({row[2] for row in rows if sight.sees_patients(row[4])})
    found: list[_Row] = []
    corridor: list[_Row] = []
    rule = scene.book.lines.get("outlier")
    for bed, episode, patient, period, ward in rows:
        person, place = people[episode], scene.setting.beds[bed]
        where = scene.setting.hospital.wards[ward]
        holds = rule is not None and where.kind not in rule.except_kinds
        verdict = scene.book.verdict(person, where)[0] if holds else TAKES
        in_corridor = CORRIDOR in place.features
        if verdict == TAKES and not in_corridor:
            continue
        one = _Row(bed, episode, patient, period.lower, person, verdict, in_corridor)
        (corridor if in_corridor else found).append(one)
    found.sort(key=lambda row: row.since)
    corridor.sort(key=lambda row: row.since)
    tried = (*corridor, *found)[:MOST] if mend else ()
    mends = _mends([row.person for row in tried], scene)
    care = _cares(corridor, scene, scope=scope, at=at)
    asked = dict(
        BedRequest.objects.filter(
            episode__in=[row.episode for row in (*found, *corridor)],
            kind__in=MOVES,
            period__contains=at,
        ).values_list("episode", "pk")
    )
    waiting = queue(site, at=at, sight=sight, wanted=Wanted(kinds=[NeedKind.ED_ADMISSION]))
    return Misplaced(
        moment=at,
        outliers=[
            row.told(scene, known.get(row.patient), mends, None, asked.get(row.episode))
            for row in found
        ],
        corridor=[
            row.told(
                scene, known.get(row.patient), mends, care[row.episode], asked.get(row.episode)
            )
            for row in corridor
        ],
        boarders=sorted(waiting.needs, key=lambda need: need.since),
        closures=list(
            Closure.objects.filter(ward__in=list(scene.places), period__contains=at)
            .select_related("ward", "bay", "bed__bay")
            .order_by("period")
        ),
        has_rules=scene.stored is not None,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    bed: int
    episode: int
    patient: int
    since: datetime
    person: Facts
    verdict: str
    in_corridor: bool

    def told(
        self,
        scene: Scene,
        face: Face | None,
        mends: dict[int, Match],
        care: Care | None,
        request: int | None,
    ) -> Outlier:
        place = scene.setting.beds[self.bed]
        return Outlier(
            episode=self.episode,
            face=face,
            specialty=self.person.specialty,
            ward=scene.places[place.ward].name,
            bed=self.bed,
            label=place.label,
            since=self.since,
            never=self.verdict == "never",
            clock=Clock(ClockKind.CORRIDOR, self.since) if self.in_corridor else None,
            mend=mends.get(self.person.key),
            care=care,
            due=care is not None and care.is_due(scene.setting.at),
            request=request,
        )


def _cares(rows: Sequence[_Row], scene: Scene, *, scope: Scope, at: datetime) -> dict[int, Care]:
    """Who answers for each of these in a corridor, and what speaks against it."""
    ward = {row.episode: scene.setting.beds[row.bed].ward for row in rows}
    sees = {one for one in ward if scope.may(Permission.SEE_PATIENTS, ward[one])}
    signs = {one for one in sees if scope.may(Permission.MANAGE_BEDS, ward[one])}
    return cares(
        {row.episode: (row.bed, row.since) for row in rows},
        ages={row.episode: row.person.age for row in rows},
        seen=frozenset(sees),
        signs=frozenset(signs),
        at=at,
    )


def _mends(people: Sequence[Facts], scene: Scene) -> dict[int, Match]:
    """For each the cheapest bed that suits and where they would not be out of place; no bed is
    named twice, so that all of it could be done."""
    if not people:
        return {}
    table = costs(people, scene.setting, scene.book)
    taken: set[int] = set()
    found = {}
    for row, person in enumerate(people):
        order = np.argsort(np.where(table.suits[row], table.cost[row], np.inf), kind="stable")
        for column in order[:_TRIED]:
            bed = scene.setting.beds[table.beds[column]]
            if not table.suits[row][column]:
                break
            better = scene.places[bed.ward].kind in _BETTER and CORRIDOR not in bed.features
            if bed.key in taken or not better:
                continue
            judged = judge(person, bed, scene.setting, scene.book)
            if judged.suitable and "outlier" not in judged.breaches:
                taken.add(bed.key)
                found[person.key] = scene.as_match(judged)
                break
    return found


@require_safe
def out_of_place(request: HttpRequest, code: str) -> HttpResponse:
    """The page of these lists."""
    scope, place = site_named(request, code)
    if "at" in request.GET or "known_at" in request.GET:
        return redirect(request.path)

    def context(_told: Asked, now: datetime) -> dict[str, Any]:
        return {"lists": misplaced(place, at=now, scope=scope), "site": place}

    sight = Sight.of(scope)
    show = Show(
        "desk",
        _("Out of place"),
        "flow/_misplaced.html",
        context,
        apart=f"misplaced {place.code}",
        private=sight.patients != frozenset(),
        subtitle=place.name,
        up=[(_("Desk"), reverse("desk:desk", args=[place.code]))],
        drawer=True,
        kept=(),
        page="flow/queue.html",
    )
    return answer(request, scope, show)
