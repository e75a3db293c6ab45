"""Where one message ends and the next begins in a stream of bytes (MLLP).

Source: HL7 v2 transport specification, MLLP release 1 (a block is 0x0B, data, 0x1C 0x0D).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from interop.hl7v2.charsets import WIDE_SEGMENT, wide_codec, width_of

START: Final = b"\x0b"
END: Final = b"\x1c"
BETWEEN: Final = b"\r\n\t \x00"
"""Bytes that mean nothing between two blocks."""
_HEADER: Final = rb"(?:\xef\xbb\xbf)?[\r\n\t ]{0,16}(?:MSH|FHS|BHS)[^A-Za-z0-9]"
_ANOTHER: Final = re.compile(rb"\x0b(?=" + _HEADER + rb"|" + WIDE_SEGMENT + rb")")
_LOOKAHEAD: Final = 32  # bytes that may still turn a 0x0B at the end into a new start
_KEPT_OF_OVERSIZE: Final = 65_536

DEFAULT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one message that are taken before it is refused."""


class Fault(Enum):
    """What is wrong with a piece of a stream."""

    CUT_OFF = "The message was cut off before its end (0x1C 0x0D); send it again."
    UNFRAMED = (
        "There were bytes outside an MLLP block (0x0B … 0x1C 0x0D). If they are part of a "
        "message, have it sent again."
    )
    TOO_LARGE = (
        "The message is larger than this listener takes; its beginning is kept. Have a smaller "
        "one sent, or raise --max-bytes."
    )
    HEADLESS = (
        "The header (MSH) is missing: the beginning was cut off, or this is no message. Have it "
        "sent again."
    )
    EMPTY = (
        "The block held nothing (0x0B 0x1C 0x0D). If a message was meant, have it sent; if this "
        "keeps the line open, it need not."
    )
    GLUED = (
        "Two messages stand on one line, so this one may lack its end, or be quoted by the other. "
        "If it is whole, replay it; else have it sent again."
    )

    @property
    def may_pass(self) -> bool:
        """Whether the same message, sent again, can fare better: nothing is wrong but the way."""
        return self in (Fault.CUT_OFF, Fault.UNFRAMED)


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

    In letters of one byte 0x1C ends a block at once, whatever follows. In UTF-16 or UTF-32 it
    may be half of a letter: it ends a block where CR or the next block follows or, a whole
    number of letters from the start, where the sender pauses (`may_have_ended`, then `close`).
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
        return not self._inside and not self._buffer.strip(BETWEEN)

    @property
    def may_have_ended(self) -> bool:
        """Whether the last byte is the end of a block, if nothing more comes soon."""
        return (
            self._inside
            and self._buffer.endswith(END)
            and self._is_between_letters(len(self._buffer) - 1)
        )

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that `chunk` completes."""
        self._buffer += chunk
        pieces: list[Piece] = []
        while (piece := self._next()) is not None:
            if piece.data.strip(BETWEEN) or piece.fault is Fault.EMPTY:
                pieces.append(piece)
        self._bound()
        return pieces

    def close(self) -> list[Piece]:
        """What was left half received when the stream ended or fell silent."""
        fault: Fault | None = Fault.CUT_OFF if self._inside else Fault.UNFRAMED
        if self.may_have_ended:
            del self._buffer[-1:]
            fault = None
        left = bytes(self._buffer)
        piece = self._done(left, fault) if self._inside else Piece(left.strip(BETWEEN), fault)
        self._buffer.clear()
        self._inside, self._looked = False, 0
        return [piece] if piece.data.strip(BETWEEN) or piece.fault is Fault.EMPTY else []

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
            if not self._buffer.strip(BETWEEN):
                self._buffer.clear()
            return None
        data = bytes(self._buffer[:start]).strip(BETWEEN)
        del self._buffer[: start + 1]
        self._inside, self._looked = True, 0
        return Piece(data, Fault.UNFRAMED)

    def _unframed(self, data: bytes) -> Piece:
        """Bytes that have an end but no beginning: a message if they look like one."""
        stripped = data.strip(BETWEEN)
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
            return self._done(data, Fault.CUT_OFF) if data.strip(BETWEEN) else Piece(b"")
        if end < 0:
            self._looked = len(self._buffer)
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._inside, self._looked = False, 0
        return self._done(data, None)  # also of an empty block: whoever ended it awaits an answer

    def _find_end(self) -> int:
        """Where the block ends, as far as that is known by now; else -1."""
        if self._width == 1:
            return self._buffer.find(END, max(0, self._looked - 1))
        at = max(0, self._looked - _LOOKAHEAD)
        while (at := self._buffer.find(END, at)) >= 0:
            if self._buffer.startswith(b"\r", at + 1):
                return at
            if self._is_between_letters(at) and _ANOTHER.match(self._buffer, at + 1):
                return at
            at += 1
        return -1

    @property
    def _width(self) -> int:
        """The bytes of a letter in the block that is being received."""
        return width_of(wide_codec(bytes(self._buffer[:64])) or "")

    def _is_between_letters(self, at: int) -> bool:
        dropped = self._dropped if at >= min(_KEPT_OF_OVERSIZE, self.limit) else 0
        return (at + dropped) % self._width == 0

    def _done(self, data: bytes, fault: Fault | None) -> Piece:
        too_large = self._dropped > 0 or len(data) > self.limit
        self._dropped = 0
        if fault is None and not data.strip(BETWEEN):
            return Piece(data, Fault.EMPTY)
        return Piece(data[:_KEPT_OF_OVERSIZE], Fault.TOO_LARGE) if too_large else Piece(data, fault)

    def _bound(self) -> None:
        """Keep no more than the beginning of what is too large, and the bytes that may end it."""
        kept = min(_KEPT_OF_OVERSIZE, self.limit)
        if len(self._buffer) > self.limit + _LOOKAHEAD:
            if self._inside:
                self._dropped += len(self._buffer) - kept - _LOOKAHEAD
            del self._buffer[kept:-_LOOKAHEAD]
            self._looked = len(self._buffer)
