"""Takes the names of patients out of what people typed, before it is shown where no name may be.

Pure. A word is hidden where it is a part of a name or number given, however it is written; any
number that could be an NHS number is hidden, whoever's it is. Words that are names and ordinary
words too ("May") are hidden as well: a line with a gap is better than a name on a wall.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final
from unicodedata import normalize

HIDDEN: Final = "…"
_WORD = re.compile(r"[^\W_]+(?:['’`-][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d(?:[\s-]?\d){8,}")
_SHORTEST: Final = 2


def words_of(names: Iterable[str]) -> frozenset[str]:
    """The words to hide for these names and numbers: each as a whole, and each part of it."""
    found: set[str] = set()
    for name in names:
        for word in _WORD.findall(_plain(name)):
            found.add(word)
            found.update(_PART.findall(word))
    return frozenset(word for word in found if len(word) >= _SHORTEST)


def masked(text: str, words: Collection[str]) -> str:
    """`text` with every word of `words` (as `words_of` gives them) hidden, and long numbers."""

    def hide(match: re.Match[str]) -> str:
        word = _plain(match[0])
        # A possessive is the name and an s.
        parts = {word, word.removesuffix("'s"), *_PART.findall(word)}
        return HIDDEN if parts & set(words) else match[0]

    return _WORD.sub(hide, _NUMBER.sub(HIDDEN, text))


def _plain(text: str) -> str:
    """Lower case, without accents, with one kind of apostrophe: as people type it in a hurry."""
    split = normalize("NFKD", text.casefold())
    bare = "".join(char for char in split if not 0x300 <= ord(char) < 0x370)
    return bare.replace("’", "'").replace("`", "'")
