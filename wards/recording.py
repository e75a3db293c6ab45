"""Takes facts from any source, keeps them, and lets the stays follow.

One call takes one fact or ten thousand; the result is the same as one by one, in any order.
Locks are always taken in this order, which is what makes deadlock impossible between two
calls: records of people by key, then beds by key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from accounts.models import User
from live.doorbell import ring
from patients import identity
from patients.keys import PersonKey, VisitKey
from patients.models import Episode, Patient, PatientLink, Readiness
from wards import held_beds
from wards.bed_grants import Change
from wards.dirty import mark_dirty
from wards.facts import Fact, Joined, Moved, MovementKind, VisitGiven, VisitJoined
from wards.models import Occupancy
from wards.provenance import name_the_source
from wards.reprojection import reproject

_INSERT: Final = """
    INSERT INTO wards_movement (visit_id, patient_id, into_visit_id, kind, occurred_at, sent_at,
        source, key, reference, by_id, ward_id, bay_id, bed_id, from_ward_id, from_bay_id,
        from_bed_id, wanted_ward_id, admitted_at, discharged_at, cancels_id, stay,
        alias_authority, alias_number, recorded_at)
    SELECT told.*, CASE WHEN %s THEN told.sent_at ELSE statement_timestamp() END
    FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::text[], %s::timestamptz[],
        %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::int8[], %s::int8[], %s::int8[],
        %s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::timestamptz[],
        %s::timestamptz[], %s::int8[], %s::jsonb[], %s::text[], %s::text[])
        AS told(visit, patient, into_visit, kind, occurred_at, sent_at)
    ON CONFLICT (source, key) DO NOTHING
    RETURNING key, id
"""

_LONG_STAY: Final = timedelta(days=7)
"""From when on a stay is listed on the discharge hub, whatever is known of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fact."""

    key: str
    status: Literal["applied", "duplicate"]


@dataclass(slots=True)
class Recorded:
    """Outcomes in the order of the facts, the movements made, and what they changed."""

    outcomes: list[Outcome]
    movements: dict[str, int]
    visits: dict[str, int]
    change: Change


@dataclass(frozen=True, slots=True)
class _Entry:
    """A movement about to be stored."""

    fact: Moved | VisitGiven | VisitJoined
    visit: int
    patient: int
    kind: MovementKind
    occurred_at: datetime
    into_visit: int | None = None


def keep(
    facts: Sequence[Fact], *, source: str, by: User | None = None, known_when_sent: bool = False
) -> Recorded:
    """Store the facts and write what follows from them. Call inside a transaction.

    `known_when_sent`: these facts are history, loaded now and known to the hospital at the time;
    their movements count as recorded when they were sent (`Movement.recorded_at`). The audit
    history says all the same when they were written.
    """
    once = list({fact.key: fact for fact in facts}.values())
    name_the_source(source, by)
    patients = identity.ensure_patients(_people(once))
    owners = _visit_owners(once, patients)
    visits = identity.ensure_visits(owners)
    records = identity.lock_people(
        {*patients.values(), *(visit.patient for visit in visits.values())}
    )
    heard = _tell(once, patients, records)
    seeds = set(heard.identity_changed) | _join(once, patients, source, by)
    regrouped = identity.regroup(seeds) if seeds else {}
    nameless = identity.ensure_nameless_visits(
        {
            patients[f.person]: f.person.authority
            for f in once
            if isinstance(f, Moved) and f.visit is None
        }
    )
    entries = _entries(once, patients, visits, nameless)
    made = _insert(entries, source, by, known_when_sent=known_when_sent)
    change = Change()
    if made or regrouped:
        change = reproject({pk: p.person_id or pk for pk, p in (records | regrouped).items()})
    mark_dirty(change.wards)
    _settle_held(change, once)
    _ring_for(heard.changed)
    _ring_hub(change)
    if change.requests:
        transaction.on_commit(lambda: ring(["desk"]))
    known = {entry.fact.key for entry in entries}
    return Recorded(
        outcomes=[
            Outcome(f.key, "duplicate" if f.key in known and f.key not in made else "applied")
            for f in facts
        ],
        movements=made,
        visits={e.fact.key: e.visit for e in entries},
        change=change,
    )


def _people(facts: Iterable[Fact]) -> set[PersonKey]:
    keys = {fact.person for fact in facts}
    return keys | {fact.other for fact in facts if isinstance(fact, Joined)}


def _visit_owners(facts: Iterable[Fact], patients: Mapping[PersonKey, int]) -> dict[VisitKey, int]:
    """The visits named, each with a record to hang it on until its movements say whose it is."""
    owners: dict[VisitKey, int] = {}
    for fact in facts:
        if isinstance(fact, Moved | VisitGiven | VisitJoined) and fact.visit is not None:
            owners.setdefault(fact.visit, patients[fact.person])
        if isinstance(fact, VisitJoined):
            owners.setdefault(fact.other, patients[fact.person])
    return owners


def _tell(
    facts: Sequence[Fact], patients: Mapping[PersonKey, int], records: Mapping[int, Patient]
) -> identity.Heard:
    said = [
        identity.Told(patients[f.person], f.sent_at, f.key, f.details)
        for f in facts
        if f.details.values or f.details.identifiers
    ]
    return identity.tell(records, said)


def _join(
    facts: Iterable[Fact], patients: Mapping[PersonKey, int], source: str, by: User | None
) -> set[int]:
    """Store what was said of who is one person; the records concerned."""
    joins = [f for f in facts if isinstance(f, Joined) and f.person != f.other]
    PatientLink.objects.bulk_create(
        [
            PatientLink(
                old_id=patients[f.other],
                new_id=patients[f.person],
                survivor=f.survivor,
                undone=f.undone,
                sent_at=f.sent_at,
                source=source,
                key=f.key,
                by=by,
            )
            for f in joins
        ],
        ignore_conflicts=True,
    )
    return {patients[key] for f in joins for key in (f.person, f.other)}


def _ring_for(records: Collection[int]) -> None:
    """Have the boards drawn again that show people whose details changed."""
    if not records:
        return
    wards = Occupancy.objects.filter(
        person__records__in=list(records), period__upper_inf=True
    ).values_list("ward_id", flat=True)
    names = {f"ward:{ward}" for ward in wards}
    transaction.on_commit(lambda: ring(names))


def _settle_held(change: Change, facts: Sequence[Fact]) -> None:
    """End the reservations that these facts took up, gave to somebody else or made needless."""
    episodes = {episode for episodes in change.episodes.values() for episode in episodes}
    beds = {row.bed for row in change.rows if row.bed is not None}
    if episodes or beds:
        at = max(fact.sent_at for fact in facts)
        held_beds.settle(at=at, episodes=episodes, beds=beds)


def _ring_hub(change: Change) -> None:
    """Have the discharge hub drawn again where somebody moved who stands in one of its lists."""
    stays = [episode for episodes in change.episodes.values() for episode in episodes]
    if not change.wards or not stays:
        return
    ready = Exists(Readiness.objects.filter(episode=OuterRef("pk"), period__upper_inf=True))
    long = Q(admitted_at__lte=Now() - _LONG_STAY)
    if Episode.objects.filter(ready | long, pk__in=stays).exists():
        transaction.on_commit(lambda: ring(["hub"]))


def _entries(
    facts: Iterable[Fact],
    patients: Mapping[PersonKey, int],
    visits: Mapping[VisitKey, identity.VisitRow],
    nameless: Mapping[int, int],
) -> list[_Entry]:
    entries: list[_Entry] = []
    for fact in facts:
        patient = patients[fact.person]
        if isinstance(fact, Moved):
            visit = nameless[patient] if fact.visit is None else visits[fact.visit].id
            entries.append(_Entry(fact, visit, patient, fact.kind, fact.occurred_at))
        elif isinstance(fact, VisitGiven):
            visit = visits[fact.visit].id
            entries.append(_Entry(fact, visit, patient, MovementKind.GIVEN, fact.sent_at))
        elif isinstance(fact, VisitJoined) and fact.visit != fact.other:
            into = None if fact.undone else visits[fact.visit].id
            entries.append(
                _Entry(
                    fact, visits[fact.other].id, patient, MovementKind.JOINED, fact.sent_at, into
                )
            )
    return entries


def _insert(
    entries: Sequence[_Entry], source: str, by: User | None, *, known_when_sent: bool
) -> dict[str, int]:
    """Store the movements not known yet: key → primary key."""
    if not entries:
        return {}
    moved = [e.fact if isinstance(e.fact, Moved) else None for e in entries]
    places = [m.place if m else None for m in moved]
    origins = [m.from_place if m else None for m in moved]
    columns: list[list[object]] = [
        [e.visit for e in entries],
        [e.patient for e in entries],
        [e.into_visit for e in entries],
        [e.kind.value for e in entries],
        [e.occurred_at for e in entries],
        [e.fact.sent_at for e in entries],
        [source for _ in entries],
        [e.fact.key for e in entries],
        [m.reference[:100] if m else "" for m in moved],
        [by.pk if by else None for _ in entries],
        [p.ward if p else None for p in places],
        [p.bay if p else None for p in places],
        [p.bed if p else None for p in places],
        [p.ward if p else None for p in origins],
        [p.bay if p else None for p in origins],
        [p.bed if p else None for p in origins],
        [m.wanted_ward if m else None for m in moved],
        [m.admitted_at if m else None for m in moved],
        [m.discharged_at if m else None for m in moved],
        [m.cancels if m else None for m in moved],
        [json.dumps(dict(m.stay)) if m else "{}" for m in moved],
        [m.alias.authority if m and m.alias else "" for m in moved],
        [m.alias.number if m and m.alias else "" for m in moved],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [known_when_sent, *columns])
        return dict(cursor.fetchall())


def told_again(records: Iterable[int]) -> Change:
    """Project these people anew, their movements being read as they now are (a place that
    turned out to be another). Opens its own transaction."""
    with transaction.atomic():
        locked = identity.lock_people(list(records))
        people = {pk: patient.person_id or pk for pk, patient in locked.items()}
        change = reproject(people) if people else Change()
        mark_dirty(change.wards)
        return change
