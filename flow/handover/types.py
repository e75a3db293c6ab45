"""What a handover tells: frozen values that its page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from flow.board_types import Face, Sight
from flow.desk.misplaced import Outlier
from flow.desk.types import Need
from wards.models import Closure

LATE: Final = timedelta(minutes=30)
"""From how long after it happened something counts as told late."""


class Kind(StrEnum):
    """What changed, in the order in which it is told."""

    ARRIVED = "arrived"
    ADMITTED = "admitted"
    MOVED = "moved"
    LEFT = "left"
    LEFT_EMERGENCY = "left_emergency"
    DIED = "died"
    TAKEN_BACK = "taken_back"
    NEED_NEW = "need_new"
    NEED_MET = "need_met"
    NEED_WITHDRAWN = "need_withdrawn"
    HOLD_OVER = "hold_over"
    OVERRIDE = "override"
    BED_CLOSED = "bed_closed"
    BED_REOPENED = "bed_reopened"
    ESCALATION_OPENED = "escalation_opened"
    ESCALATION_CLOSED = "escalation_closed"
    CORRIDOR = "corridor"
    DEFINITE = "definite"
    PUT_OFF = "put_off"
    BARRIER_RAISED = "barrier_raised"
    BARRIER_OVER = "barrier_over"
    BARRIER_LATE = "barrier_late"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that changed, as it was read.

    at: when it happened. told_at: when it was recorded here. wards: where it shows. patient: the
    record of whom it is about, None for what is about a bed; episode: their stay. seen_on: on
    which of the wards their name may be looked for; `wards` where that is the same. words: what
    happened; private: what somebody wrote about it in their own words, for those who may see the
    patient. address: where more is told.
    """

    kind: Kind
    at: datetime
    told_at: datetime
    wards: tuple[int | None, ...]
    words: str
    patient: int | None = None
    episode: int | None = None
    private: str = ""
    more: str = ""
    address: str = ""

    @property
    def late(self) -> bool:
        """Whether it was told late."""
        return self.told_at - self.at >= LATE

    def named(self, sight: Sight) -> bool:
        """Whether the viewer may be told who it is about."""
        return sight.patients is None or any(sight.sees_patients(ward) for ward in self.wards)


@dataclass(frozen=True, slots=True)
class Change:
    """The same as it is shown; face: None where the viewer may not see who it is."""

    told: Told
    face: Face | None
    private: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes of one kind, the latest first. count: of all; late: of these told late;
    shown: as many as a page holds. unfolded: whether the list is open at first."""

    kind: Kind
    count: int
    late: int
    shown: Sequence[Change]
    unfolded: bool


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """A barrier that is past its target or soon will be. owner: who is accountable, "" for nobody.
    ward: the name of where the patient is."""

    id: int
    label: str
    owner: str
    due_at: datetime
    ward_id: int | None
    ward: str
    patient: int
    episode: int
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is open. needs: without a bed, what runs out next first, and how many more there are;
    held: with one that is held."""

    needs: Sequence[Need]
    more_needs: int
    held: Sequence[Need]
    corridor: Sequence[Outlier]
    outliers: Sequence[Outlier]
    boarders: Sequence[Need]
    closures: Sequence[Closure]
    barriers: Sequence[OpenBarrier]
    has_rules: bool

    @property
    def needs_count(self) -> int:
        """How many wait without a bed."""
        return len(self.needs) + self.more_needs


class Lane(StrEnum):
    """On which line of the picture something that comes is drawn."""

    CLOCK = "clock"
    WANTED = "wanted"
    HELD = "held"
    LEAVING = "leaving"
    ARRIVING = "arriving"
    BARRIER = "barrier"
    BED = "bed"


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that runs out or is due. patient: it is about one, whose face is None where the
    viewer may not see them. words: what; more: what else. x: where in the picture, 0 to 100."""

    at: datetime
    lane: Lane
    words: str
    more: str = ""
    patient: bool = True
    face: Face | None = None
    address: str = ""
    x: float = 0.0


@dataclass(frozen=True, slots=True)
class Leaving:
    """A discharge that is definite. at: when, where a time was said."""

    patient: int
    episode: int
    ward_id: int
    ward: str
    bed: str
    at: datetime | None
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """What runs out or is due in the hours to come. entries: in the order of time, the first of
    them in sight. lanes: of each line of the picture its marks. hours: its ticks with the clock's
    time. untimed: discharges that are definite and of which nobody said when."""

    AT_ONCE: ClassVar[int] = 40

    until: datetime
    entries: Sequence[Coming]
    lanes: Sequence[tuple[Lane, Sequence[Coming]]]
    hours: Sequence[tuple[float, datetime]]
    untimed: Sequence[Leaving]

    @property
    def first(self) -> Sequence[Coming]:
        """Those that are listed at once."""
        return self.entries[: self.AT_ONCE]

    @property
    def later(self) -> Sequence[Coming]:
        """Those that are folded in at first."""
        return self.entries[self.AT_ONCE :]
