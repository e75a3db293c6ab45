"""The local day in which a moment lies, and times of it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def midnight(at: datetime, *, days: int = 0) -> datetime:
    """The beginning of the local day of `at`, or of the one so many days later."""
    return at_clock(at, time(), days=days)


def o_clock(at: datetime, hour: int) -> datetime:
    """That hour of the local day of `at`."""
    return at_clock(at, time(hour))


def at_clock(at: datetime, clock: time, *, days: int = 0) -> datetime:
    """That time of the local day of `at`, or of the one so many days later."""
    day = timezone.localtime(at).date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, clock))


def last_clock(*clocks: time, by: datetime) -> datetime:
    """The last moment up to `by` at which it was one of these local times."""
    moments = (at_clock(by, clock, days=days) for days in (-1, 0) for clock in clocks)
    return max(moment for moment in moments if moment <= by)


def age(born: date | None, *, at: datetime) -> int | None:
    """Whole years of somebody at a moment, by the local day; None where the birth is not known."""
    if born is None:
        return None
    today = timezone.localtime(at).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
