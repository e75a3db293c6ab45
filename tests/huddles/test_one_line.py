"""What a line of a meeting says, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huddles.actions.one_line import read
from huddles.actions.when import Why

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
        ("ring council before noon tomorrow, Jo", "ring council before noon tomorrow", "Jo", "",
         "24 12:00", "", ""),
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


NOON = NOW.replace(hour=11, minute=52)


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("x tomorrow at 9, Sam Okafor", "24 09:00"),
        ("x by 10 Tuesday, Sam", "24 10:00"),
        ("x by 10 on 25 Nov, Sam", "25 10:00"),
        ("x by 10 on 25/11, Sam", "25 10:00"),
        ("x on Friday at 10, Sam", "27 10:00"),
        ("x on 27th November by 2pm, Sam", "27 14:00"),
        ("x by Tue 09:00, Sam", "24 09:00"),
        ("x by 10, Friday, Sam", "27 10:00"),
        ("x by 12 midnight, Sam", "24 00:00"),
        ("x by 5 today, Sam", "23 17:00"),
        ("x by today 4, Sam", "23 16:00"),
        ("x by 8 tonight, Sam", "23 20:00"),
        ("x by 2 tonight, Sam", "24 02:00"),
        ("x by 5 tomorrow, Sam", "24 17:00"),
        ("x by tomorrow 2, Sam", "24 14:00"),
        ("x tomorrow, Sam", "24 17:00"),
        ("x by 9 in the morning, Sam", "24 09:00"),
        ("x by 9 tomorrow morning, Sam", "24 09:00"),
        ("x by half past 12, Sam", "23 12:30"),
        ("x in an hour and a half, Sam", "23 13:22"),
        ("x within the hour by 13:00 at the latest, Sam", "23 13:00"),
        ("chase Monday's scan by 14, Sam", "23 14:00"),
    ],
)
def test_the_day_said_is_the_day_meant(line: str, due: str) -> None:
    said = read(line, now=NOON)
    assert said.due_at is not None, said.unclear
    assert f"{said.due_at:%d %H:%M}" == due
    assert said.owner in ("Sam", "Sam Okafor")


def test_tonight_is_the_evening_also_when_said_at_dawn() -> None:
    assert read("x by 8 tonight", now=NOW.replace(hour=7)).due_at == NOW.replace(hour=20, minute=0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x on Friday, Sam", Why.NO_HOUR),
        ("x by 25 Nov, Sam", Why.NO_HOUR),
        ("x tomorrow morning, Sam", Why.NO_HOUR),
        ("x in 2 days, Sam", Why.NO_HOUR),
        ("review Friday clinic by 11, Sam", Why.APART),
        ("by 10 see bed 3 tomorrow, Sam", Why.APART),
        ("x by 10 Monday, Sam", Why.TWO_WAYS),
        ("x next Tuesday at 10, Sam", Why.TWO_WAYS),
        ("x by 8am tonight, Sam", Why.TWO_WAYS),
        ("x by 00:00 tomorrow, Sam", Why.TWO_WAYS),
        ("x by 9am today, Sam", Why.OVER),
        ("x by end of day, Sam", Why.UNREAD),
        ("x 14:30, Sam", Why.UNREAD),
        ("x by 10 on 30/2, Sam", Why.UNREAD),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(line: str, why: Why) -> None:
    said = read(line, now=NOON)
    assert said.due_at is None
    assert said.unclear is not None
    assert said.unclear.why == why


def test_by_day_a_bare_hour_is_no_hour_of_the_night() -> None:
    said = read("x by 5, Sam", now=NOW.replace(hour=17, minute=30))
    assert said.unclear is not None
    assert said.unclear.why == Why.TWO_WAYS
    assert read("x by 5, Sam", now=NOW.replace(hour=23)).due_at is not None


def test_other_times_of_the_line_are_told() -> None:
    said = read("see 14:00 clinic by 13:00, Sam", now=NOON)
    assert (said.text, said.left) == ("see 14:00 clinic", ("14:00",))


@pytest.mark.parametrize(
    ("line", "beds"),
    [
        ("beds 2 and 3 scans by 14, Sam", ("2", "3")),
        ("clean beds 4, 5 & 6 by 14, Sam", ("4", "5", "6")),
        ("move bed 2 to bed 5 by 14, Sam", ("2", "5")),
        ("see bed 12 and 2 nurses by 14, Sam", ("12",)),
        ("see bed 12, 2 nurses by 14, Sam", ("12",)),
        ("see bed 12, 13 by 14, Sam", ("12", "13")),
        ("see bed 2,3 by 14, Sam", ("2", "3")),
        ("see bed 12 then 13 by 14, Sam", ("12", "13")),
        ("see beds 12 13 by 14, Sam", ("12", "13")),
        ("bed 12, 13 need scans by 14, Sam", ("12", "13")),
    ],
)
def test_every_bed_of_a_line_is_read(line: str, beds: tuple[str, ...]) -> None:
    assert read(line, now=NOON).beds == beds


def test_an_address_is_no_owner() -> None:
    said = read("email sam@nhs.net by 14", now=NOON)
    assert (said.text, said.owner) == ("email sam@nhs.net", "")


@pytest.mark.parametrize(
    "line",
    ["therapy to see bed 12, Sam", "order 12 beds", "x by 25", "discharged by 4 doctors, Sam", ""],
)
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


@pytest.mark.parametrize(
    "line",
    [
        "Hb at 6.5, transfuse bed 4, Sam",
        "K at 2.8, Sam",
        "INR at 1.5, Sam",
        "x by 10.5, Sam",
        "NEWS at 7, Sam",
        "pain at 7, Sam",
        "oxygen at 2, Sam",
        "oxygen at 2 today, Sam",
        "cut outliers by 5, Sam",
        "we are down by 2, find two nurses",
        "fell at 03:10, datix, Sam",
        "bloods sent at 7:30, Sam",
        "fell at 3, Sam",
        "obs at 10, 12 and 2, Sam",
        "by 8 jo rings, Sam",
        "see bed 4 not before 11, Sam",
        "see bed 4 not today, Sam",
        "x by midnight on 9999-12-31, Sam",
    ],
)
def test_a_figure_is_no_time_and_what_is_over_is_asked(line: str) -> None:
    said = read(line, now=NOW)
    assert said.due_at is None
    assert said.text == line.removesuffix(", Sam").removesuffix(", find two nurses")


def test_a_figure_stays_beside_the_time() -> None:
    said = read("NEWS at 7, recheck Hb at 14:00, Sam", now=NOW)
    assert said.due_at == NOW.replace(hour=14, minute=0)
    assert (said.text, said.left) == ("NEWS at 7, recheck Hb", ("at 7",))
    assert read("see bed 4 at 3, Sam", now=NOW).due_at == NOW.replace(hour=15, minute=0)


@pytest.mark.parametrize(
    "words",
    [
        "by 2pm on the 25th", "by 14:00 on 25th", "by 14:00 on 24", "the day after tomorrow by 2pm",
        "by 2pm Wednesday week", "by 2pm a week on Wednesday", "by 2pm tomorow", "by 2pm tmw",
        "by 2pm Wensday", "by 2pm at the weekend", "by 2pm in a fortnight", "by 5pm yesterday",
        "first thing tomorrow", "before board round tomorrow", "by lunch tomorrow",
        "by tomorrow lunchtime",
    ],
)  # fmt: skip
def test_another_day_than_it_seems_is_asked(words: str) -> None:
    said = read(f"x {words}, Sam", now=NOW)
    assert said.due_at is None
    assert said.unclear is not None


@pytest.mark.parametrize("line", ["prepare board round by 11, Sam", "week 3 form by 11 today, Sam"])
def test_words_apart_from_a_clear_time_are_none_of_it(line: str) -> None:
    assert read(line, now=NOW).due_at == NOW.replace(hour=11, minute=0)


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("do not move bed 4 before 11, Sam", "23 11:00"),
        ("don't discharge bed 4 by 2pm, Sam", "23 14:00"),
        ("keep bed 4 NBM until 14:00, Sam", "23 14:00"),
        ("hold warfarin until tomorrow, Sam", "24 08:00"),
        ("can’t go home today, Sam", "23 17:00"),
        ("do not move bed 4 before 11 @Sam", "23 11:00"),
    ],
)
def test_a_time_that_is_part_of_the_order_stays_in_it(line: str, due: str) -> None:
    said = read(line, now=NOW)
    assert said.due_at is not None
    assert (f"{said.due_at:%d %H:%M}", said.owner, said.kept) == (due, "Sam", True)
    assert said.text == line.removesuffix(", Sam").removesuffix(" @Sam")


@pytest.mark.parametrize(
    ("line", "ward", "either"),
    [
        ("see ward 7 bed 12 by 11", "7", False),
        ("see bed 12 ward 7 by 11", "7", False),
        ("see bed 12, ward 7 by 11", "7", False),
        ("see bed 12 on ward 7 by 11", "7", False),
        ("see ward 7, bay 2, bed 12 by 11", "7", False),
        ("ward 7 bed 4 to ward 8 by 11", "7", False),
        ("move bed 4 to ward 8 by 11", "", False),
        ("ward 8 to take bed 4 by 11", "", False),
        ("swap bed 4 with ward 8 by 11", "", False),
        ("bed 4, ward 8 to take by 11", "", False),
        ("tell ward 8, bed 4 is ready by 11", "8", True),
        ("ward 7 bed 4 ward 8 by 11", "7", True),
        ("ward 7 or ward 8 to take bed 4 by 11", "", True),
        ("see bed 4 after the ward 8 call by 11", "", True),
    ],
)
def test_a_ward_is_the_beds_only_beside_it(line: str, ward: str, either: bool) -> None:
    said = read(line, now=NOW)
    assert (said.ward, said.either_ward) == (ward, either)


@pytest.mark.parametrize(
    ("line", "doer"),
    [
        ("Mrs Jones to go home by 11", ""),
        ("Mr Jones: chase TTO by 11", ""),
        ("Jones to be seen by 11", ""),
        ("Jones to have a scan by 11", ""),
        ("Jones to move to ward 8 by 11", ""),
        ("Jones to leave by 11", ""),
        ("Sam to move bed 4 by 11", "Sam"),
        ("Dr Jones to see bed 4 by 11", "Dr Jones"),
    ],
)
def test_who_is_in_a_bed_does_nothing(line: str, doer: str) -> None:
    assert read(line, now=NOW).doer == doer


@pytest.mark.parametrize("day", [(2027, 3, 28), (2026, 10, 25)])
def test_two_hours_are_two_when_the_clocks_change(day: tuple[int, int, int]) -> None:
    before = datetime(*day, 0, 30, tzinfo=LONDON)
    due = read("x in 2 hours, Sam", now=before).due_at
    assert due is not None
    assert due.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=2)


def test_what_nobody_types_is_left_out() -> None:
    assert read("see\0 bed\x1f 4\ud800 by 11, Sam", now=NOW).text == "see bed 4"


@given(some.text(max_size=200))
def test_whatever_is_typed_is_read(line: str) -> None:
    said = read(line, now=NOW)
    assert said.due_at is None or said.due_at > NOW
    assert len(said.text) <= len(line)
    assert len(said.owner.split()) <= 4
