"""Reading stays with their people: those in a place, those who left lately, those announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from flow.discharges import Stay
from flow.moment import Moment, held, said_by
from flow.reading import read_as

AFTER: Final = timedelta(days=30)
"""How long after leaving somebody is still followed."""
AHEAD: Final = timedelta(days=30)
LATE: Final = timedelta(days=1)
"""How long after the announced time somebody is still expected."""
YEAR: Final = timedelta(days=365)
UNPLANNED: Final = ("21", "22", "23", "24", "25", "28", "2A", "2D", "A", "E", "U")
"""Admission methods that are emergencies (NHS Data Dictionary, ADMISSION METHOD: 2x but for 2B,
a transfer, and 2C, a birth at home; HL7 table 0007: A accident, E emergency, U urgent)."""
_DIED: Final = ("79", "20")
"""Discharge destinations (NHS Data Dictionary; HL7 table 0112) of who has died."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the database says of one stay and its person; waits as JSON."""

    step: str
    episode: int
    patient: int
    person: int
    born: date | None
    practice: str
    postcode: str
    frailty: int | None
    residence: str
    specialty: str
    admission_method: str
    admitted_at: datetime | None
    left_at: datetime | None
    due_at: datetime | None
    arrived_at: datetime | None
    ward_id: int | None
    ward: str
    ward_name: str
    ward_kind: str
    site: str
    site_name: str
    organisation: str
    organisation_name: str
    waits: str | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A stay of a year, with what its reviews say. unplanned: an emergency admission, not a visit
    that never went beyond an emergency department."""

    person: int
    episode: int
    admitted_at: datetime
    left_at: datetime | None
    unplanned: bool
    frailty: int | None
    residence: str


_WHO: Final = """e.id AS episode, e.patient_id AS patient, p.person_id AS person,
       said.date_of_birth AS born, said.gp_practice AS practice, said.postcode,
       found.frailty, coalesce(lives.residence, '') AS residence,
       e.specialty, e.admission_method, e.admitted_at"""
_PLACE: Final = """ward.id AS ward_id, coalesce(ward.code, '') AS ward,
       coalesce(ward.name, '') AS ward_name, coalesce(ward.kind, '') AS ward_kind,
       coalesce(site.code, '') AS site, coalesce(site.name, '') AS site_name,
       coalesce(body.code, '') AS organisation, coalesce(body.name, '') AS organisation_name"""


def _of_the_person(moment: Moment) -> str:
    """Joins to a stay `e`: its record, the one whose details count, and what reviews of it say."""
    review = f"""SELECT r.{{column}} FROM patients_review r
        WHERE r.episode_id = e.id AND r.occurred_at <= %(at)s AND {said_by(moment, "r")}
          AND {{given}} ORDER BY r.occurred_at DESC, r.id DESC LIMIT 1"""  # noqa: S608
    frailty = review.format(column="frailty", given="r.frailty IS NOT NULL")
    residence = review.format(column="residence", given="r.residence <> ''")
    return f"""
  JOIN patients_patient p ON p.id = e.patient_id
  JOIN patients_patient said ON said.id = coalesce(p.merged_into_id, p.id)
  LEFT JOIN LATERAL ({frailty}) found ON true
  LEFT JOIN LATERAL ({residence}) lives ON true"""


def in_place(moment: Moment, stays: Mapping[int, Stay]) -> list[Row]:
    standing = "r.period @> %(at)s::timestamptz AND r.outcome <> 'mistaken'"
    mine = "r.id = o.episode_id" if moment.known_at is None else "r.pgh_obj_id = o.episode_id"
    sql = f"""
WITH open AS MATERIALIZED {held("patients_barrier", moment, standing)},
     here AS MATERIALIZED {held("wards_occupancy", moment)}
SELECT '' AS step, {_WHO}, {_PLACE}, NULL::timestamptz AS left_at, NULL::timestamptz AS due_at,
       lower(o.period) AS arrived_at, waits.waits
  FROM here o
  JOIN LATERAL {held("patients_episode", moment, mine)} e ON true
  JOIN wards_ward ward ON ward.id = o.ward_id
  JOIN wards_site site ON site.id = ward.site_id
  JOIN accounts_organisation body ON body.id = site.organisation_id
  {_of_the_person(moment)}
  LEFT JOIN (
       SELECT open.episode_id, jsonb_agg(jsonb_build_object(
              'reason', code.slug, 'family', code.family, 'team', team.kind,
              'organisation', org.code)) AS waits
         FROM open
         JOIN patients_code code ON code.id = open.reason_id
         LEFT JOIN accounts_team team ON team.id = open.team_id
         LEFT JOIN accounts_organisation org ON org.id = open.organisation_id
        GROUP BY open.episode_id) waits ON waits.episode_id = e.id
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    return [row for row in read_as(Row, sql, moment.params) if row.episode in stays]


def elsewhere(moment: Moment, *, left: bool, due: bool) -> list[Row]:
    """Stays that ended lately, and those announced.

    A visit that never went beyond an emergency department is no stay. Who came after a past
    moment is not taken for expected then: only an admission that lies ahead of what was known is.
    """
    gone = (
        "r.status = 'discharged' AND r.discharged_at > %(from)s AND r.discharged_at <= %(at)s"
        " AND r.discharge_destination <> ALL(%(died)s)"
    )
    coming = (
        "r.status = 'expected' AND r.expected_at BETWEEN %(late)s AND %(until)s"
        " OR r.status IN ('in_hospital', 'on_leave')"
        " AND r.admitted_at > greatest(%(at)s, coalesce(%(known_at)s::timestamptz, now()))"
    )
    request = "r.episode_id = e.id AND r.period @> %(at)s::timestamptz"
    sql = f"""
SELECT CASE WHEN e.left THEN 'home' ELSE 'expected' END AS step, {_WHO}, {_PLACE},
       CASE WHEN e.left THEN e.discharged_at END AS left_at,
       CASE WHEN NOT e.left THEN coalesce(e.expected_at, e.admitted_at) END AS due_at,
       NULL::timestamptz AS arrived_at, NULL::jsonb AS waits
  FROM (SELECT g.*, true AS left FROM {held("patients_episode", moment, gone)} g WHERE %(gone)s
        UNION ALL
        SELECT c.*, false FROM {held("patients_episode", moment, coming)} c WHERE %(due)s) e
  {_of_the_person(moment)}
  LEFT JOIN LATERAL (
       SELECT r.ward_id FROM wards_occupancy r
        WHERE e.left AND r.episode_id = e.id AND lower(r.period) <= %(at)s
        ORDER BY lower(r.period) DESC LIMIT 1) was ON true
  LEFT JOIN LATERAL (
       SELECT r.ward_id FROM {held("wards_bedrequest", moment, request)} r
        WHERE NOT e.left AND r.ward_id IS NOT NULL
        ORDER BY lower(r.period) DESC LIMIT 1) wanted ON true
  LEFT JOIN wards_ward ward ON ward.id = coalesce(was.ward_id, wanted.ward_id)
  LEFT JOIN wards_site site ON site.id = ward.site_id
  LEFT JOIN accounts_organisation told ON told.code = p.authority
  LEFT JOIN accounts_organisation body
         ON body.id = coalesce(site.organisation_id, e.provider_id, told.id)
 WHERE (said.died_at IS NULL OR said.died_at > %(at)s)
   AND (NOT e.left OR EXISTS (
        SELECT 1 FROM wards_occupancy x JOIN wards_ward w ON w.id = x.ward_id
         WHERE x.episode_id = e.id AND w.kind <> 'emergency'))
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    params: dict[str, Any] = {
        "from": moment.at - AFTER,
        "late": moment.at - LATE,
        "until": moment.at + AHEAD,
        "died": list(_DIED),
        "gone": left,
        "due": due,
    }
    return read_as(Row, sql, moment.params | params)


def earlier_stays(moment: Moment, rows: Sequence[Row]) -> dict[int, list[Earlier]]:
    """The stays of these people in the year up to the moment that went beyond an emergency
    department."""
    began = (
        "r.admitted_at > %(year)s AND r.admitted_at <= %(at)s"
        " AND r.status IN ('in_hospital', 'on_leave', 'discharged')"
    )
    sql = f"""
SELECT p.person_id AS person, e.id AS episode, e.admitted_at,
       CASE WHEN e.discharged_at <= %(at)s THEN e.discharged_at END AS left_at,
       e.admission_method = ANY(%(unplanned)s) AS unplanned,
       found.frailty, coalesce(lives.residence, '') AS residence
  FROM {held("patients_episode", moment, began)} e
  {_of_the_person(moment)}
 WHERE p.person_id = ANY(%(people)s)
   AND EXISTS (SELECT 1 FROM wards_occupancy x JOIN wards_ward w ON w.id = x.ward_id
                WHERE x.episode_id = e.id AND w.kind <> 'emergency' AND lower(x.period) <= %(at)s)
"""  # noqa: S608 - tables and columns of ours; the values travel as parameters
    params = {
        "year": moment.at - YEAR,
        "unplanned": list(UNPLANNED),
        "people": sorted({row.person for row in rows}),
    }
    found: defaultdict[int, list[Earlier]] = defaultdict(list)
    for one in read_as(Earlier, sql, moment.params | params):
        found[one.person].append(one)
    return found
