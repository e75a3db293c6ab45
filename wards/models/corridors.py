"""Who signed off that somebody is cared for in a corridor."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from patients.models import Episode
from wards.models.places import Bed


class CorridorSignOff(models.Model):
    """Somebody senior takes it upon themselves that a patient is cared for in this space. Never
    edited: when it goes on past `review_at`, it is signed off anew.

    `accountable`: name or role of whoever answers for it; `by` wrote it down. `groups`: why they
    must never be in a corridor as far as known then; `groups_known`: whether anybody had said what
    they need, without which no group is known either way.
    """

    episode = models.ForeignKey(
        Episode, on_delete=models.PROTECT, related_name="corridor_sign_offs"
    )
    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="corridor_sign_offs")
    accountable = models.CharField(max_length=100)
    reason = models.CharField(max_length=500)
    review_at = models.DateTimeField()
    groups = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    groups_known = models.BooleanField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(accountable="") & ~Q(reason=""), name="corridor_sign_off_says_why"
            ),
            models.CheckConstraint(
                condition=Q(review_at__gt=F("occurred_at")), name="corridor_sign_off_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["episode", "bed", "-occurred_at"], name="corridor_sign_off_of"),
            models.Index(fields=["occurred_at"], name="corridor_sign_off_when"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="corridor_sign_offs_stay",
                # The episode may change: when visits are merged, what was said goes with it.
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "bed_id", "accountable", "reason", "review_at", "groups", "groups_known",
                    "occurred_at", "recorded_at", "by_id",
                ) | pgtrigger.Delete,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"corridor sign-off {self.pk}"
