"""What a message says of a stay besides where and when: PV1 and PV2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from interop.hl7v2.events import Event
from interop.hl7v2.message import NULL, Repetition, Segment
from interop.hl7v2.people import Notes
from interop.hl7v2.timestamps import BadTime, Clock, Role
from wards.facts import MovementKind as Kind

Stay = Mapping[str, str | None]


def stay_of(
    pv1: Segment | None, pv2: Segment | None, event: Event, clock: Clock, notes: Notes
) -> Stay:
    """What is said of the stay; a value of None is one that is taken back.

    Before an admission, PV1-44 and PV1-45 are expected times like PV2-8 and PV2-9, and for a
    pending discharge PV1-45 is.
    """
    said: dict[str, str | None] = {}
    if pv1 is None:
        return said
    _put(said, "patient_class", pv1.text(2), 20)
    _put(said, "specialty", pv1.text(10), 60)
    _put(said, "admission_method", pv1.text(4), 60)
    _put(said, "consultant", _named(pv1.first(9)) or _named(pv1.first(7)), 200)
    _put(said, "discharge_destination", pv1.text(37), 100)
    admission = [(pv2, 8, "PV2-8")]
    discharge = [(pv2, 9, "PV2-9")]
    if event.kind in (Kind.EXPECTED, Kind.PENDING_ADMIT):
        admission.append((pv1, 44, "PV1-44"))
        discharge.append((pv1, 45, "PV1-45"))
    elif event.kind is Kind.PENDING_DISCHARGE:
        discharge.append((pv1, 45, "PV1-45"))
    for name, fields in (("expected_at", admission), ("expected_discharge_at", discharge)):
        for segment, number, where in fields:
            text = segment.text(number) if segment else ""
            if text and name not in said:
                _put_time(said, name, text, where, clock, notes)
    return said


def _put(said: dict[str, str | None], name: str, text: str, longest: int) -> None:
    if text == NULL:
        said[name] = None
    elif text:
        said[name] = text[:longest]


def _put_time(
    said: dict[str, str | None], name: str, text: str, where: str, clock: Clock, notes: Notes
) -> None:
    if text == NULL:
        said[name] = None
        return
    try:
        stamp = clock.read(text, role=Role.PLANNED)
    except BadTime:
        notes.add(f"{where} is not a time; it was not used.")
        return
    if stamp is not None:
        said[name] = stamp.at.astimezone(UTC).isoformat()


def _named(person: Repetition) -> str:
    """A clinician (XCN) as people write the name; the number where there is no name."""
    if person.is_null:
        return NULL
    family, given, title = (_unsaid(person.text(part)) for part in (2, 3, 6))
    name = ", ".join(x for x in (family, given) if x)
    return " ".join(x for x in (title, name) if x) if family else _unsaid(person.text(1))


def _unsaid(text: str) -> str:
    return "" if text == NULL else text
