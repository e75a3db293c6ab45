"""What is kept of huddles: actions, the meetings they come from, screens, escalation."""

from __future__ import annotations

from huddles.models.actions import Action
from huddles.models.meetings import (
    Figure,
    Huddle,
    HuddleLine,
    HuddleSpeaker,
    HuddleTemplate,
    Section,
)
from huddles.models.screens import Pairing, Screen, ScreenPage

__all__ = [
    "Action",
    "Figure",
    "Huddle",
    "HuddleLine",
    "HuddleSpeaker",
    "HuddleTemplate",
    "Pairing",
    "Screen",
    "ScreenPage",
    "Section",
]
