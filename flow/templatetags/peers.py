"""What the page of national peers needs to say: figures and spans of days."""

from __future__ import annotations

from datetime import date

from django import template

register = template.Library()


@register.filter
def figure(value: float | None, is_share: bool) -> str:
    """A share in per cent, or a number of patients; middles of days can be halves."""
    if value is None:
        return "–"
    if is_share:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


@register.filter
def span_of(first: date, last: date) -> str:
    """`2 December 2019 to 1 March 2020`, as short as it can be."""
    if first == last:
        return f"{last:%-d %B %Y}"
    if first.year != last.year:
        return f"{first:%-d %B %Y} to {last:%-d %B %Y}"
    if first.month != last.month:
        return f"{first:%-d %B} to {last:%-d %B %Y}"
    return f"{first:%-d} to {last:%-d %B %Y}"
