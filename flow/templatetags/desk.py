"""What the desk's templates need."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _

from flow.desk.clocks import TWELVE_HOURS, Clock
from flow.desk.types import Need
from flow.desk.words import CLOCKS, KINDS, STATES, needed_words, short

register = template.Library()


@register.filter
def kind_words(kind: str) -> str:
    """Why a bed is needed."""
    return str(KINDS[kind])


@register.filter
def clock_words(clock: Clock) -> str:
    """Which clock."""
    return str(CLOCKS[clock.kind])


@register.filter
def clock_left(clock: Clock, moment: datetime) -> str:
    """What is left of it, or by how much it is over."""
    left = short(clock.left(moment))
    if clock.is_over(moment):
        return _("%(time)s over") % {"time": left}
    return _("%(time)s left") % {"time": left}


@register.filter
def clock_class(clock: Clock, moment: datetime) -> str:
    """How it is marked."""
    if clock.is_over(moment):
        return "is-over"
    return "is-near" if clock.is_near(moment) else ""


@register.filter
def next_clock(need: Need, moment: datetime) -> Clock | None:
    """The clock of a need that runs out next."""
    return need.next_clock(moment)


@register.filter
def breached(clocks: Sequence[Clock], moment: datetime) -> list[Clock]:
    """The clocks of twelve hours that have run out."""
    return [one for one in clocks if one.kind in TWELVE_HOURS and one.is_over(moment)]


@register.filter
def needs_words(need: Need) -> list[str]:
    """What somebody needs of a bed beyond what every ward gives."""
    return needed_words(need.needed, level_from=1)


@register.filter
def bed_state(state: str) -> str:
    """The state of a bed as the rules see it."""
    return str(STATES[state])


@register.filter
def waited(since: datetime, moment: datetime) -> str:
    """How long since then, in short."""
    return short(moment - since)


@register.filter
def minutes_from(then: datetime, moment: datetime) -> int:
    """Whole minutes until then; 0 where that is past."""
    return max(0, round((then - moment).total_seconds() / 60))


@register.filter
def within(value: Any, among: Container[Any]) -> bool:
    """Whether it is among them."""
    return value in among
