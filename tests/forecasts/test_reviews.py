"""What board rounds said, as it was known: one told late takes its turn by when it was held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from flow.forecasts.clock import minute_of
from flow.forecasts.history import Stays
from flow.forecasts.reading import read
from patients.models import Episode, Review
from tests.wards.hospital import START, minutes
from tests.wards.waiting import System, system
from wards.models import Site
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db

LATER: dict[str, Any] = {
    "pathway": 2, "day": "green", "medicines": "ready", "transport": "booked",
}  # fmt: skip
EARLIER: dict[str, Any] = {
    "pathway": 1, "day": "red", "medicines": "to_prescribe", "transport": "to_book",
}  # fmt: skip
NAMES = ("pathway", "green", "medicines", "transport")


@pytest.fixture
def care() -> System:
    return system()


def said(episode: Episode, *, occurred: float, recorded: float, **values: Any) -> None:
    Review.objects.create(
        episode=episode,
        occurred_at=minutes(occurred),
        recorded_at=minutes(recorded),
        source="web",
        key=f"{occurred} {recorded}",
        **values,
    )


def history(*, days: float = 900) -> Stays:
    site = Site.objects.get(code="TST")
    return read(site, since=START - timedelta(days=1), at=START + timedelta(days=days))


def known(at: float) -> list[float | None]:
    stays, one = history(), np.array([0])
    moment = np.array([minute_of(minutes(at))])
    values = [float(stays.log(name).last(one, moment)[0]) for name in NAMES]
    return [None if np.isnan(value) else value for value in values]


def test_a_round_told_late_counts_by_when_it_was_held(care: System) -> None:
    episode = care.admitted()
    said(episode, occurred=2000, recorded=2010, **LATER)
    said(episode, occurred=1000, recorded=2013, **EARLIER)
    assert known(2009) == [None] * 4
    assert known(2012) == [2, 1, 1, 1]
    assert known(2014) == [2, 1, 1, 1], "the round of later speaks, though it was told before"


def test_a_round_told_late_counts_from_when_it_was_told(care: System) -> None:
    episode = care.admitted()
    said(episode, occurred=1000, recorded=2010, **EARLIER)
    said(episode, occurred=2000, recorded=2013, **LATER)
    assert known(1500) == [None] * 4, "it had been held, but nobody had told"
    assert known(2012) == [1, 0, 0, 0]
    assert known(2013) == [2, 1, 1, 1]


def test_what_only_the_earlier_round_spoke_of_is_known_from_it(care: System) -> None:
    episode = care.admitted()
    said(episode, occurred=2000, recorded=2010, pathway=2)
    said(episode, occurred=1000, recorded=2013, **EARLIER)
    assert known(2014) == [2, 0, 0, 0]


def test_the_expected_date_is_the_one_that_stands(care: System) -> None:
    """A plan told late is not the team's plan; and repeating one is no slip of it."""
    episode = care.admitted()

    def plans(at: float, plan: float, occurred: float | None = None) -> None:
        when = None if occurred is None else minutes(occurred)
        found = Found(expected_discharge_at=minutes(plan))
        review(episode=episode, found=found, said=care.said(at, occurred_at=when))

    for at in (30, 31, 32):
        plans(at, 5000)
    plans(40, 3000, occurred=10)
    episode.refresh_from_db()
    assert episode.expected_discharge_at == minutes(5000)
    stays, one = history(), np.array([0])
    end = np.array([minute_of(START + timedelta(days=900))])
    assert stays.log("plan").last(one, end)[0] == minute_of(minutes(5000))
    assert stays.log("plan").count(one, end)[0] == 1
    # As that round tells it, once more, at a minute of its own.
    said(episode, occurred=10, recorded=1_000_000, expected_discharge_at=minutes(3000))
    assert history().log("plan").last(one, end)[0] == minute_of(minutes(5000))
