"""What a forecast has to beat: what anybody could say without it. Pure: no Django.

For how many leave: the mean of the same weekday in the last six weeks, and yesterday's number,
each as a Poisson distribution, so that they too say how sure they are. For who leaves: the team's
expected discharge date, with the chances that such dates had at this site before; and, beside the
model, Kaplan-Meier by specialty and weekday (`hazards.Floor`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import poisson

from flow.forecasts.clock import DAY, midnight_after
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.numbers import Pmf

WEEKS: Final = 6
_PRIOR: Final = 4.0
_PLANS: Final = 5
"""How an expected discharge date may lie: none, past, within the span asked about (in two
halves: before and after the next midnight), later."""
_PLAN_DAYS: Final = 42


def left_within(history: Stays, at: int, span: int, known: int) -> int:
    """How many of those in hospital at `at` had left within `span` minutes, as known later."""
    stays = history.present(at)
    return int(np.sum(history.ended(stays, np.full(stays.size, known)) <= at + span))


def weekday_mean(history: Stays, at: int, span: int, *, since: int) -> Pmf | None:
    """From the same weekday in the last weeks, as far as they lie after `since`."""
    weeks = [at - 7 * DAY * n for n in range(1, WEEKS + 1)]
    begins = [one for one in weeks if one >= since and one + span <= at]
    if not begins:
        return None
    return number_like(float(np.mean([left_within(history, one, span, at) for one in begins])))


def yesterday(history: Stays, at: int, span: int, *, since: int) -> Pmf | None:
    """From the last span that is over."""
    days = -(-span // DAY)
    begin = at - days * DAY
    return None if begin < since else number_like(float(left_within(history, begin, span, at)))


def number_like(mean: float) -> Pmf:
    """A number that is so large on average (Poisson); never quite without chance of some."""
    most = int(poisson.ppf(1 - 1e-12, max(mean, 0.5))) + 1
    pmf = poisson.pmf(np.arange(most + 1), max(mean, 0.5))
    return np.asarray(pmf / pmf.sum())


def by_plan(history: Stays, stays: Indices, at: int, span: int, *, since: int) -> Floats | None:
    """For each stay the share of those with a like expected discharge date who left within
    `span` in the last weeks. None where nobody has such a date."""
    kinds = _plans(history, stays, at, span)
    if not kinds.any():
        return None
    there, left = np.zeros(_PLANS), np.zeros(_PLANS)
    for number in range(1, _PLAN_DAYS + 1):
        begin = at - number * DAY
        if begin < since or begin + span > at:
            continue
        who = history.present(begin)
        gone = history.ended(who, np.full(who.size, at)) <= begin + span
        before = _plans(history, who, begin, span)
        np.add.at(there, before, 1)
        np.add.at(left, before, gone)
    usual = (left.sum() + 1) / (there.sum() + 6)
    return np.asarray((left + _PRIOR * usual) / (there + _PRIOR))[kinds]


def _plans(history: Stays, stays: Indices, at: int, span: int) -> Indices:
    plan = history.log("plan").last(stays, np.full(stays.size, at))
    midnight = int(midnight_after(np.array([at]))[0])
    kinds = np.select(
        [np.isnan(plan), plan < at - DAY // 2, plan < midnight, plan < at + span], [0, 1, 2, 3], 4
    )
    return np.asarray(kinds, dtype=np.int64)
