"""Fills an empty database for the measurement of the API; prints a token."""

from __future__ import annotations

from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Organisation, User  # noqa: E402
from accounts.roles import Role  # noqa: E402
from accounts.tokens import TokenScope, issue  # noqa: E402
from flow import census  # noqa: E402
from patients.models import Episode, Patient, Visit  # noqa: E402
from wards.models import Bed, Grant, Occupancy, Site, Ward  # noqa: E402


def fill() -> str:
    """Forty wards of 25 beds and one of 1,000, nineteen in twenty of them taken."""
    owner = Organisation.objects.create(code="RBM", name="Bench", kind="trust")
    site = Site.objects.create(code="BENCH", name="Bench", organisation=owner)
    wards = [
        Ward(site=site, code=f"W{number:02}", name=f"Ward {number}", position=number)
        for number in range(1, 41)
    ]
    wards.append(Ward(site=site, code="BIG", name="One ward of 1,000 beds", position=99))
    Ward.objects.bulk_create(wards)
    beds = Bed.objects.bulk_create(
        Bed(ward=ward, label=str(number), position=number)
        for ward in wards
        for number in range(1, 1001 if ward.code == "BIG" else 26)
    )
    taken = [bed for number, bed in enumerate(beds) if number % 20]
    start = timezone.now() - timedelta(days=3)
    patients = Patient.objects.bulk_create(
        Patient(
            authority="RBM",
            identifier=f"M{number:06}",
            nhs_number=f"999{number:07}",
            family_name=f"Family{number}",
            given_name="Given",
        )
        for number in range(len(taken))
    )
    for patient in patients:
        patient.person = patient
    Patient.objects.bulk_update(patients, ["person"], batch_size=500)
    visits = Visit.objects.bulk_create(
        Visit(authority="RBM", number=f"V{number:06}", patient=patient)
        for number, patient in enumerate(patients)
    )
    episodes = Episode.objects.bulk_create(
        Episode(visit=visit, patient=visit.patient, status="in_hospital", admitted_at=start)
        for visit in visits
    )
    Occupancy.objects.bulk_create(
        Occupancy(
            episode=episode,
            person=episode.patient,
            ward=bed.ward,
            bed=bed,
            wanted_bed=bed,
            period=DateTimeTZRange(start, None),
            claim_start=start,
            claim_key=str(bed.pk),
        )
        for bed, episode in zip(taken, episodes, strict=True)
    )
    user = User.objects.create_user("bench")
    Grant.objects.create(user=user, role=Role.BED_MANAGER, everywhere=True)
    scopes = [scope for scope in TokenScope if scope.endswith(":read")]
    return issue(user, "bench", scopes)[1]


call_command("migrate", verbosity=0)
SECRET = fill()
census.confirm_all()
print(SECRET)
