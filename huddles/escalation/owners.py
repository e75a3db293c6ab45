"""Who does what a card says: the team of that name, or those who hold that role at a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Team, User
from accounts.roles import LABELS, Role
from huddles.actions.owners import Owner, bodies_over
from huddles.models import ActionCard
from wards.models import Grant, Site

MOST = 50
"""People among whom one is chosen: of more, none is found in a list."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Whom a card means at a site: a team, or some of `people`. Where there is neither, nobody who
    signs in is known by the name that the card gives, and an action under it stands in nobody's
    list."""

    role: str
    team: Team | None
    people: tuple[User, ...]

    @property
    def is_known(self) -> bool:
        """Whether whoever does it has a list in which it will stand."""
        return self.team is not None or bool(self.people)

    @property
    def is_open(self) -> bool:
        """Whether it has to be said which of several does it."""
        return self.team is None and len(self.people) > 1

    def owner(self, chosen: int | None = None) -> Owner | None:
        """Who does it. chosen: the key of one of the people. None while it is open."""
        if self.team is not None or not self.people:
            return Owner(team=self.team, name=self.role)
        if not self.is_open:
            return Owner(user=self.people[0], name=self.role)
        found = next((one for one in self.people if one.pk == chosen), None)
        return Owner(user=found, name=self.role) if found else None


def doers(cards: Iterable[ActionCard], site: Site) -> Mapping[int, Doer]:
    """Whom each card means at the site, by the key of the card; give cards with their teams.
    Four queries."""
    every = list(cards)
    names = {one.role.lower() for one in every if one.role and one.team is None}
    teams = _teams(names, site)
    people = _people(names - set(teams), site)
    found = {}
    for one in every:
        name = one.role.lower()
        team = one.team or teams.get(name)
        found[one.pk] = Doer(one.role, team, () if team else people.get(name, ()))
    return found


def _teams(names: Iterable[str], site: Site) -> dict[str, Team]:
    """The one team that each of these names means: of the site's own body by its name, else the
    only one so called anywhere, else the body's only one of that kind: "Discharge team" is the
    team of the kind `discharge`."""
    kinds = {name: name.removesuffix(" team").replace(" ", "_") for name in names}
    rows = list(
        Team.objects.annotate(lower=Lower("name")).filter(
            Q(lower__in=list(kinds))
            | Q(kind__in=list(kinds.values()), organisation=site.organisation_id)
        )
    ) if kinds else []  # fmt: skip
    found: dict[str, Team] = {}
    for name, kind in kinds.items():
        called = [one for one in rows if one.name.lower() == name]
        own = [one for one in called if one.organisation_id == site.organisation_id]
        of_kind = [
            one for one in rows if one.kind == kind and one.organisation_id == site.organisation_id
        ]
        for those in (own, called, of_kind):
            if those:
                if len(those) == 1:
                    found[name] = those[0]
                break
    return found


def _people(names: Iterable[str], site: Site) -> dict[str, tuple[User, ...]]:
    """Those who hold the role of each of these names at the site or over it, by their names."""
    roles = {role: name for role in Role if (name := _name_of(role)) in set(names)}
    if not roles:
        return {}
    reaches = (
        Q(everywhere=True)
        | Q(site=site)
        | Q(ward__site=site)
        | Q(organisation__in=bodies_over(site.organisation))
    )
    held = Grant.objects.filter(reaches, role__in=list(roles), user__is_active=True)
    rows = held.select_related("user").order_by("user__first_name", "user__last_name", "user_id")
    found: dict[str, dict[int, User]] = {}
    for row in rows:
        found.setdefault(roles[Role(row.role)], {})[row.user_id] = row.user
    return {name: tuple(those.values())[:MOST] for name, those in found.items()}


def _name_of(role: Role) -> str:
    """What a role is called, without what it may do: "Observer (counts only)"."""
    return LABELS[role].partition(" (")[0].lower()
