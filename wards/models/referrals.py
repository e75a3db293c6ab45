"""Asking for a place after hospital, and what was answered."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from patients.models import Code, Episode
from wards.models.places import Ward
from wards.models.stays import Movement


@pghistory.track()
class Referral(models.Model):
    """One place, or one body, asked to take a patient on after hospital.

    `organisation` was asked; `ward` is the place with capacity, where it is one of ours. `period`
    runs from when they were asked until the matter was over. `starts_at` is when they said that
    they can take the patient. `due_at` is until when an answer is wanted. The present state of
    its steps, which are never edited.
    """

    class Kind(models.TextChoices):
        COMMUNITY = "community", _("Community bed")
        VIRTUAL = "virtual", _("Virtual ward place")
        REABLEMENT = "reablement", _("Reablement at home")
        CARE_HOME = "care_home", _("Care home place")
        REPATRIATION = "repatriation", _("Back to the hospital of their area")
        OUT_OF_AREA = "out_of_area", _("Place out of area")

    class Status(models.TextChoices):
        ASKED = "asked", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        PLACED = "placed", _("There")

    OPEN = (Status.ASKED, Status.ACCEPTED)

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="referrals")
    kind = models.CharField(max_length=12, choices=Kind)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="referrals"
    )
    ward = models.ForeignKey(
        Ward, null=True, blank=True, on_delete=models.PROTECT, related_name="referrals"
    )
    pathway = models.PositiveSmallIntegerField(null=True, blank=True)
    needs = models.CharField(max_length=500, blank=True, default="")
    period = DateTimeRangeField()
    due_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ASKED)
    starts_at = models.DateTimeField(null=True, blank=True)
    reason = models.ForeignKey(
        Code, null=True, blank=True, on_delete=models.PROTECT, related_name="referrals"
    )
    movement = models.ForeignKey(
        Movement, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="referral_once"),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="referral_period",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "accepted"], period__upper_inf=True)
                | (~Q(status__in=["asked", "accepted"]) & Q(period__upper_inf=False)),
                name="referral_ends_with_its_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | Q(starts_at__isnull=False),
                name="referral_accepted_has_a_start",
            ),
            models.CheckConstraint(
                condition=~Q(status="declined") | Q(reason__isnull=False),
                name="referral_declined_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(pathway__isnull=True) | Q(pathway__lte=3),
                name="referral_pathway_0_to_3",
            ),
            models.UniqueConstraint(
                fields=["episode", "organisation", "ward"],
                condition=Q(status__in=["asked", "accepted"]),
                nulls_distinct=False,
                name="one_open_referral_to_a_place",
                violation_error_message=_("They have been asked for this patient already."),
            ),
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(status="accepted"),
                name="one_accepted_referral",
                violation_error_message=_("Another place has accepted this patient."),
            ),
        ]
        indexes = [GistIndex(fields=["period"], name="referral_when")]

    def __str__(self) -> str:
        return f"referral {self.pk}"


class ReferralStep(models.Model):
    """Something that happened to a referral. Never edited, never deleted."""

    class Kind(models.TextChoices):
        ASKED = "asked", _("Asked")
        ACCEPTED = "accepted", _("Accepted")
        RESCHEDULED = "rescheduled", _("New start")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        PLACED = "placed", _("There")

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(null=True)
    reason = models.ForeignKey(Code, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["referral", "occurred_at"], name="referral_step_order")]
        triggers = [
            pgtrigger.Protect(
                name="referral_steps_are_facts", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
