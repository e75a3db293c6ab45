"""The header of a message (MSH): who sent it, what it is, and which answer it wants.

Read by itself, without the rest, so that a message can be stored and answered at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from interop.hl7v2.charsets import decode, wide_codec
from interop.hl7v2.delimiters import Delimiters, delimiters, unescape

_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST_HEADER: Final = 8192  # bytes looked at for the first segment
_EVENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}")


class Unreadable(Exception):
    """The bytes are not an HL7 message that can be read.

    `reason` tells a feed manager what is wrong and never quotes the message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """MSH, each field without its escapes; names follow HL7 chapter 2, section 2.14.9."""

    by: Delimiters
    sending_application: str = ""
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    time: str = ""
    message_type: str = ""
    event: str = ""
    control_id: str = ""
    processing_id: str = ""
    version: str = ""
    accept_acknowledgment: str = ""
    application_acknowledgment: str = ""
    character_set: str = ""
    raw: tuple[str, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        """Type and event as people write them: ADT^A01."""
        return "^".join(x for x in (self.message_type, self.event) if x)


def cleaned(text: str) -> str:
    """`text` with CR as the only line end and without other control characters."""
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    return _CONTROL_CHARACTERS.sub("", text)


def header_of(raw: bytes) -> Header:
    """The header of `raw`, read before anything is known of the rest.

    Raises Unreadable where there is no MSH segment.
    """
    end = _LONGEST_HEADER if wide_codec(raw) is None else _LONGEST_HEADER // 4 * 4
    return header_in(decode(raw[:end]).text)


def header_in(text: str) -> Header:
    """The header at the start of `text`. Raises Unreadable where there is none."""
    line = cleaned(text).lstrip("\r \t").split("\r", 1)[0]
    if not line.startswith("MSH"):
        raise Unreadable("The message does not begin with an MSH segment.")
    if len(line) < 4 or line[3].isalnum() or line[3].isspace():
        raise Unreadable("MSH is not followed by a field separator (usually '|').")
    parts = line.split(line[3])
    if len(parts) < 3:
        raise Unreadable("MSH holds no fields.")
    by = delimiters(line[3], parts[1])

    def part(number: int, component: int = 0) -> str:
        # MSH-1 is the separator itself, so field n is part n - 1.
        if number - 1 >= len(parts):
            return ""
        first = parts[number - 1].split(by.repetition)[0].split(by.component)
        return unescape(first[component], by).strip() if component < len(first) else ""

    named = [part(9), part(9, 1), part(9, 2)]
    event = _event(named)
    return Header(
        by=by,
        sending_application=part(3) or part(3, 1),
        sending_facility=part(4) or part(4, 1),
        receiving_application=part(5),
        receiving_facility=part(6),
        time=part(7),
        message_type=named[0].split("_")[0].upper(),
        event=event,
        control_id=part(10),
        processing_id=part(11),
        version=part(12),
        accept_acknowledgment=part(15).upper(),
        application_acknowledgment=part(16).upper(),
        character_set=part(18),
        raw=tuple(parts),
    )


def _event(named: list[str]) -> str:
    """The trigger event: MSH-9.2, else the tail of a name such as ADT_A01."""
    if named[1]:
        return named[1].upper()
    for name in (named[0], named[2]):
        tail = name.upper().partition("_")[2]
        if _EVENT.fullmatch(tail):
            return tail
    return ""
