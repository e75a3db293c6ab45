"""How much of a place somebody sees who does not see the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import ngettext

from flow.board_types import Sight
from wards.models import Ward


@dataclass(frozen=True, slots=True)
class Part:
    """Of the `wards` recognised wards of a place, the viewer sees `seen`."""

    seen: int
    wards: int

    @property
    def yours(self) -> str:
        """What the part is called."""
        return ngettext("your ward", "your wards", self.seen)

    def __str__(self) -> str:
        """How large it is."""
        return ngettext("%(seen)s of %(wards)s ward", "%(seen)s of %(wards)s wards", self.wards) % {
            "seen": self.seen,
            "wards": self.wards,
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """What is seen of each site, by primary key."""

    sites: Mapping[int, Part]

    @property
    def whole(self) -> Part | None:
        """The part of all sites together; None where all of it is seen."""
        seen = sum(part.seen for part in self.sites.values())
        wards = sum(part.wards for part in self.sites.values())
        return Part(seen, wards) if seen < wards else None

    def of_site(self, site: int) -> Part | None:
        """The part of one site; None where all of it is seen."""
        part = self.sites.get(site)
        return part if part is not None and part.seen < part.wards else None


def parts_seen(sight: Sight, *, site: int | None = None) -> Parts:
    """What is seen of every site, or of `site`; one query, none for one who sees everything."""
    if sight.counts is None:
        return Parts({})
    wards = Ward.objects.filter(same_as=None).exclude(kind=Ward.Kind.UNRECOGNISED)
    if site is not None:
        wards = wards.filter(site=site)
    counted = (
        wards.order_by()
        .values("site")
        .annotate(wards=Count("pk"), seen=Count("pk", filter=Q(pk__in=sight.counts)))
    )
    return Parts({row["site"]: Part(row["seen"], row["wards"]) for row in counted})
