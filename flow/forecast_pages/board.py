"""What the page of a site's forecast shows: one frozen value, put together from the forecast as it
was issued, what came of it, and a scenario if one is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow.forecast_pages.fan import HourRow, fan_figure, hour_rows, marks_of
from flow.forecast_pages.hours import (
    DayPart,
    KeyHour,
    day_parts,
    headline_hour,
    key_hours_said,
)
from flow.forecast_pages.pools import Choice, choices, chosen, fans_seen, name_of, value_of
from flow.forecast_pages.reading import TRACE, Told, at_ends, free_beds_counted
from flow.forecast_pages.supposing import Supposed
from flow.forecasts.clock import moment_of
from flow.forecasts.outlook import Fan, Outlook
from flow.forecasts.recorded import Until, What
from flow.forecasts.wording import (
    Names,
    beds_said,
    chance_said,
    days_said,
    fan_said,
    mark_said,
    waiting_said,
)
from flow.models import ForecastModel
from wards.models import Site, Ward
from wards.scope import Scope


@dataclass(frozen=True, slots=True)
class Leaves:
    """How many leave until then, of those who are there: at least, with 9 and 7 chances in 10, and
    between which numbers 9 in 10 lie."""

    until: str
    sure: int
    likely: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ForecastBoard:
    """A forecast as its page shows it.

    at, issued_at: of the forecast. model: which spoke. stale: a newer one should be there. whole:
    whether the viewer sees the whole site. pool, pool_name: the beds shown, as an address names
    them and in words; pools: what to choose among. free_now: beds. headline: in a sentence;
    waiting: the chance that nobody waits too long, in a sentence, empty where that is not told.
    little: that it rests on little, or empty. key_hours, parts, hours: see their classes. figure:
    the chart as JSON, sentence: in words. marks: what is planned. is_past: of a moment asked for;
    its hours say what came where that is known. supposed: the scenario that is tried, and what it
    does; what was said without it stands in `as_it_is` and `waiting_as_it_is`. leaving: where
    nothing is told of beds, how many leave.
    """

    at: datetime
    issued_at: datetime
    model: ForecastModel
    stale: bool
    whole: bool
    is_past: bool
    pool: str
    pool_name: str
    pools: Sequence[tuple[str, Sequence[Choice]]]
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
    leaving: Sequence[Leaves]
    supposed: Supposed | None = None
    as_it_is: str = ""
    waiting_as_it_is: str = ""

    @property
    def has_beds(self) -> bool:
        """Whether anything is told of beds."""
        return bool(self.key_hours)


def ward_names(site: Site) -> dict[int, str]:
    """The names of a site's wards; one query."""
    return dict(Ward.objects.filter(site=site, same_as=None).values_list("pk", "name"))


def forecast_board(
    site: Site,
    told: Told,
    *,
    scope: Scope,
    wanted: str,
    names: Names,
    now: datetime,
    is_past: bool = False,
    supposed: Supposed | None = None,
) -> ForecastBoard | None:
    """The board; None where the viewer may see none of the beds it tells of, or not those that are
    `wanted`. One query, for the beds that were counted."""
    outlook = told.outlook
    fans = fans_seen(outlook, scope, site.pk) if outlook is not None else []
    if outlook is None or not fans:
        return _without_beds(site, told, scope=scope, now=now, is_past=is_past)
    fan = chosen(fans, wanted) if wanted else fans[0]
    if fan is None:
        return None
    seen = free_beds_counted(
        site.pk,
        fan.pool,
        since=told.row.at - TRACE,
        until=moment_of(int(outlook.ends[-1])) + timedelta(minutes=1) if is_past else told.row.at,
    )
    came = at_ends(seen, outlook.ends) if is_past else []
    shown = fan if supposed is None else supposed.fan
    as_is = None if supposed is None else fan
    waits = _waits(outlook, fan)
    place = headline_hour(outlook)
    return ForecastBoard(
        at=told.row.at,
        issued_at=told.row.issued_at,
        model=told.row.model,
        stale=not is_past and told.is_stale(now),
        whole=fans[0] is outlook.site,
        is_past=is_past,
        pool=value_of(fan) if wanted else "",
        pool_name=name_of(fan),
        pools=choices(fans),
        patients=fan.patients,
        free_now=fan.free_now,
        headline=beds_said(shown, place, outlook),
        waiting=_waiting(outlook, fan, supposed),
        little=days_said(outlook),
        key_hours=key_hours_said(shown, outlook, came=came, as_is=as_is),
        parts=day_parts(shown, outlook),
        moves=bool(fan.parts.moved_in.any() or fan.parts.moved_out.any()),
        figure=fan_figure(shown, outlook, names=names, seen=seen, as_is=as_is),
        sentence=fan_said(shown, outlook),
        hours=hour_rows(shown, outlook, came=came, as_is=as_is),
        marks=[mark_said(mark, names, at=outlook.at) for mark in marks_of(fan, outlook)],
        leaving=(),
        supposed=supposed,
        as_it_is=beds_said(fan, place, outlook) if supposed else "",
        waiting_as_it_is=waiting_said(outlook.waiting, place, outlook)
        if supposed and waits and outlook.waiting
        else "",
    )


def _waits(outlook: Outlook, fan: Fan) -> bool:
    """The queue is one for the whole site."""
    return fan is outlook.site and outlook.waiting is not None


def _waiting(outlook: Outlook, fan: Fan, supposed: Supposed | None) -> str:
    if not _waits(outlook, fan):
        return ""
    waiting = supposed.waiting if supposed else outlook.waiting
    return waiting_said(waiting, headline_hour(outlook), outlook) if waiting else ""


_UNTIL = {
    Until.EVENING: "18:00",
    Until.MIDNIGHT: "midnight",
    Until.DAY: "24 hours",
    Until.TWO_DAYS: "48 hours",
    Until.THREE_DAYS: "72 hours",
}
