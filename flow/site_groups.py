"""In which groups boards list sites and wards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flow.board_types import SiteLine, WardLine
from wards.models import Site, Ward

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """Lines of a kind under a label; `heading` names one of them."""

    label: str | Promise
    heading: str | Promise
    lines: Sequence[T]


_HOSPITALS: Final = (Site.Kind.ACUTE, Site.Kind.COMMUNITY)


@dataclass(frozen=True, slots=True)
class WardGroup:
    """Wards that are listed together: a name for programs, the label, and their kinds."""

    key: str
    label: str | Promise
    kinds: tuple[str, ...]


WARD_GROUPS: Final = (
    WardGroup("emergency", _("Emergency"), (Ward.Kind.EMERGENCY,)),
    WardGroup("assessment", _("Assessment"), (Ward.Kind.ASSESSMENT,)),
    WardGroup("critical_care", _("Critical care"), (Ward.Kind.CRITICAL_CARE,)),
    WardGroup("wards", _("Wards"), (Ward.Kind.INPATIENT, Ward.Kind.COMMUNITY)),
    WardGroup("maternity", _("Maternity"), (Ward.Kind.MATERNITY,)),
    WardGroup(
        "day",
        _("Day units, theatres and lounges"),
        (
            Ward.Kind.DAY_CASE,
            Ward.Kind.THEATRE,
            Ward.Kind.DISCHARGE_LOUNGE,
            Ward.Kind.CLINIC,
        ),
    ),
    WardGroup(
        "home",
        _("Places at home and in care homes"),
        (Ward.Kind.VIRTUAL, Ward.Kind.REABLEMENT, Ward.Kind.CARE_HOME),
    ),
)


def site_groups(sites: Iterable[SiteLine]) -> list[Group[SiteLine]]:
    """Hospitals, and places at home and in the community; groups without a site are left out."""
    listed = list(sites)
    hospitals = [site for site in listed if site.kind in _HOSPITALS]
    others = [site for site in listed if site.kind not in _HOSPITALS]
    groups: list[Group[SiteLine]] = [
        Group(_("Hospitals"), _("Hospital"), hospitals),
        Group(_("Places at home and in the community"), _("Service"), others),
    ]
    return [group for group in groups if group.lines]


def ward_groups(wards: Iterable[WardLine]) -> list[Group[WardLine]]:
    """Wards by kind, in the order patients pass through them."""
    listed = list(wards)
    groups: list[Group[WardLine]] = [
        Group(one.label, one.label, [w for w in listed if w.place.kind in one.kinds])
        for one in WARD_GROUPS
    ]
    return [group for group in groups if group.lines]
