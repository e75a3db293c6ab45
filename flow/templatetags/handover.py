"""What the templates of a handover need."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from flow.handover.types import Kind, Lane
from flow.handover.words import KINDS, LANES

register = template.Library()


@register.filter
def change_words(kind: Kind) -> str:
    """What a kind of change is called."""
    return str(KINDS[kind][0])


@register.filter
def change_icon(kind: Kind) -> str:
    """Its icon."""
    return KINDS[kind][1]


@register.filter
def lane_words(lane: Lane) -> str:
    """What a line of the picture is called."""
    return str(LANES[lane][0])


@register.filter
def lane_icon(lane: Lane) -> str:
    """Its icon."""
    return LANES[lane][1]


@register.filter
def hour_of_three(moment: datetime) -> str:
    """The local time of a full hour, for every third one."""
    local = timezone.localtime(moment)
    return f"{local:%H:%M}" if local.hour % 3 == 0 else ""
