"""What a board round is made of, as read from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.utils import timezone

from flow.days import midnight
from flow.moment import AT_MOMENT, Moment, held, said_by
from flow.reading import person_sql, read, read_as
from flow.round_types import PlanChange, RoundRow

_NAME = person_sql("u")


def round_rows(ward: int, moment: Moment, *, episode: int | None = None) -> list[RoundRow]:
    """Everybody on the ward, or that one stay, with their latest review, in the order of the
    beds; one query."""
    here = held("wards_occupancy", moment, f"{AT_MOMENT} AND r.ward_id = %(ward)s")
    theirs = held(
        "wards_occupancy", moment, "r.episode_id = o.episode_id AND r.ward_id = o.ward_id"
    )
    frail = _earlier("frailty", moment, lacking="said.frailty IS NULL", told="IS NOT NULL")
    lives = _earlier("residence", moment, lacking="coalesce(said.residence, '') = ''", told="<> ''")
    sql = f"""
SELECT o.episode_id AS episode, e.patient_id AS patient, coalesce(bed.label, '') AS place,
       coalesce(nullif(bay.name, ''), bay.code, '') AS bay, o.on_leave,
       lower(stay.whole) AS since, e.admitted_at, e.expected_discharge_at, e.specialty,
       e.consultant, lower(ready.period) AS ready_since,
       said.id AS review, said.occurred_at AS reviewed_at, coalesce({_NAME}, '') AS reviewed_by,
       said.criteria, coalesce(said.exception, '') AS exception, said.pathway,
       coalesce(said.day, '') AS day, said.red_reason_id AS red_reason,
       coalesce(why.label, '') AS red_label, said.senior_reviewed,
       coalesce(said.medicines, '') AS medicines, coalesce(said.transport, '') AS transport,
       coalesce(said.next_step, '') AS next_step, said.frailty,
       coalesce(said.residence, '') AS residence, senior.at AS senior_at,
       frail.told AS earlier_frailty, frail.at AS earlier_frailty_at,
       coalesce(lives.told, '') AS earlier_residence, lives.at AS earlier_residence_at
  FROM {here} o
  JOIN patients_episode e ON e.id = o.episode_id
 CROSS JOIN LATERAL (SELECT unnest(range_agg(part.period)) AS whole FROM {theirs} part) stay
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN wards_bay bay ON bay.id = bed.bay_id
  LEFT JOIN {held("patients_readiness", moment)} ready ON ready.episode_id = o.episode_id
  LEFT JOIN LATERAL (
       SELECT review.* FROM patients_review review
        WHERE review.episode_id = o.episode_id AND review.occurred_at <= %(at)s
          AND {said_by(moment, "review")}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
  LEFT JOIN LATERAL (
       SELECT min(review.occurred_at) AS at FROM patients_review review
        WHERE review.episode_id = o.episode_id AND review.senior_reviewed
          AND review.occurred_at BETWEEN %(today)s AND %(at)s
          AND {said_by(moment, "review")}) senior ON true
  LEFT JOIN LATERAL ({frail}) frail ON true
  LEFT JOIN LATERAL ({lives}) lives ON true
  LEFT JOIN accounts_user u ON u.id = said.by_id
  LEFT JOIN patients_code why ON why.id = said.red_reason_id
 WHERE stay.whole @> %(at)s::timestamptz
   AND (%(episode)s::bigint IS NULL OR o.episode_id = %(episode)s)
 ORDER BY bed.id IS NULL, bay.position NULLS LAST, bay.code, bed.position, length(bed.label),
          bed.label, o.episode_id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    params = moment.params | {
        "ward": ward,
        "episode": episode,
        "today": midnight(moment.at),
    }
    return read_as(RoundRow, sql, params)


def _earlier(column: str, moment: Moment, *, lacking: str, told: str) -> str:
    """SQL: what the latest review of another stay of the person of `e` said in the column."""
    return f"""SELECT past.{column} AS told, past.occurred_at AS at
         FROM patients_patient mine
         JOIN patients_patient record ON record.person_id = mine.person_id
         JOIN patients_episode other ON other.patient_id = record.id AND other.id <> e.id
         JOIN patients_review past ON past.episode_id = other.id
        WHERE mine.id = e.patient_id AND {lacking} AND past.{column} {told}
          AND past.occurred_at <= %(at)s AND {said_by(moment, "past")}
        ORDER BY past.occurred_at DESC, past.id DESC LIMIT 1"""  # noqa: S608 - names of ours


def plan_changes(episodes: Collection[int], moment: Moment) -> dict[int, tuple[PlanChange, ...]]:
    """How the expected discharge date of each stay changed from day to day; one query.

    In the order in which sources said it. To another hour of the same day is no change.
    """
    sql = f"""
SELECT e.id, m.sent_at, m.stay->>'expected_discharge_at', coalesce({_NAME}, m.source)
  FROM patients_episode e
  JOIN wards_movement m ON m.visit_id = e.visit_id
  LEFT JOIN accounts_user u ON u.id = m.by_id
 WHERE e.id = ANY(%(episodes)s) AND m.stay ? 'expected_discharge_at'
   AND m.sent_at <= %(at)s AND {said_by(moment, "m")}
   AND NOT EXISTS (SELECT 1 FROM wards_movement c
                    WHERE c.cancels_id = m.id AND {said_by(moment, "c")})
 ORDER BY e.id, m.sent_at, m.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    told: defaultdict[int, list[tuple[datetime, datetime | None, str]]] = defaultdict(list)
    for episode, at, plan, by in read(sql, moment.params | {"episodes": list(episodes)}):
        told[episode].append((at, datetime.fromisoformat(plan) if plan else None, by))
    return {episode: tuple(_changes(said)) for episode, said in told.items()}


def _changes(said: Iterable[tuple[datetime, datetime | None, str]]) -> Iterable[PlanChange]:
    was: datetime | None = None
    for at, plan, by in said:
        before, after = (timezone.localtime(t).date() if t else None for t in (was, plan))
        if before != after:
            slipped = before is not None and after is not None and after > before
            yield PlanChange(at, was, plan, by, slipped)
        was = plan
