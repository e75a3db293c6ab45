"""What a places file says, entry by entry, before anybody asks what is there already.

Throughout, None means that the file does not say: what is there is then kept, and what is new
gets the usual value. An empty text or an empty list was said, and takes something away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something in the file that cannot be loaded, and what to do about it."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "the file"
        return f"{where}{', ' + self.path if self.path else ''}: {self.message}"


class Notes(Protocol):
    """Gathers what is wrong with a file while it is read."""

    def wrong(self, line: int, path: str, message: str) -> None:
        """Note a mistake and read on."""


class FileMistaken(Exception):
    """The file was not loaded; `mistakes` are all that were found, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


@dataclass(frozen=True, slots=True, kw_only=True)
class RungEntry:
    """What the file says of one step of an escalation ladder; `level` counts from 1 upwards."""

    line: int
    organisation: str
    level: int
    after_hours: int
    title: str

    @property
    def key(self) -> tuple[str, ...]:
        return (self.organisation, str(self.level))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationEntry:
    """What the file says of an organisation; `parent` is the code of the one above, "" for none.

    `escalation` is its whole ladder, from the first step up, () for none.
    """

    line: int
    code: str
    name: str | None = None
    kind: str | None = None
    parent: str | None = None
    escalation: tuple[RungEntry, ...] | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.code,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEntry:
    """What the file says of a team."""

    line: int
    organisation: str
    code: str
    name: str | None = None
    kind: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.organisation, self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """What the file says of a site."""

    line: int
    code: str
    position: int
    name: str | None = None
    kind: str | None = None
    organisation: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.code,)


@dataclass(frozen=True, slots=True, kw_only=True)
class WardEntry:
    """What the file says of a ward."""

    line: int
    site: str
    code: str
    position: int
    name: str | None = None
    kind: str | None = None
    specialty: str | None = None
    sex: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.site, self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class BayEntry:
    """What the file says of a bay."""

    line: int
    site: str
    ward: str
    code: str
    position: int
    name: str | None = None
    sex: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.site, self.ward, self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class BedEntry:
    """What the file says of a bed; `bay` is "" for one in none, `features` are sorted."""

    line: int
    site: str
    ward: str
    bay: str
    label: str
    position: int
    kind: str | None = None
    funding: str | None = None
    features: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return (self.site, self.ward, self.bay, self.label)


class Entry(Protocol):
    """Anything with a line and a key."""

    @property
    def line(self) -> int: ...

    @property
    def key(self) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Entries:
    """All that a file says. `mistakes` grow while it is read and checked."""

    organisations: list[OrganisationEntry] = field(default_factory=list)
    teams: list[TeamEntry] = field(default_factory=list)
    sites: list[SiteEntry] = field(default_factory=list)
    wards: list[WardEntry] = field(default_factory=list)
    bays: list[BayEntry] = field(default_factory=list)
    beds: list[BedEntry] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, line: int, path: str, message: str) -> None:
        """Note a mistake and read on."""
        self.mistakes.append(Mistake(line, path, message))

    def levels(self) -> Iterator[tuple[str, list[Entry]]]:
        """The name of one entry of each level, and its entries, from the top down."""
        yield "organisation", list(self.organisations)
        yield "team", list(self.teams)
        yield "site", list(self.sites)
        yield "ward", list(self.wards)
        yield "bay", list(self.bays)
        yield "bed", list(self.beds)

    def check_repeats(self) -> None:
        """Note every entry that describes what an earlier one describes already."""
        for noun, entries in self.levels():
            first: dict[tuple[str, ...], int] = {}
            for entry in entries:
                if entry.key in first:
                    message = f"is there twice, first in line {first[entry.key]}; keep one."
                    self.wrong(entry.line, said(noun, entry.key), message)
                else:
                    first[entry.key] = entry.line


def said(noun: str, key: tuple[str, ...]) -> str:
    """A place in words a reader finds in the file: `site NGH, ward W12, bay A, bed 3`."""
    above = ("organisation", "team") if noun == "team" else ("site", "ward", "bay", "bed")
    nouns = ("organisation",) if noun == "organisation" else above
    return ", ".join(f"{name} {code}" for name, code in zip(nouns, key, strict=False) if code)
