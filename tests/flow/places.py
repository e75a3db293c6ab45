"""Places and patients for the tests of the boards, made row by row without any deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import Organisation
from patients.models import Episode, Patient, Visit
from wards.models import Bay, Bed, BedRequest, Movement, Occupancy, Site, Ward

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""A Monday morning on which the tests' hospitals begin."""

HOUR = timedelta(hours=1)
_numbers = count(1)


def span(start: datetime, end: datetime | None = None) -> DateTimeTZRange:
    """`[start, end)`; without an end it lasts."""
    return DateTimeTZRange(start, end)


def make_organisation(code: str = "", *, parent: Organisation | None = None) -> Organisation:
    number = next(_numbers)
    return Organisation.objects.create(
        code=code or f"Q{number}", name=f"Trust {number}", kind="trust", parent=parent
    )


def make_site(
    code: str = "", *, organisation: Organisation | None = None, kind: str = "acute"
) -> Site:
    number = next(_numbers)
    return Site.objects.create(
        code=code or f"S{number}",
        name=f"Hospital {number:07}",
        kind=kind,
        organisation=organisation or make_organisation(),
    )


def make_ward(
    site: Site, code: str = "", *, kind: str = "inpatient", beds: int = 0, specialty: str = ""
) -> Ward:
    """A ward with one bay "A" that holds `beds` beds, labelled from 1."""
    number = next(_numbers)
    ward = Ward.objects.create(
        site=site,
        code=code or f"W{number}",
        name=f"Ward {number:07}",
        kind=kind,
        specialty=specialty,
    )
    if beds:
        bay = Bay.objects.create(ward=ward, code="A", name="Bay A")
        Bed.objects.bulk_create(
            Bed(ward=ward, bay=bay, label=str(n), position=n) for n in range(1, beds + 1)
        )
    return ward


def make_episode(
    *,
    admitted_at: datetime | None = START,
    discharged_at: datetime | None = None,
    status: str = "",
    patient: Patient | None = None,
    **details: object,
) -> Episode:
    """A stay of a new person (or of `patient`) under a visit number of its own."""
    number = next(_numbers)
    if patient is None:
        patient = Patient.objects.create(
            authority="RT1",
            identifier=f"M{number:06}",
            nhs_number=f"9999{number:06}",  # tests/screens/hospital.py counts on from 9990
            family_name=f"Family{number}",
            given_name="Given",
            date_of_birth=date(1950, 1, 1),
            sex="female",
        )
        Patient.objects.filter(pk=patient.pk).update(person=patient)
        patient.person = patient
    visit = Visit.objects.create(authority="RT1", number=f"S{number:06}", patient=patient)
    if not status:
        status = "discharged" if discharged_at else "in_hospital" if admitted_at else "expected"
    return Episode.objects.create(
        visit=visit,
        patient=patient,
        status=status,
        admitted_at=admitted_at,
        discharged_at=discharged_at,
        **details,
    )


def put(
    ward: Ward,
    bed: Bed | None = None,
    *,
    start: datetime = START,
    end: datetime | None = None,
    episode: Episode | None = None,
    wanted: Bed | None = None,
    on_leave: bool = False,
) -> Occupancy:
    """Somebody is on the ward, in the bed if one is given, from `start` until `end`."""
    episode = episode or make_episode(admitted_at=start, discharged_at=end)
    return Occupancy.objects.create(
        episode=episode,
        person=episode.patient.person or episode.patient,
        ward=ward,
        bay=bed.bay if bed else None,
        bed=bed,
        wanted_bed=bed or wanted,
        period=span(start, end),
        claim_start=start,
        claim_key=f"k{next(_numbers)}",
        on_leave=on_leave,
    )


def ask(
    episode: Episode,
    kind: str = "admit",
    *,
    origin: Ward | None = None,
    target: Ward | None = None,
    since: datetime = START,
    until: datetime | None = None,
) -> BedRequest:
    """The stay waits for a bed, or to leave."""
    return BedRequest.objects.create(
        episode=episode,
        kind=kind,
        from_ward=origin,
        ward=target,
        period=span(since, until),
        key=f"r{next(_numbers)}",
    )


def beds_of(ward: Ward) -> Sequence[Bed]:
    return list(Bed.objects.filter(ward=ward).select_related("bay").order_by("position", "label"))


def records_begin(ward: Ward, *, at: datetime = START - 10 * HOUR, left: bool = True) -> Visit:
    """The first that was told of the ward: somebody came and, an hour later, left. Facts alone,
    from which nothing was projected."""
    number = next(_numbers)
    patient = Patient.objects.create(authority="RT1", identifier=f"B{number:06}")
    Patient.objects.filter(pk=patient.pk).update(person=patient)
    visit = Visit.objects.create(authority="RT1", number=f"B{number:06}", patient=patient)
    for kind, when in (("admitted", at), ("discharged", at + HOUR))[: 1 + left]:
        Movement.objects.create(
            visit=visit,
            patient=patient,
            kind=kind,
            occurred_at=when,
            sent_at=when,
            source="test",
            key=f"{kind} {number}",
            ward=ward,
        )
    return visit


@dataclass
class Hospital:
    """A site with an emergency department, two wards and, elsewhere, a community hospital."""

    site: Site = field(default_factory=make_site)

    def __post_init__(self) -> None:
        self.emergency = make_ward(self.site, kind="emergency", beds=4)
        self.ward = make_ward(self.site, beds=6, specialty="respiratory")
        self.other = make_ward(self.site, beds=6)
        self.community_site = make_site(kind="community")
        self.community = make_ward(self.community_site, kind="community", beds=4)
