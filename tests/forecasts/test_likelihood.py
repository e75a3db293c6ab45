"""What chances amount to in words, and that the words hold."""

from __future__ import annotations

import numpy as np
import pytest

from flow.forecasts.clock import DAY, HOUR, minute_of
from flow.forecasts.history import Floats
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import DAYS
from flow.forecasts.likelihood import LIKELY, UNLIKELY, Likely, likely
from flow.forecasts.phrases import said, tenths
from tests.forecasts.living import london

AT = london(3, 8)  # a Tuesday
NOW = minute_of(AT)


def chances(by: dict[int, float], at: int = NOW) -> tuple[Floats, Floats]:
    """Chances that rise to these at so many hours after the moment, and are even in between."""
    hours = [0, *by]
    values = [0.0, *by.values()]
    ends = (Horizon(at).ends - at) / HOUR
    days = 24.0 * np.arange(1, DAYS + 1)
    return np.interp(ends, hours, values), np.interp(days, hours, values)


def phrase(by: dict[int, float], at: int = NOW) -> str:
    return said(likely(at, *chances(by, at)), at=AT)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ({8: 0.75}, "Likely today by 16:00"),
        ({16: 0.72}, "Likely today by midnight"),
        ({10: 0.6, 28: 0.75}, "Likely tomorrow by 06:00"),
        ({16: 0.4, 40: 0.69, 90: 0.8}, "Today: 4 in 10; likely by Thursday"),
        ({16: 0.4, 400: 0.5}, "Today: 4 in 10"),
        ({40: 0.2, 48: 0.35, 90: 0.9}, "Unlikely before Thursday, likely by Friday"),
        ({40: 0.2, 48: 0.35, 72: 0.9}, "Likely on Thursday"),
        ({16: 0.1, 60: 0.75}, "Unlikely today, likely by Thursday"),
        ({64: 0.2, 70: 0.45, 400: 0.5}, "Unlikely before Friday"),
        ({190: 0.2, 200: 0.5, 400: 0.6}, "Unlikely before Wednesday 11 March"),
        ({400: 0.25}, "Unlikely in the next 14 days"),
    ],
)  # fmt: skip
def test_phrases(by: dict[int, float], words: str) -> None:
    assert phrase(by) == words


def test_likely_and_unlikely_hold_as_defined() -> None:
    """Over many patients: the chance at `by` is at least 7 in 10, that before `not_before` less
    than 3 in 10, and the words are the first and the last of which that is true."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        steps = np.sort(rng.uniform(0, 1, 15))
        hours, days = chances({24 * n: float(c) for n, c in enumerate(steps, start=1)})
        found = likely(NOW, hours, days)
        ends = Horizon(NOW).ends
        if found.by is not None and found.by_hour:
            place = int(np.flatnonzero(ends == found.by)[0])
            assert hours[place] >= LIKELY
            assert place == 0 or hours[place - 1] < LIKELY
        if found.not_before is not None and found.not_before > 0 and found.not_before <= ends[-1]:
            place = int(np.flatnonzero(ends == found.not_before)[0])
            assert hours[place] < UNLIKELY
        if found.by is None:
            assert days[-2] < LIKELY


def test_a_forecast_between_hours_speaks_of_full_hours() -> None:
    at = NOW + 7
    hours, days = chances({8: 0.75}, at)
    found = likely(at, hours, days)
    assert isinstance(found, Likely)
    assert found.by is not None
    assert found.by % HOUR == 0


@pytest.mark.parametrize(
    ("chance", "words"),
    [(0.01, "fewer than 1 in 20"), (0.07, "1 in 10"), (0.44, "4 in 10"), (0.94, "9 in 10"),
     (0.97, "more than 19 in 20")],
)  # fmt: skip
def test_tenths(chance: float, words: str) -> None:
    assert tenths(chance) == words


def test_midnight_lies_at_the_end_of_the_day_when_the_clock_changes() -> None:
    at = minute_of(london(28, 8))
    hours, days = chances({40: 0.2, 48: 0.2, 60: 0.9}, at)
    found = likely(at, hours, days)
    assert found.not_before == minute_of(london(30, 0))
    assert found.not_before - at == DAY + 15 * HOUR
