"""Of which beds a viewer may be told: the pools of a forecast within their scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from accounts.roles import Permission
from flow.forecasts.outlook import Fan, Outlook, PoolKind
from flow.forecasts.wording import pool_name
from wards.scope import Scope

SEE: Final = Permission.SEE_COUNTS


@dataclass(frozen=True, slots=True)
class Choice:
    """Beds to choose. value: as the address names them; name: in words."""

    value: str
    name: str


def value_of(fan: Fan) -> str:
    """How an address names the beds of a fan: empty for all of the site, else `ward:12`."""
    pool = fan.pool
    return "" if pool.kind is PoolKind.SITE else f"{pool.kind.value}:{pool.key}"


def sees_whole(scope: Scope, site: int) -> bool:
    """Whether the viewer sees the counts of the whole site, and so all of its forecast."""
    return scope.may_at_site(SEE, site)


def fans_seen(outlook: Outlook, scope: Scope, site: int) -> list[Fan]:
    """The fans that the viewer may see, with beds: all of them, or those of their wards alone."""
    fans = [outlook.site, *outlook.pools]
    if not sees_whole(scope, site):
        fans = [
            fan
            for fan in outlook.pools
            if fan.pool.kind is PoolKind.WARD and scope.may(SEE, int(fan.pool.key))
        ]
    return [fan for fan in fans if fan.has_beds]


def chosen(fans: Sequence[Fan], value: str) -> Fan | None:
    """The fan that an address names; None where it is not among these."""
    return next((fan for fan in fans if value_of(fan) == value), None)


def choices(fans: Sequence[Fan]) -> list[tuple[str, list[Choice]]]:
    """What to choose among, under headings."""
    headings = {
        PoolKind.SITE: _("Site"),
        PoolKind.GROUP: _("Groups of wards"),
        PoolKind.SEX: _("For whom beds are"),
        PoolKind.SPECIALTY: _("Specialties"),
        PoolKind.WARD: _("Wards"),
    }
    found = []
    for kind, heading in headings.items():
        inside = [Choice(value_of(fan), name_of(fan)) for fan in fans if fan.pool.kind is kind]
        if inside:
            found.append((heading, inside))
    return found


def name_of(fan: Fan) -> str:
    """What the beds of a fan are called; a local code of a specialty as words."""
    name = pool_name(fan.pool)
    if fan.pool.kind is PoolKind.SPECIALTY and name.islower():
        return name.replace("_", " ").capitalize()
    return name
