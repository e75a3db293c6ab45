"""From bytes to text: what is promised, and what really comes."""

from __future__ import annotations

import re
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.charsets import codec_named, decode, wide_codec


@pytest.mark.parametrize(
    ("raw", "declared", "override", "text"),
    [
        ("MSH|Ysbyty Tŷ".encode(), "", "", "MSH|Ysbyty Tŷ"),
        ("\ufeffMSH|Tŷ".encode(), "", "", "MSH|Tŷ"),
        ("MSH|Tŷ".encode(), "UNICODE UTF-8", "", "MSH|Tŷ"),
        ("MSH|Müller".encode("latin-1"), "8859/1", "", "MSH|Müller"),
        ("MSH|Müller".encode("latin-1"), "", "", "MSH|Müller"),
        ("MSH|O’Neill".encode("cp1252"), "8859/1", "", "MSH|O’Neill"),
        ("MSH|Müller".encode(), "8859/1", "", "MSH|Müller"),
        ("MSH|Müller".encode(), "ASCII", "", "MSH|Müller"),
        ("MSH|Łódź".encode("iso8859-2"), "8859/2", "", "MSH|Łódź"),
        ("MSH|山田".encode("gb18030"), "GB 18030-2000", "", "MSH|山田"),
        ("MSH|山田".encode("iso2022_jp"), "ISO IR87", "", "MSH|山田"),
        ("MSH|Łódź".encode("iso8859-2"), "ASCII", "8859/2", "MSH|Łódź"),
        ("MSH|Tŷ".encode("utf-16-le"), "", "", "MSH|Tŷ"),
        ("MSH|Tŷ".encode("utf-16-be"), "UNICODE UTF-16", "", "MSH|Tŷ"),
        ("MSH|Tŷ".encode("utf-16"), "", "", "MSH|Tŷ"),
        ("MSH|Tŷ".encode("utf-32"), "", "", "MSH|Tŷ"),
        (b"MSH|\x81\xff", "", "", "MSH|\x81ÿ"),
        ("MSH|Tŷ".encode(), "UNICODE UTF-16", "", "MSH|Tŷ"),
        ("MSH|Tŷ".encode(), "no such set", "", "MSH|Tŷ"),
    ],
)
def test_text_is_found_whatever_was_promised(
    raw: bytes, declared: str, override: str, text: str
) -> None:
    assert decode(raw, declared=declared, override=override).text == text


def test_a_broken_promise_is_noted() -> None:
    assert not decode("Müller".encode("latin-1"), declared="UNICODE UTF-8").as_declared
    assert not decode("Müller".encode(), declared="ASCII").as_declared
    assert decode("Müller".encode("latin-1"), declared="8859/1").as_declared
    assert decode(b"Miller", declared="UNICODE UTF-8").as_declared


def test_names_of_character_sets() -> None:
    assert codec_named("8859/15") == "iso8859_15"
    assert codec_named(" unicode utf-8 ") == "utf-8"
    assert codec_named("") is None
    assert codec_named("no such set") is None
    assert codec_named("a\x00b") is None


@pytest.mark.parametrize("name", ["utf-7", "UTF7", "unicode_escape", "raw_unicode_escape", "idna"])
def test_a_notation_is_no_character_set(name: str) -> None:
    assert codec_named(name) is None
    raw = "MSH|+2AA-|\\ud800|\\x00|Tŷ".encode()
    assert decode(raw, declared=name, override=name).text == raw.decode()


def test_narrow_text_is_not_taken_for_wide() -> None:
    assert wide_codec(b"MSH|^~\\&|") is None
    assert wide_codec(b"") is None


@given(st.binary(), st.text(max_size=20), st.text(max_size=20))
def test_any_bytes_become_text(raw: bytes, declared: str, override: str) -> None:
    text = decode(raw, declared=declared, override=override).text
    assert text.encode().decode() == text


EVERY_NAME = sorted({*aliases, *aliases.values()})


@given(st.binary(), st.sampled_from(EVERY_NAME), st.booleans())
def test_no_character_set_makes_text_of_what_is_no_character(
    raw: bytes, name: str, is_override: bool
) -> None:
    """Nothing comes out that the database cannot hold, whatever the sender or a person claims."""
    claim = {"override" if is_override else "declared": name}
    assert not re.search("[\ud800-\udfff]", decode(raw, **claim).text)
