"""From the bytes of a message to text: byte order marks, MSH-18, and what senders really do.

Source of the names: HL7 table 0211, alternate character sets.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WIDE_SEGMENT: Final = (
    # Four bytes a letter first, which two a letter can never be taken for. Blank letters at
    # the beginning tell little endian zeros from the first byte of a big endian letter.
    rb"(?P<utf_32_be>(?:\0\0\xfe\xff)?\0\0\0[A-Z](?:\0\0\0[A-Z0-9]){2}\0\0\0[!-/:-@\[-`{-~])"
    rb"|(?P<utf_32_le>(?:\xff\xfe\0\0)?(?:\A(?:[\r\n\t ]\0\0\0)+)?"
    rb"[A-Z]\0\0\0(?:[A-Z0-9]\0\0\0){2}[!-/:-@\[-`{-~]\0\0\0)"
    rb"|(?P<utf_16_be>(?:\xfe\xff)?\0[A-Z](?:\0[A-Z0-9]){2}\0[!-/:-@\[-`{-~])"
    rb"|(?P<utf_16_le>(?:\xff\xfe)?(?:\A(?:[\r\n\t ]\0)+)?"
    rb"[A-Z]\0(?:[A-Z0-9]\0){2}[!-/:-@\[-`{-~]\0)"
)
"""The beginning of a segment in letters of two or four bytes, with a byte order mark or without:
a name and a separator, with zeros around them. The group that matches is named by the codec."""
_BEGINS_WIDE: Final = re.compile(WIDE_SEGMENT)
_TABLE_0211: Final = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    # The C1 range of Latin-1 holds nothing a feed means; there Windows' own letters are meant.
    "8859/1": "cp1252",
    "ISO-8859-1": "cp1252",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    **{f"8859/{part}": f"iso8859_{part}" for part in range(2, 17) if part != 12},
}


_NO_CHARACTER_SETS: Final = frozenset(
    # Python's own notations and transfer encodings; some make text of what is no character.
    {"utf-7", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"}
    | {"punycode", "idna", "undefined", "mbcs", "oem"}
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a message, the codec that gave it, and whether that was the one promised."""

    text: str
    codec: str
    as_declared: bool = True


def codec_named(name: str) -> str | None:
    """The codec for a name of HL7 table 0211 or one that Python knows; None for neither."""
    known = _TABLE_0211.get(name.strip().upper())
    if known is not None:
        return known
    try:
        found = codecs.lookup(name.strip()).name if name.strip() else None
    except (LookupError, ValueError):
        return None
    return None if found in _NO_CHARACTER_SETS else found


def wide_codec(raw: bytes) -> str | None:
    """The codec of a message of two or four bytes a character, with a byte order mark or without.

    Without one, the zeros around the letters of the first segment's name tell: MSH, or another
    where the beginning was cut off.
    """
    for mark, codec in _BYTE_ORDER_MARKS[1:]:
        if raw.startswith(mark):
            return codec
    found = _BEGINS_WIDE.match(raw)
    return found.lastgroup.replace("_", "-") if found and found.lastgroup else None


def width_of(codec: str) -> int:
    """The bytes of a letter, as far as they are always the same: 4, 2, or else 1."""
    return {"utf-32": 4, "utf-16": 2}.get(codec[:6], 1)


def decode(raw: bytes, *, declared: str = "", override: str = "") -> Decoded:
    """The text of `raw`.

    A byte order mark or the zeros of UTF-16 decide. Else `override` (what the feed's manager
    knows), else `declared` (MSH-18), else UTF-8, else Windows-1252, in which every byte means
    something: a message is never lost over its letters. Text that is declared as a one-byte
    set but is valid UTF-8 beyond ASCII is taken for UTF-8: in real text that is no accident.
    """
    wide = wide_codec(raw)
    if wide is not None:
        text = raw.decode(wide, "replace").removeprefix("\ufeff")
        return Decoded(text, wide, "�" not in text)
    body = raw.removeprefix(codecs.BOM_UTF8)
    utf8 = _strictly(body, "utf-8")
    plain = utf8 is not None and len(utf8) == len(body) and b"\x1b" not in body
    if utf8 is not None and (plain or len(body) != len(raw)):
        return Decoded(utf8, "utf-8")  # nothing beyond ASCII, or marked as UTF-8
    promised = codec_named(override) or codec_named(declared)
    if promised is not None and not promised.startswith(("utf-16", "utf-32")):
        if utf8 is not None and not override and _is_single_byte(promised):
            return Decoded(utf8, "utf-8", as_declared=False)
        kept = _strictly(body, promised)
        if kept is not None:
            return Decoded(kept, promised)
    if utf8 is not None:
        return Decoded(utf8, "utf-8", as_declared=promised in (None, "utf-8"))
    windows = _strictly(body, "cp1252")
    if windows is not None:
        return Decoded(windows, "cp1252", as_declared=promised is None)
    return Decoded(body.decode("latin-1"), "latin-1", as_declared=promised is None)


def _is_single_byte(codec: str) -> bool:
    return codec in ("ascii", "cp1252", "latin-1") or codec.startswith(("iso8859", "iso-8859"))


def _strictly(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except (UnicodeError, LookupError):
        return None
