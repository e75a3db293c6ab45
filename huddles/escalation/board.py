"""What the escalation pages and the API show, of a site or of the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.roles import Permission
from huddles.escalation.assessing import assessed_sites
from huddles.escalation.cards import Card, cards_of
from huddles.escalation.course import Course, course
from huddles.escalation.standing import Share, Standing, standings
from huddles.opel.nearest import Step, steps
from wards.models import Site
from wards.scope import ALL, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEscalation:
    """A site. cards: of the declared level; near: what alone would change the computed level."""

    standing: Standing
    near: Sequence[Step]
    cards: Sequence[Card]
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEscalation:
    """The system, and the sites in sight. shares: of the roll-up, by the key of the site."""

    standing: Standing
    sites: Sequence[Standing]
    course: Course

    def share(self, site: int) -> Share | None:
        """The part that a site has in the system's score."""
        return next((one for one in self.standing.shares if one.site.pk == site), None)


def site_escalation(site: Site, *, days: int, at: datetime) -> SiteEscalation:
    """The board of a site; a fixed number of queries."""
    standing = standings([site], at=at).sites[site.pk]
    said = standing.declared
    return SiteEscalation(
        standing=standing,
        near=steps(standing.result) if standing.result else (),
        cards=cards_of(site, said.level, said) if said else (),
        course=course(site, days=days, at=at),
    )


def system_escalation(scope: Scope, *, days: int, at: datetime) -> SystemEscalation:
    """The board of the system with the sites in sight; a fixed number of queries."""
    seen = sites_seen(scope)
    found = standings(seen, at=at)
    return SystemEscalation(
        standing=found.system,
        sites=tuple(found.sites[site.pk] for site in seen),
        course=course(None, days=days, at=at),
    )


def sites_seen(scope: Scope) -> list[Site]:
    """The sites that escalate, of which the viewer may see figures of some ward."""
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    return [site for site in assessed_sites() if held == ALL or site.pk in held]
