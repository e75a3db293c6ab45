"""Who wants to be told of which level, when not to be disturbed, and what was sent."""

from __future__ import annotations

from datetime import time

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from wards.models import Site


@pghistory.track()
class NoticeRule(models.Model):
    """One thing that one person wants to be told of by e-mail.

    `site` empty: the system. `declared`, `computed`: whenever the level changes and is `level` or
    more, and once when it falls below. `value`: when the value of `parameter` gets past
    `threshold`, towards the worse.
    """

    class About(models.TextChoices):
        DECLARED = "declared", _("Declared level")
        COMPUTED = "computed", _("Computed level")
        VALUE = "value", _("Value of a parameter")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_rules")
    site = models.ForeignKey(Site, null=True, on_delete=models.CASCADE, related_name="+")
    about = models.CharField(max_length=10, choices=About)
    level = models.PositiveSmallIntegerField(null=True)
    parameter = models.CharField(max_length=60, blank=True, default="")
    threshold = models.FloatField(null=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    about__in=["declared", "computed"],
                    level__isnull=False,
                    level__gte=1,
                    level__lte=4,
                    parameter="",
                    threshold__isnull=True,
                )
                | (
                    Q(about="value", level__isnull=True, threshold__isnull=False)
                    & Q(site__isnull=False)
                    & ~Q(parameter="")
                ),
                name="notice_rule_is_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=["user", "site", "about", "level", "parameter", "threshold"],
                condition=Q(ended_at__isnull=True),
                name="notice_rule_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"notice rule {self.pk}"


class NoticeHours(models.Model):
    """When somebody is not to be disturbed, by the clock of the screens, unless on duty."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="notice_hours"
    )
    quiet_from = models.TimeField(default=time(20))
    quiet_until = models.TimeField(default=time(7))
    on_duty_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "notice hours"

    def __str__(self) -> str:
        return f"notice hours of {self.user_id}"


class Notice(models.Model):
    """One e-mail to one person about one change: `cause` names the change, so that a rule speaks
    of it once. Unsettled while it waits, held back by quiet hours or by a mail server that is
    away; then sent, or dropped because it was no longer so."""

    class Outcome(models.TextChoices):
        WAITING = "", _("Waiting")
        SENT = "sent", _("Sent")
        OVERTAKEN = "overtaken", _("No longer so")
        FAILED = "failed", _("Could not be sent")

    rule = models.ForeignKey(NoticeRule, on_delete=models.CASCADE, related_name="notices")
    cause = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    text = models.CharField(max_length=1000)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "cause"], name="notice_once"),
            models.CheckConstraint(
                condition=Q(outcome="", settled_at__isnull=True)
                | (~Q(outcome="") & Q(settled_at__isnull=False)),
                name="notice_settled_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(outcome=""), name="notice_waiting")
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"
