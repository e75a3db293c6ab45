"""National figures as published, to be set beside our own."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patients.models import Code


class ReferenceFile(models.Model):
    """A published file from which reference values were taken; one row for each content.

    `digest` is the SHA-256 of the unpacked bytes. `done` of `total` values are stored;
    `finished_at` is empty while a load has been stopped half way.
    """

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=300)
    publisher = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    encoding = models.CharField(max_length=60)
    loaded_by = models.CharField(max_length=150)
    loaded_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField()
    first = models.DateField()
    last = models.DateField()

    class Meta:
        ordering = ["-loaded_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done__lte=models.F("total")), name="reference_file_done"
            ),
            models.CheckConstraint(
                condition=models.Q(first__lte=models.F("last")), name="reference_file_days"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReferenceBody(models.Model):
    """A body of which national figures are published: a trust, a board, a region, England.

    `code` is as published, by ODS or ONS; of a body without one the name in capitals. `named_on`
    is the last day of the file that `name` is from: bodies merge and take new names.
    """

    class Kind(models.TextChoices):
        TRUST = "trust", _("NHS trust")
        ICB = "icb", _("Integrated care board")
        REGION = "region", _("Region")
        NATION = "nation", _("Nation")
        OTHER = "other", _("Other")

    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    named_on = models.DateField(null=True)
    kind = models.CharField(max_length=10, choices=Kind)

    class Meta:
        verbose_name_plural = "reference bodies"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(code=""), name="reference_body_has_code")
        ]

    def __str__(self) -> str:
        return self.name or self.code


class ReferenceMeasure(models.Model):
    """What a reference series counts; `reason` where it is the patients of one delay reason."""

    class Interval(models.TextChoices):
        DAY = "day", _("Daily")
        WEEK = "week", _("Weekly")
        MONTH = "month", _("Monthly")

    slug = models.SlugField(max_length=120, unique=True)
    label = models.CharField(max_length=400)
    interval = models.CharField(max_length=5, choices=Interval)
    is_share = models.BooleanField(default=False, help_text=_("A share from 0 to 1, not a count."))
    reason = models.ForeignKey(
        Code, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.label


class ReferenceValue(models.Model):
    """What was published of a body for a day: one value, or none.

    `value` is null where no figure was given; `mark` is what stands there instead ("NA", "*").
    `doubt` says why a figure is not to be trusted; it is kept as published all the same. Of a
    monthly series `date` is the first of the month.
    """

    class Doubt(models.TextChoices):
        NONE = "", _("None")
        NEGATIVE = "negative", _("Below nought")
        NOT_A_NUMBER = "not_a_number", _("Not a number")
        CONFLICT = "conflict", _("Published twice, differently")
        EXCEEDS = "exceeds", _("More than what it is part of")
        SPIKE = "spike", _("Far above the days beside it")
        ZERO = "zero", _("Nought where counts are large")

    body = models.ForeignKey(ReferenceBody, on_delete=models.PROTECT, related_name="values")
    # The constraint below is the index of the measure; nobody looks values up by their file.
    measure = models.ForeignKey(
        ReferenceMeasure, on_delete=models.PROTECT, related_name="values", db_index=False
    )
    date = models.DateField()
    value = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    mark = models.CharField(max_length=20, blank=True, default="")
    doubt = models.CharField(max_length=12, choices=Doubt, blank=True, default="")
    file = models.ForeignKey(
        ReferenceFile, on_delete=models.PROTECT, related_name="values", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "body", "date"], name="reference_value_once"
            ),
            models.CheckConstraint(
                # Infinity and what is no number are larger than every number.
                condition=models.Q(value__isnull=True)
                | models.Q(value__gte=0, value__lt=1_000_000_000_000),
                name="reference_value_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(value__isnull=True) | models.Q(mark=""),
                name="reference_value_or_mark",
            ),
        ]
        indexes = [models.Index(fields=["measure", "date"], name="reference_value_day")]

    def __str__(self) -> str:
        return f"reference value {self.pk}"
