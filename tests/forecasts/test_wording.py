"""Words of scenarios: which day a time is of, and whether it is past."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flow.forecasts.clock import minute_of
from flow.forecasts.scenario import Closed, Gone, Opened, Scenario
from flow.forecasts.wording import scenario_said

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
"""A Friday."""


def minute(year: int, month: int, day: int, hour: int) -> int:
    return minute_of(datetime(year, month, day, hour, tzinfo=UTC))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (None, "from now on"),
        (minute(2026, 11, 20, 15), "from now on"),
        (minute(2026, 11, 20, 18), "from 18:00"),
        (minute(2026, 11, 21, 6), "from Sat 06:00"),
        (minute(2026, 11, 26, 23), "from Thu 23:00"),
        (minute(2026, 11, 27, 18), "from Fri 27 Nov 18:00"),
        (minute(2026, 12, 4, 18), "from Fri 4 Dec 18:00"),
        (minute(2027, 1, 1, 18), "from Fri 1 Jan 2027 18:00"),
        (minute(2026, 11, 20, 9), "from 09:00, which is past"),
        (minute(2026, 11, 19, 18), "from Thu 19 Nov 18:00, which is past"),
        (minute(2025, 11, 21, 18), "from Fri 21 Nov 2025 18:00, which is past"),
    ],
)
def test_a_change_says_of_which_day_it_is(since: int | None, said: str) -> None:
    at = minute_of(AT)
    beds, shut = scenario_said(
        Scenario(opened=(Opened(6, None, since),), closed=(Closed(7, 48, since),)),
        {7: "Ward 7"},
        at=at,
    )
    assert beds == f"6 beds more on the site, {said}"
    assert shut == f"Ward 7 takes nobody in for 48 hours, {said}; its patients leave as ever"


def test_so_do_patients_who_have_left() -> None:
    scenario = Scenario(
        gone=(Gone((1,), minute(2026, 11, 19, 12)), Gone((2, 3), minute(2026, 12, 4, 12)))
    )
    assert scenario_said(scenario, {}, at=minute_of(AT)) == [
        "1 patient has left by Thu 19 Nov 12:00, which is past",
        "2 patients have left by Fri 4 Dec 12:00",
    ]
