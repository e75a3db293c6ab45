"""How names are typed: without accents, in the letters at hand. Pure."""

from __future__ import annotations

from typing import Final
from unicodedata import category, normalize

APOSTROPHES: Final = "'’‘`´ʼʹ′＇"
HYPHENS: Final = "-‐‑‒–—−"

_BARE = str.maketrans(
    {"ł": "l", "ø": "o", "æ": "a", "œ": "o", "đ": "d", "ð": "d", "ß": "ss", "þ": "t", "ı": "i",
     "ħ": "h", "ŋ": "n", "ĸ": "k", "ŧ": "t", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ə": "a"}
)  # fmt: skip
_LONG = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "đ": "dj",
     "ð": "th", "þ": "th", "ß": "ss"}
)  # fmt: skip
_SHORTER = (("ue", "u"), ("oe", "o"), ("ae", "a"), ("aa", "a"))
_ONE_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_LEAST: Final = 5


def visible(text: str) -> str:
    """The text without what nobody sees: soft hyphens, joiners, marks on no letter."""
    whole = normalize("NFC", "".join(char for char in text if category(char) != "Cf"))
    return "".join(char for char in whole if not 0x300 <= ord(char) < 0x370)


def plain(text: str) -> str:
    """The text in one line, without control characters and halves of characters, which no row nor
    header of a mail holds."""
    seen = "".join(" " if category(char) in ("Cc", "Cs") else char for char in text)
    return " ".join(seen.split())


def spellings(text: str) -> frozenset[str]:
    """How the text may be typed: in lower case, each accent left out, and each such letter by the
    two that stand for it ("müller": `muller`, `mueller`)."""
    if text.isascii():
        return frozenset({text.lower()})
    # Folding writes ß as ss by itself; a capital with a dot becomes a letter and a mark.
    low = normalize("NFC", text.casefold()).translate(_ONE_APOSTROPHE)
    return frozenset({_bare(low), _bare(low.translate(_LONG))})


def all_spellings(name: str) -> frozenset[str]:
    """`spellings` of a name, and where it is itself written with two letters for an accent, with
    one: `Mueller` may be typed as Muller."""
    found = spellings(name)
    shorter = set()
    for one in found:
        for long, short in _SHORTER:
            if long in one and len(one) > _LEAST:
                shorter.add(one.replace(long, short))
    return found | shorter


def _bare(text: str) -> str:
    split = normalize("NFKD", text.translate(_BARE))
    return "".join(char for char in split if not 0x300 <= ord(char) < 0x370).translate(_BARE)
