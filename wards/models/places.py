"""Sites, wards, bays and beds, and when they are out of use."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User


def id_range(column: str) -> Func:
    """`[id, id]` as a range: lets an exclusion constraint compare ids without btree_gist."""
    return Func(F(column), F(column), Value("[]"), function="int8range")


@pghistory.track()
class Site(models.Model):
    """A hospital, a community hospital, or the base of a service."""

    class Kind(models.TextChoices):
        ACUTE = "acute", _("Acute hospital")
        COMMUNITY = "community", _("Community hospital")
        VIRTUAL = "virtual", _("Virtual ward service")
        REABLEMENT = "reablement", _("Reablement service")
        CARE_HOME = "care_home", _("Care homes")
        UNRECOGNISED = "unrecognised", _("Not recognised yet")

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.ACUTE)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sites")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.CheckConstraint(condition=~Q(code=""), name="site_has_code")]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Ward(models.Model):
    """Any place with capacity; `kind` says which sort.

    `same_as` points from an unrecognised ward, made because a feed named it, to the ward it
    turned out to be; what the feed said about the one then counts for the other.
    """

    class Kind(models.TextChoices):
        EMERGENCY = "emergency", _("Emergency department")
        ASSESSMENT = "assessment", _("Assessment unit")
        INPATIENT = "inpatient", _("Inpatient ward")
        CRITICAL_CARE = "critical_care", _("Critical care")
        MATERNITY = "maternity", _("Maternity")
        DAY_CASE = "day_case", _("Day case unit")
        THEATRE = "theatre", _("Theatre and recovery")
        DISCHARGE_LOUNGE = "discharge_lounge", _("Discharge lounge")
        COMMUNITY = "community", _("Community ward")
        VIRTUAL = "virtual", _("Virtual ward")
        REABLEMENT = "reablement", _("Reablement team")
        CARE_HOME = "care_home", _("Care home places")
        CLINIC = "clinic", _("Clinic")
        UNRECOGNISED = "unrecognised", _("Not recognised yet")

    class Sex(models.TextChoices):
        ANY = "any", _("Any")
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="wards")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.INPATIENT)
    specialty = models.CharField(max_length=60, blank=True, default="")
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.ANY)
    position = models.PositiveSmallIntegerField(default=0)
    same_as = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="also_known_as"
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "code"], name="ward_code_in_site"),
            models.CheckConstraint(condition=~Q(code=""), name="ward_has_code"),
            models.CheckConstraint(
                condition=Q(same_as__isnull=True) | ~Q(same_as=F("id")), name="ward_not_itself"
            ),
        ]
        indexes = [models.Index(fields=["code"], name="ward_code")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_recognised(self) -> bool:
        """Whether somebody has said what this place is."""
        return self.kind != self.Kind.UNRECOGNISED


@pghistory.track()
class Bay(models.Model):
    """A room of a ward: a bay of several beds, or a side room."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="bays")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200, blank=True, default="")
    sex = models.CharField(max_length=10, choices=Ward.Sex, default=Ward.Sex.ANY)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["ward", "code"], name="bay_code_in_ward"),
        ]

    def __str__(self) -> str:
        return self.name or self.code


@pghistory.track()
class Bed(models.Model):
    """A bed, trolley, chair or cot, or one place on a virtual ward or a team's caseload."""

    class Kind(models.TextChoices):
        BED = "bed", _("Bed")
        TROLLEY = "trolley", _("Trolley")
        CHAIR = "chair", _("Chair")
        COT = "cot", _("Cot")
        PLACE = "place", _("Place")

    class Funding(models.TextChoices):
        CORE = "core", _("Core")
        ESCALATION = "escalation", _("Escalation")

    class Feature(models.TextChoices):
        SIDE_ROOM = "side_room", _("Side room")
        ENSUITE = "ensuite", _("En suite")
        NEGATIVE_PRESSURE = "negative_pressure", _("Negative pressure")
        OXYGEN = "oxygen", _("Piped oxygen")
        TELEMETRY = "telemetry", _("Telemetry")
        BARIATRIC = "bariatric", _("Bariatric")
        HIGH_VISIBILITY = "high_visibility", _("High visibility")
        SPECIALIST_MATTRESS = "specialist_mattress", _("Specialist mattress")
        VENTILATOR = "ventilator", _("Ventilator")
        CORRIDOR = "corridor", _("Corridor: no designated clinical space")

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="beds")
    bay = models.ForeignKey(
        Bay, null=True, blank=True, on_delete=models.PROTECT, related_name="beds"
    )
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.BED)
    funding = models.CharField(max_length=10, choices=Funding, default=Funding.CORE)
    features = ArrayField(
        models.CharField(max_length=30, choices=Feature), default=list, blank=True
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_recognised = models.BooleanField(default=True)
    same_as = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="also_known_as"
    )
    in_use = DateTimeRangeField(
        null=True,
        blank=True,
        help_text=_("When the bed exists; empty means always."),
    )

    class Meta:
        ordering = ["position", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["ward", "bay", "label"], name="bed_label_in_bay", nulls_distinct=False
            ),
            models.CheckConstraint(condition=~Q(label=""), name="bed_has_label"),
            models.CheckConstraint(
                condition=Q(same_as__isnull=True) | ~Q(same_as=F("id")), name="bed_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class BedStatus(models.Model):
    """A recorded fact: from `occurred_at` on, the bed was in this state (HL7 table 0116).

    The latest fact at or before a moment says the state at that moment. `level` says how it is to
    be cleaned, where somebody has said so.
    """

    class Level(models.TextChoices):
        NONE = "", _("Not said")
        ROUTINE = "routine", _("Routine clean")
        TERMINAL = "terminal", _("Terminal clean")

    class Status(models.TextChoices):
        CLOSED = "C", _("Closed")
        HOUSEKEEPING = "H", _("Being cleaned")
        ISOLATED = "I", _("Isolated")
        CONTAMINATED = "K", _("Needs cleaning")
        OCCUPIED = "O", _("Occupied")
        UNOCCUPIED = "U", _("Ready")

    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="statuses")
    status = models.CharField(max_length=1, choices=Status)
    level = models.CharField(max_length=10, choices=Level, blank=True, default="", db_default="")
    occurred_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=60)
    key = models.CharField(max_length=64)
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="bed_status_once"),
        ]
        indexes = [
            models.Index(
                fields=["bed", "-occurred_at", "-sent_at", "-key"], name="bed_status_latest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} since {self.occurred_at:%d %b %H:%M}"


@pghistory.track()
class Closure(models.Model):
    """A bed, bay or ward out of use for a period: why, and by whom."""

    class Reason(models.TextChoices):
        INFECTION = "infection", _("Infection")
        STAFFING = "staffing", _("Staffing")
        ESTATES = "estates", _("Estates")
        CLEANING = "cleaning", _("Deep clean")
        OTHER = "other", _("Other")

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="closures")
    bay = models.ForeignKey(
        Bay, null=True, blank=True, on_delete=models.PROTECT, related_name="closures"
    )
    bed = models.ForeignKey(
        Bed, null=True, blank=True, on_delete=models.PROTECT, related_name="closures"
    )
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.CharField(max_length=500, blank=True, default="")
    period = DateTimeRangeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="closure_period",
            ),
            models.CheckConstraint(
                condition=Q(bed__isnull=True) | Q(bay__isnull=True), name="closure_of_one_thing"
            ),
            ExclusionConstraint(
                name="bed_closed_once",
                expressions=[(id_range("bed_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
                condition=Q(bed__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["ward"], name="closure_ward")]

    def __str__(self) -> str:
        return f"closure {self.pk}"


@pghistory.track()
class Opening(models.Model):
    """A period in which an escalation bed is open. Outside them it is neither open nor closed."""

    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="openings")
    period = DateTimeRangeField()
    recorded_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="opening_period",
            ),
            ExclusionConstraint(
                name="bed_opened_once",
                expressions=[(id_range("bed_id"), "&&"), ("period", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"opening {self.pk}"
