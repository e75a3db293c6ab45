"""Who waits for a bed, or to leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flow.bed_sql import people
from flow.board_types import Face, Place, Sight, Wait
from flow.faces import faces
from flow.moment import Moment
from flow.reading import read


@dataclass(frozen=True, slots=True)
class Asked:
    """An open bed request; see `Wait`.

    patient: the record of the stay. person: the person it belongs to. counts_on: key of the
    ward on which it counts. leaves: key of the ward on which, being a discharge, it counts.
    """

    id: int
    kind: str
    since: datetime
    episode: int
    patient: int
    person: int
    specialty: str
    counts_on: int | None
    leaves: int | None
    origin: Place | None
    target: Place | None


def asked(moment: Moment, *, wards: Collection[int]) -> list[Asked]:
    """The open requests for a bed on one of `wards` or of a patient there, the oldest first;
    one query."""
    sql = f"""
WITH {people(moment)}
SELECT a.id, a.kind, lower(a.period), a.episode_id, e.patient_id, a.person_id, e.specialty,
       a.counts_on, a.leaves,
       here.id, here.code, here.name, here_site.code, here.kind,
       there.id, there.code, there.name, there_site.code, there.kind
  FROM asked a
  JOIN patients_episode e ON e.id = a.episode_id
  LEFT JOIN wards_ward here ON here.id = a.origin
  LEFT JOIN wards_site here_site ON here_site.id = here.site_id
  LEFT JOIN wards_ward there ON there.id = a.target
  LEFT JOIN wards_site there_site ON there_site.id = there.site_id
 WHERE a.counts_on = ANY(%(wards)s) OR a.leaves = ANY(%(wards)s)
 ORDER BY lower(a.period), a.id
"""  # noqa: S608 - the values travel as parameters
    return [
        Asked(*[*row[:9], _place(row[9:14]), _place(row[14:19])])
        for row in read(sql, moment.params | {"wards": list(wards)})
    ]


def _place(columns: tuple[Any, ...]) -> Place | None:
    return Place(*columns) if columns[0] is not None else None


def may_see(one: Asked, sight: Sight) -> bool:
    """Whether the viewer may see who it is: from where the patient is, or where they are to go."""
    places = [place.id for place in (one.origin, one.target) if place is not None]
    return any(sight.sees_patients(ward) for ward in (*places, one.counts_on))


def with_faces(requests: Collection[Asked], *, sight: Sight) -> tuple[Wait, ...]:
    """The requests as a board lists them; one query at most."""
    known = faces({one.patient for one in requests if may_see(one, sight)})
    return as_waits(requests, sight=sight, known=known)


def as_waits(
    requests: Collection[Asked], *, sight: Sight, known: Mapping[int, Face]
) -> tuple[Wait, ...]:
    """The same, with faces that were fetched already."""
    return tuple(
        Wait(
            id=one.id,
            kind=one.kind,
            since=one.since,
            origin=one.origin,
            target=one.target,
            episode=one.episode,
            specialty=one.specialty,
            face=known.get(one.patient) if may_see(one, sight) else None,
        )
        for one in requests
    )
