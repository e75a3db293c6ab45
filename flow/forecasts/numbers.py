"""Distributions of how many: of patients who leave, of beds that are free. Pure: no Django.

A distribution is an array whose element k is the chance of exactly k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pmf = NDArray[np.float64]

_TOGETHER: Final = 16
"""Up to this many chances are multiplied side by side, all groups at once."""


def poisson_binomial(chances: Sequence[float] | NDArray[np.float64]) -> Pmf:
    """The exact distribution of how many of independent events come about.

    Each event is a polynomial (1 - p) + p x; their product has the distribution as coefficients.
    They are multiplied in pairs, pairs of pairs and so on. All terms are positive, so that no
    digits cancel, unlike with Fourier transforms. Raises ValueError for what is no chance.
    """
    p = np.asarray(chances, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("chances are numbers from 0 to 1")
    if not p.size:
        return np.ones(1)
    groups = -(-p.size // _TOGETHER)
    # What fills up the last group never comes about.
    padded = np.zeros(groups * _TOGETHER)
    padded[: p.size] = p
    rows = np.stack([1 - padded, padded], axis=1)
    while rows.shape[0] > groups:
        rows = _products(rows[0::2], rows[1::2])
    products = list(rows)
    while len(products) > 1:
        pairs = zip(products[0::2], products[1::2], strict=False)
        rest = products[-1:] if len(products) % 2 else []
        products = [np.convolve(one, other) for one, other in pairs] + rest
    pmf: Pmf = products[0][: p.size + 1]
    return pmf


def _products(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The products of polynomials, row by row."""
    width = ones.shape[1]
    found = np.zeros((ones.shape[0], width + others.shape[1] - 1))
    for power in range(width):
        found[:, power : power + others.shape[1]] += ones[:, power : power + 1] * others
    return found


def mean(pmf: Pmf) -> float:
    """The expected number."""
    return float(np.arange(pmf.size) @ pmf)


def variance(pmf: Pmf) -> float:
    """The variance of the number."""
    numbers = np.arange(pmf.size)
    return float(((numbers - mean(pmf)) ** 2) @ pmf)


def quantile(pmf: Pmf, level: float) -> int:
    """The smallest number that is reached with at least this chance.

    A cumulated chance that misses the level by rounding alone counts as reaching it.
    """
    reached = np.cumsum(pmf) >= level - 1e-12
    return int(np.argmax(reached)) if reached.any() else pmf.size - 1


def at_least(pmf: Pmf, chance: float) -> int:
    """The largest number k such that "at least k" holds with this chance or more."""
    tail = np.cumsum(pmf[::-1])[::-1]
    return int(np.flatnonzero(tail >= chance - 1e-12)[-1])


def central(pmf: Pmf, chance: float) -> tuple[int, int]:
    """The interval from the quantile of half the rest to that of one minus it, both included."""
    rest = (1 - chance) / 2
    return quantile(pmf, rest), quantile(pmf, 1 - rest)


def crps(pmf: Pmf, seen: int) -> float:
    """Continuous ranked probability score in patients; 0 is perfect.

    The sum over all numbers of the squared distance between the cumulated chances and those of
    what was seen (Gneiting T, Raftery AE, J Am Stat Assoc 2007;102:359-378, for counts).
    """
    size = max(pmf.size, seen + 1)
    said = np.ones(size)
    said[: pmf.size] = np.cumsum(pmf)
    return float(np.sum((said - (np.arange(size) >= seen)) ** 2))


def mixture(pmfs: Sequence[Pmf], weights: Sequence[float]) -> Pmf:
    """What several distributions say together; the weights add up to 1."""
    size = max(pmf.size for pmf in pmfs)
    found = np.zeros(size)
    for pmf, weight in zip(pmfs, weights, strict=True):
        found[: pmf.size] += weight * pmf
    return found
