"""What the escalation pages and the API show, of a site or of the system."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.roles import Permission
from huddles.escalation.assessing import assessed_sites
from huddles.escalation.cards import Card, cards_of
from huddles.escalation.course import Course, course
from huddles.escalation.standing import Standing, standings
from huddles.masking import masked
from huddles.names import words_to_hide
from huddles.opel.nearest import Away, Step, near_cuts, steps, to_levels
from wards.models import Site
from wards.scope import ALL, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEscalation:
    """A site. reason: of the declared level, as the viewer may read it. cards: of that level;
    near: what alone would change the computed level; nearest: the cuts that are nearest, whatever
    they would change; to_levels: the levels above and below with the points they are away."""

    standing: Standing
    reason: str
    near: Sequence[Step]
    nearest: Sequence[Step]
    to_levels: Sequence[Away]
    cards: Sequence[Card]
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEscalation:
    """The system, and the sites in sight. reason: of the system's declared level, as the viewer
    may read it."""

    standing: Standing
    reason: str
    sites: Sequence[Standing]
    course: Course


def site_escalation(site: Site, *, days: int, at: datetime, names: bool) -> SiteEscalation:
    """The board of a site; a fixed number of queries. names: whether the viewer may read names of
    its patients, were one written into a reason."""
    standing = standings([site], at=at).sites[site.pk]
    said = standing.declared
    hidden = hidden_from(names, at)
    return SiteEscalation(
        standing=standing,
        reason=masked(said.reason, hidden) if said else "",
        near=steps(standing.result) if standing.result else (),
        nearest=near_cuts(standing.result) if standing.result else (),
        to_levels=to_levels(standing.result) if standing.result else (),
        cards=cards_of(site, said.level, said) if said else (),
        course=without_names(course(site, days=days, at=at), hidden),
    )


def system_escalation(scope: Scope, *, days: int, at: datetime) -> SystemEscalation:
    """The board of the system with the sites in sight; a fixed number of queries."""
    seen = sites_seen(scope)
    found = standings(seen, at=at)
    said = found.system.declared
    hidden = hidden_from(scope.may_everywhere(Permission.SEE_PATIENTS), at)
    return SystemEscalation(
        standing=found.system,
        reason=masked(said.reason, hidden) if said else "",
        sites=tuple(found.sites[site.pk] for site in seen),
        course=without_names(course(None, days=days, at=at), hidden),
    )


def hidden_from(names: bool, at: datetime) -> Collection[str]:
    """The words to hide in what somebody typed, from a viewer who may read `names` or not. One
    query for those who may not."""
    return frozenset() if names else words_to_hide(at)


def without_names(found: Course, hidden: Collection[str]) -> Course:
    """The course with the reasons as they may be read."""
    turns = tuple(replace(turn, reason=masked(turn.reason, hidden)) for turn in found.turns)
    return replace(found, turns=turns)


def sites_seen(scope: Scope) -> list[Site]:
    """The sites that escalate, of which the viewer may see figures of some ward."""
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    return [site for site in assessed_sites() if held == ALL or site.pk in held]
