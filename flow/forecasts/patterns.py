"""What is learnt of a site for its forecast of beds, once a night or so. Pure: no Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flow.forecasts import arrivals, emergency, listed, onward, staying
from flow.forecasts.arrivals import Stream
from flow.forecasts.clock import DAY, HOUR, Minutes
from flow.forecasts.emergency import Department
from flow.forecasts.history import Floats, Stays, WardFacts
from flow.forecasts.listed import Listed, Punctuality
from flow.forecasts.onward import Onward
from flow.forecasts.paths import GONE, LOUNGE, Paths, Way, paths
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
_LEAST: Final = 1e-4
_LONGEST: Final = 12.0
"""Hours in the lounge beyond which somebody was forgotten there."""


@dataclass(frozen=True, slots=True)
class Lounge:
    """The share of those who leave who wait for it in the discharge lounge, and how many hours."""

    share: float
    hours: float

    def beds_left(self, left: Floats) -> Floats:
        """From the chances to have left the site by 1, 2, … hours ahead (in columns), of patients
        who are in bed now, those to have left the bed: it is free once they sit in the lounge."""
        if not self.share or not self.hours:
            return left
        hours = np.arange(1, left.shape[1] + 1)
        steps = np.diff(left, axis=1, prepend=0.0)[:, -1:]
        beyond = np.arange(1, int(np.ceil(self.hours)) + 1)
        known = np.hstack([np.zeros((left.shape[0], 1)), left, left[:, -1:] + steps * beyond])
        place = (hours + self.hours).astype(np.int64)
        part = hours + self.hours - place
        later = known[:, place] * (1 - part)
        later = later + known[:, np.minimum(place + 1, known.shape[1] - 1)] * part
        # Nobody who is in bed now has waited in the lounge yet.
        begun = np.minimum(hours / self.hours, 1.0)
        sits = np.maximum(np.minimum(later, 1 - _LEAST) * begun, left)
        return np.asarray((1 - self.share) * left + self.share * sits)


@dataclass(frozen=True)
class Patterns:
    """How patients come to a site and go through it, as learnt at the minute `at` from so many
    `days` of history. Wards and specialties are told by their primary key and code, so that it
    can be read beside stays that were numbered another day.

    streams: how many come each way; those of `Way.DEPARTMENT` come to the emergency department,
    the others to a bed. first: to which ward those of each way come first (ways by wards), women:
    the share of women among those who come first to each ward. lounge: how departures go through
    the discharge lounge.
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
    lounge: Lounge

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
        lounge=_lounge(seen, history, begin),
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


def _lounge(seen: Paths, history: Stays, begin: int) -> Lounge:
    """How departures went through the discharge lounge since the records begin."""
    spells = seen.spells
    since = max(begin, seen.at - onward.LEARNT_DAYS * DAY)
    kinds = np.array([ward.kind for ward in history.wards])
    inside = seen.beds | (kinds == LOUNGE)
    over = (spells.following == GONE) & (spells.ends >= since) & inside[spells.wards]
    last = over & (kinds[spells.wards] == LOUNGE)
    if not last.any():
        return Lounge(0.0, 0.0)
    hours = float((spells.ends[last] - spells.starts[last]).mean()) / HOUR
    return Lounge(float(last.sum() / over.sum()), min(hours, _LONGEST))
