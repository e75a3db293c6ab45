"""Scenarios of a site that somebody keeps under a name."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User
from wards.models import Site


@pghistory.track()
class KeptScenario(models.Model):
    """A scenario under a name that is its own at the site. `said`: as `flow.forecasts.scenario`
    writes it; patients in it are named by the keys of their stays. `by`: who kept it, and when
    (`kept_at`)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="kept_scenarios")
    name = models.CharField(max_length=80)
    said = models.JSONField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), "site", name="scenario_of_one_name"),
            models.CheckConstraint(condition=~Q(name=""), name="scenario_has_a_name"),
            models.CheckConstraint(condition=~Q(said={}), name="scenario_changes_something"),
        ]

    def __str__(self) -> str:
        return f"scenario {self.pk} of site {self.site_id}"
