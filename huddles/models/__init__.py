"""What is kept of huddles: actions, the meetings they come from, screens, escalation."""

from __future__ import annotations

from huddles.models.actions import Action
from huddles.models.escalation import (
    ActionCard,
    CardTaken,
    OpelAssessment,
    OpelDeclaration,
    OpelRuleSet,
    OpelValue,
    OpelWithdrawal,
)
from huddles.models.meetings import (
    Figure,
    Huddle,
    HuddleLine,
    HuddleSpeaker,
    HuddleTemplate,
    Section,
)
from huddles.models.notices import Notice, NoticeHours, NoticeRule
from huddles.models.screens import Pairing, Screen, ScreenPage

__all__ = [
    "Action",
    "ActionCard",
    "CardTaken",
    "Figure",
    "Huddle",
    "HuddleLine",
    "HuddleSpeaker",
    "HuddleTemplate",
    "Notice",
    "NoticeHours",
    "NoticeRule",
    "OpelAssessment",
    "OpelDeclaration",
    "OpelRuleSet",
    "OpelValue",
    "OpelWithdrawal",
    "Pairing",
    "Screen",
    "ScreenPage",
    "Section",
]
