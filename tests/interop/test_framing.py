"""MLLP blocks, however they are chunked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.framing import Fault, Framer, Piece, framed

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


def test_an_empty_block_is_handed_on_for_its_answer() -> None:
    assert fed(b"\x0b\x1c\r", b"\x0b\r\x1c\r" + framed(M1)) == [
        Piece(b"", Fault.EMPTY),
        Piece(b"\r", Fault.EMPTY),
        Piece(M1),
    ]


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


WIDE = [
    (codec, mark)
    for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    for mark in (True, False)
]


def wide(message: bytes, codec: str, *, mark: bool = False) -> bytes:
    return (("\ufeff" if mark else "") + message.decode()).encode(codec)


@pytest.mark.parametrize("message", [M1, M1.rstrip(b"\r")])
def test_a_lone_end_byte_ends_a_block_at_once_and_its_return_may_come_whenever(
    message: bytes,
) -> None:
    framer = Framer()
    assert framer.feed(b"\x0b" + message + b"\x1c") == [Piece(message)]
    assert framer.is_idle
    assert framer.feed(b"\r") == []
    assert framer.is_idle
    assert framer.feed(b"\x0b" + M2 + b"\x1c\x0b" + M1 + b"\x1c") == [Piece(M2), Piece(M1)]
    assert framer.feed(b"\r\x0b" + M2 + b"\x1c") == [Piece(M2)]
    assert framer.close() == []


@pytest.mark.parametrize(("codec", "mark"), WIDE)
def test_a_lone_end_byte_ends_a_wide_block_when_the_next_begins_or_the_sender_pauses(
    codec: str, mark: bool
) -> None:
    one, two = wide(M1, codec, mark=mark), wide(M2, codec, mark=mark)
    framer = Framer()
    assert framer.feed(b"\x0b" + one + b"\x1c\x0b" + two + b"\x1c") == [Piece(one)]
    assert framer.may_have_ended
    assert framer.close() == [Piece(two)]
    assert framer.is_idle
    assert framer.feed(b"\r\x0b" + one + b"\x1c") == []
    assert framer.feed(b"\r") == [Piece(one)]
    assert framer.close() == []


@pytest.mark.parametrize("letter", "\u201c\u041c\u011c\u1c01")
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_half_of_a_letter_is_no_end(letter: str, codec: str) -> None:
    message = wide(M1 + letter.encode() + M2, codec)
    for cut in range(len(message)):
        framer = Framer()
        pieces = framer.feed(b"\x0b" + message[:cut])
        pieces += framer.feed(message[cut:] + b"\x1c\r")
        assert pieces == [Piece(message)]


def test_a_wide_message_that_is_too_large_ends_at_its_end_and_not_at_half_a_letter() -> None:
    head = wide(b"MSH|^~\\&|big|", "utf-16-le")
    text = "\u201cx\u201d ".encode("utf-16-le") * 500
    chunks = [b"\x0b" + head, *[text] * 20, b"\x1c\r" + framed(M2)]
    pieces = fed(*chunks, limit=2000)
    assert [piece.fault for piece in pieces] == [Fault.TOO_LARGE, None]
    assert pieces[1].data == M2


def test_what_is_too_large_is_told_so_when_it_never_ends() -> None:
    framer = Framer(100)
    framer.feed(b"\x0bMSH|" + b"x" * 101)
    assert [piece.fault for piece in framer.close()] == [Fault.TOO_LARGE]


def test_a_block_begun_and_never_filled_is_nothing() -> None:
    framer = Framer()
    assert framer.feed(b"\x0b\r") == []
    assert framer.close() == []


@given(st.data())
def test_ends_and_chunks_of_every_kind_lose_and_double_nothing(data: st.DataObject) -> None:
    """Blocks ended by 0x1C alone or with CR, in any encoding, cut anywhere, come out whole."""
    kinds = st.tuples(
        st.sampled_from(["utf-8", *(codec for codec, _ in WIDE)]), st.sampled_from(["\r", ""])
    )
    sent: list[bytes] = []
    stream = b""
    for number, (codec, end) in enumerate(data.draw(st.lists(kinds, max_size=6))):
        sent.append(f"MSH|^~\\&|{number}|\u201cTŷ\u201d\rPID|{number}\r".encode(codec))
        stream += b"\x0b" + sent[-1] + b"\x1c" + end.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer = Framer()
    pieces: list[Piece] = []
    for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        pieces += framer.feed(stream[a:b])
    assert [*pieces, *framer.close()] == [Piece(message) for message in sent]
    assert framer.is_idle


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
