"""Who is to have which bed: what is asked of it, who holds it, what was given against a rule."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from patients.models import Episode
from wards.models.places import Bed, Site, Ward, id_range
from wards.models.stays import Movement


@pghistory.track()
class RequestTerms(models.Model):
    """What somebody said of a bed request besides that it exists.

    The request itself is projected from movements; `episode` and `key` name it. `priority` 1 is
    the most urgent. `due_at`: when the bed is wanted. `asked_by`: which team or role asked.
    """

    class Priority(models.IntegerChoices):
        IMMEDIATE = 1, _("Immediate")
        URGENT = 2, _("Urgent")
        SOON = 3, _("Soon")
        ROUTINE = 4, _("Routine")

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="request_terms")
    key = models.CharField(max_length=64)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.SOON)
    specialty = models.CharField(max_length=60, blank=True, default="")
    asked_by = models.CharField(max_length=100, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["episode", "key"], name="request_terms_once"),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=4), name="request_terms_priority"
            ),
        ]

    def __str__(self) -> str:
        return f"terms {self.pk}"


@pghistory.track()
class Reservation(models.Model):
    """A bed held for one request until a stated time; nobody else may be put into it meanwhile.

    `period` runs from when it was made until it runs out or, ended sooner, until it ended: the
    bed is held at a moment exactly when the period contains it. `decided`: the bed is given
    (allocated) and the patient to come; else it is only kept back (reserved).
    """

    class Status(models.TextChoices):
        HELD = "held", _("Held")
        USED = "used", _("Taken up")
        RELEASED = "released", _("Given back")
        LAPSED = "lapsed", _("Ran out")
        WITHDRAWN = "withdrawn", _("No longer needed")
        LOST = "lost", _("Somebody else was put into the bed")

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="reservations")
    key = models.CharField(max_length=64)
    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="reservations")
    period = DateTimeRangeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD)
    decided = models.BooleanField(default=False)
    note = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    period__isempty=False,
                    period__startswith__isnull=False,
                    period__endswith__isnull=False,
                ),
                name="reservation_period",
            ),
            ExclusionConstraint(
                name="one_reservation_per_bed",
                expressions=[(id_range("bed_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
                violation_error_message=_("That bed is held for somebody else in this time."),
            ),
            ExclusionConstraint(
                name="one_reservation_per_request",
                expressions=[(id_range("episode_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
                violation_error_message=_("Another bed is held for them in this time."),
            ),
        ]
        indexes = [
            models.Index(fields=["bed"], name="reservation_bed"),
            GistIndex(fields=["period"], name="reservation_when"),
        ]

    def __str__(self) -> str:
        return f"reservation {self.pk}"


class RuleBook(models.Model):
    """The rules by which beds are given, as one trust wrote them, from a moment on.

    Never edited: a change is a new version. `site` None holds wherever a site has no book of its
    own. Of several the one with the latest `valid_from` at or before a moment counts. `costs`:
    what hangs on no single rule, such as leaving somebody without a bed
    (`wards.suitability.rulebook.RuleBook`).
    """

    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.PROTECT, related_name="rule_books"
    )
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    valid_from = models.DateTimeField()
    costs = models.JSONField(default=dict, blank=True)
    note = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "version"], name="rule_book_version", nulls_distinct=False
            ),
            models.CheckConstraint(condition=~Q(name=""), name="rule_book_has_name"),
        ]
        triggers = [
            pgtrigger.Protect(name="rule_books_stay", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class Rule(models.Model):
    """One rule of a book: which, how it counts there, and the words in which it is given.

    `code` names the definition (`wards/suitability`). A hard rule refuses, a soft one costs
    `weight`. `breach`: as what an override counts. `except_kinds`: kinds of ward where it does
    not hold. `params`: its figures.
    """

    class Breach(models.TextChoices):
        NONE = "", _("Nothing counted")
        MIXED_SEX = "mixed_sex", _("Mixed-sex breach")
        OUTLIER = "outlier", _("Outlier")
        CORRIDOR = "corridor", _("Corridor care")

    book = models.ForeignKey(RuleBook, on_delete=models.PROTECT, related_name="rules")
    code = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=500)
    source = models.CharField(max_length=500, blank=True, default="")
    hard = models.BooleanField(default=False)
    weight = models.FloatField(default=0)
    may_override = models.BooleanField(default=False)
    breach = models.CharField(max_length=20, choices=Breach, blank=True, default="")
    except_kinds = ArrayField(
        models.CharField(max_length=20, choices=Ward.Kind), default=list, blank=True
    )
    params = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["book", "code"], name="rule_once_in_book"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="rule_weight"),
        ]
        triggers = [
            pgtrigger.Protect(name="rules_stay", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.code


class OutlierLine(models.Model):
    """A line of the outlier table: whether a ward takes patients of a specialty.

    The ward is named by itself, by its specialty or by its kind; an empty `specialty` means all
    others. The more exact line counts.
    """

    class Verdict(models.TextChoices):
        TAKES = "takes", _("Takes them")
        OUTLIER = "outlier", _("Takes them as outliers")
        NEVER = "never", _("Never takes them")

    book = models.ForeignKey(RuleBook, on_delete=models.PROTECT, related_name="outlier_lines")
    ward = models.ForeignKey(
        Ward, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ward_specialty = models.CharField(max_length=60, blank=True, default="")
    ward_kind = models.CharField(max_length=20, choices=Ward.Kind, blank=True, default="")
    specialty = models.CharField(max_length=60, blank=True, default="")
    verdict = models.CharField(max_length=10, choices=Verdict)
    cost = models.FloatField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__gte=0), name="outlier_line_cost"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="outlier_lines_stay", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"outlier line {self.pk}"


@pghistory.track()
class WardLimits(models.Model):
    """What a ward can safely hold, as its matron sets it. Empty means: no limit is known.

    `most_patients` at once; `most_acute`: of these, of acuity 2 or more; `patients_per_nurse`:
    for each registered nurse on duty; `side_rooms_kept`: side rooms kept back for an emergency;
    `cleaned_after`: minutes from leaving until the bed is usually ready again. `youngest` and
    `oldest`: ages in years that it takes. `ring_fenced`: kept for elective patients.
    """

    ward = models.OneToOneField(
        Ward, on_delete=models.CASCADE, related_name="limits", primary_key=True
    )
    most_patients = models.PositiveSmallIntegerField(null=True, blank=True)
    most_acute = models.PositiveSmallIntegerField(null=True, blank=True)
    patients_per_nurse = models.FloatField(null=True, blank=True)
    side_rooms_kept = models.PositiveSmallIntegerField(null=True, blank=True)
    cleaned_after = models.PositiveSmallIntegerField(null=True, blank=True)
    youngest = models.PositiveSmallIntegerField(null=True, blank=True)
    oldest = models.PositiveSmallIntegerField(null=True, blank=True)
    ring_fenced = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(patients_per_nurse__isnull=True) | Q(patients_per_nurse__gt=0),
                name="ward_limits_nurses",
            ),
        ]

    def __str__(self) -> str:
        return f"limits of ward {self.ward_id}"


@pghistory.track()
class Staffing(models.Model):
    """Registered nurses planned for and at work on a ward during a shift."""

    ward = models.ForeignKey(Ward, on_delete=models.CASCADE, related_name="staffing")
    period = DateTimeRangeField()
    planned = models.PositiveSmallIntegerField(null=True, blank=True)
    actual = models.PositiveSmallIntegerField(null=True, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    period__isempty=False,
                    period__startswith__isnull=False,
                    period__endswith__isnull=False,
                ),
                name="staffing_period",
            ),
            ExclusionConstraint(
                name="one_shift_at_a_time",
                expressions=[(id_range("ward_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"staffing {self.pk}"


class Override(models.Model):
    """Somebody entitled to it gave a bed against a rule: who, why, which rule. Never edited.

    `movement` or `reservation` is the deed. `breach`: as what it counts.
    """

    class Deed(models.TextChoices):
        RESERVE = "reserve", _("Held")
        ALLOCATE = "allocate", _("Allocated")
        MOVE = "move", _("Moved")
        SWAP = "swap", _("Swapped")
        ADMIT = "admit", _("Admitted")

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="overrides")
    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="overrides")
    book = models.ForeignKey(RuleBook, null=True, on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=40)
    said = models.CharField(max_length=500)
    breach = models.CharField(max_length=20, choices=Rule.Breach, blank=True, default="")
    deed = models.CharField(max_length=10, choices=Deed)
    reason = models.CharField(max_length=500)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reservation = models.ForeignKey(
        Reservation, null=True, on_delete=models.PROTECT, related_name="overrides"
    )
    movement = models.ForeignKey(
        Movement, null=True, on_delete=models.PROTECT, related_name="overrides"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason"),
            models.CheckConstraint(
                condition=Q(reservation__isnull=True) ^ Q(movement__isnull=True),
                name="override_of_one_deed",
            ),
        ]
        indexes = [models.Index(fields=["occurred_at"], name="override_when")]

    def __str__(self) -> str:
        return f"override {self.pk} of {self.rule}"
