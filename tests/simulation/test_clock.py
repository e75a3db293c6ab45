from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import clock
from simulation.clock import LONDON
from tests.simulation.receiver import seconds

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
moments = st.integers(0, int((LAST - FIRST).total_seconds())).map(
    lambda s: int(FIRST.timestamp()) + s
)


@given(moments)
def test_the_hour_of_the_week_is_the_hour_on_a_london_clock(second: int) -> None:
    local = datetime.fromtimestamp(second, LONDON)
    assert clock.hour_of_week(second // 3600) == local.weekday() * 24 + local.hour
    assert clock.local_hour(second // 60) == local.hour
    assert clock.weekday(second // 60) == local.weekday()


@given(moments, st.booleans())
def test_a_time_written_for_the_feed_names_one_second(second: int, with_offset: bool) -> None:
    assert seconds(clock.hl7_time(second, with_offset=with_offset)) == second


@given(moments)
def test_a_short_time_loses_the_seconds_and_nothing_else(second: int) -> None:
    text = clock.hl7_time(second, digits=12)
    assert seconds(text) == second - second % 60


def test_only_the_repeated_hour_carries_its_offset() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 01:30 summer time, for the first time
    texts = [clock.hl7_time(int((before + timedelta(hours=n)).timestamp())) for n in range(-1, 3)]
    assert texts == [
        "20261025003000", "20261025013000+0100", "20261025013000+0000", "20261025023000",
    ]  # fmt: skip


def test_local_clock_times_hold_across_the_change_of_summer_time() -> None:
    evening = clock.minute_of(datetime(2026, 10, 24, 20, 0, tzinfo=LONDON))
    morning = clock.local_time(evening, days=1, hour=8)
    assert clock.moment_of(morning).astimezone(LONDON).hour == 8
    assert morning - evening == 13 * 60


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clock.minute_of(datetime(2026, 1, 1))  # noqa: DTZ001
