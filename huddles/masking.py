"""Takes the names of patients out of what people typed, before it is shown where no name may be.

Pure. A word is hidden where it is a part of a name or number given, however it is written; any
number that could be an NHS number is hidden, whoever's it is. Words that are names and ordinary
words too ("May") are hidden as well: a line with a gap is better than a name on a wall.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Final
from unicodedata import category, normalize

HIDDEN: Final = "…"
_WORD = re.compile(r"[^\W_]+(?:['’`-][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d(?:[\s-]?\d){8,}")
_SHORTEST: Final = 2


def words_of(names: Iterable[str]) -> frozenset[str]:
    """The words to hide for these names and numbers: each as a whole, each part of it, and the
    parts written as one."""
    found: set[str] = set()
    for name in names:
        for word in _WORD.findall(_plain(name)):
            parts = _PART.findall(word)
            found |= {word, *parts, "".join(parts)}
    return frozenset(word for word in found if len(word) >= _SHORTEST)


def masked(text: str, words: Collection[str]) -> str:
    """`text` with every word of `words` (as `words_of` gives them) hidden, also where it is broken
    in two ("Mc Donald"), and long numbers."""
    # What nobody sees between two letters (a soft hyphen) hides no name.
    text = normalize("NFC", "".join(char for char in text if category(char) != "Cf"))
    text = _NUMBER.sub(HIDDEN, text)
    hidden, found = frozenset(words), list(_WORD.finditer(text))
    plain = [_plain(match[0]) for match in found]
    gone = [_is_hidden(word, hidden) for word in plain]
    for here, (one, other) in enumerate(pairwise(found)):
        near = text[one.end() : other.start()].isspace()
        if near and plain[here] + plain[here + 1] in hidden:
            gone[here] = gone[here + 1] = True
    left, end = "", 0
    for match, goes in zip(found, gone, strict=True):
        if goes:
            left, end = left + text[end : match.start()] + HIDDEN, match.end()
    return left + text[end:]


def _is_hidden(word: str, hidden: frozenset[str]) -> bool:
    parts = _PART.findall(word)
    # A possessive is the name and an s, with its apostrophe or without.
    ways = {word, word.removesuffix("'s"), word.removesuffix("s"), "".join(parts), *parts}
    return not ways.isdisjoint(hidden)


def _plain(text: str) -> str:
    """Lower case, without accents, with one kind of apostrophe: as people type it in a hurry."""
    split = normalize("NFKD", text.casefold())
    bare = "".join(char for char in split if not 0x300 <= ord(char) < 0x370)
    return bare.replace("’", "'").replace("`", "'")
