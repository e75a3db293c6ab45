"""Where one message ends and the next begins: in a stream of bytes (MLLP) and in a file.

Sources: HL7 v2 transport specification, MLLP release 1 (a block is 0x0B, data, 0x1C 0x0D);
HL7 v2.8 chapter 2, section 2.10.3 (batch protocol: FHS, BHS, BTS, FTS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from interop.hl7v2.charsets import wide_codec

START: Final = b"\x0b"
END: Final = b"\x1c"
_RETURN: Final = 0x0D
_BETWEEN: Final = b"\r\n\t \x00"  # means nothing between two blocks
_ANOTHER: Final = re.compile(rb"\x0b(?=(?:\xef\xbb\xbf)?\s*(?:MSH|FHS|BHS)[^A-Za-z0-9])")
_LOOKAHEAD: Final = 16  # bytes that may still turn a 0x0B at the end into a new start
_KEPT_OF_OVERSIZE: Final = 65_536

DEFAULT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one message that are taken before it is refused."""


class Fault(Enum):
    """What is wrong with a piece of a stream."""

    CUT_OFF = "The message was cut off before its end (0x1C 0x0D); send it again."
    UNFRAMED = "There were bytes outside an MLLP block (0x0B … 0x1C 0x0D)."
    TOO_LARGE = "The message is larger than this listener takes."


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or with `fault` something that is not a whole one."""

    data: bytes
    fault: Fault | None = None


def framed(message: bytes) -> bytes:
    """`message` as an MLLP block."""
    return START + message + END + b"\r"


class Framer:
    """Cuts a stream into messages, however it is chunked. It never fails and never blocks.

    A sender that starts a new block without ending the last, leaves out the final CR, or
    the start byte, is understood; what is lost by it is handed on as a faulty piece.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._looked = 0  # bytes of the buffer in which no end was found
        self._dropped = 0  # bytes of an oversize message that were not kept

    @property
    def is_idle(self) -> bool:
        """Whether nothing is half received."""
        return not self._inside and not self._buffer.strip(_BETWEEN)

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that `chunk` completes."""
        self._buffer += chunk
        pieces: list[Piece] = []
        while (piece := self._next()) is not None:
            if piece.data:  # an empty block is how some senders keep a line open
                pieces.append(piece)
        self._bound()
        return pieces

    def close(self) -> list[Piece]:
        """What was left half received when the stream ended or fell silent."""
        left = bytes(self._buffer)
        was_inside, was_dropping = self._inside, self._dropped > 0
        self._buffer.clear()
        self._inside, self._looked, self._dropped = False, 0, 0
        if was_dropping:
            return [Piece(left, Fault.TOO_LARGE)]
        if was_inside:
            return [Piece(left, Fault.CUT_OFF)]
        stripped = left.strip(_BETWEEN)
        return [Piece(stripped, Fault.UNFRAMED)] if stripped else []

    def _next(self) -> Piece | None:
        return self._inside_next() if self._inside else self._outside_next()

    def _outside_next(self) -> Piece | None:
        """Skip to the next block; bytes before it are a faulty piece, or a message unframed."""
        start, end = self._buffer.find(START), self._buffer.find(END)
        if end >= 0 and (start < 0 or end < start):
            data = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            return self._unframed(data)
        if start < 0:
            if not self._buffer.strip(_BETWEEN):
                self._buffer.clear()
            return None
        data = bytes(self._buffer[:start]).strip(_BETWEEN)
        del self._buffer[: start + 1]
        self._inside, self._looked = True, 0
        return Piece(data, Fault.UNFRAMED)

    def _unframed(self, data: bytes) -> Piece:
        """Bytes that have an end but no beginning: a message if they look like one."""
        stripped = data.strip(_BETWEEN)
        if stripped.startswith((b"MSH", b"\xef\xbb\xbfMSH")):
            return Piece(stripped)
        return Piece(stripped, Fault.UNFRAMED)

    def _inside_next(self) -> Piece | None:
        end = self._find_end()
        another = _ANOTHER.search(self._buffer, max(0, self._looked - _LOOKAHEAD))
        if another is not None and (end < 0 or another.start() < end):
            data = bytes(self._buffer[: another.start()])
            del self._buffer[: another.start() + 1]
            self._looked = 0
            return self._done(data, Fault.CUT_OFF) if data.strip(_BETWEEN) else Piece(b"")
        if end < 0:
            self._looked = len(self._buffer)
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._inside, self._looked = False, 0
        return self._done(data, None)

    def _find_end(self) -> int:
        """Where the block ends; in UTF-16 a 0x1C may be half of a letter, so CR must follow."""
        at = max(0, self._looked - 1)
        if not self._dropped and wide_codec(bytes(self._buffer[:16])) is not None:
            return self._buffer.find(END + b"\r", at)
        return self._buffer.find(END, at)

    def _done(self, data: bytes, fault: Fault | None) -> Piece:
        too_large = self._dropped > 0 or len(data) > self.limit
        self._dropped = 0
        return Piece(data[:_KEPT_OF_OVERSIZE], Fault.TOO_LARGE) if too_large else Piece(data, fault)

    def _bound(self) -> None:
        """Keep no more than the beginning of what is too large, and the bytes that may end it."""
        kept = min(_KEPT_OF_OVERSIZE, self.limit)
        if len(self._buffer) > self.limit + _LOOKAHEAD:
            if self._inside:
                self._dropped += len(self._buffer) - kept
            del self._buffer[kept:-_LOOKAHEAD]
            self._looked = len(self._buffer)


_HEADERS: Final = re.compile(rb"(MSH|FHS|BHS|FTS|BTS)(?![A-Za-z0-9])")
_LINES: Final = re.compile(rb"[\r\n\x0b\x1c]+")


def messages_in(content: bytes) -> Iterator[bytes]:
    """The messages of a file: one or many, bare, in MLLP blocks or in batches.

    Batch headers and trailers are left out. Lines before the first MSH belong to no message and
    are left out as well; the caller sees that from a file without any message.
    """
    wide = wide_codec(content.lstrip(_BETWEEN + START))
    if wide is not None:
        text = content.lstrip(_BETWEEN + START).decode(wide, "replace").removeprefix("\ufeff")
        content = text.encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    lines: list[bytes] = []
    in_batch = False
    for line in _LINES.split(content):
        stripped = line.lstrip(b" \t").removeprefix(b"\xef\xbb\xbf")
        header = _HEADERS.match(stripped)
        name = header.group(1) if header else b""
        if name == b"MSH":
            if lines:
                yield b"\r".join(lines)
            lines = [stripped]
        elif name in (b"FHS", b"BHS"):
            in_batch = True
        elif name in (b"FTS", b"BTS") and in_batch:
            continue  # outside a batch it is a segment like any other
        elif lines and line.strip():
            lines.append(line)
    if lines:
        yield b"\r".join(lines)
