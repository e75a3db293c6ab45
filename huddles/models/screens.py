"""Wall screens: what hangs where, what it may show, and the codes of those that wait."""

from __future__ import annotations

from typing import Final

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from wards.models import Site, Ward

EVERY: Final = (5, 3600)
"""Seconds for which a page of a playlist stays: at least, at most."""


@pghistory.track(exclude=["last_heard_at"])
class Screen(models.Model):
    """A screen on a wall, paired once.

    It is bound to `site` and to `zone`, which says who passes by and so what it may show; both
    stay what they were when it was paired. `digest`: of the secret that its browser carries,
    which opens its own pages and nothing else. `theme`: light, dark, or dark from `dark_from` to
    `dark_until` by London's hours. `last_heard_at`: kept to the minute. `edition` counts the
    changes of what it shows.
    """

    LONGEST = 60

    class Zone(models.TextChoices):
        PUBLIC = "public", _("Public: anybody passes by")
        STAFF = "staff", _("Staff: patients and visitors do not come here")
        CLOSED = "closed", _("Closed room: only those who look after the patients")

    class Theme(models.TextChoices):
        BY_HOUR = "by_hour", _("Dark by night")
        LIGHT = "light", _("Always light")
        DARK = "dark", _("Always dark")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="screens")
    name = models.CharField(max_length=LONGEST)
    zone = models.CharField(max_length=10, choices=Zone)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.BY_HOUR)
    dark_from = models.PositiveSmallIntegerField(default=20)
    dark_until = models.PositiveSmallIntegerField(default=7)
    digest = models.CharField(max_length=64, unique=True)
    edition = models.PositiveIntegerField(default=1)
    paired_at = models.DateTimeField()
    paired_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    last_heard_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                condition=Q(revoked_at__isnull=True),
                name="screen_has_a_name_of_its_own",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="screen_has_a_name"),
            models.CheckConstraint(
                condition=Q(zone__in=["public", "staff", "closed"]), name="screen_zone_known"
            ),
            models.CheckConstraint(
                condition=Q(dark_from__lt=24, dark_until__lt=24), name="screen_hours_of_a_day"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__gte=F("paired_at"), revoked_by__isnull=False),
                name="screen_revoked_after_pairing_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def board(self) -> str:
        """The doorbell that rings when what it shows is changed, or when it is revoked."""
        return f"screen:{self.pk}"


@pghistory.track()
class ScreenPage(models.Model):
    """One page of a screen's playlist, shown for `seconds`. `ward`: which, where the layout
    shows one; of the screen's own site."""

    class Layout(models.TextChoices):
        SYSTEM = "system", _("Whole system")
        SITE = "site", _("Site")
        WARD = "ward", _("Ward")
        HUDDLE = "huddle", _("Huddle")
        LOUNGE = "lounge", _("Discharge lounge")
        CLEANING = "cleaning", _("Beds to clean")

    screen = models.ForeignKey(Screen, on_delete=models.CASCADE, related_name="pages")
    position = models.PositiveSmallIntegerField()
    layout = models.CharField(max_length=10, choices=Layout)
    ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="+")
    seconds = models.PositiveSmallIntegerField(default=30)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["screen", "position"], name="screen_page_in_place"),
            models.CheckConstraint(
                condition=Q(layout__in=["ward", "lounge"], ward__isnull=False)
                | Q(layout__in=["system", "site", "huddle", "cleaning"], ward__isnull=True),
                name="screen_page_of_a_ward_where_it_shows_one",
            ),
            models.CheckConstraint(
                condition=Q(seconds__gte=EVERY[0], seconds__lte=EVERY[1]),
                name="screen_page_stays_a_while",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.layout} {self.position}"


class Pairing(models.Model):
    """A browser that shows a code and waits for somebody to type it in. Deleted once paired, or
    when its time is over. `digest`: of the secret that it carries already, which opens nothing
    until then."""

    code = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="pairing_by_age")]

    def __str__(self) -> str:
        # Never the code: this reaches logs.
        return f"pairing {self.pk}"
