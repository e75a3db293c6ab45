"""What somebody needs of a bed, as those who look after them say."""

from __future__ import annotations

from typing import Final

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from patients.models.people import Episode


class CareNeeds(models.Model):
    """All that is known at a moment of what a patient needs of a bed. Never edited: the latest
    says how it stands.

    `acuity`: level of care 0 to 3 (Levels of Adult Critical Care, Intensive Care Society);
    null: not said. `infections`: short names of organisms or conditions, so that those of one
    may share a bay. `requires`: features that the bed must have (`wards.models.Bed.Feature`).
    `corridor_groups`: why they must never be cared for in a corridor.
    """

    class Isolation(models.TextChoices):
        NONE = "", _("No isolation")
        SIDE_ROOM = "side_room", _("Side room")
        NEGATIVE_PRESSURE = "negative_pressure", _("Negative-pressure room")

    class Require(models.TextChoices):
        """Features of `wards.models.Bed.Feature` that somebody may need."""

        OXYGEN = "oxygen", _("Piped oxygen")
        TELEMETRY = "telemetry", _("Telemetry")
        BARIATRIC = "bariatric", _("Bariatric bed")
        HIGH_VISIBILITY = "high_visibility", _("High visibility")
        SPECIALIST_MATTRESS = "specialist_mattress", _("Specialist mattress")
        VENTILATOR = "ventilator", _("Ventilator")
        ENSUITE = "ensuite", _("En suite")

    FLAGS: Final = (
        "not_alone",
        "falls_risk",
        "wanders",
        "immunosuppressed",
        "end_of_life",
    )

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="care_needs")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    isolation = models.CharField(max_length=20, choices=Isolation, blank=True, default="")
    infections = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    requires = ArrayField(
        models.CharField(max_length=30, choices=Require), default=list, blank=True
    )
    not_alone = models.BooleanField(default=False)
    falls_risk = models.BooleanField(default=False)
    wanders = models.BooleanField(default=False)
    immunosuppressed = models.BooleanField(default=False)
    end_of_life = models.BooleanField(default=False)
    acuity = models.PositiveSmallIntegerField(null=True, blank=True)
    corridor_groups = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    class Meta:
        verbose_name_plural = "care needs"
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="care_needs_once"),
            models.CheckConstraint(
                condition=Q(acuity__isnull=True) | Q(acuity__lte=3), name="care_needs_acuity_0_to_3"
            ),
        ]
        indexes = [
            models.Index(fields=["episode", "-occurred_at", "-id"], name="care_needs_of_episode")
        ]
        triggers = [
            pgtrigger.Protect(
                name="care_needs_are_facts",
                # The episode may change: when visits are merged, what was said goes with it.
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "occurred_at", "recorded_at", "source", "key", "by_id", "isolation",
                    "infections", "requires", "not_alone", "falls_risk", "wanders",
                    "immunosuppressed", "end_of_life", "acuity", "corridor_groups",
                ) | pgtrigger.Delete,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"care needs {self.pk}"
