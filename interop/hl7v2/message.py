"""A message as segments, fields, repetitions, components: read with python-hl7.

The delimiters are settled before (see `delimiters`), because the library fails on ones that
contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import hl7

from interop.hl7v2.charsets import codec_named, decode
from interop.hl7v2.delimiters import Delimiters, unescape
from interop.hl7v2.header import Header, Unreadable, cleaned, header_in

NULL: Final = '""'
"""What HL7 writes to say that a value is to be taken back (chapter 2, section 2.5.3)."""

USED: Final[Mapping[str, tuple[int, ...]]] = {
    "EVN": (1, 2, 6),
    "PID": (2, 3, 4, 5, 7, 8, 11, 18, 29, 30),
    "PD1": (3, 12),
    "PV1": (2, 3, 4, 6, 7, 9, 10, 19, 37, 42, 44, 45),
    "PV2": (8, 9),
    "MRG": (1, 3, 4, 5),
    "NPU": (1, 2),
}
"""The segments and fields that can mean something here. No others are parted: the library takes
most of its time over fields that nobody looks at."""

_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}")


class Repetition:
    """One repetition of a field; components and subcomponents count from 1."""

    __slots__ = ("_by", "_codec", "_parts")

    def __init__(self, parts: Sequence[Sequence[str]], by: Delimiters, codec: str) -> None:
        self._parts = parts
        self._by = by
        self._codec = codec

    @property
    def is_said(self) -> bool:
        """Whether anything stands in it."""
        return any(text.strip() for component in self._parts for text in component)

    @property
    def is_null(self) -> bool:
        """Whether it says nothing but that the field is to be taken back."""
        texts = [text.strip() for component in self._parts for text in component]
        return any(texts) and all(text in ("", NULL) for text in texts)

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """A value without its escapes: "" if it was not said, `NULL` if it is taken back."""
        if component > len(self._parts):
            return ""
        texts = self._parts[component - 1]
        if subcomponent > len(texts):
            return ""
        text = texts[subcomponent - 1]
        if self._by.escape in text:
            text = unescape(text, self._by, self._codec)
        return text.strip()


_UNSAID: Final = Repetition((), Delimiters(), "ascii")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. Fields count from 1 as in the standard; one that is missing, or of no use
    here, reads as empty."""

    name: str
    _fields: Mapping[int, Sequence[Repetition]]

    def repetitions(self, number: int) -> Sequence[Repetition]:
        """The repetitions of a field in which something stands."""
        return self._fields.get(number, ())

    def first(self, number: int) -> Repetition:
        """The first repetition of a field, empty if there is none."""
        found = self._fields.get(number)
        return found[0] if found else _UNSAID

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """A value of the first repetition: "" if it was not said, `NULL` if it is taken back."""
        return self.first(number).text(component, subcomponent)


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
    used = [line for line in _segments(text) if line[:3] in USED and line[3:4] in ("", by.field)]
    head = by.field.join(("MSH" + by.field + by.encoding_characters, *header.raw[2:3]))
    try:
        parsed = hl7.parse("\r".join([head, *(_useful(line, by.field) for line in used)]))
    except (hl7.HL7Exception, AssertionError, IndexError, ValueError, RecursionError) as error:
        raise Unreadable(f"The message cannot be parted ({type(error).__name__}).") from error
    codec = decoded.codec if codec_named(decoded.codec) else "utf-8"
    return Message(
        header=header,
        segments=tuple(
            Segment(line[:3], _fields(USED[line[:3]], node, by, codec))
            for line, node in zip(used, list(parsed)[1:], strict=True)
        ),
        codec=decoded.codec,
        as_declared=decoded.as_declared,
    )


def _useful(line: str, field: str) -> str:
    """The line with none but its useful fields, one after the other."""
    fields = line.split(field)
    last = len(fields)
    useful = [fields[number] if number < last else "" for number in USED[line[:3]]]
    # An end that is not blank keeps the library from trimming the last segment.
    return field.join([fields[0], *useful, "."])


def _fields(
    numbers: Sequence[int], node: Sequence[object], by: Delimiters, codec: str
) -> dict[int, list[Repetition]]:
    """What the library made of a line of useful fields, by their numbers in the segment."""
    found: dict[int, list[Repetition]] = {}
    for number, field in zip(numbers, islice(node, 1, None), strict=False):
        if field == [""]:
            continue
        read = [
            Repetition([_texts(component) for component in _items(item)], by, codec)
            for item in _items(field)
        ]
        said = [repetition for repetition in read if repetition.is_said]
        if said:
            found[number] = said
    return found


def _items(node: object) -> Sequence[object]:
    """The parts of a node of the library's tree; a leaf is its own only part."""
    return node if isinstance(node, list) else (node,)


def _texts(component: object) -> Sequence[str]:
    return component if isinstance(component, list) else (str(component),)


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
