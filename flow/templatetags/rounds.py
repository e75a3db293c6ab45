"""What the pages of board rounds and worklists need to say beyond boards."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from flow.frailty import GRADES
from flow.round_types import PlanChange, Share
from patients.models import Review

register = template.Library()

CRITERION_KEYS: Final = "1234567890-="
"""The keys of the criteria, in the order in which they are listed."""

PATHWAYS: Final = {
    "0": (lazy("home"), lazy("Pathway 0: home without new support")),
    "1": (lazy("support"), lazy("Pathway 1: home with support")),
    "2": (lazy("rehab bed"), lazy("Pathway 2: rehabilitation or recovery in a bed")),
    "3": (lazy("care home"), lazy("Pathway 3: a care home, for the highest needs")),
}


@register.filter
def criterion_key(number: int) -> str:
    """The key of the criterion with this number, counted from 0; empty beyond the last key."""
    return CRITERION_KEYS[number] if number < len(CRITERION_KEYS) else ""


@register.filter
def date_word(time: datetime | date | None) -> str:
    """A day with its weekday: `Tue 24 Nov`."""
    if time is None:
        return _("no date")
    day = timezone.localtime(time).date() if isinstance(time, datetime) else time
    return f"{day:%a %-d %b}"


@register.filter
def moved_by(change: PlanChange) -> str:
    """By how many days a plan was put off (`+2 d`) or brought forward."""
    if change.was is None or change.now is None:
        return ""
    days = (timezone.localtime(change.now).date() - timezone.localtime(change.was).date()).days
    return f"+{days} d" if days > 0 else f"−{-days} d"


@register.filter
def is_past(day: datetime | None, moment: datetime) -> bool:
    """Whether the local day of a time lies before that of the moment."""
    return day is not None and timezone.localtime(day).date() < timezone.localtime(moment).date()


@register.filter
def is_today(day: datetime | None, moment: datetime) -> bool:
    """Whether a time lies on the local day of the moment."""
    return day is not None and timezone.localtime(day).date() == timezone.localtime(moment).date()


@register.filter
def lost_days(length: timedelta) -> str:
    """Bed days, to a tenth below ten: `0.4`, `12`."""
    days = max(timedelta(0), length) / timedelta(days=1)
    return f"{days:.1f}" if days < 9.95 else f"{days:.0f}"


@register.filter
def whole_days(length: timedelta) -> str:
    """Full days in hospital: `1 day`, `9 days`."""
    days = max(0, length.days)
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


@register.filter
def met(share: Share) -> str:
    """A class for a share of people: all, or some missing."""
    return "is-whole" if share.count >= share.of else "is-part"


@register.filter
def pathway_short(number: str) -> str:
    """A pathway in a word."""
    return str(PATHWAYS[str(number)][0])


@register.filter
def pathway_word(number: str) -> str:
    """A pathway in a sentence."""
    return str(PATHWAYS[str(number)][1])


@register.filter
def grade(frailty: int) -> str:
    """The name of a grade of the Clinical Frailty Scale."""
    return str(GRADES[frailty])


@register.filter
def residence_word(residence: str) -> str:
    """A usual residence in words."""
    return str(Review.Residence(residence).label)


@register.filter
def earlier_day(time: datetime, moment: datetime) -> str:
    """A day of an earlier stay: `3 Mar`, with the year unless it is that of the moment."""
    day, today = timezone.localtime(time), timezone.localtime(moment)
    return f"{day:%-d %b}" if day.year == today.year else f"{day:%-d %b %Y}"


@register.filter
def since_days(moment: datetime, since: datetime) -> str:
    """How many days ago in short: `0 d`, `3 d`."""
    return f"{max(0, (moment - since).days)} d"
