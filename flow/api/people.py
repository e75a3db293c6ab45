"""From the numbers a caller knows to the records and visits they name."""

from __future__ import annotations

from django.db.models import Q

from patients.models import Patient, Visit


def visits_named(number: str) -> set[int]:
    """The visits of this number and those they were merged into; a query for each step."""
    found = dict(Visit.objects.filter(number=number).values_list("pk", "merged_into"))
    seen: set[int] = set()
    while found:
        seen |= set(found)
        ahead = {into for into in found.values() if into is not None} - seen
        if not ahead:
            break
        found = dict(Visit.objects.filter(pk__in=ahead).values_list("pk", "merged_into"))
    return seen


def records_of_mrn(number: str) -> set[int]:
    """The records that carry this local number, and those merged with them; two queries.

    Records of one person that were not merged (another hospital's, joined by the NHS number
    alone) are not among them: their numbers are others.
    """
    named = Patient.objects.filter(Q(identifier=number) | Q(identifiers__value=number))
    rows = list(named.values_list("pk", "person"))
    if not rows:
        return set()
    group = Patient.objects.filter(person__in={person for _, person in rows})
    into = dict(group.values_list("pk", "merged_into"))
    wanted = {_survivor(pk, into) for pk, _ in rows}
    return {pk for pk, _ in rows} | {pk for pk in into if _survivor(pk, into) in wanted}


def records_of_nhs_number(number: str) -> set[int]:
    """All records of the people with this NHS number, spaces or not; one query."""
    digits = "".join(number.split())
    people = Patient.objects.filter(nhs_number=digits).exclude(nhs_number="")
    return set(
        Patient.objects.filter(person__in=people.values("person")).values_list("pk", flat=True)
    )


def _survivor(pk: int, into: dict[int, int | None]) -> int:
    """The record whose details count in the end."""
    seen = {pk}
    while (following := into.get(pk)) is not None and following not in seen:
        pk = following
        seen.add(pk)
    return pk
