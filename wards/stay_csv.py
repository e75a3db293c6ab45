"""Reading a file of ward stays: one row a stay on a ward, as docs/history.md describes it.

Pure: no Django. The form is taken as it comes (order and spelling of the columns, separators,
encodings, several ways to write a time); what a row means is not guessed. A row that cannot be
read is refused with the reason, and reading goes on. No reason repeats what the file says.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from wards import stay_values as values

T = TypeVar("T")

NEEDED: Final = ("episode", "patient", "site", "ward", "start", "end", "last")
USUAL: Final = ("specialty", "sex", "age", "admission_method")
OPTIONAL: Final = ("edd", "ctr_met", "pathway", "died")
ADDED: Final = ("line", "reason")
"""Columns of a file of refused rows, which are there to be read by people."""
LARGEST: Final = 1024 * 1024 * 1024
_HEAD: Final = 100_000
"""Bytes from which it is told whether a file is text."""
_SEPARATORS: Final = ",;\t|"
_LINES_OF_A_CELL: Final = 50
"""A quoted cell that is not closed after so many lines was never meant to be one."""
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CELLS: Final = (
    "does not have as many cells as there are columns; a text that holds the separator needs "
    "quotes around it"
)
QUOTES: Final = "has a quotation mark that is not closed, or one within a text; correct it"
BACKWARDS: Final = "end lies before start; correct one of them"


class Unreadable(Exception):
    """Nothing of the file can be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stay on a ward. Times in UTC; what was not said is None or empty.

    ctr_met: whether criteria to reside were met from the start on, or when the last was no longer.
    """

    line: int
    episode: str
    patient: str
    site: str
    ward: str
    specialty: str
    sex: str
    age: str
    admission_method: str
    start: datetime
    end: datetime | None
    last: bool
    edd: datetime | None
    ctr_met: bool | datetime | None
    pathway: int | None
    died: bool | datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not loaded; `other`: the line of another row that the reason speaks of."""

    line: int
    reason: str
    other: int | None = None


@dataclass(slots=True)
class Rows:
    """What a file says. count: its rows, refused ones as well. broken: the episodes of refused
    rows, as far as these name one, with the line."""

    rows: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row; None where they cannot be told apart. text: as it stands."""

    line: int
    cells: Sequence[str] | None
    text: str


@dataclass(frozen=True, slots=True)
class StayFile:
    """A file whose columns are known. columns: names as written, in order. index: where each
    column that we know stands."""

    data: bytes
    encoding: str
    separator: str
    columns: Sequence[str]
    index: dict[str, int]
    first: int

    @property
    def ignored(self) -> list[str]:
        """The columns that are not used."""
        used = set(self.index.values())
        rest = [name for n, name in enumerate(self.columns) if n not in used and name]
        return [name for name in rest if _plain(name) not in ADDED]

    @property
    def missing(self) -> list[str]:
        """The columns that a file usually has and this one has not."""
        return [name for name in USUAL if name not in self.index]

    def records(self) -> Iterator[Record]:
        """The rows below the names of the columns, without empty ones."""
        for record in _records(_lines(self.data, self.encoding), self.separator, len(self.columns)):
            if record.line < self.first or record.cells == self.columns:
                continue
            if record.cells is None or any(map(str.strip, record.cells)):
                yield record


def opened(path: Path) -> StayFile:
    """The file, its columns found. Raises Unreadable."""
    try:
        if path.is_dir():
            raise Unreadable(f"{path} is a folder; name a file in it.")
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"{path} is larger than 1 GB; split it, each episode in one part.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable(f"There is no file {path}.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    encoding = _encoding(data, path)
    for number, line in _lines(data, encoding):
        told = re.fullmatch(r"sep=(.)", line.strip(), re.IGNORECASE)  # a note to spreadsheets
        if line.strip() and not told:
            return _headed(path, data, encoding, line, number)
    raise Unreadable(f"{path} is empty. Its first row names the columns: {', '.join(NEEDED)} …")


def _encoding(data: bytes, path: Path) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            try:
                data.decode(name)
            except UnicodeDecodeError:
                raise Unreadable(
                    f"{path} begins as {name.upper()} and is not. Save it again as UTF-8."
                ) from None
            return name
    head = data[:_HEAD]
    is_packed = data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"))
    if is_packed or head.count(0) > len(head) // 100:
        raise Unreadable(f"{path} is no plain text. Unpack it, or save the sheet as CSV.")
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _lines(data: bytes, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines without their ends, numbered from 1, however they end."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline=None)
    for number, line in enumerate(text, start=1):
        yield number, line.rstrip("\n")


def _headed(path: Path, data: bytes, encoding: str, line: str, number: int) -> StayFile:
    """The file with its columns, separated by whatever parts the most names that we know."""
    known = {_plain(name): name for name in (*NEEDED, *USUAL, *OPTIONAL)}
    heads = {separator: _cells(line, separator) or [] for separator in _SEPARATORS}
    separator = max(heads, key=lambda s: sum(_plain(name) in known for name in heads[s]))
    columns = [name.strip() for name in heads[separator]]
    index: dict[str, int] = {}
    twice = set()
    for place, column in enumerate(columns):
        name = known.get(_plain(column))
        if name in index:
            twice.add(name)
        if name is not None:
            index[name] = place
    if missing := [name for name in NEEDED if name not in index]:
        raise Unreadable(
            f"{path}: the first row must name the columns; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. "
            f"A file needs {', '.join(NEEDED)}, and may have {', '.join((*USUAL, *OPTIONAL))}."
        )
    if twice:
        raise Unreadable(f"{path} has the column {', '.join(sorted(twice))} twice. Keep one.")
    return StayFile(data, encoding, separator, columns, index, number + 1)


def _plain(name: str) -> str:
    """A name of a column without what people write differently."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _records(lines: Iterator[tuple[int, str]], separator: str, width: int) -> Iterator[Record]:
    """Cut lines into cells. A quoted cell may go over several lines; a stray quotation mark
    costs its own line alone."""
    waiting: list[tuple[int, str]] = []
    while True:
        number, line = waiting.pop(0) if waiting else next(lines, (0, ""))
        if not number:
            return
        cells = _cells(line, separator)
        if cells is None and line.count('"') % 2:
            text = line
            for ahead in range(_LINES_OF_A_CELL):
                if ahead == len(waiting) and (more := next(lines, None)):
                    waiting.append(more)
                if ahead >= len(waiting):
                    break
                text += "\n" + waiting[ahead][1]
                if text.count('"') % 2:
                    continue
                joined = _cells(text, separator)
                if joined is not None and len(joined) == width:
                    line, cells = text, joined
                    del waiting[: ahead + 1]
                break
        yield Record(number, cells, line)


def _cells(line: str, separator: str) -> list[str] | None:
    """The cells of a line; None where its quotation marks cannot be made out."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def read(file: StayFile) -> Rows:
    """What the rows say, each by itself. Rows that cannot be read are refused."""
    found = Rows()
    reader = _Reader(file)
    for record in file.records():
        found.count += 1
        row, faults = reader.row(record)
        if row is not None:
            found.rows.append(row)
            continue
        found.refusals += [Refusal(record.line, fault) for fault in faults]
        if episode := reader.episode(record):
            found.broken.setdefault(episode, record.line)
    return found


class _Reader:
    """Reads rows; texts that many rows share are kept once."""

    def __init__(self, file: StayFile) -> None:
        self._index = file.index
        self._width = len(file.columns)
        self._separator = file.separator
        self._shared: dict[str, str] = {}

    def episode(self, record: Record) -> str:
        """The episode that a row which cannot be read most likely belongs to; "" for none."""
        cells = record.cells or record.text.split(self._separator)
        place = self._index["episode"]
        return cells[place].strip() if place < len(cells) else ""

    def row(self, record: Record) -> tuple[Row | None, list[str]]:
        """The row, or everything that is wrong with it."""
        cells = record.cells
        if cells is None:
            return None, [QUOTES]
        if len(cells) < self._width or any(map(str.strip, cells[self._width :])):
            return None, [CELLS]
        faults: list[str] = []

        def value(name: str, parse: Callable[[str], T], otherwise: T) -> T:
            place = self._index.get(name)
            try:
                return parse(cells[place].strip() if place is not None else "")
            except ValueError as error:
                faults.append(f"{name} {error}")
                return otherwise

        start = value("start", values.moment, _NEVER)
        end = value("end", lambda text: _end(text, start), None)
        row = Row(
            line=record.line,
            episode=value("episode", values.number, ""),
            patient=value("patient", values.number, ""),
            site=self._once(value("site", values.site, "")),
            ward=self._once(value("ward", values.ward, "")),
            specialty=self._once(value("specialty", values.specialty, "")),
            sex=value("sex", values.sex, ""),
            age=self._once(value("age", values.age, "")),
            admission_method=self._once(value("admission_method", values.admission_method, "")),
            start=start,
            end=end,
            last=value("last", values.flag, False),
            edd=value("edd", values.moment_or_none, None),
            ctr_met=value("ctr_met", values.flag_or_moment, None),
            pathway=value("pathway", values.pathway, None),
            died=value("died", values.flag_or_moment, None),
        )
        if not faults and end is not None and end < start:
            faults.append(BACKWARDS)
        return (None if faults else row), faults

    def _once(self, text: str) -> str:
        return self._shared.setdefault(text, text)


_NEVER: Final = values.moment("1900-01-01")


def _end(text: str, start: datetime) -> datetime | None:
    return None if values.is_empty(text) else values.moment(text, after=start)
