"""Primary keys that come in addresses and forms."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 18
"""Digits of the longest key that the database can hold for certain."""


def row_key(text: str) -> int | None:
    """The key that `text` names; None for anything that cannot be one."""
    fits = text.isascii() and text.isdecimal() and len(text) <= LONGEST
    return int(text) if fits else None
