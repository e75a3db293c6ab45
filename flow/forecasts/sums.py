"""Distributions of sums of independent numbers, many at once. Pure: no Django.

A distribution is held by its generating function at the roots of unity, which is the discrete
Fourier transform of its chances: sums of independent numbers are products there, and one inverse
transform gives all chances exactly but for rounding (Hong Y, Comput Stat Data Anal 2013;59:41-51,
for Poisson-binomial numbers). Each row is one sum. `width`, a power of two, is how many numbers
are told apart; what lies farther than half of it from the mean must have no chance to speak of.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Transform = NDArray[np.complex128]

_TOGETHER: Final = 8
"""Up to this many events are multiplied as polynomials before they are transformed."""
_SLIGHT: Final = 1e-6
"""A variance on top of a Poisson number's, as part of it, that is too slight to be counted."""
_TERMS: Final = 12
SELDOM: Final = 0.05
"""Chances up to this may be given to `seldom`."""
_DEVIATIONS: Final = 6.5
"""Standard deviations on either side of the mean that are told apart, and as many again for a sum
whose tail is longer than that of a normal number."""


def _turns(width: int) -> Transform:
    return np.asarray(np.exp(-2j * np.pi * np.arange(width // 2 + 1) / width))


def events(chances: Floats, width: int) -> Transform:
    """How many of independent events come about: rows of chances."""
    rows, number = chances.shape
    size = 1
    while size < min(_TOGETHER, number):
        size *= 2
    blocks = max(1, -(-number // size))
    padded = np.zeros((rows, blocks * size))
    padded[:, :number] = chances
    found = np.stack([1 - padded, padded], axis=2)
    while found.shape[1] > blocks:
        found = _products(found[:, 0::2], found[:, 1::2])
    powers = _turns(width) ** np.arange(found.shape[2])[:, None]
    at_roots = found.reshape(rows * blocks, -1) @ powers.view(np.float64)
    return np.asarray(at_roots.view(np.complex128).reshape(rows, blocks, -1).prod(axis=1))


def _products(ones: Floats, others: Floats) -> Floats:
    """The products of polynomials, pair by pair."""
    size = ones.shape[2]
    found = np.zeros((*ones.shape[:2], 2 * size - 1))
    for power in range(size):
        found[:, :, power : power + size] += ones[:, :, power : power + 1] * others
    return found


def seldom(chances: Floats, means: Floats, width: int) -> Transform:
    """The same of events of which each is rare (at most `SELDOM`), and of Poisson numbers with
    these means: the logarithm of the generating function as a series, whose rest is less than
    1e-13 for each event."""
    turn = _turns(width) - 1
    terms = np.arange(1, _TERMS + 1)
    series = -((-turn) ** terms[:, None]) / terms[:, None]
    powers = np.empty((chances.shape[0], _TERMS))
    power = np.ones_like(chances)
    for term in range(_TERMS):
        power = power * chances
        powers[:, term] = power.sum(1)
    powers[:, 0] += means
    found = (powers @ series.view(np.float64)).view(np.complex128)
    return np.asarray(np.exp(found))


def counts(means: Floats, excess: Floats, width: int) -> Transform:
    """Poisson numbers around an uncertain mean: rows of means, and of the variance that comes on
    top of a Poisson number's own (0: none), taken as that of a Gamma distribution of the mean; so
    the number is negative binomial."""
    turn = _turns(width) - 1
    wide = (means > 0) & (excess > _SLIGHT * means)
    ratio = np.where(wide, excess, 1.0) / np.where(wide, means, 1.0)
    shape = np.where(wide, means / ratio, 0.0)
    return np.asarray(
        np.where(
            wide[:, None],
            np.exp(-shape[:, None] * np.log(1 - ratio[:, None] * turn)),
            np.exp(means[:, None] * turn),
        )
    )


def width_for(variances: Floats, means: Floats, most: int) -> int:
    """How many numbers to tell apart for sums of such means and variances, none of which exceeds
    `most`."""
    deviation = np.sqrt(variances)
    skew = variances / np.maximum(means, 1.0)
    needed = float((2 * _DEVIATIONS * (deviation + skew) + 12).max(initial=12))
    return 1 << int(min(needed, most + 1) - 1).bit_length() if most else 1


def chances(transform: Transform, means: Floats, width: int) -> tuple[NDArray[np.int64], Floats]:
    """The lowest number of each row, and the chances of it and the `width - 1` that follow."""
    found = np.fft.irfft(transform, n=width, axis=1)
    lowest = np.maximum(np.floor(means).astype(np.int64) - (width - 1) // 2, 0)
    numbers = (lowest[:, None] + np.arange(width)) % width
    found = np.maximum(np.take_along_axis(found, numbers, axis=1), 0.0)
    return lowest, found / found.sum(1, keepdims=True)
