"""Which horizons and hours the record tells apart."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flow.forecasts.clock import minute_of, moment_of
from flow.forecasts.recorded import Until, ends, is_standard
from tests.forecasts.living import london


@pytest.mark.parametrize(
    ("at", "evening", "midnight"),
    [
        (london(10, 8), london(10, 18), london(11, 0)),
        (london(10, 17, 59), london(10, 18), london(11, 0)),
        (london(10, 18), None, london(11, 0)),
        (london(10, 0), london(10, 18), london(11, 0)),
        # On the 29th the clock goes from 1:00 to 2:00.
        (london(28, 20), None, datetime(2026, 3, 29, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), datetime(2026, 3, 29, 17, 0, tzinfo=UTC),
         datetime(2026, 3, 29, 23, 0, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_until_when_numbers_are_told(
    at: datetime, evening: datetime | None, midnight: datetime
) -> None:
    found = ends(minute_of(at))
    assert found[Until.DAY] == minute_of(at) + 1440
    assert moment_of(found[Until.MIDNIGHT]) == midnight
    assert (moment_of(found[Until.EVENING]) if Until.EVENING in found else None) == evening


def test_the_hours_of_the_record_are_those_of_the_clock() -> None:
    assert [hour for hour in range(24) if is_standard(minute_of(london(10, hour)))] == [
        0, 8, 12, 16, 20,
    ]  # fmt: skip
    summer = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    assert is_standard(minute_of(summer))
    assert not is_standard(minute_of(summer) + 5)
