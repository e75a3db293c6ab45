"""What the rules know of a person who needs a bed, and of beds, rooms and wards.

Pure: no Django. Kinds of ward and bed, features, funding and sexes of places are the words of
`wards.models.places`; keys are primary keys. Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

SIDE_ROOM: Final = "side_room"
CORRIDOR: Final = "corridor"
"""The feature of a space that is no designated place for patients."""


REQUIRABLE: Final = frozenset(
    {
        "oxygen", "telemetry", "bariatric", "high_visibility", "specialist_mattress", "ventilator",
        "ensuite",
    }
)  # fmt: skip
"""Features that a person may need of a bed; rooms of their own are asked for as isolation."""


class NeedKind(StrEnum):
    """Why a bed is needed."""

    ED_ADMISSION = "ed_admission"
    ASSESSMENT_MOVE = "assessment_move"
    ELECTIVE = "elective"
    STEP_DOWN = "step_down"
    REPATRIATION = "repatriation"
    TRANSFER_IN = "transfer_in"
    COMMUNITY = "community"
    WARD_MOVE = "ward_move"
    EXPECTED = "expected"


class Isolation(StrEnum):
    """What infection control asks for."""

    NONE = "none"
    SIDE_ROOM = "side_room"
    NEGATIVE_PRESSURE = "negative_pressure"


class BedState(StrEnum):
    """What a bed is at the moment of the setting."""

    READY = "ready"
    NEEDS_CLEANING = "needs_cleaning"
    BEING_CLEANED = "being_cleaned"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    CLOSED = "closed"


class RoomKey(NamedTuple):
    """A room: ("bay", id), a side room as ("bed", id), or the open area of a ward ("ward", id)."""

    kind: str
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where somebody is now, as far as known."""

    site: int
    ward: int
    bay: int | None = None
    bed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The person's side.

    key: tells people apart; whoever is in the setting and in the queue has the same key in both.
    sex: "F", "M", "X" (indeterminate) or "" (not known). age: whole years. specialty: of the
    responsible consultant, in the words of the wards. infections: codes of known or suspected
    organisms; people with the same set may share a bay where the rule book allows. requires:
    features of the bed. acuity: level of critical care 0 to 3. corridor_groups: why the person
    may never be cared for in a corridor. priority: 1 (most urgent) to 4. since: when the need
    began; None counts as now.
    """

    key: int
    kind: str = NeedKind.ED_ADMISSION
    sex: str = ""
    age: int | None = None
    specialty: str = ""
    wanted_ward: int | None = None
    place: Spot | None = None
    isolation: str = Isolation.NONE
    infections: frozenset[str] = frozenset()
    requires: frozenset[str] = frozenset()
    not_alone: bool = False
    wander_risk: bool = False
    falls_risk: bool = False
    immunosuppressed: bool = False
    end_of_life: bool = False
    acuity: int | None = None
    elective: bool = False
    corridor_groups: frozenset[str] = frozenset()
    priority: int = 3
    since: datetime | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.priority <= 4:
            raise ValueError("A priority is 1 (most urgent) to 4.")
        if self.acuity is not None and not 0 <= self.acuity <= 3:
            raise ValueError("A level of critical care is 0 to 3.")

        if unknown := self.requires - REQUIRABLE:
            raise ValueError(f"Nothing of a bed is called {min(unknown)!r} that can be required.")

    @property
    def must_be_isolated(self) -> bool:
        return self.isolation != Isolation.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """A bed as it stands at the moment of the setting.

    state: a `BedState`. ready_at: when it can be used; None for an occupied bed means that nobody
    expects it soon, for one to be cleaned that nobody knows. chance: that it is free by then.
    reserved_for: the key of the person for whom it is held. position: order on the ward.
    """

    key: int
    ward: int
    bay: int | None = None
    label: str = ""
    kind: str = "bed"
    funding: str = "core"
    features: frozenset[str] = frozenset()
    state: str = BedState.READY
    ready_at: datetime | None = None
    chance: float = 1.0
    reserved_for: int | None = None
    position: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise ValueError("A chance is 0 to 1.")
        if self.ready_at is not None and self.ready_at.tzinfo is None:
            raise ValueError("A time needs its zone.")

    @property
    def is_side_room(self) -> bool:
        return SIDE_ROOM in self.features

    @property
    def room(self) -> RoomKey:
        """A bed with the feature `side_room` is a room of its own, whatever bay it is listed in.
        Beds in no bay share the ward's open area: only so can no mixing go unseen."""
        if self.is_side_room:
            return RoomKey("bed", self.key)
        if self.bay is not None:
            return RoomKey("bay", self.bay)
        return RoomKey("ward", self.ward)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """A bay as the places file states it; sex is any, female or male."""

    key: int
    ward: int
    name: str = ""
    sex: str = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A ward and what it can bear now; None is not known, and limits nothing.

    most_patients, most_acute: patients, and patients of level 2 or 3, that today's staff can look
    after. nurses: registered nurses on this shift; patients_per_nurse: most for each, where the
    ward has a limit of its own. youngest, oldest: ages in years it takes, where
    it is a children's ward or limits ages. ring_fenced: kept for elective patients.
    """

    key: int
    site: int
    code: str = ""
    name: str = ""
    kind: str = "inpatient"
    specialty: str = ""
    sex: str = "any"
    most_patients: int | None = None
    most_acute: int | None = None
    nurses: float | None = None
    patients_per_nurse: float | None = None
    youngest: int | None = None
    oldest: int | None = None
    ring_fenced: bool = False


def leaves_infection(leaving: Needs, coming: Needs) -> bool:
    """Whether the bed of `leaving` needs a terminal clean before `coming` lies in it: they are
    infected, or isolated, with anything that the other has not (NHS England, National infection
    prevention and control manual, 2.3)."""
    if not leaving.infections:
        return leaving.isolation != Isolation.NONE
    return not leaving.infections <= coming.infections
