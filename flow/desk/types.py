"""What the desk shows: frozen values that its page and the API share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow.board_types import Face, Place
from flow.desk.clocks import Clock, next_to_end
from wards.care_needs import Needed
from wards.suitability.facts import NeedKind


@dataclass(frozen=True, slots=True)
class HeldBed:
    """The bed that is held for a request. decided: it is theirs, not only kept back. ready: it
    can be used as it is; `state` says what it is else (`BedTile.state`)."""

    reservation: int
    bed: int
    label: str
    ward: Place
    until: datetime
    decided: bool
    state: str
    status: str


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A bed that was held and is not any more, though nobody gave it back: why, and since when."""

    bed: int
    label: str
    ward: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Need:
    """One need for a bed.

    id: of the bed request. kind: why. priority: 1 (immediate) to 4. since: when it was asked for;
    due_at: when the bed is wanted. origin, bed: where the patient is now; None when not here.
    target: the ward asked for. specialty: the one asked for, else the patient's. face: None where
    the viewer may not see who it is. sex, age: of the patient, as the rules use them. needed: what
    was said of what they need; None where nobody has said anything. elective: by admission method.
    """

    id: int
    key: str
    kind: NeedKind
    priority: int
    since: datetime
    due_at: datetime | None
    episode: int
    origin: Place | None
    bed: str
    target: Place | None
    specialty: str
    asked_by: str
    note: str
    elective: bool
    clocks: tuple[Clock, ...]
    held: HeldBed | None
    lapsed: Lapsed | None
    needed: Needed | None
    sex: str
    age: int | None
    face: Face | None
    may_see: bool

    def next_clock(self, at: datetime) -> Clock | None:
        """The clock that runs out next."""
        return next_to_end(self.clocks, at)

    @property
    def waits_for(self) -> str:
        """`bed`: none is held; `move`: one is held and can be used; `ready`: one is held that
        has to become ready first."""
        if self.held is None:
            return "bed"
        return "move" if self.held.state == "available" else "ready"


@dataclass(frozen=True, slots=True)
class Queue:
    """The needs for a bed of one site that are in the viewer's sight. kinds, specialties: how many
    of each, of these; unseen: how many of these the viewer may not see by name. Of all the site's
    needs, held: for how many a bed is held; overdue: of how many a clock has run out."""

    moment: datetime
    needs: Sequence[Need]
    kinds: Mapping[NeedKind, int]
    specialties: Mapping[str, int]
    held: int
    overdue: int
    unseen: int
    free: int
    """Beds of the site that are empty, ready and held for nobody."""
    cleaning: int
    """Beds of the site to be cleaned."""
    shown: int
    """How many needs the site has."""
    listed: int
    """How many of them are in sight, before any filter."""

    @property
    def beyond(self) -> int:
        """How many are not listed, since the viewer has no role where they are or are to go."""
        return self.shown - self.listed
