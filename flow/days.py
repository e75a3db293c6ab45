"""The local day in which a moment lies."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone


def midnight(at: datetime, *, days: int = 0) -> datetime:
    """The beginning of the local day of `at`, or of the one so many days later."""
    day = timezone.localtime(at).date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time()))


def o_clock(at: datetime, hour: int) -> datetime:
    """That hour of the local day of `at`."""
    return timezone.make_aware(datetime.combine(timezone.localtime(at).date(), time(hour)))
