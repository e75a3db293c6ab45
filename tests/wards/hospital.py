"""A ward or two to move people about in, and what the database says of them afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.models import Organisation
from patients.models import Episode, Patient, PatientIdentifier
from wards.facts import Place
from wards.models import Bay, Bed, BedRequest, Occupancy, Site, Ward

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=number)


@dataclass(frozen=True)
class Hospital:
    """Primary keys of the wards and beds."""

    wards: list[int]
    beds: list[Place]

    def ward(self, number: int) -> Place:
        """A ward without a bed."""
        return Place(self.wards[number])


def build(wards: int = 2, beds: int = 3) -> Hospital:
    """`wards` wards of `beds` beds each."""
    organisation = Organisation.objects.create(code="RXX", name="Test trust", kind="trust")
    site = Site.objects.create(code="TST", name="Test hospital", organisation=organisation)
    made: list[int] = []
    places: list[Place] = []
    for number in range(wards):
        ward = Ward.objects.create(site=site, code=f"W{number}", name=f"Ward {number}")
        bay = Bay.objects.create(ward=ward, code="A")
        made.append(ward.pk)
        for label in range(beds):
            bed = Bed.objects.create(ward=ward, bay=bay, label=str(label + 1), position=label)
            places.append(Place(ward.pk, bay.pk, bed.pk))
    return Hospital(made, places)


def whereabouts() -> list[tuple[object, ...]]:
    """Every occupancy by content: visit, ward, bed, wanted bed, start, end, on leave."""
    rows = Occupancy.objects.values_list(
        "episode__visit__number",
        "episode__patient__identifier",
        "ward_id",
        "bed_id",
        "wanted_bed_id",
        "period",
        "on_leave",
        "inferred",
    )
    return sorted(((*row[:5], row[5].lower, row[5].upper, *row[6:]) for row in rows), key=repr)


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All that is projected, by content and without primary keys."""
    episodes = Episode.objects.values_list(
        "visit__number",
        "visit__authority",
        "ordinal",
        "patient__identifier",
        "status",
        "admitted_at",
        "discharged_at",
        "expected_at",
        "expected_discharge_at",
        "patient_class",
        "specialty",
        "consultant",
        "discharge_destination",
        "flags",
    )
    people = Patient.objects.values_list(
        "identifier",
        "nhs_number",
        "family_name",
        "given_name",
        "date_of_birth",
        "sex",
        "died_at",
        "is_deleted",
        "merged_into__identifier",
    )
    groups: dict[int, set[str]] = {}
    for person, identifier in Patient.objects.values_list("person_id", "identifier"):
        groups.setdefault(person, set()).add(identifier)
    requests = BedRequest.objects.values_list(
        "episode__visit__number", "kind", "from_ward_id", "ward_id", "period", "key"
    )
    identifiers = PatientIdentifier.objects.values_list(
        "patient__identifier", "authority", "value", "kind"
    )
    return {
        "occupancies": whereabouts(),
        "episodes": sorted(episodes, key=repr),
        "people": sorted(people, key=repr),
        "groups": sorted((tuple(sorted(g)) for g in groups.values()), key=repr),
        "requests": sorted(requests, key=repr),
        "identifiers": sorted(identifiers, key=repr),
    }
