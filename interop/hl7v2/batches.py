r"""The messages of a file or of one large body: one or many, bare, in MLLP blocks, in batches.

Nothing in it is lost and nothing joined to its neighbour. Whatever is not a whole message comes
out as a piece of its own, with the fault that says why:

- An MLLP block is a unit: what it holds joins neither the block before nor the bytes between.
- A message begins at a line that begins with MSH and a field separator, and ends at the next
  one, at a batch header or, within a batch, at a trailer.
- It also begins in the middle of a line at MSH, a separator, two to five delimiters and the same
  separator (`MSH|^~\&|`). In the text of a field the separator is written `\F\`, so a message
  that quotes another by the rules is not parted. One that quotes it against the rules looks like
  two messages without a break; neither can be trusted to be whole, so both are faulty.
- Segments before the first header are the rest of a message whose beginning is missing.
- The encoding may change from message to message. UTF-16 and UTF-32 are known by the zeros
  around the letters of a segment's name, with a byte order mark or without one.

Sources: HL7 v2.8 chapter 2, sections 2.5.4 (delimiters), 2.7 (escapes), 2.10.3 (batch protocol).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from interop.hl7v2.charsets import WIDE_SEGMENT, width_of
from interop.hl7v2.framing import BETWEEN, END, START, Fault, Piece

_PUNCTUATION: Final = rb"[!-/:-@\[-`{-~]"
_HEADER: Final = rb"(?:MSH|FHS|BHS|FTS|BTS)" + _PUNCTUATION
# One byte a letter again. Two ideographs can look like any four letters, hence known names only.
_NARROW_AGAIN: Final = (
    rb"(?:(?<=[\r\n])|(?<=[\r\n]\0)|(?<=[\r\n]\0\0\0))(?:\xef\xbb\xbf)?"
    rb"(?:MSH|FHS|BHS|FTS|BTS|EVN|PID|PD1|PV1|PV2|MRG|NPU)"
    + _PUNCTUATION
    + rb"|(?:MSH|FHS|BHS)\|\^~\\&"
)
_CHANGES: Final = re.compile(WIDE_SEGMENT + rb"|(?P<narrow>" + _NARROW_AGAIN + rb")")
_WIDE_BEGINNING: Final = re.compile(rb"[\r\n\t \0]*?(?:" + WIDE_SEGMENT + rb")")
_HL7: Final = re.compile(
    rb"\A[\r\n\t \0]*\x0b|(?:\A|[\r\n\x0b\x1c])(?:\xef\xbb\xbf)?[ \t]*"
    rb"(?:[A-Z][A-Z0-9]{2}\||" + _HEADER + rb")|" + WIDE_SEGMENT
)
_BLOCK_AT_ONCE: Final = re.compile(rb"[\r\n\t \0\x1c\xef\xbb\xbf]*\x0b")
_BLOCK: Final = re.compile(
    rb"\x0b(?=(?:\xef\xbb\xbf)?[\r\n\t ]{0,16}(?:[A-Z][A-Z0-9]{2}\||"
    + _HEADER
    + rb")|"
    + WIDE_SEGMENT
    + rb")"
)
_BLOCK_IN_BLOCK: Final = re.compile(
    rb"\x0b(?=(?:\xef\xbb\xbf)?[\r\n\t ]{0,16}" + _HEADER + rb"|" + WIDE_SEGMENT + rb")"
)
_END: Final = re.compile(rb"\x1c(?=[\r\n\x0b]|[\r\n\t \0]{0,16}MSH|\Z)")
_END_OF_WIDE: Final = re.compile(
    # Two bytes such as 0x1C 0x0D may be one letter: what is around them has to tell as well.
    rb"\x1c(?=[\r\n][\r\n\t \0]{0,16}(?:\x0b|\Z))|(?:(?<=\r)|(?<=\r\0)|(?<=\r\0\0\0))\x1c(?=\r)"
    rb"|(?P<lone>\x1c(?=\x0b|\Z))"
)
_LINE: Final = re.compile(r"[^\r\n]+")
_NAMED: Final = re.compile(r"(MSH|FHS|BHS|FTS|BTS)(?![A-Za-z0-9\s])")
_GLUED: Final = re.compile(
    r"(?<!^)(?:MSH|FHS|BHS)(?P<f>[!-/:-@\[-`{-~])(?:(?!(?P=f))[!-/:-@\[-`{-~]){2,5}(?P=f)"
)
_DELIMITERS: Final = re.compile(r"[!-/:-@\[-`{-~]{3}")
_BLANK: Final = BETWEEN + START + END + b"\x1a\xff\xfe\xef\xbb\xbf"
_BLANK_TEXT: Final = " \t\0\x0b\x1a\x1c\ufeff"
_MARKS: Final = ("\ufeff", "\xef\xbb\xbf")  # the second as it reads one byte a letter


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of a file between two MLLP marks. `is_cut`: it was begun and not ended."""

    data: bytes
    is_cut: bool


@dataclass(slots=True)
class _Batch:
    """Whether a batch has begun: outside of one, FTS and BTS are segments like any other."""

    has_begun: bool = False


class _Ahead:
    """Where something comes next in `content`; each stretch is looked through once."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._found: dict[re.Pattern[bytes], int] = {}

    def next(self, pattern: re.Pattern[bytes], at: int) -> int:
        """The place, or the end of the content."""
        found = self._found.get(pattern, -1)
        if found < at:
            match = pattern.search(self._content, at)
            found = self._found[pattern] = match.start() if match else len(self._content)
        return found


def messages_in(content: bytes) -> Iterator[Piece]:
    """Every message, and every part of one, in order.

    Line ends come out as CR; blank lines and the headers and trailers of batches are left out;
    else the bytes stay as they are, each message in its own encoding. Content in which nothing
    looks like HL7 gives nothing, and the caller sees that.
    """
    if _HL7.search(content) is None:
        return
    # Where no block has an end, that is how the file was written, and nothing tells a cut.
    ends_blocks = START in content and _END.search(content) is not None
    batch = _Batch()
    for block in _blocks(content):
        pieces = [
            piece
            for stretch, codec in _stretches(block.data)
            for piece in _pieces(stretch, codec, batch)
        ]
        if ends_blocks and block.is_cut and pieces and pieces[-1].fault is None:
            pieces[-1] = replace(pieces[-1], fault=Fault.CUT_OFF)
        yield from pieces


def _blocks(content: bytes) -> Iterator[_Block]:
    """The blocks of a file, and what stands between them; all of it where there are no blocks."""
    ahead = _Ahead(content)
    at, is_inside = 0, False
    while at < len(content):
        end = _end_of(content, at, ahead)
        start = ahead.next(_BLOCK_IN_BLOCK if is_inside else _BLOCK, at)
        if not is_inside and (first := _BLOCK_AT_ONCE.match(content, at)):
            start = first.end() - 1
        if start < len(content) and start <= end:
            yield _Block(content[at:start], is_inside)
            at, is_inside = start + 1, True
        else:
            yield _Block(content[at:end], is_inside and end == len(content))
            at, is_inside = end + 1, False


def _end_of(content: bytes, at: int, ahead: _Ahead) -> int:
    """Where the stretch that begins at `at` is ended by 0x1C; else the end of the content."""
    wide = _WIDE_BEGINNING.match(content[at : at + 64])
    if wide is None:
        return ahead.next(_END, at)
    kind = _found(wide)[0]
    first = at + wide.start(wide.lastgroup or 0)
    for end in _END_OF_WIDE.finditer(content, at):
        # What is no whole letter away from the first is half of one.
        if end["lone"] is None or (end.start() - first) % width_of(kind) == 0:
            return end.start()
    return len(content)


def _stretches(data: bytes) -> Iterator[tuple[bytes, str]]:
    """`data` in parts of one encoding each: a codec of wide letters, or "" for one byte each."""
    if b"\0" not in data:
        yield data, ""
        return
    at, codec, letters = 0, "", 0
    for begun in _CHANGES.finditer(data):
        found = begun
        kind, place = _found(found)
        if kind.endswith("be") and (found.start() - at) % width_of(codec):
            # What seems to begin within a letter begins with the zeros of that letter.
            found = _CHANGES.match(data, place) or found
            kind, place = _found(found)
        if width_of(kind) == width_of(codec) and (place - letters) % width_of(kind) == 0:
            continue  # another line of what is being read
        yield data[at : found.start()], codec
        at, codec, letters = found.start(), kind, place
    yield data[at:], codec


def _found(match: re.Match[bytes]) -> tuple[str, int]:
    """The codec in which a segment begins, "" for one byte a letter, and a place of a letter."""
    kind = (match.lastgroup or "narrow").replace("_", "-").removeprefix("narrow")
    start = match.start(match.lastgroup or 0)
    return kind, start + (width_of(kind) - 1 if kind.endswith("be") else 0)


def _pieces(data: bytes, codec: str, batch: _Batch) -> list[Piece]:
    """The messages in data of one encoding; an odd byte at its end stays with the last."""
    if not data.strip(_BLANK):
        return []
    whole = len(data) - len(data) % width_of(codec)
    try:
        text = data[:whole].decode(codec or "latin-1", "surrogatepass")
    except UnicodeError:  # bytes are missing, so that every letter after them is another
        return [Piece(data, Fault.CUT_OFF)]
    pieces = [
        Piece("\r".join(lines).encode(codec or "latin-1", "surrogatepass"), fault)
        for lines, fault in _messages(text, batch)
    ]
    rest = data[whole:]
    if rest.strip(_BLANK):
        last = pieces.pop() if pieces else Piece(b"", Fault.HEADLESS)
        pieces.append(replace(last, data=last.data + rest))
    return pieces


def _messages(text: str, batch: _Batch) -> Iterator[tuple[list[str], Fault | None]]:
    """The lines of each message, and what is wrong with it."""
    lines: list[str] = []
    fault: Fault | None = Fault.HEADLESS
    for line, is_glued in _lines(text):
        named = _NAMED.match(line)
        name = named.group(1) if named else ""
        is_trailer = name in ("FTS", "BTS") and batch.has_begun
        # With nothing in it, FHS in a message is one of its segments, however odd.
        is_batch = name in ("FHS", "BHS") and (not lines or _DELIMITERS.match(line, 3) is not None)
        if not (name == "MSH" or is_trailer or is_batch):
            lines.append(line)
            continue
        if lines:
            yield lines, (fault or Fault.GLUED) if is_glued else fault
        lines, fault = [], Fault.HEADLESS
        if name == "MSH":
            lines, fault = [line], Fault.GLUED if is_glued else None
        elif is_batch:
            batch.has_begun = True
    if lines:
        yield lines, fault


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """The lines that hold something; a header within one begins the next, and is said to."""
    for found in _LINE.finditer(text):
        line, at = found.group(), 0
        if not line.strip(_BLANK_TEXT) or line in _MARKS:
            continue
        bare = line.lstrip(_BLANK_TEXT)
        for mark in _MARKS:
            bare = bare.removeprefix(mark)
        if _NAMED.match(bare):
            line = bare
        for glued in _GLUED.finditer(line):
            yield line[at : glued.start()], at > 0
            at = glued.start()
        yield line[at:], at > 0
