"""What the pages of cohorts need to say: addresses of the list narrowed, and steps."""

from __future__ import annotations

from django import template

from flow.cohorts.steps import STEP_WORDS, Step
from flow.cohorts.wishes import Wish

register = template.Library()


@register.simple_tag
def only(wish: Wish, name: str, value: str) -> str:
    """The address of the list narrowed by this filter, the others kept."""
    return f"{wish.narrowed((name, value)).address}#list"


@register.filter
def step_word(step: Step) -> str:
    """What a step is called."""
    return str(STEP_WORDS[step])
