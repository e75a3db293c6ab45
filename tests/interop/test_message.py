"""Reading a message: its header, its segments, and anything that is thrown at it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interop.hl7v2.header import Unreadable, header_in, header_of
from interop.hl7v2.message import NULL, read
from tests.interop.building import adt, real_messages


def test_a_header_is_read_by_itself() -> None:
    header = header_of(
        b"MSH|^~\\&|CERNER^3.2^URI|RAL&x^4.2|STREAMS|RAL|20190309130156||adt^a01^ADT_A01|7|T^x|2.3"
        b"|||AL|NE|44|8859/1\rPID|1"
    )
    assert header.sending_application == "CERNER"
    assert header.sending_facility == "RAL&x"
    assert header.receiving_application == "STREAMS"
    assert (header.message_type, header.event, header.kind) == ("ADT", "A01", "ADT^A01")
    assert (header.control_id, header.processing_id, header.version) == ("7", "T", "2.3")
    assert (header.accept_acknowledgment, header.application_acknowledgment) == ("AL", "NE")
    assert header.character_set == "8859/1"


@pytest.mark.parametrize(
    ("msh9", "message_type", "event"),
    [
        ("ADT^A01", "ADT", "A01"),
        ("ADT^A01^ADT_A05", "ADT", "A01"),
        ("ADT_A03", "ADT", "A03"),
        ("ADT^^ADT_A04", "ADT", "A04"),
        ("ADT", "ADT", ""),
        ("", "", ""),
        ("ORU^R01", "ORU", "R01"),
        ("ACK", "ACK", ""),
    ],
)
def test_type_and_event_are_found_where_senders_put_them(
    msh9: str, message_type: str, event: str
) -> None:
    header = header_in(f"MSH|^~\\&|A|B|C|D|20260101||{msh9}|1|P|2.4")
    assert (header.message_type, header.event) == (message_type, event)


@pytest.mark.parametrize(
    "text",
    ["", "PID|1", "MSH", "MSH\r", "MSHA^~", "MSH ", "MSH|", "hello", "\r\n", "XMSH|^~\\&|a|b|c"],
)
def test_what_is_no_header_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        header_in(text)
    assert refused.value.reason.startswith(("The message does not", "MSH "))


def test_the_event_of_old_versions_stands_in_evn() -> None:
    message = read(b"MSH|^~\\&|A|B|C|D|20260101||ADT|1|P|2.1\rEVN|A03|20260101\rPID|1||1")
    assert message.event == "A03"


def test_values_are_found_by_field_component_and_subcomponent() -> None:
    message = read(
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.4\r"
        b'PID|1||M1^^^RNM&1.2.3&ISO^MR~9990001234^^^NHS^NH||O\\T\\NEILL^ ANN |||""\rPV1|1|I'
    )
    pid = message.first("PID")
    assert pid is not None
    assert [rep.text(1) for rep in pid.repetitions(3)] == ["M1", "9990001234"]
    assert pid.text(3, 4) == "RNM"
    assert pid.text(3, 4, 2) == "1.2.3"
    assert pid.text(3, 9) == ""
    assert pid.text(5) == "O&NEILL"
    assert pid.text(5, 2) == "ANN"
    assert pid.text(8) == NULL
    assert pid.first(8).is_null
    assert not pid.first(3).is_null
    assert pid.text(40) == ""
    assert not pid.repetitions(6)


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n", "\r\r\n"])
def test_lines_may_end_as_they_like(ending: str) -> None:
    message = read(adt("A01", place="W1^A^1").replace(b"\r", ending.encode()))
    pv1 = message.first("PV1")
    assert pv1 is not None
    assert pv1.text(3) == "W1"


def test_a_break_inside_a_field_does_not_lose_what_follows() -> None:
    message = read(adt("A01", place="W1^A^1").replace(b"SMITH^JOHN", b"SMITH^JO\nHN"))
    pid = message.first("PID")
    assert pid is not None
    assert pid.text(5, 2) == "JO HN"
    assert pid.text(5, 5) == "MR"


def test_odd_delimiters_are_the_message_s_own_business() -> None:
    message = read(b"MSH*:+!;*A*B*C*D*2026**ADT:A01*1*P*2.4\rPID*1**M1:::RNM;1.2:MR*   *O!T!N:J")
    pid = message.first("PID")
    assert pid is not None
    assert pid.text(3, 4, 2) == "1.2"
    assert pid.text(5) == "O;N"


def test_delimiters_that_contradict_each_other_do_not_stop_reading() -> None:
    message = read(b"MSH|^^^^|A|B|C|D|2026||ADT^A01|1|P|2.4\rPID|1||M1^^^RNM^MR\rPV1|1|I|W1^A^1")
    pid = message.first("PID")
    assert pid is not None
    assert (pid.text(3), pid.text(3, 4)) == ("M1", "RNM")


def test_a_truncation_character_is_no_delimiter() -> None:
    message = read(b"MSH|^~\\&#|A|B|C|D|2026||ADT^A01|1|P|2.7\rPID|1||M1||Smith#")
    pid = message.first("PID")
    assert pid is not None
    assert pid.text(5) == "Smith#"


def test_letters_are_read_in_the_set_that_msh_18_names() -> None:
    raw = adt("A01", msh="||||||8859/1").replace(b"SMITH", "MÜLLER".encode("latin-1"))
    message = read(raw)
    pid = message.first("PID")
    assert pid is not None
    assert pid.text(5) == "MÜLLER"
    assert message.as_declared


def test_a_second_mrg_under_one_pid_makes_a_second_group() -> None:
    message = read(
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A45|1|P|2.4\rPID|1||M1\r"
        b"MRG|M0||||V1\rPV1|1|I|W1||||||||||||||||V1\rMRG|M0||||V2\rPV1|2|I|W2||||||||||||||||V2"
    )
    groups = message.groups()
    assert [(g["MRG"].text(5), g["PV1"].text(19)) for g in groups] == [("V1", "V1"), ("V2", "V2")]
    assert {g["PID"].text(3) for g in groups} == {"M1"}


def test_every_captured_message_is_read() -> None:
    for path in real_messages():
        message = read(path.read_bytes())
        assert message.header.message_type == "ADT", path


PIECES = st.sampled_from(
    ["MSH", "PID", "PV1", "EVN", "MRG", "NPU", "|", "^", "~", "\\", "&", "\r", "\n", '""', "A01"]
)


@given(st.binary(max_size=400))
@example(b"MSH|^~\\&|\xff\xfe\x00")
@example(b"MSH|||||||||||||||||||||")
@example(b"MSH\x0b\x0b\x0b")
def test_any_bytes_are_a_message_or_are_refused(raw: bytes) -> None:
    try:
        message = read(raw)
    except Unreadable:
        return
    assert message.header.by.field


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=60), st.sampled_from("|$^*!\x02é"))
def test_any_pieces_of_a_message_are_read_or_are_refused(pieces: list[str], field: str) -> None:
    raw = f"MSH{field}^~\\&{field}".encode() + "".join(pieces).encode()
    try:
        message = read(raw)
    except Unreadable:
        return
    for segment in message.segments:
        for number in range(1, 6):
            for repetition in segment.repetitions(number):
                repetition.text(1)
                repetition.text(4, 2)
    message.groups()


@given(st.binary(max_size=300))
def test_a_header_of_any_bytes_is_read_or_refused(raw: bytes) -> None:
    try:
        header_of(b"MSH" + raw)
    except Unreadable:
        return
