"""Declaring a level: a person's decision, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from huddles.escalation.rule_sets import escalates
from huddles.escalation.standing import standings
from huddles.models import OpelDeclaration
from huddles.opel.rule_set import LEVELS
from live.doorbell import ring
from wards.models import Site
from wards.scope import Scope

_LOCK: Final = 0x6C6576656C
"""With the key of the site the advisory lock under which a level is declared ("level")."""


def may_declare(scope: Scope, site: Site) -> bool:
    """Whether somebody may declare the level of a site."""
    return scope.may_at_site(Permission.DECLARE_LEVELS, site.pk)


def may_declare_system(scope: Scope, weighed: list[Site]) -> bool:
    """Whether somebody may declare the level of the system: at each of the sites that its rules
    weigh; without any, everywhere."""
    if scope.may_everywhere(Permission.DECLARE_LEVELS):
        return True
    return bool(weighed) and all(may_declare(scope, site) for site in weighed)


@transaction.atomic
def declare(
    *, site: Site | None, level: int, reason: str, seen: int | None, at: datetime, by: User
) -> OpelDeclaration:
    """Declare the level of a site, or with none of the system; it holds until the next.

    `seen`: the key of the declaration in force as the caller saw it, None for none. Raises
    Refused without a reason, for a level there is not, and where another was declared meanwhile.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise Refused(_("Say why. A level is declared with a reason."))
    if site is not None and not escalates(site):
        raise Refused(_("Acute hospitals alone have a level here."))
    if level not in LEVELS:
        raise Refused(_("A level is 1, 2, 3 or 4."))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK + (site.pk if site else 0)])
    last = OpelDeclaration.objects.filter(site=site).order_by("-at").first()
    if (last.pk if last else None) != seen:
        raise Refused(_("Another level has been declared meanwhile. Look at it, then decide."))
    found = standings([site] if site else [], at=at)
    standing = found.sites[site.pk] if site else found.system
    row = OpelDeclaration.objects.create(
        site=site, level=level, reason=reason, computed=standing.level, at=at, by=by
    )
    names = ["escalation", "system"]
    if site:
        names += [f"escalation:{site.pk}", f"site:{site.pk}"]
    transaction.on_commit(lambda: ring(names))
    return row
