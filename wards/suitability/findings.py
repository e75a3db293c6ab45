"""What a rule found of one person and one bed. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason for or against a bed, in the trust's words.

    code, title: of the rule; `text` says what it found. against: speaks against the bed.
    hard: refuses it; otherwise it costs `cost` (>= 0, in the trust's own units). overridable:
    somebody entitled may set the refusal aside. breach: what using the bed counts as
    ("mixed_sex", "outlier", "corridor" or "").
    """

    code: str
    title: str
    text: str
    against: bool = True
    hard: bool = False
    cost: float = 0.0
    overridable: bool = False
    breach: str = ""
