"""Writes what movements add up to: episodes, occupancies and bed requests.

Given people (locked by the caller), reads every movement of all their visits, projects,
settles overlaps, and writes only the difference to what stands. Beds are locked here, in key
order, after the people.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection
from django.db.models import Q

from patients import identity
from patients.identity import stamp
from patients.joins import root, without_circles
from patients.models import Episode, Visit
from patients.rows import rewrite
from wards import bed_grants
from wards.arbitration import settle
from wards.bed_grants import Change
from wards.episode_rows import write_episodes, write_requests
from wards.facts import MovementKind, Place
from wards.projection import Claim, Request, project
from wards.said import Told

_MOVEMENTS: Final = """
    SELECT m.id, m.visit_id, m.patient_id, m.into_visit_id, m.kind, m.occurred_at, m.sent_at,
        m.key, m.source, m.cancels_id, m.admitted_at, m.discharged_at, nullif(m.stay, '{}')::text,
        coalesce(bs.ward_id, w.same_as_id, m.ward_id),
        CASE WHEN bs.id IS NOT NULL THEN bs.bay_id WHEN w.same_as_id IS NULL THEN m.bay_id END,
        CASE WHEN bs.id IS NOT NULL THEN bs.id WHEN w.same_as_id IS NULL THEN m.bed_id END,
        coalesce(fbs.ward_id, fw.same_as_id, m.from_ward_id),
        CASE WHEN fbs.id IS NOT NULL THEN fbs.bay_id
             WHEN fw.same_as_id IS NULL THEN m.from_bay_id END,
        CASE WHEN fbs.id IS NOT NULL THEN fbs.id
             WHEN fw.same_as_id IS NULL THEN m.from_bed_id END,
        coalesce(ww.same_as_id, m.wanted_ward_id)
    FROM wards_movement m
    LEFT JOIN wards_ward w ON w.id = m.ward_id
    LEFT JOIN wards_bed b ON b.id = m.bed_id
    LEFT JOIN wards_bed bs ON bs.id = b.same_as_id
    LEFT JOIN wards_ward fw ON fw.id = m.from_ward_id
    LEFT JOIN wards_bed fb ON fb.id = m.from_bed_id
    LEFT JOIN wards_bed fbs ON fbs.id = fb.same_as_id
    LEFT JOIN wards_ward ww ON ww.id = m.wanted_ward_id
    WHERE m.visit_id = ANY(%s)
"""


@dataclass(slots=True)
class _Visit:
    id: int
    patient: int
    merged_into: int | None
    movements: list[Told] = field(default_factory=list)
    owners: list[tuple[str, int]] = field(default_factory=list)
    joins: list[tuple[str, int | None]] = field(default_factory=list)
    nameless: bool = False

    @property
    def into(self) -> list[int | None]:
        return [into for _, into in self.joins]


def reproject(people: dict[int, int]) -> Change:
    """Project all visits of these people (record → person; every record of each, all locked)
    and write the difference."""
    while True:
        visits = _visits(people)
        streams = _streams(visits)
        owners = {top: _owner(top, members) for top, members in streams.items()}
        beyond = ({v.patient for v in visits.values()} | set(owners.values())) - set(people)
        if not beyond:
            break
        # A visit joins these people to others, whose other stays count as well.
        others = identity.lock_people(beyond)
        people = people | {pk: other.person_id or pk for pk, other in others.items()}
    _write_visits(visits, streams, owners)
    stays = {
        top: project(
            [told for v in members for told in v.movements],
            nameless=all(v.nameless for v in members),
        )
        for top, members in streams.items()
    }
    episodes, surplus = write_episodes(
        {v.id: top for top, members in streams.items() for v in members}, stays, owners
    )
    by_person: dict[int, dict[int, Sequence[Claim]]] = defaultdict(dict)
    for top, pairs in episodes.items():
        for episode, stay in pairs:
            by_person[people[owners[top]]][episode] = stay.claims
    claims_of: dict[int, tuple[int, Sequence[Claim]]] = {
        episode: (person, claims)
        for person, stays_of in by_person.items()
        for episode, claims in settle(stays_of).items()
    }
    requests_of: dict[int, Sequence[Request]] = {
        episode: stay.requests for pairs in episodes.values() for episode, stay in pairs
    }
    nothing: Sequence[Claim] = ()
    change = bed_grants.write(claims_of | dict.fromkeys(surplus, (0, nothing)))
    change.episodes = {top: [episode for episode, _ in pairs] for top, pairs in episodes.items()}
    change.wards |= write_requests(requests_of | dict.fromkeys(surplus, ()))
    if surplus:
        Episode.objects.filter(pk__in=surplus).delete()
    return change


def _visits(people: Mapping[int, int]) -> dict[int, _Visit]:
    """All visits of these records, and those merged with them, with their movements."""
    rows: dict[int, _Visit] = {}
    near = Q(patient_id__in=list(people)) | Q(merged_into__patient_id__in=list(people))
    while True:
        found = [
            values
            for values in Visit.objects.filter(near).values_list(
                "id", "patient_id", "merged_into_id", "number"
            )
            if values[0] not in rows
        ]
        if not found:
            return rows
        for pk, patient, merged, number in found:
            rows[pk] = _Visit(pk, patient, merged, nameless=not number)
        with connection.cursor() as cursor:
            cursor.execute(_MOVEMENTS, [[pk for pk, *_ in found]])
            for row in cursor.fetchall():
                _keep(rows[row[1]], row)
        targets = {into for v in rows.values() for into in (v.merged_into, *v.into)}
        beyond = {pk for pk in targets if pk is not None} - set(rows)
        if not beyond:
            return rows
        near = Q(id__in=beyond) | Q(merged_into_id__in=beyond)


def _keep(visit: _Visit, row: tuple[Any, ...]) -> None:
    (pk, _, patient, into, kind, occurred, sent, key, source, cancels, admitted, discharged) = row[
        :12
    ]
    told = Told(
        id=pk,
        kind=MovementKind(kind),
        occurred_at=occurred,
        sent_at=sent,
        key=key,
        source=source,
        cancels=cancels,
        admitted_at=admitted,
        discharged_at=discharged,
        stay=json.loads(row[12]) if row[12] else {},
        place=Place(*row[13:16]) if row[13] else None,
        from_place=Place(*row[16:19]) if row[16] else None,
        wanted_ward=row[19],
    )
    order = stamp(told.sent_at, told.key)
    if told.kind is MovementKind.JOINED:
        visit.joins.append((order, into))
        return
    visit.owners.append((order, patient))
    visit.movements.append(told)


def _streams(visits: Mapping[int, _Visit]) -> dict[int, list[_Visit]]:
    """The visits that are one, by the one that the others were merged into."""
    latest: dict[int, tuple[str, int]] = {}
    for visit in visits.values():
        if visit.joins:
            mark, into = max(visit.joins, key=lambda join: join[0])
            visit.merged_into = into
            if into is not None and into in visits:
                latest[visit.id] = (mark, into)
    targets = without_circles(latest)
    streams: dict[int, list[_Visit]] = defaultdict(list)
    for visit in visits.values():
        visit.merged_into = targets.get(visit.id)
        streams[root(visit.id, targets)].append(visit)
    return dict(streams)


def _owner(top: int, members: Sequence[_Visit]) -> int:
    """The record that the sources last named for these visits."""
    named = [owner for visit in members for owner in visit.owners]
    if named:
        return max(named)[1]
    return next(visit.patient for visit in members if visit.id == top)


def _write_visits(
    visits: Mapping[int, _Visit],
    streams: Mapping[int, Sequence[_Visit]],
    owners: Mapping[int, int],
) -> None:
    """Keep each visit's owner and merger as said; only rows that changed are written."""
    stored = Visit.objects.in_bulk(
        [
            v.id
            for top, members in streams.items()
            for v in members
            if (v.patient != owners[top] and not v.nameless) or v.joins
        ]
    )
    if not stored:
        return
    top_of = {v.id: top for top, members in streams.items() for v in members}
    for pk, row in stored.items():
        if not visits[pk].nameless:
            row.patient_id = owners[top_of[pk]]
        row.merged_into_id = visits[pk].merged_into
    rewrite(list(stored.values()), ["patient_id", "merged_into_id"])
