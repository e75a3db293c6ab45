"""When meetings are held, what is spoken of, and whose turn it is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huddles.meetings.agenda import Agenda, ward_of
from huddles.meetings.timetable import LATE, Timetable, horizons_of

WEEKDAYS = Timetable(
    (time(8, 15), time(16)), frozenset({1, 2, 3, 4, 5}), timedelta(hours=1)
)  # fmt: skip
DAILY = Timetable((time(1, 30),), frozenset(range(1, 8)), timedelta(hours=1))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("2026-11-23T07:00", "2026-11-23T08:15"),
        ("2026-11-23T10:14", "2026-11-23T08:15"),  # not opened, and not too late to
        ("2026-11-23T10:15", "2026-11-23T16:00"),
        ("2026-11-20T19:00", "2026-11-23T08:15"),  # over the weekend
        ("2026-07-06T05:00", "2026-07-06T07:15"),  # summer time
    ],
)
def test_the_meeting_that_is_due(at: str, start: str) -> None:
    assert WEEKDAYS.next_due(utc(at)) == utc(start)


def test_one_that_has_ended_is_not_due() -> None:
    first = utc("2026-11-23T08:15")
    assert WEEKDAYS.next_due(utc("2026-11-23T08:40"), over=[first]) == utc("2026-11-23T16:00")


def test_the_one_before() -> None:
    assert WEEKDAYS.last_before(utc("2026-11-23T08:15")) == utc("2026-11-20T16:00")
    assert WEEKDAYS.is_a_start(utc("2026-11-23T16:00"))
    assert not WEEKDAYS.is_a_start(utc("2026-11-22T16:00"))
    assert not WEEKDAYS.is_a_start(utc("2026-11-23T16:01"))


def test_a_night_meeting_is_held_once_when_the_clocks_change() -> None:
    # 01:30 does not exist on 28 March 2027 and comes twice on 31 October.
    for day in ("2027-03-28", "2027-10-31"):
        assert len(DAILY.on(datetime.fromisoformat(day).date())) == 1


def test_discharges_are_asked_for_by_times_that_are_still_to_come() -> None:
    times = [time(10), time(12), time(17)]
    start = utc("2026-11-23T16:00")
    assert horizons_of(start, times) == [
        utc("2026-11-23T17:00"), utc("2026-11-24T10:00"), utc("2026-11-24T12:00"),
    ]  # fmt: skip


@given(
    some.integers(0, 2 * 365 * 24 * 60),
    some.lists(some.times(), min_size=1, max_size=4),
    some.sets(some.integers(1, 7), min_size=1),
)
def test_some_meeting_is_always_due(minutes: int, times: list[time], days: set[int]) -> None:
    moment = utc("2026-01-01T00:00") + timedelta(minutes=minutes)
    bare = tuple(each.replace(second=0, microsecond=0, tzinfo=None) for each in times)
    held = Timetable(bare, frozenset(days), timedelta(hours=1))
    due = held.next_due(moment)
    assert due is not None
    assert moment - LATE < due <= moment + timedelta(days=8)
    assert held.is_a_start(due)
    before = held.last_before(due)
    assert before is not None
    assert before < due


def test_the_wards_take_their_turns_where_the_agenda_says() -> None:
    agenda = Agenda.of(["previous", "wards", "close"], [7, 3])
    assert agenda.steps == ("previous", "ward:7", "ward:3", "close")
    assert agenda.after("previous") == "ward:7"
    assert agenda.after("close") == "close"
    assert agenda.before("previous") == "previous"
    assert agenda.before("close") == "ward:3"
    assert agenda.after("ward:99") == "previous"  # a ward that is not asked any more
    assert ward_of("ward:7") == 7
    assert ward_of("close") is None


def test_an_agenda_of_nothing() -> None:
    agenda = Agenda.of(["wards"], [])
    assert (agenda.first, agenda.after(""), agenda.before("")) == ("", "", "")
