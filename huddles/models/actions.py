"""What was agreed: who does what by when, and what it is about."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from huddles.models.meetings import Huddle
from patients.models import Barrier, Episode
from wards.models import Bed, Closure, Site, Ward


@pghistory.track()
class Action(models.Model):
    """One thing that somebody does by a time.

    An owner is a person who signs in (`owner`), a team, or a name as it was said (`owner_name`).
    `ward`, `episode`, `barrier`, `closure` and `bed` say what it is about. `ending` says which deed
    elsewhere is the thing itself: once that is done the action is over without anybody ticking it
    off, and open again when that is taken back; see `huddles.actions.states`. `outcome`: what a
    person said became of it, empty while nobody did. `huddle`: the meeting in which it was agreed,
    None outside one. `source` and `key` name a statement from outside, so that the same one said
    twice is agreed once.
    """

    LONGEST = 300

    class Ending(models.TextChoices):
        BY_HAND = "", _("Somebody says so")
        DISCHARGED = "discharged", _("The patient has left")
        MOVED = "moved", _("The patient has come to another ward")
        BARRIER = "barrier", _("The barrier is over")
        REOPENED = "reopened", _("The beds are open again")
        BED_READY = "bed_ready", _("The bed is ready")
        BED_OPENED = "bed_opened", _("The bed has been opened")

    class Outcome(models.TextChoices):
        OPEN = "", _("Open")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Not needed any more")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="actions")
    text = models.CharField(max_length=LONGEST)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="actions")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="actions")
    owner_name = models.CharField(max_length=100, blank=True, default="")
    due_at = models.DateTimeField()
    ward = models.ForeignKey(Ward, null=True, on_delete=models.PROTECT, related_name="actions")
    episode = models.ForeignKey(
        Episode, null=True, on_delete=models.PROTECT, related_name="actions"
    )
    barrier = models.ForeignKey(
        Barrier, null=True, on_delete=models.PROTECT, related_name="actions"
    )
    # A closure that is taken back before it begins leaves no row: what was agreed about it stays.
    closure = models.ForeignKey(
        Closure, null=True, on_delete=models.SET_NULL, related_name="actions"
    )
    bed = models.ForeignKey(Bed, null=True, on_delete=models.PROTECT, related_name="actions")
    ending = models.CharField(max_length=12, choices=Ending, blank=True, default="")
    huddle = models.ForeignKey(Huddle, null=True, on_delete=models.PROTECT, related_name="actions")
    agreed_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60, blank=True, default="")
    key = models.CharField(max_length=64, blank=True, default="")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    over_at = models.DateTimeField(null=True)
    over_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    over_note = models.CharField(max_length=LONGEST, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="action_says_something"),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | Q(team__isnull=False) | ~Q(owner_name=""),
                name="action_has_an_owner",
                violation_error_message=_("Say who does it."),
            ),
            models.CheckConstraint(
                condition=Q(outcome="", over_at__isnull=True, over_by__isnull=True)
                | (~Q(outcome="") & Q(over_at__isnull=False, over_by__isnull=False)),
                name="action_is_over_with_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(over_at__isnull=True) | Q(over_at__gte=F("agreed_at")),
                name="action_is_over_after_it_was_agreed",
            ),
            models.CheckConstraint(
                condition=Q(ending="")
                | (Q(ending="discharged") & Q(episode__isnull=False))
                | (Q(ending="moved") & Q(episode__isnull=False, ward__isnull=False))
                | (Q(ending="barrier") & Q(barrier__isnull=False))
                | Q(ending="reopened")
                | (Q(ending__in=["bed_ready", "bed_opened"]) & Q(bed__isnull=False)),
                name="action_ends_by_what_it_is_about",
            ),
            models.UniqueConstraint(
                fields=["source", "key"], condition=~Q(key=""), name="action_once"
            ),
        ]
        indexes = [
            models.Index(fields=["site", "due_at"], name="action_of_site"),
            models.Index(fields=["owner"], condition=Q(outcome=""), name="action_of_owner"),
            models.Index(fields=["team"], condition=Q(outcome=""), name="action_of_team"),
        ]

    def __str__(self) -> str:
        # Never the text: this reaches logs.
        return f"action {self.pk}"
