"""Files and large bodies: every message and every part of one comes out by itself."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interop.hl7v2.batches import messages_in
from interop.hl7v2.charsets import decode
from interop.hl7v2.framing import Fault, Piece, framed
from tests.interop.building import adt, real_messages

M1, M2 = b"MSH|^~\\&|one\rPID|1\r", b"MSH|^~\\&|two\rPID|2\r"
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def wide(content: bytes, codec: str) -> bytes:
    return content.decode().encode(codec)


def texts(content: bytes) -> list[tuple[str, Fault | None]]:
    """What is found, as text, with what is wrong with it."""
    return [(decode(piece.data).text, piece.fault) for piece in messages_in(content)]


ONE, TWO = "MSH|^~\\&|one\rPID|1", "MSH|^~\\&|two\rPID|2"


def test_one_message_is_one_message() -> None:
    assert list(messages_in(M1)) == [Piece(M1.rstrip())]


@pytest.mark.parametrize(
    "content",
    [
        M1 + M2,
        M1.replace(b"\r", b"\n") + b"\n\n" + M2.replace(b"\r", b"\r\n"),
        framed(M1) + framed(M2),
        b"\x0b" + M1 + b"\x1c\x0b" + M2 + b"\x1c",
        b"\x0b" + M1 + b"\x0b" + M2,
        M1 + b"\x1c\r" + M2 + b"\x1c\r",
        b"FHS|^~\\&|a\rBHS|^~\\&|b\r" + M1 + M2 + b"BTS|2\rFTS|1\r",
        b"BHS|^~\\&|b\r" + M1 + b"BTS|1\rBHS|^~\\&|b\r" + M2 + b"BTS|1",
        framed(b"FHS|^~\\&|a\r") + framed(M1) + framed(M2) + framed(b"FTS|1\r"),
        b"\xef\xbb\xbf" + M1 + b"\xef\xbb\xbf" + M2,
        b"  " + M1 + b" \t" + M2,
        (M1 + M2).decode().encode("utf-16"),
        (M1 + M2).decode().encode("utf-32"),
        *(wide(M1 + M2, codec) for codec in WIDE),
        *(wide(b"\r\n" + M1 + b"\r\n" + M2 + b"\r\n", codec) for codec in WIDE),
        *(framed(wide(M1, codec)) + framed(wide(M2, codec)) for codec in WIDE),
        *(framed(wide(M1, codec)) + b"\n" + framed(wide(M2, codec)) for codec in WIDE),
        *(b"\x0b" + wide(M1, codec) + b"\x1c\x0b" + wide(M2, codec) + b"\x1c" for codec in WIDE),
        *(wide(b"FHS|^~\\&|\rBHS|^~\\&|\r" + M1 + M2 + b"BTS|2\rFTS|1", c) for c in WIDE),
        *(b"BHS|^~\\&|\r" + wide(M1 + M2, codec) + b"BTS|2\rFTS|1" for codec in WIDE),
        *(M1 + wide(M2, codec) for codec in WIDE),
        *(M1 + "\ufeff".encode(codec) + wide(M2, codec) for codec in WIDE),
        *(wide(M1, codec) + M2 for codec in WIDE),
        *(wide(M1, codec) + wide(M2, other) for codec in WIDE for other in WIDE),
    ],
)
def test_two_messages_are_found_in_every_kind_of_file(content: bytes) -> None:
    assert texts(content) == [(ONE, None), (TWO, None)]


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"{}", b"FHS|^~\\&|\rFTS|0", b"some words", b"\xff\xfeh\0i\0"]
)
def test_a_file_without_a_message_holds_none(content: bytes) -> None:
    assert list(messages_in(content)) == []


def test_batch_trailers_inside_a_message_without_batch_do_not_end_it() -> None:
    assert len(list(messages_in(b"MSH|^~\\&|a\rBTS|\rPID|1\rFTS|\rPV1|1"))) == 1


def test_every_captured_file_holds_one_message_as_it_was_written() -> None:
    for path in real_messages():
        (piece,) = messages_in(path.read_bytes())
        assert piece.fault is None, path
        assert piece.data.split() == path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(), path


# --- what is no whole message -------------------------------------------------------------------


@pytest.mark.parametrize("block", [b"PID|lost\r", b"words", b"{}", b"BTS||lost\rPV1|1"])
def test_a_block_without_a_header_joins_no_neighbour(block: bytes) -> None:
    found = texts(framed(M1) + framed(block) + framed(M2))
    assert found == [(ONE, None), (block.decode().rstrip(), Fault.HEADLESS), (TWO, None)]


def test_bytes_between_blocks_join_no_neighbour() -> None:
    found = texts(framed(M1) + b"PID|lost\r" + framed(M2) + b"more\r")
    assert found == [
        (ONE, None),
        ("PID|lost", Fault.HEADLESS),
        (TWO, None),
        ("more", Fault.HEADLESS),
    ]


@pytest.mark.parametrize("codec", ["utf-8", *WIDE])
def test_a_first_message_whose_beginning_was_cut_off_is_kept(codec: str) -> None:
    rest = "ID|7\rPID|7||M7\rPV1|1\r".encode(codec)
    if codec != "utf-8":
        rest = "PID|7||M7\rPV1|1\r".encode(codec)
    found = texts(rest + wide(M1, codec))
    assert found == [(rest.decode(codec).rstrip(), Fault.HEADLESS), (ONE, None)]


def test_words_before_the_first_message_are_kept() -> None:
    assert texts(b"some words\r" + M1) == [("some words", Fault.HEADLESS), (ONE, None)]


def test_segments_alone_are_kept() -> None:
    assert texts(b"PID|1\rPV1|1") == [("PID|1\rPV1|1", Fault.HEADLESS)]


def test_what_follows_the_trailer_of_a_batch_does_not_join_the_message_before() -> None:
    found = texts(b"BHS|^~\\&|\r" + M1 + b"BTS|1\rPID|lost\r" + M2)
    assert found == [(ONE, None), ("PID|lost", Fault.HEADLESS), (TWO, None)]


@pytest.mark.parametrize("codec", ["utf-8", *WIDE])
def test_two_messages_on_one_line_are_two_and_neither_is_trusted(codec: str) -> None:
    content = wide(M1.rstrip() + M2.rstrip() + M1 + M2, codec)
    assert texts(content) == [
        (ONE, Fault.GLUED),
        (TWO, Fault.GLUED),
        (ONE, Fault.GLUED),
        (TWO, None),
    ]


@pytest.mark.parametrize("delimiters", ["|^~\\&", "|^~\\&#", "#*+?%", "|^~", "^|~\\&"])
def test_a_header_in_the_middle_of_a_line_is_known_by_its_delimiters(delimiters: str) -> None:
    second = f"MSH{delimiters}{delimiters[0]}two"
    assert [text for text, _ in texts(M1.rstrip() + second.encode())] == [ONE, second]


@pytest.mark.parametrize(
    "quoted",
    [
        "MSH\\F\\\\S\\\\R\\\\E\\\\T\\\\F\\LAB\\F\\RNM",  # as chapter 2 asks for
        "MSH\\F\\^~\\E\\&\\F\\LAB",
        "MSH|\\S\\\\R\\\\E\\\\T\\|LAB",
        "MSH|LAB|RNM",
        "see MSH| and MSH|^",
        "XMSH and MSH-3, MSH.4",
        "the MSH: a header",
    ],
)
def test_a_message_that_quotes_another_stays_whole(quoted: str) -> None:
    raw = f"MSH|^~\\&|one\rOBX|1|TX|N||{quoted}|\rPV1|1".encode()
    assert list(messages_in(raw + b"\r" + M2)) == [Piece(raw), Piece(M2.rstrip())]


def test_a_line_of_text_that_names_the_header_begins_no_message() -> None:
    raw = b"MSH|^~\\&|one\rNTE|1||To all:\nMSH is a header\rPV1|1"
    assert len(list(messages_in(raw))) == 1


@pytest.mark.parametrize("cut", [M2[:12], b"MSH|^~\\&|two\rPID|2"])
def test_a_block_without_its_end_is_cut_off_where_others_have_theirs(cut: bytes) -> None:
    whole, rest = (ONE, None), (cut.decode(), Fault.CUT_OFF)
    assert texts(framed(M1) + b"\x0b" + cut) == [whole, rest]
    assert texts(b"\x0b" + cut + framed(M1)) == [rest, whole]


def test_an_odd_byte_at_the_end_is_not_dropped() -> None:
    (piece,) = messages_in(wide(M1, "utf-16-le") + b"x")
    assert piece.data.endswith(b"x")


def test_letters_that_cannot_be_are_kept_as_they_came() -> None:
    for odd in (b"\x00\xd8", b"\xff\xdf"):  # halves of a pair of UTF-16
        raw = wide(M1.rstrip(), "utf-16-le") + odd + wide(b"|x", "utf-16-le")
        assert list(messages_in(raw)) == [Piece(raw)]
    raw = wide(M1, "utf-32-le") + b"\xff\xff\xff\xff" + wide(M2, "utf-32-le")
    assert list(messages_in(raw)) == [Piece(raw, Fault.CUT_OFF)]


# --- properties -----------------------------------------------------------------------------------


@given(st.binary())
@example(b"MSH|^~\\&|\x1c")
def test_any_file_is_read(content: bytes) -> None:
    for piece in messages_in(content):
        assert piece.data
        assert piece.fault is not None or decode(piece.data).text.startswith("MSH")


FRAGMENTS = st.sampled_from(
    [
        *(M1, M2, M1[:-1], b"\x0b", b"\x1c", b"\x1c\r", b"\r", b"\r\n", b"PID|1", b"words"),
        *(b"FHS|^~\\&|\r", b"BTS|1\r", b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"),
        *(wide(M1, codec) for codec in WIDE),
        *(wide(b"PID|1\r", codec) for codec in WIDE),
    ]
)


@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=6)), max_size=12))
def test_no_byte_that_says_something_is_lost(fragments: list[bytes]) -> None:
    """Once there is a message in it: all but marks, blanks and batch lines comes out, in order."""
    content = M1 + b"".join(fragments)
    found = b"".join(piece.data for piece in messages_in(content))
    told = b"\r\n\t \0\x0b\x1c\x1a\xff\xfe\xef\xbb\xbf"
    left = iter(found.translate(None, told))
    trailers = content.translate(None, told)
    for batch in (b"FHS|^~\\&|", b"BTS|1"):
        trailers = trailers.replace(batch, b"")
    missing = [byte for byte in trailers if not _comes(byte, left)]
    assert not missing


def _comes(byte: int, left: object) -> bool:
    return any(byte == each for each in left)  # type: ignore[attr-defined]


TOKENS = st.integers(100, 999)
CODECS = st.sampled_from(["utf-8", *WIDE])


@given(st.lists(st.tuples(CODECS, st.booleans(), st.booleans(), st.sampled_from(["", "\r", "\n"]))))
def test_in_a_file_of_blocks_each_is_by_itself(
    blocks: list[tuple[str, bool, bool, str]],
) -> None:
    """Whole or headless, in whatever encoding, marked or not, with CR after 0x1C or without."""
    content = b""
    wanted: list[tuple[str, Fault | None]] = []
    for number, (codec, is_whole, is_marked, after) in enumerate(blocks):
        head = f"MSH|^~\\&|S{number}\r" if is_whole else ""
        text = f"{head}PID|{number}||M{number}^\u201cTŷ\u201d\rPV1|{number}|V{number}"
        mark = "\ufeff" if is_marked and codec != "utf-8" else ""
        content += framed((mark + text + "\r").encode(codec)).rstrip(b"\r") + after.encode()
        wanted.append((text, None if is_whole else Fault.HEADLESS))
    assert texts(content) == wanted


@given(
    st.lists(st.tuples(CODECS, st.booleans(), st.sampled_from(["\r", "\r\n", "\n"])), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_in_a_bare_file_each_message_is_by_itself(
    messages: list[tuple[str, bool, str]], is_cut: bool, in_batch: bool
) -> None:
    """Of one encoding after the other; the first one's beginning may be missing."""
    content = b"FHS|^~\\&|\rBHS|^~\\&|\r" if in_batch else b""
    wanted: list[tuple[str, Fault | None]] = []
    for number, (codec, is_marked, end) in enumerate(messages):
        headless = is_cut and number == 0
        head = "" if headless else f"MSH|^~\\&|S{number}{end}"
        text = f"{head}PID|{number}||M{number}^\u201cTŷ\u201d{end}PV1|{number}|V{number}{end}"
        mark = "\ufeff" if is_marked and codec != "utf-8" else ""
        content += (mark + text).encode(codec)
        told = text.replace("\r\n", "\r").replace("\n", "\r").rstrip("\r")
        wanted.append((told, Fault.HEADLESS if headless else None))
    content += b"BTS|1\rFTS|1\r" if in_batch else b""
    assert texts(content) == wanted


@given(st.integers(1, 20))
def test_no_message_of_a_file_is_lost(number: int) -> None:
    content = b"".join(adt("A08", control=str(n)) for n in range(number))
    assert len(list(messages_in(content))) == number
