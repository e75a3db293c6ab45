"""What the speakers that a forecast has to beat would have said. Pure: no Django.

All of them know what was known at the moment of the forecast, and no more. Numbers are told of
groups of patients as well: those who were, at the moment, on one ward or of one specialty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.stats import norm

from flow.forecasts.baselines import WEEKS, number_like
from flow.forecasts.clock import DAY
from flow.forecasts.history import Indices, Stays
from flow.forecasts.outlook import Spread
from flow.forecasts.paths import paths
from flow.forecasts.recorded import Part, Speaker

Key = tuple[Part, str]
Counts = Mapping[Key, int]

_LEAST_SPREAD: Final = 1.0


def begins_of(speaker: Speaker, at: int, span: int, *, since: int) -> list[int]:
    """From which moments the two that look back take their numbers: the same weekday of the last
    weeks, or the last span that is over; none where the history does not reach so far."""
    if speaker is Speaker.WEEKDAY:
        found = [at - 7 * DAY * n for n in range(1, WEEKS + 1)]
    else:
        found = [at - -(-span // DAY) * DAY]
    return [one for one in found if one >= since and one + span <= at]


def left_by_part(history: Stays, begin: int, span: int, *, known: int) -> Counts:
    """How many of those in hospital at `begin` had left within `span`, as known later: of all,
    by the ward and by the specialty that they were on then."""
    stays = history.present(begin)
    gone = stays[history.ended(stays, np.full(stays.size, known)) <= begin + span]
    then = np.full(gone.size, begin, dtype=np.int64)
    wards = [str(history.wards[n].key) for n in history.code("ward", gone, then)]
    codes = history.codes.get("specialty", ("",))
    specialties = [codes[n] for n in history.code("specialty", gone, then)]
    found: dict[Key, int] = {(Part.SITE, ""): int(gone.size)}
    for part, names in ((Part.WARD, wards), (Part.SPECIALTY, specialties)):
        for name in names:
            found[part, name] = found.get((part, name), 0) + 1
    return found


def admitted_within(history: Stays, begins: Sequence[int], span: int, *, known: int) -> list[int]:
    """How many came to a bed of the site within `span` of each moment, as known later."""
    came: Indices = np.sort(paths(history, known).admissions.at)
    return [
        int(np.searchsorted(came, begin + span, "right") - np.searchsorted(came, begin, "right"))
        for begin in begins
    ]


def like(numbers: Sequence[int]) -> Spread | None:
    """Patients: as many as on average, by chance more or fewer (Poisson)."""
    if not numbers:
        return None
    return Spread(0, number_like(float(np.mean(numbers))))


def like_beds(numbers: Sequence[int], *, spread: Sequence[int]) -> Spread | None:
    """Beds, which may be fewer than none: as many as on average, as uncertain as the numbers in
    `spread` differ from each other (normal, by whole beds)."""
    if not numbers:
        return None
    middle = float(np.mean(numbers))
    deviation = max(_LEAST_SPREAD, float(np.std(spread, ddof=1)) if len(spread) > 1 else 0.0)
    first, last = round(middle - 6 * deviation) - 1, round(middle + 6 * deviation) + 1
    edges = norm.cdf(np.arange(first, last + 2) - 0.5, middle, deviation)
    chances = np.diff(edges)
    return Spread(first, chances / chances.sum())
