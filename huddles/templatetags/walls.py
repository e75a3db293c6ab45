"""Pictures on walls, drawn on the server, and what tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flow.board_types import BedState
from flow.words import BED_STATES
from huddles.screens.wall_types import Bar, Bars, Boxes, Day, Jobs, Picture

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
