"""Writes what movements add up to: episodes, occupancies and bed requests.

Given people (locked by the caller), reads every movement of all their visits, projects,
settles overlaps, and writes only the difference to what stands. Beds are locked here, in key
order, after the people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from patients import identity
from patients.identity import stamp
from patients.joins import root, without_circles
from patients.keys import VisitKey
from patients.models import Visit
from patients.rows import rewrite
from wards import bed_grants
from wards.arbitration import settle
from wards.bed_grants import Change
from wards.episode_rows import Owned, write_episodes, write_requests
from wards.facts import MovementKind
from wards.models import Belonging
from wards.ownership import Named
from wards.projection import RESUMED, Claim, Request
from wards.said import said_order
from wards.streams import Stream, flagged, stays_of
from wards.told_rows import ToldRow, movements_of
from wards.waits import retire

_VISITS_OF_PEOPLE: Final = """
    WITH named AS MATERIALIZED (
        SELECT id FROM patients_visit WHERE patient_id = ANY(%(records)s)
        UNION SELECT visit_id FROM wards_movement WHERE patient_id = ANY(%(records)s))
    SELECT id, patient_id, merged_into_id, authority, number
    FROM patients_visit WHERE id IN (SELECT id FROM named)
    UNION
    SELECT id, patient_id, merged_into_id, authority, number
    FROM patients_visit WHERE merged_into_id IN (SELECT id FROM named)
"""
_VISITS_NEAR: Final = """
    SELECT id, patient_id, merged_into_id, authority, number
    FROM patients_visit WHERE id = ANY(%(visits)s)
    UNION
    SELECT id, patient_id, merged_into_id, authority, number
    FROM patients_visit WHERE merged_into_id = ANY(%(visits)s)
"""


@dataclass(slots=True)
class _Visit:
    id: int
    patient: int
    merged_into: int | None
    key: VisitKey
    named: list[Named] = field(default_factory=list)
    joins: list[tuple[str, int | None]] = field(default_factory=list)

    @property
    def nameless(self) -> bool:
        """Whether the source gave it no number."""
        return not self.key.number

    @property
    def records(self) -> set[int]:
        """The records ever named for it."""
        return {self.patient} | {n.patient for n in self.named}

    @property
    def into(self) -> list[int | None]:
        return [into for _, into in self.joins]


def reproject(people: dict[int, int]) -> Change:
    """Project all visits of these people (record → person; every record of each, all locked)
    and write the difference."""
    while True:
        visits = _visits(people)
        beyond = {record for v in visits.values() for record in v.records} - set(people)
        if not beyond:
            break
        # A visit joins these people to others, whose other stays count as well.
        others = identity.lock_people(beyond)
        people = people | {pk: other.person_id or pk for pk, other in others.items()}
    streams = _streams(visits)
    _write_visits(visits, streams)
    found = stays_of({top: _stream(members) for top, members in streams.items()}, people)
    stays = found.stays
    _settle(stays, people)
    episodes, surplus = write_episodes(
        {v.id: top for top, members in streams.items() for v in members}, stays, people
    )
    written = [pair for pairs in episodes.values() for pair in pairs]
    claims_of: dict[int, tuple[int, Sequence[Claim]]] = {
        episode: (people[owned.owner], owned.claims) for episode, owned in written
    }
    requests_of: dict[int, Sequence[Request]] = {
        episode: owned.stay.requests for episode, owned in written
    }
    nothing: Sequence[Claim] = ()
    change = bed_grants.write(claims_of | dict.fromkeys(surplus, (0, nothing)))
    change.episodes = {top: [e for e, _ in pairs] for top, pairs in episodes.items()}
    asked_at = write_requests(requests_of | dict.fromkeys(surplus, ()))
    change.requests = bool(asked_at)
    change.wards |= asked_at
    if surplus:
        heirs = {
            pk: [e for heir in (top, *found.heirs.get(top, ())) for e in change.episodes[heir]]
            for pk, top in surplus.items()
        }
        retire(list(surplus), heirs)
    if found.lends:
        _write_belonging(found.lent, [v.id for v in visits.values()])
    return change


def _stream(members: Sequence[_Visit]) -> Stream:
    return Stream(
        keys=[v.key for v in members],
        named=[named for v in members for named in v.named],
        merged={v.id: v.merged_into for v in members if v.merged_into is not None},
    )


def _write_belonging(lent: Mapping[int, int], visits: Sequence[int]) -> None:
    """Keep which visit each movement said without a number counts for; only what changed."""
    rows = Belonging.objects.filter(movement__visit__in=visits)
    stored = dict(rows.values_list("movement_id", "visit_id"))
    if gone := [pk for pk, visit in stored.items() if lent.get(pk) != visit]:
        Belonging.objects.filter(pk__in=gone).delete()
    Belonging.objects.bulk_create(
        Belonging(movement_id=pk, visit_id=visit)
        for pk, visit in lent.items()
        if stored.get(pk) != visit
    )


def _settle(stays: Mapping[int, Sequence[Owned]], people: Mapping[int, int]) -> None:
    """Cut the claims of each person's stays so that none overlaps another."""
    by_person: dict[int, list[Owned]] = defaultdict(list)
    for of_visit in stays.values():
        for owned in of_visit:
            by_person[people[owned.owner]].append(owned)
    for of_person in by_person.values():
        settled = settle(dict(enumerate(owned.stay.claims for owned in of_person)))
        for number, owned in enumerate(of_person):
            owned.claims = settled[number]
            told = {claim.start for claim in owned.stay.claims}
            if not owned.claims or owned.claims[-1].start in told:
                continue
            heard = owned.stay.heard_of
            if heard is None or heard < owned.claims[-1].start:
                owned.stay = flagged(owned.stay, RESUMED)


def _visits(people: Mapping[int, int]) -> dict[int, _Visit]:
    """All visits of which these records were ever named, and those merged with them, with their
    movements."""
    rows: dict[int, _Visit] = {}
    with connection.cursor() as cursor:
        cursor.execute(_VISITS_OF_PEOPLE, {"records": list(people)})
        while found := [row for row in cursor.fetchall() if row[0] not in rows]:
            for pk, patient, merged, authority, number in found:
                rows[pk] = _Visit(pk, patient, merged, VisitKey(authority, number))
            for row in movements_of([pk for pk, *_ in found]):
                _keep(rows[row.visit], row)
            beyond = {into for v in rows.values() for into in (v.merged_into, *v.into)}
            beyond -= {None, *rows}
            if not beyond:
                break
            cursor.execute(_VISITS_NEAR, {"visits": list(beyond)})
    return rows


def _keep(visit: _Visit, row: ToldRow) -> None:
    visit.named.append(Named(row.told, visit.id, row.patient))
    if row.told.kind is MovementKind.JOINED:
        visit.joins.append((stamp(row.told.sent_at, row.told.key), row.into_visit))


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


def _write_visits(visits: Mapping[int, _Visit], streams: Mapping[int, Sequence[_Visit]]) -> None:
    """Keep the record that was last named for each visit, and its merger; only rows that changed
    are written."""
    last_named = {top: _last_named(members) for top, members in streams.items()}
    changed = [
        v.id
        for top, members in streams.items()
        for v in members
        if v.joins or not (v.nameless or v.patient == last_named[top])
    ]
    stored = Visit.objects.in_bulk(changed) if changed else {}
    top_of = {v.id: top for top, members in streams.items() for v in members}
    for pk, row in stored.items():
        patient = last_named[top_of[pk]]
        if patient is not None and not visits[pk].nameless:
            row.patient_id = patient
        row.merged_into_id = visits[pk].merged_into
    if stored:
        rewrite(list(stored.values()), ["patient_id", "merged_into_id"])


def _last_named(members: Sequence[_Visit]) -> int | None:
    """The record that the sources last named for these visits; None where they named none."""
    named = [n for v in members for n in v.named if n.told.kind is not MovementKind.JOINED]
    if not named:
        return None
    return max(named, key=lambda n: said_order(n.told)).patient
