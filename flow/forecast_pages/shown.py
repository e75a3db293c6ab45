"""What the page of a site's forecast shows of the beds chosen, put into words and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from flow.forecast_pages.fan import HourRow, fan_figure, hour_rows, marks_of
from flow.forecast_pages.hours import (
    DayPart,
    KeyHour,
    day_parts,
    headline_hour,
    key_hours_said,
)
from flow.forecast_pages.pools import Choice, choices, fans_of, name_of, value_of
from flow.forecast_pages.reading import Seen
from flow.forecast_pages.supposing import Supposed
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.outlook import SAID, Fan, PoolKind
from flow.forecasts.recorded import Part, Until, What
from flow.forecasts.wording import beds_said, days_said, fan_said, mark_said, waiting_said


@dataclass(frozen=True, slots=True)
class Beds:
    """The beds chosen. value, name: as an address names them and in words; choices: what to choose
    among. headline: in a sentence; waiting: the chance that nobody waits too long, in a sentence,
    empty where that is not told of these beds; both also without the scenario (`as_it_is`), where
    there is one. little: that it rests on little, or empty. is_counted: whether the chart has beds
    that were counted. parts: of the days; moves: whether
    patients move between these beds and others of the site. figure: the chart as JSON, sentence:
    the same in words, hours: as a table. marks: what is planned."""

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
    marks: Sequence[str]
    as_it_is: str = ""
    waiting_as_it_is: str = ""
    is_counted: bool = False


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
        marks=[mark_said(mark, names, at=ahead.at) for mark in marks],
        as_it_is=beds_said(fan, place, ahead) if supposed else "",
        waiting_as_it_is=waiting_said(queue, place, ahead) if supposed and queue else "",
        is_counted=bool(seen),
    )


@dataclass(frozen=True, slots=True)
class Leaves:
    """How many leave until then, of those who are there: at least, with 9 and 7 chances in 10, and
    between which numbers 9 in 10 lie."""

    until: str
    sure: int
    likely: int
    low: int
    high: int


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
            low, high = spread.central(SAID[0])
            sure, likely = (spread.at_least(chance) for chance in SAID)
            yield Leaves(str(label), sure, likely, low, high)
