"""Who may sign in, the bodies they work for, and the tokens their programs carry."""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A provider, council, integrated care board or other body, by ODS code; they form a tree."""

    class Kind(models.TextChoices):
        ICB = "icb", _("Integrated care board")
        TRUST = "trust", _("NHS trust")
        COMMUNITY = "community", _("Community provider")
        COUNCIL = "council", _("Council")
        AMBULANCE = "ambulance", _("Ambulance service")
        CARE_PROVIDER = "care_provider", _("Care provider")
        OTHER = "other", _("Other")

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.OTHER)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="organisation_has_code"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("id")),
                name="organisation_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A group of people that owns steps of a patient's way: therapy, pharmacy, a transfer hub.

    `kind` is the sort of team, in the words of `Code.team_kind`: a barrier goes to the team of
    the kind that its reason names.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="teams")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=30, blank=True, default="")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "code"], name="team_code_in_organisation"
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person or a program that signs in. What they may do, and where, is in their grants."""

    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="users"
    )

    def __str__(self) -> str:
        return self.get_full_name() or self.username


@pghistory.track(exclude=["digest", "last_used_at"])
class ApiToken(models.Model):
    """A secret that a program sends as `Authorization: Bearer …`.

    Only its SHA-256 is kept. `scopes` says what it may do; where it may do it follows from
    the grants of `user`.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Misfit(models.Model):
    """Somebody was told that numbers and details of a patient do not fit; for an hour. It says
    nothing of the patient. See `accounts.misfits`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="misfit_of_user")]

    def __str__(self) -> str:
        return f"misfit {self.pk}"
