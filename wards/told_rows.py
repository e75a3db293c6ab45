"""Movements as the database keeps them, read as what was told."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from patients.keys import VisitKey
from wards.facts import MovementKind, Place
from wards.said import Told

MOVEMENTS: Final = """
    SELECT m.id, m.visit_id, m.patient_id, m.into_visit_id, m.kind, m.occurred_at, m.sent_at,
        m.key, m.source, m.cancels_id, m.admitted_at, m.discharged_at, nullif(m.stay, '{}')::text,
        coalesce(bs.ward_id, w.same_as_id, m.ward_id),
        CASE WHEN bs.id IS NOT NULL THEN bs.bay_id WHEN w.same_as_id IS NULL THEN m.bay_id END,
        CASE WHEN bs.id IS NOT NULL THEN bs.id WHEN w.same_as_id IS NULL THEN m.bed_id END,
        coalesce(fbs.ward_id, fw.same_as_id, m.from_ward_id),
        CASE WHEN fbs.id IS NOT NULL THEN fbs.bay_id
             WHEN fw.same_as_id IS NULL THEN m.from_bay_id END,
        CASE WHEN fbs.id IS NOT NULL THEN fbs.id
             WHEN fw.same_as_id IS NULL THEN m.from_bed_id END,
        coalesce(ww.same_as_id, m.wanted_ward_id), m.alias_authority, m.alias_number,
        m.recorded_at
    FROM wards_movement m
    LEFT JOIN wards_ward w ON w.id = m.ward_id
    LEFT JOIN wards_bed b ON b.id = m.bed_id
    LEFT JOIN wards_bed bs ON bs.id = b.same_as_id
    LEFT JOIN wards_ward fw ON fw.id = m.from_ward_id
    LEFT JOIN wards_bed fb ON fb.id = m.from_bed_id
    LEFT JOIN wards_bed fbs ON fbs.id = fb.same_as_id
    LEFT JOIN wards_ward ww ON ww.id = m.wanted_ward_id
"""
"""Rows for `told`; places are those that they turned out to be."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A movement, the record and visit that it names, and when we learnt of it."""

    told: Told
    visit: int
    patient: int
    into_visit: int | None
    recorded_at: datetime


def told(row: tuple[Any, ...]) -> ToldRow:
    """A row of `MOVEMENTS`, read."""
    (pk, visit, patient, into, kind, occurred, sent, key, source, cancels, admitted, discharged) = (
        row[:12]
    )
    movement = Told(
        id=pk,
        kind=MovementKind(kind),
        occurred_at=occurred,
        sent_at=sent,
        key=key,
        source=source,
        cancels=cancels,
        admitted_at=admitted,
        discharged_at=discharged,
        stay=json.loads(row[12]) if row[12] else {},
        place=Place(*row[13:16]) if row[13] else None,
        from_place=Place(*row[16:19]) if row[16] else None,
        wanted_ward=row[19],
        alias=VisitKey(row[20], row[21]) if row[21] else None,
    )
    return ToldRow(movement, visit, patient, into, row[22])


def movements_of(visits: Collection[int]) -> Iterator[ToldRow]:
    """All movements that name these visits, in no order."""
    with connection.cursor() as cursor:
        cursor.execute(MOVEMENTS + "WHERE m.visit_id = ANY(%s)", [list(visits)])
        for row in cursor.fetchall():
            yield told(row)
