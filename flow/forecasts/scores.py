"""How right forecasts have been. Pure: no Django.

Chances of single patients are scored by the logarithmic and the Brier score (both proper: nobody
gains by saying anything but what they believe; Gneiting T, Raftery AE, J Am Stat Assoc 2007;102:
359-378), numbers of patients by the continuous ranked probability score. All are losses: 0 is
perfect, less is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.numbers import Pmf, central, crps, mean

LEVELS: Final = (0.5, 0.8, 0.9)
_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Bin:
    """Patients whose chance lay in `[low, high)`: how many, the mean chance, and the share of
    whom it came true."""

    low: float
    high: float
    patients: int
    said: float
    seen: float


@dataclass(frozen=True, slots=True)
class ChanceScores:
    """Of chances of single patients. log_score in nats; None where there is nothing to score."""

    patients: int
    log_score: float | None
    brier: float | None
    said: float | None
    seen: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class NumberScores:
    """Of distributions of numbers, in patients. bias: mean of said less seen; coverage: of the
    central intervals of `LEVELS`, the share that held what was seen."""

    forecasts: int
    crps: float | None
    mae: float | None
    bias: float | None
    coverage: tuple[float, ...] | None


def log_score(chances: NDArray[np.float64], came: NDArray[np.bool_]) -> float:
    """The mean surprise, in nats. Raises ValueError where there is nothing to score."""
    if not chances.size:
        raise ValueError("there is nothing to score")
    p = np.clip(chances, _LEAST, 1 - _LEAST)
    return float(-np.where(came, np.log(p), np.log1p(-p)).mean())


def of_chances(
    chances: NDArray[np.float64], came: NDArray[np.bool_], *, bins: int = 10
) -> ChanceScores:
    """Score chances beside what came of them."""
    if not chances.size:
        return ChanceScores(0, None, None, None, None, ())
    y = came.astype(np.float64)
    return ChanceScores(
        patients=y.size,
        log_score=log_score(chances, came),
        brier=float(((chances - y) ** 2).mean()),
        said=float(chances.mean()),
        seen=float(y.mean()),
        bins=tuple(_bins(chances, y, bins)),
    )


def _bins(chances: NDArray[np.float64], came: NDArray[np.float64], number: int) -> Iterable[Bin]:
    edges = np.linspace(0, 1, number + 1)
    which = np.minimum((chances * number).astype(int), number - 1)
    for n in range(number):
        inside = which == n
        if inside.any():
            yield Bin(
                float(edges[n]),
                float(edges[n + 1]),
                int(inside.sum()),
                float(chances[inside].mean()),
                float(came[inside].mean()),
            )


def of_numbers(said: Sequence[Pmf], seen: Sequence[int]) -> NumberScores:
    """Score distributions beside the numbers that were seen."""
    if not said:
        return NumberScores(0, None, None, None, None)
    means = np.array([mean(pmf) for pmf in said])
    numbers = np.array(seen, dtype=np.float64)
    held = [
        [low <= one <= high for low, high in (central(pmf, level) for level in LEVELS)]
        for pmf, one in zip(said, seen, strict=True)
    ]
    return NumberScores(
        forecasts=len(said),
        crps=float(np.mean([crps(pmf, one) for pmf, one in zip(said, seen, strict=True)])),
        mae=float(np.abs(means - numbers).mean()),
        bias=float((means - numbers).mean()),
        coverage=tuple(float(share) for share in np.mean(held, axis=0)),
    )
