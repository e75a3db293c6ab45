"""In which groups boards list sites and wards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
_K: Final = Ward.Kind
WARD_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "emergency": (_K.EMERGENCY,),
    "assessment": (_K.ASSESSMENT,),
    "critical_care": (_K.CRITICAL_CARE,),
    "wards": (_K.INPATIENT, _K.COMMUNITY),
    "maternity": (_K.MATERNITY,),
    "day": (_K.DAY_CASE, _K.THEATRE, _K.DISCHARGE_LOUNGE, _K.CLINIC),
    "home": (_K.VIRTUAL, _K.REABLEMENT, _K.CARE_HOME),
}
"""Kinds of ward that are listed together, in the order patients pass through them."""

WARD_GROUP_LABELS: Final[Mapping[str, str | Promise]] = {
    "emergency": _("Emergency"),
    "assessment": _("Assessment"),
    "critical_care": _("Critical care"),
    "wards": _("Wards"),
    "maternity": _("Maternity"),
    "day": _("Day units, theatres and lounges"),
    "home": _("Places at home and in care homes"),
}


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
        Group(
            WARD_GROUP_LABELS[name],
            WARD_GROUP_LABELS[name],
            [ward for ward in listed if ward.place.kind in kinds],
        )
        for name, kinds in WARD_GROUPS.items()
    ]
    return [group for group in groups if group.lines]
