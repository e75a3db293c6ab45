"""HL7 times: precision, offsets, the change of the clocks, and what is no time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.hl7v2.timestamps import BadTime, Clock, Precision, Role, clock_for

LONDON = Clock(ZoneInfo("Europe/London"))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [
        ("2026", at(2026, 1, 1), Precision.YEAR),
        ("202601", at(2026, 1, 1), Precision.MONTH),
        ("20260110", at(2026, 1, 10), Precision.DAY),
        ("2026011009", at(2026, 1, 10, 9), Precision.HOUR),
        ("202601100930", at(2026, 1, 10, 9, 30), Precision.MINUTE),
        ("20260110093015", at(2026, 1, 10, 9, 30, 15), Precision.SECOND),
        ("20260110093015.5", at(2026, 1, 10, 9, 30, 15, 500000), Precision.SECOND),
        ("20260110093015.1234", at(2026, 1, 10, 9, 30, 15, 123400), Precision.SECOND),
        ("20110613122406637", at(2011, 6, 13, 11, 24, 6, 637000), Precision.SECOND),
        ("20260710093015", at(2026, 7, 10, 8, 30, 15), Precision.SECOND),
        ("20260710093015+0000", at(2026, 7, 10, 9, 30, 15), Precision.SECOND),
        ("202607100930+0530", at(2026, 7, 10, 4, 0), Precision.MINUTE),
        ("20260710093015-05:00", at(2026, 7, 10, 14, 30, 15), Precision.SECOND),
        ("20260710093015Z", at(2026, 7, 10, 9, 30, 15), Precision.SECOND),
        ("2026-01-10T09:30:15", at(2026, 1, 10, 9, 30, 15), Precision.SECOND),
        ("2026-01-10 09:30", at(2026, 1, 10, 9, 30), Precision.MINUTE),
        ("2026-01-10T09:30:15.25+01:00", at(2026, 1, 10, 8, 30, 15, 250000), Precision.SECOND),
        ("20260110240000", at(2026, 1, 11), Precision.SECOND),
        ("20261231235960", at(2027, 1, 1), Precision.SECOND),
        (" 20260110 ", at(2026, 1, 10), Precision.DAY),
    ],
)
def test_times_of_every_precision_are_read(
    text: str, moment: datetime, precision: Precision
) -> None:
    stamp = LONDON.read(text)
    assert stamp is not None
    assert (stamp.at, stamp.precision) == (moment, precision)


@pytest.mark.parametrize("text", ["", "   ", "0", "00000000", "00000000000000"])
def test_nothing_and_zeros_say_nothing(text: str) -> None:
    assert LONDON.read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "female",
        "20261301",
        "20260230",
        "2026011025",
        "201610015080000",
        "2026-13-01",
        "20260110+2500",
        "17000101",
        "99990101",
        "20260110T",
        "1",
        "20260110093015.",
        "٢٠٢٦٠١١٠",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        LONDON.read(text)


def test_the_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    stamp = LONDON.read("20261025013000")
    assert stamp is not None
    assert stamp.at == at(2026, 10, 25, 0, 30)


def test_the_hour_that_never_was_is_read_as_if_the_clocks_had_not_changed() -> None:
    stamp = LONDON.read("20260329013000")
    assert stamp is not None
    assert stamp.at == at(2026, 3, 29, 1, 30)


def test_an_offset_tells_the_two_hours_apart() -> None:
    first, second = LONDON.read("20261025013000+0100"), LONDON.read("20261025013000+0000")
    assert first is not None
    assert second is not None
    assert (second.at - first.at).total_seconds() == 3600


@pytest.mark.parametrize(
    ("local", "role", "other", "certain", "meant"),
    [
        # The night of 25 October 2026: 01:30 is 00:30 UTC, then 01:30 UTC.
        ("0125", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 1, 30), (1, 25)),
        ("0125", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 0, 30), (0, 25)),
        # Recorded at 01:55 and told at 01:05, after the clocks went back.
        ("0155", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 1, 5), (0, 55)),
        # Nothing is recorded long after it was told, though that would be nearer.
        ("0110", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 0, 50), (0, 10)),
        ("0105", Role.TOLD, Role.RECORDED, at(2026, 10, 25, 0, 20), (1, 5)),
        ("0130", Role.PLANNED, Role.TOLD, at(2026, 10, 25, 0, 50), (1, 30)),
        ("0125", Role.HAPPENED, Role.HAPPENED, at(2026, 10, 25, 1, 0), (1, 25)),
        ("01", Role.HAPPENED, Role.TOLD, at(2026, 10, 25, 1, 30), (1, 0)),
        # The clocks of two computers differ by minutes.
        ("0132", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 1, 30), (1, 32)),
        # Told hours later, nothing is known; nor by a time that is no neighbour.
        ("0125", Role.RECORDED, Role.TOLD, at(2026, 10, 25, 9), (0, 25)),
        ("0125", Role.RECORDED, Role.TOLD, at(2026, 12, 1), (0, 25)),
    ],
)
def test_a_time_with_an_offset_settles_the_hour_that_comes_twice(
    local: str, role: Role, other: Role, certain: datetime, meant: tuple[int, int]
) -> None:
    stamp = Clock(LONDON.zone, certain=((other, certain),)).read(f"20261025{local}", role=role)
    assert stamp is not None
    assert stamp.at == at(2026, 10, 25, *meant)


@given(
    st.integers(0, 150 * 60).map(lambda n: at(2026, 10, 25) + timedelta(seconds=n)),
    st.integers(0, 54),  # an hour less the five minutes by which two clocks may differ
)
def test_what_was_recorded_less_than_an_hour_before_it_was_told_is_read_right(
    recorded: datetime, minutes: int
) -> None:
    """Whatever the hour of that night, if only the header carries its offset."""
    told = recorded + timedelta(minutes=minutes)
    clock = Clock(LONDON.zone, certain=((Role.TOLD, told),))
    written = recorded.astimezone(LONDON.zone).strftime("%Y%m%d%H%M%S")
    stamp = clock.read(written, role=Role.RECORDED)
    assert stamp is not None
    assert stamp.at == recorded


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    st.integers(0, 365 * 24).map(lambda n: at(2026, 1, 1) + timedelta(hours=n)),
    st.sampled_from(Role),
    st.sampled_from(Role),
)
def test_an_hour_that_comes_once_needs_no_other(
    local: datetime, certain: datetime, role: Role, other: Role
) -> None:
    text = local.strftime("%Y%m%d%H%M%S")
    if text[:10] == "2026102501":
        return
    assert Clock(LONDON.zone, certain=((other, certain),)).read(text, role=role) == LONDON.read(
        text
    )


def test_the_day_is_the_one_that_was_written() -> None:
    stamp = LONDON.read("20260701003000")
    assert stamp is not None
    assert stamp.day == date(2026, 7, 1)
    assert stamp.at.date() == date(2026, 6, 30)


def test_a_degree_of_precision_cuts_what_was_written() -> None:
    stamp = LONDON.read("20260110093015", "D")
    assert stamp is not None
    assert (stamp.at, stamp.precision) == (at(2026, 1, 10), Precision.DAY)


def test_a_day_covers_a_time_in_it_and_nothing_else() -> None:
    day, inside, outside = (
        LONDON.read(text) for text in ("20260710", "20260710235959", "20260711000000")
    )
    assert day is not None
    assert inside is not None
    assert outside is not None
    assert day.covers(inside)
    assert not day.covers(outside)
    assert not inside.covers(day)


def test_the_offset_of_the_header_holds_for_the_message() -> None:
    clock = clock_for(ZoneInfo("Europe/London"), "20260110120000-0500")
    stamp = clock.read("20260110120000")
    assert stamp is not None
    assert stamp.at == at(2026, 1, 10, 17)


def test_a_header_offset_that_is_only_summer_time_leaves_winter_alone() -> None:
    clock = clock_for(ZoneInfo("Europe/London"), "20260710120000+0100")
    winter, summer = clock.read("20260110120000"), clock.read("20260710120000")
    assert winter is not None
    assert summer is not None
    assert (winter.at, summer.at) == (at(2026, 1, 10, 12), at(2026, 7, 10, 11))


@pytest.mark.parametrize("header", ["", "nonsense", "20260110"])
def test_a_header_without_offset_changes_nothing(header: str) -> None:
    assert clock_for(ZoneInfo("Europe/London"), header) == LONDON


@given(st.text())
def test_any_text_is_a_time_or_is_refused(text: str) -> None:
    try:
        stamp = LONDON.read(text)
    except BadTime:
        return
    assert stamp is None or stamp.at.tzinfo is UTC


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["", "+0000", "+0530", "-1100", "Z"]),
)
def test_every_written_second_is_read_back(moment: datetime, offset: str) -> None:
    text = moment.strftime("%Y%m%d%H%M%S") + offset
    stamp = LONDON.read(text)
    assert stamp is not None
    assert stamp.day == moment.date()
    if offset in ("+0000", "Z"):
        assert stamp.at == moment.replace(microsecond=0, tzinfo=UTC)
