"""Places asked for after hospital, as lists show them.

Who sees a referral: whoever may see the patient, and whoever answers for the place or body that
was asked. The latter see of the patient only what the answer needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.roles import Permission
from accounts.row_keys import storable
from flow.barriers import seen, sight_params
from flow.moment import Moment, held, said_by
from flow.reading import read_as
from wards.models import Referral
from wards.scope import ALL, Scope

ANSWERS: Final = (Permission.OWN_STEPS, Permission.MOVE_PATIENTS)
"""Who answers for a place: they hold one of these there."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A referral as a list shows it.

    asked_at, due_at, ended_at: its clock. starts_at: when the place takes them. reason: slug and
    label, if declined. to_ward to organisation_name: who was asked. ward to bed: where the
    patient is, empty when nowhere. own: the viewer sees it only because theirs was asked.
    """

    id: int
    episode: int
    patient: int
    visit: str
    kind: str
    pathway: int | None
    needs: str
    status: str
    asked_at: datetime
    due_at: datetime | None
    starts_at: datetime | None
    ended_at: datetime | None
    reason: str
    reason_label: str
    organisation_id: int
    organisation: str
    organisation_name: str
    to_ward_id: int | None
    to_ward: str
    to_ward_name: str
    to_site: str
    to_site_name: str
    ready_since: datetime | None
    ward_id: int | None
    ward: str
    ward_name: str
    site: str
    site_name: str
    bed: str
    own: bool

    @property
    def kind_label(self) -> str:
        """What is asked for, in words."""
        return str(Referral.Kind(self.kind).label)

    @property
    def status_label(self) -> str:
        """How it stands, in words."""
        return str(Referral.Status(self.status).label)

    def overdue(self, at: datetime) -> bool:
        """Whether an answer is wanted by now and has not come."""
        return self.status == "asked" and self.due_at is not None and self.due_at < at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which referrals: empty means any. to_wards, organisations: codes of who was asked; wards,
    sites: codes of where the patient is. key, episode: that one only."""

    statuses: Collection[str] = tuple(Referral.OPEN)
    kinds: Collection[str] = ()
    to_wards: Collection[str] = ()
    organisations: Collection[str] = ()
    wards: Collection[str] = ()
    sites: Collection[str] = ()
    key: int | None = None
    episode: int | None = None


OPEN: Final = Wanted()


def accepted(moment: Moment) -> str:
    """SQL: whether the referral `r` had been accepted by the moment."""
    return f"""EXISTS (SELECT 1 FROM wards_referralstep yes
                    WHERE yes.referral_id = r.id AND yes.kind = 'accepted'
                      AND yes.occurred_at <= %(at)s AND {said_by(moment, "yes")})"""  # noqa: S608


_OVER: Final = "upper(r.period) <= %(at)s"


def status_then(moment: Moment) -> str:
    """SQL: how the referral `r` stood at the moment, a `Referral.Status` value."""
    return f"""CASE WHEN {_OVER} THEN r.status WHEN {accepted(moment)} THEN 'accepted'
            ELSE 'asked' END"""


def asking(moment: Moment, *, scope: Scope, wanted: Wanted = OPEN) -> list[Asking]:
    """The referrals that stood at the moment, or had ended by then, the oldest first; one query."""
    sql = f"""
SELECT r.id, r.episode_id AS episode, e.patient_id AS patient, v.number AS visit, r.kind,
       r.pathway, r.needs,
       {status_then(moment)} AS status,
       lower(r.period) AS asked_at, r.due_at, r.starts_at,
       CASE WHEN {_OVER} THEN upper(r.period) END AS ended_at,
       coalesce(code.slug, '') AS reason, coalesce(code.label, '') AS reason_label,
       org.id AS organisation_id, org.code AS organisation, org.name AS organisation_name,
       target.id AS to_ward_id, coalesce(target.code, '') AS to_ward,
       coalesce(target.name, '') AS to_ward_name, coalesce(host.code, '') AS to_site,
       coalesce(host.name, '') AS to_site_name,
       lower(ready.period) AS ready_since,
       ward.id AS ward_id, coalesce(ward.code, '') AS ward, coalesce(ward.name, '') AS ward_name,
       coalesce(site.code, '') AS site, coalesce(site.name, '') AS site_name,
       coalesce(bed.label, '') AS bed,
       NOT {seen("r.episode_id")} AS own
  FROM {held("wards_referral", moment, "lower(r.period) <= %(at)s")} r
  JOIN patients_episode e ON e.id = r.episode_id
  JOIN patients_visit v ON v.id = e.visit_id
  JOIN accounts_organisation org ON org.id = r.organisation_id
  LEFT JOIN wards_ward target ON target.id = r.ward_id
  LEFT JOIN wards_site host ON host.id = target.site_id
  LEFT JOIN patients_code code ON code.id = r.reason_id
  LEFT JOIN {held("patients_readiness", moment)} ready ON ready.episode_id = r.episode_id
  LEFT JOIN {held("wards_occupancy", moment)} o ON o.episode_id = r.episode_id
  LEFT JOIN wards_ward ward ON ward.id = o.ward_id
  LEFT JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN wards_bed bed ON bed.id = o.bed_id
 WHERE ({seen("r.episode_id")} OR %(answers_everywhere)s OR r.ward_id = ANY(%(answers_wards)s)
        OR (r.ward_id IS NULL AND r.organisation_id = ANY(%(own_organisations)s)))
   AND (%(key)s::bigint IS NULL OR r.id = %(key)s)
   AND (%(episode)s::bigint IS NULL OR r.episode_id = %(episode)s)
   AND (cardinality(%(kinds)s::text[]) = 0 OR r.kind = ANY(%(kinds)s))
   AND (cardinality(%(to_wards)s::text[]) = 0 OR target.code = ANY(%(to_wards)s))
   AND (cardinality(%(organisations)s::text[]) = 0 OR org.code = ANY(%(organisations)s))
   AND (cardinality(%(wards)s::text[]) = 0 OR ward.code = ANY(%(wards)s))
   AND (cardinality(%(sites)s::text[]) = 0 OR site.code = ANY(%(sites)s))
 ORDER BY lower(r.period), r.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    rows = read_as(Asking, sql, moment.params | _allowed(scope) | _asked(wanted))
    return [row for row in rows if not wanted.statuses or row.status in wanted.statuses]


def _allowed(scope: Scope) -> dict[str, object]:
    held_at = [scope.wards(permission) for permission in ANSWERS]
    wards: set[int] = set()
    for places in held_at:
        if places != ALL:
            wards |= places
    return sight_params(scope) | {
        "answers_everywhere": ALL in held_at,
        "answers_wards": sorted(wards),
    }


def _asked(wanted: Wanted) -> dict[str, object]:
    return {
        "key": storable(wanted.key),
        "episode": storable(wanted.episode),
        "kinds": list(wanted.kinds),
        "to_wards": list(wanted.to_wards),
        "organisations": list(wanted.organisations),
        "wards": list(wanted.wards),
        "sites": list(wanted.sites),
    }


def may_answer(scope: Scope, referral: Referral) -> bool:
    """Whether somebody may accept or decline: they answer for the place, or for the body that was
    asked."""
    if referral.ward_id is not None:
        return any(scope.may(permission, referral.ward_id) for permission in ANSWERS)
    return scope.may_at_organisation(Permission.OWN_STEPS, referral.organisation_id)
