"""The local day in which a moment lies."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def midnight(at: datetime, *, days: int = 0) -> datetime:
    """The beginning of the local day of `at`, or of the one so many days later."""
    day = timezone.localtime(at).date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time()))


def o_clock(at: datetime, hour: int) -> datetime:
    """That hour of the local day of `at`."""
    return timezone.make_aware(datetime.combine(timezone.localtime(at).date(), time(hour)))


def age(born: date | None, *, at: datetime) -> int | None:
    """Whole years of somebody at a moment, by the local day; None where the birth is not known."""
    if born is None:
        return None
    today = timezone.localtime(at).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
