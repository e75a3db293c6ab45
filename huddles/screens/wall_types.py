"""What walls show: frozen values, a kind of its own for what each zone adds.

No field here is made for what people typed: what was agreed and what a meeting speaks of are
numbers, moments and `Label`s. A public wall is made of figures and bars alone; tiles and lists of
beds exist for staff zones; initials exist in `ClosedTile` and `Waiter`, for closed rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from flow.board_types import FeedState, Trend
from flow.templatetags.boards import percent
from huddles.models import Screen

Zone = Screen.Zone

Label = NewType("Label", str)
"""What a ward, a bed, a team or a role is called in the hospital's own set-up: never what was typed
about anybody."""

SMALL: Final = 5
"""In the public zone a count of people below this, but for none at all, is shown as `<5`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A large number with its unit, if any: what it counts, what is said below it. tone: `good`,
    `warn`, `bad` or empty."""

    text: str
    label: str
    note: str = ""
    tone: str = ""
    unit: str = ""


def people(count: int, zone: str) -> str:
    """A count of people as the zone may see it: in the public one nobody is to be picked out."""
    return f"<{SMALL}" if zone == Zone.PUBLIC and 0 < count < SMALL else str(count)


def share(label: str, occupancy: float | None) -> Figure:
    """A share as a whole per cent; 100 means full."""
    text = percent(occupancy)
    return Figure(text.removesuffix(" %"), label, unit="%" if occupancy is not None else "")


def waited(label: str, length: timedelta | None) -> Figure:
    """A length of time, in its coarsest unit that says enough from afar."""
    if length is None:
        return Figure("–", label)
    minutes = max(0, int(length.total_seconds() // 60))
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes >= 2 * size:
            return Figure(str(minutes // size), label, unit=unit)
    return Figure(str(minutes), label, unit="min")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a bar, in per cent of its length: so many beds."""

    kind: str
    x: float
    width: float
    beds: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A place with its beds as one bar. number: what stands beside it. stale: too old."""

    name: str
    stretches: tuple[Stretch, ...]
    number: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Several places. heading: what the numbers beside them are. others: how many more there are
    that found no room. across: columns."""

    bars: tuple[Bar, ...]
    heading: str
    others: int
    across: int


@dataclass(frozen=True, slots=True)
class Day:
    """Occupied beds through the last 24 hours, under the line of those open now."""

    trend: Trend
    open: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A bed for staff: its label, its state, and one word of what is next, with its icon."""

    label: str
    state: str
    word: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class ClosedTile(Tile):
    """The same for a closed room. initials: empty where nobody is, or where they may not be
    shown."""

    initials: str


@dataclass(frozen=True, slots=True)
class Box:
    """A bay, or single rooms that follow each other. across: columns of tiles."""

    name: str
    tiles: tuple[Tile, ...]
    across: int


@dataclass(frozen=True, slots=True)
class Boxes:
    """A ward as it lies. bedless: on the ward without a bed. size: `s`, `m` or `l`, by how many
    tiles there are."""

    boxes: tuple[Box, ...]
    bedless: int
    size: str


@dataclass(frozen=True, slots=True)
class Job:
    """A bed to clean, for staff. held_until: where somebody is to come into it."""

    ward: str
    bed: str
    terminal: bool
    begun: bool
    since: datetime
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class Jobs:
    """Beds to clean, the most urgent first. others: how many more."""

    jobs: tuple[Job, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody who waits for a bed, for a closed room: initials, from where, where to, since."""

    initials: str
    origin: str
    target: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """How many of the actions agreed are open, and how many of these are late."""

    open: int
    late: int


@dataclass(frozen=True, slots=True)
class Next(Agreed):
    """The same for a closed room, with the next that is due; `due_at` is None where all are late.
    ward, bed: which it is about; whose: the team or the role that sees to it; each may be empty."""

    due_at: datetime | None = None
    ward: Label = Label("")
    bed: Label = Label("")
    whose: Label = Label("")


class Topic(StrEnum):
    """What a meeting speaks of."""

    NONE = "none"
    AHEAD = "ahead"
    LINES = "lines"
    WARD = "ward"
    SAFETY = "safety"
    PREVIOUS = "previous"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a meeting speaks of, in numbers. count, whole: so many (of how many), of confirmed
    lines, of wards that said something, or of actions. at: when it begins, or when a ward confirmed
    its line. harm, hazard: whether that question of safety has been answered."""

    topic: Topic
    count: int = 0
    whole: int = 0
    at: datetime | None = None
    harm: bool = False
    hazard: bool = False


Picture = Bars | Day | Boxes | Jobs | Bar | None


@dataclass(frozen=True, slots=True)
class Wall:
    """One page on a screen.

    moment: when it was drawn. as_at: of when its figures are. stale: too old to be relied on.
    feed: when the feeds were last heard, the most silent of those concerned. waiters: in closed
    rooms alone. agreed: what is to be done; None where nothing is. spoken: of what a meeting
    speaks, on the huddle's own page.
    """

    layout: str
    zone: str
    title: str
    subtitle: str
    moment: datetime
    as_at: datetime
    stale: bool
    feed: FeedState | None
    figures: tuple[Figure, ...]
    picture: Picture
    waiters: tuple[Waiter, ...] = ()
    agreed: Agreed | None = None
    spoken: Spoken | None = None
