"""What the templates of forecasts need to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import template
from django.utils.http import urlencode

from flow.models import ForecastTraining

register = template.Library()


@register.filter
def beds_number(number: int) -> str:
    """A number of beds with a true minus sign."""
    return f"−{-number}" if number < 0 else str(number)


@register.filter
def whole(number: float) -> str:
    """An expected number as a whole one."""
    return beds_number(round(number))


@register.filter
def tenth(number: float) -> str:
    """An expected number where few are expected: with a decimal, a dash for next to nothing."""
    rounded = round(number, 1)
    return f"{rounded:.1f}".replace("-", "−") if rounded else "–"


@register.filter
def whole_signed(number: float) -> str:
    """A change, with its sign."""
    rounded = round(number)
    return f"+{rounded}" if rounded > 0 else beds_number(rounded)


@register.filter
def step_word(step: str) -> str:
    """What a training is at."""
    return str(ForecastTraining.Step(step).label).lower() if step else ""


@register.filter
def join_number(text: str, number: int) -> str:
    """A name with its number."""
    return f"{text}{number}"


@register.filter
def entry_of(table: Mapping[str, str], key: str) -> str:
    """What stands under the key; empty where nothing does."""
    return table.get(key, "")


@register.filter
def query_of(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values as the query of an address."""
    return urlencode(pairs)
