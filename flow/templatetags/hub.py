"""Addresses within the hub: every number leads to the list it counts."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from flow.discharges import BANDS
from flow.hub.filters import band_key
from flow.hub.wishes import Wish

register = template.Library()


@register.simple_tag
def narrowed(wish: Wish, *chosen: str) -> str:
    """The address of the list narrowed by these filters: name, value, name, value …"""
    pairs = list(zip(chosen[::2], chosen[1::2], strict=True))
    return f"{wish.narrowed(*pairs).address}#list"


@register.simple_tag
def view_of(wish: Wish, days: int) -> str:
    """The address of the same filters for stays so long, or with 0 for who is ready to leave."""
    return wish.of_stays(days).address


@register.simple_tag
def in_band(wish: Wish, pathway: str, band: int) -> str:
    """The address of a pathway's patients in a band of days; of all pathways without one."""
    days = ("days", band_key(*BANDS[band]))
    chosen = wish.narrowed(("pathway", pathway), days) if pathway else wish.narrowed(days)
    return f"{chosen.address}#list"


@register.filter
def day_of(time: datetime | None) -> str:
    """A day without its weekday: `24 Nov`."""
    return "" if time is None else f"{timezone.localtime(time):%-d %b}"
