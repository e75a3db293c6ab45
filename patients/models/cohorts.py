"""People who are followed together: cohorts by plain criteria, and neighbourhoods by home area."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Team, User
from patients import cohorts as rules


@pghistory.track()
class Neighbourhood(models.Model):
    """An area whose team looks after the people who live there, before, during and after a stay.

    `team` sees them across all sites. What the area covers is in `HomeArea`.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="neighbourhoods")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug="") & ~Q(name=""), name="neighbourhood_has_words"
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class HomeArea(models.Model):
    """A general practice, or a postcode district or sector, that is of one neighbourhood alone."""

    neighbourhood = models.ForeignKey(
        Neighbourhood, on_delete=models.CASCADE, related_name="home_areas"
    )
    is_practice = models.BooleanField()
    code = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_practice", "code"], name="home_area_of_one"),
            models.CheckConstraint(condition=~Q(code=""), name="home_area_has_code"),
        ]

    def __str__(self) -> str:
        return self.code


@pghistory.track()
class Cohort(models.Model):
    """People described by plain criteria (`patients/cohorts.py`), and how their risk is told.

    `who`: criteria by name. `drivers`, `bands`: the scale of risk, empty for none, and where it
    comes from. `source`: where the description was published, or that it is local. `by`: who
    described it last, None for one from a file. A withdrawn cohort is kept for its figures.
    """

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    about = models.CharField(max_length=500, blank=True, default="")
    source = models.CharField(max_length=500)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="cohorts"
    )
    who = models.JSONField(default=dict)
    scale_source = models.CharField(max_length=500, blank=True, default="")
    drivers = models.JSONField(default=list, blank=True)
    bands = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_withdrawn = models.BooleanField(default=False)
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["position", "title"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug="") & ~Q(title="") & ~Q(source=""), name="cohort_has_words"
            ),
            models.CheckConstraint(
                condition=Q(bands=[]) | ~Q(scale_source=""),
                name="cohort_scale_has_a_source",
                violation_error_message=_("Say where the bands of risk come from."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def scale(self) -> rules.Scale:
        """The scale of risk as the rules read it."""
        return rules.Scale(
            source=self.scale_source,
            drivers=tuple(rules.Driver(d["label"], d["points"], d["who"]) for d in self.drivers),
            bands=tuple(
                sorted(
                    (rules.Band(b["name"], b["from"]) for b in self.bands),
                    key=lambda band: band.least,
                )
            ),
        )
