"""What is said of a patient's chances and of what moves them, in words.

The thresholds are those of `flow.forecasts.likelihood`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flow.forecasts.clock import moment_of
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
    begins = _day(moment_of(what.not_before), at)
    if likely and likely != begins:
        return _("Unlikely before %(first)s, likely by %(day)s") % {
            "first": begins,
            "day": likely,
        }
    return _("Unlikely before %(first)s") % {"first": begins}


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
    """A day as people speak of it."""
    days = _days_ahead(moment, at)
    local = timezone.localtime(moment)
    if days == 0:
        return _("tonight")
    if days == 1:
        return _("tomorrow")
    return f"{local:%A}" if days < 7 else f"{local:%A %-d %B}"


def _days_ahead(moment: datetime, at: datetime) -> int:
    return (timezone.localtime(moment).date() - timezone.localtime(at).date()).days
