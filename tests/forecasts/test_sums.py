"""Sums of independent numbers, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from flow.forecasts import sums
from flow.forecasts.numbers import poisson_binomial

chances = st.lists(st.floats(0, 1), max_size=40)


def told(transform: sums.Transform, means: np.ndarray, width: int, size: int) -> np.ndarray:
    """Chances of 0, 1, … in each row."""
    lowest, found = sums.chances(transform, means, width)
    whole = np.zeros((found.shape[0], int(lowest.max()) + width + size))
    for row, first in enumerate(lowest):
        whole[row, first : first + width] = found[row]
    return whole[:, :size]


@given(chances)
def test_events_are_poisson_binomial(p: list[float]) -> None:
    row = np.array([p])
    found = told(sums.events(row, 64), row.sum(1), 64, len(p) + 1)
    assert found[0] == pytest.approx(poisson_binomial(p), abs=1e-12)


@given(st.lists(st.floats(0, sums.SELDOM), max_size=60), st.floats(0, 5))
def test_rare_events_are_the_same(p: list[float], mean: float) -> None:
    row = np.array([p])
    exact = np.convolve(poisson_binomial(p), poisson.pmf(np.arange(60), mean))[:60]
    transform = sums.seldom(row, np.array([mean]), 128)
    found = told(transform, row.sum(1) + mean, 128, 60)
    assert found[0, : exact.size] == pytest.approx(exact, abs=1e-11)


@given(chances, st.floats(0, 30), st.floats(0, 60))
def test_all_of_it_together(p: list[float], mean: float, excess: float) -> None:
    row, means, more = np.array([p]), np.array([mean]), np.array([excess])
    numbers = np.arange(1500)
    if mean > 0 and excess > 1e-6 * mean:
        other = nbinom.pmf(numbers, mean**2 / excess, 1 / (1 + excess / mean))
        assume(other.sum() > 1 - 1e-9)
    else:  # a variance on top of no mean at all is none
        other = poisson.pmf(numbers, mean)
    exact = np.convolve(poisson_binomial(p), other)[:400]
    transform = sums.events(row, 1024) * sums.counts(means, more, 1024)
    found = told(transform, row.sum(1) + mean, 1024, 400)
    assert found[0] == pytest.approx(exact, abs=1e-7)


def test_a_big_sum_needs_few_numbers() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0, 1, (3, 900))
    means, variances = p.sum(1), (p * (1 - p)).sum(1)
    width = sums.width_for(variances, means, 901)
    assert width <= 256
    found = told(sums.events(p, width), means, width, 901)
    for row in range(3):
        assert found[row] == pytest.approx(poisson_binomial(p[row]), abs=1e-11)


def test_nothing_is_a_number_too() -> None:
    found = told(sums.events(np.zeros((2, 0)), 1), np.zeros(2), 1, 1)
    assert found.tolist() == [[1.0], [1.0]]
