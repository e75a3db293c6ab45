"""What sort of body a published code names. Pure: no Django."""

from __future__ import annotations

import re
from typing import Final

_SORTS: Final = (
    ("nation", re.compile(r"E92\d{6}|ENG(LAND)?|ENGLAND\b.*|.*\bENGLAND TOTAL|TOTAL.*")),
    ("icb", re.compile(r"E54\d{6}|Q[A-Z0-9]{2}")),
    ("region", re.compile(r"E40\d{6}|Y\d{2}")),
    ("trust", re.compile(r"[RT][A-Z0-9]{2}")),
)
"""ONS codes E54 (integrated care boards), E40 (NHS England regions), E92 (England); ODS codes Q
(boards), Y (regions), R and T (trusts and other NHS providers)."""


def sort_of(code: str, name: str = "") -> str:
    """`nation`, `icb`, `region`, `trust` or `other`."""
    if re.match(r"(?i)england\b", name):
        return "nation"
    return next((sort for sort, made in _SORTS if made.fullmatch(code)), "other")
