"""Reading a places file in CSV: one row a bed, with its bay, ward, site and organisation.

What belongs to a ward may stand in each of its rows or in some; where it stands, it must be
the same. A column that is not there says nothing; an empty cell of a bed says "none".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from wards import place_values as values
from wards.place_entries import (
    BayEntry,
    BedEntry,
    Entries,
    OrganisationEntry,
    SiteEntry,
    WardEntry,
    said,
)

T = TypeVar("T")
Key = tuple[str, ...]

COLUMNS: Final = (
    "organisation", "organisation_name", "organisation_kind", "parent",
    "site", "site_name", "site_kind",
    "ward", "ward_name", "ward_kind", "specialty", "ward_sex",
    "bay", "bay_name", "bay_sex",
    "bed", "bed_kind", "funding", "features",
)  # fmt: skip
NEEDED: Final = ("organisation", "site", "ward", "bed")


def read_csv(text: str) -> Entries:
    """What the text says; mistakes are in the result, and reading goes on after each."""
    entries = Entries()
    head = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    if not head:
        entries.wrong(0, "", f"is empty; its first row names the columns: {', '.join(COLUMNS)}.")
        return entries
    # The separator is whichever the row of names uses; a spreadsheet set to a comma as decimal
    # sign writes semicolons.
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=separator, strict=True)
    table = _Table(entries)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                table.row(row, rows.line_num)
    except csv.Error as error:
        entries.wrong(rows.line_num, "", f"this is not CSV ({error}); check the quotes near here.")
    table.finish()
    return entries


@dataclass(slots=True)
class _Group:
    """A ward, say, over all rows that name it: where first, and what each column said."""

    line: int
    position: int
    said: dict[str, tuple[str, int]] = field(default_factory=dict)


class _Table:
    """Gathers the rows; places become entries at the end, once all rows have had their say."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.columns: list[str] | None = None
        self.groups: dict[str, dict[Key, _Group]] = {
            noun: {} for noun in ("organisation", "site", "ward", "bay")
        }
        self.counts: dict[Key, int] = {}

    def row(self, cells: list[str], line: int) -> None:
        """One row: the names of the columns first, then beds."""
        if self.columns is None:
            self.head(cells, line)
            return
        if len(cells) > len(self.columns) and any(c.strip() for c in cells[len(self.columns) :]):
            message = f"has {len(cells)} cells for {len(self.columns)} columns; check separators."
            self.entries.wrong(line, "", message)
            return
        self.bed(dict(zip(self.columns, (cell.strip() for cell in cells), strict=False)), line)

    def head(self, cells: list[str], line: int) -> None:
        names = [cell.strip().lower().replace(" ", "_") for cell in cells]
        for name in names:
            if not name:
                continue
            try:
                values.one_of(name, COLUMNS)
            except ValueError as error:
                self.entries.wrong(line, "", f"the column {error}")
            if names.count(name) > 1:
                self.entries.wrong(line, "", f"the column {name} is there twice; keep one.")
        for name in NEEDED:
            if name not in names:
                self.entries.wrong(line, "", f"the column {name} is missing; add it.")
        self.columns = names

    def bed(self, cells: dict[str, str], line: int) -> None:
        codes = {}
        for name in ("organisation", "site", "ward", "bay", "bed"):
            code = self.cell(cells, name, line, _cleaned(name)) or ""
            if name in NEEDED and cells.get(name) == "":
                self.entries.wrong(line, "", f"the {name} is missing; every row names one.")
            codes[name] = code
        organisation, site, ward, bay, label = codes.values()
        self.note("organisation", (organisation,), cells, line)
        self.note("site", (site,), cells | {"organisation_of_site": organisation}, line)
        self.note("ward", (site, ward), cells, line)
        if bay:
            self.note("bay", (site, ward, bay), cells, line)
        if not (site and ward and label):
            return
        if len(self.entries.beds) >= values.MOST_BEDS_IN_ALL:
            if len(self.entries.beds) == values.MOST_BEDS_IN_ALL:
                self.entries.wrong(line, "", values.TOO_MANY_BEDS)
            return
        features = self.cell(
            cells, "features", line, lambda t: values.some_of(values.split(t), values.FEATURES)
        )
        self.entries.beds.append(
            BedEntry(
                line=line,
                site=site,
                ward=ward,
                bay=bay,
                label=label,
                position=self.next_position(("bed", site, ward)),
                kind=self.choice(cells, "bed_kind", line, values.BED_KINDS),
                funding=self.choice(cells, "funding", line, values.FUNDINGS),
                features=features,
            )
        )

    def next_position(self, among: Key) -> int:
        """Where the next one stands among those below the same place."""
        position = self.counts.get(among, 0)
        self.counts[among] = position + 1
        return position

    def cell(
        self, cells: dict[str, str], name: str, line: int, parse: Callable[[str], T]
    ) -> T | None:
        """`parse` of a cell; None when there is no such column or it is wrong (noted)."""
        if name not in cells:
            return None
        try:
            return parse(cells[name])
        except ValueError as error:
            self.entries.wrong(line, "", f"{name} {error}")
            return None

    def choice(
        self, cells: dict[str, str], name: str, line: int, allowed: tuple[str, ...]
    ) -> str | None:
        """One of the allowed words; an empty cell says nothing."""
        if not cells.get(name):
            return None
        return self.cell(cells, name, line, lambda text: values.one_of(text, allowed))

    def note(self, noun: str, key: Key, cells: dict[str, str], line: int) -> None:
        """Keep what a row says of the place it is in; rows that disagree are a mistake."""
        if not all(key):
            return
        groups = self.groups[noun]
        if key not in groups:
            groups[key] = _Group(line, self.next_position((noun, *key[:-1])))
        group = groups[key]
        for name in _DETAILS[noun]:
            text = cells.get(name, "")
            if not text:
                continue
            told, where = group.said.setdefault(name, (text, line))
            if told != text:
                what = "organisation" if name == "organisation_of_site" else name
                self.entries.wrong(
                    line,
                    said(noun, key),
                    f"{what} is “{values.shown(text)}” here but “{values.shown(told)}” in line "
                    f"{where}; make them the same.",
                )

    def finish(self) -> None:
        """Make entries of the places, in the order in which they were first named."""
        for (code,), group in self.groups["organisation"].items():
            self.entries.organisations.append(
                OrganisationEntry(
                    line=group.line,
                    code=code,
                    name=self.detail(group, "organisation_name", _cleaned("name")),
                    kind=self.word(group, "organisation_kind", values.ORGANISATION_KINDS),
                    parent=self.detail(group, "parent", _cleaned("organisation")),
                )
            )
        for (code,), group in self.groups["site"].items():
            self.entries.sites.append(
                SiteEntry(
                    line=group.line,
                    code=code,
                    position=group.position,
                    name=self.detail(group, "site_name", _cleaned("name")),
                    kind=self.word(group, "site_kind", values.SITE_KINDS),
                    organisation=self.detail(
                        group, "organisation_of_site", _cleaned("organisation")
                    ),
                )
            )
        self.finish_wards()

    def finish_wards(self) -> None:
        for (site, code), group in self.groups["ward"].items():
            self.entries.wards.append(
                WardEntry(
                    line=group.line,
                    site=site,
                    code=code,
                    position=group.position,
                    name=self.detail(group, "ward_name", _cleaned("name")),
                    kind=self.word(group, "ward_kind", values.WARD_KINDS),
                    specialty=self.detail(group, "specialty", _cleaned("specialty")),
                    sex=self.word(group, "ward_sex", values.SEXES),
                )
            )
        for (site, ward, code), group in self.groups["bay"].items():
            self.entries.bays.append(
                BayEntry(
                    line=group.line,
                    site=site,
                    ward=ward,
                    code=code,
                    position=group.position,
                    name=self.detail(group, "bay_name", _cleaned("name")),
                    sex=self.word(group, "bay_sex", values.SEXES),
                )
            )

    def detail(self, group: _Group, name: str, parse: Callable[[str], str]) -> str | None:
        if name not in group.said:
            return None
        text, line = group.said[name]
        return self.cell({name: text}, name, line, parse)

    def word(self, group: _Group, name: str, allowed: tuple[str, ...]) -> str | None:
        return self.detail(group, name, lambda text: values.one_of(text, allowed))


_DETAILS: Final = {
    "organisation": ("organisation_name", "organisation_kind", "parent"),
    "site": ("site_name", "site_kind", "organisation_of_site"),
    "ward": ("ward_name", "ward_kind", "specialty", "ward_sex"),
    "bay": ("bay_name", "bay_sex"),
}
_WHAT: Final = {
    "organisation": "organisation code",
    "site": "site code",
    "ward": "ward code",
    "bay": "bay code",
    "bed": "bed label",
}


def _cleaned(name: str) -> Callable[[str], str]:
    """How a text of this name is cleaned: a code by its place, a detail by its own name."""
    what = _WHAT.get(name, name)
    return lambda text: values.clean(text, what)
