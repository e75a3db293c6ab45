"""MLLP blocks however they are chunked, and files of many messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.framing import Fault, Framer, Piece, framed, messages_in
from tests.interop.building import adt, real_messages

M1, M2 = b"MSH|^~\\&|one\rPID|1\r", b"MSH|^~\\&|two\rPID|2\r"


def fed(*chunks: bytes, limit: int = 10_000) -> list[Piece]:
    framer = Framer(limit)
    return [piece for chunk in chunks for piece in framer.feed(chunk)]


def test_a_block_is_a_message() -> None:
    assert fed(framed(M1)) == [Piece(M1)]


def test_two_blocks_in_one_chunk_are_two_messages() -> None:
    assert fed(framed(M1) + framed(M2)) == [Piece(M1), Piece(M2)]


def test_the_message_is_ready_before_the_last_return_has_come() -> None:
    assert fed(b"\x0b" + M1 + b"\x1c") == [Piece(M1)]


def test_a_return_that_comes_late_is_nothing() -> None:
    assert fed(b"\x0b" + M1 + b"\x1c", b"\r", framed(M2)) == [Piece(M1), Piece(M2)]


def test_blanks_between_blocks_are_nothing() -> None:
    assert fed(framed(M1) + b"\r\n \x00" + framed(M2)) == [Piece(M1), Piece(M2)]


def test_an_empty_block_keeps_the_line_open_and_is_nothing() -> None:
    assert fed(b"\x0b\x1c\r", b"\x0b\r\x1c\r") in ([], [Piece(b"\r")])


def test_garbage_between_blocks_is_handed_on() -> None:
    assert fed(framed(M1) + b"garbage" + framed(M2)) == [
        Piece(M1),
        Piece(b"garbage", Fault.UNFRAMED),
        Piece(M2),
    ]


def test_a_message_without_its_start_is_understood() -> None:
    assert fed(M1 + b"\x1c\r" + framed(M2)) == [Piece(M1.strip()), Piece(M2)]


def test_garbage_that_ends_like_a_block_is_handed_on() -> None:
    assert fed(b"garbage\x1c\r") == [Piece(b"garbage", Fault.UNFRAMED)]


def test_a_block_that_begins_anew_gives_up_the_half_before() -> None:
    assert fed(b"\x0bMSH|^~\\&|half\rPI" + framed(M2)) == [
        Piece(b"MSH|^~\\&|half\rPI", Fault.CUT_OFF),
        Piece(M2),
    ]


def test_a_start_byte_that_begins_no_message_is_part_of_the_text() -> None:
    text = b"MSH|^~\\&|a\x0bb\r"
    assert fed(framed(text)) == [Piece(text)]


def test_two_start_bytes_are_one() -> None:
    assert fed(b"\x0b" + framed(M1)) == [Piece(M1)]


def test_what_is_left_at_the_end_is_cut_off() -> None:
    framer = Framer()
    assert framer.feed(b"\x0bMSH|^~\\&|half") == []
    idle = [framer.is_idle]
    assert framer.close() == [Piece(b"MSH|^~\\&|half", Fault.CUT_OFF)]
    idle.append(framer.is_idle)
    assert idle == [False, True]
    assert framer.close() == []


def test_what_was_never_framed_is_told_at_the_end() -> None:
    framer = Framer()
    assert framer.feed(b"hello") == []
    assert framer.close() == [Piece(b"hello", Fault.UNFRAMED)]


def test_a_message_that_is_too_large_is_refused_and_the_next_is_read() -> None:
    head = b"MSH|^~\\&|big|"
    pieces = fed(b"\x0b" + head, *[b"x" * 500] * 100, b"\x1c\r" + framed(M2), limit=2000)
    assert [piece.fault for piece in pieces] == [Fault.TOO_LARGE, None]
    assert pieces[0].data.startswith(head)
    assert len(pieces[0].data) < 4000
    assert pieces[1].data == M2


def test_a_message_that_is_too_large_and_never_ends_is_refused_at_the_end() -> None:
    framer = Framer(1000)
    for _ in range(100):
        framer.feed(b"\x0bMSH|" if framer.is_idle else b"x" * 100)
    assert [piece.fault for piece in framer.close()] == [Fault.TOO_LARGE]


def test_a_flood_outside_blocks_is_bounded() -> None:
    framer = Framer(1000)
    for _ in range(1000):
        framer.feed(b"x" * 1000)
    assert len(framer.close()[0].data) <= 2100


def test_the_end_byte_may_be_half_of_a_wide_letter() -> None:
    message = "MSH|^~\\&|\u011c\u1c01|x\r".encode("utf-16-le")
    assert fed(framed(message)) == [Piece(message)]


@given(st.data())
def test_chunks_make_no_difference(data: st.DataObject) -> None:
    """Whatever the pieces of the stream, the same messages come out."""
    parts = data.draw(
        st.lists(
            st.one_of(
                st.sampled_from([framed(M1), framed(M2), b"junk", b"\r\n", b"\x0b", b"\x1c"]),
                st.binary(max_size=12),
            ),
            max_size=12,
        )
    )
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, chunked = Framer(), Framer()
    at_once = [*whole.feed(stream), *whole.close()]
    bit_by_bit = [piece for chunk in chunks for piece in chunked.feed(chunk)] + chunked.close()
    assert [p for p in bit_by_bit if not p.fault] == [p for p in at_once if not p.fault]


@given(st.lists(st.binary(max_size=64), max_size=20), st.integers(16, 200))
def test_no_stream_is_too_odd(chunks: list[bytes], limit: int) -> None:
    framer = Framer(limit)
    for chunk in chunks:
        framer.feed(chunk)
    framer.close()
    assert framer.is_idle


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10))
def test_every_block_of_ordinary_bytes_comes_out_as_it_went_in(bodies: list[bytes]) -> None:
    clean = [b"MSH|" + body.replace(b"\x0b", b"").replace(b"\x1c", b"") for body in bodies]
    assert fed(b"".join(framed(body) for body in clean)) == [Piece(body) for body in clean]


# --- files -------------------------------------------------------------------------------------


def test_one_message_is_one_message() -> None:
    assert list(messages_in(M1)) == [b"MSH|^~\\&|one\rPID|1"]


@pytest.mark.parametrize(
    "content",
    [
        M1 + M2,
        M1.replace(b"\r", b"\n") + b"\n\n" + M2.replace(b"\r", b"\r\n"),
        framed(M1) + framed(M2),
        b"FHS|^~\\&|a\rBHS|^~\\&|b\r" + M1 + M2 + b"BTS|2\rFTS|1\r",
        b"BHS|^~\\&|b\r" + M1 + b"BTS|1\rBHS|^~\\&|b\r" + M2 + b"BTS|1",
        b"\xef\xbb\xbf" + M1 + b"\xef\xbb\xbf" + M2,
        (M1 + M2).decode().encode("utf-16"),
        (M1 + M2).decode().encode("utf-16-le"),
        b"some words before\r" + M1 + M2,
        b"  " + M1 + b" \t" + M2,
    ],
)
def test_two_messages_are_found_in_every_kind_of_file(content: bytes) -> None:
    assert list(messages_in(content)) == [b"MSH|^~\\&|one\rPID|1", b"MSH|^~\\&|two\rPID|2"]


@pytest.mark.parametrize("content", [b"", b"\r\n", b"{}", b"PID|1\r", b"FHS|^~\\&|\rFTS|0"])
def test_a_file_without_a_message_holds_none(content: bytes) -> None:
    assert list(messages_in(content)) == []


def test_batch_trailers_inside_a_message_without_batch_do_not_end_it() -> None:
    assert len(list(messages_in(b"MSH|^~\\&|a\rBTS|\rPID|1\rFTS|\rPV1|1"))) == 1


def test_every_captured_file_holds_one_message() -> None:
    for path in real_messages():
        assert len(list(messages_in(path.read_bytes()))) == 1, path


@given(st.binary())
def test_any_file_is_read(content: bytes) -> None:
    for message in messages_in(content):
        assert message.startswith(b"MSH")


@given(st.integers(1, 20))
def test_no_message_of_a_file_is_lost(number: int) -> None:
    content = b"".join(adt("A08", control=str(n)) for n in range(number))
    assert len(list(messages_in(content))) == number
