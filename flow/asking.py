"""The moment a page was asked for: `?at=`, and the moments people ask for most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from flow.beginning import SETTLED, Records, records

SITREP: Final = time(8)
"""When the daily situation report counts beds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `?at=` asks for. at: a past moment; None for now. then: only what was known at that
    moment counts (`known=then`). typed: for the form to show again. error: why what was typed is
    no moment, in words for the person who typed it. records: when they begin, for a past moment."""

    at: datetime | None = None
    then: bool = False
    typed: str = ""
    error: str = ""
    records: Records = field(default=Records(), compare=False)

    @property
    def nothing_known(self) -> bool:
        """Whether nothing of the moment had been recorded when it was asked to be known."""
        return self.known_at is not None and not self.records.known_by(self.known_at)

    @property
    def caveats(self) -> list[str]:
        """What to bear in mind of the figures of a past moment, in sentences."""
        if self.at is None or self.nothing_known:
            return []
        said, told = [], self.records
        if not told.is_complete(self.at, known_at=self.known_at):
            said.append(_incomplete(told, then=self.then))
        if not told.tells_cleaning(self.at):
            since = (
                _("Cleaning is not told of before %(since)s") % {"since": in_words(told.cleaning)}
                if told.cleaning
                else _("Cleaning is not told of")
            )
            said.append(_("%(since)s: beds to be cleaned count as free.") % {"since": since})
        return said

    @property
    def known_at(self) -> datetime | None:
        """Until when what was recorded counts; None for all that is known now."""
        return self.at if self.then else None

    @property
    def query(self) -> str:
        """To be added to links, so that they lead to the same moment."""
        return "?" + urlencode(self.pairs) if self.pairs else ""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The same as names and values; none for now."""
        if self.at is None:
            return ()
        at = ("at", self.at.isoformat())
        return (at, ("known", "then")) if self.then else (at,)


def tidy(path: str, query: QueryDict) -> str:
    """The address without what a form sent empty: it is there to be sent to somebody."""
    said = [(name, v) for name, values in query.lists() for v in values if v]
    return path + ("?" + urlencode(said) if said else "")


def _incomplete(told: Records, *, then: bool) -> str:
    """From when on figures are whole."""
    if told.begin is None or told.recorded is None or told.complete is None:
        return _("Nobody has been told to have left yet: who left before is missing here.")
    first, whole = told.begin, told.complete
    if then:
        first, whole = max(first, told.recorded), max(whole, told.recorded + SETTLED)
    return _(
        "The records begin on %(begin)s; figures before %(whole)s are incomplete: not everybody "
        "who was here is in them."
    ) % {"begin": in_words(first), "whole": in_words(whole)}


@dataclass(frozen=True, slots=True)
class Preset:
    """A moment to choose by its name."""

    label: str
    value: str


def _read(*, at: datetime) -> Records:
    return records(at=at, known_at=at)


def asked(request: HttpRequest, *, now: datetime, told: Callable[..., Records] = _read) -> Asked:
    """Read `?at=`: a date and time as a form sends it (local time) or with an offset.

    `told` says when the records begin; it is asked for a moment of the past alone.
    """
    typed = request.GET.get("at", "").strip()
    if typed in ("", "now"):
        return Asked()
    try:
        # A plus sign that nobody encoded arrives as a space.
        at = parse_datetime(typed.replace(" ", "+") if "T" in typed else typed)
        if at is not None:
            at = (timezone.make_aware(at) if timezone.is_naive(at) else at).astimezone(UTC)
            shown = f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"
    except (ValueError, OverflowError):  # also a time at the very edge of the calendar
        at = None
    if at is None:
        return Asked(typed=typed, error=_("Give a date and a time, such as 21/11/2026 08:00."))
    if at > now:
        return Asked(typed=shown, error=_("That is still to come. Choose a moment in the past."))
    begin = told(at=at)
    if begin.begin is None:
        return Asked(typed=shown, error=_("Nothing has been recorded yet; there is no past."))
    if not begin.tells_of(at):
        reason = _("Nothing is known of that time: the records begin on %(begin)s.")
        return Asked(typed=shown, error=reason % {"begin": in_words(begin.begin)})
    then = request.GET.get("known") == "then"
    return Asked(at=at, then=then, typed=shown, records=begin)


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
