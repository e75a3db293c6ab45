"""Acknowledgments: which one, in whose words, and when none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from interop.hl7v2.ack import TAKEN, Answer, Verdict, acknowledgment, is_wanted
from interop.hl7v2.header import Header, header_in
from interop.hl7v2.message import read

AT = datetime(2026, 1, 10, 12, 0, 5, tzinfo=UTC)
REFUSED = Answer(Verdict.REFUSED, "201", "Event not supported: A99.")
FAILED = Answer(Verdict.ERROR, "207", "Send this again.")


def header(version: str = "2.5", accept: str = "", application: str = "", msh: str = "") -> Header:
    start = "MSH|^~\\&|PAS|RNM|FB|HERE|20260110||ADT^A01^ADT_A01|C7|T"
    return header_in(msh or f"{start}|{version}|||{accept}|{application}")


def segments(answer: Answer, to: Header | None) -> list[list[str]]:
    raw = acknowledgment(answer, to=to, at=AT, control_id="X1", application="FLOWBOARD")
    by = to.by.field if to else "|"
    assert raw.endswith(b"\r")
    return [line.split(by) for line in raw.decode().rstrip("\r").split("\r")]


def test_sender_and_receiver_change_places() -> None:
    msh, msa = segments(TAKEN, header())
    assert msh[:6] == ["MSH", "^~\\&", "FB", "HERE", "PAS", "RNM"]
    assert msh[6] == "20260110120005+0000"
    assert msh[8:12] == ["ACK^A01^ACK", "X1", "T", "2.5"]
    assert msa == ["MSA", "AA", "C7"]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("2.1", "ACK"),
        ("2.2", "ACK"),
        ("2.3", "ACK^A01"),
        ("2.3.1", "ACK^A01"),
        ("2.4", "ACK^A01^ACK"),
        ("2.9", "ACK^A01^ACK"),
        ("", "ACK^A01^ACK"),
        ("2.x", "ACK^A01^ACK"),
    ],
)
def test_the_type_is_written_as_in_the_sender_s_version(version: str, kind: str) -> None:
    assert segments(TAKEN, header(version))[0][8] == kind


def test_a_refusal_says_why_in_msa_and_err() -> None:
    _, msa, err = segments(REFUSED, header("2.5.1"))
    assert msa == ["MSA", "AR", "C7", "Event not supported: A99."]
    assert err[3] == "201^Unsupported event code^HL70357"
    assert err[4] == "E"
    assert err[8] == "Event not supported: A99."


def test_before_2_5_err_names_the_code_in_its_first_field() -> None:
    _, _, err = segments(FAILED, header("2.3"))
    assert err == ["ERR", "^^^207&Application internal error&HL70357"]


def test_the_sender_s_delimiters_are_used_and_its_words_are_escaped() -> None:
    to = header(msh="MSH*:+!;*PAS*RNM*FB*HERE*2026**ADT:A01*C!F!7*P*2.5")
    raw = acknowledgment(REFUSED, to=to, at=AT, control_id="X1", application="FLOWBOARD")
    assert b"*ACK:A01:ACK*" in raw
    assert b"MSA*AR*C!F!7*Event not supported!S! A99." in raw


def test_an_answer_to_what_has_no_header_is_readable() -> None:
    msh, msa, _ = segments(REFUSED, None)
    assert msh[2] == "FLOWBOARD"
    assert msh[11] == "2.5"
    assert msa[:3] == ["MSA", "AR", ""]


def test_an_acknowledgment_is_itself_a_message() -> None:
    raw = acknowledgment(REFUSED, to=header(), at=AT, control_id="X1", application="FLOWBOARD")
    assert read(raw).header.message_type == "ACK"


@pytest.mark.parametrize(
    ("accept", "application", "taken", "refused"),
    [
        ("", "", "AA", "AR"),
        ("AL", "", "CA", "CR"),
        ("AL", "NE", "CA", "CR"),
        ("AL", "AL", "CA", "CR"),
        ("ER", "", None, "CR"),
        ("SU", "", "CA", None),
        ("NE", "NE", None, None),
        ("NE", "AL", "AA", "AR"),
        ("NE", "", "AA", "AR"),
        ("", "AL", "AA", "AR"),
        ("", "NE", None, None),
        ("", "ER", None, "AR"),
        ("NE", "ER", None, "AR"),
        ("ER", "AL", "AA", "CR"),
    ],
)
def test_the_mode_that_the_sender_asks_for(
    accept: str, application: str, taken: str | None, refused: str | None
) -> None:
    to = header(accept=accept, application=application)
    for answer, code in ((TAKEN, taken), (REFUSED, refused)):
        assert is_wanted(to, answer.verdict) == (code is not None)
        if code is not None:
            assert segments(answer, to)[1][1] == code


def test_an_acknowledgment_is_never_acknowledged() -> None:
    to = header(msh="MSH|^~\\&|PAS|RNM|FB|HERE|2026||ACK^A01|C7|P|2.5")
    assert not is_wanted(to, Verdict.TAKEN)
    assert not is_wanted(to, Verdict.REFUSED)


def test_a_long_reason_is_cut() -> None:
    answer = Answer(Verdict.ERROR, "207", "x" * 5000)
    assert len(segments(answer, header())[1][3]) == 200


@pytest.mark.parametrize(("accept", "application"), [("", "H50^^^R3X"), ("XX", ""), ("XX", "YY")])
def test_a_word_that_is_no_condition_is_answered(accept: str, application: str) -> None:
    assert is_wanted(header(accept=accept, application=application), Verdict.TAKEN)
