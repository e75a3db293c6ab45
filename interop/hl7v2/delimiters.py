"""The characters that part a message, and the escapes that stand for them.

Source: HL7 v2.8 chapter 2, sections 2.5.4 (message delimiters) and 2.7 (escape sequences).
Escapes are undone here and not by the parsing library, which writes the value of a field it
cannot read to the log, and a log must not hold patient data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DEFAULTS: Final = "^~\\&"
_BREAKS: Final = {".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " ", ".in": "", ".ti": ""}
_LONGEST_RUN: Final = 200  # repeated blanks or lines that one escape may ask for


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2, with the standard's own where they are missing or contradict each other."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """As they stand in MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent


def delimiters(field: str, encoding: str) -> Delimiters:
    """The delimiters said by MSH-1 `field` and MSH-2 `encoding`.

    Characters that are missing, letters, digits, blanks, or used twice give way to the
    defaults; where the default is taken too, that level is not parted at all. Three characters
    ending in `&` are read as a missing escape character.
    """
    if len(encoding) == 3 and encoding[2] == "&":
        encoding = encoding[:2] + "\\&"
    taken, chosen = {field}, []
    for place, default in enumerate(_DEFAULTS):
        character = encoding[place] if place < len(encoding) else default
        if character in taken or character.isalnum() or character.isspace():
            character = default
        if character in taken:
            character = chr(1 + place)  # control characters are cleared from the text before
        taken.add(character)
        chosen.append(character)
    return Delimiters(field, chosen[0], chosen[1], chosen[2], chosen[3])


def unescape(text: str, by: Delimiters, codec: str = "utf-8") -> str:
    r"""`text` with its escape sequences undone; `\X…\` bytes are read with `codec`.

    Highlighting and character set switches vanish. What is no known sequence stays as it is,
    so that a path such as C:\temp\x survives a sender that does not escape.
    """
    if by.escape not in text:
        return text
    e = re.escape(by.escape)
    pattern = re.compile(f"{e}([^{e}]{{0,200}}){e}")
    out: list[str] = []
    at = 0
    while (found := pattern.search(text, at)) is not None:
        meaning = _meaning(found.group(1), by, codec)
        if meaning is None:  # not a sequence: the closing character may open the next one
            out.append(text[at : found.end() - 1])
            at = found.end() - 1
        else:
            out.append(text[at : found.start()] + meaning)
            at = found.end()
    return "".join(out) + text[at:]


def _meaning(sequence: str, by: Delimiters, codec: str) -> str | None:
    """What `sequence` stands for, or None where it is not one."""
    letters = {
        "F": by.field,
        "S": by.component,
        "R": by.repetition,
        "E": by.escape,
        "T": by.subcomponent,
        "P": "#",
        "H": "",
        "N": "",
    }
    if sequence in letters:
        return letters[sequence]
    if sequence[:1] == "X" and len(sequence) > 1:
        return _hexadecimal(sequence[1:], codec)
    if re.fullmatch(r"C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}|\.fi|\.nf|Z.*", sequence):
        return ""
    formatting = re.fullmatch(r"(\.[a-z]{2})\s*([+-]?\d{0,4})", sequence)
    if formatting and formatting.group(1) in _BREAKS:
        times = formatting.group(2).lstrip("+-")
        return _BREAKS[formatting.group(1)] * min(int(times or 1), _LONGEST_RUN)
    return None


def _hexadecimal(digits: str, codec: str) -> str | None:
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        return None
    try:
        text = data.decode("utf-8" if codec.startswith("utf") else codec)
    except (UnicodeError, LookupError):
        text = data.decode("latin-1")
    # As from the text around it, control characters are left out: no name has one, and the
    # database takes no null character.
    return "".join(character for character in text if character >= " " or character in "\t\r\n")


def escaped(text: str, by: Delimiters) -> str:
    """`text` made safe to stand in a field."""
    names = {
        by.escape: "E",
        by.field: "F",
        by.component: "S",
        by.repetition: "R",
        by.subcomponent: "T",
    }
    written = (
        f"{by.escape}{names[c]}{by.escape}" if c in names else " " if c < " " else c for c in text
    )
    return "".join(written)
