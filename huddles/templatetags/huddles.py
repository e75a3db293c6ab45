"""How the pages of huddles write numbers, times and kept values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from huddles.meetings.addresses import stamp as as_stamp
from huddles.meetings.figures import SHORT
from huddles.meetings.helping import Help
from huddles.meetings.timetable import time_near
from huddles.models import Section

register = template.Library()
T = TypeVar("T")
IN_A_ROOM: Final = 4
"""Of a list."""


@register.filter
def number(value: int | None) -> SafeString | int:
    """A number, or a dash where it is not known."""
    if value is None:
        return format_html('<span aria-hidden="true">–</span><span class="unseen">{}</span>',
                           _("not known"))  # fmt: skip
    return value


@register.filter
def positive(value: int) -> int:
    """A number without its sign."""
    return abs(value)


@register.filter
def short_figure(name: str) -> str:
    """What a figure is called in the head of a table."""
    return str(SHORT.get(name, name))


@register.filter
def section_label(name: str) -> str:
    """What a part of the agenda is called."""
    return str(Section(name).label)


@register.filter
def moment_of(text: str | None) -> datetime | None:
    """The moment that a kept meeting holds as text."""
    return datetime.fromisoformat(text) if text else None


@register.filter
def hour(value: datetime | str | None) -> str:
    """The local time of day."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{timezone.localtime(moment):%H:%M}"


@register.filter
def near(value: datetime | str | None, other: datetime) -> str:
    """The local time of day; with the day where it is not that of `other`."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time_near(moment, other)


@register.filter
def stamp(value: datetime) -> str:
    """The start of a meeting, as an address names it."""
    return as_stamp(value)


@register.filter
def at_key(mapping: dict[str, Any], key: str) -> Any:
    """What a mapping holds under a key."""
    return mapping.get(key)


@register.filter
def first_few(rows: Sequence[T], with_deeds: bool) -> Sequence[T]:
    """All where something can be done about them; on a room's screen those that find room."""
    return rows if with_deeds else rows[:IN_A_ROOM]


@register.simple_tag
def help_line(one: Help, moment: datetime) -> str:
    """What a click on a thing that would help puts into the line of an action."""
    return one.line(at=moment)
