"""What the page of a site's forecast shows of the beds chosen, put into words and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from flow.forecast_pages.fan import HourRow, fan_figure, hour_rows, marks_of
from flow.forecast_pages.hours import (
    DayPart,
    KeyHour,
    day_parts,
    headline_hour,
    key_hours_said,
    short_said,
)
from flow.forecast_pages.pools import Choice, choices, fans_of, name_of, value_of
from flow.forecast_pages.reading import Seen
from flow.forecast_pages.supposing import Supposed
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.horizon import Horizon
from flow.forecasts.outlook import SAID, Fan, PoolKind
from flow.forecasts.recorded import Part, Until, What
from flow.forecasts.wording import (
    beds_said,
    days_said,
    fan_said,
    mark_said,
    time_said,
    waiting_said,
)


@dataclass(frozen=True, slots=True)
class Beds:
    """The beds chosen. value, name: as an address names them and in words; choices: what to choose
    among. headline: in a sentence; waiting: the chance that nobody waits too long, in a sentence,
    empty where that is not told of these beds; both also without the scenario (`as_it_is`), where
    there is one. little: that it rests on little, or empty. is_counted: whether the chart has beds
    that were counted. parts: of the days; moves: whether
    patients move between these beds and others of the site. figure: the chart as JSON, sentence:
    the same in words, hours: as a table. uncounted: of patients in beds that are not open, in a
    sentence, empty where there are none. marks: what is planned. glance, glance_as_it_is: the
    hour of the headline in few words, with and without the scenario."""

    value: str
    name: str
    choices: Sequence[tuple[str, Sequence[Choice]]]
    patients: int
    free_now: int
    headline: str
    waiting: str
    little: str
    key_hours: Sequence[KeyHour]
    parts: Sequence[DayPart]
    moves: bool
    figure: str
    sentence: str
    hours: Sequence[HourRow]
    uncounted: str
    marks: Sequence[str]
    as_it_is: str = ""
    waiting_as_it_is: str = ""
    is_counted: bool = False
    glance: str = ""
    glance_as_it_is: str = ""


def beds_shown(
    board: ForecastBoard,
    fan: Fan,
    *,
    seen: Sequence[Seen] = (),
    came: Sequence[int | None] = (),
    supposed: Supposed | None = None,
) -> Beds:
    """The beds of a fan. seen: free beds as counted; came: at each hour of the forecast."""
    names = {key: place.name for key, place in board.places.items()}
    ahead = board.ahead
    shown = fan if supposed is None else supposed.fan
    as_is = None if supposed is None else fan
    place = headline_hour(ahead)
    queue = board.waiting if fan is board.fan else None
    queue_if = queue if supposed is None else supposed.waiting
    marks = marks_of(fan, board.marks)
    return Beds(
        value="" if fan is board.fan else value_of(fan),
        name=name_of(fan),
        choices=choices(fans_of(board)),
        patients=fan.patients,
        free_now=fan.free_now,
        headline=beds_said(shown, place, ahead),
        waiting=waiting_said(queue_if, place, ahead) if queue_if else "",
        little=days_said(board.days_known or 0),
        key_hours=key_hours_said(shown, ahead, came=came, as_is=as_is),
        parts=day_parts(shown, ahead),
        moves=fan.pool.kind is not PoolKind.SITE,
        figure=fan_figure(shown, ahead, marks=marks, names=names, seen=seen, as_is=as_is),
        sentence=fan_said(shown, ahead),
        hours=hour_rows(shown, ahead, came=came, as_is=as_is),
        uncounted=_uncounted(fan, ahead),
        marks=[mark_said(mark, names, at=ahead.at) for mark in marks],
        as_it_is=beds_said(fan, place, ahead) if supposed else "",
        waiting_as_it_is=waiting_said(queue, place, ahead) if supposed and queue else "",
        is_counted=bool(seen),
        glance=short_said(shown, place, ahead),
        glance_as_it_is=short_said(fan, place, ahead) if supposed else "",
    )


def _uncounted(fan: Fan, ahead: Horizon) -> str:
    """Why fewer beds are open from the first hour on than are free or taken now: a patient in a bed
    that is not open then takes none of the others, and leaves none behind (see `beds`)."""
    now = fan.free_now + fan.patients
    beds = now - int(fan.open[0])
    if beds <= 0:
        return ""
    return ngettext(
        "Now %(now)d beds are free or taken; from %(when)s on %(open)d are counted as open. "
        "%(beds)d patient is in a bed that is closed, not on the books, or an escalation bed that "
        "nobody has said to be open: it is taken to stay shut once the patient leaves.",
        "Now %(now)d beds are free or taken; from %(when)s on %(open)d are counted as open. "
        "%(beds)d patients are in beds that are closed, not on the books, or escalation beds that "
        "nobody has said to be open: these are taken to stay shut once the patients leave.",
        beds,
    ) % {
        "now": now,
        "when": time_said(int(ahead.ends[0]), at=ahead.at),
        "open": int(fan.open[0]),
        "beds": beds,
    }


@dataclass(frozen=True, slots=True)
class Leaves:
    """How many leave until then, of those who are there: at least, with 9 and 7 chances in 10, and
    at most with 9."""

    until: str
    sure: int
    likely: int
    most: int


UNTIL_WORDS: Final[Mapping[Until, str | Promise]] = {
    Until.EVENING: lazy("18:00"),
    Until.MIDNIGHT: lazy("midnight"),
    Until.DAY: lazy("24 hours from then"),
    Until.TWO_DAYS: lazy("48 hours from then"),
    Until.THREE_DAYS: lazy("72 hours from then"),
}
"""Until when numbers are told."""


def leaving_shown(board: ForecastBoard) -> Iterator[Leaves]:
    """How many leave the site, for who sees all of it."""
    told = {
        number.until: number.spread
        for number in board.numbers
        if number.what is What.DEPARTURES and number.part is Part.SITE
    }
    for until, label in UNTIL_WORDS.items():
        if (spread := told.get(until)) is not None:
            sure, likely = (spread.at_least(chance) for chance in SAID)
            yield Leaves(str(label), sure, likely, spread.quantile(SAID[0]))
