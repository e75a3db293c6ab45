"""What a rule is to those who ask all of them. Pure: no Django."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from wards.suitability.facts import Bed, Needs, Ward
from wards.suitability.findings import Finding
from wards.suitability.rulebook import RuleBook
from wards.suitability.setting import Setting

Judge = Callable[[Needs, Bed, Setting, RuleBook], Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as a pure function, and what it looks at.

    judge: None when it has nothing against the bed; the book has a line for `code` and the ward is
    of a kind where the line holds. of_needs, of_bed: all that `judge` looks at on either side, so
    that people and beds alike in it are judged once. beside: it looks at who is in the room, so
    whoever is in there already is judged one by one.
    """

    code: str
    judge: Judge
    of_needs: Callable[[Needs, Setting], Hashable]
    of_bed: Callable[[Bed, Setting], Hashable]
    beside: bool = False


def ward_name(ward: Ward) -> str:
    return ward.name or ward.code or f"ward {ward.key}"


def bed_name(bed: Bed) -> str:
    return bed.label or str(bed.key)


def said_of(bed: Bed, setting: Setting) -> dict[str, str]:
    """The words every text may use."""
    return {"ward": ward_name(setting.ward_of(bed)), "bed": bed_name(bed)}
