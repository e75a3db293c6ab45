"""Actions as somebody sees them: theirs, their teams', or all of a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.roles import Permission
from flow.board_types import Face
from flow.faces import faces
from huddles.actions.agreeing import version_of
from huddles.actions.owners import Owner
from huddles.actions.rights import is_theirs, may_agree, sees_whom
from huddles.actions.states import ended_at, with_states
from huddles.masking import masked
from huddles.models import Action
from huddles.names import words_to_hide
from wards.models import Occupancy, Site
from wards.scope import ALL, Scope

MOST: Final = 200
"""Rows of a list; what is beyond is counted."""
COUNTED: Final = 1_000_000
"""How many actions a list counts at most: more than anybody agrees to."""
LATELY: Final = timedelta(hours=24)
"""For how long what is over stands in a list."""


class Whose(StrEnum):
    """Which actions a list is of."""

    MINE = "mine"
    TEAMS = "teams"
    SITE = "site"


class State(StrEnum):
    """Which of them: OVER are those that ended in the last day."""

    OPEN = "open"
    OVERDUE = "overdue"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Row:
    """One action, as the viewer may see it. note: what was said when it ended. sees: the viewer may
    see whom it is about. owner_name: the owner as typed, where it is nobody who signs in. ended_at:
    None while it is open. by_deed: it ended by the deed that it is about and not by somebody's
    word. face: None where nobody is meant or the viewer may not see who."""

    action: Action
    text: str
    owner: str
    owner_name: str
    mine: bool
    late: bool
    sees: bool
    ended_at: datetime | None
    by_deed: bool
    face: Face | None
    note: str
    may_end: bool
    may_change: bool
    may_reopen: bool

    @property
    def owner_words(self) -> str:
        """Who does it, as a form takes it."""
        one = self.action
        return str(Owner(one.owner, one.team, "" if one.owner else one.owner_name))

    @property
    def ending(self) -> str:
        """The deed that ends it by itself; none where the closure that it is about was taken back
        before it began, and so never ends."""
        one = self.action
        gone = one.ending == Action.Ending.REOPENED and one.closure_id is None
        return "" if gone else one.ending

    @property
    def version(self) -> str:
        """What a form sends back, so that it overwrites nothing that it has not shown."""
        return version_of(self.action)

    @property
    def place(self) -> str:
        """Its ward and bed, in words."""
        ward, bed = self.action.ward, self.action.bed
        if ward is None:
            return ""
        return f"{ward.name}, {bed.label}" if bed is not None else ward.name


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of actions: the rows, how many there are of each state, and of them not shown."""

    whose: Whose
    state: State
    rows: tuple[Row, ...]
    counts: Mapping[State, int]
    more: int


def seen_by(viewer: User, scope: Scope) -> Q:
    """Which actions somebody may read."""
    fits = Q(owner=viewer)
    teams, wards = scope.teams(Permission.OWN_STEPS), scope.wards(Permission.SEE_PATIENTS)
    sites = scope.sites(Permission.SEE_PATIENTS)
    if wards == ALL or sites == ALL or teams == ALL:
        return Q() if wards == ALL else fits | Q(team__isnull=False)
    return (
        fits
        | Q(team__in=teams)
        | Q(ward__in=wards)
        | Q(ward__isnull=True, site__in=sites)
    )  # fmt: skip


def listed(
    viewer: User,
    scope: Scope,
    *,
    whose: Whose,
    state: State,
    at: datetime,
    site: Site | None = None,
) -> Listed:
    """The actions of a list, the first due first; at most six queries."""
    rows = with_states(_of(viewer, scope, whose, site), at=at)
    tests = {
        State.OPEN: Q(ended_at__isnull=True),
        State.OVERDUE: Q(ended_at__isnull=True, due_at__lt=at),
        State.OVER: Q(ended_at__gte=at - LATELY),
    }
    # Cut, however far off, so that each end is found once in a table of its own: else the question
    # how an action ended is asked anew within each of the counts.
    ends = rows.annotate(ended_at=F("ended_at")).values("pk", "due_at", "ended_at")[:COUNTED]
    sums = ends.aggregate(**{each.value: Count("pk", filter=test) for each, test in tests.items()})
    order = ["-ended_at", "pk"] if state is State.OVER else ["due_at", "pk"]
    found = list(with_all(rows.filter(tests[state])).order_by(*order)[:MOST])
    return Listed(
        whose=whose,
        state=state,
        rows=tuple(shown(found, viewer, scope, at=at)),
        counts={each: sums[each.value] for each in State},
        more=sums[state.value] - len(found),
    )


def _of(viewer: User, scope: Scope, whose: Whose, site: Site | None) -> QuerySet[Action]:
    if whose is Whose.MINE:
        return Action.objects.filter(owner=viewer)
    if whose is Whose.TEAMS:
        teams = scope.teams(Permission.OWN_STEPS)
        given = Action.objects.filter(team__isnull=False)
        return given if teams == ALL else given.filter(team__in=teams)
    return Action.objects.filter(seen_by(viewer, scope), site=site)


def with_all(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The actions with what a row shows of each fetched; `lies_on`: the ward on which the patient
    is now, or was last."""
    places = Occupancy.objects.filter(episode=OuterRef("episode")).annotate(
        on=Coalesce("ward__same_as", "ward")
    )
    latest = places.order_by(F("period__startswith").desc()).values("on")[:1]
    placed: QuerySet[Any] = rows.annotate(lies_on=Subquery(latest))
    return placed.select_related(
        "site", "owner", "team", "ward", "bed", "by", "over_by", "episode__patient",
        "barrier__reason", "closure",
    )  # fmt: skip


def shown(
    actions: Iterable[Any],
    viewer: User | None,
    scope: Scope | None,
    *,
    at: datetime,
    named: bool = True,
    hidden: frozenset[str] | None = None,
) -> Iterable[Row]:
    """The rows as the viewer may see them; `actions` with their states, and `with_all`. `named`:
    whether patients may be named to the viewer at all. `hidden`: the words of `words_to_hide`,
    where the caller has them. Without a viewer and scope, as a screen in a room shows them.

    What was typed is shown as it was to those who may see the patients there, and the one whom it
    is about where they are by now; to everybody else
    without any word that is part of the name of somebody who is in hospital there.
    """
    rows = list(actions)
    clear = {
        one.pk for one in rows if named and scope is not None and sees_whom(scope, one, one.lies_on)
    }
    seen = faces({one.episode.patient_id for one in rows if one.pk in clear and one.episode_id})
    if hidden is None:
        hidden = words_to_hide(at) if len(clear) < len(rows) else frozenset()
    for one in rows:
        sees, ended = one.pk in clear, ended_at(one)
        named_so = one.owner_name if sees else masked(one.owner_name, hidden)
        who = [str(one.owner) if one.owner else named_so, str(one.team or "")]
        theirs = viewer is not None and scope is not None and is_theirs(one, viewer, scope)
        agrees = scope is not None and may_agree(scope, one.site_id, one.ward_id)
        yield Row(
            action=one,
            text=one.text if sees else masked(one.text, hidden),
            owner=", ".join(filter(None, who)),
            owner_name="" if one.owner else named_so,
            mine=viewer is not None and one.owner_id == viewer.pk,
            late=ended is None and one.due_at < at,
            sees=sees,
            ended_at=ended,
            by_deed=ended is not None and not one.outcome,
            face=seen.get(one.episode.patient_id) if sees and one.episode_id else None,
            note=one.over_note if sees else masked(one.over_note, hidden),
            may_end=ended is None and (theirs or agrees),
            # Who reads it with gaps would keep the gaps.
            may_change=ended is None and agrees and sees,
            may_reopen=ended is not None and (theirs or agrees),
        )
