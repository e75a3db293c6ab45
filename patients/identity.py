"""Records of people: found by key, told new details, joined and parted.

Everything here gives the same result in whatever order facts arrive. Details are
last-write-wins for each field by the source's own time; who is one person is worked out anew
from the joins and NHS numbers that stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from patients.comparing import comparable
from patients.joins import without_circles
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Patient, PatientIdentifier, PatientLink, Visit
from patients.rows import rewrite

FIELDS: Final = (
    "nhs_number",
    "family_name",
    "given_name",
    "title",
    "date_of_birth",
    "sex",
    "postcode",
    "gp_practice",
    "died_at",
    "is_deleted",
    "is_restricted",
)
_WHO: Final = frozenset({"nhs_number", "date_of_birth", "family_name", "is_deleted"})
"""What decides whether two records are one person."""
_EMPTY: Final[Mapping[str, object]] = {
    "date_of_birth": None,
    "died_at": None,
    "sex": Patient.Sex.UNKNOWN,
    "is_deleted": False,
    "is_restricted": False,
}


def stamp(sent_at: datetime, key: str) -> str:
    """A text that sorts in the order in which sources said things."""
    return f"{sent_at.astimezone(UTC).isoformat(timespec='microseconds')} {key[:16]}"


def ensure_patients(keys: Collection[PersonKey]) -> dict[PersonKey, int]:
    """The record of each key, made where there was none. Safe against others doing the same."""
    found = _patient_ids(keys)
    missing = sorted(set(keys) - set(found))
    if missing:
        with connection.cursor() as cursor:
            # The record is its own person from the start: the id is drawn before the row.
            cursor.execute(
                """
                INSERT INTO patients_patient (id, person_id, authority, identifier, nhs_number,
                    family_name, given_name, title, sex, postcode, gp_practice, is_deleted,
                    is_restricted, stamps)
                SELECT n, n, authority, identifier, '', '', '', '', 'unknown', '', '', false,
                    false, '{}'
                FROM (SELECT nextval(pg_get_serial_sequence('patients_patient', 'id')) AS n,
                             authority, identifier
                      FROM unnest(%s::text[], %s::text[]) AS k(authority, identifier)) AS fresh
                ON CONFLICT (authority, identifier) DO NOTHING
                """,
                [[k.authority for k in missing], [k.value for k in missing]],
            )
        found |= _patient_ids(missing)
    return found


def _patient_ids(keys: Collection[PersonKey]) -> dict[PersonKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.authority, p.identifier, p.id FROM patients_patient p
            JOIN unnest(%s::text[], %s::text[]) AS k(authority, identifier)
              USING (authority, identifier)
            """,
            [[k.authority for k in keys], [k.value for k in keys]],
        )
        return {PersonKey(authority, value): pk for authority, value, pk in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit and the record it hangs on."""

    id: int
    patient: int


def ensure_visits(owners: Mapping[VisitKey, int]) -> dict[VisitKey, VisitRow]:
    """The visit of each number, made for the given record where there was none."""
    found = _visit_rows(owners)
    missing = sorted(set(owners) - set(found))
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO patients_visit (authority, number, patient_id)
                SELECT * FROM unnest(%s::text[], %s::text[], %s::int8[]) ON CONFLICT DO NOTHING
                """,
                [
                    [k.authority for k in missing],
                    [k.number for k in missing],
                    [owners[k] for k in missing],
                ],
            )
        found |= _visit_rows(missing)
    return found


def _visit_rows(keys: Iterable[VisitKey]) -> dict[VisitKey, VisitRow]:
    wanted = list(keys)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.authority, v.number, v.id, v.patient_id FROM patients_visit v
            JOIN unnest(%s::text[], %s::text[]) AS k(authority, number) USING (authority, number)
            """,
            [[k.authority for k in wanted], [k.number for k in wanted]],
        )
        return {
            VisitKey(authority, number): VisitRow(pk, patient)
            for authority, number, pk, patient in cursor.fetchall()
        }


def ensure_nameless_visits(patients: Mapping[int, str]) -> dict[int, int]:
    """The visit without a number of each record (record → authority of its numbers)."""
    if not patients:
        return {}
    found = _nameless(patients)
    missing = sorted(set(patients) - set(found))
    if missing:
        Visit.objects.bulk_create(
            [Visit(authority=patients[pk], number="", patient_id=pk) for pk in missing],
            ignore_conflicts=True,
        )
        found |= _nameless(missing)
    return found


def _nameless(patients: Iterable[int]) -> dict[int, int]:
    rows = Visit.objects.filter(patient__in=list(patients), number="")
    return dict(rows.values_list("patient_id", "id"))


def lock_people(records: Collection[int]) -> dict[int, Patient]:
    """Lock these records and all others of the same people, in key order.

    Any change to where a person is holds these locks first, so that two changes to one person
    follow each other. The lock leaves foreign keys to the rows free.
    """
    roots = Patient.objects.filter(id__in=list(records)).values("person_id")
    rows = Patient.objects.filter(person_id__in=roots).order_by("id")
    return {p.pk: p for p in rows.select_for_update(of=("self",), no_key=True)}


@dataclass(frozen=True, slots=True)
class Told:
    """What one fact says of one record."""

    patient: int
    sent_at: datetime
    key: str
    details: Details


@dataclass(frozen=True, slots=True)
class Heard:
    """The records whose details changed, and of them those that may be somebody else now."""

    changed: frozenset[int] = frozenset()
    identity_changed: frozenset[int] = frozenset()


def tell(patients: Mapping[int, Patient], told: Sequence[Told]) -> Heard:
    """Write new details.

    `patients` are locked rows. A field is written when what is said of it is newer than what
    was last said of it, by the source's time.
    """
    changed: set[int] = set()
    identity_changed: set[int] = set()
    identifiers: list[PatientIdentifier] = []
    for item in told:
        patient = patients[item.patient]
        mark = stamp(item.sent_at, item.key)
        for name, value in item.details.values.items():
            if mark <= patient.stamps.get(name, ""):
                continue
            patient.stamps[name] = mark
            changed.add(patient.pk)
            new = _EMPTY.get(name, "") if value is None else value
            if name in _WHO and getattr(patient, name) != new:
                identity_changed.add(patient.pk)
            setattr(patient, name, new)
        known = set(patient.stamps.get("identifiers", []))
        for other in item.details.identifiers:
            mark = "|".join((other.authority, other.value, other.kind))
            if mark not in known:
                known.add(mark)
                changed.add(patient.pk)
                identifiers.append(
                    PatientIdentifier(
                        patient=patient,
                        authority=other.authority[:100],
                        value=other.value[:100],
                        kind=other.kind[:20],
                    )
                )
                patient.stamps["identifiers"] = sorted(known)
    if identifiers:
        PatientIdentifier.objects.bulk_create(identifiers, ignore_conflicts=True)
    if changed:
        rewrite([patients[pk] for pk in sorted(changed)], [*FIELDS, "stamps"])
    return Heard(frozenset(changed), frozenset(identity_changed))


def regroup(seeds: Collection[int]) -> dict[int, Patient]:
    """Work out anew who is one person among `seeds` and all that were or are joined to them.

    Records are one person when joined by a standing link, or when they carry the same NHS
    number and nothing speaks against it (`_agree`). Returns all records of the groups touched;
    they are locked on the way.
    """
    records, links = _reach(seeds)
    merged = _merge_targets(links)
    neighbours: dict[int, set[int]] = defaultdict(set)
    for link in _standing_links(links):
        neighbours[link.old_id].add(link.new_id)
        neighbours[link.new_id].add(link.old_id)
    by_nhs: dict[str, list[Patient]] = defaultdict(list)
    for patient in records.values():
        if patient.nhs_number and not patient.is_deleted:
            by_nhs[patient.nhs_number].append(patient)
    for same in by_nhs.values():
        for one in same:
            for other in same:
                if one.pk < other.pk and _agree(one, other):
                    neighbours[one.pk].add(other.pk)
                    neighbours[other.pk].add(one.pk)
    changed = []
    for group in _components(records, neighbours):
        root = min(group)
        for pk in group:
            patient = records[pk]
            target = merged.get(pk)
            if patient.person_id != root or patient.merged_into_id != target:
                patient.person_id, patient.merged_into_id = root, target
                changed.append(patient)
    if changed:
        rewrite(changed, ["person_id", "merged_into_id"])
    return records


def _agree(one: Patient, other: Patient) -> bool:
    """Whether an equal NHS number makes two records one person: by their dates of birth where
    both are known, else by their family names, so that a number taken down wrongly does not
    give somebody's bed away. What is not known speaks neither for nor against."""
    if one.date_of_birth is not None and other.date_of_birth is not None:
        return one.date_of_birth == other.date_of_birth
    names = {comparable(one.family_name), comparable(other.family_name)} - {""}
    return len(names) <= 1


def _reach(seeds: Collection[int]) -> tuple[dict[int, Patient], list[PatientLink]]:
    """All records that may be one person with a seed, and the links among them."""
    records = lock_people(seeds)
    links: dict[int, PatientLink] = {}
    asked: set[int] = set()
    while fresh := set(records) - asked:
        asked |= fresh
        for link in PatientLink.objects.filter(Q(old__in=fresh) | Q(new__in=fresh)):
            links[link.pk] = link
        numbers = {records[pk].nhs_number for pk in fresh} - {""}
        beyond = {link.old_id for link in links.values()} | {link.new_id for link in links.values()}
        if numbers:
            beyond |= set(
                Patient.objects.filter(nhs_number__in=numbers).values_list("pk", flat=True)
            )
        if beyond - set(records):
            records |= lock_people(beyond - set(records))
    return records, list(links.values())


def _standing_links(links: Iterable[PatientLink]) -> list[PatientLink]:
    """For each pair the latest word, unless it undoes the join; in the order said."""
    latest: dict[tuple[int, int], PatientLink] = {}
    for link in sorted(links, key=lambda x: stamp(x.sent_at, x.key)):
        pair = (min(link.old_id, link.new_id), max(link.old_id, link.new_id))
        latest[pair] = link
    return [link for link in latest.values() if not link.undone]


def _merge_targets(links: Iterable[PatientLink]) -> dict[int, int]:
    """Whose details count for each merged record. Of a circle of merges the oldest falls."""
    latest: dict[int, tuple[str, int]] = {}
    for link in _standing_links(links):
        mark = stamp(link.sent_at, link.key)
        if link.survivor and mark > latest.get(link.old_id, ("", 0))[0]:
            latest[link.old_id] = (mark, link.new_id)
    return without_circles(latest)


def _components(records: Iterable[int], neighbours: Mapping[int, set[int]]) -> Iterable[set[int]]:
    left = set(records)
    while left:
        group: set[int] = set()
        edge = {min(left)}
        while edge:
            group |= edge
            edge = {n for pk in edge for n in neighbours.get(pk, ())} - group
        left -= group
        yield group
