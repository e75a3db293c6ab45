"""Coded reasons and criteria, as versioned and dated data.

National lists change (the delay reasons did in 2024) and trusts have their own, so a code always
belongs to a set that says whose it is, from when to when it holds and where it was published.
What was recorded under an old set keeps its code; `CodeMap` says what it would be under another.
"""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation


@pghistory.track()
class CodeSet(models.Model):
    """A list of codes of one kind. `organisation` is set for a list of one body's own.

    `source` says where the list was published, or that it is local. `[valid_from, valid_until)`
    is when it is to be used for new records.
    """

    class Kind(models.TextChoices):
        CRITERION = "criterion", _("Criteria to reside")
        DELAY = "delay", _("Discharge delay reasons")
        RED_DAY = "red_day", _("Reasons for a red day")
        DECLINE = "decline", _("Reasons to decline a referral")

    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=200)
    source = models.CharField(max_length=500)
    is_national = models.BooleanField(default=False)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="code_sets"
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["kind", "-is_national", "-valid_from", "slug"]
        constraints = [
            models.CheckConstraint(condition=~Q(slug=""), name="code_set_has_slug"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="code_set_valid_period",
            ),
            models.CheckConstraint(
                condition=Q(is_national=False) | Q(organisation__isnull=True),
                name="code_set_national_is_nobodys",
            ),
        ]

    def __str__(self) -> str:
        return self.title


@pghistory.track()
class Code(models.Model):
    """One reason or criterion.

    `label` is the published wording. `owner` says which side of the system argues for a delay of
    this kind, `team_kind` which sort of team takes the step, `target_hours` within how many hours
    of being raised it should be over (empty: no target). `pathways` are those it belongs to.
    """

    class Owner(models.TextChoices):
        TRUST = "trust", _("The hospital itself")
        HUB = "hub", _("The care transfer hub")
        PROVIDER = "provider", _("The provider that was asked")
        COMMISSIONER = "commissioner", _("The commissioner of the capacity")

    code_set = models.ForeignKey(CodeSet, on_delete=models.PROTECT, related_name="codes")
    slug = models.SlugField(max_length=80)
    label = models.CharField(max_length=300)
    family = models.CharField(max_length=60, blank=True, default="")
    pathways = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    owner = models.CharField(max_length=12, choices=Owner, blank=True, default="")
    team_kind = models.CharField(max_length=30, blank=True, default="")
    target_hours = models.PositiveIntegerField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_withdrawn = models.BooleanField(default=False)

    class Meta:
        ordering = ["code_set", "position", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["code_set", "slug"], name="code_in_set"),
            models.CheckConstraint(condition=~Q(slug="") & ~Q(label=""), name="code_has_words"),
        ]

    def __str__(self) -> str:
        return self.label


@pghistory.track()
class CodeMap(models.Model):
    """What a code would be under another set; `is_exact` False: the nearest there is."""

    code = models.ForeignKey(Code, on_delete=models.CASCADE, related_name="maps_to")
    other = models.ForeignKey(Code, on_delete=models.CASCADE, related_name="mapped_from")
    is_exact = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "other"], name="code_map_once"),
            models.CheckConstraint(condition=~Q(code=F("other")), name="code_map_two_codes"),
        ]

    def __str__(self) -> str:
        return f"code map {self.pk}"
