"""What patients wait for before they can leave, and who owns each wait.

`Review` and `BarrierStep` are recorded facts, never edited; `Readiness` is projected from
reviews, and `Barrier` is the present state of its steps. Every version of both is kept by audit
triggers, so that what was known at a past moment can be asked for.
"""

from __future__ import annotations

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Team, User
from patients.models.codes import Code, CodeSet
from patients.models.people import Episode


class Review(models.Model):
    """What a board round found for one patient: all of it, so that the latest says how it stands.

    `criteria` are the slugs of the criteria to reside that are met, in the words of
    `criteria_set`; empty means that none is, null that nobody looked. `exception` is a senior's
    reason to keep somebody who meets none. `round` is shared by the reviews of one board round.
    `frailty` is the Clinical Frailty Scale, 1 to 9, of how the person was before they fell ill
    (version 2.0: Rockwood K, Theou O, Can Geriatr J 2020;23:210-215); null: not scored.
    """

    class Medicines(models.TextChoices):
        NOT_NEEDED = "not_needed", _("None to take home")
        TO_PRESCRIBE = "to_prescribe", _("To be prescribed")
        WITH_PHARMACY = "with_pharmacy", _("With pharmacy")
        READY = "ready", _("Ready")

    class Transport(models.TextChoices):
        NOT_NEEDED = "not_needed", _("Makes own way")
        TO_BOOK = "to_book", _("To be booked")
        BOOKED = "booked", _("Booked")

    class Day(models.TextChoices):
        RED = "red", _("Red day")
        GREEN = "green", _("Green day")

    class Residence(models.TextChoices):
        """Where somebody usually lives."""

        OWN_HOME = "own_home", _("Own home")
        SUPPORTED = "supported", _("Sheltered or supported housing")
        CARE_HOME = "care_home", _("Care home")
        NO_FIXED_ABODE = "no_fixed_abode", _("No fixed abode")
        OTHER = "other", _("Elsewhere")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="reviews")
    round = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    criteria_set = models.ForeignKey(CodeSet, null=True, on_delete=models.PROTECT, related_name="+")
    criteria = ArrayField(models.CharField(max_length=80), null=True)
    exception = models.CharField(max_length=300, blank=True, default="")
    expected_discharge_at = models.DateTimeField(null=True)
    pathway = models.PositiveSmallIntegerField(null=True)
    day = models.CharField(max_length=5, choices=Day, blank=True, default="")
    red_reason = models.ForeignKey(Code, null=True, on_delete=models.PROTECT, related_name="+")
    senior_reviewed = models.BooleanField(null=True)
    medicines = models.CharField(max_length=15, choices=Medicines, blank=True, default="")
    transport = models.CharField(max_length=10, choices=Transport, blank=True, default="")
    next_step = models.CharField(max_length=200, blank=True, default="")
    frailty = models.PositiveSmallIntegerField(null=True)
    residence = models.CharField(max_length=15, choices=Residence, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="review_once"),
            models.CheckConstraint(
                condition=Q(criteria__isnull=True) | Q(criteria_set__isnull=False),
                name="review_criteria_of_a_set",
            ),
            models.CheckConstraint(
                condition=Q(exception="") | Q(criteria__len=0),
                name="review_exception_where_none_is_met",
            ),
            models.CheckConstraint(
                condition=Q(pathway__isnull=True) | Q(pathway__lte=3), name="review_pathway_0_to_3"
            ),
            models.CheckConstraint(
                condition=Q(red_reason__isnull=True) | Q(day="red"),
                name="review_reason_of_a_red_day",
            ),
            models.CheckConstraint(
                condition=Q(frailty__isnull=True) | Q(frailty__range=(1, 9)),
                name="review_frailty_1_to_9",
            ),
        ]
        indexes = [
            models.Index(fields=["episode", "-occurred_at", "-id"], name="review_of_episode"),
            models.Index(fields=["occurred_at"], name="review_occurred"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="reviews_are_facts",
                # The episode may change: when visits are merged, its reviews go with it.
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "round", "occurred_at", "recorded_at", "source", "key", "by_id",
                    "criteria_set_id", "criteria", "exception", "expected_discharge_at",
                    "pathway", "day", "red_reason_id", "senior_reviewed", "medicines",
                    "transport", "next_step", "frailty", "residence",
                ) | pgtrigger.Delete,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"review {self.pk}"


@pghistory.track()
class Readiness(models.Model):
    """The half-open period in which an episode met no criteria to reside (NCTR).

    Its start is the discharge ready date (DRD). A projection of reviews, see
    `patients/readiness.py`.
    """

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="readiness")
    period = DateTimeRangeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="readiness_period",
            ),
            ExclusionConstraint(
                name="ready_once_at_a_time",
                expressions=[
                    (
                        Func(F("episode_id"), F("episode_id"), Value("[]"), function="int8range"),
                        "&&",
                    ),
                    ("period", RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [GistIndex(fields=["period"], name="readiness_when")]

    def __str__(self) -> str:
        return f"readiness {self.pk}"


@pghistory.track()
class Barrier(models.Model):
    """What a discharge waits for: a coded reason, who is accountable, and a clock.

    `period` runs from when it was raised until it was over. `organisation` and `team` are
    accountable now; a barrier without them is itself a thing to mend. `due_at` is the end of the
    target of its reason. `level` is how far up the ladder it has been escalated, 0 for not at all.
    """

    class Outcome(models.TextChoices):
        RESOLVED = "resolved", _("Resolved")
        REPLACED = "replaced", _("Turned into another")
        MISTAKEN = "mistaken", _("Raised by mistake")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="barriers")
    reason = models.ForeignKey(Code, on_delete=models.PROTECT, related_name="barriers")
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="barriers"
    )
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="barriers")
    person = models.CharField(max_length=100, blank=True, default="")
    period = DateTimeRangeField()
    due_at = models.DateTimeField(null=True)
    is_reportable = models.BooleanField(default=False)
    level = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    became = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="came_from"
    )
    note = models.CharField(max_length=500, blank=True, default="")
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="barrier_once"),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="barrier_period",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", period__upper_inf=True)
                | (~Q(outcome="") & Q(period__upper_inf=False)),
                name="barrier_ends_with_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(became__isnull=True) | Q(outcome="replaced"),
                name="barrier_became_when_replaced",
            ),
            models.UniqueConstraint(
                fields=["episode"],
                condition=Q(is_reportable=True, outcome=""),
                name="one_reportable_barrier",
                violation_error_message=_("Another barrier of this patient is the reportable one."),
            ),
        ]
        indexes = [
            GistIndex(fields=["period"], name="barrier_when"),
            models.Index(fields=["episode"], condition=Q(outcome=""), name="barrier_open"),
        ]

    def __str__(self) -> str:
        return f"barrier {self.pk}"


class BarrierStep(models.Model):
    """Something that happened to a barrier. Never edited, never deleted."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("Raised")
        CONTACTED = "contacted", _("Chased")
        REASSIGNED = "reassigned", _("Given to")
        ESCALATED = "escalated", _("Escalated")
        DUE_CHANGED = "due_changed", _("New target time")
        REPORTED = "reported", _("Made the reportable one")
        RESOLVED = "resolved", _("Resolved")
        REPLACED = "replaced", _("Turned into another")
        MISTAKEN = "mistaken", _("Taken back")
        REOPENED = "reopened", _("Opened again")

    barrier = models.ForeignKey(Barrier, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="+"
    )
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["barrier", "occurred_at"], name="barrier_step_order")]
        triggers = [
            pgtrigger.Protect(
                name="barrier_steps_are_facts", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


@pghistory.track()
class EscalationStep(models.Model):
    """One rung of a ladder: who steps in when a barrier is so many hours past its target.

    A ladder belongs to the organisation in whose hospital the patient waits.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="escalation_steps"
    )
    level = models.PositiveSmallIntegerField()
    after_hours = models.PositiveIntegerField()
    title = models.CharField(max_length=100)

    class Meta:
        ordering = ["organisation", "level"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "level"], name="escalation_level_once"),
            models.CheckConstraint(condition=Q(level__gte=1), name="escalation_from_level_one"),
        ]

    def __str__(self) -> str:
        return self.title
