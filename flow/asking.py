"""The moment a page was asked for: `?at=`, and the moments people ask for most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
SITREP: Final = time(8)
"""When the daily situation report counts beds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `?at=` asks for. at: a past moment; None for now. then: only what was known at that
    moment counts (`known=then`). typed: for the form to show again. error: why what was typed is
    no moment, in words for the person who typed it."""

    at: datetime | None = None
    then: bool = False
    typed: str = ""
    error: str = ""

    @property
    def known_at(self) -> datetime | None:
        """Until when what was recorded counts; None for all that is known now."""
        return self.at if self.then else None

    @property
    def query(self) -> str:
        """To be added to links, so that they lead to the same moment."""
        if self.at is None:
            return ""
        said = {"at": self.at.isoformat()} | ({"known": "then"} if self.then else {})
        return "?" + urlencode(said)


@dataclass(frozen=True, slots=True)
class Preset:
    """A moment to choose by its name."""

    label: str
    value: str


def asked(request: HttpRequest, *, now: datetime) -> Asked:
    """Read `?at=`: a date and time as a form sends it (local time) or with an offset."""
    typed = request.GET.get("at", "").strip()
    if typed in ("", "now"):
        return Asked()
    try:
        # A plus sign that nobody encoded arrives as a space.
        at = parse_datetime(typed.replace(" ", "+") if "T" in typed else typed)
    except ValueError:
        at = None
    if at is None:
        return Asked(typed=typed, error=_("Give a date and a time, such as 21/11/2026 08:00."))
    if timezone.is_naive(at):
        at = timezone.make_aware(at)
    at = at.astimezone(UTC)
    shown = f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"
    if at > now:
        return Asked(typed=shown, error=_("That is still to come. Choose a moment in the past."))
    if at < EARLIEST:
        return Asked(typed=shown, error=_("Nothing is known of that time. Choose a later one."))
    return Asked(at=at, then=request.GET.get("known") == "then", typed=shown)


def presets(*, now: datetime) -> list[Preset]:
    """08:00 (the situation report) and midnight (the bed-day count), the last two of each."""
    local = timezone.localtime(now)
    found = []
    for clock, name in ((SITREP, "08:00"), (time(0), _("midnight"))):
        for days in (0, 1):
            day = local.date() - timedelta(days=days)
            moment = timezone.make_aware(datetime.combine(day, clock))
            if moment <= now:
                label = _("today") if days == 0 else _("yesterday")
                if clock == time(0):
                    label = _("last") if days == 0 else _("the one before")
                found.append(Preset(f"{name}, {label}", moment.isoformat()))
    return found


def in_words(moment: datetime) -> str:
    """A moment in full, in local time: `Sat 21 Nov 2026, 08:00`."""
    return f"{timezone.localtime(moment):%a %-d %b %Y, %H:%M}"
