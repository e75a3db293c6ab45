"""What discharges wait for, as lists show it: barriers with their patient, place and owner.

Who sees a barrier: whoever may see the patient, and whoever works for the team or organisation
that owns it. The latter see of the patient only what the step needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.roles import Permission
from accounts.row_keys import storable
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from patients.models import Barrier
from wards.models import Occupancy
from wards.scope import ALL, Scope

SEE: Final = Permission.SEE_PATIENTS
OWN: Final = Permission.OWN_STEPS


@dataclass(frozen=True, slots=True)
class Waiting:
    """A barrier as a list shows it.

    organisation to team_name: codes and names of who is accountable, empty for nobody.
    since, due_at, ended_at: its clock. ready_since: the discharge ready date, where the patient
    meets no criteria to reside. ward, site: codes of where the patient is, empty when nowhere.
    own: the viewer sees it only because theirs owns it.
    """

    id: int
    episode: int
    patient: int
    visit: str
    reason: str
    label: str
    family: str
    organisation: str
    organisation_name: str
    team: str
    team_name: str
    person: str
    since: datetime
    due_at: datetime | None
    ended_at: datetime | None
    outcome: str
    reportable: bool
    level: int
    note: str
    pathway: int | None
    ready_since: datetime | None
    ward: str
    ward_name: str
    site: str
    bed: str
    own: bool

    def overdue(self, at: datetime) -> bool:
        """Whether it is past its target and not over."""
        return self.ended_at is None and self.due_at is not None and self.due_at < at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which barriers: empty means any. Codes of wards, sites, organisations and teams; slugs of
    reasons; pathways; outcomes, with "open" for none yet. key, episode: that one only."""

    wards: Collection[str] = ()
    sites: Collection[str] = ()
    organisations: Collection[str] = ()
    teams: Collection[str] = ()
    reasons: Collection[str] = ()
    pathways: Collection[int] = ()
    statuses: Collection[str] = ("open",)
    key: int | None = None
    episode: int | None = None


OPEN: Final = Wanted()


def waiting(moment: Moment, *, scope: Scope, wanted: Wanted = OPEN) -> list[Waiting]:
    """The barriers that stood at the moment, or had ended by then, the oldest first; one query.

    Open ones count only for patients who were in hospital then.
    """
    told = "r.outcome <> 'mistaken' AND lower(r.period) <= %(at)s"
    sql = f"""
SELECT b.id, b.episode_id AS episode, e.patient_id AS patient, v.number AS visit,
       code.slug AS reason, code.label, code.family,
       coalesce(org.code, '') AS organisation, coalesce(org.name, '') AS organisation_name,
       coalesce(team.code, '') AS team, coalesce(team.name, '') AS team_name, b.person,
       lower(b.period) AS since, b.due_at,
       CASE WHEN upper(b.period) <= %(at)s THEN upper(b.period) END AS ended_at,
       CASE WHEN upper(b.period) <= %(at)s THEN b.outcome ELSE '' END AS outcome,
       b.is_reportable AS reportable, b.level, b.note,
       said.pathway, lower(ready.period) AS ready_since,
       coalesce(ward.code, '') AS ward, coalesce(ward.name, '') AS ward_name,
       coalesce(site.code, '') AS site, coalesce(bed.label, '') AS bed,
       NOT {seen("b.episode_id")} AS own
  FROM {held("patients_barrier", moment, told)} b
  JOIN patients_episode e ON e.id = b.episode_id
  JOIN patients_visit v ON v.id = e.visit_id
  JOIN patients_code code ON code.id = b.reason_id
  LEFT JOIN accounts_organisation org ON org.id = b.organisation_id
  LEFT JOIN accounts_team team ON team.id = b.team_id
  LEFT JOIN {held("patients_readiness", moment)} ready ON ready.episode_id = b.episode_id
  LEFT JOIN {held("wards_occupancy", moment)} o ON o.episode_id = b.episode_id
  LEFT JOIN wards_ward ward ON ward.id = o.ward_id
  LEFT JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
  LEFT JOIN LATERAL (
       SELECT review.pathway FROM patients_review review
        WHERE review.episode_id = b.episode_id AND review.occurred_at <= %(at)s
          AND {said_by(moment, "review")}
        ORDER BY review.occurred_at DESC, review.id DESC LIMIT 1) said ON true
 WHERE ({seen("b.episode_id")} OR %(everything_owned)s OR b.team_id = ANY(%(own_teams)s)
        OR (b.team_id IS NULL AND b.organisation_id = ANY(%(own_organisations)s)))
   AND (upper(b.period) <= %(at)s OR o.id IS NOT NULL)
   AND (%(key)s::bigint IS NULL OR b.id = %(key)s)
   AND (%(episode)s::bigint IS NULL OR b.episode_id = %(episode)s)
   AND (cardinality(%(statuses)s::text[]) = 0
        OR CASE WHEN upper(b.period) <= %(at)s THEN b.outcome ELSE 'open' END = ANY(%(statuses)s))
   AND (cardinality(%(wards)s::text[]) = 0 OR ward.code = ANY(%(wards)s))
   AND (cardinality(%(sites)s::text[]) = 0 OR site.code = ANY(%(sites)s))
   AND (cardinality(%(organisations)s::text[]) = 0 OR org.code = ANY(%(organisations)s))
   AND (cardinality(%(teams)s::text[]) = 0 OR team.code = ANY(%(teams)s))
   AND (cardinality(%(reasons)s::text[]) = 0 OR code.slug = ANY(%(reasons)s))
   AND (cardinality(%(pathways)s::int[]) = 0 OR said.pathway = ANY(%(pathways)s))
 ORDER BY lower(b.period), b.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return read_as(Waiting, sql, moment.params | sight_params(scope) | _asked(wanted))


def seen(episode: str) -> str:
    """SQL: whether the patient of the episode may be seen; see `wards.scope.visible_episodes`."""
    return f"""(%(everywhere)s
        OR EXISTS (SELECT 1 FROM wards_occupancy here
                    WHERE here.episode_id = {episode} AND here.ward_id = ANY(%(seen_wards)s))
        OR EXISTS (SELECT 1 FROM wards_bedrequest due
                    WHERE due.episode_id = {episode}
                      AND (due.ward_id = ANY(%(seen_wards)s)
                           OR due.from_ward_id = ANY(%(seen_wards)s))))"""  # noqa: S608


def sight_params(scope: Scope) -> dict[str, object]:
    """The parameters that `seen` and the conditions on owners expect."""
    wards, teams, bodies = scope.wards(SEE), scope.teams(OWN), scope.organisations(OWN)
    return {
        "everywhere": wards == ALL,
        "seen_wards": [] if wards == ALL else sorted(wards),
        "everything_owned": teams == ALL,
        "own_teams": [] if teams == ALL else sorted(teams),
        "own_organisations": [] if bodies == ALL else sorted(bodies),
    }


def _asked(wanted: Wanted) -> dict[str, object]:
    return {
        "key": storable(wanted.key),
        "episode": storable(wanted.episode),
        "statuses": list(wanted.statuses),
        "wards": list(wanted.wards),
        "sites": list(wanted.sites),
        "organisations": list(wanted.organisations),
        "teams": list(wanted.teams),
        "reasons": list(wanted.reasons),
        "pathways": list(wanted.pathways),
    }


def may_plan(scope: Scope, episode: int, *, at: datetime) -> bool:
    """Whether somebody may plan the discharge of a patient: their role holds at the ward where
    the patient is."""
    wards = scope.wards(Permission.PLAN_DISCHARGE)
    if wards == ALL:
        return True
    return Occupancy.objects.filter(episode=episode, period__contains=at, ward__in=wards).exists()


def may_act(scope: Scope, barrier: Barrier, *, at: datetime) -> bool:
    """Whether somebody may do something about a barrier: on the patient's ward, or as its owner."""
    teams, bodies = scope.teams(OWN), scope.organisations(OWN)
    if teams == ALL or barrier.team_id in teams:
        return True
    if barrier.team_id is None and barrier.organisation_id in bodies:
        return True
    return may_plan(scope, barrier.episode_id, at=at)
