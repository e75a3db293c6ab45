"""What is said of a patient's chances and of what moves them, in words.

The thresholds are those of `flow.forecasts.likelihood`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isnan
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from flow.forecasts.clock import moment_of
from flow.forecasts.drivers import Driver, Fact
from flow.forecasts.likelihood import NEVER, Likely

MINUTE: Final = timedelta(minutes=1)
PURPOSE: Final = gettext_lazy(
    "For planning beds. It says how often patients like this one have left by then; it is no "
    "decision about this patient, and no reason to discharge anybody."
)


def said(what: Likely, *, at: datetime) -> str:
    """One phrase: "Likely today by 16:00", "Unlikely before Thursday 26 November"."""
    if what.by is not None and what.by_hour:
        return _likely_by_hour(moment_of(what.by), at)
    if what.not_before == NEVER:
        return _("Unlikely in the next 14 days")
    # `by` is the midnight at the end of the day that is meant.
    likely = "" if what.by is None else _day(moment_of(what.by) - MINUTE, at)
    if what.not_before is None:
        today = _("Today: %(chance)s") % {"chance": tenths(what.today)}
        if not likely:
            return today
        return _("%(today)s; likely by %(day)s") % {"today": today, "day": likely}
    begins = moment_of(what.not_before)
    first = _day(begins, at)
    if likely == first:
        return _("Likely on %(day)s") % {"day": first}
    unlikely = (
        _("Unlikely today")
        if _days_ahead(begins, at) == 1
        else _("Unlikely before %(first)s") % {"first": first}
    )
    if not likely:
        return unlikely
    return _("%(unlikely)s, likely by %(day)s") % {"unlikely": unlikely, "day": likely}


def tenths(chance: float) -> str:
    """A chance as people say it: "4 in 10"; near the ends "fewer than 1 in 20"."""
    if chance < 0.05:
        return _("fewer than 1 in 20")
    if chance > 0.95:
        return _("more than 19 in 20")
    return _("%(number)s in 10") % {"number": min(9, max(1, round(chance * 10)))}


def _likely_by_hour(by: datetime, at: datetime) -> str:
    # Midnight is the end of a day, not the beginning of the next.
    days = _days_ahead(by - MINUTE, at)
    clock = f"{timezone.localtime(by):%H:%M}"
    if clock == "00:00":
        clock = _("midnight")
    if days == 0:
        return _("Likely today by %(time)s") % {"time": clock}
    if days == 1:
        return _("Likely tomorrow by %(time)s") % {"time": clock}
    return _("Likely by %(day)s") % {"day": _day(by - MINUTE, at)}


def _day(moment: datetime, at: datetime) -> str:
    """A day after today as people speak of it."""
    days = _days_ahead(moment, at)
    local = timezone.localtime(moment)
    if days == 1:
        return _("tomorrow")
    return f"{local:%A}" if days < 7 else f"{local:%A %-d %B}"


def _days_ahead(moment: datetime, at: datetime) -> int:
    return (timezone.localtime(moment).date() - timezone.localtime(at).date()).days


def driver_said(driver: Driver, *, ward: str, at: int) -> str:
    """A fact about a patient, as it was known at the minute `at`."""
    values = driver.values
    match driver.fact:
        case Fact.READINESS:
            return _ready(values)
        case Fact.PLAN:
            return _planned(values["to_plan"])
        case Fact.ARRANGED:
            steps = 0 if isnan(values["arranged"]) else values["arranged"]
            number = int(steps + values["announced"])
            return _("Arranged for leaving: %(number)d of 4 steps") % {"number": number}
        case Fact.BARRIERS:
            number = 0 if isnan(values["barriers"]) else int(values["barriers"])
            said = ngettext("%(number)d open barrier", "%(number)d open barriers", number)
            return said % {"number": number} if number else _("No open barrier")
        case Fact.STAY:
            days = int(max(values["elapsed"], 0) // 24)
            said = ngettext("In hospital for %(days)d day", "In hospital for %(days)d days", days)
            return said % {"days": days} if days else _("In hospital for less than a day")
        case Fact.PLACE:
            return _("Ward and specialty: %(ward)s") % {"ward": ward}
        case Fact.METHOD:
            return _("How they were admitted")
        case Fact.CALENDAR:
            if values["holiday"]:
                return _("Bank holiday")
            return f"{timezone.localtime(moment_of(at)):%A}"
        case Fact.PERSON:
            age = values["age"]
            return _("Age and sex") if isnan(age) else _("Aged %(age)d") % {"age": int(age)}


def _ready(values: Mapping[str, float]) -> str:
    if isnan(values["ready"]):
        return _("Criteria to reside not reviewed")
    if not values["ready"]:
        return _("Meets criteria to reside")
    days = 0 if isnan(values["ready_for"]) else int(values["ready_for"] // 24)
    if not days:
        return _("Meets no criteria to reside, since less than a day")
    said = ngettext(
        "Meets no criteria to reside, for %(days)d day",
        "Meets no criteria to reside, for %(days)d days",
        days,
    )
    return said % {"days": days}


def _planned(hours: float) -> str:
    """How the expected discharge date lies; hours from it, negative before it."""
    if isnan(hours):
        return _("No expected discharge date")
    days = round(abs(hours) / 24)
    if not days:
        return _("Expected discharge date about now")
    if hours > 0:
        said = ngettext(
            "Expected discharge date %(days)d day ago",
            "Expected discharge date %(days)d days ago",
            days,
        )
    else:
        said = ngettext(
            "Expected discharge date in %(days)d day",
            "Expected discharge date in %(days)d days",
            days,
        )
    return said % {"days": days}
