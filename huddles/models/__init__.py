"""What is kept of huddles: actions, the meetings they come from, screens, escalation."""

from __future__ import annotations

from huddles.models.actions import Action

__all__ = ["Action"]
