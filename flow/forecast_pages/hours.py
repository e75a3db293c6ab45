"""The hours of a forecast that are shown whatever else is, and the parts of its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _

from flow.forecasts.clock import moment_of, weekday_and_hour
from flow.forecasts.horizon import Horizon
from flow.forecasts.outlook import SAID, Fan, Floats, PoolKind
from flow.forecasts.wording import chance_said, time_said

EVENING: Final = 18
"""The local hour that a bed manager decides about in the morning."""
_SOON: Final = 120
"""Minutes: an hour so near is no longer decided about."""
_PARTS: Final = (0, 6, 12, 18)
"""Local hours at which the parts of a day begin."""


def headline_hour(ahead: Horizon) -> int:
    """The place of the hour that a forecast is summed up by: the next evening or morning that is
    not nearer than two hours."""
    hours = weekday_and_hour(ahead.ends)[1]
    far = ahead.ends >= ahead.at + _SOON
    return int(np.flatnonzero(far & np.isin(hours, (8, EVENING)))[0])


def key_hours(ahead: Horizon) -> list[int]:
    """The places of the hours that are always shown: each midnight and eight o'clock, and the
    first evening."""
    hours = weekday_and_hour(ahead.ends)[1]
    evening = int(np.flatnonzero(hours == EVENING)[0])
    return sorted({*ahead.shown_always, evening})


@dataclass(frozen=True, slots=True)
class KeyHour:
    """What is said of one of those hours. place: of the hour. when: in words. sure, likely: at
    least so many beds with 9 and 7 chances in 10, and the words that follow them. most: at most
    so many with 9 in 10. came: the free beds then, None while that is not known; beyond: in words
    that it is fewer than `sure` or more than `most`, else empty. as_is: `sure` without the
    scenario, None where there is none.
    """

    place: int
    when: str
    sure: int
    sure_words: str
    likely: int
    likely_words: str
    most: int
    came: int | None = None
    beyond: str = ""
    as_is: int | None = None


def key_hours_said(
    fan: Fan,
    ahead: Horizon,
    *,
    came: Sequence[int | None] = (),
    as_is: Fan | None = None,
) -> list[KeyHour]:
    """What a fan says of the hours always shown. came: by hour. as_is: the fan without the
    scenario that `fan` shows."""
    found = []
    for place in key_hours(ahead):
        (_sure, sure), (_likely, likely) = fan.said(place, SAID)
        seen = came[place] if came else None
        most = fan.spreads[place].quantile(SAID[0])
        found.append(
            KeyHour(
                place=place,
                when=time_said(int(ahead.ends[place]), at=ahead.at),
                sure=sure,
                sure_words=_("at least, 9 in 10") if sure >= 0 else _or_more(sure, 9),
                likely=likely,
                # Where whoever finds no bed goes elsewhere, none or more are there in any case.
                likely_words=_("a free bed: %(chance)s")
                % {"chance": chance_said(1 - float(fan.full[place]))}
                if likely == 0 and fan.pool.kind is not PoolKind.SITE
                else _or_more(likely, 7),
                most=most,
                came=seen,
                beyond=_beyond(seen, sure, most),
                as_is=as_is.said(place, SAID[:1])[0][1] if as_is is not None else None,
            )
        )
    return found


def short_said(fan: Fan, place: int, ahead: Horizon) -> str:
    """What a fan says of an hour in few words."""
    least = fan.spreads[place].at_least(SAID[0])
    values: dict[str, object] = {
        "least": abs(least),
        "when": time_said(int(ahead.ends[place]), at=ahead.at),
    }
    if least == 0 and fan.pool.kind is not PoolKind.SITE:
        values["chance"] = chance_said(1 - float(fan.full[place]))
        return _("chance of a free bed at %(when)s: %(chance)s") % values
    if least > 0:
        return _("%(least)d or more free at %(when)s (9 in 10)") % values
    if least == 0:
        return _("a bed for everybody at %(when)s (9 in 10)") % values
    return _("at most %(least)d without a bed at %(when)s (9 in 10)") % values


def _or_more(number: int, sure: int) -> str:
    """At least so many free beds; below 0 at most so many patients without one."""
    values = {"number": abs(number), "sure": _("%(number)d\u00a0in\u00a010") % {"number": sure}}
    if number < 0:
        return _("at most %(number)d without a bed, %(sure)s") % values
    return _("%(number)d or more, %(sure)s") % values


def _beyond(seen: int | None, least: int, most: int) -> str:
    if seen is None or least <= seen <= most:
        return ""
    return _("fewer than was said") if seen < least else _("more than was said")


@dataclass(frozen=True, slots=True)
class DayPart:
    """A part of a day: the expected numbers of patients who leave and come in it. day: of which
    day, empty where it is that of the part before. left: leave the site. out, into: move to and
    from other wards. emergency, listed, to_come: come from the emergency department, by name, and
    not known of yet. Of who comes and leaves again, the part of the day tells the difference
    alone."""

    day: str
    when: str
    left: float
    out: float
    into: float
    emergency: float
    listed: float
    to_come: float

    @property
    def change(self) -> float:
        """Free beds more by the end of the part, all other things equal."""
        come = self.into + self.emergency + self.listed + self.to_come
        return self.left + self.out - come


def day_parts(fan: Fan, ahead: Horizon) -> list[DayPart]:
    """Arrivals and departures in each part of the days ahead; the first and the last may be
    shorter."""
    ends = ahead.ends
    hours = weekday_and_hour(ends)[1]
    bounds = [n for n in range(ends.size) if int(hours[n]) in _PARTS]
    if bounds[-1] != ends.size - 1:
        bounds.append(ends.size - 1)
    found: list[DayPart] = []
    day = ""
    for before, last in pairwise([-1, *bounds]):
        begin = ahead.at if before < 0 else int(ends[before])
        local = timezone.localtime(moment_of(begin))
        end = timezone.localtime(moment_of(int(ends[last])))
        this = f"{local:%a %-d %b}"
        until = "24:00" if end.hour == 0 else f"{end:%H:%M}"
        parts = fan.parts
        come = [
            _within(one, before, last) for one in (parts.emergency, parts.listed, parts.to_come)
        ]
        # More of those who had come leave than come anew.
        left = _within(parts.left, before, last) - sum(min(0.0, one) for one in come)
        emergency, listed, to_come = (max(0.0, one) for one in come)
        found.append(
            DayPart(
                day="" if this == day else this,
                when=_("%(begin)s to %(end)s") % {"begin": f"{local:%H:%M}", "end": until},
                left=left,
                out=_within(parts.moved_out, before, last),
                into=_within(parts.moved_in, before, last),
                emergency=emergency,
                listed=listed,
                to_come=to_come,
            )
        )
        day = this
    return found


def _within(cumulated: Floats, before: int, last: int) -> float:
    return float(cumulated[last] - (cumulated[before] if before >= 0 else 0.0))
