"""What any source can tell us, in one vocabulary, before it is stored.

A feed, a form, the API and an import all build these and hand them to
`wards.movements.record`. Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class MovementKind(StrEnum):
    """What happened.

    `OBSERVED` says where a patient is without saying that they moved there; it counts only
    where nothing better is known. The `CANCELLED_*` kinds take back the latest movement of
    their kind that the source had sent before.
    """

    EXPECTED = "expected"
    ADMITTED = "admitted"
    TRANSFERRED = "transferred"
    OBSERVED = "observed"
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


@dataclass(frozen=True, slots=True, order=True)
class PersonKey:
    """The identifier by which a source names a patient record."""

    authority: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class VisitKey:
    """The number by which a source names a visit."""

    authority: str
    number: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is, as primary keys: a ward and, as far as known, bay and bed."""

    ward: int
    bay: int | None = None
    bed: int | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """Another number of the same record; `kind` is an HL7 table 0203 code such as `PI`."""

    authority: str
    value: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What a source said of a person. A missing key was not said; None was taken back.

    Keys: nhs_number, family_name, given_name, title, date_of_birth, sex, postcode, gp_practice,
    died_at, is_deleted, is_restricted.
    """

    values: Mapping[str, str | date | datetime | bool | None] = field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Anything a source says; `key` is unique for what was said, so that a repeat is known."""

    key: str
    sent_at: datetime
    person: PersonKey
    details: Details = Details()


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(Fact):
    """Nothing but details of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Fact):
    """Something happened to a visit.

    `visit` None means that the source gave no visit number. `stay` holds what was said of the
    stay: patient_class, specialty, admission_method, consultant, discharge_destination,
    expected_discharge_at (ISO text), expected_at (ISO text); a value of None takes it back.
    """

    kind: MovementKind
    occurred_at: datetime
    visit: VisitKey | None = None
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
