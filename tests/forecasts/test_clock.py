"""Local days, also in the two nights in which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flow.forecasts.clock import (
    LONDON,
    local_hours,
    midnight_after,
    minute_of,
    minute_reached,
    moment_of,
    weekday_and_hour,
)

HOURS_AROUND_A_YEAR = [
    datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour, minutes=17)
    for month, day in ((1, 5), (3, 28), (3, 29), (7, 1), (10, 24), (10, 25), (12, 31))
    for hour in range(24)
]


@pytest.mark.parametrize("moment", HOURS_AROUND_A_YEAR)
def test_local_time_is_that_of_the_zone(moment: datetime) -> None:
    local = moment.astimezone(LONDON)
    minutes = np.array([minute_of(moment)])
    weekday, hour = weekday_and_hour(minutes)
    assert (weekday[0], hour[0]) == (local.weekday(), local.hour)
    assert local_hours(minutes)[0] == pytest.approx(local.hour + local.minute / 60)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), LONDON)
    assert moment_of(int(midnight_after(minutes)[0])) == midnight.astimezone(UTC)


def test_the_midnight_after_a_midnight_is_the_next() -> None:
    midnight = minute_of(datetime(2026, 3, 29, tzinfo=LONDON))
    after = minute_of(datetime(2026, 3, 30, tzinfo=LONDON))
    assert midnight_after(np.array([midnight]))[0] == after
    assert after - midnight == 23 * 60


def test_what_is_learnt_within_a_minute_is_known_when_it_is_over() -> None:
    moment = datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert minute_reached(moment) == minute_of(moment)
    assert minute_reached(moment + timedelta(seconds=1)) == minute_of(moment) + 1
