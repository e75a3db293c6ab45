"""A published table as series: one value for each body, measure and day. Pure: no Django."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zlib import crc32

from flow.reference.files import DELIMITERS, Row, Source, Text, Unreadable, decoded, rows
from flow.reference.layouts import EXPECTED, Layout, layout
from flow.reference.measures import Interval, Kind, by_heading
from flow.reference.values import MISSING, Day, Number, day, is_day_first, number, plain
from flow.reference.wording import Reason, Reasons, key, mended

HEAD: Final = 40
"""Rows among which the headings are looked for: published tables have titles above."""
LONGEST: Final = 100
"""Characters of a slug, without the name of an interval."""


class Doubt(StrEnum):
    """Why a value is not to be trusted."""

    NEGATIVE = "negative"
    NOT_A_NUMBER = "not_a_number"
    CONFLICT = "conflict"
    EXCEEDS = "exceeds"
    SPIKE = "spike"
    ZERO = "zero"


@dataclass(slots=True)
class Cell:
    """What is published for one day. value: None where no figure is. mark: what stands there
    instead. suppressed: held back. line: where."""

    value: Decimal | None
    mark: str = ""
    doubt: Doubt | None = None
    suppressed: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Body:
    """Who a figure is of. code: as published; where none is, the name stands for it."""

    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a figure counts. slug: plain for the usual interval of its kind of file, with the
    interval's name after it for another. reason: slug of the delay reason that it counts."""

    slug: str
    label: str
    interval: Interval = Interval.DAY
    reason: str = ""


Series = dict[date, Cell]
Keys = tuple[str, str]
"""Code of the body, slug of the measure."""


@dataclass(slots=True)
class Table:
    """All that a file says, and what could not be read in it.

    rows: rows of figures. bad_dates, no_body: rows left out, by line. repeated: figures said
    twice alike. filled: said by one of two rows of a day, and by the other not. disagree: said
    twice differently; the last counts.
    """

    source: str
    digest: str
    encoding: str
    delimiter: str
    kind: Kind
    unknown_columns: tuple[str, ...] = ()
    repeated_columns: tuple[str, ...] = ()
    interval: Interval = Interval.DAY
    day_first: bool = True
    series: dict[Keys, Series] = field(default_factory=lambda: defaultdict(dict))
    bodies: dict[str, Body] = field(default_factory=dict)
    counted: dict[str, Counted] = field(default_factory=dict)
    unmatched: Counter[str] = field(default_factory=Counter)
    matched: set[str] = field(default_factory=set)
    mended: int = 0
    rows: int = 0
    headings_again: int = 0
    notes: int = 0
    bad_dates: list[tuple[int, str]] = field(default_factory=list)
    no_body: list[int] = field(default_factory=list)
    repeated: int = 0
    filled: int = 0
    disagree: list[tuple[str, str, date, Decimal, Decimal, int]] = field(default_factory=list)

    @property
    def days(self) -> set[date]:
        """Days of which anything is said."""
        return {when for series in self.series.values() for when in series}


def table(source: Source, reasons: Reasons) -> Table:
    """Read one published table. Raises Unreadable, with what is expected, for one of no known
    kind or without any figure."""
    text = decoded(source.data)
    delimiter, found, above = _recognised(text.text, reasons)
    made = Table(
        source=source.name,
        digest=source.digest,
        encoding=text.encoding,
        delimiter=delimiter,
        kind=found.kind,
        unknown_columns=found.unknown,
        repeated_columns=found.repeated,
    )
    _Reader(made, found, reasons).read(text, above)
    if not made.series:
        raise Unreadable(_no_figures(made))
    return made


def _recognised(text: str, reasons: Reasons) -> tuple[str, Layout, int]:
    """Delimiter, layout, and the line of the headings."""
    widest: tuple[str, ...] = ()
    for delimiter in DELIMITERS:
        try:
            for seen, row in enumerate(rows(text, delimiter)):
                if seen >= HEAD:
                    break
                if found := layout([cell.strip() for cell in row.cells], reasons):
                    return delimiter, found, row.number
                if len(row.cells) > len(widest):
                    widest = row.cells
        except Unreadable:
            continue
    seen_columns = ", ".join(f"“{plain(cell)[:60]}”" for cell in widest[:12] if cell.strip())
    kinds = "; ".join(f"{kind.value}: {columns}" for kind, columns in EXPECTED.items())
    raise Unreadable(
        f"Its columns are of no known kind ({seen_columns or 'it has none'}). Expected are, in "
        f"any order: {kinds}."
    )


def _no_figures(made: Table) -> str:
    if made.bad_dates:
        line, said = made.bad_dates[0]
        return f"No row holds a day that can be read; line {line} says “{said}”."
    if made.no_body:
        return f"No row says whose figures these are; see line {made.no_body[0]}."
    return "It has headings and no figures."


class _Reader:
    """Fills a table from the rows of a text."""

    def __init__(self, made: Table, found: Layout, reasons: Reasons) -> None:
        self._made = made
        self._layout = found
        self._reasons = reasons
        self._measures: dict[tuple[str, str], Counted] = {}

    def read(self, text: Text, above: int) -> None:
        made, found = self._made, self._layout
        lines = [row for row in rows(text.text, made.delimiter) if row.number > above]
        texts = [row.cells[found.date] for row in lines if len(row.cells) > found.date]
        made.day_first = is_day_first(set(texts))
        days = {said: day(said, day_first=made.day_first) for said in set(texts)}
        made.interval = _interval(found.kind, [one for one in days.values() if one])
        wide = [
            (place, self._measure(measure.slug, measure.label, natural=Interval.DAY))
            for place, measure in found.measures.items()
        ] + [(place, self._reason(made_of)) for place, made_of in found.reasons.items()]
        for row in lines:
            self._row(row, days, wide)

    def _row(
        self, row: Row, days: Mapping[str, Day | None], wide: list[tuple[int, Counted]]
    ) -> None:
        made, found = self._made, self._layout
        cells = row.cells
        if tuple(cell.strip() for cell in cells) == found.headings:
            made.headings_again += 1
            return
        if sum(1 for cell in cells if cell.strip()) < 2:
            made.notes += 1  # a source or a footnote below the table
            return
        said = cells[found.date] if len(cells) > found.date else ""
        when = days.get(said)
        if when is None:
            made.bad_dates.append((row.number, said.strip()[:40]))
            return
        body = self._body(cells)
        if not body:
            made.no_body.append(row.number)
            return
        made.rows += 1
        if found.is_long:
            assert found.reason is not None
            counted = self._long(cells, found.reason)
            if counted is not None:
                self._keep(body, counted, when.day, _cell(cells, found.count), row.number)
            return
        for place, counted in wide:
            self._keep(body, counted, when.day, _cell(cells, place), row.number)

    def _body(self, cells: tuple[str, ...]) -> str:
        code = plain(_cell(cells, self._layout.code)).upper()
        said = _cell(cells, self._layout.name)
        name = " ".join(mended(said).split())
        if name != " ".join(said.split()):
            self._made.mended += 1
        if code.casefold() in MISSING:
            code = plain(name).upper()
        code = code[:80]
        if code and (name or code not in self._made.bodies):
            # The name of the latest row stands: bodies merge and take new ones.
            self._made.bodies[code] = Body(code, name[:200])
        return code

    def _long(self, cells: tuple[str, ...], reason: int) -> Counted | None:
        said = _cell(cells, reason)
        group = _cell(cells, self._layout.group)
        if not said.strip():
            return None
        known = self._measures.get((group, said))
        if known is None:
            known = self._measures[group, said] = self._of_label(said, key(group))
        if known.slug not in self._made.matched and known.reason == "":
            self._made.unmatched[known.label] += 1
        return known

    def _of_label(self, said: str, group: str) -> Counted:
        label = " ".join(mended(said).split())
        if label != " ".join(said.split()):
            self._made.mended += 1
        about_delays = not group or group.startswith("delay")
        sort = group.removeprefix("delay reasons").removeprefix("delay reason").strip()
        if about_delays and (found := self._reasons.named(said)) is not None:
            return self._reason(found, sort)
        measure = by_heading(key(said))
        if measure is not None:
            self._made.matched.add(measure.slug)
            return self._measure(measure.slug, measure.label, natural=Interval.DAY)
        before = "delay" if about_delays else "metric"
        words = f"{sort} {key(said)}".strip() if about_delays else f"{group} {key(said)}"
        shown = f"{label} ({sort})" if sort else label
        return self._measure(_slug(before, words), shown, natural=Interval.MONTH)

    def _reason(self, reason: Reason, sort: str = "") -> Counted:
        label = f"{reason.label} ({sort})" if sort else reason.label
        slug = _slug("delay", f"{sort} {reason.slug}".strip())
        counted = self._measure(slug, label, natural=Interval.MONTH, reason=reason.slug)
        self._made.matched.add(counted.slug)
        return counted

    def _measure(self, slug: str, label: str, *, natural: Interval, reason: str = "") -> Counted:
        interval = self._made.interval
        if interval is not natural:
            slug = f"{slug}-by-{interval.value}"
        counted = Counted(slug, label, interval, reason)
        return self._made.counted.setdefault(slug, counted)

    def _keep(self, body: str, counted: Counted, when: date, said: str, line: int) -> None:
        made = self._made
        found = number(said)
        doubt = None
        if found.wrong:
            doubt = Doubt.NEGATIVE if _is_negative(found) else Doubt.NOT_A_NUMBER
        cell = Cell(found.value, found.mark, doubt, found.suppressed, line)
        series = made.series[body, counted.slug]
        before = series.get(when)
        if before is not None and before.value is not None and cell.value is not None:
            if before.value != cell.value:
                cell.doubt = Doubt.CONFLICT
                said_twice = (body, counted.slug, when, before.value, cell.value, line)
                made.disagree.append(said_twice)
            else:
                made.repeated += 1
                cell.doubt = before.doubt
        elif before is not None:
            same = before.value is None and cell.value is None
            made.repeated += same
            made.filled += not same
            if before.value is not None:
                return  # a figure says more than none
        series[when] = cell


def _is_negative(found: Number) -> bool:
    said = plain(found.mark).lstrip("(")
    return found.mark.startswith("(") or said.startswith("-")


def _cell(cells: tuple[str, ...], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _slug(before: str, words: str) -> str:
    slug = f"{before}-{'-'.join(words.split())}"
    if len(slug) <= LONGEST:
        return slug
    # Two long labels may begin alike.
    return f"{slug[: LONGEST - 9]}-{crc32(slug.encode()):08x}"


def _interval(kind: Kind, days: Iterable[Day]) -> Interval:
    """How far the days of a file are apart: months where months are named or all days are the
    first of one; weeks where all are seven days apart."""
    found = list(days)
    dates = sorted({one.day for one in found})
    if found and all(one.whole_month for one in found):
        return Interval.MONTH
    monthly = kind in (Kind.DELAY_REASONS, Kind.DISCHARGE_METRICS)
    if dates and all(one.day == 1 for one in dates) and (len(dates) > 1 or monthly):
        return Interval.MONTH
    if len(dates) > 2 and all((b - a).days % 7 == 0 for a, b in pairwise(dates)):
        return Interval.WEEK
    return Interval.DAY


def steps(interval: Interval) -> Callable[[date, date], Iterator[date]]:
    """The days that a series of this interval has from one day to another, both included."""
    return {Interval.DAY: _daily(1), Interval.WEEK: _daily(7), Interval.MONTH: _monthly}[interval]


def _daily(length: int) -> Callable[[date, date], Iterator[date]]:
    def walk(first: date, last: date) -> Iterator[date]:
        for ordinal in range(first.toordinal(), last.toordinal() + 1, length):
            yield date.fromordinal(ordinal)

    return walk


def _monthly(first: date, last: date) -> Iterator[date]:
    year, month = first.year, first.month
    while date(year, month, 1) <= last:
        yield date(year, month, 1)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
