"""People, the numbers they are known by, and their stays.

A `Patient` is one record of a person, under one identifier of one issuing authority. Records
of the same person are joined by links (merges) and by an equal NHS number, never by rewriting
them, so that every join can be undone: `person` names the group, `merged_into` the record
whose details count.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Organisation


@pghistory.track()
class Patient(models.Model):
    """One record of a person. Details are last-write-wins by the source's own time: `stamps`."""

    class Sex(models.TextChoices):
        FEMALE = "female"
        MALE = "male"
        OTHER = "other"
        UNKNOWN = "unknown"

    authority = models.CharField(max_length=100)
    identifier = models.CharField(max_length=100)
    nhs_number = models.CharField(max_length=10, blank=True, default="")
    family_name = models.CharField(max_length=200, blank=True, default="")
    given_name = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=60, blank=True, default="")
    date_of_birth = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.UNKNOWN)
    postcode = models.CharField(max_length=20, blank=True, default="")
    gp_practice = models.CharField(max_length=100, blank=True, default="")
    died_at = models.DateTimeField(null=True, blank=True)
    is_deleted = models.BooleanField(default=False)
    is_restricted = models.BooleanField(default=False)
    stamps = models.JSONField(default=dict, blank=True)
    person = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="records")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_records"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "identifier"], name="patient_identifier"),
            models.CheckConstraint(
                condition=Q(nhs_number="") | Q(nhs_number__regex=r"^[0-9]{10}$"),
                name="nhs_number_ten_digits",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
                name="patient_not_merged_into_itself",
            ),
        ]
        indexes = [
            models.Index(fields=["nhs_number"], condition=~Q(nhs_number=""), name="patient_nhs"),
            models.Index(fields=["family_name", "given_name"], name="patient_name"),
            models.Index(fields=["identifier"], name="patient_identifier_value"),
        ]

    def __str__(self) -> str:
        # Never the name: this text reaches logs.
        return f"patient {self.pk}"

    @property
    def display_name(self) -> str:
        """FAMILY, Given as shown on a board to somebody who may see it."""
        return ", ".join(x for x in (self.family_name.upper(), self.given_name) if x)

    @property
    def initials(self) -> str:
        """Initials in the order given, family."""
        return "".join(x[0].upper() for x in (self.given_name, self.family_name) if x)


@pghistory.track()
class PatientIdentifier(models.Model):
    """Another number the same record is known by."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    authority = models.CharField(max_length=100)
    value = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "authority", "value", "kind"], name="identifier_once"
            )
        ]
        indexes = [models.Index(fields=["value"], name="identifier_value")]

    def __str__(self) -> str:
        return f"identifier {self.pk}"


@pghistory.track()
class PatientLink(models.Model):
    """A recorded fact: record `old` and record `new` are the same person.

    With `survivor`, `new` is the one whose details count (a merge); without, both stand.
    A later fact with `undone` takes the join back.
    """

    old = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="links_out")
    new = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="links_in")
    survivor = models.BooleanField(default=True)
    undone = models.BooleanField(default=False)
    sent_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)
    by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="patient_link_once"),
            models.CheckConstraint(condition=~Q(old=F("new")), name="patient_link_two_records"),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"


@pghistory.track()
class Visit(models.Model):
    """The name under which a source speaks of a stay, usually a visit number.

    A source that sends no visit numbers has one nameless visit for each patient record. The
    episodes of a visit follow from its movements: one as a rule, more when the number is used
    again after a discharge.
    """

    authority = models.CharField(max_length=100)
    number = models.CharField(max_length=100, blank=True, default="")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visits")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_visits"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authority", "number"], condition=~Q(number=""), name="visit_number"
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(number=""), name="one_nameless_visit"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
                name="visit_not_merged_into_itself",
            ),
        ]
        indexes = [models.Index(fields=["number"], name="visit_number_value")]

    def __str__(self) -> str:
        return f"visit {self.pk}"


class EpisodeQuerySet(models.QuerySet["Episode"]):
    """Sets of stays."""

    def present(self, *, at: datetime) -> EpisodeQuerySet:
        """Those in hospital at `at`, on leave or not, as their movements are known now."""
        return self.filter(Episode.of_status(Episode.PRESENT, at=at))


@pghistory.track()
class Episode(models.Model):
    """One continuous stay with one provider (an NHS provider spell), admission to discharge.

    Everything here but `visit` is a projection of the visit's movements; see
    `wards/projection.py`. `admitted_at` and `discharged_at` are the source's own times; a source
    may give them ahead, so that `status` is to be read by the clock: `status_at`.
    """

    class Status(models.TextChoices):
        EXPECTED = "expected"
        IN_HOSPITAL = "in_hospital"
        ON_LEAVE = "on_leave"
        DISCHARGED = "discharged"
        CANCELLED = "cancelled"

    PRESENT: Final = (Status.IN_HOSPITAL, Status.ON_LEAVE)

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="episodes")
    ordinal = models.PositiveSmallIntegerField(default=0)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="episodes")
    provider = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="episodes"
    )
    status = models.CharField(max_length=12, choices=Status)
    admitted_at = models.DateTimeField(null=True, blank=True)
    discharged_at = models.DateTimeField(null=True, blank=True)
    expected_at = models.DateTimeField(null=True, blank=True)
    expected_discharge_at = models.DateTimeField(null=True, blank=True)
    patient_class = models.CharField(max_length=20, blank=True, default="")
    specialty = models.CharField(max_length=60, blank=True, default="")
    admission_method = models.CharField(max_length=60, blank=True, default="")
    consultant = models.CharField(max_length=200, blank=True, default="")
    discharge_destination = models.CharField(max_length=100, blank=True, default="")
    flags = ArrayField(models.CharField(max_length=30), default=list, blank=True)

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "ordinal"],
                name="episode_in_visit",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(status="expected")
                | Q(status="cancelled")
                | Q(admitted_at__isnull=False),
                name="episode_in_hospital_has_admission",
            ),
            models.CheckConstraint(
                condition=~Q(status="discharged") | Q(discharged_at__isnull=False),
                name="episode_discharged_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="discharged") | Q(discharged_at__isnull=True),
                name="episode_open_has_no_discharge",
            ),
        ]
        indexes = [
            models.Index(fields=["patient"], name="episode_patient"),
            models.Index(
                fields=["status"],
                condition=~Q(status__in=["discharged", "cancelled"]),
                name="episode_open",
            ),
            models.Index(fields=["discharged_at"], name="episode_discharged"),
        ]

    def __str__(self) -> str:
        return f"episode {self.pk}"

    def status_at(self, at: datetime) -> str:
        """The status by the clock: until it has come, a discharge or an admission dated ahead is
        but expected."""
        if self.status in (self.Status.EXPECTED, self.Status.CANCELLED):
            return self.status
        if self.admitted_at is not None and self.admitted_at > at:
            return self.Status.EXPECTED
        if self.discharged_at is not None and self.discharged_at > at:
            return self.Status.IN_HOSPITAL
        return self.status

    @classmethod
    def of_status(cls, statuses: Collection[str], *, at: datetime) -> Q:
        """The condition for one of these statuses at `at`, by the clock as in `status_at`."""
        planned = Q(status__in={cls.Status.EXPECTED, cls.Status.CANCELLED} & set(statuses))
        begun = ~Q(status__in=(cls.Status.EXPECTED, cls.Status.CANCELLED))
        ahead, staying = Q(admitted_at__gt=at), Q(discharged_at__gt=at)
        found = planned
        if cls.Status.EXPECTED in statuses:
            found |= begun & ahead
        if cls.Status.IN_HOSPITAL in statuses:
            found |= begun & ~ahead & (staying | Q(status=cls.Status.IN_HOSPITAL))
        if cls.Status.ON_LEAVE in statuses:
            found |= ~ahead & Q(status=cls.Status.ON_LEAVE)
        if cls.Status.DISCHARGED in statuses:
            found |= Q(status=cls.Status.DISCHARGED, discharged_at__lte=at)
        return found
