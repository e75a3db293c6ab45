"""Barriers that came, were over or ran past their target, and those that will."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _

from flow.handover.types import Kind, OpenBarrier, Told
from flow.reading import read, read_as
from patients.models import Barrier, BarrierStep

_KINDS: Final = {
    BarrierStep.Kind.RAISED: Kind.BARRIER_RAISED,
    BarrierStep.Kind.REOPENED: Kind.BARRIER_RAISED,
    BarrierStep.Kind.RESOLVED: Kind.BARRIER_OVER,
    BarrierStep.Kind.REPLACED: Kind.BARRIER_OVER,
    BarrierStep.Kind.MISTAKEN: Kind.BARRIER_OVER,
}
"""Of the steps of a barrier those that a handover tells."""
_ROW: Final = """b.id, b.episode_id, e.patient_id, code.label,
       coalesce(team.name, org.name, ''), place.ward_id, coalesce(ward.name, '')"""
_JOINS: Final = """
  JOIN patients_episode e ON e.id = b.episode_id
  JOIN patients_code code ON code.id = b.reason_id
  LEFT JOIN accounts_team team ON team.id = b.team_id
  LEFT JOIN accounts_organisation org ON org.id = b.organisation_id
  LEFT JOIN LATERAL (
       SELECT o.ward_id, o.period FROM wards_occupancy o WHERE o.episode_id = e.id
        ORDER BY lower(o.period) DESC LIMIT 1) place ON true
  LEFT JOIN wards_ward ward ON ward.id = place.ward_id"""
_STEPS_SQL: Final = f"""
SELECT s.kind, s.occurred_at, s.recorded_at, {_ROW}
  FROM patients_barrierstep s
  JOIN patients_barrier b ON b.id = s.barrier_id {_JOINS}
 WHERE s.recorded_at >= %(since)s AND s.recorded_at < %(until)s AND s.kind = ANY(%(kinds)s)
   AND place.ward_id = ANY(%(wards)s)
UNION ALL
SELECT 'late', b.due_at, b.due_at, {_ROW}
  FROM patients_barrier b {_JOINS}
 WHERE b.outcome = '' AND b.due_at >= %(since)s AND b.due_at < %(until)s
   AND place.period @> %(until)s::timestamptz AND place.ward_id = ANY(%(wards)s)
"""  # noqa: S608 - names of ours alone; the values travel as parameters
_OPEN_SQL: Final = f"""
SELECT b.id, code.label, coalesce(team.name, org.name, '') AS owner, b.due_at,
       place.ward_id, coalesce(ward.name, '') AS ward, e.patient_id AS patient,
       b.episode_id AS episode
  FROM patients_barrier b {_JOINS}
 WHERE b.outcome = '' AND b.due_at < %(by)s
   AND place.period @> %(at)s::timestamptz AND place.ward_id = ANY(%(wards)s)
 ORDER BY b.due_at, b.id
"""  # noqa: S608 - names of ours alone; the values travel as parameters


def barriers(*, since: datetime, until: datetime, wards: Iterable[int]) -> list[Told]:
    """Barriers of patients on these wards (for who has left, on their last) that were recorded to
    be raised or over in `[since, until)`, or whose target time passed in it; one query."""
    found = []
    params = {
        "since": since,
        "until": until,
        "wards": sorted(wards),
        "kinds": [kind.value for kind in _KINDS],
    }
    for kind, at, told_at, barrier, episode, patient, label, owner, ward, name in read(
        _STEPS_SQL, params
    ):
        step = None if kind == "late" else BarrierStep.Kind(kind)
        over = step is not None and _KINDS[step] == Kind.BARRIER_OVER
        more = [_("for %(owner)s") % {"owner": owner} if owner else _("nobody is accountable")]
        if step is not None and over and step != BarrierStep.Kind.RESOLVED:
            more = [str(Barrier.Outcome(step.value).label).lower()]
        found.append(
            Told(
                kind=Kind.BARRIER_LATE if step is None else _KINDS[step],
                at=at,
                told_at=told_at,
                wards=(ward,),
                words=_("%(what)s, on %(ward)s") % {"what": label, "ward": name},
                more=" · ".join(more),
                patient=patient,
                episode=episode,
                address=reverse("flow:barrier", args=[barrier]),
            )
        )
    return found


def due_by(by: datetime, *, at: datetime, wards: Collection[int]) -> list[OpenBarrier]:
    """Open barriers of patients who are on these wards at `at` whose target time is before `by`,
    the first due first, without names; one query."""
    return read_as(OpenBarrier, _OPEN_SQL, {"by": by, "at": at, "wards": sorted(wards)})
