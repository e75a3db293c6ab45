"""Returns as they were sent: frozen, with the stays behind every number."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User


class DailyReturn(models.Model):
    """The return of one organisation for one day of reporting, once somebody has sent it.

    `slug` and `version` name the definition by which it is made.
    """

    class Kind(models.TextChoices):
        SITREP = "sitrep", _("Daily situation report, beds")
        DISCHARGE = "discharge", _("Daily discharge return")

    kind = models.CharField(max_length=10, choices=Kind)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="daily_returns"
    )
    day = models.DateField()
    slug = models.CharField(max_length=60)
    version = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "organisation", "day"], name="one_return_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.day:%Y-%m-%d}"


class ReturnVersion(models.Model):
    """A return as it was signed off, 1 for the first time. Never edited: an amendment is another
    version, with its reason in `note`."""

    of = models.ForeignKey(DailyReturn, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "number"], name="return_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="return_version_from_one"),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(note=""), name="return_amended_with_a_reason"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="return_versions_are_facts", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"version {self.number} of return {self.of_id}"


class ReturnNumber(models.Model):
    """One number as it was sent. `counted` is what the facts said then; where `value` is another,
    `why` says the reason. `episodes` are the stays behind what was counted."""

    of = models.ForeignKey(ReturnVersion, on_delete=models.PROTECT, related_name="numbers")
    key = models.CharField(max_length=140)
    label = models.CharField(max_length=400)
    position = models.PositiveSmallIntegerField()
    value = models.FloatField(null=True)
    counted = models.FloatField(null=True)
    why = models.CharField(max_length=300, blank=True, default="")
    episodes = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "key"], name="return_number_once"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0), name="return_number_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(value=F("counted"))
                | Q(value__isnull=True, counted__isnull=True)
                | ~Q(why=""),
                name="return_number_entered_with_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="return_numbers_are_facts", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.of_id}"
