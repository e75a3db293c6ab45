"""Reading a places file: organisations, teams, sites, wards, bays and beds, in YAML or CSV.

The format is described in docs/places.md. Reading never stops at the first mistake: all are
gathered, each with its line and what to do.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection
from pathlib import Path
from typing import Final

from wards.place_csv import read_csv
from wards.place_entries import Entries, FileMistaken, Mistake
from wards.place_yaml import read_yaml

LARGEST: Final = 5_000_000
"""Bytes of a places file; a hospital of a thousand beds needs a hundred thousand."""

READERS: Final = {".yaml": read_yaml, ".yml": read_yaml, ".csv": read_csv, ".txt": read_csv}


def read_places(path: Path) -> Entries:
    """What the file says, with its mistakes. Raises FileMistaken as `text_of`."""
    text = text_of(path, READERS)
    entries = READERS[path.suffix.lower()](text)
    entries.check_repeats()
    return entries


def text_of(path: Path, endings: Collection[str]) -> str:
    """The text of a file.

    Raises FileMistaken when it cannot be read at all: no such file, too large, not text in
    UTF-8 (or UTF-16 with its mark), or a name that ends in none of `endings`.
    """
    if not path.is_file():
        reason = "is a folder; name a file in it" if path.is_dir() else "does not exist"
        raise _unreadable(f"{path} {reason}.")
    if path.suffix.lower() not in endings:
        said = " nor ".join(end for end in endings if end != ".txt")
        raise _unreadable(f"{path.name} ends in neither {said}; rename it.")
    try:
        if path.stat().st_size > LARGEST:
            raise _unreadable(f"{path.name} is larger than {LARGEST:,} bytes; split it by site.")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(f"{path} cannot be read: {error.strerror}.") from None
    return _decoded(data)


def _unreadable(message: str, line: int = 0) -> FileMistaken:
    return FileMistaken([Mistake(line, "", message)])


def _decoded(data: bytes) -> str:
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(
            "this is not text in UTF-8; save the file again as UTF-8 "
            "(in a spreadsheet: “CSV UTF-8”).",
            line,
        ) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise _unreadable("there is a NUL character; save the file again as plain text.", line)
    return text
