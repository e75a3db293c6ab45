"""Everybody who is expected, is in a place or has left lately, with the facts cohorts ask for.

Stays are as they were known at the moment; who somebody is (date of birth, practice, postcode)
as it is known now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.text import slugify

from accounts.roles import Permission
from flow.cohorts.rows import UNPLANNED, Earlier, Row, earlier_stays, elsewhere, in_place
from flow.cohorts.steps import (
    NOBODY,
    PHASE_OF,
    Accountable,
    Step,
    owner_in_place,
    step_in_place,
)
from flow.days import age
from flow.discharges import DAY, Asked, Stay, ready_to_leave
from flow.moment import Moment
from flow.reading import read
from patients.cohorts import Facts, Phase, Wait
from patients.home_areas import Areas
from wards.models import Ward
from wards.scope import EVERYWHERE, Scope

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
    rows = in_place(moment, stays) if stays else []
    here = {row.person for row in rows}
    if Phase.AFTER in phases or Phase.BEFORE in phases:
        others = elsewhere(moment, left=Phase.AFTER in phases, due=Phase.BEFORE in phases)
        rows += [row for row in _once(others) if row.person not in here]
    earlier = earlier_stays(moment, rows) if past else {}
    made = (
        _person(row, stays.get(row.episode), earlier.get(row.person, []), cover, known, moment.at)
        for row in rows
    )
    return [one for one in made if one.facts.phase in phases]


def _once(rows: Iterable[Row]) -> list[Row]:
    """Of each person one row: who is expected again is expected, else what was last."""
    best: dict[int, Row] = {}
    for row in rows:
        before = best.get(row.person)
        if before is None or _order(row) > _order(before):
            best[row.person] = row
    return list(best.values())


def _order(row: Row) -> tuple[bool, float, int]:
    if row.step == Step.EXPECTED and row.due_at is not None:
        return True, -row.due_at.timestamp(), row.episode
    return False, row.left_at.timestamp() if row.left_at else 0, row.episode


def _person(
    row: Row,
    stay: Stay | None,
    earlier: Sequence[Earlier],
    cover: Areas,
    areas: Mapping[str, Area],
    at: datetime,
) -> Person:
    step = Step(row.step) if stay is None else step_in_place(stay, row.ward_kind)
    area = areas.get(cover.find(row.practice, row.postcode))
    ward = Accountable(
        row.organisation,
        row.organisation_name,
        row.ward_name or row.site_name or row.organisation_name,
    )
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


def _since(step: Step, stay: Stay, row: Row) -> datetime | None:
    if step is Step.WAITING:
        return stay.raised_at
    if step in (Step.READY, Step.ASKED, Step.GOING):
        return stay.ready_since or row.arrived_at
    return row.arrived_at


def _facts(
    row: Row,
    step: Step,
    stay: Stay | None,
    earlier: Sequence[Earlier],
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
        age=age(row.born, at=at),
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
