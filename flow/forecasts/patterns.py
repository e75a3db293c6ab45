"""What is learnt of a site for its forecast of beds, once a night or so. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flow.forecasts import arrivals, emergency, listed, onward, staying
from flow.forecasts.arrivals import Stream
from flow.forecasts.clock import DAY, Minutes
from flow.forecasts.emergency import Department
from flow.forecasts.history import Floats, Stays, WardFacts
from flow.forecasts.listed import Listed, Punctuality
from flow.forecasts.onward import Onward
from flow.forecasts.paths import Paths, Way, paths
from flow.forecasts.rates import counted
from flow.forecasts.staying import Staying

_STAY_DAYS: Final = 6.0
"""How long people stay where nothing is known yet."""
_SHARES: Final = {Way.DEPARTMENT: 0.0, Way.EMERGENCY: 0.6, Way.ELECTIVE: 0.25, Way.OTHER: 0.15}
"""By which ways they come then."""
_WITH_DEPARTMENT: Final = {
    Way.DEPARTMENT: 1.8, Way.EMERGENCY: 0.1, Way.ELECTIVE: 0.2, Way.OTHER: 0.15,
}  # fmt: skip
"""The same where there is an emergency department: of those who come to it three in ten stay."""
_DRAWN: Final = 5.0


@dataclass(frozen=True)
class Patterns:
    """How patients come to a site and go through it, as learnt at the minute `at` from so many
    `days` of history. Wards and specialties are told by their primary key and code, so that it
    can be read beside stays that were numbered another day.

    streams: how many come each way; those of `Way.DEPARTMENT` come to the emergency department,
    the others to a bed. first: to which ward those of each way come first (ways by wards), women:
    the share of women among those who come first to each ward.
    """

    at: int
    days: float
    wards: tuple[int, ...]
    specialties: tuple[str, ...]
    streams: Mapping[Way, Stream]
    department: Department
    onward: Onward
    staying: Staying
    punctuality: Punctuality
    first: Floats
    women: Floats

    def numbered(self, wards: Sequence[WardFacts], specialties: Sequence[str]) -> Patterns:
        """The same with wards and specialties numbered as they are elsewhere. Of a ward that is
        new nothing is known: nobody is foretold to come there, or to move on."""
        keys = tuple(ward.key for ward in wards)
        if (keys, tuple(specialties)) == (self.wards, self.specialties):
            return self
        was = {key: n for n, key in enumerate(self.wards)}
        known = {code: n for n, code in enumerate(self.specialties)}
        ward = np.array([was.get(key, 0) for key in keys], dtype=np.int64)
        new = np.array([key not in was for key in keys], dtype=bool)
        specialty = np.array([known.get(code, 0) for code in specialties], dtype=np.int64)
        return replace(
            self,
            wards=keys,
            specialties=tuple(specialties),
            onward=self.onward.numbered(ward, specialty, new),
            staying=replace(self.staying, specialties=self.staying.specialties[:, specialty]),
            first=np.where(new, 0.0, self.first[:, ward]),
            women=self.women[ward],
        )


def learn(history: Stays, lists: Listed, *, since: int, at: int) -> Patterns:
    """All of it, from what was known at `at` of the time from `since` on.

    history: with every stay that went on at `since` or later. lists: of those put on a list since.
    Works with no history at all; what is said then is wide.
    """
    seen = paths(history, at)
    specialties = tuple(history.codes.get("specialty", ("",)))
    beds = [ward.key for ward, is_bed in zip(history.wards, seen.beds, strict=True) if is_bed]
    lists = lists.only(np.isin(lists.ward, [0, *beds]))
    begin = _begin(history, since, at)
    first, women = _first(seen, begin)
    return Patterns(
        at=at,
        days=(at - begin) / DAY,
        wards=tuple(ward.key for ward in history.wards),
        specialties=specialties,
        streams=_streams(seen, history, begin),
        department=emergency.learn(seen.attendances, since=begin, at=at),
        onward=onward.learn(seen, history, since=begin, at=at),
        staying=staying.learn(seen.admissions, len(specialties), since=begin, at=at),
        punctuality=listed.learn(lists, seen.admissions, since=begin, at=at),
        first=first,
        women=women,
    )


def following(patterns: Patterns, history: Stays, *, since: int, at: int) -> Patterns:
    """The same with the numbers of arrivals as they were known at `at`: these change soonest."""
    begin = _begin(history, since, at)
    streams = _streams(paths(history, at), history, begin)
    return replace(patterns, at=at, days=(at - begin) / DAY, streams=streams)


def _begin(history: Stays, since: int, at: int) -> int:
    """From when on all who came are known of, as far as was known at `at`.

    A first load tells of those who are still there, whenever they came, and not of those who had
    left. So the beginning is the first departure that opens a week with at least 1 in 20 of those
    of a typical week (the one from the middle departure on), and no fewer than two: the rule by
    which the boards know when departures are told of.
    """
    everyone = np.arange(len(history))
    ended = np.sort(history.ended(everyone, np.full(len(history), at)))
    ended = ended[ended <= at]
    if not ended.size:
        return at
    week = np.searchsorted(ended, ended + 7 * DAY) - np.arange(ended.size)
    enough = np.flatnonzero(week >= max(2, week[ended.size // 2] / 20))
    return int(max(since, ended[enough[0]])) if enough.size else at


def _times(seen: Paths) -> dict[Way, Minutes]:
    """When somebody came each way."""
    admitted = seen.admissions
    found = {way: admitted.at[admitted.way == way] for way in Way}
    found[Way.DEPARTMENT] = seen.attendances.arrived
    return found


def _streams(seen: Paths, history: Stays, begin: int) -> dict[Way, Stream]:
    # As many must come as leave: patients over the length of their stay (Little JDC, Oper Res
    # 1961;9:383-387).
    a_day = max(1.0, history.present(seen.at).size / _STAY_DAYS)
    shares = _WITH_DEPARTMENT if seen.departments.any() else _SHARES
    return {
        way: arrivals.learn(times, since=begin, at=seen.at, usual=a_day * shares[way])
        for way, times in _times(seen).items()
    }


def _first(seen: Paths, begin: int) -> tuple[Floats, Floats]:
    came, wards = seen.admissions, seen.beds.size
    recent = came.at >= max(begin, seen.at - onward.LEARNT_DAYS * DAY)
    one = np.ones(int(recent.sum()))
    ward = came.ward[recent]
    numbers = counted((len(Way), wards), (came.way[recent], ward), one)
    beds = seen.beds.astype(np.float64)
    anywhere = numbers.sum(0) + beds / max(beds.sum(), 1)
    total = anywhere.sum()
    numbers = numbers + _DRAWN * anywhere / (total if total else 1)
    sums = numbers.sum(1, keepdims=True)
    everybody = counted((wards,), (ward,), one)
    women = counted((wards,), (ward,), (came.sexes[recent] == 0).astype(np.float64))
    return numbers / np.where(sums > 0, sums, 1), (women + 1) / (everybody + 2)
