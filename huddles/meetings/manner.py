"""How one meeting is held: as the site's template had it when somebody first said something for it.

What is changed in a template holds for the meetings after that: numbers that a ward has confirmed
stay with the times they were said of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from huddles.meetings.timetable import horizons_of
from huddles.models import Huddle, HuddleTemplate


@dataclass(frozen=True, slots=True)
class Manner:
    """horizons: moments by which discharges are asked for, in order. agenda, figures: as in
    `HuddleTemplate`. lasts: minutes it is meant to take."""

    horizons: tuple[datetime, ...]
    agenda: tuple[str, ...]
    figures: tuple[str, ...]
    lasts: int


def manner_of(template: HuddleTemplate, starts_at: datetime, huddle: Huddle | None) -> Manner:
    """How the meeting of that start is held; `huddle`: where somebody has said something for it."""
    if huddle is None or huddle.horizons is None:
        return Manner(
            tuple(horizons_of(starts_at, template.horizons)),
            tuple(template.agenda),
            tuple(template.figures),
            template.lasts,
        )
    return Manner(
        tuple(huddle.horizons),
        tuple(huddle.agenda or ()),
        tuple(huddle.figures or ()),
        huddle.lasts or template.lasts,
    )
