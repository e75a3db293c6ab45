"""Primary keys that come in addresses and forms."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 18
"""Digits of the longest key that the database can hold for certain."""


MOST: Final = 2**63 - 1
"""The largest key that a column holds."""
NOBODYS: Final = -1
"""A key that no row has."""


def storable(key: int | None) -> int | None:
    """A key as a query may take it; one too large for any row becomes one that no row has."""
    return key if key is None or key <= MOST else NOBODYS


def row_key(text: str) -> int | None:
    """The key that `text` names; None for anything that cannot be one."""
    fits = text.isascii() and text.isdecimal() and len(text) <= LONGEST
    return int(text) if fits else None
