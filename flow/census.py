"""The census of the present: counted when something changed, confirmed when nothing did.

A note (`DirtyWard`) written with the change itself says that a ward must be counted again.
`refresh` counts the wards with notes and takes away exactly the notes it had read, so that a
note written meanwhile is the next refresh's work and nothing is lost with a queue or a worker.

`present` answers for now. Where the confirmed row may be out of date (a note stands, or it was
confirmed too long ago) it counts on the spot, so its figures are right without any worker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from flow.counts import NUMBERS, Count, count, stale_after
from flow.figure_types import Figures
from flow.forecasts.notes import note_changed
from flow.models import WardCensus
from flow.moment import Moment
from live.doorbell import ring
from wards.models import DirtyWard, Ward

_LOCK: Final = 0x666C6F77
"""The advisory lock under which the census is written ("flow")."""

_PATIENCE: Final = "10s"
"""How long a refresh waits for another one before it leaves the work to the next sweep."""


def refresh(*, at: datetime | None = None) -> set[int]:
    """Count the wards with notes, take the notes away, ring their boards; the wards counted.

    `at` is the moment to count. Without it the clock is read after the notes, so that a change
    which a note tells of lies before the moment. Safe with any number of workers: they follow
    each other. Raises OperationalError when another holds the census for ten seconds.
    """
    return _confirm(everything=False, at=at)


def confirm_all(*, at: datetime | None = None) -> set[int]:
    """Count every ward, whatever the notes say: what the clock alone changes, such as the end
    of a closure, is found, and `as_at` moves on. Otherwise as `refresh`."""
    return _confirm(everything=True, at=at)


def _confirm(*, everything: bool, at: datetime | None) -> set[int]:
    with transaction.atomic():
        # Without this an older count could be written over a newer one.
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        notes = dict(DirtyWard.objects.values_list("pk", "ward_id"))
        if not notes and not everything:
            return set()
        moment = Moment(at or timezone.now())
        counts = count(moment, wards=None if everything else set(notes.values()))
        WardCensus.objects.bulk_create(
            [_row(counted) for counted in counts],
            update_conflicts=True,
            unique_fields=["ward"],
            update_fields=["as_at", "longest_wait", *NUMBERS],
        )
        DirtyWard.objects.filter(pk__in=list(notes)).delete()
        counted_wards = {counted.ward for counted in counts}
        site_of = dict(Ward.objects.filter(pk__in=counted_wards).values_list("pk", "site_id"))
        sites = set(site_of.values())
        # What is foretold of a site rests on what its wards hold.
        note_changed(site_of[ward] for ward in set(notes.values()) & set(site_of))
        names = [
            "system",
            "checks",
            *(f"{name}:{site}" for site in sites for name in ("site", "checks")),
            *(f"ward:{ward}" for ward in counted_wards),
        ]
        transaction.on_commit(lambda: ring(names))
    return counted_wards


def _row(counted: Count) -> WardCensus:
    figures = counted.figures
    numbers = {name: getattr(figures, name) for name in NUMBERS}
    return WardCensus(
        ward_id=counted.ward,
        as_at=figures.as_at,
        longest_wait=counted.longest_wait,
        **numbers,
    )


def present(wards: Collection[int], *, now: datetime) -> dict[int, Count]:
    """The figures of these wards now, by ward; two queries at most."""
    fresh = {
        row.ward_id: Count(row.ward_id, _figures(row), row.longest_wait)
        for row in _fresh(wards, now)
    }
    missing = set(wards) - set(fresh)
    return fresh | {counted.ward: counted for counted in count(Moment(now), wards=missing)}


def confirmed_at(wards: Collection[int], *, now: datetime) -> datetime:
    """The time that what is said of these wards now can bear: when the longest unconfirmed of
    them was last confirmed, or `now` where one is not confirmed at all; one query.

    It stands still while nothing changes, so that an answer need not be sent again.
    """
    times = list(_fresh(wards, now).values_list("as_at", flat=True))
    return min(times) if times and len(times) == len(set(wards)) else now


def _fresh(wards: Collection[int], now: datetime) -> QuerySet[WardCensus]:
    """The rows that answer for the present."""
    return WardCensus.objects.filter(
        ~Exists(DirtyWard.objects.filter(ward=OuterRef("ward"))),
        ward__in=list(wards),
        as_at__gt=now - stale_after(),
        as_at__lte=now,
    )


def _figures(row: WardCensus) -> Figures:
    return Figures(**{name: getattr(row, name) for name in NUMBERS}, as_at=row.as_at)


def figures_at(wards: Collection[int], *, moment: Moment, live: bool) -> Mapping[int, Count]:
    """The figures of these wards at the moment: of the present when `live`."""
    if live:
        return present(wards, now=moment.at)
    return {counted.ward: counted for counted in count(moment, wards=wards)}


def aged(figures: Figures, *, now: datetime, silent: bool) -> Figures:
    """The figures of the present, marked stale when too old or when their source is silent."""
    old = now - figures.as_at > stale_after()
    return replace(figures, stale=True) if old or silent else figures
