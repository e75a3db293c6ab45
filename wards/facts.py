"""What any source can tell us, in one vocabulary, before it is stored.

A feed, a form, the API and an import all build these and hand them to
`wards.movements.record`. Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from patients.keys import Details, Identifier, PersonKey, VisitKey

__all__ = [
    "Described",
    "Details",
    "Fact",
    "Identifier",
    "Joined",
    "Moved",
    "MovementKind",
    "PersonKey",
    "Place",
    "VisitGiven",
    "VisitJoined",
    "VisitKey",
]


class MovementKind(StrEnum):
    """What happened.

    `OBSERVED` is a sighting: the source says where a patient is without saying that they moved.
    It counts where nothing is known, and against a place that the source had named earlier.
    `TRACKED` is a sighting away from the patient's own bed: it counts only where nothing is
    known. The `CANCELLED_*` kinds take back the latest movement of their kind that the source
    had sent before. `GIVEN` says whose visit it is, `JOINED` that it is part of another visit;
    neither moves anybody.
    """

    EXPECTED = "expected"
    ADMITTED = "admitted"
    TRANSFERRED = "transferred"
    OBSERVED = "observed"
    TRACKED = "tracked"
    LEFT = "left"
    RETURNED = "returned"
    DISCHARGED = "discharged"
    PENDING_ADMIT = "pending_admit"
    PENDING_TRANSFER = "pending_transfer"
    PENDING_DISCHARGE = "pending_discharge"
    CANCELLED_EXPECTED = "cancelled_expected"
    CANCELLED_ADMIT = "cancelled_admit"
    CANCELLED_TRANSFER = "cancelled_transfer"
    CANCELLED_DISCHARGE = "cancelled_discharge"
    CANCELLED_LEAVE = "cancelled_leave"
    CANCELLED_RETURN = "cancelled_return"
    CANCELLED_PENDING_ADMIT = "cancelled_pending_admit"
    CANCELLED_PENDING_TRANSFER = "cancelled_pending_transfer"
    CANCELLED_PENDING_DISCHARGE = "cancelled_pending_discharge"
    DELETED = "deleted"
    GIVEN = "given"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is, as primary keys: a ward and, as far as known, bay and bed."""

    ward: int
    bay: int | None = None
    bed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Anything a source says; `key` is unique for what was said, so that a repeat is known."""

    key: str
    sent_at: datetime
    person: PersonKey
    details: Details = field(default_factory=Details)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(Fact):
    """Nothing but details of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Fact):
    """Something happened to a visit.

    `visit` None means that the source gave no visit number. `stay` holds what was said of the
    stay: patient_class, specialty, admission_method, consultant, discharge_destination,
    expected_discharge_at (ISO text), expected_at (ISO text); a value of None takes it back. `age`
    (years at admission) comes from sources that give no date of birth.
    `admitted_until` and `discharged_until` (ISO text) say that `admitted_at` or `discharged_at`
    is known by the day or the hour alone, which ends there. `alias` is another number by which
    the source knows the same visit (an account); what it says under that alone is said of `visit`.
    """

    kind: MovementKind
    occurred_at: datetime
    visit: VisitKey | None = None
    alias: VisitKey | None = None
    place: Place | None = None
    from_place: Place | None = None
    wanted_ward: int | None = None
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    stay: Mapping[str, str | None] = field(default_factory=dict)
    cancels: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Fact):
    """`person` and `other` are the same person. With `survivor`, `person`'s details count."""

    other: PersonKey
    survivor: bool = True
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitGiven(Fact):
    """The visit belongs to `person` from now on, whoever it was recorded under."""

    visit: VisitKey


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitJoined(Fact):
    """What was recorded under `other` belongs to `visit` (merged, or its number changed)."""

    visit: VisitKey
    other: VisitKey
    undone: bool = False
