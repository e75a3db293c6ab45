"""Messages stored and applied in a test, without a wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from interop.applying import Applier
from interop.feeds import Feeds, Known
from interop.inbox import Incoming, Kept, store
from interop.models import Message
from patients.models import Episode, Patient
from wards.models import Bed, Occupancy, Ward

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


def keep(*raws: bytes, feed: Known | None = None) -> list[Kept]:
    """Store messages as the listener does."""
    return store([Incoming(raw, "test") for raw in raws], feeds=Feeds(), at=NOW, feed=feed)


def apply_all(applier: Applier | None = None, batch: int = 200) -> Counter[str]:
    """Apply whatever waits; how many came to which end."""
    applier = applier or Applier(now=lambda: NOW)
    ends: Counter[str] = Counter()
    while counts := applier.apply_batch(batch):
        ends.update(counts)
    applier.rest()
    return ends


def deliver(*raws: bytes, batch: int = 200) -> Counter[str]:
    """Store and apply."""
    keep(*raws)
    return apply_all(batch=batch)


def ends() -> dict[str, int]:
    """How many stored messages came to which end."""
    return dict(Counter(Message.objects.values_list("status", flat=True)))


def stays(visit: str) -> list[Episode]:
    """The episodes of a visit number, in order."""
    return list(Episode.objects.filter(visit__number=visit).order_by("ordinal"))


def way(episode: Episode) -> list[tuple[str, str | None, str | None, datetime, datetime | None]]:
    """Where the patient was: ward, bay, wanted bed, from, until."""
    rows = Occupancy.objects.filter(episode=episode).select_related("ward", "bay", "wanted_bed")
    return sorted(
        (
            row.ward.code,
            row.bay.code if row.bay else None,
            row.wanted_bed.label if row.wanted_bed else None,
            row.period.lower,
            row.period.upper,
        )
        for row in rows
    )


def picture() -> dict[str, object]:
    """Everything that messages lead to, without keys and times of arrival: for comparisons."""
    return {"people": sorted(_people()), "stays": sorted(_stays()), "places": sorted(_places())}


def _people() -> Iterable[tuple[object, ...]]:
    for p in Patient.objects.prefetch_related("identifiers").select_related(
        "person", "merged_into"
    ):
        yield (
            p.authority,
            p.identifier,
            p.nhs_number,
            p.family_name,
            p.given_name,
            p.title,
            str(p.date_of_birth),
            p.sex,
            p.postcode,
            p.gp_practice,
            str(p.died_at),
            p.is_deleted,
            p.is_restricted,
            f"{p.merged_into.authority}/{p.merged_into.identifier}" if p.merged_into else "",
            tuple(sorted((i.authority, i.value, i.kind) for i in p.identifiers.all())),
        )


def _stays() -> Iterable[tuple[object, ...]]:
    for e in Episode.objects.select_related("visit", "patient").prefetch_related(
        "occupancies__ward__site", "occupancies__bay", "occupancies__bed", "occupancies__wanted_bed"
    ):
        yield (
            e.visit.authority,
            e.visit.number,
            e.ordinal,
            f"{e.patient.authority}/{e.patient.identifier}",
            e.status,
            str(e.admitted_at),
            str(e.discharged_at),
            e.patient_class,
            e.specialty,
            e.consultant,
            tuple(e.flags),
            tuple(
                sorted(
                    (
                        str(o.period.lower),
                        str(o.period.upper),
                        o.ward.site.code,
                        o.ward.code,
                        o.bay.code if o.bay else "",
                        o.bed.label if o.bed else "",
                        o.wanted_bed.label if o.wanted_bed else "",
                        o.on_leave,
                        o.inferred,
                    )
                    for o in e.occupancies.all()
                )
            ),
        )


def _places() -> Iterable[tuple[object, ...]]:
    for ward in Ward.objects.select_related("site"):
        yield (ward.site.code, ward.code, ward.kind)
    for bed in Bed.objects.select_related("ward__site", "bay"):
        yield (
            bed.ward.site.code,
            bed.ward.code,
            bed.bay.code if bed.bay else "",
            bed.label,
            str(bed.is_recognised),
        )
