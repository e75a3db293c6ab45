"""What one shift leaves to the next: who was here when, and the notes they wrote."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from accounts.models import User
from wards.models import Site, Ward
from wards.models.places import id_range


class Stint(models.Model):
    """A time in which somebody was at work in Flowboard's pages, as far as a page they opened or a
    deed they did tells; see `flow.handover.stints`.

    Kept to say what happened since they were last here, and no record of attendance: of each
    person the last two stints are kept and no more.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="stints")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(seen_at__gte=F("began_at")), name="stint_ends_after_it_begins"
            ),
            ExclusionConstraint(
                name="one_stint_at_a_time",
                expressions=[
                    (id_range("user_id"), "&&"),
                    (
                        Func(F("began_at"), F("seen_at"), Value("[]"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"stint {self.pk}"


class HandoverNote(models.Model):
    """What somebody wrote for the next shift at a site. Never edited, never deleted.

    `ward` None: it concerns the whole site, and is for those who may see the patients of all of
    it; else for those who may see the patients of that ward.
    """

    LONGEST = 300

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="handover_notes")
    ward = models.ForeignKey(
        Ward, null=True, blank=True, on_delete=models.PROTECT, related_name="handover_notes"
    )
    text = models.CharField(max_length=LONGEST)
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="handover_note_says_something"),
        ]
        indexes = [models.Index(fields=["site", "recorded_at"], name="handover_note_of_site")]
        triggers = [
            pgtrigger.Protect(
                name="handover_notes_stay", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        # Never the text: this reaches logs.
        return f"handover note {self.pk}"


class HandoverNoteDone(models.Model):
    """What a note asked for has been done: who said so, and when. Never edited, never deleted."""

    note = models.OneToOneField(HandoverNote, on_delete=models.PROTECT, related_name="done")
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        triggers = [
            pgtrigger.Protect(
                name="handover_notes_stay_done", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"handover note {self.note_id} done"
