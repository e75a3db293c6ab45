"""Needs for a bed that came and went, and discharges that became definite or were put off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.days import midnight
from flow.desk.words import KINDS
from flow.handover.moves import GAP, NAMED
from flow.handover.types import Kind, Told
from flow.reading import read, read_as
from wards.models import BedRequest
from wards.needing import kind_of

_SQL: Final = f"""
WITH {NAMED}
SELECT r.id, r.kind, e.id AS episode, e.patient_id AS patient, e.admission_method AS method,
       here.id AS origin, coalesce(here.name, '') AS origin_name,
       coalesce(here.kind, '') AS origin_kind, here.site_id AS origin_site,
       there.id AS target, coalesce(there.name, '') AS target_name,
       coalesce(there.kind, '') AS target_kind, there.site_id AS target_site,
       coalesce(terms.asked_by, '') AS asked_by,
       lower(r.period) AS since, upper(r.period) AS until, e.discharged_at,
       coalesce(began.told_at, lower(r.period)) AS since_told,
       coalesce(ended.told_at, upper(r.period)) AS until_told,
       EXISTS (SELECT 1 FROM wards_occupancy o
                WHERE o.person_id = p.person_id AND o.ward_id IS DISTINCT FROM r.from_ward_id
                  AND lower(o.period) >= upper(r.period)
                  AND lower(o.period) <= upper(r.period) + %(gap)s
               UNION ALL
               SELECT 1 FROM wards_occupancy o
                WHERE o.episode_id = e.id AND lower(o.period) = upper(r.period)) AS met,
       EXISTS (SELECT 1 FROM wards_bedrequest anew
                WHERE anew.episode_id = e.id AND lower(anew.period) = upper(r.period)
                  AND (anew.kind = 'discharge') = (r.kind = 'discharge')) AS anew
  FROM named
  JOIN patients_episode e ON e.visit_id = named.visit
  JOIN patients_patient p ON p.id = e.patient_id
  JOIN wards_bedrequest r ON r.episode_id = e.id
  LEFT JOIN wards_ward here ON here.id = r.from_ward_id
  LEFT JOIN wards_ward there ON there.id = r.ward_id
  LEFT JOIN wards_requestterms terms ON terms.episode_id = e.id AND terms.key = r.key
  LEFT JOIN said began ON began.visit = named.visit AND began.at = lower(r.period)
  LEFT JOIN said ended ON ended.visit = named.visit AND ended.at = upper(r.period)
 WHERE (here.id = ANY(%(wards)s) OR there.id = ANY(%(wards)s))
   AND (r.kind <> 'expected' OR coalesce(e.expected_at, lower(r.period)) < %(horizon)s)
"""  # noqa: S608 - names of ours alone; the values travel as parameters


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as it stands. since_told, until_told: when it was learnt that it began and ended.
    met: they came to another place, or bed, at its end; anew: another took its place then."""

    id: int
    kind: str
    episode: int
    patient: int
    method: str
    origin: int | None
    origin_name: str
    origin_kind: str
    origin_site: int | None
    target: int | None
    target_name: str
    target_kind: str
    target_site: int | None
    asked_by: str
    since: datetime
    until: datetime | None
    discharged_at: datetime | None
    since_told: datetime
    until_told: datetime | None
    met: bool
    anew: bool

    def told(self, kind: Kind, *, ended: bool, open_: bool = False) -> Told:
        """A change at its beginning or its end."""
        at, told_at = (self.until, self.until_told) if ended else (self.since, self.since_told)
        assert at is not None
        assert told_at is not None
        desk = open_ and self.kind != BedRequest.Kind.DISCHARGE
        more = _("asked by %(who)s") % {"who": self.asked_by} if self.asked_by else ""
        return Told(
            kind=kind,
            at=at,
            told_at=told_at,
            wards=(self.origin, self.target),
            words=self._words,
            more=_("called off") if kind == Kind.PUT_OFF else more,
            patient=self.patient,
            episode=self.episode,
            address=reverse("desk:request", args=[self.id])
            if desk
            else reverse("flow:stay", args=[self.episode]),
        )

    @property
    def _words(self) -> str:
        if self.kind == BedRequest.Kind.DISCHARGE:
            return _("on %(ward)s") % {"ward": self.origin_name} if self.origin_name else ""
        why = KINDS[
            kind_of(
                self.kind,
                method=self.method,
                on=self.origin_kind,
                target=self.target_kind,
                from_site=self.origin_site,
                to_site=self.target_site,
            )
        ]
        target = self.target_name or _("any ward")
        if not self.origin_name:
            return _("%(why)s: to %(to)s") % {"why": why, "to": target}
        return _("%(why)s: %(from)s to %(to)s") % {
            "why": why,
            "from": self.origin_name,
            "to": target,
        }


def needs(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Needs and announced discharges of these wards that were recorded to begin or end in
    `[since, until)`; of whoever is expected, those due by the end of tomorrow. One query."""
    params = {
        "since": since,
        "until": until,
        "wards": sorted(wards),
        "horizon": midnight(until, days=2),
        "gap": GAP,
    }
    found: list[Told] = []
    for row in read_as(_Request, _SQL, params):
        found += _changes(row, since, until)
    return found


def _changes(row: _Request, since: datetime, until: datetime) -> Iterator[Told]:
    is_leaving = row.kind == BedRequest.Kind.DISCHARGE
    over = row.until is not None and row.until < until
    if since <= max(row.since_told, row.since) < until:
        begun = Kind.DEFINITE if is_leaving else Kind.NEED_NEW
        # What was asked for and is over by now is no news of a discharge: they left, or it was off.
        if not (is_leaving and over):
            yield row.told(begun, ended=False, open_=not over)
    if row.until is None or row.until_told is None or not over or row.anew:
        return
    if not since <= max(row.until_told, row.until) < until:
        return
    left = row.until == row.discharged_at
    if is_leaving:
        if not left:
            yield row.told(Kind.PUT_OFF, ended=True)
    else:
        yield row.told(Kind.NEED_MET if row.met else Kind.NEED_WITHDRAWN, ended=True)


_DATES_SQL: Final = """
WITH now AS (
    SELECT DISTINCT ON (r.episode_id) r.episode_id, r.occurred_at, r.recorded_at,
           r.expected_discharge_at AS expected
      FROM patients_review r
     WHERE r.recorded_at >= %(since)s AND r.recorded_at < %(until)s
       AND r.expected_discharge_at IS NOT NULL
     ORDER BY r.episode_id, r.occurred_at DESC, r.id DESC)
SELECT now.episode_id, e.patient_id, now.occurred_at, now.recorded_at, was.expected, now.expected,
       o.ward_id, w.name
  FROM now
  JOIN patients_episode e ON e.id = now.episode_id
  JOIN wards_occupancy o ON o.episode_id = e.id AND o.period @> %(until)s::timestamptz
  JOIN wards_ward w ON w.id = o.ward_id
  JOIN LATERAL (
       SELECT before.expected_discharge_at AS expected FROM patients_review before
        WHERE before.episode_id = now.episode_id AND before.recorded_at < %(since)s
          AND before.expected_discharge_at IS NOT NULL
        ORDER BY before.occurred_at DESC, before.id DESC LIMIT 1) was ON true
 WHERE o.ward_id = ANY(%(wards)s) AND now.expected > was.expected
"""


def put_off(*, since: datetime, until: datetime, wards: Collection[int]) -> list[Told]:
    """Patients on these wards whose expected day of discharge was moved to a later one by a review
    recorded in `[since, until)`; one query."""
    found = []
    rows = read(_DATES_SQL, {"since": since, "until": until, "wards": sorted(wards)})
    for episode, patient, at, told_at, was, now, ward, name in rows:
        days = [timezone.localtime(moment).date() for moment in (was, now)]
        if days[0] >= days[1]:
            continue
        words = _("on %(ward)s: expected %(was)s, now %(now)s") % {
            "ward": name,
            "was": f"{days[0]:%a %-d %b}",
            "now": f"{days[1]:%a %-d %b}",
        }
        found.append(
            Told(
                kind=Kind.PUT_OFF,
                at=at,
                told_at=told_at,
                wards=(ward,),
                words=words,
                patient=patient,
                episode=episode,
                address=reverse("flow:stay", args=[episode]),
            )
        )
    return found
