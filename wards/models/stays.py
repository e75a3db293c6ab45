"""Movements as they were told to us, and what they add up to."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from patients.models import Episode, Patient, Visit
from wards.facts import MovementKind
from wards.models.places import Bay, Bed, Ward, id_range


class Movement(models.Model):
    """A recorded fact about a visit. Never edited, never deleted; another movement cancels it.

    `patient` is the record that the source named. `occurred_at` is when it happened, `sent_at`
    when the source said so (the order in which the source corrected itself), `recorded_at` when
    we learnt it: for history loaded later, which was known at the time, when it was sent.
    `alias`: another number by which the source knows the visit.
    """

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="movements")
    alias_authority = models.CharField(max_length=100, blank=True, default="")
    alias_number = models.CharField(max_length=100, blank=True, default="")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    into_visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30, choices=[(k.value, k.value) for k in MovementKind])
    occurred_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)
    reference = models.CharField(max_length=100, blank=True, default="")
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    bay = models.ForeignKey(Bay, null=True, on_delete=models.PROTECT, related_name="+")
    bed = models.ForeignKey(Bed, null=True, on_delete=models.PROTECT, related_name="+")
    from_ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    from_bay = models.ForeignKey(Bay, null=True, on_delete=models.PROTECT, related_name="+")
    from_bed = models.ForeignKey(Bed, null=True, on_delete=models.PROTECT, related_name="+")
    wanted_ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    admitted_at = models.DateTimeField(null=True)
    discharged_at = models.DateTimeField(null=True)
    cancels = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    stay = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="movement_once"),
        ]
        indexes = [
            models.Index(fields=["occurred_at"], name="movement_occurred"),
            models.Index(fields=["recorded_at"], name="movement_recorded"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="movements_are_facts", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Belonging(models.Model):
    """The visit that a movement counts for which was said without its number.

    A projection of movements; see `wards/unnumbered.py`. Movements without a row count for the
    visit that they name.
    """

    movement = models.OneToOneField(
        Movement, primary_key=True, on_delete=models.PROTECT, related_name="belonging"
    )
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="belongings")

    def __str__(self) -> str:
        return f"movement {self.movement_id} of visit {self.visit_id}"


@pghistory.track()
class Occupancy(models.Model):
    """The half-open period that one episode spent in one ward and, where known, one bed.

    A projection of movements. `wanted_bed` is the bed the source named; it differs from `bed`
    only while somebody else holds that bed (a clash): then `bed` is empty and the patient is
    shown on the ward without one.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="occupancies")
    person = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="occupancies")
    bay = models.ForeignKey(Bay, null=True, on_delete=models.PROTECT, related_name="+")
    bed = models.ForeignKey(Bed, null=True, on_delete=models.PROTECT, related_name="occupancies")
    wanted_bed = models.ForeignKey(Bed, null=True, on_delete=models.PROTECT, related_name="claims")
    period = DateTimeRangeField()
    claim_start = models.DateTimeField()
    claim_key = models.CharField(max_length=64)
    on_leave = models.BooleanField(default=False)
    inferred = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="occupancy_period",
            ),
            models.CheckConstraint(
                condition=Q(bed__isnull=True) | Q(wanted_bed=models.F("bed")),
                name="occupancy_bed_was_wanted",
            ),
            ExclusionConstraint(
                name="one_patient_per_bed",
                expressions=[(id_range("bed_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
                condition=Q(bed__isnull=False),
                violation_error_message=_("That bed is taken for part of this period."),
            ),
            ExclusionConstraint(
                name="one_place_per_patient",
                expressions=[(id_range("person_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
                violation_error_message=_("The patient is somewhere else for part of this period."),
            ),
        ]
        indexes = [GistIndex(fields=["period"], name="occupancy_when")]

    def __str__(self) -> str:
        return f"occupancy {self.pk}"


@pghistory.track()
class BedRequest(models.Model):
    """A need for a bed: an episode waiting to be admitted, moved or to leave for another place.

    Projected from pending movements. `period` runs from the request until it was met or dropped.
    """

    class Kind(models.TextChoices):
        ADMIT = "admit", _("Waiting for admission")
        TRANSFER = "transfer", _("Waiting for transfer")
        DISCHARGE = "discharge", _("Discharge pending")
        EXPECTED = "expected", _("Expected")

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="bed_requests")
    kind = models.CharField(max_length=10, choices=Kind)
    from_ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    period = DateTimeRangeField()
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="bed_request_period",
            ),
            models.UniqueConstraint(fields=["episode", "key"], name="bed_request_once"),
        ]
        indexes = [GistIndex(fields=["period"], name="bed_request_when")]

    def __str__(self) -> str:
        return f"bed request {self.pk}"


class DirtyWard(models.Model):
    """A note that a ward's figures must be counted again. Inserted with the change itself, so
    that losing Redis or a worker loses nothing; many notes for one ward are one count."""

    ward = models.ForeignKey(Ward, on_delete=models.CASCADE, related_name="+")
    marked_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"dirty ward {self.ward_id}"
