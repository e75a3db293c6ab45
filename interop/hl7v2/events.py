"""What every ADT event does here: one table, to be read by the people who run a feed.

Source of the events: HL7 v2.8 chapter 3, section 3.3. An event that is not in the table is
refused (AR) and the message is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wards.facts import MovementKind as Kind


class Deed(StrEnum):
    """What sort of thing an event does."""

    MOVE = "moves a patient or says where one is"
    SWAP = "puts two patients in each other's beds"
    DESCRIBE = "says who somebody is"
    REMOVE = "marks a person record as deleted"
    MERGE = "says that two person records are one"
    LINK = "links two person records, both of which stand"
    JOIN_VISITS = "says that two visits are one, or that a visit has a new number"
    GIVE_VISIT = "gives a visit to another person"
    BED_STATUS = "says what state a bed is in"
    IGNORE = "is received and knowingly not acted on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One trigger event.

    `kind` is the movement that a `MOVE` records. `sighting`: PV1-3 also says where the patient
    is, without being the place of that movement. `ends`: PV1-45 is when the stay really ended,
    not a plan or something that is being taken back. `note` says what a reader may wonder about.
    """

    code: str
    name: str
    deed: Deed
    kind: Kind | None = None
    sighting: bool = False
    ends: bool = True
    note: str = ""


def _move(
    code: str,
    name: str,
    kind: Kind,
    note: str = "",
    *,
    sighting: bool = False,
    ends: bool = True,
) -> Event:
    return Event(
        code=code,
        name=name,
        deed=Deed.MOVE,
        kind=kind,
        sighting=sighting,
        ends=ends,
        note=note,
    )


def _other(code: str, name: str, deed: Deed, note: str = "") -> Event:
    places = deed not in (Deed.SWAP, Deed.BED_STATUS, Deed.IGNORE)
    return Event(code=code, name=name, deed=deed, note=note, sighting=places)


_NOT_YET: Final = "PV1-3 is a plan here; PV1-44 and PV1-45 are expected times."
_STILL: Final = "PV1-3 says where the patient is now."
_BACK: Final = "PV1-3 says where the patient is once this is taken back."
_NEVER_BEGUN: Final = "Calls off an A05; whoever has been admitted since stays."

EVENTS: Final[tuple[Event, ...]] = (
    _move("A01", "Admission", Kind.ADMITTED),
    _move("A02", "Transfer", Kind.TRANSFERRED),
    _move("A03", "Discharge", Kind.DISCHARGED),
    _move("A04", "Registration", Kind.ADMITTED, "The start of an ED or outpatient visit."),
    _move("A05", "Pre-admission", Kind.EXPECTED, _NOT_YET, ends=False),
    _move("A06", "Outpatient becomes inpatient", Kind.TRANSFERRED, "MRG-5: the number before."),
    _move("A07", "Inpatient becomes outpatient", Kind.TRANSFERRED, "MRG-5: the number before."),
    _move("A08", "Update", Kind.OBSERVED),
    _move("A09", "Departing, tracking", Kind.TRACKED, "Away for a while; the bed is kept."),
    _move("A10", "Arriving, tracking", Kind.TRACKED, "Away for a while; the bed is kept."),
    _move("A11", "Admission cancelled", Kind.CANCELLED_ADMIT, ends=False),
    _move("A12", "Transfer cancelled", Kind.CANCELLED_TRANSFER, _BACK, sighting=True),
    _move("A13", "Discharge cancelled", Kind.CANCELLED_DISCHARGE, _BACK, sighting=True, ends=False),
    _move("A14", "Pending admission", Kind.PENDING_ADMIT, _NOT_YET, ends=False),
    _move("A15", "Pending transfer", Kind.PENDING_TRANSFER, _STILL, sighting=True, ends=False),
    _move("A16", "Pending discharge", Kind.PENDING_DISCHARGE, _STILL, sighting=True, ends=False),
    _other("A17", "Swap", Deed.SWAP, "Two patients, each with the place they have now."),
    _other("A20", "Bed status", Deed.BED_STATUS, "NPU-2, HL7 table 0116."),
    _move("A21", "Leave begins", Kind.LEFT, "The bed is kept."),
    _move("A22", "Back from leave", Kind.RETURNED),
    _move("A23", "Visit deleted", Kind.DELETED, ends=False),
    _other("A24", "Persons linked", Deed.LINK),
    _move(
        "A25",
        "Pending discharge cancelled",
        Kind.CANCELLED_PENDING_DISCHARGE,
        _STILL,
        sighting=True,
        ends=False,
    ),
    _move(
        "A26",
        "Pending transfer cancelled",
        Kind.CANCELLED_PENDING_TRANSFER,
        _STILL,
        sighting=True,
        ends=False,
    ),
    _move("A27", "Pending admission cancelled", Kind.CANCELLED_PENDING_ADMIT, ends=False),
    _other("A28", "Person added", Deed.DESCRIBE),
    _other("A29", "Person deleted", Deed.REMOVE),
    _other("A31", "Person updated", Deed.DESCRIBE),
    _move("A38", "Pre-admission cancelled", Kind.CANCELLED_EXPECTED, _NEVER_BEGUN, ends=False),
    _other("A40", "Persons merged", Deed.MERGE),
    _other("A41", "Accounts merged", Deed.JOIN_VISITS, "MRG-3 into PID-18."),
    _other("A42", "Visits merged", Deed.JOIN_VISITS, "MRG-5 into PV1-19."),
    _other("A43", "Identifiers moved to another person", Deed.MERGE),
    _other("A44", "Account moved to another person", Deed.GIVE_VISIT, "MRG-3."),
    _other("A45", "Visit moved to another person", Deed.GIVE_VISIT, "MRG-5."),
    _other("A47", "Person identifier changed", Deed.MERGE),
    _other("A49", "Account number changed", Deed.JOIN_VISITS, "MRG-3 into PID-18."),
    _other("A50", "Visit number changed", Deed.JOIN_VISITS, "MRG-5 into PV1-19."),
    _other(
        "A51",
        "Alternate visit number changed",
        Deed.IGNORE,
        "Alternate visit numbers (PV1-50) are not kept, so nothing here depends on them.",
    ),
    _move("A52", "Leave cancelled", Kind.CANCELLED_LEAVE, _BACK, sighting=True),
    _other("A60", "Allergies updated", Deed.DESCRIBE, "Allergies themselves are not kept."),
)

BY_CODE: Final[Mapping[str, Event]] = {event.code: event for event in EVENTS}


def refusal(message_type: str, event: str) -> str:
    """Why a message of this type and event is refused; "" if it is not."""
    if message_type != "ADT":
        named = _named(message_type) if message_type else "nothing"
        return f"Message type not supported: MSH-9 says {named}, this endpoint takes ADT."
    if not event:
        return "MSH-9 names no trigger event (for example ADT^A01)."
    if event not in BY_CODE:
        return f"Event not supported: {_named(event)}. The message is kept but nothing was done."
    return ""


def _named(code: str) -> str:
    """A code as it was sent; anything longer could be a patient's name in the wrong field."""
    return code if re.fullmatch(r"[A-Z0-9]{1,6}", code) else "something that is no code"
