"""A small hospital with a forecast, and with some that are over and scored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from flow.forecasts import issued, learning, scoring, versions
from tests.forecasts.living import DAY, LITTLE, NINTH, Hospital, issue


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one's process memory holds."""
    versions.forget()
    issued.forget()
    yield
    versions.forget()
    issued.forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    """A forecast at 8:00 of its ninth day; it is 8:00."""
    made = Hospital(a_day=8)
    made.live(NINTH)
    assert learning.learn(made.site, at=NINTH, effort=LITTLE)
    issue(made)
    return made


@pytest.fixture
def scored(hospital: Hospital) -> Hospital:
    """Three mornings and three noons that are over and scored."""
    for day in range(3):
        hospital.live(NINTH + day * DAY)
        if day:
            issue(hospital)
        hospital.live(NINTH + day * DAY + timedelta(hours=4))
        issue(hospital)
    hospital.live(NINTH + 4 * DAY)
    assert scoring.score_due(now=hospital.now) > 0
    return hospital
