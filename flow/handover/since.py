"""Since when a handover tells: since its reader was last here, or as they choose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flow.handover.stints import last_here

CHOICES: Final = (4, 8, 12, 24)
"""Hours back that can be chosen by one click."""
USUAL: Final = timedelta(hours=12)
"""Since when for somebody who has not been here before: the length of a shift."""
LONGEST: Final = timedelta(days=7)
"""How far back a handover goes at most."""
_OPEN: Final = timedelta(hours=12)
"""How long a page may stay open that asks again for its own moment: a long shift."""


@dataclass(frozen=True, slots=True)
class Since:
    """The moment from which on it is told, and how it came about. how: `last`, `first` (never
    here before), `hours` or `typed`. cut: they were last here longer ago than is told. error: why
    what was typed is no such moment; then `at` is as if nothing had been typed."""

    at: datetime
    how: str
    hours: int | None = None
    cut: bool = False
    typed: str = ""
    error: str = ""

    @property
    def words(self) -> str:
        """The same as people say it."""
        when = in_short(self.at)
        if self.how == "hours":
            hours = ngettext("the last hour", "the last %(n)s hours", self.hours or 0)
            return f"{hours % {'n': self.hours}}, {_('since')} {when}"
        if self.how == "typed":
            return _("since %(when)s") % {"when": when}
        if self.how == "first":
            return _("you have not been here before: the last %(n)s hours, since %(when)s") % {
                "n": int(USUAL / timedelta(hours=1)),
                "when": when,
            }
        if self.cut:
            return _("you were last here more than 7 days ago: since %(when)s") % {"when": when}
        return _("since you were last here, %(when)s") % {"when": when}


def in_short(moment: datetime) -> str:
    """A moment in local time: `Sun 22 Nov 19:42`."""
    return f"{timezone.localtime(moment):%a %-d %b %H:%M}"


def since_of(asked: str, *, user: int, at: datetime) -> Since:
    """What `?since=` asks for: hours as in `CHOICES`, a date and time (local, or with an offset),
    or nothing: since they were last here; one query then."""
    asked = asked.strip()
    if not asked:
        return _last(user, at)
    if asked.isascii() and asked.isdigit() and int(asked[:4]) in CHOICES:
        return Since(_minute(at) - timedelta(hours=int(asked)), "hours", hours=int(asked))
    try:
        # A plus sign that nobody encoded arrives as a space.
        typed = parse_datetime(asked.replace(" ", "+") if "T" in asked else asked)
        if typed is not None:
            aware = timezone.make_aware(typed) if timezone.is_naive(typed) else typed
            typed = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        typed = None
    if typed is None:
        return _wrong(asked, _("Give a date and a time, such as 21/11/2026 08:00."), user, at)
    shown = f"{timezone.localtime(typed):%Y-%m-%dT%H:%M}"
    if typed > at:
        return _wrong(shown, _("That is still to come. Choose a moment in the past."), user, at)
    if typed < at - LONGEST - _OPEN:
        return _wrong(shown, _("A handover goes back 7 days at most."), user, at)
    return Since(typed, "typed", typed=shown)


def _last(user: int, at: datetime) -> Since:
    before = last_here(user, at=at)
    if before is None:
        return Since(_minute(at) - USUAL, "first")
    if before < at - LONGEST:
        return Since(_minute(at) - LONGEST, "last", cut=True)
    return Since(before, "last")


def _wrong(typed: str, error: str, user: int, at: datetime) -> Since:
    found = _last(user, at)
    return Since(found.at, found.how, cut=found.cut, typed=typed, error=error)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
