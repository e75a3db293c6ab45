"""How long those who are yet to come will stay. Pure: no Django.

Rates of leaving the site by the way in, hours since admission and hour of the day, and a factor
for each specialty: the product-limit estimate of Kaplan and Meier in its piecewise constant form
(`rates`), so that a stay that begins in the evening does not end at three in the morning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.history import Floats, Indices
from flow.forecasts.horizon import Horizon
from flow.forecasts.paths import Admissions
from flow.forecasts.rates import bin_of, counted, hourly_pieces, local_hour, rates

LEARNT_DAYS: Final = 182
_SINCE: Final = (0.0, 6, 12, 18, 24, 36, 48, 60)
"""Hours since admission at which the bands begin."""
_LOOKED_AT: Final = 96 * HOUR
_OWN: Final = 30.0
_USUAL: Final = 0.17 / 24
"""Rate an hour where nothing has been seen: stays of about six days."""
_PSEUDO: Final = 15.0
_KINDS: Final = (0, 0, 1, 2)
"""Ways in that are taken together: emergencies, whether through the department or not."""


@dataclass(frozen=True)
class Staying:
    """rates: of leaving, an hour, by kind of way in, time since admission and hour of the day.
    specialties: factors on them, by kind of way in and specialty (number)."""

    rates: Floats
    specialties: Floats

    def hazards(self, ahead: Horizon) -> Floats:
        """What the rates add up to for stays that begin in the middle of an hour ahead: by way in,
        that hour, and each hour up to whose end one looks; infinite before they begin.

        The chance to be there still is exp(-hazard), with any factors on it.
        """
        middles = np.asarray((ahead.begins + ahead.ends) // 2)
        begun = middles[:, None]
        length = np.maximum(ahead.ends - np.maximum(ahead.begins, begun), 0) / HOUR
        since = bin_of(np.maximum(middles - begun, 0) / HOUR, _SINCE)
        each = self.rates[:, since, ahead.local_hours] * length
        found = np.cumsum(each, axis=2)
        before = np.tri(middles.size, k=-1, dtype=bool)
        return np.asarray(np.where(before, np.inf, found)[list(_KINDS)])

    def factors(self, ways: Indices, specialties: Indices) -> Floats:
        """The factor on the hazard of each stay."""
        known = np.minimum(specialties, self.specialties.shape[1] - 1)
        return np.asarray(self.specialties[np.array(_KINDS)[ways], known])


def learn(seen: Admissions, specialties: int, *, since: int, at: int) -> Staying:
    """How long people stay, from the admissions of the last half year as known at `at`.
    specialties: how many are told apart.

    Of who came before `since` only those are known who were there still, so that their time counts
    from then on alone.
    """
    recent = seen.at >= at - LEARNT_DAYS * DAY
    begin, left = seen.at[recent], seen.left[recent]
    end = np.minimum(np.minimum(left, at), begin + _LOOKED_AT)
    kind = np.array(_KINDS)[seen.way[recent]]
    over = np.flatnonzero((left <= end) & (left >= since))
    shape = (len(set(_KINDS)), len(_SINCE), 24)

    def keys(of: Indices, moments: Minutes) -> tuple[Indices, ...]:
        since = bin_of(np.maximum(moments - begin[of], 0) / HOUR, _SINCE)
        return kind[of], since, local_hour(moments)

    which, pieces, lengths = hourly_pieces(np.maximum(begin, since), end)
    cells = keys(which, pieces)
    hours = counted(shape, cells, lengths)
    events = counted(shape, keys(over, end[over]), np.ones(over.size))
    found = rates(events, hours, usual=_USUAL, own=_OWN)
    by = (len(set(_KINDS)), specialties)
    specialty = np.minimum(seen.specialty[recent], specialties - 1)
    expected = counted(by, (kind[which], specialty[which]), found[cells] * lengths)
    ended = counted(by, (kind[over], specialty[over]), np.ones(over.size))
    return Staying(found, (ended + _PSEUDO) / (expected + _PSEUDO))
