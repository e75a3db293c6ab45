"""What was said in the last meeting would happen, and what did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from huddles.models import Huddle, HuddleTemplate
from wards.models import Occupancy, Ward


@dataclass(frozen=True, slots=True)
class Came:
    """Discharges of a ward, or of all, by a time: said definite and possible, and how many left
    between the start of that meeting and then; `came` None while the time has not come."""

    at: datetime
    definite: int | None
    possible: int | None
    came: int | None

    @property
    def missed(self) -> bool:
        """Fewer left than had been called definite."""
        return self.came is not None and self.definite is not None and self.came < self.definite


@dataclass(frozen=True, slots=True)
class WardCame:
    """A ward of that meeting, by key and name, with each of its times."""

    ward: int
    name: str
    dues: tuple[Came, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """The last meeting: when it began, and what came of what was said, in all and by ward."""

    starts_at: datetime
    dues: tuple[Came, ...]
    wards: tuple[WardCame, ...]


def happened(template: HuddleTemplate, starts_at: datetime, *, at: datetime) -> Happened | None:
    """What came of the last meeting before `starts_at` that ended; None where there was none. Three
    queries."""
    last = (
        Huddle.objects.filter(template=template, starts_at__lt=starts_at, closed_at__isnull=False)
        .order_by("-starts_at")
        .first()
    )
    if last is None or last.frozen is None:
        return None
    return came_of(last.starts_at, last.frozen, at=at)


def came_of(starts_at: datetime, frozen: dict[str, Any], *, at: datetime) -> Happened:
    """What came of what a meeting said, as far as its times have come by `at`; two queries."""
    horizons = [datetime.fromisoformat(one) for one in frozen["horizons"]]
    wards = _inpatient([line["ward"] for line in frozen["lines"]])
    left = _left(wards, starts_at, horizons, at=at)

    def dues(said: Sequence[dict[str, Any]], leavers: Sequence[datetime]) -> tuple[Came, ...]:
        return tuple(
            Came(
                moment, one["definite"], one["possible"],
                sum(gone <= moment for gone in leavers) if moment <= at else None,
            )
            for moment, one in zip(horizons, said, strict=True)
        )  # fmt: skip

    return Happened(
        starts_at=starts_at,
        dues=dues(frozen["totals"]["dues"], [one for ward in left.values() for one in ward]),
        wards=tuple(
            WardCame(line["ward"], line["name"], dues(line["dues"], left.get(line["ward"], [])))
            for line in frozen["lines"]
            if line["ward"] in wards
        ),
    )


def _inpatient(wards: Sequence[int]) -> frozenset[int]:
    """Those from which patients are discharged to whom a bed had been given: nobody foretells who
    goes home from an emergency department."""
    kept = Ward.objects.filter(pk__in=list(wards)).exclude(kind=Ward.Kind.EMERGENCY)
    return frozenset(kept.values_list("pk", flat=True))


def _left(
    wards: frozenset[int], since: datetime, horizons: Sequence[datetime], *, at: datetime
) -> dict[int, list[datetime]]:
    """When patients left hospital from each of these wards, from the start to the last time. Who
    waits in the lounge to be fetched leaves from the ward they were on before."""
    until = min(max(horizons, default=since), at)
    rows = (
        Occupancy.objects.filter(
            episode__discharged_at__gte=since,
            episode__discharged_at__lte=until,
            episode__occupancies__ward__in=list(wards),
            period__startswith__lt=F("episode__discharged_at"),
        )
        .exclude(ward__kind=Ward.Kind.DISCHARGE_LOUNGE)
        .order_by("episode", "-period")
        .distinct("episode")
        .values_list("ward_id", "episode__discharged_at")
    )
    found: dict[int, list[datetime]] = defaultdict(list)
    for ward, moment in rows:
        if moment is not None and ward in wards:
            found[ward].append(moment)
    return found
