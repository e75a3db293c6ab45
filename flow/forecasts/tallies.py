"""Scores as sums, so that those of many forecasts can be added up. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.outlook import Spread
from flow.forecasts.scores import LEVELS, Bin, of_chances

BINS: Final = 10

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tally:
    """What is kept of one speaker about one number; see `flow.models.ForecastScore`.

    Chances: patients, log_sum, brier_sum, and by tenth of the chance how many (`bin_patients`),
    the sum of what was said and for how many it came true. Number: forecasts (0 or 1), seen, said,
    crps, and whether the central 50, 80 and 90 % held what was seen (0 or 1).
    """

    patients: int = 0
    log_sum: float = 0.0
    brier_sum: float = 0.0
    bin_patients: tuple[int, ...] = (0,) * BINS
    bin_said: tuple[float, ...] = (0.0,) * BINS
    bin_came: tuple[int, ...] = (0,) * BINS
    forecasts: int = 0
    seen: int = 0
    said: float = 0.0
    crps: float = 0.0
    within_50: int = 0
    within_80: int = 0
    within_90: int = 0


def tally(
    *, chances: Floats | None = None, came: Flags | None = None,
    said: Spread | None = None, seen: int = 0,
) -> Tally:  # fmt: skip
    """Of chances beside what came of them, of a distribution beside what was seen, or of both."""
    found = Tally()
    if chances is not None and came is not None:
        found = _of_each(found, chances, came)
    return found if said is None else _of_number(found, said, seen)


def _of_each(found: Tally, chances: Floats, came: Flags) -> Tally:
    scores = of_chances(chances, came, bins=BINS)
    number = scores.patients
    bins = {round(one.low * BINS): one for one in scores.bins}
    tenths = [bins.get(n, Bin(0, 0, 0, 0, 0)) for n in range(BINS)]
    return replace(
        found,
        patients=number,
        log_sum=number * (scores.log_score or 0.0),
        brier_sum=number * (scores.brier or 0.0),
        bin_patients=tuple(one.patients for one in tenths),
        bin_said=tuple(one.patients * one.said for one in tenths),
        bin_came=tuple(round(one.patients * one.seen) for one in tenths),
    )


def _of_number(found: Tally, said: Spread, seen: int) -> Tally:
    held = [low <= seen <= high for low, high in (said.central(level) for level in LEVELS)]
    return replace(
        found,
        forecasts=1,
        seen=seen,
        said=said.mean,
        crps=said.crps(seen),
        within_50=int(held[0]),
        within_80=int(held[1]),
        within_90=int(held[2]),
    )
