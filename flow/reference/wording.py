"""Published wording compared in spite of dashes, spaces, case and broken encodings. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LATER = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_BROKEN = re.compile(f"[Â-ß]{_LATER}|[à-ï]{_LATER}{{2}}|[ð-ô]{_LATER}{{3}}")
"""How one character of UTF-8 looks when it was read as Windows-1252."""
_SPLIT = re.compile(r"Â(?=\s|$)")
"""What is left of a non-breaking space of UTF-8 when its second half became a plain one."""
_NOT_WORDS = re.compile(r"[^0-9a-z]+")
_APOSTROPHES = re.compile("['’‘`´ʼ]")


@lru_cache(maxsize=65_536)
def mended(text: str) -> str:
    """Text that was UTF-8, read as Windows-1252 once or twice, as it was meant (`â€“`, `Â `)."""
    for _ in range(2):
        text = _BROKEN.sub(_character, text)
    return _SPLIT.sub("", text)


def _character(found: re.Match[str]) -> str:
    try:
        character = b"".join(map(_byte, found[0])).decode()
    except UnicodeError:
        return found[0]
    # Control characters of the second set are never meant.
    return found[0] if "\x80" <= character <= "\x9f" else character


def _byte(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        # The five bytes to which Windows-1252 gives no character; readers let them through.
        return character.encode("latin-1")


@lru_cache(maxsize=65_536)
def key(text: str) -> str:
    """Words alone, in lower case: equal for two texts that differ in dashes, spaces, case,
    apostrophes or a character that got lost (`underway?(Pathway 1)`)."""
    said = unicodedata.normalize("NFKD", mended(text)).casefold()
    said = "".join(c for c in said if not unicodedata.combining(c))
    said = _APOSTROPHES.sub("", said).replace("&", " and ").replace("g+a", "g and a")
    return " ".join(_NOT_WORDS.sub(" ", said).split())


@dataclass(frozen=True, slots=True)
class Reason:
    """A delay reason that we know: our slug, its published label and family."""

    slug: str
    label: str
    family: str = ""


class Reasons:
    """The delay reasons that we know, to be found by what a file calls them."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self._by_key: dict[str, Reason] = {}
        for reason in reasons:
            for name in (f"{reason.family} {reason.label}", reason.label, reason.slug):
                self._by_key.setdefault(key(name), reason)

    def named(self, text: str) -> Reason | None:
        """The reason of this label, with or without its family; None for one we do not know."""
        return self._by_key.get(key(text))


NONE: Final = Reasons(())
Counts = Mapping[str, int]
