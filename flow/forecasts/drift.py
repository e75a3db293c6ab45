"""When somebody should look at a site's forecasts. Pure: no Django.

From the last `DAYS` days at 08:00 that are scored, of who leaves within 24 hours:

- *faster*, *slower*: patients leave at least `LEVEL` faster or slower than what was learnt says,
  and that is no accident (1 lies outside the 90 % interval). Forecasts follow it already; it says
  that the hospital has changed.
- *intervals*: with at least `LEAST` forecasts, the 90 % intervals of how many leave held fewer than
  `HELD` of what came. Where they are right that happens about once in a hundred times.
- *beaten*: over as many forecasts and at least `PATIENTS` chances, Kaplan-Meier or the teams' own
  dates told better who leaves (log score) on the same days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAYS: Final = 14
LEAST: Final = 10
LEVEL: Final = 0.15
HELD: Final = 0.65
PATIENTS: Final = 300


class Sign(StrEnum):
    """What was noticed."""

    FASTER = "faster"
    SLOWER = "slower"
    INTERVALS = "intervals"
    BEATEN = "beaten"


@dataclass(frozen=True, slots=True)
class Recent:
    """Of one speaker over the last days: chances of patients with the sum of their log scores,
    distributions of numbers and how many of their 90 % intervals held what came."""

    patients: int
    log_sum: float
    forecasts: int
    within_90: int


def signs(
    level: float, low: float, high: float, own: Recent | None, others: Collection[Recent]
) -> tuple[Sign, ...]:
    """What should be looked at. level, low, high: of the last forecast, with its interval."""
    return tuple(_signs(level, low, high, own, others))


def _signs(
    level: float, low: float, high: float, own: Recent | None, others: Collection[Recent]
) -> Iterable[Sign]:
    if high < 1 and level <= 1 - LEVEL:
        yield Sign.SLOWER
    if low > 1 and level >= 1 + LEVEL:
        yield Sign.FASTER
    if own is None:
        return
    if own.forecasts >= LEAST and own.within_90 < HELD * own.forecasts:
        yield Sign.INTERVALS
    if (
        own.forecasts >= LEAST
        and own.patients >= PATIENTS
        and any(
            # Of fewer patients it told fewer days, which may have been the easier ones.
            other.patients == own.patients and other.log_sum < own.log_sum
            for other in others
        )
    ):
        yield Sign.BEATEN
