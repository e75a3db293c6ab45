"""Feeds, what they sent, and what their codes for places turned out to mean."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from interop.hl7v2.charsets import codec_named
from wards.models import Bay, Bed, Site, Ward


def valid_timezone(name: str) -> None:
    """Refuse a name that is no time zone."""
    if name not in available_timezones():
        raise ValidationError(_("Not a time zone. Write one such as Europe/London."))


def valid_encoding(name: str) -> None:
    """Refuse a name that is no character set."""
    if codec_named(name) is None:
        raise ValidationError(_("Not a character set. Write one such as UTF-8 or 8859/1."))


class Feed(models.Model):
    """One sending system, known by MSH-3 and MSH-4.

    `code` is the authority of the numbers that it sends without one, and the `source` of its
    movements; it never changes.
    """

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    sending_application = models.CharField(
        _("sending application (MSH-3)"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Empty matches any; * stands for any text."),
    )
    sending_facility = models.CharField(
        _("sending facility (MSH-4)"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Empty matches any; * stands for any text."),
    )
    organisation = models.ForeignKey(
        Organisation,
        verbose_name=_("provider"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="feeds",
        help_text=_("Its sites are where this feed's ward codes are looked for."),
    )
    default_site = models.ForeignKey(
        Site,
        verbose_name=_("default site"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Where a ward lies when the message names no facility."),
    )
    timezone = models.CharField(
        _("time zone"), max_length=60, default="Europe/London", validators=[valid_timezone]
    )
    encoding = models.CharField(
        _("character set"),
        max_length=40,
        blank=True,
        default="",
        validators=[valid_encoding],
        help_text=_("Empty: as MSH-18 says, else UTF-8, else Windows-1252."),
    )
    quiet_after = models.PositiveIntegerField(
        _("quiet after (minutes)"),
        null=True,
        blank=True,
        default=60,
        help_text=_("Warn when nothing was heard for so long. Empty: never."),
    )
    is_recognised = models.BooleanField(_("recognised"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="feed_has_code"),
            models.UniqueConstraint(
                fields=["sending_application", "sending_facility"], name="feed_sender_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message as it was received, kept before it was acknowledged.

    `digest` stands for its content: the same bytes sent again are counted in `repeats`, the last
    time is `repeated_at`. `is_history`: received long after it was sent, to load the past; its
    movements count as known when it was sent.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("Waiting")
        APPLIED = "applied", _("Applied")
        DUPLICATE = "duplicate", _("Said before")
        IGNORED = "ignored", _("Ignored")
        HELD = "held", _("Held")
        REJECTED = "rejected", _("Refused")

    feed = models.ForeignKey(Feed, on_delete=models.PROTECT, related_name="messages")
    raw = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(db_default=Now())
    control_id = models.CharField(max_length=200, blank=True, default="")
    event = models.CharField(max_length=20, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    peer = models.CharField(max_length=100, blank=True, default="")
    is_history = models.BooleanField(default=False, db_default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVED)
    reason_code = models.CharField(max_length=30, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    repeats = models.PositiveIntegerField(default=0)
    repeated_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "digest"], name="message_once"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="received"), name="message_waiting"),
            models.Index(
                fields=["feed", "-received_at"],
                condition=Q(status__in=["held", "rejected"]),
                name="message_troubled",
            ),
            models.Index(fields=["feed", "-received_at"], name="message_heard"),
            models.Index(
                fields=["feed", "-repeated_at"],
                condition=Q(repeated_at__isnull=False),
                name="message_repeated",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @classmethod
    def oldest_waiting(cls) -> datetime | None:
        """When the message was received that waits longest to be applied; None if none waits."""
        waiting = cls._default_manager.filter(status=cls.Status.RECEIVED)
        return waiting.order_by("pk").values_list("received_at", flat=True).first()


class LocationCode(models.Model):
    """A place as a feed writes it, and the place it stands for.

    The place is found by its codes, or made as not recognised; `is_mapped` says that a person
    decided it. From then on that holds for whatever the feed says of this code.
    """

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="location_codes")
    facility = models.CharField(max_length=200, blank=True, default="")
    point_of_care = models.CharField(max_length=200, blank=True, default="")
    room = models.CharField(max_length=200, blank=True, default="")
    bed_code = models.CharField(max_length=200, blank=True, default="")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="location_codes")
    bay = models.ForeignKey(
        Bay, null=True, blank=True, on_delete=models.PROTECT, related_name="location_codes"
    )
    bed = models.ForeignKey(
        Bed, null=True, blank=True, on_delete=models.PROTECT, related_name="location_codes"
    )
    is_mapped = models.BooleanField(default=False)
    seen = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["facility", "point_of_care", "room", "bed_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["feed", "facility", "point_of_care", "room", "bed_code"],
                name="location_code_once",
            ),
        ]

    def __str__(self) -> str:
        parts = (self.facility, self.point_of_care, self.room, self.bed_code)
        return " / ".join(part for part in parts if part)
