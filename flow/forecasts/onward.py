"""From ward to ward: how soon patients move on within a site, and where to. Pure: no Django.

The rate an hour at which a patient moves on depends on the ward, the time spent on it and the hour
of the day (`rates`); where to depends on the ward and the specialty. Only moves between wards with
beds count: the way by a discharge lounge is part of leaving.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.horizon import Horizon
from flow.forecasts.paths import ASSESSMENT, Flags, Paths
from flow.forecasts.rates import bin_of, counted, hourly_pieces, local_hour, rates

LEARNT_DAYS: Final = 90
_ON_WARD: Final = (0.0, 6, 12, 24, 48, 96)
"""Hours on the ward at which the bands begin."""
_BLOCK: Final = 3
_BLOCKS: Final = 24 // _BLOCK
_OWN: Final = 25.0
_USUAL: Final = {ASSESSMENT: 0.5 / 24, "critical_care": 0.2 / 24}
_RARE: Final = 0.03 / 24
"""Moves an hour where nothing has been seen: an assessment unit keeps patients for a day or two."""
_DRAWN: Final = 10.0
"""Moves as expected that are added where those of a ward, or of its specialty, are few."""


@dataclass(frozen=True)
class Onward:
    """rates: moves an hour, by ward (number), time on it and hours of the day. moves: where to, by
    ward and ward. by_specialty: the same, by ward, specialty and ward."""

    rates: Floats
    moves: Floats
    by_specialty: Floats

    def stay_put(self, wards: Indices, since: Minutes, ahead: Horizon) -> Floats:
        """The chance that each patient, on a ward since a moment, has not moved on by the end of
        each hour ahead (in columns), unless they leave the site."""
        middles = (ahead.begins + ahead.ends) // 2
        length = np.maximum(ahead.ends - np.maximum(ahead.begins, since[:, None]), 0) / HOUR
        waited = bin_of(np.maximum(middles - since[:, None], 0) / HOUR, _ON_WARD)
        hazard = self.rates[wards[:, None], waited, ahead.local_hours // _BLOCK] * length
        return np.asarray(np.exp(-np.cumsum(hazard, axis=1)))

    def stay_put_from(self, ahead: Horizon) -> Floats:
        """The same for those who come to a ward in the middle of an hour ahead: by ward, that hour
        and each hour; 1 before they come."""
        wards, hours = self.rates.shape[0], ahead.ends.size
        middles = np.asarray((ahead.begins + ahead.ends) // 2)
        found = self.stay_put(
            np.repeat(np.arange(wards), hours), np.tile(middles, wards), ahead
        )  # fmt: skip
        return found.reshape(wards, hours, hours)

    def where_to(self, wards: Indices, specialties: Indices) -> Floats:
        """Where each would move on to: patients by ward."""
        known = np.minimum(specialties, self.by_specialty.shape[1] - 1)
        return np.asarray(self.by_specialty[wards, known])

    def numbered(self, ward: Indices, specialty: Indices, new: Flags) -> Onward:
        """The same with wards and specialties in another order: `ward` and `specialty` say which
        of the old numbers each new one was; of wards that are new (`new`) nothing is known."""
        moves = np.where(new, 0.0, self.moves[np.ix_(ward, ward)])
        each = np.where(new, 0.0, self.by_specialty[np.ix_(ward, specialty, ward)])
        return Onward(np.where(new[:, None, None], 0.0, self.rates[ward]), moves, each)


def learn(seen: Paths, history: Stays, *, since: int, at: int) -> Onward:
    """Moves between wards, from those of the last months, and not before `since`, as known at
    `at`."""
    since = max(since, at - LEARNT_DAYS * DAY)
    kinds = np.array([ward.kind for ward in history.wards])
    found = np.zeros((kinds.size, len(_ON_WARD), _BLOCKS))
    spells = seen.spells
    ends = np.minimum(spells.ends, at)
    of_late = (ends > since) & seen.beds[spells.wards]
    moved = of_late & (spells.following >= 0) & seen.beds[np.maximum(spells.following, 0)]
    for kind in np.unique(kinds[seen.beds]):
        wards = np.flatnonzero(kinds == kind)
        place = np.zeros(kinds.size, dtype=np.int64)
        place[wards] = np.arange(wards.size)
        mine = np.flatnonzero(of_late & (kinds[spells.wards] == kind))
        shape = (wards.size, len(_ON_WARD), _BLOCKS)
        begin = np.maximum(spells.starts[mine], since)
        which, pieces, lengths = hourly_pieces(begin, ends[mine])
        went = mine[moved[mine]]

        def keys(of: Indices, moments: Minutes, place: Indices = place) -> tuple[Indices, ...]:
            there = bin_of(np.maximum(moments - spells.starts[of], 0) / HOUR, _ON_WARD)
            return place[spells.wards[of]], there, local_hour(moments) // _BLOCK

        hours = counted(shape, keys(mine[which], pieces), lengths)
        events = counted(shape, keys(went, ends[went]), np.ones(went.size))
        found[wards] = rates(events, hours, usual=_USUAL.get(str(kind), _RARE), own=_OWN)
    specialty = history.code("specialty", spells.stays[moved], ends[moved])
    size = len(history.codes.get("specialty", ("",)))
    moves, by_specialty = _where(seen, moved, specialty, size)
    found[moves.sum(1) == 0] = 0.0  # from the only ward there is nobody moves on
    return Onward(found, moves, by_specialty)


def _where(seen: Paths, moved: Flags, specialty: Indices, size: int) -> tuple[Floats, Floats]:
    """The chances of where a move leads to, by ward, and by ward and specialty."""
    spells, wards = seen.spells, seen.beds.size
    of, to = spells.wards[moved], spells.following[moved]
    one = np.ones(of.size)
    anywhere = np.where(seen.beds, counted((wards,), (to,), one) + 1.0, 0.0)
    others = np.tile(anywhere, (wards, 1))
    np.fill_diagonal(others, 0.0)
    total = others.sum(1, keepdims=True)
    usual = others / np.where(total > 0, total, 1)
    moves = counted((wards, wards), (of, to), one) + _DRAWN * usual
    sums = moves.sum(1, keepdims=True)
    moves = moves / np.where(sums > 0, sums, 1)
    each = counted((wards, size, wards), (of, specialty, to), one) + _DRAWN * moves[:, None, :]
    sums = each.sum(2, keepdims=True)
    return moves, each / np.where(sums > 0, sums, 1)
