"""In which hours of a day patients leave, if they leave on that day. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import DAY, HOUR, Minutes, local_hours, midnight_after, weekday_and_hour
from flow.forecasts.features import MARKS
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.quiet_days import is_quiet

_PRIOR: Final = 40.0
"""Departures that a group has to have before its own hours count as much as everybody's."""
_START: Final = np.array(
    [1, 1, 1, 1, 1, 1, 2, 3, 6, 12, 20, 28, 32, 36, 42, 46, 46, 42, 34, 24, 16, 9, 5, 2.0]
)
"""Where nothing has been seen yet: few by night, most in the afternoon. Counts for `_PRIOR`
departures."""


@dataclass(frozen=True)
class Hours:
    """How the chance to leave on a day is spread over its hours.

    any_day: by quiet day (a weekend or bank holiday) or not, the share of a day's departures before
    each full hour, 0 at midnight and 1 at the next. today: the same of those who were still there
    at an hour, by group and hour. Groups: a discharge is arranged at that hour or not, on quiet
    days or others.
    """

    any_day: Floats
    today: Floats

    def left_of(self, moments: Minutes) -> Floats:
        """The share of a day's departures that is still to come at each moment."""
        return 1 - _read(self.any_day[is_quiet(moments) * 1], moments)

    def passed(self, group: Indices, begins: Minutes, moment: int, *, now: bool) -> Floats:
        """The share of the departures after `begins` that come before `moment`, a time of the same
        day. now: `begins` is when is asked, and `group` what is known then; else it is a midnight
        to come."""
        then = np.full(begins.size, moment)
        if not now:
            return _read(self.any_day[is_quiet(begins) * 1], then)
        _, hour = weekday_and_hour(begins)
        curves = self.today[group, hour]
        gone, by_then = _read(curves, begins), _read(curves, then)
        return np.clip((by_then - gone) / np.maximum(1 - gone, 1e-9), 0, 1)


def _read(curves: Floats, moments: Minutes) -> Floats:
    hours = local_hours(moments)
    whole = hours.astype(np.int64)
    row = np.arange(moments.size)
    before, after = curves[row, whole], curves[row, whole + 1]
    return np.asarray(before + (after - before) * (hours - whole))


def groups(history: Stays, stays: Indices, at: Minutes) -> Indices:
    """The group of each stay, as known at `at`."""
    arranged = np.zeros(stays.size, dtype=bool)
    for name in MARKS:
        arranged |= history.log(name).last(stays, at, default=0) > 0
    return np.asarray(2 * arranged + is_quiet(at), dtype=np.int64)


def fit_hours(history: Stays, *, since: int, until: int) -> Hours:
    """From the departures in `[since, until)` that were known at `until`, of days that are over: of
    the last one those alone are known who leave early in a day."""
    everyone = np.arange(len(history))
    ended = history.ended(everyone, np.full(len(history), until))
    over = min(until, int(midnight_after(np.array([until - DAY]))[0]))
    gone = np.flatnonzero((ended >= since) & (ended < over))
    gone = gone[history.in_hospital(gone, ended[gone] - 1)]
    _, hour = weekday_and_hour(ended[gone])
    of_day = np.zeros((2, 24))
    np.add.at(of_day, (is_quiet(ended[gone]) * 1, hour), 1)
    usual = of_day.sum(0) + _PRIOR * _START / _START.sum()
    of_day = of_day + _PRIOR * usual / usual.sum()
    seen = np.zeros((4, 24, 24))
    midnights = midnight_after(ended[gone] - DAY)
    for asked in range(24):
        at = midnights + asked * HOUR
        mine = (hour >= asked) & (at < ended[gone])
        there = np.flatnonzero(mine)[history.in_hospital(gone[mine], at[mine])]
        np.add.at(seen[:, asked], (groups(history, gone[there], at[there]), hour[there]), 1)
    to_come = np.triu(np.ones((24, 24)))  # by the hour asked at: the hours from it on
    for number in range(4):
        expected = to_come * of_day[number % 2]
        seen[number] += _PRIOR * expected / expected.sum(1, keepdims=True)
    return Hours(_cumulative(of_day), _cumulative(seen))


def _cumulative(counts: NDArray[np.float64]) -> Floats:
    shares = counts / counts.sum(-1, keepdims=True)
    passed = np.concatenate([np.zeros((*counts.shape[:-1], 1)), np.cumsum(shares, -1)], axis=-1)
    return np.asarray(passed / passed[..., -1:])
