"""How sources name people and visits, and what they say of a person. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


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
