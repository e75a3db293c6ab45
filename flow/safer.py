"""The SAFER patient flow bundle as figures of one ward, computed from the facts.

NHS Improvement, *Rapid improvement guide to: The SAFER patient flow bundle*: "S: Senior review.
All patients will have a senior review before midday. A: All patients will have an expected
discharge date and clinical criteria for discharge. F: Flow of patients will commence at the
earliest opportunity from assessment units to inpatient wards; wards that receive them will have
the first by 10am. E: Early discharge. 33% of patients will be discharged from base inpatient
wards before midday. R: Review. A systematic review of patients with extended lengths of stay
(more than 7 days)."

How each is counted here, for the local day of the moment:

- S: of the patients now on the ward whom today's round is to see, those for whom a review of
  today says that a senior had come, at a time before 12:00.
- A: of the patients now on the ward, those with an expected discharge date. Criteria for
  discharge are not recorded as such.
- F: when the first patient came to the ward today straight from an assessment unit.
- E: of the stays that ended today from this ward by discharge, those before 12:00; the same for
  the seven days before today.
- R: of the patients now on the ward who have been in hospital for more than seven days, those
  reviewed within the last seven.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from flow.days import midnight, o_clock
from flow.moment import Moment, held
from flow.reading import read
from flow.round_types import RoundRow, RoundStatus, Safer, Share

MIDDAY: Final = 12
FIRST_BY: Final = 10
"""Hour by which the first patient from an assessment unit is to be on the ward."""
LONG: Final = timedelta(days=7)


def safer(ward: int, moment: Moment, *, rows: Sequence[RoundRow], status: RoundStatus) -> Safer:
    """The five elements; `rows` and `status` of the same ward and moment. One query."""
    at = moment.at
    noon, ten = o_clock(at, MIDDAY), o_clock(at, FIRST_BY)
    first_at, early, gone, early_week, gone_week = _moves(ward, moment)
    long = [row for row in rows if row.stays(at) > LONG]
    return Safer(
        senior=Share(sum(1 for r in rows if r.senior_at and r.senior_at < noon), status.due),
        planned=Share(sum(1 for r in rows if r.expected_discharge_at), len(rows)),
        first_at=first_at,
        on_time=_on_time(first_at, by=ten, at=at),
        early=Share(early, gone),
        early_week=Share(early_week, gone_week),
        long_stays=Share(
            sum(1 for r in long if r.reviewed_at and at - r.reviewed_at <= LONG), len(long)
        ),
    )


def _on_time(first_at: datetime | None, *, by: datetime, at: datetime) -> bool | None:
    if first_at is not None:
        return first_at <= by
    return None if at <= by else False


def _moves(ward: int, moment: Moment) -> tuple[datetime | None, int, int, int, int]:
    """First arrival from an assessment unit today; discharges before midday and in all, today
    and in the week before."""
    recent = "r.ward_id = %(ward)s AND r.period && tstzrange(%(week)s, %(at)s, '[]')"
    before = held(
        "wards_occupancy",
        moment,
        "r.episode_id = o.episode_id AND upper(r.period) = lower(o.period)",
    )
    sql = f"""
WITH stays AS MATERIALIZED {held("wards_occupancy", moment, recent)},
     gone AS (SELECT upper(o.period) AS at,
                     (upper(o.period) AT TIME ZONE %(zone)s)::time < time '12:00' AS early
                FROM stays o JOIN patients_episode e ON e.id = o.episode_id
               WHERE upper(o.period) = e.discharged_at AND upper(o.period) <= %(at)s)
SELECT (SELECT min(lower(o.period)) FROM stays o
         WHERE lower(o.period) BETWEEN %(today)s AND %(at)s
           AND EXISTS (SELECT 1 FROM {before} left_
                         JOIN wards_ward w ON w.id = left_.ward_id
                        WHERE w.kind = 'assessment')),
       count(*) FILTER (WHERE early AND at >= %(today)s),
       count(*) FILTER (WHERE at >= %(today)s),
       count(*) FILTER (WHERE early AND at >= %(week)s AND at < %(today)s),
       count(*) FILTER (WHERE at >= %(week)s AND at < %(today)s)
  FROM gone
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    days = {"today": midnight(moment.at), "week": midnight(moment.at, days=-7)}
    [row] = read(sql, moment.params | days | {"ward": ward, "zone": "Europe/London"})
    first_at, early, of, early_week, of_week = row
    return first_at, early, of, early_week, of_week
