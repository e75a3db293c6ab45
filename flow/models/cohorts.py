"""Cohorts as they were counted, day by day."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from patients.models import Cohort
from wards.models import Ward


class CohortDay(models.Model):
    """That a cohort was counted for a day, at 08:00 local time, by the criteria of `digest`.

    A cohort described anew is counted anew; what was counted by the older criteria goes.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    digest = models.CharField(max_length=32)
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "day"], name="cohort_day_once"),
            models.CheckConstraint(condition=~Q(digest=""), name="cohort_day_by_criteria"),
        ]

    def __str__(self) -> str:
        return f"cohort {self.cohort_id} on {self.day}"


class CohortCount(models.Model):
    """The people of a cohort on a day by ward and neighbourhood, so that each viewer is shown the
    sum of what they may see. `ward`: where they were, or were last; none where none was told.
    `area`: slug of the neighbourhood, empty for none.

    before, during, after: people by phase. ready: of those during, who met no criteria to reside;
    ready_days: bed days since their discharge ready dates. stay_days: days in hospital so far of
    those during. left: who left within the 24 hours before. came_back: of those who were
    admitted within the 24 hours before, who had left hospital less than 30 days earlier, as an
    emergency.
    """

    day = models.ForeignKey(CohortDay, on_delete=models.CASCADE, related_name="counts")
    ward = models.ForeignKey(Ward, null=True, on_delete=models.CASCADE, related_name="+")
    area = models.CharField(max_length=60, blank=True, default="")
    before = models.PositiveIntegerField(default=0)
    during = models.PositiveIntegerField(default=0)
    after = models.PositiveIntegerField(default=0)
    ready = models.PositiveIntegerField(default=0)
    ready_days = models.FloatField(default=0)
    stay_days = models.FloatField(default=0)
    left = models.PositiveIntegerField(default=0)
    came_back = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "ward", "area"], name="cohort_count_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(ready__lte=models.F("during")), name="cohort_count_ready_are_there"
            ),
        ]

    def __str__(self) -> str:
        return f"cohort count {self.pk}"
