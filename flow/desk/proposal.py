"""A proposal for everybody who needs a bed at a site, to be accepted line by line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.board_types import Sight
from flow.desk.deeds import ahead_by
from flow.desk.forms import HOURS
from flow.desk.freeing import Freeing, carry_out, freeing_told
from flow.desk.matches import Match, Scene, leaving_soon, scene_of
from flow.desk.queue import order, queue
from flow.desk.types import Need
from flow.site_naming import site_named
from wards import reservations
from wards.barriers import Said
from wards.models import Bed, BedRequest, Site
from wards.needing import needs_of
from wards.placing import terms_by_episode
from wards.scope import ALL, Scope
from wards.suitability.findings import Finding
from wards.suitability.freeing_moves import freeing_moves
from wards.suitability.proposing import Proposal, propose

USUAL_HOURS: Final = 4
AHEAD: Final = timedelta(hours=4)
"""Whoever is expected later than that is left out: a bed is not kept empty for so long."""
MOST_MOVES: Final = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the proposal. instead: where this request alone would have got a better bed."""

    need: Need
    match: Match
    alone: Match | None

    @property
    def for_it(self) -> list[Finding]:
        """What speaks for the bed; that the proposal itself holds it says nothing."""
        return [one for one in self.match.judged.for_it if one.code != "held"]


@dataclass(frozen=True, slots=True)
class Left:
    """A need for which no bed is proposed, and why."""

    need: Need
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """The proposal in the words of the desk. took: seconds of thought. Left out are, later: those
    who are not here and are expected later; unseen: those whom the viewer may not see, of whom the
    reasons for and against a bed would tell."""

    lines: Sequence[Line]
    left: Sequence[Left]
    freeing: Sequence[Freeing]
    proposal: Proposal
    scene: Scene
    took: float
    later: int = 0
    unseen: int = 0


@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: HttpRequest, code: str) -> HttpResponse:
    """Beds for everybody at once; what is accepted is held."""
    scope, place = site_named(request, code)
    if not scope.may_anywhere(Permission.MOVE_PATIENTS):
        raise PermissionDenied(_("Proposals are for those who give beds. Ask your administrator."))
    now = timezone.now()
    if request.method == "POST":
        if "move" in request.POST:
            return _move(request, place, now, scope)
        return _accept(request, place, now, scope)
    told = proposed(place, at=now, scope=scope)
    response = render(
        request,
        "flow/proposal.html",
        {
            "told": told,
            "site": place,
            "moment": now,
            "hours": HOURS,
            "usual": USUAL_HOURS,
            "ahead": int(AHEAD.total_seconds() // 3600),
            "desk_address": reverse("desk:desk", args=[place.code]),
        },
    )
    response["Cache-Control"] = "no-store"
    return response


def proposed(place: Site, *, at: datetime, scope: Scope) -> Told:
    """The proposal for a site as it stands; a fixed number of queries."""
    begun = time.monotonic()
    sight = Sight.of(scope)
    board = queue(place, at=at, sight=sight)
    every = [need for need in board.needs if need.held is None and need.may_see]
    needs = [need for need in every if not _comes_later(need, at)]
    held = scope.wards(Permission.MOVE_PATIENTS)
    scene = scene_of(place, at=at, wards=None if held == ALL else held)
    rows = BedRequest.objects.select_related("ward").in_bulk([need.id for need in needs])
    people = needs_of(
        [need.episode for need in needs],
        at=at,
        requests={row.episode_id: row for row in rows.values()},
        terms=terms_by_episode(list(rows.values())),
    )
    by_person: dict[int, Need] = {}
    for need in sorted(needs, key=lambda one: order(one, at)):
        by_person.setdefault(people[need.episode].key, need)
    waiting = [people[need.episode] for need in by_person.values()]
    found = propose(waiting, scene.setting, scene.book)
    place_in = {person: number for number, person in enumerate(by_person)}
    unplaced = {one.request for one in found.unplaced}
    freeing = freeing_moves(
        [one for one in waiting if one.key in unplaced], found.after, scene.book
    )[:MOST_MOVES]
    return Told(
        lines=[
            Line(
                by_person[line.request],
                scene.as_match(line.judgement),
                scene.as_match(line.alone) if line.alone else None,
            )
            for line in sorted(found.lines, key=lambda one: place_in[one.request])
        ],
        left=[
            Left(by_person[one.request], one.text)
            for one in sorted(found.unplaced, key=lambda one: place_in[one.request])
        ],
        freeing=freeing_told(freeing, by_person, scene, sight),
        proposal=found,
        scene=scene,
        took=time.monotonic() - begun,
        later=len(every) - len(needs),
        unseen=board.unseen + board.beyond,
    )


def _comes_later(need: Need, at: datetime) -> bool:
    """Whether they are not here yet, nor within the time for which a bed is kept empty. Whoever is
    here waits now, whenever the bed is wanted."""
    return need.origin is None and need.due_at is not None and need.due_at > at + AHEAD


def _accept(request: HttpRequest, place: Site, now: datetime, scope: Scope) -> HttpResponse:
    """Hold the beds of the lines that were chosen; each stands or falls on its own."""
    assert isinstance(request.user, User)
    chosen = request.POST.getlist("accept")[:200]
    hours = row_key(request.POST.get("hours", "")) or USUAL_HOURS
    held_for = timedelta(hours=min(hours, max(HOURS)))
    open_ones = {
        need.id: need for need in queue(place, at=now, sight=Sight.of(scope)).needs if need.may_see
    }
    done, refused = 0, []
    soon = leaving_soon(place, at=now) if chosen else {}
    for text in chosen:
        first, second, minutes = [*text.split(":"), "", "", ""][:3]
        need, bed = row_key(first), row_key(second)
        ready = now + ahead_by(minutes)
        row = (
            BedRequest.objects.select_related("episode__patient").filter(pk=need).first()
            if need in open_ones
            else None
        )
        if row is None or bed is None:
            refused.append(_("A line was over already."))
            continue
        try:
            _check_gives(scope, bed)
            reservations.reserve(
                request=row,
                bed=bed,
                until=ready + held_for,
                said=Said(now, request.user),
                seen=None,
                soon=soon,
            )
            done += 1
        except Refused as refusal:
            refused.append(refusal.reason)
    if done:
        held = ngettext("%(n)s bed is held.", "%(n)s beds are held.", done) % {"n": done}
        messages.success(request, held)
    for reason in dict.fromkeys(refused):
        messages.warning(request, reason)
    if not chosen:
        messages.warning(request, _("Nothing was chosen: tick the lines to accept."))
    return redirect("desk:proposal", code=place.code)


def _move(request: HttpRequest, place: Site, now: datetime, scope: Scope) -> HttpResponse:
    """Make one of the moves that free beds."""
    assert isinstance(request.user, User)
    try:
        said = carry_out(
            request.POST["move"],
            scope=scope,
            at=now,
            by=request.user,
            reason=request.POST.get("reason", "").strip()[:500].replace("\0", ""),
        )
        messages.success(request, said)
    except Refused as refusal:
        messages.warning(request, refusal.reason)
    return redirect("desk:proposal", code=place.code)


def _check_gives(scope: Scope, bed: int) -> None:
    ward = Bed.objects.filter(pk=bed).values_list("ward_id", flat=True).first()
    if ward is None or not scope.may(Permission.MOVE_PATIENTS, ward):
        raise Refused(_("You may not give beds of that ward. Ask who runs it."))
