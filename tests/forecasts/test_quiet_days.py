"""Bank holidays are as quiet as Sundays until the record says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from flow.forecasts.clock import DAY, HOUR, minute_of
from flow.forecasts.features import NAMES, Question, table
from flow.forecasts.hazards import Effort
from flow.forecasts.level import Levels
from flow.forecasts.predicting import leaving
from flow.forecasts.quiet_days import is_bank_holiday, is_quiet, weekdays
from flow.forecasts.training import train
from tests.forecasts.worlds import START, Hospital


def at(*when: int) -> np.ndarray:
    return np.array([minute_of(datetime(*when, tzinfo=UTC))])  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("when", "holiday"),
    [
        ((2025, 12, 24, 12), False),
        ((2025, 12, 25, 12), True),
        ((2025, 12, 26, 23, 59), True),
        ((2026, 4, 3, 8), True),  # Good Friday
        ((2026, 4, 6, 8), True),  # Easter Monday, no holiday in Scotland
        ((2021, 12, 27, 8), True),  # instead of Christmas Day, a Saturday
        ((2022, 9, 19, 8), True),  # the state funeral
        ((2026, 5, 3, 22, 59), False),
        ((2026, 5, 3, 23, 0), True),  # already Monday in London
    ],
)
def test_which_days_are_bank_holidays(when: tuple[int, ...], holiday: bool) -> None:
    assert is_bank_holiday(at(*when)).tolist() == [holiday]


def test_weekends_and_bank_holidays_are_quiet() -> None:
    days = np.array([int(at(2025, 12, 24, 9)[0]) + n * DAY for n in range(6)])
    assert is_quiet(days).tolist() == [False, True, True, True, True, False]
    assert weekdays(days).tolist() == [2, 6, 6, 5, 6, 0]
    assert is_bank_holiday(np.zeros(0, dtype=np.int64)).tolist() == []


def test_fewer_are_foretold_to_leave_on_the_first_bank_holiday() -> None:
    """Good Friday of 2025, of which nothing like it was ever seen."""
    history = Hospital(beds=80, days=105, seed=9).stays()
    until = START + 94 * DAY
    effort = Effort(fits=1, moments=30_000, far_moments=20_000)
    trained = train(history.known_by(until), since=START, until=until, effort=effort)
    shares = []
    for day in (94, 101):  # the Thursdays before an ordinary Friday and before Good Friday
        found = leaving(trained.voice, Levels(), history, START + day * DAY + 22 * HOUR)
        shares.append(float(found.hours[:, 25].mean()))
    assert shares[1] < 0.6 * shares[0]


def test_a_bank_holiday_is_a_fact_of_its_own() -> None:
    """So that what it does can be learnt."""
    history = Hospital(beds=5, days=3).stays()
    stays, now = np.zeros(1, dtype=np.int64), at(2025, 1, 6, 12)
    for begins, told in ((at(2025, 12, 25), (6, 1)), (at(2025, 12, 28), (6, 0))):
        row = table(history, Question(stays, now, begins))[0]
        assert (row[NAMES.index("weekday")], row[NAMES.index("holiday")]) == told
