"""What a line of a meeting says, whatever it is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huddles.actions.one_line import read

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 23, 8, 15, tzinfo=LONDON)  # a Monday


@pytest.mark.parametrize(
    ("line", "text", "owner", "doer", "due", "bed", "ward"),
    [
        ("therapy to see bed 12 by 11, Sam", "therapy to see bed 12", "Sam", "therapy",
         "23 11:00", "12", ""),
        ("Sam: chase TTO bed 4 by 1430", "Sam: chase TTO bed 4", "", "Sam", "23 14:30", "4",
         ""),
        ("pharmacy to send TTOs, ward 7 bed B2 by 2pm", "pharmacy to send TTOs, ward 7 bed B2",
         "", "pharmacy", "23 14:00", "B2", "7"),
        ("call family, by midday, Sam", "call family", "Sam", "", "23 12:00", "", ""),
        ("clean bed 3 in 30 min @sam", "clean bed 3", "sam", "", "23 08:45", "3", ""),
        ("chase transport today, Ann Lee", "chase transport", "Ann Lee", "", "23 17:00", "", ""),
        ("ring the bed bureau now, Bob", "ring the bed bureau", "Bob", "", "23 08:45", "", ""),
        ("open bay C by tomorrow 9, Jo", "open bay C", "Jo", "", "24 09:00", "", ""),
        ("reopen by tomorrow, Jo", "reopen", "Jo", "", "24 08:00", "", ""),
        ("ring council before noon tomorrow, Jo", "ring council", "Jo", "", "24 12:00", "", ""),
        ("see bed 9 by midnight, Jo", "see bed 9", "Jo", "", "24 00:00", "9", ""),
        ("Jo to review bed 9 at 10.30", "Jo to review bed 9", "", "Jo", "23 10:30", "9", ""),
        ("by 8 Jo rings", "Jo rings", "", "", "23 20:00", "", ""),
        ("move bed 5 by 07:00, Jo", "move bed 5", "Jo", "", "24 07:00", "5", ""),
    ],
)  # fmt: skip
def test_a_line_is_read(
    line: str, text: str, owner: str, doer: str, due: str, bed: str, ward: str
) -> None:
    said = read(line, now=NOW)
    assert (said.text, said.owner, ", ".join(said.beds), said.ward) == (text, owner, bed, ward)
    assert said.due_at is not None
    assert f"{said.due_at:%d %H:%M}" == due
    if doer:
        assert said.doer == doer


@pytest.mark.parametrize("line", ["therapy to see bed 12, Sam", "order 12 beds", "x by 25", ""])
def test_no_time_is_made_up(line: str) -> None:
    assert read(line, now=NOW).due_at is None


def test_numbers_that_are_no_time_stay_in_the_text() -> None:
    said = read("order 12 mattresses by 5, stores", now=NOW)
    assert said.text == "order 12 mattresses"
    assert said.due_at == NOW.replace(hour=17, minute=0)


def test_the_hour_on_the_clock_counts_when_the_clocks_change() -> None:
    before = datetime(2027, 3, 27, 20, 0, tzinfo=LONDON)  # clocks go forward at 01:00
    said = read("see them by tomorrow 9, Sam", now=before)
    assert said.due_at is not None
    assert said.due_at.utcoffset() != before.utcoffset()
    assert f"{said.due_at:%d %H:%M}" == "28 09:00"


@given(some.text(max_size=200))
def test_whatever_is_typed_is_read(line: str) -> None:
    said = read(line, now=NOW)
    assert said.due_at is None or said.due_at > NOW
    assert len(said.text) <= len(line)
    assert len(said.owner.split()) <= 4
