"""Everybody who is expected, is in a place or has left lately, with the facts cohorts ask for.

Stays are as they were known at the moment; who somebody is (date of birth, practice, postcode)
as it is known now.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.text import slugify

from accounts.roles import Permission
from flow.cohorts.steps import (
    NOBODY,
    PHASE_OF,
    Accountable,
    Step,
    owner_in_place,
    step_in_place,
)
from flow.discharges import DAY, Asked, Stay, ready_to_leave
from flow.moment import Moment, held, said_by
from flow.reading import read, read_as
from patients.cohorts import Facts, Phase, Wait
from patients.home_areas import Areas
from wards.models import Ward
from wards.scope import EVERYWHERE, Scope

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
_SYSTEM: Final = Scope({Permission.SEE_COUNTS: EVERYWHERE})


@dataclass(frozen=True, slots=True)
class Area:
    """A neighbourhood: its name, and its team as the one accountable."""

    slug: str
    name: str
    team: int
    owner: Accountable


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the way, at a moment.

    person: their number among all records of people; patient: the record of this stay. step,
    owner: see `flow.cohorts.steps`. since: when this step began, as far as known. ward_id: where
    they are, are expected, or were last; None where no ward was told. stay: with what they wait
    for, while they are in a place. left_at: when they left. due_at: when they are expected.
    """

    person: int
    patient: int
    episode: int
    facts: Facts
    step: Step
    owner: Accountable
    since: datetime | None
    ward_id: int | None
    ward: str
    ward_name: str
    site: str
    site_name: str
    admitted_at: datetime | None
    left_at: datetime | None
    due_at: datetime | None
    stay: Stay | None
    area: Area | None


@dataclass(frozen=True, slots=True)
class _Row:
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


def areas_known() -> tuple[Areas, dict[str, Area]]:
    """What each neighbourhood covers, and the neighbourhoods by slug; one query."""
    rows = read(
        """
SELECT n.slug, n.name, n.team_id, body.code, body.name, team.name, a.is_practice, a.code
  FROM patients_neighbourhood n
  JOIN accounts_team team ON team.id = n.team_id
  JOIN accounts_organisation body ON body.id = team.organisation_id
  LEFT JOIN patients_homearea a ON a.neighbourhood_id = n.id
 ORDER BY n.name
""",
        {},
    )
    known = {r[0]: Area(r[0], r[1], r[2], Accountable(r[3], r[4], r[5])) for r in rows}
    return Areas.of((r[0], r[6], r[7]) for r in rows if r[7]), known


def people(
    moment: Moment,
    *,
    areas: tuple[Areas, Mapping[str, Area]],
    phases: Collection[Phase] = tuple(Phase),
    past: bool = True,
) -> list[Person]:
    """Everybody in these phases; each person once. `areas`: as `areas_known` tells them. `past`:
    with their earlier stays. Four queries at most. No scope: who may see whom is for the caller
    to say."""
    cover, known = areas
    stays = {}
    if Phase.DURING in phases or Phase.AFTER in phases:
        everybody = Asked(everybody=True)
        found = ready_to_leave(
            moment, scope=_SYSTEM, permission=Permission.SEE_COUNTS, asked=everybody
        )
        stays = {stay.episode: stay for stay in found}
    rows = _in_place(moment, stays) if stays else []
    here = {row.person for row in rows}
    if Phase.AFTER in phases or Phase.BEFORE in phases:
        others = _elsewhere(moment, left=Phase.AFTER in phases, due=Phase.BEFORE in phases)
        rows += [row for row in _once(others) if row.person not in here]
    earlier = _earlier(moment, rows) if past else {}
    made = (
        _person(row, stays.get(row.episode), earlier.get(row.person, []), cover, known, moment.at)
        for row in rows
    )
    return [one for one in made if one.facts.phase in phases]


def _once(rows: Iterable[_Row]) -> list[_Row]:
    """Of each person one row: who is expected again is expected, else what was last."""
    best: dict[int, _Row] = {}
    for row in rows:
        before = best.get(row.person)
        if before is None or _order(row) > _order(before):
            best[row.person] = row
    return list(best.values())


def _order(row: _Row) -> tuple[bool, float, int]:
    if row.step == Step.EXPECTED and row.due_at is not None:
        return True, -row.due_at.timestamp(), row.episode
    return False, row.left_at.timestamp() if row.left_at else 0, row.episode


def _person(
    row: _Row,
    stay: Stay | None,
    earlier: Sequence[_Earlier],
    cover: Areas,
    areas: Mapping[str, Area],
    at: datetime,
) -> Person:
    step = Step(row.step) if stay is None else step_in_place(stay, row.ward_kind)
    area = areas.get(cover.find(row.practice, row.postcode))
    ward = Accountable(row.organisation, row.organisation_name, row.ward_name or row.site_name)
    if stay is not None:
        owner, since = owner_in_place(step, stay, ward), _since(step, stay, row)
    elif step is Step.HOME:
        owner, since = (area.owner if area else NOBODY), row.left_at
    else:
        owner, since = ward, None
    return Person(
        person=row.person,
        patient=row.patient,
        episode=row.episode,
        facts=_facts(row, step, stay, earlier, area, at),
        step=step,
        owner=owner,
        since=since,
        ward_id=row.ward_id,
        ward=row.ward,
        ward_name=row.ward_name,
        site=row.site,
        site_name=row.site_name,
        admitted_at=row.admitted_at,
        left_at=row.left_at,
        due_at=row.due_at if step is Step.EXPECTED else None,
        stay=stay,
        area=area,
    )


def _since(step: Step, stay: Stay, row: _Row) -> datetime | None:
    if step is Step.WAITING:
        return stay.raised_at
    if step in (Step.READY, Step.ASKED, Step.GOING):
        return stay.ready_since or row.arrived_at
    return row.arrived_at


def _facts(
    row: _Row,
    step: Step,
    stay: Stay | None,
    earlier: Sequence[_Earlier],
    area: Area | None,
    at: datetime,
) -> Facts:
    begun = row.admitted_at
    gone = row.left_at or at
    # Somebody in an emergency department has not been admitted yet.
    admitted = begun is not None and row.ward_kind != Ward.Kind.EMERGENCY
    before = [one for one in earlier if one.episode != row.episode and begun is not None
              and one.left_at is not None and one.left_at <= begun]  # fmt: skip
    last = max((one.left_at for one in before if one.left_at), default=None)
    unplanned = admitted and row.admission_method in UNPLANNED
    others = sum(one.unplanned and one.episode != row.episode for one in earlier)
    since = stay.ready_since if stay else None
    # What was last found in an earlier stay holds until somebody looks again.
    known = sorted(earlier, key=lambda one: one.admitted_at, reverse=True)
    frailty = row.frailty or next((one.frailty for one in known if one.frailty), None)
    residence = row.residence or next((one.residence for one in known if one.residence), "")
    return Facts(
        phase=PHASE_OF[step],
        age=_age(row.born, at),
        frailty=frailty,
        residence=residence,
        area=area.slug if area else "",
        days=(gone - begun) / DAY if begun and step is not Step.EXPECTED else None,
        ready_days=None if since is None else (at - since) / DAY,
        days_since_leaving=(begun - last) / DAY if begun and last else None,
        unplanned=unplanned,
        stays_in_year=others + unplanned,
        pathway=stay.pathway if stay else None,
        site=row.site,
        ward_kind=row.ward_kind,
        specialty=row.specialty,
        waits=tuple(_waits(row.waits)),
    )


def _waits(told: str | None) -> Iterator[Wait]:
    """The open barriers that the database tells as JSON."""
    for wait in json.loads(told) if told else ():
        yield Wait(
            reason=wait["reason"],
            family=slugify(wait["family"]),
            team=wait["team"] or "",
            organisation=wait["organisation"] or "",
        )


def _age(born: date | None, at: datetime) -> int | None:
    if born is None:
        return None
    today = timezone.localtime(at).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


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


def _in_place(moment: Moment, stays: Mapping[int, Stay]) -> list[_Row]:
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
    return [row for row in read_as(_Row, sql, moment.params) if row.episode in stays]


def _elsewhere(moment: Moment, *, left: bool, due: bool) -> list[_Row]:
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
  LEFT JOIN accounts_organisation body ON body.id = coalesce(site.organisation_id, e.provider_id)
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
    return read_as(_Row, sql, moment.params | params)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A stay of a year, with what its reviews say. unplanned: an emergency admission, not a visit
    that never went beyond an emergency department."""

    person: int
    episode: int
    admitted_at: datetime
    left_at: datetime | None
    unplanned: bool
    frailty: int | None
    residence: str


def _earlier(moment: Moment, rows: Sequence[_Row]) -> dict[int, list[_Earlier]]:
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
    found: defaultdict[int, list[_Earlier]] = defaultdict(list)
    for one in read_as(_Earlier, sql, moment.params | params):
        found[one.person].append(one)
    return found
