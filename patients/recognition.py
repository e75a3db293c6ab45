"""Whether somebody is known already, and whether what is said of them agrees with that.

People are recognised by their hospital number within the authority that gave it, and by their
NHS number across all records. Names are compared as people say them: without regard to case,
accents, spaces and hyphens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from patients.comparing import comparable
from patients.identity import lock_people
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient, PatientIdentifier, Visit

DECISIVE: Final = ("nhs_number", "family_name", "date_of_birth")
"""What must not differ where it is both said and known."""
PROVING: Final = ("family_name", "date_of_birth")
"""What somebody must say, and rightly, who may not see the person otherwise."""

# HL7 table 0203: numbers that name a patient within a hospital (record, internal, person).
_LOCAL_KINDS: Final = ("", "MR", "MRN", "MRT", "PI", "PN", "PT")


@dataclass(frozen=True, slots=True)
class Person:
    """All records of one person, as locked. `named`: the one under the number that was said."""

    root: int
    records: tuple[Patient, ...]
    named: Patient | None = None

    @property
    def main(self) -> Patient:
        """The record whose details count, of the one named or of the first."""
        by_key = {record.pk: record for record in self.records}
        found = self.named or self.records[0]
        seen = {found.pk}
        while (target := found.merged_into_id) and target in by_key and target not in seen:
            found = by_key[target]
            seen.add(target)
        return found

    @property
    def is_restricted(self) -> bool:
        """Whether any record of theirs is kept from view."""
        return any(record.is_restricted for record in self.records)

    @property
    def nhs_numbers(self) -> set[str]:
        """The NHS numbers they are known by."""
        return {record.nhs_number for record in self.records} - {""}

    def known(self, name: str) -> set[object]:
        """The values known of a detail, in the form in which they are compared."""
        values = {comparable(getattr(record, name)) for record in self.records}
        return values - {"", None, Patient.Sex.UNKNOWN.value}

    def differs(self, details: Details, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the details that are said and known, and not the same."""
        return tuple(
            name
            for name in names
            if (said := comparable(details.values.get(name)))
            and (known := self.known(name))
            and said not in known
        )

    def is_proven_by(self, details: Details) -> bool:
        """Whether family name and date of birth are both said, and both as known."""
        return all(
            (said := comparable(details.values.get(name))) and said in self.known(name)
            for name in PROVING
        )


@dataclass(frozen=True, slots=True)
class Found:
    """Who may be meant: by the hospital number, and by the NHS number. `fresh`: the record made
    under a hospital number of which nothing had been heard."""

    by_number: tuple[Person, ...] = ()
    by_nhs: tuple[Person, ...] = ()
    fresh: Patient | None = None


def wait_for(nhs_number: str) -> None:
    """Let two who bring in one NHS number follow each other; held to the end of the transaction.

    A number that no record has yet has no row to lock.
    """
    _wait(nhs_number)


def wait_for_namesakes(details: Details) -> None:
    """The same for two who bring in somebody new of one family name and date of birth, so that
    the second finds whom the first has made; nobody waits unless both are said. To be asked after
    `wait_for`: whoever waits here holds what others may wait for there."""
    born, family = (
        details.values.get("date_of_birth"),
        comparable(details.values.get("family_name")),
    )
    if isinstance(born, date) and family:
        _wait(f"named {family} {born.isoformat()}")


def _wait(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def named(key: PersonKey) -> set[int]:
    """The records that a hospital number names: as written, in capitals, or as another number."""
    spellings = {key.value, key.value.upper()}
    rows = Patient.objects.filter(authority=key.authority, identifier__in=spellings)
    found = dict(rows.values_list("identifier", "pk"))
    if found:
        return {found.get(key.value) or next(iter(found.values()))}
    others = PatientIdentifier.objects.filter(
        authority=key.authority, value__in=spellings, kind__in=_LOCAL_KINDS
    )
    return set(others.values_list("patient_id", flat=True))


def with_nhs_number(number: str) -> set[int]:
    """The records under an NHS number, in whichever organisation."""
    rows = Patient.objects.filter(nhs_number=number, is_deleted=False)
    return set(rows.values_list("pk", flat=True))


def people(by_number: Collection[int], by_nhs: Collection[int]) -> Found:
    """Lock the people of these records and say who they are, as they now stand.

    A record of which nobody has said anything is nobody known.
    """
    locked = lock_people([*by_number, *by_nhs])
    heard_of = set(
        Visit.objects.filter(patient__in=list(locked)).values_list("patient_id", flat=True)
    )
    groups: dict[int, list[Patient]] = defaultdict(list)
    for pk in sorted(locked):
        groups[locked[pk].person_id or pk].append(locked[pk])
    empty = {
        root
        for root, records in groups.items()
        if len(records) == 1 and not records[0].stamps and records[0].pk not in heard_of
    }

    def of(records: Collection[int]) -> tuple[Person, ...]:
        roots = {locked[pk].person_id or pk: locked[pk] for pk in sorted(records)}
        return tuple(
            Person(root, tuple(groups[root]), record if records is by_number else None)
            for root, record in roots.items()
            if root not in empty
        )

    fresh = [locked[pk] for pk in by_number if (locked[pk].person_id or pk) in empty]
    return Found(of(by_number), of(by_nhs), fresh[0] if fresh else None)


def namesakes(details: Details, *, among: QuerySet[Episode]) -> tuple[Person, ...]:
    """Who has one of these stays under the family name and date of birth that are said, and not
    under another given name or NHS number; nobody unless both are said. Nobody is locked."""
    born = details.values.get("date_of_birth")
    if not isinstance(born, date) or not comparable(details.values.get("family_name")):
        return ()
    theirs = among.filter(patient__person__records__date_of_birth=born)
    groups: dict[int, list[Patient]] = defaultdict(list)
    roots = theirs.values("patient__person")
    for record in Patient.objects.filter(person__in=roots, is_deleted=False).order_by("pk"):
        groups[record.person_id or record.pk].append(record)
    found = (Person(root, tuple(records)) for root, records in groups.items())
    decisive = (*DECISIVE, "given_name")
    return tuple(p for p in found if p.is_proven_by(details) and not p.differs(details, decisive))


def additions(person: Person, details: Details) -> Details:
    """What is said and not known yet: nothing that is known is ever said anew."""
    return Details(
        {
            name: value
            for name, value in details.values.items()
            if value is not None and not person.known(name)
        }
    )


def carried_over(person: Person, details: Details) -> Details:
    """What a further record of a known person begins with: what is known, then what is said."""
    main = person.main
    names = ("nhs_number", "family_name", "given_name", "date_of_birth")
    values: dict[str, str | date | bool | None] = {
        name: known for name in names if (known := getattr(main, name))
    }
    if main.sex != Patient.Sex.UNKNOWN:
        values["sex"] = main.sex
    if person.is_restricted:
        values["is_restricted"] = True
    return Details({**additions(person, details).values, **values})
