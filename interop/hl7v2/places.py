"""Where a message says somebody is: the data type PL, as it was sent.

Source: HL7 v2.8 chapter 2A, data type PL. Building and floor are not told apart from others:
a ward, room and bed of one facility are a place.
"""

from __future__ import annotations

from dataclasses import dataclass

from interop.hl7v2.message import NULL, Repetition


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place by the codes of the sender; "" where nothing was said."""

    facility: str = ""
    point_of_care: str = ""
    room: str = ""
    bed: str = ""


def location(said: Repetition) -> Location | None:
    """The place in a PL value; None where it names neither ward, room, bed nor facility."""
    found = Location(
        facility=_code(said, 4),
        point_of_care=_code(said, 1),
        room=_code(said, 2),
        bed=_code(said, 3),
    )
    return found if found != Location() else None


def _code(said: Repetition, component: int) -> str:
    """The local name in a component of type HD, else its universal identifier."""
    text = said.text(component) or said.text(component, 2)
    return "" if text == NULL else text
