"""The table of events: complete, consistent, and what is not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interop.hl7v2.events import BY_CODE, EVENTS, Deed, refusal

PROMISED = [
    f"A{number:02d}"
    for number in (*range(1, 18), *range(20, 30), 31, 38, *range(40, 46), 47, *range(49, 53), 60)
]


def test_every_promised_event_is_in_the_table_once() -> None:
    assert sorted(event.code for event in EVENTS) == sorted(PROMISED)


def test_every_move_has_a_kind_and_nothing_else_has() -> None:
    for event in EVENTS:
        assert (event.kind is not None) == (event.deed is Deed.MOVE), event.code


def test_what_is_ignored_says_why() -> None:
    ignored = [event for event in EVENTS if event.deed is Deed.IGNORE]
    assert ignored
    assert all(event.note for event in ignored)


@pytest.mark.parametrize("code", PROMISED)
def test_promised_events_are_not_refused(code: str) -> None:
    assert refusal("ADT", code) == ""
    assert BY_CODE[code].name


@pytest.mark.parametrize(
    ("message_type", "event"),
    [("ADT", "A99"), ("ADT", "A0X"), ("ADT", "A18"), ("ADT", ""), ("ORU", "R01"), ("", "A01")],
)
def test_everything_else_is_refused_with_a_reason(message_type: str, event: str) -> None:
    assert refusal(message_type, event)


def test_a_refusal_does_not_repeat_what_is_no_code() -> None:
    assert "SMITH" not in refusal("SMITH JOHN", "A01")
    assert "SMITH" not in refusal("ADT", "SMITH^JOHN")


def test_the_table_in_the_documentation_is_this_table() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "feeds.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| A")]
    told = {row[1].strip(): (row[2].strip(), row[4].strip()) for row in rows}
    assert told == {event.code: (event.name, event.note) for event in EVENTS}
