"""In which hours of a day patients leave. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR, Minutes, local_hours, weekday_and_hour
from flow.forecasts.features import MARKS
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.sampling import moments

_PRIOR: Final = 40.0
"""Departures that a group has to have before its own hours count as much as everybody's."""
_MOMENTS: Final = 150_000
_START: Final = np.array(
    [1, 1, 1, 1, 1, 1, 2, 3, 6, 12, 20, 28, 32, 36, 42, 46, 46, 42, 34, 24, 16, 9, 5, 2.0]
)
"""Where nothing has been seen yet: few by night, most in the afternoon. Counts for `_PRIOR`
departures."""
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Hours:
    """How the hazard of a day is spread over its hours.

    passed: by group, the share of the day's hazard before each full hour, 0 at midnight and 1 at
    the next. Groups: a discharge is arranged or not, on weekdays or at the weekend.
    """

    passed: Floats

    def by(self, groups: Indices, moments: Minutes) -> Floats:
        """The share of the day's hazard that is over at each moment."""
        hours = local_hours(moments)
        whole = hours.astype(np.int64)
        before, after = self.passed[groups, whole], self.passed[groups, whole + 1]
        return np.asarray(before + (after - before) * (hours - whole))


def groups(history: Stays, stays: Indices, at: Minutes, day: Minutes) -> Indices:
    """The group of each stay, as known at `at`, on the day in which `day` lies."""
    arranged = np.zeros(stays.size, dtype=bool)
    for name in MARKS:
        arranged |= history.log(name).last(stays, at, default=0) > 0
    weekday, _ = weekday_and_hour(day)
    return np.asarray(2 * arranged + (weekday >= _SATURDAY), dtype=np.int64)


def fit_hours(history: Stays, *, since: int, until: int, seed: int = 0) -> Hours:
    """From what was known at `until`: departures in each hour beside those who were there."""
    rng = np.random.default_rng(seed)
    stays, at = moments(history, since=since, until=until, most=_MOMENTS, rng=rng)
    everyone, now = np.arange(len(history)), np.full(len(history), until)
    ended = history.ended(everyone, now)
    gone = np.flatnonzero((ended >= since) & (ended <= until) & (ended > 0))
    # One minute before they left they were still there, and what was known then is their group.
    gone = gone[history.in_hospital(gone, ended[gone] - 1)]
    left = _counted(history, gone, ended[gone] - 1)
    there = _counted(history, stays, at)
    total = float(_patient_hours(history, since, until))
    there *= total / max(float(stays.size), 1.0)
    usual = _START / _START.sum()
    common = left.sum(0) + _PRIOR * usual
    rate = common / np.maximum(there.sum(0), 1.0) if there.sum() else usual
    spread = rate / rate.sum()
    own = left + _PRIOR * (
        spread * there / np.maximum((spread * there).sum(1, keepdims=True), 1e-9)
    )
    rates = own / np.maximum(there, 1.0)
    rates = np.where(left.sum(1, keepdims=True) > 0, rates, spread)
    shares = rates / rates.sum(1, keepdims=True)
    passed = np.concatenate([np.zeros((4, 1)), np.cumsum(shares, axis=1)], axis=1)
    return Hours(passed / passed[:, -1:])


def _counted(history: Stays, stays: Indices, at: Minutes) -> NDArray[np.float64]:
    found = np.zeros((4, 24))
    _, hour = weekday_and_hour(at)
    np.add.at(found, (groups(history, stays, at, at), hour), 1.0)
    return found


def _patient_hours(history: Stays, since: int, until: int) -> int:
    everyone, now = np.arange(len(history)), np.full(len(history), until)
    ended, admitted = history.ended(everyone, now), history.admitted(everyone, now)
    inside = np.minimum(ended, until) - np.maximum(admitted, since)
    return int(np.maximum(inside, 0).sum() // HOUR)
