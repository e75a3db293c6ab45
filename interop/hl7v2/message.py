"""A message as segments, fields, repetitions, components: read with python-hl7.

Only the segments that can mean something to Flowboard are handed to the library. The delimiters
are settled before (see `delimiters`), because it fails on ones that contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import hl7

from interop.hl7v2.charsets import codec_named, decode
from interop.hl7v2.delimiters import Delimiters, unescape
from interop.hl7v2.header import Header, Unreadable, cleaned, header_in

NULL: Final = '""'
"""What HL7 writes to say that a value is to be taken back (chapter 2, section 2.5.3)."""

USED: Final = frozenset({"EVN", "PID", "PD1", "PV1", "PV2", "MRG", "NPU"})
_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. Fields count from 1 as in the standard; a missing one reads as empty."""

    name: str
    _fields: Sequence[object]
    _by: Delimiters
    _codec: str

    def repetitions(self, number: int) -> list[Repetition]:
        """The repetitions of a field; an empty field has none."""
        if number >= len(self._fields):
            return []
        field = self._fields[number]
        items = [field] if isinstance(field, str) else list(_items(field))
        read = [Repetition(_items(item), self._by, self._codec) for item in items]
        return [repetition for repetition in read if repetition.is_said]

    def first(self, number: int) -> Repetition:
        """The first repetition of a field, empty if there is none."""
        found = self.repetitions(number)
        return found[0] if found else Repetition((), self._by, self._codec)

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """A value of the first repetition: "" if it was not said, `NULL` if it is taken back."""
        return self.first(number).text(component, subcomponent)


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field; components and subcomponents count from 1."""

    _components: Sequence[object]
    _by: Delimiters
    _codec: str

    @property
    def is_said(self) -> bool:
        """Whether anything stands in it."""
        return any(part.strip() for component in self._components for part in _texts(component))

    @property
    def is_null(self) -> bool:
        """Whether it says nothing but that the field is to be taken back."""
        parts = [part.strip() for component in self._components for part in _texts(component)]
        return any(parts) and all(part in ("", NULL) for part in parts)

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """A value without its escapes: "" if it was not said, `NULL` if it is taken back."""
        if component > len(self._components):
            return ""
        parts = _texts(self._components[component - 1])
        if subcomponent > len(parts):
            return ""
        return unescape(parts[subcomponent - 1], self._by, self._codec).strip()


def _items(node: object) -> Sequence[object]:
    """The parts of a node of the library's tree; a leaf is its own only part."""
    return node if isinstance(node, list) else (node,)


def _texts(component: object) -> list[str]:
    return [str(part) for part in component] if isinstance(component, list) else [str(component)]


@dataclass(frozen=True, slots=True)
class Message:
    """A readable message: its header and the segments that can mean something here."""

    header: Header
    segments: tuple[Segment, ...]
    codec: str
    as_declared: bool

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next(self.named(name), None)

    def named(self, name: str) -> Iterator[Segment]:
        """Every segment of that name, in order."""
        return (segment for segment in self.segments if segment.name == name)

    @property
    def event(self) -> str:
        """The trigger event of the header, else of EVN-1, where older versions put it."""
        if self.header.event:
            return self.header.event
        evn = self.first("EVN")
        return evn.text(1).upper() if evn else ""

    def groups(self) -> list[dict[str, Segment]]:
        """The segments that go with each PID, in order.

        A further MRG or PV1 under the same PID opens a new group with that PID, as in A45.
        """
        found: list[dict[str, Segment]] = []
        for segment in self.segments:
            if segment.name == "PID":
                found.append({"PID": segment})
            elif found and segment.name in ("MRG", "PV1") and segment.name in found[-1]:
                again = {n: s for n, s in found[-1].items() if n in ("PID", "PD1")}
                found.append({**again, segment.name: segment})
            elif found:
                found[-1].setdefault(segment.name, segment)
        return found


def read(raw: bytes, *, encoding: str = "") -> Message:
    """The message in `raw`; `encoding` overrules MSH-18.

    Raises Unreadable, and nothing else, whatever the bytes.
    """
    decoded = decode(raw, override=encoding)
    text = cleaned(decoded.text)
    header = header_in(text)
    if header.character_set and not text.isascii():
        decoded = decode(raw, declared=header.character_set, override=encoding)
        text = cleaned(decoded.text)
        header = header_in(text)
    by = header.by
    lines = _segments(text)
    used = [line for line in lines if line[:3] in USED and line[3:4] in ("", by.field)]
    head = by.field.join(("MSH" + by.field + by.encoding_characters, *header.raw[2:3]))
    try:
        parsed = hl7.parse("\r".join([head, *used]))
    except (hl7.HL7Exception, AssertionError, IndexError, ValueError, RecursionError) as error:
        raise Unreadable(f"The message cannot be parted ({type(error).__name__}).") from error
    codec = decoded.codec if codec_named(decoded.codec) else "utf-8"
    return Message(
        header=header,
        segments=tuple(
            Segment(line[:3], _items(node), by, codec)
            for line, node in zip(used, list(parsed)[1:], strict=True)
        ),
        codec=decoded.codec,
        as_declared=decoded.as_declared,
    )


def _segments(text: str) -> list[str]:
    """The lines of a message; a line that is no segment belongs to the one before it."""
    lines: list[str] = []
    for line in text.split("\r"):
        stripped = line.lstrip(" \t")
        if _SEGMENT.match(stripped[:3]) and not stripped[3:4].isalnum():
            lines.append(stripped)
        elif lines and stripped:
            lines[-1] += " " + stripped
    return lines
