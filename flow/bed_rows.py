"""What the bed board of a ward is made of, as read from the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.bed_sql import common
from flow.figure_types import Figures
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from flow.waits import Asked
from wards.models import BedRequest

AHEAD: Final = timedelta(hours=48)
"""How far ahead of the moment announced arrivals are shown."""

OVERDUE: Final = timedelta(hours=24)
"""How long an arrival that did not come is still expected."""


@dataclass(frozen=True, slots=True)
class BedRow:
    """A bed; see `BedTile`. `bay_code`: empty without a bay. `occupancy`: of whoever is in it.
    `empty_since`: when the last patient left, if anybody has been in it. `held_until`: until
    when it is held for somebody who is to come."""

    id: int
    ward: int
    bay: int | None
    bay_code: str
    label: str
    kind: str
    funding: str
    features: Sequence[str]
    state: str
    status: str
    level: str
    status_since: datetime | None
    closure: int | None
    closed_reason: str
    closed_note: str
    closed_since: datetime | None
    closed_until: datetime | None
    opened_since: datetime | None
    occupancy: int | None
    empty_since: datetime | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class StayRow:
    """Somebody on a ward, or in one of its beds; see `Occupant`. `ward`, `bed`: where they
    are. `visit`: its number. `wanted`: the bed the source named, `wanted_label` its label.
    `pathway`: of those who are ready to leave alone."""

    id: int
    episode: int
    visit: str
    patient: int
    person: int
    ward: int
    bed: int | None
    wanted: int | None
    wanted_label: str
    since: datetime
    on_leave: bool
    inferred: bool
    admitted_at: datetime | None
    expected_discharge_at: datetime | None
    specialty: str
    flags: Sequence[str]
    ready_since: datetime | None
    pathway: int | None


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """An announced arrival; see `Arrival`."""

    episode: int
    patient: int
    person: int
    expected_at: datetime | None
    since: datetime
    specialty: str


def beds_of(wards: Collection[int], moment: Moment) -> list[BedRow]:
    """The beds of the wards, each ward's in the order of their positions; one query."""
    left = held(
        "wards_occupancy",
        moment,
        "r.ward_id = ANY(%(wards)s) AND upper(r.period) <= %(at)s::timestamptz",
    )
    sql = f"""
WITH {common(moment)}
SELECT b.id, b.ward_id AS ward, b.bay_id AS bay, coalesce(bay.code, '') AS bay_code, b.label,
       b.kind, b.funding, b.features, b.state,
       coalesce(b.status, '') AS status, coalesce(b.level, '') AS level, b.status_since,
       b.closure_id AS closure,
       coalesce(b.reason, '') AS closed_reason, coalesce(b.note, '') AS closed_note,
       lower(b.closed_period) AS closed_since, upper(b.closed_period) AS closed_until,
       lower(b.opened_period) AS opened_since, b.occupancy_id AS occupancy,
       emptied.at AS empty_since, upper(coming.period) AS held_until
  FROM beds b
  LEFT JOIN wards_bay bay ON bay.id = b.bay_id
  LEFT JOIN (SELECT bed_id, max(upper(period)) AS at FROM {left} stay GROUP BY bed_id) emptied
         ON emptied.bed_id = b.id
  LEFT JOIN {held("wards_reservation", moment)} coming ON coming.bed_id = b.id
 ORDER BY b.ward_id, b.position, length(b.label), b.label, b.id
"""  # noqa: S608 - the values travel as parameters
    return read_as(BedRow, sql, moment.params | {"wards": sorted(wards)})


def stays_of(wards: Collection[int], moment: Moment) -> list[StayRow]:
    """Everybody on one of the wards or in one of their beds, by arrival; one query.

    Leave does not interrupt their being there: what follows each other in one place is one time.
    """
    theirs = held(
        "wards_occupancy",
        moment,
        "r.episode_id = o.episode_id AND r.ward_id = o.ward_id"
        " AND r.bed_id IS NOT DISTINCT FROM o.bed_id",
    )
    sql = f"""
SELECT o.id, o.episode_id AS episode, v.number AS visit, e.patient_id AS patient,
       o.person_id AS person,
       o.ward_id AS ward, o.bed_id AS bed, o.wanted_bed_id AS wanted,
       coalesce(wanted.label, '') AS wanted_label, lower(here.whole) AS since, o.on_leave,
       o.inferred,
       e.admitted_at, e.expected_discharge_at, e.specialty, e.flags,
       lower(ready.period) AS ready_since, said.pathway
  FROM {held("wards_occupancy", moment)} o
  JOIN patients_episode e ON e.id = o.episode_id
  JOIN patients_visit v ON v.id = e.visit_id
 CROSS JOIN LATERAL (SELECT unnest(range_agg(part.period)) AS whole FROM {theirs} part) here
  LEFT JOIN wards_bed wanted ON wanted.id = o.wanted_bed_id
  LEFT JOIN wards_bed b ON b.id = o.bed_id
  LEFT JOIN {held("patients_readiness", moment)} ready ON ready.episode_id = o.episode_id
  LEFT JOIN LATERAL (
       SELECT review.pathway FROM patients_review review
        WHERE ready.episode_id IS NOT NULL AND review.episode_id = o.episode_id
          AND review.occurred_at <= %(at)s AND {said_by(moment, "review")}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
 WHERE (o.ward_id = ANY(%(wards)s) OR b.ward_id = ANY(%(wards)s))
   AND here.whole @> lower(o.period)
 ORDER BY lower(here.whole), o.id
"""  # noqa: S608 - the values travel as parameters
    return read_as(StayRow, sql, moment.params | {"wards": sorted(wards)})


def of_another(movement: str) -> str:
    """SQL: whether the movement was said of another patient whose stay is under the same visit
    number as the episode `e` of the person of `p`."""
    return f"""EXISTS (
              SELECT 1 FROM patients_patient named
                JOIN patients_patient record ON record.person_id = named.person_id
                JOIN patients_episode other ON other.patient_id = record.id
               WHERE named.id = {movement}.patient_id AND named.person_id <> p.person_id
                 AND other.visit_id = e.visit_id)"""  # noqa: S608 - a name of ours


_SAID_OF_IT: Final = """(SELECT id FROM wards_movement WHERE visit_id = e.visit_id
                       UNION ALL
                      SELECT movement_id FROM wards_belonging WHERE visit_id = e.visit_id)"""
"""SQL: the movements that count for the visit of the episode `e`."""


def arrivals_of(ward: int, moment: Moment, *, live: bool) -> list[ExpectedRow]:
    """Those announced for the ward who had not come by the moment, by their time; one query.

    An announcement counts from the moment it was made until it was taken back or they came.
    """
    status = "e.status = 'expected'"
    if not live:
        status = f"({status} OR e.status = 'cancelled' OR e.admitted_at > %(at)s)"
    sql = f"""
SELECT e.id AS episode, e.patient_id AS patient, p.person_id AS person, e.expected_at,
       told.occurred_at AS since, e.specialty
  FROM patients_episode e
  JOIN patients_patient p ON p.id = e.patient_id
 CROSS JOIN LATERAL (
       SELECT m.occurred_at, m.sent_at, coalesce(w.same_as_id, w.id) AS ward_id
         FROM wards_movement m
         JOIN wards_ward w ON w.id = coalesce(m.wanted_ward_id, m.ward_id)
        WHERE m.id IN {_SAID_OF_IT} AND m.kind = 'expected' AND m.occurred_at <= %(at)s
          AND {said_by(moment, "m")} AND NOT {of_another("m")}
        ORDER BY m.occurred_at DESC, m.sent_at DESC, m.key DESC
        LIMIT 1) told
 WHERE told.ward_id = %(ward)s AND {status}
   AND coalesce(e.expected_at, told.occurred_at) >= %(at)s::timestamptz - %(overdue)s
   AND coalesce(e.expected_at, told.occurred_at) < %(at)s::timestamptz + %(ahead)s
   AND NOT EXISTS (
       SELECT 1 FROM wards_movement back
        WHERE back.id IN {_SAID_OF_IT} AND back.sent_at >= told.sent_at
          AND back.occurred_at <= %(at)s AND {said_by(moment, "back")} AND NOT {of_another("back")}
          AND back.kind IN ('cancelled_expected', 'cancelled_admit', 'deleted'))
 ORDER BY coalesce(e.expected_at, told.occurred_at), e.id
"""  # noqa: S608 - the values travel as parameters
    return read_as(
        ExpectedRow, sql, moment.params | {"ward": ward, "overdue": OVERDUE, "ahead": AHEAD}
    )


def tally(
    ward: int,
    beds: Sequence[BedRow],
    stays: Sequence[StayRow],
    requests: Collection[Asked],
    *,
    at: datetime,
) -> Figures:
    """The figures that these rows add up to: the same as `flow.counts.count` has for the ward."""
    states = [bed.state for bed in beds]
    listed = {bed.id for bed in beds if bed.state != "unlisted"}
    here = [stay for stay in stays if stay.ward == ward]
    moves = [one for one in requests if one.kind != BedRequest.Kind.DISCHARGE]
    opened = ("occupied", "available", "unready")
    return Figures(
        beds_open=sum(state in opened for state in states),
        beds_occupied=states.count("occupied"),
        beds_available=states.count("available"),
        beds_unready=states.count("unready"),
        beds_closed=states.count("closed"),
        beds_not_opened=states.count("not_opened"),
        beds_escalation=sum(bed.state in opened and bed.funding == "escalation" for bed in beds),
        patients=len(here),
        bedless=sum(stay.bed is None for stay in here),
        unlisted=sum(stay.bed is not None and stay.bed not in listed for stay in here),
        clashes=sum(stay.bed is None and stay.wanted is not None for stay in here),
        on_leave=sum(stay.on_leave for stay in here),
        waiting=sum(one.counts_on == ward for one in moves),
        waiting_out=sum(
            one.origin is not None and one.origin.id == ward and one.target != one.origin
            for one in moves
        ),
        pending_discharges=sum(
            one.leaves == ward for one in requests if one.kind == BedRequest.Kind.DISCHARGE
        ),
        as_at=at,
    )
