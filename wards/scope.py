"""What a user may do, and where.

A grant gives a role at an organisation, a site, a ward or a team and everything below it, or
everywhere; below an organisation are its teams, too. A ward that no one has recognised yet lies
at a site like any other, so a grant at the site holds there. A superuser, who exists to set up
the first people, may do everything.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from accounts.roles import PERMISSIONS, Permission, Role
from patients.models import Episode, Patient
from wards.models import BedRequest, Occupancy
from wards.placeless import Home, of_no_ward, with_source

ALL: Final = "all"
Places = frozenset[int] | Literal["all"]

_MEMO = "_flowboard_scope"


@dataclass(frozen=True, slots=True)
class Held:
    """Where one permission holds, as primary keys.

    `sites` are held whole; `wards` are all wards of those sites and those granted singly;
    `touched` are the sites of all of these wards. `teams` are those of the organisations held
    whole and those granted singly.
    """

    everywhere: bool = False
    organisations: frozenset[int] = frozenset()
    sites: frozenset[int] = frozenset()
    wards: frozenset[int] = frozenset()
    touched: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()

    def covers(self, home: Home) -> bool:
        """Whether it holds for the whole part of the system that is the home of a stay."""
        if self.everywhere or home.site in self.sites:
            return True
        return home.site is None and home.organisation in self.organisations


NOWHERE: Final = Held()
EVERYWHERE: Final = Held(everywhere=True)


class Scope:
    """What one user may do, and where. Equal `key` means that two users see and may do the same."""

    def __init__(self, held: Mapping[Permission, Held]) -> None:
        self._held = held

    def held(self, permission: Permission) -> Held:
        """Where `permission` holds."""
        return self._held.get(permission, NOWHERE)

    def wards(self, permission: Permission) -> Places:
        """The wards at which `permission` holds, or "all"."""
        held = self.held(permission)
        return ALL if held.everywhere else held.wards

    def sites(self, permission: Permission) -> Places:
        """The sites at which `permission` holds for the whole site, or "all"."""
        held = self.held(permission)
        return ALL if held.everywhere else held.sites

    def sites_in_part(self, permission: Permission) -> Places:
        """The sites at which `permission` holds for the site or for some ward of it, or "all"."""
        held = self.held(permission)
        return ALL if held.everywhere else held.sites | held.touched

    def organisations(self, permission: Permission) -> Places:
        """The organisations at which `permission` holds for the whole body, or "all"."""
        held = self.held(permission)
        return ALL if held.everywhere else held.organisations

    def teams(self, permission: Permission) -> Places:
        """The teams for which `permission` holds, or "all"."""
        held = self.held(permission)
        return ALL if held.everywhere else held.teams

    def may(self, permission: Permission, ward: int) -> bool:
        """Whether `permission` holds at the ward."""
        held = self.held(permission)
        return held.everywhere or ward in held.wards

    def may_at_site(self, permission: Permission, site: int) -> bool:
        """Whether `permission` holds for the whole site."""
        held = self.held(permission)
        return held.everywhere or site in held.sites

    def may_at_organisation(self, permission: Permission, organisation: int) -> bool:
        """Whether `permission` holds for the whole organisation."""
        held = self.held(permission)
        return held.everywhere or organisation in held.organisations

    def may_everywhere(self, permission: Permission) -> bool:
        """Whether `permission` holds without limit of place."""
        return self.held(permission).everywhere

    def may_anywhere(self, permission: Permission) -> bool:
        """Whether `permission` holds at any place at all: for what to offer in a menu."""
        return self.held(permission) != NOWHERE

    @cached_property
    def key(self) -> str:
        """Equal for two users exactly when they may do the same things at the same places."""
        what = [
            (
                permission.value,
                held.everywhere,
                sorted(held.organisations),
                sorted(held.sites),
                sorted(held.wards),
                sorted(held.teams),
            )
            for permission, held in sorted(self._held.items())
            if held != NOWHERE
        ]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def scope_of(user: User | AnonymousUser) -> Scope:
    """The scope of `user`, read once (one query) and kept on the object.

    A user who is not signed in, or was deactivated, may do nothing.
    """
    known: Scope | None = user.__dict__.get(_MEMO)
    if known is None:
        known = user.__dict__[_MEMO] = Scope(_held_by(user))
    return known


def _held_by(user: User | AnonymousUser) -> dict[Permission, Held]:
    if not isinstance(user, User) or not user.is_active:
        return {}
    if user.is_superuser:
        return dict.fromkeys(Permission, EVERYWHERE)
    return held_by_roles(_places(user.pk))


def held_by_roles(places: Mapping[Role, Held]) -> dict[Permission, Held]:
    """Where each permission holds, from where each role does."""
    held = {}
    for permission in Permission:
        parts = [at for role, at in places.items() if permission in PERMISSIONS[role]]
        if any(part.everywhere for part in parts):
            held[permission] = EVERYWHERE
        elif parts:
            held[permission] = Held(
                organisations=frozenset().union(*(part.organisations for part in parts)),
                sites=frozenset().union(*(part.sites for part in parts)),
                wards=frozenset().union(*(part.wards for part in parts)),
                touched=frozenset().union(*(part.touched for part in parts)),
                teams=frozenset().union(*(part.teams for part in parts)),
            )
    return held


def _places(user: int) -> dict[Role, Held]:
    """Where each role of the user holds. A role this version does not know gives nothing."""
    found: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    with connection.cursor() as cursor:
        cursor.execute(_PLACES_SQL, {"user": user})
        for role, level, key, site in cursor.fetchall():
            found[role][level].add(key)
            if level == "ward":
                found[role]["touched"].add(site)
    return {
        Role(role): Held(
            everywhere="everywhere" in levels,
            organisations=frozenset(levels["organisation"]),
            sites=frozenset(levels["site"]),
            wards=frozenset(levels["ward"]),
            touched=frozenset(levels["touched"]),
            teams=frozenset(levels["team"]),
        )
        for role, levels in found.items()
        if role in PERMISSIONS
    }


# UNION, not UNION ALL, in the recursive part: it ends even if the organisations form a ring.
_PLACES_SQL = """
WITH RECURSIVE
held AS (
    SELECT role, organisation_id, site_id, ward_id, team_id, everywhere
      FROM wards_grant WHERE user_id = %(user)s),
organisations(role, id) AS (
    SELECT role, organisation_id FROM held WHERE organisation_id IS NOT NULL
    UNION
    SELECT above.role, below.id
      FROM organisations above JOIN accounts_organisation below ON below.parent_id = above.id),
sites(role, id) AS (
    SELECT role, site_id FROM held WHERE site_id IS NOT NULL
    UNION
    SELECT owner.role, site.id
      FROM organisations owner JOIN wards_site site ON site.organisation_id = owner.id)
SELECT role, 'everywhere', 0, 0 FROM held WHERE everywhere
UNION ALL
SELECT role, 'organisation', id, 0 FROM organisations
UNION ALL
SELECT role, 'site', id, id FROM sites
UNION ALL
SELECT sites.role, 'ward', ward.id, ward.site_id
  FROM sites JOIN wards_ward ward ON ward.site_id = sites.id
UNION ALL
SELECT held.role, 'ward', ward.id, ward.site_id
  FROM held JOIN wards_ward ward ON ward.id = held.ward_id
UNION ALL
SELECT owner.role, 'team', team.id, 0
  FROM organisations owner JOIN accounts_team team ON team.organisation_id = owner.id
UNION ALL
SELECT role, 'team', team_id, 0 FROM held WHERE team_id IS NOT NULL
"""


def visible_episodes(
    episodes: QuerySet[Episode], scope: Scope, permission: Permission = Permission.SEE_PATIENTS
) -> QuerySet[Episode]:
    """The episodes that the scope may see: those that are or were on one of its wards.

    An episode that waits for, or from, one of these wards counts too: a ward must know whom it
    is to receive. One that no ward was ever told of is seen by those whose scope covers the site
    or organisation that tells of it (`wards.placeless`).
    """
    held = scope.held(permission)
    if held.everywhere:
        return episodes
    wards = held.wards
    here = Occupancy.objects.filter(episode=OuterRef("pk"), ward__in=wards)
    due = BedRequest.objects.filter(episode=OuterRef("pk"), ward__in=wards)
    leaving = BedRequest.objects.filter(episode=OuterRef("pk"), from_ward__in=wards)
    seen = Exists(here) | Exists(due) | Exists(leaving)
    if not held.sites and not held.organisations:
        return episodes.filter(seen)
    return with_source(episodes).filter(seen | of_no_ward(held.covers))


def visible_patients(
    patients: QuerySet[Patient], scope: Scope, permission: Permission = Permission.SEE_PATIENTS
) -> QuerySet[Patient]:
    """The patients with an episode that the scope may see."""
    if scope.wards(permission) == ALL:
        return patients
    seen = visible_episodes(Episode.objects.filter(patient=OuterRef("pk")), scope, permission)
    return patients.filter(Exists(seen))


def wards_where(scope: Scope, permission: Permission, wards: Iterable[int]) -> set[int]:
    """Those of `wards` at which `permission` holds."""
    return {ward for ward in wards if scope.may(permission, ward)}
