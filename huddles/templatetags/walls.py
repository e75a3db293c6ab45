"""Pictures on walls, drawn on the server, and what tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flow.board_types import BedState
from flow.words import BED_STATES
from huddles.meetings.timetable import time_near
from huddles.screens.wall_types import (
    Agreed,
    Bar,
    Bars,
    Boxes,
    Day,
    Jobs,
    Next,
    Picture,
    Spoken,
    Topic,
)

register = template.Library()

WIDTH: Final = 1000.0
HEIGHT: Final = 300.0
_KINDS: Final = {Bars: "bars", Bar: "bar", Day: "day", Boxes: "boxes", Jobs: "jobs"}


@register.filter
def picture_kind(picture: Picture) -> str:
    """Which picture it is; empty for none."""
    return _KINDS.get(type(picture), "") if picture is not None else ""


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """A day's course in a frame 1000 by 300. line: its points; under: the same closed at the
    bottom. open: the height of the line of open beds. least, most: of the values."""

    line: str
    under: str
    open: float
    least: int
    most: int
    ticks: list[tuple[float, str]]


@register.filter
def drawn_day(day: Day) -> DrawnDay:
    """The course of occupied beds through the day; its frame begins a little below the least."""
    values = day.trend.occupied
    least, most = min(values), max(values)
    room = max(4, most - least, abs(day.open - least))
    bottom, top = max(0.0, least - 0.25 * room), max(most, day.open) + 0.1 * room
    step = WIDTH / max(1, len(values) - 1)

    def y(value: float) -> float:
        return round(HEIGHT * (top - value) / (top - bottom), 1)

    points = " ".join(f"{number * step:.1f},{y(value)}" for number, value in enumerate(values))
    ticks = []
    for number in range(len(values)):
        local = timezone.localtime(day.trend.start + number * day.trend.step)
        if local.minute == 0 and local.hour % 6 == 0:
            ticks.append((round(100 * number * step / WIDTH, 1), f"{local:%H:%M}"))
    return DrawnDay(
        line=points,
        under=f"0,{HEIGHT:.0f} {points} {WIDTH:.0f},{HEIGHT:.0f}",
        open=y(day.open),
        least=least,
        most=most,
        ticks=ticks,
    )


@register.filter
def tenths(per_cent: float) -> float:
    """Per cent of a width of 1000."""
    return round(per_cent * 10, 1)


_STRETCHES: Final = {
    "occupied": BedState.OCCUPIED,
    "unready": BedState.UNREADY,
    "free": BedState.AVAILABLE,
    "closed": BedState.CLOSED,
    "not_opened": BedState.NOT_OPENED,
}


@register.filter
def stretch_word(kind: str) -> str:
    """What the beds of a stretch are."""
    return str(BED_STATES[_STRETCHES[kind]]).lower()


@register.simple_tag
def aged(time: datetime | None) -> SafeString | str:
    """How long ago it was, for the screen to count on."""
    if time is None:
        return ""
    said = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    local = f"{timezone.localtime(time):%H:%M}"
    return format_html('<time datetime="{}" data-age>{}</time>', said, local)


@register.filter
def london(time: datetime) -> str:
    """The clock on the wall."""
    return f"{timezone.localtime(time):%H:%M}"


@register.filter
def london_day(time: datetime) -> str:
    """The day under it."""
    return f"{timezone.localtime(time):%a %-d %b}"


_WEEK: Final = timedelta(days=6)


@register.filter
def next_agreed(agreed: Agreed, moment: datetime) -> str:
    """The next thing that is due, as a closed room is told of it; empty for any other zone, and
    where all that is open is late."""
    if not isinstance(agreed, Next) or agreed.due_at is None:
        return ""
    due = time_near(agreed.due_at, moment)
    if agreed.due_at - moment > _WEEK:
        due = f"{timezone.localtime(agreed.due_at):%-d %b %H:%M}"
    about = [agreed.ward, _("bed %(label)s") % {"label": agreed.bed} if agreed.bed else ""]
    parts = [_("Next by %(due)s") % {"due": due}, ", ".join(filter(None, about)), agreed.whose]
    return " · ".join(filter(None, parts))


@register.filter
def agreed_counts(agreed: Agreed, moment: datetime) -> str:
    """How many are open and late; beside the next one, how many are late and how many more come."""
    late = _("%(late)d late") % {"late": agreed.late} if agreed.late else ""
    if next_agreed(agreed, moment):
        left = agreed.open - agreed.late - 1
        more = _("%(more)d more") % {"more": left} if left else ""
        return " · ".join(filter(None, (late, more)))
    said = ngettext("%(open)d action open", "%(open)d actions open", agreed.open)
    return ", ".join(filter(None, (said % {"open": agreed.open}, late)))


@register.filter
def spoken_words(spoken: Spoken, moment: datetime) -> str:
    """What a meeting speaks of, in a sentence."""
    told = {"count": spoken.count, "whole": spoken.whole}
    when = time_near(spoken.at, moment) if spoken.at is not None else ""
    match spoken.topic:
        case Topic.NONE:
            return _("No huddle is set up")
        case Topic.AHEAD:
            words = _("Begins at %(when)s. %(count)s of %(whole)s wards have confirmed")
            return words % (told | {"when": when})
        case Topic.WARD:
            confirmed = _("Confirmed %(when)s") % {"when": when}
            return confirmed if when else _("Not confirmed by the ward")
        case Topic.SAFETY:
            return _safety_words(spoken)
        case Topic.PREVIOUS:
            return ngettext(
                "%(count)d action open from before",
                "%(count)d actions open from before",
                spoken.count,
            ) % {"count": spoken.count}
        case Topic.CLOSE:
            words = ngettext("%(count)d action agreed", "%(count)d actions agreed", spoken.count)
            return words % {"count": spoken.count}
        case Topic.LINES:
            return _("%(count)s of %(whole)s wards have confirmed") % told


def _safety_words(spoken: Spoken) -> str:
    said = _("%(count)s of %(whole)s wards said something.") % {
        "count": spoken.count, "whole": spoken.whole
    }  # fmt: skip
    answers = {
        (True, True): _("Harm and what could hurt: both answered"),
        (True, False): _("Harm: answered. What could hurt: not yet"),
        (False, True): _("Harm: not yet. What could hurt: answered"),
        (False, False): _("Harm and what could hurt: not answered yet"),
    }
    return f"{said} {answers[spoken.harm, spoken.hazard]}"
