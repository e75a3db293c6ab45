"""What a patient's chances amount to, for people who plan beds. Pure: no Django.

Somebody is *likely* to have left by a time when 7 in 10 like them have (`LIKELY`), and *unlikely*
to have before a time while fewer than 3 in 10 have (`UNLIKELY`). Chances are calibrated (see the
record), so that the words hold as often as they say. Times are said no more exactly than they are
known: by the hour for today and tomorrow, by the day after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY, midnight_after
from flow.forecasts.history import Floats
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import DAYS

LIKELY: Final = 0.7
UNLIKELY: Final = 0.3


@dataclass(frozen=True, slots=True)
class Likely:
    """What may be said of one patient, in minutes.

    by: the first time by which they are likely to have left; None where that is no time within 14
    days. by_hour: whether it is known to the hour (today and tomorrow), else to the day: then `by`
    is the midnight at its end. not_before: the beginning of the first day in which leaving is more
    than unlikely: None where it is today, `NEVER` where it is no day of the next 14. today: the
    chance to leave before midnight.
    """

    by: int | None
    by_hour: bool
    not_before: int | None
    today: float


NEVER: Final = -1


def likely(at: int, hours: Floats, days: Floats) -> Likely:
    """Of a patient's chances to have left by each hour (`Horizon.ends`) and each span of 24 hours
    after the minute `at`."""
    ends = Horizon(at).ends
    midnights = _midnights(at)
    after = _by(at, hours, days, midnights)
    soon = int(np.searchsorted(ends, midnights[1], side="right"))
    reached = np.flatnonzero(hours[:soon] >= LIKELY)
    late = np.flatnonzero(after >= LIKELY)
    by = int(ends[reached[0]]) if reached.size else int(midnights[late[0]]) if late.size else None
    plausible = np.flatnonzero(after >= UNLIKELY)
    if not plausible.size:
        not_before: int | None = NEVER
    elif plausible[0] == 0:
        not_before = None
    else:
        not_before = int(midnights[plausible[0] - 1])
    return Likely(by, bool(reached.size), not_before, float(after[0]))


def _midnights(at: int) -> list[int]:
    """The next `DAYS` local midnights that lie within as many days."""
    found = [at]
    while (after := int(midnight_after(np.array([found[-1]]))[0])) <= at + DAYS * DAY:
        found.append(after)
    return found[1:]


def _by(at: int, hours: Floats, days: Floats, moments: list[int]) -> Floats:
    """The chance to have left by each moment; between two that are told the hazard is even."""
    ends = Horizon(at).ends
    far = at + DAY * np.arange(1, DAYS + 1)
    later = far > ends[-1]
    known = np.concatenate([[at], ends, far[later]])
    chances = np.concatenate([[0.0], hours, days[later]])
    still = np.interp(moments, known, np.log1p(-np.minimum(chances, 1 - 1e-12)))
    return np.asarray(-np.expm1(still))
