"""When nurses change over, and what a shift lacks."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from wards.shifts import USUAL, Shortage, named, on_show, parse, per_nurse, shortage, worked_on

LONG_DAYS = parse(USUAL)
NOVEMBER = date(2026, 11, 21)


def test_a_night_ends_on_the_day_after() -> None:
    day, night = worked_on(NOVEMBER, LONG_DAYS)
    assert (day.start, day.end) == (
        datetime(2026, 11, 21, 7, 30, tzinfo=UTC),
        datetime(2026, 11, 21, 19, 30, tzinfo=UTC),
    )
    assert (night.start, night.end) == (day.end, day.start + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 11), (date(2026, 10, 24), 13), (NOVEMBER, 12)]
)
def test_a_night_on_which_the_clocks_change_has_its_true_length(day: date, hours: int) -> None:
    night = named("night", worked_on(day, LONG_DAYS))
    assert night is not None
    assert night.end - night.start == timedelta(hours=hours)


def test_the_day_begins_with_the_night_that_runs_still() -> None:
    early = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    assert [one.day for one in on_show(NOVEMBER, LONG_DAYS, at=early)] == [
        date(2026, 11, 20),
        NOVEMBER,
        NOVEMBER,
    ]
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    shown = on_show(NOVEMBER, LONG_DAYS, at=noon)
    assert [(one.name, one.runs(noon), one.is_over(noon)) for one in shown] == [
        ("Day", True, False),
        ("Night", False, False),
    ]
    # At the very moment of the change the one that begins runs.
    change = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    assert [one.runs(change) for one in on_show(NOVEMBER, LONG_DAYS, at=change)] == [True, False]


def test_tomorrow_stands_alone_whatever_runs_today() -> None:
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert [one.day for one in on_show(NOVEMBER, LONG_DAYS, at=noon)] == [NOVEMBER, NOVEMBER]


def test_three_shifts_stand_in_the_order_of_the_day() -> None:
    pattern = parse("Night 21:00-07:00, Early 07:00-14:00 ,Late 14:00-21:00")
    assert [shift.name for shift in pattern] == ["Early", "Late", "Night"]
    assert [shift.minutes for shift in pattern] == [420, 420, 600]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write each shift as"),
        ("Day 7:30-19:30", "write each shift as"),
        ("Day 07:30-24:30", "write each shift as"),
        ("Day 07:30-19:30, day 19:30-07:30", "two shifts alike"),
        ("Early 07:00-15:00, Late 13:00-21:00", "Early and Late at the same time"),
        ("Day 07:30-19:30, Night 19:30-08:00", "Night and Day at the same time"),
        ("All 07:00-07:00, Night 19:30-07:00", "at the same time"),
        ("Day 07:30-07:45", "less than 60 minutes"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("planned", "actual", "patients", "most", "lacks"),
    [
        (None, None, 30, 8.0, Shortage()),
        (4, None, 24, 8.0, Shortage()),
        (3, None, 25, 8.0, Shortage(needed=1)),
        (4, 3, 24, 8.0, Shortage(planned=1)),
        (4, 3, 25, 8.0, Shortage(planned=1, needed=1)),
        (4, 5, 40, 8.0, Shortage()),
        (4, 5, 40, None, Shortage()),
        (None, 0, 1, 8.0, Shortage(needed=1)),
        (0, 0, 0, 8.0, Shortage()),
        (4, 4, 30, 7.5, Shortage()),
    ],
)
def test_what_a_shift_lacks(
    planned: int | None, actual: int | None, patients: int, most: float | None, lacks: Shortage
) -> None:
    assert shortage(planned=planned, actual=actual, patients=patients, most=most) == lacks


def test_patients_for_each_nurse() -> None:
    assert per_nurse(30, 4) == 7.5
    assert per_nurse(30, None) is None
    assert per_nurse(3, 0) == math.inf
    assert per_nurse(0, 0) == 0
