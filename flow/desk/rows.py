"""Every need for a bed of a site, as read from the database; one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from accounts.row_keys import storable
from flow.board_types import Place
from flow.reading import read

OVERDUE: Final = timedelta(hours=24)
"""How long somebody who was expected and did not come is still listed, as on the boards."""
LAPSED: Final = timedelta(hours=12)
"""How long it is shown that a bed was held and is not any more."""


@dataclass(frozen=True, slots=True)
class NeedRow:
    """One open request with all that hangs on it. `told`: by whom and how it was asked.

    origin, bed: where they are. Whoever is expected is nowhere yet: another stay, by which they
    may be here meanwhile, asks for nothing by this request.
    decided_at: when it was first decided to admit or move them, however often the request has been
    replaced since by another ward or another message.
    """

    id: int
    key: str
    request_kind: str
    since: datetime
    episode: int
    patient: int
    person: int
    admitted_at: datetime | None
    expected_at: datetime | None
    method: str
    specialty: str
    sex: str
    born: date | None
    origin: Place | None
    origin_site: int | None
    bed: str
    target: Place | None
    target_site: int | None
    priority: int | None
    asked_specialty: str
    asked_by: str
    note: str
    due_at: datetime | None
    reservation: int | None
    held_bed: int | None
    held_label: str
    held_ward: Place | None
    held_until: datetime | None
    held_decided: bool
    lapsed_bed: int | None
    lapsed_label: str
    lapsed_ward: str
    lapsed_why: str
    lapsed_at: datetime | None
    decided_at: datetime


def needs_at(*sites: int, at: datetime, request: int | None = None) -> list[NeedRow]:
    """The needs that count on these sites at `at`: those asked of one of their wards, and of their
    own patients for whom no ward was named. With `request` that one alone, wherever it counts.

    Those expected are listed from a day late to the end of tomorrow, local time.
    """
    params: dict[str, Any] = {
        "sites": list(sites),
        "at": at,
        "late": OVERDUE,
        "lapsed": LAPSED,
        "horizon": _end_of_tomorrow(at),
        "request": storable(request),
    }
    return [_row(values) for values in read(_SQL, params)]


def _end_of_tomorrow(at: datetime) -> datetime:
    today = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    end = today.replace(tzinfo=None) + timedelta(days=2)
    return timezone.make_aware(end)


_PLACE: Final = "{0}.id, {0}.code, {0}.name, {0}_site.code, {0}.kind"
_DECIDED: Final = """
WITH RECURSIVE chain AS (
    SELECT r.kind, lower(r.period) AS since
    UNION ALL
    SELECT former.kind, lower(former.period)
      FROM chain
      JOIN wards_bedrequest former ON former.episode_id = e.id
                                  AND upper(former.period) = chain.since
     WHERE former.kind IN ('admit', 'transfer') AND chain.kind IN ('admit', 'transfer')
       AND NOT EXISTS (
           SELECT 1 FROM wards_movement undone
             JOIN patients_visit visit ON visit.id = undone.visit_id
            WHERE e.visit_id IN (visit.id, visit.merged_into_id)
              AND undone.kind IN ('cancelled_pending_admit', 'cancelled_pending_transfer')
              AND undone.occurred_at = chain.since)
       AND NOT EXISTS (
           SELECT 1 FROM wards_occupancy came
            WHERE came.episode_id = e.id AND lower(came.period) = chain.since
              AND came.ward_id IS DISTINCT FROM former.from_ward_id))
SELECT min(since) AS at FROM chain
"""
"""When the first was asked for of those requests that were each replaced by the next: that ended
as the next began, and were neither taken back nor met at that moment."""
_SQL: Final = f"""
SELECT r.id, r.key, r.kind, lower(r.period), e.id, e.patient_id, p.person_id, e.admitted_at,
       e.expected_at, e.admission_method, e.specialty, p.sex, p.date_of_birth,
       {_PLACE.format("here")}, here.site_id, coalesce(bed.label, ''),
       {_PLACE.format("there")}, there.site_id,
       terms.priority, coalesce(terms.specialty, ''), coalesce(terms.asked_by, ''),
       coalesce(terms.note, ''), terms.due_at,
       held.id, held.bed_id, coalesce(held_bed.label, ''), {_PLACE.format("held_ward")},
       upper(held.period), coalesce(held.decided, false),
       gone.bed_id, coalesce(gone.label, ''), coalesce(gone.name, ''), coalesce(gone.status, ''),
       gone.at, decided.at
  FROM wards_bedrequest r
  JOIN patients_episode e ON e.id = r.episode_id
  JOIN patients_patient p ON p.id = e.patient_id
  LEFT JOIN wards_occupancy o ON o.person_id = p.person_id AND o.period @> %(at)s::timestamptz
                             AND r.kind <> 'expected'
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN wards_ward here ON here.id = coalesce(o.ward_id, r.from_ward_id)
  LEFT JOIN wards_site here_site ON here_site.id = here.site_id
  LEFT JOIN wards_ward there ON there.id = r.ward_id
  LEFT JOIN wards_site there_site ON there_site.id = there.site_id
  LEFT JOIN wards_requestterms terms ON terms.episode_id = e.id AND terms.key = r.key
  LEFT JOIN wards_reservation held ON held.episode_id = e.id AND held.status = 'held'
                                  AND held.period @> %(at)s::timestamptz
  LEFT JOIN wards_bed held_bed ON held_bed.id = held.bed_id
  LEFT JOIN wards_ward held_ward ON held_ward.id = held_bed.ward_id
  LEFT JOIN wards_site held_ward_site ON held_ward_site.id = held_ward.site_id
  LEFT JOIN LATERAL (
       SELECT was.bed_id, was_bed.label, was_ward.name,
              CASE WHEN was.status = 'held' THEN 'lapsed' ELSE was.status END AS status,
              upper(was.period) AS at
         FROM wards_reservation was
         JOIN wards_bed was_bed ON was_bed.id = was.bed_id
         JOIN wards_ward was_ward ON was_ward.id = was_bed.ward_id
        WHERE was.episode_id = e.id AND held.id IS NULL
          AND was.status IN ('held', 'lapsed', 'lost')
          AND upper(was.period) <= %(at)s AND upper(was.period) > %(at)s - %(lapsed)s
          AND lower(was.period) >= lower(r.period)
        ORDER BY upper(was.period) DESC LIMIT 1) gone ON true
 CROSS JOIN LATERAL ({_DECIDED}) decided
 WHERE r.period @> %(at)s::timestamptz AND r.kind <> 'discharge'
   AND (r.id = %(request)s OR (%(request)s::bigint IS NULL
        AND coalesce(there.site_id, here.site_id) = ANY(%(sites)s::bigint[])))
   AND (r.kind <> 'expected' OR r.id = %(request)s
        OR (coalesce(e.expected_at, lower(r.period)) >= %(at)s - %(late)s
            AND coalesce(e.expected_at, lower(r.period)) < %(horizon)s))
 ORDER BY lower(r.period), r.id
"""  # noqa: S608 - names of ours alone; the values travel as parameters


def _row(values: Sequence[Any]) -> NeedRow:
    plain: list[Any] = list(values)
    whole: list[Any] = [
        *plain[:13],
        _place(plain[13:18]),
        plain[18],
        plain[19],
        _place(plain[20:25]),
        *plain[25:34],
        _place(plain[34:39]),
        *plain[39:],
    ]
    return NeedRow(*whole)


def _place(columns: Sequence[Any]) -> Place | None:
    return Place(*columns) if columns[0] is not None else None
