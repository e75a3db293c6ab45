"""What is spoken of in a meeting, one thing after the other. Pure.

A step is a word: a section of the agenda, or `ward:12` for the turn of a ward. Wards that come to
be asked, or not to be, while the meeting runs change the steps; whoever stands at one that is gone
is taken to what follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WARDS = "wards"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The steps of a meeting in order."""

    steps: tuple[str, ...]

    @classmethod
    def of(cls, sections: Sequence[str], wards: Sequence[int]) -> Agenda:
        """The sections in their order, with each ward in turn in place of `wards`."""
        steps: list[str] = []
        for section in sections:
            if section == WARDS:
                steps += [f"ward:{ward}" for ward in wards]
            elif section not in steps:
                steps.append(section)
        return cls(tuple(steps))

    def __contains__(self, step: object) -> bool:
        return step in self.steps

    @property
    def first(self) -> str:
        """The step a meeting begins with; empty where nothing is to be spoken of."""
        return self.steps[0] if self.steps else ""

    def place(self, step: str) -> int:
        """Which of the steps it is, 0 for the first, or the first where it is none of them."""
        return self.steps.index(step) if step in self.steps else 0

    def after(self, step: str) -> str:
        """The next step; the last one stays."""
        return self._at(self.place(step) + 1) if step in self.steps else self.first

    def before(self, step: str) -> str:
        """The step before; the first one stays."""
        return self._at(self.place(step) - 1)

    def _at(self, place: int) -> str:
        if not self.steps:
            return ""
        return self.steps[max(0, min(place, len(self.steps) - 1))]


def ward_of(step: str) -> int | None:
    """The key of the ward whose turn it is; None for any other step."""
    kind, _, key = step.partition(":")
    return int(key) if kind == "ward" and key.isdecimal() else None
