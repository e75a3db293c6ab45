"""What state a bed is in besides who lies in it: cleaning, closures, escalation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import pghistory
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from live.doorbell import ring
from wards.dirty import mark_dirty
from wards.models import Bay, Bed, BedStatus, Closure, Opening, Ward

CLEANING = frozenset({BedStatus.Status.HOUSEKEEPING.value, BedStatus.Status.CONTAMINATED.value})
"""The states of HL7 table 0116 in which an empty bed is open but cannot be used yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFact:
    """Somebody says that a bed is in a state (a code of HL7 table 0116) from `occurred_at` on.

    `sent_at` is when the source said so, `key` its name for having said it, `by` a user's key,
    `level` how the bed is to be cleaned, where that was said (`BedStatus.Level`).
    """

    bed: int
    status: str
    occurred_at: datetime
    sent_at: datetime
    source: str
    key: str
    by: int | None = None
    level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BedState:
    """One bed at one moment, whoever lies in it.

    `status` is "" while nobody has said anything, `level` while nobody has said how it is to be
    cleaned. `closure` is the widest closure in force, of
    the ward, else the bay, else the bed. `opened` tells of escalation beds; core beds are True.
    """

    bed: int
    ward: int
    bay: int | None
    in_use: bool
    opened: bool
    status: str
    level: str
    status_since: datetime | None
    closure: int | None
    closure_reason: str
    closed_since: datetime | None
    closed_until: datetime | None

    @property
    def is_closed(self) -> bool:
        """Out of use: closed by a person, or said to be closed by a feed."""
        return self.closure is not None or self.status == BedStatus.Status.CLOSED

    @property
    def is_unready(self) -> bool:
        """Not closed, but to be cleaned before the next patient."""
        return not self.is_closed and self.status in CLEANING


def record_status(
    *,
    bed: int,
    status: str,
    occurred_at: datetime,
    sent_at: datetime,
    source: str,
    key: str,
    by: User | None = None,
    level: str = "",
) -> bool:
    """Record one state of one bed; False when the source had said this before.

    Raises Refused as `record_statuses` does.
    """
    fact = StatusFact(
        bed=bed,
        status=status,
        occurred_at=occurred_at,
        sent_at=sent_at,
        source=source,
        key=key,
        by=by.pk if by else None,
        level=level,
    )
    return record_statuses([fact])[0]


@transaction.atomic
def record_statuses(facts: Sequence[StatusFact]) -> list[bool]:
    """Record any number of states; for each, whether it was news.

    What came in first under a source and key stands; the order of arrival otherwise makes no
    difference. Raises Refused, recording nothing, for an unknown bed, an unknown state or level,
    or an empty source or key; ValueError for a time without zone.
    """
    if not facts:
        return []
    wards = _wards_of({fact.bed for fact in facts})
    for fact in facts:
        _check_status(fact, wards)
    recorded = _insert_once(facts)
    mark_dirty(ward for fact in facts if _name(fact) in recorded for ward in wards[fact.bed])
    if recorded:
        transaction.on_commit(_ring_lists)
    news = []
    for fact in facts:
        news.append(_name(fact) in recorded)
        recorded.discard(_name(fact))
    return news


def _ring_lists() -> None:
    ring(["cleaning", "desk"])


def _name(fact: StatusFact) -> tuple[str, str]:
    return (fact.source, fact.key)


def _wards_of(beds: set[int]) -> dict[int, list[int]]:
    """The wards whose figures hang on each bed: its own, and that of the bed it really is."""
    rows = Bed.objects.filter(pk__in=beds).values_list("pk", "ward", "same_as__ward")
    return {pk: [ward for ward in (own, real) if ward] for pk, own, real in rows}


def _check_status(fact: StatusFact, known: Collection[int]) -> None:
    if fact.status not in BedStatus.Status:
        allowed = ", ".join(f"{s.value} ({s.label})" for s in BedStatus.Status)
        raise Refused(f"“{fact.status}” is not a bed status; use one of {allowed}.")
    if fact.level not in BedStatus.Level:
        raise Refused(f"“{fact.level}” is not a way to clean; use routine or terminal.")
    if fact.bed not in known:
        raise Refused(f"There is no bed with the key {fact.bed}.")
    if not fact.source or not fact.key:
        raise Refused("A bed status needs a source and a key, so that a repeat is recognised.")
    _aware(fact.occurred_at, fact.sent_at)


def _insert_once(facts: Sequence[StatusFact]) -> set[tuple[str, str]]:
    """Insert the facts not yet known; their names. Sorted, so that two feeds cannot deadlock."""
    rows = sorted(facts, key=_name)
    columns = (
        [f.bed for f in rows],
        [f.status for f in rows],
        [f.occurred_at for f in rows],
        [f.sent_at for f in rows],
        [f.source for f in rows],
        [f.key for f in rows],
        [f.by for f in rows],
        [f.level for f in rows],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO wards_bedstatus
                   (bed_id, status, occurred_at, sent_at, source, key, by_id, level)
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[],
                                 %s::timestamptz[], %s::text[], %s::text[], %s::bigint[],
                                 %s::text[])
            ON CONFLICT (source, key) DO NOTHING
            RETURNING source, key
            """,
            columns,
        )
        return {(source, key) for source, key in cursor.fetchall()}


@transaction.atomic
def close(
    *,
    reason: str,
    since: datetime,
    ward: int | None = None,
    bay: int | None = None,
    bed: int | None = None,
    until: datetime | None = None,
    note: str = "",
    by: User | None,
) -> Closure:
    """Close a ward, a bay or a bed (name exactly one, by its key) from `since`.

    `until` is when it is planned to open again; without it the closure stands until `reopen`.
    A patient already there stays, and their bed counts as open until they leave. Raises
    Refused for an unknown place or reason, a period that ends before it starts, or one in
    which the same place is closed already.
    """
    _aware(since, until)
    if sum(key is not None for key in (ward, bay, bed)) != 1:
        raise TypeError("close takes exactly one of ward, bay and bed")
    if reason not in Closure.Reason:
        allowed = ", ".join(r.value for r in Closure.Reason)
        raise Refused(f"“{reason}” is not a reason to close; use one of {allowed}.")
    if len(note) > 500:
        raise Refused(f"The note has {len(note)} characters; shorten it to 500.")
    if until is not None and until <= since:
        raise Refused("The closure must end after it starts.")
    closure = Closure(
        bay_id=bay,
        bed_id=bed,
        reason=reason,
        note=note,
        period=DateTimeTZRange(since, until),
        by=by,
    )
    closure.ward_id = _locked_ward(ward=ward, bay=bay, bed=bed, at=since)
    clash = _same_place(closure).filter(period__overlap=closure.period).first()
    if clash is not None:
        raise Refused(f"Closed already {_span(clash.period)}; open that closure again first.")
    with pghistory.context(**deed("close", by)):
        closure.save()
    mark_dirty([closure.ward_id])
    transaction.on_commit(_ring_lists)
    return closure


@transaction.atomic
def reopen(*, closure: int, at: datetime, by: User | None) -> Closure | None:
    """End a closure at `at`, which may lie ahead (a planned opening).

    A closure that had not begun by then is withdrawn: None is returned and only the audit
    history knows of it. Who ended it is in that history, not in the row, which names who closed.
    Raises Refused for an unknown closure or one that ends by `at` anyway.
    """
    _aware(at)
    found = Closure.objects.filter(pk=closure).first()
    if found is None:
        raise Refused("That closure is not there any more; look at the board again.")
    _locked_ward(ward=found.ward_id, at=at)
    found = Closure.objects.filter(pk=closure).first()
    if found is None:
        raise Refused("That closure is not there any more; look at the board again.")
    if found.period.upper is not None and found.period.upper <= at:
        raise Refused(f"It opens again {_when(found.period.upper)} already.")
    mark_dirty([found.ward_id])
    transaction.on_commit(_ring_lists)
    with pghistory.context(**deed("reopen", by)):
        if at <= found.period.lower:
            found.delete()
            return None
        found.period = DateTimeTZRange(found.period.lower, at)
        found.save(update_fields=["period"])
    return found


@transaction.atomic
def open_escalation(
    *, bed: int, since: datetime, until: datetime | None = None, by: User | None
) -> Opening:
    """Open an escalation bed from `since`, until `until` or until it is closed again.

    Raises Refused for an unknown bed, a core bed (always open), or one opened already.
    """
    _aware(since, until)
    if until is not None and until <= since:
        raise Refused("The opening must end after it starts.")
    ward = _locked_ward(bed=bed, at=since)
    found = Bed.objects.get(pk=bed)
    if found.funding != Bed.Funding.ESCALATION:
        raise Refused(f"Bed {found.label} is a core bed; only escalation beds are opened.")
    period = DateTimeTZRange(since, until)
    clash = Opening.objects.filter(bed=bed, period__overlap=period).first()
    if clash is not None:
        raise Refused(f"Bed {found.label} is open already {_span(clash.period)}.")
    with pghistory.context(**deed("open_escalation", by)):
        opening = Opening.objects.create(bed=found, period=period, by=by)
    mark_dirty([ward])
    return opening


@transaction.atomic
def close_escalation(*, bed: int, at: datetime, by: User | None) -> Opening | None:
    """Close an escalation bed at `at`; None when the opening had not begun by then.

    A patient in it stays, and it counts as open until they leave. Raises Refused for an unknown
    bed or one that is not open at `at`.
    """
    _aware(at)
    ward = _locked_ward(bed=bed, at=None)
    opening = Opening.objects.filter(bed=bed, period__contains=at).first()
    if opening is None:
        raise Refused(f"The bed is not open {_when(at)}.")
    mark_dirty([ward])
    with pghistory.context(**deed("close_escalation", by)):
        if at == opening.period.lower:
            opening.delete()
            return None
        opening.period = DateTimeTZRange(opening.period.lower, at)
        opening.save(update_fields=["period"])
    return opening


def closures_over(bed: Bed, *, at: datetime) -> QuerySet[Closure]:
    """The closures in force at `at` that put the bed out of use: its own, its bay's, its ward's;
    the widest first."""
    own = Q(bed=bed) | Q(bed=None, bay=None)
    if bed.bay_id is not None:
        own |= Q(bay=bed.bay_id)
    rows = Closure.objects.filter(own, ward=bed.ward_id, period__contains=at)
    return rows.order_by(F("bed").asc(nulls_first=True), F("bay").asc(nulls_first=True), "pk")


def states_at(*, at: datetime, wards: Collection[int] | None = None) -> list[BedState]:
    """Every bed of the wards (of all, when None) as it was at `at`, in one query.

    Beds that turned out to be another bed are left out; what was said of them counts for that
    one. The latest state said for a moment at or before `at` holds; of two for one moment, the
    one sent last.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STATES_SQL.format(wards="" if wards is None else "AND bed.ward_id = ANY(%(wards)s)"),
            {"at": at, "wards": None if wards is None else list(wards)},
        )
        names = [column.name for column in cursor.description]
        return [BedState(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


_STATES_SQL = """
SELECT bed.id AS bed, bed.ward_id AS ward, bed.bay_id AS bay,
       bed.is_recognised AND coalesce(bed.in_use @> %(at)s, true) AS in_use,
       bed.funding <> 'escalation' OR EXISTS (
           SELECT 1 FROM wards_opening opening
            WHERE opening.bed_id = bed.id AND opening.period @> %(at)s) AS opened,
       coalesce(said.status, '') AS status, coalesce(said.level, '') AS level,
       said.occurred_at AS status_since,
       closed.id AS closure, coalesce(closed.reason, '') AS closure_reason,
       lower(closed.period) AS closed_since, upper(closed.period) AS closed_until
  FROM wards_bed bed
  LEFT JOIN LATERAL (
       SELECT status.status, status.level, status.occurred_at
         FROM (SELECT bed.id UNION ALL
               SELECT alias.id FROM wards_bed alias WHERE alias.same_as_id = bed.id) known(id)
        CROSS JOIN LATERAL (
              SELECT * FROM wards_bedstatus fact
               WHERE fact.bed_id = known.id AND fact.occurred_at <= %(at)s
               ORDER BY fact.occurred_at DESC, fact.sent_at DESC, fact.key DESC
               LIMIT 1) status
        ORDER BY status.occurred_at DESC, status.sent_at DESC, status.key DESC
        LIMIT 1) said ON true
  LEFT JOIN LATERAL (
       SELECT closure.*
         FROM wards_closure closure
        WHERE closure.ward_id = bed.ward_id AND closure.period @> %(at)s
          AND coalesce(closure.bed_id = bed.id, closure.bay_id = bed.bay_id,
                       closure.bed_id IS NULL AND closure.bay_id IS NULL)
        ORDER BY closure.bed_id IS NOT NULL, closure.bay_id IS NOT NULL, closure.id
        LIMIT 1) closed ON true
 WHERE bed.same_as_id IS NULL {wards}
 ORDER BY bed.ward_id, bed.position, bed.label, bed.id
"""


def _same_place(closure: Closure) -> QuerySet[Closure]:
    """The closures of exactly the same ward, bay or bed."""
    return Closure.objects.filter(ward=closure.ward_id, bay=closure.bay_id, bed=closure.bed_id)


def _locked_ward(
    *,
    at: datetime | None,
    ward: int | None = None,
    bay: int | None = None,
    bed: int | None = None,
) -> int:
    """Lock the ward of a place, so that two people cannot close it twice; its key.

    Raises Refused when the place is unknown, is known under another name, or was withdrawn by
    `at`. The lock lets movements onto the ward pass.
    """
    if bed is not None:
        found_bed = Bed.objects.select_related("same_as").filter(pk=bed).first()
        if found_bed is None:
            raise Refused(f"There is no bed with the key {bed}.")
        if found_bed.same_as is not None:
            raise Refused(f"That bed is another name for bed {found_bed.same_as.label}; use that.")
        used = found_bed.in_use
        if at is not None and used is not None and used.upper is not None and used.upper <= at:
            raise Refused(f"Bed {found_bed.label} was withdrawn {_when(used.upper)}.")
        ward = found_bed.ward_id
    elif bay is not None:
        found_bay = Bay.objects.filter(pk=bay).first()
        if found_bay is None:
            raise Refused(f"There is no bay with the key {bay}.")
        ward = found_bay.ward_id
    if ward is None:
        raise TypeError("a ward, a bay or a bed is needed")
    if not Ward.objects.select_for_update(no_key=True).filter(pk=ward).exists():
        raise Refused(f"There is no ward with the key {ward}.")
    return ward


def _aware(*times: datetime | None) -> None:
    for time in times:
        if time is not None and timezone.is_naive(time):
            raise ValueError("a time needs its zone")


def _when(at: datetime) -> str:
    return f"{timezone.localtime(at):%d %b %Y %H:%M}"


def _span(period: DateTimeTZRange) -> str:
    since = f"since {_when(period.lower)}"
    return since if period.upper is None else f"{since} until {_when(period.upper)}"
