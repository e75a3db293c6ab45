"""Loading a places file: all of it or nothing, and as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import pghistory
from django.db import IntegrityError, connection, transaction

from accounts.access import access_changed
from accounts.audit import deed
from accounts.models import Organisation, User
from accounts.refusals import Refused
from patients.models import EscalationStep
from wards.dirty import mark_dirty
from wards.place_entries import FileMistaken, said
from wards.place_files import read_places
from wards.place_plan import Plan, Since, plan_places

LOCK: Final = 0x706C6163
"""Advisory lock of PostgreSQL by which one load waits for another."""

BATCH: Final = 2000


def load_places(
    path: Path,
    *,
    at: datetime,
    since: Since | None = None,
    withdraw: bool = False,
    dry_run: bool = False,
    by: User | None = None,
) -> Plan:
    """Make the places as the file says; what was (with `dry_run`, would be) changed.

    No place is ever deleted. What the file leaves out is kept, or with `withdraw` its beds go
    out of use at `at`. A bed new to a ward that had beds exists from `since` on (`at` unless
    given); in a ward without, it has always been there. Raises FileMistaken with every
    mistake of the file; Refused when a bed to be withdrawn has a patient, or somebody else
    added the same place meanwhile.
    """
    entries = read_places(path)
    try:
        with transaction.atomic(), pghistory.context(**deed("load_places", by), file=path.name):
            _wait_for_others()
            plan = plan_places(entries, at=at, since=since or Since(at), withdraw=withdraw)
            if entries.mistakes:
                raise FileMistaken(entries.mistakes)
            if plan.occupied:
                raise Refused(_occupied(plan))
            if not dry_run and not plan.is_empty:
                _write(plan)
    except IntegrityError:
        raise Refused(
            "Somebody else, or a feed, added one of these places at the same moment. "
            "Nothing was loaded; run it again."
        ) from None
    return plan


def _wait_for_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _occupied(plan: Plan) -> str:
    beds = ", ".join(said("bed", key) for key in plan.occupied[:10])
    more = len(plan.occupied) - 10
    return (
        f"A patient lies in {beds}{f' and {more} more' if more > 0 else ''}. "
        "Nothing was loaded; move the patients first, or keep these beds in the file."
    )


def _write(plan: Plan) -> None:
    """Write level by level, so that every row finds its parent; a few queries each."""
    for generation in _generations(plan.organisations.new.values()):
        Organisation.objects.bulk_create(generation)
    for level in plan.levels():
        rows = list(level.new.values())
        if rows and level is not plan.organisations:
            type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)
        changed = list(level.changed.values())
        if changed:
            type(changed[0])._default_manager.bulk_update(
                changed, sorted(level.fields), batch_size=BATCH
            )
    EscalationStep.objects.filter(pk__in=[rung.pk for rung in plan.dropped.values()]).delete()
    _close_gaps(plan)
    mark_dirty(ward.pk for key in plan.wards.met if (ward := plan.wards.find(key)))
    mark_dirty(ward.pk for ward in plan.wards.missing.values())
    access_changed()


def _generations(organisations: Iterable[Organisation]) -> Iterator[list[Organisation]]:
    """New organisations, parents before children."""
    left = list(organisations)
    while left:
        ready = [o for o in left if o.parent is None or o.parent.pk is not None]
        yield ready
        left = [o for o in left if o.pk is None]


def _close_gaps(plan: Plan) -> None:
    """A bed that comes back was not there in between: the boards of those days show it closed.

    Its row says one period of use only, so the gap is kept as a closure, but for the parts in
    which it was closed anyway.
    """
    if not plan.returned:
        return
    beds = [bed.pk for bed, _ in plan.returned.values()]
    starts = [start for _, start in plan.returned.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO wards_closure (ward_id, bed_id, reason, note, period)
            SELECT bed.ward_id, bed.id, 'other', 'Out of use', unnest(
                       tstzmultirange(tstzrange(gap.start, %s)) - coalesce(
                           (SELECT range_agg(closure.period) FROM wards_closure closure
                             WHERE closure.bed_id = bed.id), '{}'))
              FROM unnest(%s::bigint[], %s::timestamptz[]) gap(bed, start)
              JOIN wards_bed bed ON bed.id = gap.bed
             WHERE gap.start < %s
            """,
            [plan.at, beds, starts, plan.at],
        )
