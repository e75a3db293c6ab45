"""Comparing what is said of people as people say it. Pure: no Django."""

from __future__ import annotations

import unicodedata
from typing import Final

# Letters that Unicode does not take apart into a letter and its mark.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)


def comparable(value: object) -> object:
    """A detail as it is compared; empty where there is nothing to compare."""
    if not isinstance(value, str):
        return value or ""
    taken_apart = unicodedata.normalize("NFKD", value.casefold().translate(_PLAIN))
    return "".join(char for char in taken_apart if char.isalnum())
