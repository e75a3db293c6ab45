"""Delimiters that are missing, odd or contradictory, and escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.delimiters import Delimiters, delimiters, escaped, unescape

USUAL = Delimiters()


@pytest.mark.parametrize(
    ("field", "encoding", "wanted"),
    [
        ("|", "^~\\&", Delimiters()),
        ("|", "^~\\&#", Delimiters()),
        ("|", "", Delimiters()),
        ("|", "^", Delimiters()),
        ("|", "^~&", Delimiters()),
        ("|", "^~", Delimiters()),
        ("$", "%~\\&", Delimiters("$", "%", "~", "\\", "&")),
        ("*", ":+!;", Delimiters("*", ":", "+", "!", ";")),
        ("|", "AB\\&", Delimiters()),
        ("|", "^^\\&", Delimiters("|", "^", "~", "\\", "&")),
        ("|", "|~\\&", Delimiters("|", "^", "~", "\\", "&")),
        ("^", "", Delimiters("^", "\x01", "~", "\\", "&")),
    ],
)
def test_delimiters_are_settled(field: str, encoding: str, wanted: Delimiters) -> None:
    assert delimiters(field, encoding) == wanted


@given(st.characters(), st.text(max_size=6))
def test_delimiters_always_differ(field: str, encoding: str) -> None:
    by = delimiters(field, encoding)
    assert len({by.field, *by.encoding_characters}) == 5


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"A\T\E", "A&E"),
        (r"a\F\b\S\c\R\d\E\e", "a|b^c~d\\e"),
        (r"2\P\3", "2#3"),
        (r"\H\bold\N\ text", "bold text"),
        (r"one\.br\two", "one\ntwo"),
        (r"one\.sp2\two", "one\n\ntwo"),
        (r"a\.sk3\b", "a   b"),
        (r"a\.in+4\b", "ab"),
        (r"caf\XC3A9\ ", "café "),
        (r"\X0D\ ", "\r "),
        (r"\XE9\ ", "é "),
        (r"\C2842\\M2A2430\\Zlocal\x", "x"),
        (r"C:\temp\file", r"C:\temp\file"),
        (r"\XZZ\ ", r"\XZZ\ "),
        ("50\\", "50\\"),
        (r"\\", r"\\"),
        (r"C:\dir\T\x", r"C:\dir&x"),
        (r"\.br99999\x"[:9] + "x", r"\.br99999x"),
    ],
)
def test_escapes_are_undone_and_unknown_ones_stay(text: str, plain: str) -> None:
    assert unescape(text, USUAL) == plain


def test_escapes_use_the_message_s_own_characters() -> None:
    by = Delimiters("*", ":", "+", "!", ";")
    assert unescape("a!F!b!S!c!T!d!E!e", by) == "a*b:c;d!e"


def test_hexadecimal_is_read_in_the_message_s_set() -> None:
    assert unescape(r"M\XFC\ller", USUAL, "cp1252") == "Müller"


def test_one_escape_cannot_ask_for_a_flood() -> None:
    assert len(unescape(r"\.br9999\ ", USUAL)) <= 201


@given(st.text())
def test_what_is_escaped_comes_back(text: str) -> None:
    printable = "".join(c for c in text if c >= " ")
    assert unescape(escaped(printable, USUAL), USUAL) == printable


@given(st.text(alphabet="\\FSTREXABC0123.brsp^&|~ "))
def test_no_sequence_is_too_odd(text: str) -> None:
    unescape(text, USUAL)


@pytest.mark.parametrize("codec", ["utf-8", "cp1252", "utf-16-le", "iso8859_2", "gb18030"])
def test_an_escape_writes_no_control_character_but_breaks(codec: str) -> None:
    assert unescape(r"a\X00\b\X001F07\c\X0D0A\d\X09\e", USUAL, codec) == "abc\r\nd\te"
