"""What the templates of boards need to say: times, durations, shares, icons, small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from flow import words
from flow.board_types import BayBox, Trend
from flow.figure_types import Figures, Group
from flow.flow_map_types import FlowEdge, FlowMap, FlowNode, Sign
from patients.nhs_number import spaced

register = template.Library()

_SPARK_WIDTH: Final = 72.0
_SPARK_HEIGHT: Final = 18.0


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A small picture; with `label`, also in words for those who do not see it."""
    picture = format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )
    if label:
        return format_html('{}<span class="unseen">{}</span>', picture, label)
    return picture


@register.filter
def duration(length: timedelta | None) -> str:
    """A length of time, the longer the coarser; page.js writes the same as time goes on."""
    if length is None:
        return ""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours = minutes // 1440, minutes // 60
    if days >= 3:
        return f"{days} d"
    if hours >= 24:
        return f"{days} d {hours % 24} h"
    if hours >= 10:
        return f"{hours} h"
    if hours >= 1:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "< 1 min"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.simple_tag
def ago(since: datetime | None, moment: datetime, live: bool = True) -> SafeString | str:
    """How long before `moment` it was; on a live board the browser counts on."""
    if since is None:
        return ""
    return format_html(
        '<time datetime="{}"{}>{}</time>',
        _iso(since),
        SafeString(" data-tick") if live else "",
        duration(moment - since),
    )


@register.simple_tag
def clock(time: datetime | None, moment: datetime | None = None) -> SafeString | str:
    """The local time; with the day where it is not the day of `moment`."""
    if time is None:
        return ""
    local = timezone.localtime(time)
    today = moment is not None and timezone.localtime(moment).date() == local.date()
    text = f"{local:%H:%M}" if today else f"{local:%a %-d %b %H:%M}"
    return format_html('<time datetime="{}">{}</time>', _iso(time), text)


@register.simple_tag
def day(time: datetime | None, moment: datetime) -> str:
    """A day near the moment in short: today, tomorrow, yesterday, `Tue`; further off `24 Nov`."""
    if time is None:
        return ""
    local, now = timezone.localtime(time), timezone.localtime(moment)
    away = (local.date() - now.date()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return near.get(away) or (f"{local:%a}" if 1 < away < 7 else f"{local:%-d %b}")


@register.filter
def percent(share: float | None) -> str:
    """A share as a whole per cent; rounded down from below 100, so that 100 means full."""
    if share is None:
        return "–"
    whole = round(share * 100)
    return f"{min(whole, 99) if share < 1 else whole} %"


@register.filter
def node_word(node: str) -> str:
    """What the boards call a kind of place."""
    return str(words.NODES[node])


@register.filter
def state_word(state: str) -> str:
    """What the boards call a bed's state."""
    return str(words.BED_STATES[state])


@register.filter
def state_icon(state: str) -> str:
    """The icon of a bed's state."""
    return words.STATE_ICONS[state]


@register.filter
def bed_word(kind: str) -> str:
    """What one holds on a ward of this kind."""
    return _("place") if kind in words.PLACES else _("bed")


@register.filter
def beds_word(kind: str) -> str:
    """What a ward of this kind has."""
    return _("places") if kind in words.PLACES else _("beds")


@register.filter
def group_word(group: Group | None) -> str:
    """What is added up in a total of this group."""
    return str(words.GROUPS[group]) if group else _("beds and places")


@register.filter
def group_short(group: Group) -> str:
    """The same in a narrow column."""
    return str(words.GROUPS_SHORT[group])


@register.filter
def wait_word(kind: str) -> str:
    """What somebody waits for."""
    return str(words.WAITS[kind])


@register.filter
def doubts(flags: Iterable[str]) -> list[str]:
    """What is uncertain about a stay, in sentences."""
    return [str(words.DOUBTS[flag]) for flag in flags if flag in words.DOUBTS]


@register.filter
def to_check(flags: Iterable[str] | None) -> bool:
    """Whether somebody should go and look."""
    return not words.TO_CHECK.isdisjoint(flags or ())


@register.filter
def code_word(code: str) -> str:
    """A local code (`general_medicine`) as words (`General medicine`)."""
    return code.replace("_", " ").capitalize() if code.islower() else code


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar, in per cent of its length."""

    kind: str
    x: float
    width: float


@register.filter
def bed_parts(figures: Figures) -> Sequence[Part]:
    """The beds of a census as stretches of one bar: occupied, not ready, free, closed."""
    counts = (
        ("occupied", figures.beds_occupied),
        ("unready", figures.beds_unready),
        ("free", figures.beds_available),
        ("closed", figures.beds_closed),
        ("not_opened", figures.beds_not_opened),
    )
    total = sum(count for _, count in counts)
    parts, x = [], 0.0
    for kind, count in counts:
        if count:
            width = 100 * count / total
            parts.append(Part(kind, round(x, 2), round(width, 2)))
            x += width
    return parts


@register.filter
def spark(trend: Trend) -> str:
    """The points of a line 72 by 18 through a day's values; its own least and most fill it."""
    values = trend.occupied
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    room = _SPARK_HEIGHT - 4
    step = _SPARK_WIDTH / (len(values) - 1)
    return " ".join(
        f"{number * step:.1f},{_SPARK_HEIGHT - 2 - room * (value - low) / ((high - low) or 1):.1f}"
        for number, value in enumerate(values)
    )


@register.filter
def bed_days(waited: timedelta) -> int:
    """Days that all who wait have waited together."""
    return round(waited / timedelta(days=1))


@register.filter
def why(edge: FlowEdge) -> str:
    """What shows that a move is stuck, in words; of one that is not, how it does."""
    said = {
        Sign.WORK: _("%(moved)d moved in 24 h") % {"moved": edge.patients},
        Sign.GROWTH: _("%(more)s in 24 h") % {"more": signed(edge.waiting - edge.waiting_24h)},
    }
    return " · ".join(words for sign, words in said.items() if sign in (edge.signs or said))


@register.filter
def ways_out(flow: FlowMap) -> list[tuple[FlowNode, list[FlowEdge]]]:
    """The kinds of place that somebody left or waits to leave, each with where to."""
    found = [(node, [e for e in flow.edges if e.origin == node.node]) for node in flow.nodes]
    return [(node, edges) for node, edges in found if edges]


@register.filter
def signed(number: int) -> str:
    """A difference with its sign."""
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "±0"


@register.filter
def minus(one: int, other: int) -> int:
    """A difference."""
    return one - other


@register.filter
def json_text(text: str) -> SafeString:
    """JSON for a data block of a page: nothing in it can end the block."""
    escaped = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return SafeString(escaped)


@dataclass(frozen=True, slots=True)
class Box:
    """What stands in one frame on a bed board: a bay, or single rooms that follow each other.

    rooms: whether it is single rooms, each tile then named for its room.
    """

    name: str
    sex: str
    bays: Sequence[BayBox]
    rooms: bool

    @property
    def beds(self) -> int:
        """How many beds stand in it."""
        return sum(len(bay.beds) for bay in self.bays)

    @property
    def across(self) -> int:
        """In how many columns: two rows, as in most bays, up to four columns; 8 fills the line."""
        return max(1, min(4, (self.beds + 1) // 2)) if self.beds <= 12 else 8


@register.filter
def walk(bays: Sequence[BayBox]) -> list[Box]:
    """The bays in the order one walks them, neighbouring single rooms in one frame."""
    boxes: list[Box] = []
    for single, group in groupby(bays, key=lambda bay: bay.id is not None and len(bay.beds) == 1):
        listed = list(group)
        if single and len(listed) > 1:
            boxes.append(Box(_("Single rooms"), "any", listed, rooms=True))
        else:
            boxes += [Box(bay.name or bay.code, bay.sex, [bay], rooms=False) for bay in listed]
    return boxes


@register.filter
def entry(table: Mapping[int, object], key: int) -> object:
    """What stands in the table under the key; None where nothing does."""
    return table.get(key)


@register.filter
def across(count: int) -> str:
    """How many columns a group of cards needs: 1 to 3, or `all` of the width."""
    return str(count) if count <= 3 else "all"


@register.filter
def nhs_number(number: str) -> str:
    """As people read it: 999 123 4567."""
    return spaced(number)
