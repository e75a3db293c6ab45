"""Giving people roles at places, and taking them back."""

from __future__ import annotations

from collections.abc import Iterable

import pghistory
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import access_changed
from accounts.audit import deed
from accounts.models import Organisation, Team, User
from accounts.refusals import Refused
from accounts.roles import LABELS, Permission, Role, roles_with
from wards.models import Grant, Site, Ward
from wards.scope import ALL, Scope

PEOPLE = Permission.MANAGE_PEOPLE


@transaction.atomic
def set_grant(
    *,
    user: User,
    role: str,
    organisation: Organisation | None = None,
    site: Site | None = None,
    ward: Ward | None = None,
    team: Team | None = None,
    everywhere: bool = False,
    by: User | None,
) -> Grant:
    """Give `user` the role at one place, or everywhere; the grant that stands afterwards.

    Giving a role that the user has there already changes nothing. Raises Refused for an unknown
    role or when not exactly one place is named.
    """
    if role not in LABELS:
        allowed = ", ".join(LABELS)
        raise Refused(f"“{role}” is not a role; use one of {allowed}.")
    if sum(place is not None for place in (organisation, site, ward, team)) + everywhere != 1:
        raise Refused("Choose one place: an organisation, a site, a ward, a team, or everywhere.")
    with pghistory.context(**deed("set_grant", by)):
        grant, new = Grant.objects.get_or_create(
            user=user,
            role=role,
            organisation=organisation,
            site=site,
            ward=ward,
            team=team,
            everywhere=everywhere,
        )
    if new:
        access_changed()
    return grant


@transaction.atomic
def withdraw_grant(*, grant: Grant, by: User | None) -> None:
    """Take a grant back; the audit history keeps it. It counts from the commit on.

    Raises Refused when nobody who can sign in would be left to manage people everywhere.
    """
    refuse_if_last_administrator(user=grant.user, losing=grant)
    with pghistory.context(**deed("withdraw_grant", by)):
        Grant.objects.filter(pk=grant.pk).delete()
    access_changed()


@transaction.atomic
def deactivate(*, user: User, by: User | None) -> None:
    """Sign the user out everywhere and let neither them nor their tokens in again.

    Their roles stay, for the day on which they come back. Raises Refused when nobody who can
    sign in would be left to manage people everywhere, or for somebody's own account.
    """
    if by is not None and by.pk == user.pk:
        raise Refused("You cannot deactivate your own account; ask another administrator.")
    refuse_if_last_administrator(user=user)
    with pghistory.context(**deed("deactivate", by)):
        user.is_active = False
        user.save(update_fields=["is_active"])
    access_changed()


def refuse_if_last_administrator(*, user: User, losing: Grant | None = None) -> None:
    """Raise Refused if, without `user` (or without their grant `losing`), nobody is left who can
    sign in and manage people everywhere.

    Locks what it counts, in key order, so that two administrators cannot remove each other at once.
    """
    ruling = Grant.objects.filter(
        everywhere=True, role__in=roles_with(PEOPLE), user__is_active=True
    ).order_by("pk")
    grants = list(ruling.select_for_update(of=["self"]).values_list("pk", "user"))
    supers = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    superusers = set(supers.select_for_update(no_key=True).values_list("pk", flat=True))
    left = superusers | {who for pk, who in grants if losing is None or pk != losing.pk}
    if losing is None:
        left.discard(user.pk)
    rules = user.pk in superusers or user.pk in {who for _, who in grants}
    if rules and not left:
        raise Refused(
            f"{user} is the last one who may manage people everywhere; "
            f"make somebody else {LABELS[Role.ADMINISTRATOR]} everywhere first."
        )


def may_grant(
    scope: Scope,
    *,
    organisation: int | None = None,
    site: int | None = None,
    ward: int | None = None,
    team_of: int | None = None,
    everywhere: bool = False,
) -> bool:
    """Whether somebody with `scope` may give and withdraw roles at the place; `team_of` is the
    organisation of a team."""
    if everywhere:
        return scope.may_everywhere(PEOPLE)
    if organisation is None:
        organisation = team_of
    if organisation is not None:
        return scope.may_at_organisation(PEOPLE, organisation)
    if site is not None:
        return scope.may_at_site(PEOPLE, site)
    return ward is not None and scope.may(PEOPLE, ward)


def may_withdraw(scope: Scope, grant: Grant) -> bool:
    """Whether somebody with `scope` may withdraw the grant."""
    return may_grant(
        scope,
        organisation=grant.organisation_id,
        site=grant.site_id,
        ward=grant.ward_id,
        team_of=grant.team.organisation_id if grant.team else None,
        everywhere=grant.everywhere,
    )


def may_manage(scope: Scope, user: User, grants: Iterable[Grant]) -> bool:
    """Whether somebody with `scope` may deactivate the user, reset their password or make tokens
    in their name: only if the user holds nothing (`grants`) outside that scope, for whoever can
    do these things can act as the user.
    """
    if scope.may_everywhere(PEOPLE):
        return True
    held = list(grants)
    return not user.is_superuser and bool(held) and all(may_withdraw(scope, g) for g in held)


def visible_users(users: QuerySet[User], scope: Scope) -> QuerySet[User]:
    """The users whom somebody with `scope` sees on the people page: everybody, or those with a
    role at a place where they may manage people.
    """
    wards, sites = scope.wards(PEOPLE), scope.sites(PEOPLE)
    organisations = scope.organisations(PEOPLE)
    if wards == ALL or sites == ALL or organisations == ALL:
        return users
    here = Grant.objects.filter(
        Q(ward__in=wards)
        | Q(site__in=sites)
        | Q(organisation__in=organisations)
        | Q(team__organisation__in=organisations),
        user=OuterRef("pk"),
    )
    return users.filter(Exists(here))
