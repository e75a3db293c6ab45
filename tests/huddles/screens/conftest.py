"""A small hospital with its screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flow.api.throttles import CallerThrottle
from huddles.screens import recognising
from live import shared
from tests.screens.hospital import Hospital, build


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What another test's screens and walls were is of no use here."""
    for forget in (shared.forget, recognising.forget, CallerThrottle.forget):
        forget()
    yield
    for forget in (shared.forget, recognising.forget, CallerThrottle.forget):
        forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    """Two wards of six beds, four of them taken on the first."""
    made = build()
    made.fill(made.wards[0], 4)
    return made
