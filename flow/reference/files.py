"""Published files as text: unpacked, decoded, cut into cells. Pure: no Django."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST: Final = 300 * 1024 * 1024
"""Bytes of one unpacked file; a published winter has three million."""
DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROLS: Final = bytes(one for one in range(32) if one not in b"\t\n\v\f\r\x1a")
NAMES: Final = {
    "utf-8-sig": "UTF-8 with BOM",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 without BOM",
    "utf-16-be": "UTF-16 without BOM",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "ascii": "ASCII",
}


class Unreadable(Exception):
    """A file that cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One table: a file, or one within an archive. name: as told to people."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the unpacked bytes: the same file packed otherwise is the same."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Text:
    """Decoded text, and the name of the encoding found."""

    text: str
    encoding: str


def sources(path: Path) -> Iterator[Source]:
    """The tables of a file: itself, unpacked if packed, or those of an archive.

    Raises Unreadable.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(f"There is no file {path}.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    yield from _unpacked(path.name, data)


def _unpacked(name: str, data: bytes, depth: int = 0) -> Iterator[Source]:
    if data[:2] == b"\x1f\x8b" and depth < 3:
        yield from _unpacked(name, _gunzipped(name, data), depth + 1)
    elif data[:4] == b"PK\x03\x04" and depth < 3:
        yield from _members(name, data, depth)
    elif data[:4] in (b"\xd0\xcf\x11\xe0", b"%PDF"):
        raise Unreadable(f"{name} is no table of text. Save the sheet as CSV and load that.")
    else:
        yield Source(name, data)


def _gunzipped(name: str, data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            found = packed.read(MOST + 1)
    except (OSError, EOFError, zlib.error):
        raise Unreadable(f"{name} is packed with gzip and damaged. Fetch it again.") from None
    return _checked(name, found)


def _members(name: str, data: bytes, depth: int) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
            if any(one.startswith(("xl/", "word/")) for one in names) or "mimetype" in names:
                raise Unreadable(f"{name} is a workbook. Save the sheet as CSV and load that.")
            wanted = [one for one in names if not one.startswith("__MACOSX/")]
            if not wanted:
                raise Unreadable(f"{name} is an empty archive.")
            for one in wanted:
                with archive.open(one) as packed:
                    found = _checked(one, packed.read(MOST + 1))
                yield from _unpacked(f"{name}/{one}", found, depth + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise Unreadable(f"{name} is a damaged zip archive. Fetch it again.") from None
    except RuntimeError:
        raise Unreadable(f"{name} is locked with a password. Unpack it and load that.") from None


def _checked(name: str, data: bytes) -> bytes:
    if len(data) > MOST:
        raise Unreadable(f"{name} is larger than {MOST // 1024 // 1024} MB unpacked. Split it.")
    return data


def decoded(data: bytes) -> Text:
    """The text, whatever it was encoded in. Raises Unreadable for what is no text.

    Published files mix encodings, so what is not UTF-8 as a whole is read line by line: UTF-8
    where a line is, Windows-1252 where not.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            try:
                return Text(_clean(data.decode(name)), NAMES[name])
            except UnicodeDecodeError:
                if name != "utf-8-sig":
                    raise Unreadable(f"It begins as {NAMES[name]} and is not.") from None
    if name := _wide(data):
        try:
            return Text(_clean(data.decode(name)), NAMES[name])
        except UnicodeDecodeError:
            raise Unreadable("It is no text. Save the sheet as CSV and load that.") from None
    head = data[:100_000]
    if len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 100:
        raise Unreadable("It is no text. Save the sheet as CSV and load that.")
    try:
        return Text(_clean(data.decode()), NAMES["ascii" if data.isascii() else "utf-8"])
    except UnicodeDecodeError:
        return _line_by_line(data)


def _wide(data: bytes) -> str:
    """Whether every other byte of the beginning is nought, and which."""
    head = data[:2000]
    half = len(head) // 2
    if half > 4 and head[1::2].count(0) > 0.9 * half and not head[0::2].count(0):
        return "utf-16-le"
    if half > 4 and head[0::2].count(0) > 0.9 * half and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _line_by_line(data: bytes) -> Text:
    lines, proper, other = [], 0, 0
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode())
            proper += not line.isascii()
        except UnicodeDecodeError:
            lines.append("".join(map(_character, line)))
            other += 1
    name = f"{NAMES['utf-8']} and {NAMES['cp1252']} mixed" if proper else NAMES["cp1252"]
    return Text(_clean("\n".join(lines)), name)


def _character(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _clean(text: str) -> str:
    """Without byte order marks, which files put together hold in their middle, and nulls."""
    return text.replace("\ufeff", "").replace("\0", "")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line. number: counted from 1, the first line of the row."""

    number: int
    cells: tuple[str, ...]


def rows(text: str, delimiter: str) -> Iterator[Row]:
    """The rows that hold anything. Raises Unreadable where cells cannot be told apart."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(line, tuple(cells))
            line = reader.line_num + 1
    except csv.Error:
        raise Unreadable(
            f"The cells of line {line} cannot be told apart; a quotation mark is not closed."
        ) from None
