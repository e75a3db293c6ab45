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

_TOGETHER: Final = 32
"""Up to this many events are multiplied as polynomials before they are transformed."""
_DEVIATIONS: Final = 9.0
"""Standard deviations on either side of the mean that are told apart, and as many again for a sum
whose tail is longer than that of a normal number."""


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
    return np.asarray(np.fft.rfft(_folded(found, width), n=width, axis=2).prod(axis=1))


def _products(ones: Floats, others: Floats) -> Floats:
    """The products of polynomials, pair by pair."""
    size = ones.shape[2]
    found = np.zeros((*ones.shape[:2], 2 * size - 1))
    for power in range(size):
        found[:, :, power : power + size] += ones[:, :, power : power + 1] * others
    return found


def _folded(found: Floats, width: int) -> Floats:
    """Polynomials with the powers beyond the width added to those they equal on the circle."""
    while found.shape[2] > width:
        rest = found[:, :, width:]
        found = found[:, :, :width].copy()
        found[:, :, : min(width, rest.shape[2])] += rest[:, :, :width]
    return found


def counts(means: Floats, excess: Floats, width: int) -> Transform:
    """Poisson numbers around an uncertain mean: rows of means, and of the variance that comes on
    top of a Poisson number's own (0: none), taken as that of a Gamma distribution of the mean; so
    the number is negative binomial."""
    turn = np.exp(-2j * np.pi * np.arange(width // 2 + 1) / width) - 1
    found = np.exp(means[:, None] * turn)
    wide = excess > 1e-9 * np.maximum(means, 1e-9)
    if wide.any():
        ratio = excess[wide] / means[wide]
        shape = means[wide] / ratio
        found[wide] = np.exp(-shape[:, None] * np.log1p(-ratio[:, None] * turn))
    return np.asarray(found)


def width_for(variances: Floats, means: Floats, most: int) -> int:
    """How many numbers to tell apart for sums of such means and variances, none of which exceeds
    `most`."""
    deviation = np.sqrt(variances)
    skew = variances / np.maximum(means, 1.0)
    needed = float((2 * _DEVIATIONS * (deviation + skew) + 32).max(initial=32))
    return 1 << int(min(needed, most + 1) - 1).bit_length() if most else 1


def chances(transform: Transform, means: Floats, width: int) -> tuple[NDArray[np.int64], Floats]:
    """The lowest number of each row, and the chances of it and the `width - 1` that follow."""
    found = np.fft.irfft(transform, n=width, axis=1)
    lowest = np.maximum(np.floor(means).astype(np.int64) - width // 2 + 1, 0)
    numbers = (lowest[:, None] + np.arange(width)) % width
    found = np.maximum(np.take_along_axis(found, numbers, axis=1), 0.0)
    return lowest, found / found.sum(1, keepdims=True)
