"""The names that must not stand where no name may be: of everybody who is or was lately in care."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from huddles.masking import words_of
from patients.models import Episode

LATELY: Final = timedelta(days=7)
"""For how long after somebody left their name is hidden still: what was written stays."""


def words_to_hide(at: datetime) -> frozenset[str]:
    """The words of the names and local numbers of everybody in hospital, expected, or gone for
    less than a week; one query."""
    there = Q(discharged_at__isnull=True) | Q(discharged_at__gte=at - LATELY)
    rows = (
        Episode.objects.filter(there)
        .exclude(status=Episode.Status.CANCELLED)
        .values_list("patient__family_name", "patient__given_name", "patient__identifier")
    )
    return words_of(name for row in rows for name in row if name)
