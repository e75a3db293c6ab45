"""The beds of a forecast to choose among, as far as the viewer may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from flow.forecasts.boards import ForecastBoard
from flow.forecasts.outlook import Fan, PoolKind
from flow.forecasts.wording import pool_name


@dataclass(frozen=True, slots=True)
class Choice:
    """Beds to choose. value: as the address names them; name: in words."""

    value: str
    name: str


def value_of(fan: Fan) -> str:
    """How an address names the beds of a fan: empty for all of the site, else `ward:12`."""
    pool = fan.pool
    return "" if pool.kind is PoolKind.SITE else f"{pool.kind.value}:{pool.key}"


def fans_of(board: ForecastBoard) -> list[Fan]:
    """The fans with beds that the viewer may see, that of the whole site first."""
    fans = [*([board.fan] if board.fan else ()), *board.pools]
    return [fan for fan in fans if fan.has_beds]


def chosen(fans: Sequence[Fan], value: str) -> Fan | None:
    """The fan that an address names, the first where it names none; None where it is not there."""
    if not value:
        return next(iter(fans), None)
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
