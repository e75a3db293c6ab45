"""Scores of forecasts, against cases worked out by hand and against their own promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from flow.forecasts.numbers import poisson_binomial
from flow.forecasts.scores import of_chances, of_numbers


def test_by_hand() -> None:
    told = of_chances(np.array([0.8, 0.4]), np.array([True, False]))
    assert told.log_score == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert told.brier == pytest.approx((0.04 + 0.16) / 2)
    assert [b.low for b in told.bins] == pytest.approx([0.4, 0.8])
    assert [(b.patients, b.said, b.seen) for b in told.bins] == [(1, 0.4, 0.0), (1, 0.8, 1.0)]


def test_a_wrong_certainty_costs_much_and_not_everything() -> None:
    told = of_chances(np.array([1.0]), np.array([False]))
    assert told.log_score is not None
    assert 20 < told.log_score < 30


def test_the_truth_scores_better_than_anything_else() -> None:
    rng = np.random.default_rng(5)
    true = rng.uniform(0.02, 0.6, size=20_000)
    came = rng.uniform(size=true.size) < true
    best = of_chances(true, came)
    for wrong in (true**0.7, true**1.3, np.full(true.size, true.mean())):
        other = of_chances(wrong, came)
        assert other.log_score > best.log_score  # type: ignore[operator]
        assert other.brier > best.brier  # type: ignore[operator]
    for one in best.bins:
        assert abs(one.said - one.seen) < 5 * math.sqrt(0.25 / one.patients)


def test_intervals_of_true_distributions_cover_what_they_say() -> None:
    rng = np.random.default_rng(6)
    said, seen = [], []
    for _ in range(1500):
        chances = rng.uniform(0, 0.5, size=200)
        said.append(poisson_binomial(chances))
        seen.append(int((rng.uniform(size=200) < chances).sum()))
    told = of_numbers(said, seen)
    assert told.coverage is not None
    for level, share in zip((0.5, 0.8, 0.9), told.coverage, strict=True):
        # Numbers are whole, so that an interval covers a little more than it says.
        assert level - 0.03 < share < level + 0.1
    assert told.bias == pytest.approx(0, abs=0.5)


def test_nothing_to_score_is_no_error() -> None:
    assert of_chances(np.zeros(0), np.zeros(0, dtype=bool)).log_score is None
    assert of_numbers([], []).crps is None
