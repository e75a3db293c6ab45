"""Meetings: how a site holds them, each one held, and what its wards said."""

from __future__ import annotations

from datetime import time

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from wards.models import Site, Ward

TEXT = 300


class Section(models.TextChoices):
    """A part of the agenda."""

    PREVIOUS = "previous", _("What we agreed, and what came of it")
    SITE = "site", _("The whole site")
    WARDS = "wards", _("Ward by ward")
    SAFETY = "safety", _("Safety")
    CLOSE = "close", _("What we agreed today")


class Figure(models.TextChoices):
    """A figure that a ward gives in its line."""

    BEDS_FREE = "beds_free", _("Beds free now")
    DISCHARGES = "discharges", _("Discharges, definite and possible")
    UNPLACED = "unplaced", _("Waiting for a bed here")
    OUTLIERS = "outliers", _("Outliers here")
    SIDE_ROOMS = "side_rooms", _("Side rooms free")
    CLOSED = "closed", _("Beds closed")
    NURSES = "nurses", _("Nurses planned and at work")
    CONCERN = "concern", _("Safety concern")


def _sections() -> list[str]:
    return [section.value for section in Section]


def _figures() -> list[str]:
    return [figure.value for figure in Figure]


def _horizons() -> list[time]:
    return [time(10), time(12), time(17)]


def _every_day() -> list[int]:
    return [1, 2, 3, 4, 5, 6, 7]


@pghistory.track()
class HuddleTemplate(models.Model):
    """How a site holds one of its meetings.

    times: local times at which it is held; weekdays: on which (ISO, Monday is 1). opens_before:
    minutes before the start from which wards can confirm their lines. lasts: minutes it is meant
    to take. agenda, figures: what is asked, in order. horizons: local times by which discharges
    are asked for. mail_to: where the summary goes. is_active: held from now on.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="huddle_templates")
    name = models.CharField(max_length=80)
    times = ArrayField(models.TimeField(), size=12)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=_every_day, size=7)
    opens_before = models.PositiveSmallIntegerField(default=60)
    lasts = models.PositiveSmallIntegerField(default=15)
    agenda = ArrayField(models.CharField(max_length=10, choices=Section), default=_sections)
    figures = ArrayField(models.CharField(max_length=12, choices=Figure), default=_figures)
    horizons = ArrayField(models.TimeField(), default=_horizons, size=4)
    mail_to = ArrayField(models.EmailField(), default=list, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="huddle_of_one_name"),
            models.CheckConstraint(condition=~Q(name=""), name="huddle_has_a_name"),
            models.CheckConstraint(condition=Q(times__len__gte=1), name="huddle_has_a_time"),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=_every_day(), weekdays__len__gte=1),
                name="huddle_on_days_of_the_week",
            ),
            models.CheckConstraint(
                condition=Q(agenda__contained_by=_sections(), agenda__len__gte=1),
                name="huddle_has_an_agenda",
            ),
            models.CheckConstraint(
                condition=Q(figures__contained_by=_figures()), name="huddle_asks_known_figures"
            ),
            models.CheckConstraint(
                condition=Q(opens_before__lte=720, lasts__gte=1, lasts__lte=180),
                name="huddle_of_a_sane_length",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class HuddleSpeaker(models.Model):
    """Who speaks for a ward in a meeting: a role or a name, as the site says it. A ward without a
    row is asked all the same; `is_asked` False leaves it out."""

    template = models.ForeignKey(HuddleTemplate, on_delete=models.CASCADE, related_name="speakers")
    ward = models.ForeignKey(Ward, on_delete=models.CASCADE, related_name="+")
    who = models.CharField(max_length=80, blank=True, default="")
    is_asked = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "ward"], name="one_speaker_for_a_ward"),
        ]

    def __str__(self) -> str:
        return f"speaker {self.pk}"


@pghistory.track()
class Huddle(models.Model):
    """One meeting. It is there from when somebody first says something for it.

    starts_at: when it was to begin. opened_at, chair: when it began, and who leads it. step: what
    is spoken of (`huddles.meetings.agenda`), since `step_at`. harm, hazard: what the site as a
    whole answered to the two questions of safety; None was not asked, empty is "nothing". frozen:
    what was on the screen when it ended, as it was seen; from then on nothing of it changes.
    horizons, agenda, figures, lasts: how it is held, as the template had it when the first ward
    said its line or it was opened: what is changed there holds for the meetings after it.
    """

    template = models.ForeignKey(HuddleTemplate, on_delete=models.PROTECT, related_name="huddles")
    starts_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    chair = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=20, blank=True, default="")
    step_at = models.DateTimeField(null=True)
    harm = models.CharField(max_length=TEXT, null=True)  # noqa: DJ001 - see above
    hazard = models.CharField(max_length=TEXT, null=True)  # noqa: DJ001 - see above
    horizons = ArrayField(models.DateTimeField(), null=True)
    agenda = ArrayField(models.CharField(max_length=10, choices=Section), null=True)
    figures = ArrayField(models.CharField(max_length=12, choices=Figure), null=True)
    lasts = models.PositiveSmallIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    frozen = models.JSONField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "starts_at"], name="huddle_once"),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True, chair__isnull=True, step="")
                | (Q(opened_at__isnull=False, chair__isnull=False) & ~Q(step="")),
                name="huddle_that_runs_has_a_chair",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, frozen__isnull=True)
                | Q(
                    closed_at__gte=F("opened_at"),
                    closed_by__isnull=False,
                    frozen__isnull=False,
                    opened_at__isnull=False,
                ),
                name="huddle_that_ended_is_frozen",
            ),
        ]
        indexes = [models.Index(fields=["template", "-starts_at"], name="huddle_latest")]
        triggers = [
            pgtrigger.Protect(
                name="huddles_stay_as_they_were",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "template_id", "starts_at", "opened_at", "chair_id", "step", "step_at", "harm",
                    "hazard", "horizons", "agenda", "figures", "lasts", "closed_at",
                    "closed_by_id", "frozen",
                ),
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
            pgtrigger.Protect(name="huddles_are_kept", operation=pgtrigger.Delete),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"huddle {self.pk}"

    @property
    def minutes(self) -> int | None:
        """How long it took; None while it goes on."""
        if self.opened_at is None or self.closed_at is None:
            return None
        return round((self.closed_at - self.opened_at).total_seconds() / 60)

    @property
    def runs(self) -> bool:
        """Whether it has begun and not ended."""
        return self.opened_at is not None and self.closed_at is None


_AT_LEAST_NOTHING = ("beds_free", "unplaced", "outliers", "side_rooms", "closed",
                     "nurses_planned", "nurses_actual")  # fmt: skip


@pghistory.track()
class HuddleLine(models.Model):
    """What a ward said for a meeting: a row is there once somebody has confirmed it.

    All numbers may be left out (None). definite, possible: discharges by each of the meeting's
    horizons, so many in all by then, the possible ones beside the definite. nurses: registered, of
    the shift then running. harm, hazard: the two questions of safety, as in `Huddle`.
    """

    huddle = models.ForeignKey(Huddle, on_delete=models.CASCADE, related_name="lines")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="huddle_lines")
    beds_free = models.SmallIntegerField(null=True)
    definite = ArrayField(models.SmallIntegerField(null=True), default=list, blank=True)
    possible = ArrayField(models.SmallIntegerField(null=True), default=list, blank=True)
    unplaced = models.SmallIntegerField(null=True)
    outliers = models.SmallIntegerField(null=True)
    side_rooms = models.SmallIntegerField(null=True)
    closed = models.SmallIntegerField(null=True)
    nurses_planned = models.SmallIntegerField(null=True)
    nurses_actual = models.SmallIntegerField(null=True)
    concern = models.CharField(max_length=TEXT, blank=True, default="")
    harm = models.CharField(max_length=TEXT, null=True)  # noqa: DJ001 - see above
    hazard = models.CharField(max_length=TEXT, null=True)  # noqa: DJ001 - see above
    confirmed_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["huddle", "ward"], name="one_line_of_a_ward"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__isnull": True})
                    | Q(**{f"{name}__gte": 0, f"{name}__lte": 999}),
                    name=f"huddle_line_{name}",
                )
                for name in _AT_LEAST_NOTHING
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="huddle_lines_stay_as_said",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (SELECT 1 FROM huddles_huddle
                               WHERE id IN (OLD.huddle_id, NEW.huddle_id)
                               AND closed_at IS NOT NULL) THEN
                        RAISE EXCEPTION 'a meeting that has ended keeps its lines as they were said'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
            ),
        ]

    def __str__(self) -> str:
        # Never what was said: this reaches logs.
        return f"huddle line {self.pk}"
