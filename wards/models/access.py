"""Where a role holds."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from accounts.models import Organisation, Team, User
from accounts.roles import LABELS, Role
from wards.models.places import Site, Ward


@pghistory.track()
class Grant(models.Model):
    """`user` plays `role` at one organisation, site, ward or team and everything below it.

    With none of the four it holds everywhere.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=30, choices=[(r.value, LABELS[r]) for r in Role])
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    ward = models.ForeignKey(
        Ward, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="grants"
    )
    everywhere = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="grant_at_one_place",
                condition=(
                    Q(everywhere=True, organisation=None, site=None, ward=None, team=None)
                    | Q(
                        everywhere=False,
                        organisation__isnull=False,
                        site=None,
                        ward=None,
                        team=None,
                    )
                    | Q(
                        everywhere=False,
                        organisation=None,
                        site__isnull=False,
                        ward=None,
                        team=None,
                    )
                    | Q(
                        everywhere=False,
                        organisation=None,
                        site=None,
                        ward__isnull=False,
                        team=None,
                    )
                    | Q(
                        everywhere=False,
                        organisation=None,
                        site=None,
                        ward=None,
                        team__isnull=False,
                    )
                ),
            ),
            models.UniqueConstraint(
                fields=["user", "role", "organisation", "site", "ward", "team", "everywhere"],
                name="grant_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"
