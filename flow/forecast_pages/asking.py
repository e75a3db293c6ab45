"""What the address of the accuracy page asks for, and what of it makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from flow.forecasts.accuracy import DAYS, MOST_DAYS, Asked, By
from flow.forecasts.clock import is_meant
from flow.forecasts.recorded import STANDARD_HOURS, Part, Until, What

WHAT_WORDS: Final[Mapping[What, str | Promise]] = {
    What.DEPARTURES: lazy("Patients who leave"),
    What.ADMISSIONS: lazy("Patients who come to a bed"),
    What.FREE_BEDS: lazy("Free beds"),
    What.WAITS: lazy("Patients who wait over 4 hours for a bed"),
}
UNTIL_WORDS: Final[Mapping[Until, str | Promise]] = {
    Until.DAY: lazy("24 hours ahead"),
    Until.TWO_DAYS: lazy("48 hours ahead"),
    Until.THREE_DAYS: lazy("72 hours ahead"),
    Until.EVENING: lazy("until 18:00"),
    Until.MIDNIGHT: lazy("until midnight"),
}
BY_WORDS: Final[Mapping[By, str | Promise]] = {
    By.WARD: lazy("Ward"),
    By.SPECIALTY: lazy("Specialty"),
    By.HOUR: lazy("Hour issued"),
    By.UNTIL: lazy("How far ahead"),
}
PERIODS: Final = (7, 28, 91, 365)
NAMES: Final = ("of", "what", "until", "hour", "from", "to", "by")

Pairs = tuple[tuple[str, str], ...]
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked. part, key: of which patients or beds: the site, a ward by primary key, or a
    specialty by code. by: what the second table tells apart. chosen: as the address says it.
    errors: by field, in words for whoever typed it."""

    part: Part
    key: str
    what: What
    until: Until
    hour: int | None
    first: date
    last: date
    by: By
    chosen: Pairs
    typed: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def asked(self) -> Asked:
        """The same as the board takes it."""
        by = {Part.WARD: By.WARD, Part.SPECIALTY: By.SPECIALTY}.get(self.part)
        return self.telling_apart(by)

    def telling_apart(self, by: By | None) -> Asked:
        """The same for a table by something."""
        hours = () if self.hour is None else (self.hour,)
        return Asked(self.first, self.last, self.what, self.until, hours, by)

    def with_(self, name: str, value: str) -> str:
        """The address with another value of one name."""
        said = [pair for pair in self.chosen if pair[0] != name]
        return "?" + urlencode([*said, *([(name, value)] if value else [])])

    def of_days(self, days: int) -> str:
        """The address of the last so many days."""
        said = [pair for pair in self.chosen if pair[0] not in ("from", "to")]
        first = self.last - timedelta(days=days - 1)
        return "?" + urlencode([*said, ("from", first.isoformat()), ("to", self.last.isoformat())])


def wish(query: QueryDict, *, today: date) -> Wish:
    """Read the address; what makes no sense is left out and told."""
    errors: dict[str, str] = {}
    typed = {name: query.get(name, "").replace("\0", "")[:80] for name in NAMES}
    part, key = _of(typed["of"], errors)
    last = _day(typed, "to", errors) or today
    first = _day(typed, "from", errors) or last - timedelta(days=DAYS - 1)
    if first > last:
        errors["from"] = _("The first day lies after the last one.")
        first = last
    elif last - first > timedelta(days=MOST_DAYS):
        errors["from"] = _("Ask for two years at most.")
        first = last - timedelta(days=MOST_DAYS)
    what = _one(What, typed["what"], What.DEPARTURES, "what", errors)
    until = _one(Until, typed["until"], Until.DAY, "until", errors)
    return Wish(
        part=part,
        key=key,
        what=what,
        # Wards and specialties are told of 24 hours ahead alone.
        until=until if part is Part.SITE else Until.DAY,
        hour=_hour(typed["hour"], errors),
        first=first,
        last=last,
        by=_one(By, typed["by"], By.WARD, "by", errors),
        chosen=tuple((name, value) for name, value in typed.items() if value),
        typed=typed,
        errors=errors,
    )


def _of(said: str, errors: dict[str, str]) -> tuple[Part, str]:
    kind, _colon, key = said.partition(":")
    if not said:
        return Part.SITE, ""
    if kind == Part.WARD and key.isascii() and key.isdigit():
        return Part.WARD, str(int(key))
    if kind == Part.SPECIALTY and key:
        return Part.SPECIALTY, key
    errors["of"] = _("Choose the site, a ward or a specialty from the list.")
    return Part.SITE, ""


def _day(typed: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    if not typed[name]:
        return None
    try:
        found = parse_date(typed[name])
    except ValueError:
        found = None
    if found is None or not is_meant(found):
        errors[name] = _("Give a date, such as 21/11/2026.")
        return None
    return found


def _hour(said: str, errors: dict[str, str]) -> int | None:
    if not said:
        return None
    if said in {str(hour) for hour in STANDARD_HOURS}:
        return int(said)
    errors["hour"] = _("Forecasts of these hours are scored: %(hours)s.") % {
        "hours": ", ".join(f"{hour:02}:00" for hour in STANDARD_HOURS)
    }
    return None


def _one(kind: type[E], said: str, usual: E, name: str, errors: dict[str, str]) -> E:
    if not said:
        return usual
    try:
        return kind(said)
    except ValueError:
        errors[name] = _("“%(value)s” is nothing to choose here.") % {"value": said[:40]}
        return usual
