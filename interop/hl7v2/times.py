"""When something happened and when the sender said so: EVN, PV1-44, PV1-45 and MSH-7.

Source: HL7 v2.8 chapter 3, sections 3.4.1 (EVN) and 3.4.3 (PV1). EVN-2 is when the event was
recorded, EVN-6 when it occurred; feeds that send only one of them put it into EVN-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from interop.hl7v2.events import Deed, Event
from interop.hl7v2.message import NULL, Message, Segment
from interop.hl7v2.people import Notes
from interop.hl7v2.timestamps import BadTime, Clock, Precision, Role, Stamp, clock_for
from wards.facts import MovementKind as Kind

_PLANNED: Final = frozenset({Kind.EXPECTED, Kind.PENDING_ADMIT, Kind.CANCELLED_EXPECTED})


class NoTime(ValueError):
    """The message does not say when."""


@dataclass(frozen=True, slots=True)
class Times:
    """`admitted_at` and `discharged_at` are what the message says of the stay, if anything.

    `vague` holds, for a time said by the day or the hour alone, the end of what was said:
    `admitted_until`, `discharged_until` (ISO 8601), as a movement's `stay` carries them.
    """

    occurred_at: datetime
    sent_at: datetime
    admitted_at: datetime | None
    discharged_at: datetime | None
    vague: Mapping[str, str]


def clock_of(message: Message, event: Event, zone: ZoneInfo) -> Clock:
    """The clock by which the times of `message` are read, if its feed is in `zone`."""
    clock = clock_for(zone, message.header.time)
    fields = (
        ("EVN", 2, Role.RECORDED),
        ("EVN", 6, Role.HAPPENED),
        ("PV1", 44, _role_of_admission(event)),
        ("PV1", 45, _role_of_discharge(event)),
    )
    said = [(Role.TOLD, message.header.time)]
    said += [(role, each.text(n)) for name, n, role in fields for each in message.named(name)]
    certain = [(role, moment) for role, text in said if (moment := _certain(clock, text))]
    return replace(clock, certain=tuple(certain))


def _role_of_admission(event: Event) -> Role:
    return Role.PLANNED if event.kind in _PLANNED else Role.HAPPENED


def _role_of_discharge(event: Event) -> Role:
    return Role.HAPPENED if event.ends else Role.PLANNED


def _certain(clock: Clock, text: str) -> datetime | None:
    """The moment that `text` names by the hour or better and with an offset, if it does."""
    try:
        stamp = clock.read(text)
    except BadTime:
        return None
    is_certain = stamp and stamp.has_offset and stamp.precision >= Precision.HOUR
    return stamp.at if stamp and is_certain else None


def times_of(
    message: Message, event: Event, pv1: Segment | None, clock: Clock, notes: Notes
) -> Times:
    """The times of one message.

    It happened at EVN-6, else for an admission PV1-44 and for a discharge PV1-45, else EVN-2,
    else MSH-7. It was said at EVN-2, which stays the same when a message is sent again; at
    MSH-7 where EVN-2 is missing, names only a day, lies after the message was made, or says the
    same less precisely: what was said within one minute keeps its order. A time of day given
    elsewhere in the message refines a date without one. Raises NoTime where nothing says when.
    """
    evn = message.first("EVN")
    made = _time(clock, message.header.time, "", "MSH-7", notes, Role.TOLD)
    recorded = _of(evn, 2, clock, notes, Role.RECORDED)
    occurred = _of(evn, 6, clock, notes, Role.HAPPENED)
    admitted = _of(pv1, 44, clock, notes, _role_of_admission(event))
    discharged = _of(pv1, 45, clock, notes, _role_of_discharge(event))
    own = {Kind.ADMITTED: admitted, Kind.DISCHARGED: discharged}.get(event.kind or Kind.OBSERVED)
    happened = [t for t in (occurred, own, recorded, made) if t is not None]
    if not happened:
        raise NoTime("Neither EVN-6, EVN-2, MSH-7 nor PV1-44/45 says when this happened.")
    occurred_at = _refined(happened[0], happened[1:])
    sent_at = _said(recorded, made) or occurred_at
    if discharged is not None and admitted is not None and discharged.at < admitted.at:
        notes.add("PV1-45 lies before PV1-44; the discharge time was not used.")
        discharged = None
    ends = event.ends and event.deed is not Deed.SWAP
    if own is admitted and admitted and discharged and occurred_at.at >= discharged.at:
        notes.add("The admission is dated after PV1-45; PV1-44 was taken for its time.")
        occurred_at = admitted
    begins = event.kind not in _PLANNED
    asserted = {
        "admitted": _refined(admitted, [occurred_at]) if admitted and begins else None,
        "discharged": _refined(discharged, [occurred_at]) if discharged and ends else None,
    }
    return Times(
        occurred_at=occurred_at.at,
        sent_at=sent_at.at,
        admitted_at=asserted["admitted"].at if asserted["admitted"] else None,
        discharged_at=asserted["discharged"].at if asserted["discharged"] else None,
        vague={
            f"{name}_until": stamp.end.isoformat()
            for name, stamp in asserted.items()
            if stamp is not None and stamp.precision < Precision.MINUTE
        },
    )


def _refined(stamp: Stamp, others: list[Stamp]) -> Stamp:
    """`stamp`, or the first of `others` that says the same more precisely."""
    if stamp.precision >= Precision.MINUTE:
        return stamp
    return next((other for other in others if stamp.covers(other)), stamp)


def _said(recorded: Stamp | None, made: Stamp | None) -> Stamp | None:
    if recorded is None or made is None:
        return recorded or made
    is_usable = recorded.precision >= Precision.MINUTE and recorded.at < made.end
    return recorded if is_usable and not recorded.covers(made) else made


def _of(
    segment: Segment | None, number: int, clock: Clock, notes: Notes, role: Role
) -> Stamp | None:
    if segment is None:
        return None
    name = f"{segment.name}-{number}"
    return _time(clock, segment.text(number), segment.text(number, 2), name, notes, role)


def _time(
    clock: Clock, text: str, degree: str, name: str, notes: Notes, role: Role
) -> Stamp | None:
    if text == NULL:
        return None
    try:
        return clock.read(text, degree, role)
    except BadTime:
        notes.add(f"{name} is not a time; it was not used.")
        return None
