"""Stores published series: in portions, each whole or not at all, so that a load can be stopped
and taken up again. What is stored already is not written again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from django.db import connection, transaction

from accounts.refusals import Refused
from flow.models import ReferenceBody, ReferenceFile, ReferenceMeasure
from flow.reference.bodies import sort_of
from flow.reference.measures import BY_SLUG
from flow.reference.series import Doubt, Table
from flow.reference.wording import Reason, Reasons
from patients.code_loading import built_in_reasons
from patients.models import Code, CodeSet

PORTION: Final = 20_000
_LOCK: Final = 0x7265666C
"""The advisory lock of whoever loads reference figures ("refl")."""
EXAMPLES: Final = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A value that was otherwise before. None: no figure."""

    body: str
    measure: str
    date: date
    before: Decimal | None
    now: Decimal | None


@dataclass(slots=True)
class Stored:
    """What storing a table came to. taken_up_at: values stored by an earlier load that was
    stopped. doubts: values of which only the doubt changed. kept: of those as before, figures
    left as they were because what the file says in their place cannot be read."""

    new: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0
    doubts: int = 0
    taken_up_at: int = 0
    changes: list[Change] = field(default_factory=list)


def known_reasons() -> Reasons:
    """The delay reasons of every set loaded and of the lists that come with Flowboard, the newest
    first. One query."""
    codes = Code.objects.filter(code_set__kind=CodeSet.Kind.DELAY).order_by(
        "-code_set__is_national", "-code_set__valid_from", "position"
    )
    loaded = [Reason(*row) for row in codes.values_list("slug", "label", "family")]
    return Reasons([*loaded, *(Reason(*row) for row in built_in_reasons())])


def store(
    made: Table,
    *,
    by: str,
    publisher: str,
    at: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Stored:
    """Make the database say what the table says; each portion of 20,000 values is one
    transaction. Raises Refused while another load is under way.

    A load of the same content that was stopped goes on where it was.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Refused("National figures are being loaded already. Wait until that has ended.")
    try:
        return _store(made, by=by, publisher=publisher, at=at, progress=progress)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _store(made: Table, *, by: str, publisher: str, at: datetime, progress: Progress) -> Stored:
    total = sum(map(len, made.series.values()))
    with transaction.atomic():
        file = _file(made, by=by, publisher=publisher, at=at, total=total)
        bodies, measures = _bodies(made), _measures(made)
    stored = Stored(taken_up_at=file.done)
    rows = _rows(made, bodies, measures)
    deque(islice(rows, file.done), maxlen=0)
    progress(file.done, total)
    while portion := list(islice(rows, PORTION)):
        with transaction.atomic():
            _write(portion, file.pk, stored)
            file.done += len(portion)
            file.save(update_fields=["done"])
        progress(file.done, total)
    ReferenceFile.objects.filter(pk=file.pk).update(finished_at=at)
    return stored


def _file(made: Table, *, by: str, publisher: str, at: datetime, total: int) -> ReferenceFile:
    days = made.days
    said = {
        "name": made.source[:300],
        "publisher": publisher,
        "kind": made.kind.value,
        "encoding": made.encoding,
        "loaded_by": by[:150],
        "loaded_at": at,
        "total": total,
        "first": min(days),
        "last": max(days),
    }
    # What another load left half done may be written over by this one.
    others = ReferenceFile.objects.filter(finished_at=None).exclude(digest=made.digest)
    others.update(done=0)
    file, is_new = ReferenceFile.objects.get_or_create(digest=made.digest, defaults=said)
    if not is_new:
        stopped = file.finished_at is None and file.total == total
        for name, value in said.items():
            setattr(file, name, value)
        file.done = file.done if stopped else 0
        file.finished_at = None
        file.save()
    return file


def _bodies(made: Table) -> dict[str, int]:
    """Keys by code; the name of the latest days stands."""
    last = max(made.days)
    ReferenceBody.objects.bulk_create(
        [
            ReferenceBody(code=code, kind=sort_of(code, body.name))
            for code, body in made.bodies.items()
        ],
        ignore_conflicts=True,
    )
    found = {body.code: body for body in ReferenceBody.objects.filter(code__in=made.bodies)}
    renamed = []
    for code, body in found.items():
        name = made.bodies[code].name
        if name and name != body.name and (body.named_on is None or body.named_on <= last):
            body.name, body.named_on = name, last
            body.kind = sort_of(code, name)
            renamed.append(body)
    ReferenceBody.objects.bulk_update(renamed, ["name", "named_on", "kind"])
    return {code: body.pk for code, body in found.items()}


def _measures(made: Table) -> dict[str, int]:
    codes = dict(
        Code.objects.filter(code_set__kind=CodeSet.Kind.DELAY)
        .order_by("code_set__is_national", "code_set__valid_from")
        .values_list("slug", "pk")
    )
    ReferenceMeasure.objects.bulk_create(
        [
            ReferenceMeasure(
                slug=slug,
                label=counted.label[:400],
                interval=counted.interval.value,
                is_share=_is_share(slug),
                reason_id=codes.get(counted.reason),
            )
            for slug, counted in made.counted.items()
        ],
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["label", "interval", "is_share", "reason"],
    )
    found = ReferenceMeasure.objects.filter(slug__in=made.counted)
    return dict(found.values_list("slug", "pk"))


def _is_share(slug: str) -> bool:
    measure = BY_SLUG.get(slug.partition("-by-")[0])
    return measure is not None and measure.is_share


_Row = tuple[int, int, date, Decimal | None, str, str]


def _rows(made: Table, bodies: dict[str, int], measures: dict[str, int]) -> Iterator[_Row]:
    """All values in an order that is the same each time."""
    for slug, body in sorted((slug, body) for body, slug in made.series):
        for when, cell in sorted(made.series[body, slug].items()):
            doubt = cell.doubt.value if cell.doubt else ""
            yield measures[slug], bodies[body], when, cell.value, cell.mark, doubt


def _write(portion: Sequence[_Row], file: int, stored: Stored) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INCOMING)
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            for row in portion:
                copy.write_row(row)
        cursor.execute("ANALYZE incoming")
        cursor.execute(_UNREADABLE, [list(_NO_FIGURE)])
        stored.kept += cursor.rowcount
        cursor.execute(_COMPARED)
        new, changed, doubts = cursor.fetchone()
        stored.new += new
        stored.changed += changed
        stored.doubts += doubts
        stored.same += len(portion) - new - changed
        if changed and len(stored.changes) < EXAMPLES:
            cursor.execute(_CHANGES, [EXAMPLES - len(stored.changes)])
            stored.changes += [Change(*row) for row in cursor.fetchall()]
        if new or changed or doubts:
            cursor.execute(_MERGED, [file])
        cursor.execute("DROP TABLE incoming")


_INCOMING: Final = """
CREATE TEMPORARY TABLE incoming (
    measure_id bigint, body_id bigint, date date, value numeric(16, 4), mark text, doubt text
) ON COMMIT DROP
"""
_NO_FIGURE: Final = (Doubt.NEGATIVE.value, Doubt.NOT_A_NUMBER.value)
# A slip of the pen says nothing about the figure, unlike "NA", by which one is withdrawn.
_UNREADABLE: Final = """
DELETE FROM incoming i USING flow_referencevalue v
 WHERE v.measure_id = i.measure_id AND v.body_id = i.body_id AND v.date = i.date
   AND v.value IS NOT NULL AND i.value IS NULL AND i.doubt = ANY(%s)
"""
_JOINED: Final = """
  FROM incoming i
  LEFT JOIN flow_referencevalue v
       ON v.measure_id = i.measure_id AND v.body_id = i.body_id AND v.date = i.date
"""
_DIFFERS: Final = "v.id IS NOT NULL AND (v.value, v.mark) IS DISTINCT FROM (i.value, i.mark)"
_COMPARED: Final = f"""
SELECT count(*) FILTER (WHERE v.id IS NULL), count(*) FILTER (WHERE {_DIFFERS}),
       count(*) FILTER (WHERE v.id IS NOT NULL AND NOT ({_DIFFERS}) AND v.doubt <> i.doubt)
{_JOINED}"""
_CHANGES: Final = f"""
SELECT b.code, m.slug, i.date, v.value, i.value
{_JOINED}
  JOIN flow_referencebody b ON b.id = i.body_id
  JOIN flow_referencemeasure m ON m.id = i.measure_id
 WHERE {_DIFFERS} ORDER BY i.date, b.code, m.slug LIMIT %s
"""
_MERGED: Final = """
INSERT INTO flow_referencevalue AS v (measure_id, body_id, date, value, mark, doubt, file_id)
SELECT measure_id, body_id, date, value, mark, doubt, %s FROM incoming
    ON CONFLICT (measure_id, body_id, date) DO UPDATE
   SET value = excluded.value, mark = excluded.mark, doubt = excluded.doubt,
       file_id = excluded.file_id
 WHERE (v.value, v.mark, v.doubt) IS DISTINCT FROM (excluded.value, excluded.mark, excluded.doubt)
"""
