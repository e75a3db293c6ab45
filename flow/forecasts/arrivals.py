"""How many come, by hour and weekday, with a trend and the recent level. Pure: no Django.

Numbers of arrivals are Poisson numbers around a rate that varies more than a Poisson number would
let it: `profile` times `level` times a factor of each day's own. The profile (local weekday and
hour) changes slowly and is counted over half a year. The level is followed from day to day as a
Gamma distribution, whose past loses weight day by day: the discount of West M, Harrison J (Bayesian
Forecasting and Dynamic Models, 2nd ed., Springer 1997, ch. 6 and 10). Because a level may also
change overnight, several Gamma distributions are kept, one for each day on which it may last have
changed, weighed by how well they foretold since (Fearnhead P, Liu Z, J R Stat Soc B
2007;69:589-605). What this leaves open becomes width of the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from flow.forecasts.clock import DAY, HOUR, Minutes, weekday_and_hour
from flow.forecasts.horizon import Horizon
from flow.forecasts.rates import counted, hourly_pieces, rates

Floats = NDArray[np.float64]

PROFILE_DAYS: Final = 182
"""Over how much of the past the profile is counted."""
_DISCOUNT: Final = 0.96
"""What a day's knowledge of the level is worth a day later."""
_CHANGE: Final = 0.01
"""The chance that the level changes overnight."""
_ANEW: Final = 10.0
"""Shape of the Gamma distribution from which it then starts: a third up or down."""
_START: Final = 2.0
"""The same before anything was seen."""
_KEPT: Final = 25
"""How many possible days of the last change are told apart."""
_CELL: Final = 20.0
"""Arrivals as expected that are added to each hour of the week before it differs from the product
of its hour and its weekday."""
_TREND_DAYS: Final = 56
_TREND: Final = 0.0005
"""What is usual of a trend, by day: a third of a per cent by week, up or down. None is believed to
be more than two and a half times as steep."""
_OWN_DAYS: Final = (0.0005, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256)
"""Variances of a day's own factor that are tried."""
_OWN_DAY: Final = 0.004
"""The usual one; four times as much or a quarter of it is a standard deviation away."""
_UNKNOWN_WEEK: Final = 0.04
"""Variance of weekdays of which nothing has been seen."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Those who come one way, as learnt at the minute `at` from `days` of history.

    profile: arrivals an hour by local weekday and hour, at level 1. level, level_variance: of the
    factor on it now. trend: change of its logarithm by day. own: variance of a day's own factor.
    """

    at: int
    days: float
    profile: Floats
    level: float
    level_variance: float
    trend: float
    own: float

    def expected(self, ahead: Horizon) -> Floats:
        """The expected number in each hour ahead."""
        lead = (ahead.ends - HOUR / 2 - self.at) / DAY
        # A trend is followed for three days from when it was seen, no further.
        trend = np.exp(self.trend * np.minimum(lead, 3.0))
        rate = self.profile[ahead.weekdays, ahead.local_hours]
        return np.asarray(rate * ahead.lengths * self.level * trend)

    def unsure(self, ahead: Horizon) -> Floats:
        """The variance of the level's share of each hour ahead, as part of its square: it is common
        to all hours, and grows from the day on which it was learnt."""
        lead = np.maximum((ahead.ends - self.at) / DAY, 0)
        return np.asarray(self.level_variance / self.level**2 * _DISCOUNT**-lead)


def learn(times: Minutes, *, since: int, at: int, usual: float) -> Stream:
    """The stream from the minutes at which somebody came, of which all in `[since, at)` are known.
    usual: arrivals a day where nothing has been seen yet."""
    since = max(min(since, at), at - PROFILE_DAYS * DAY)
    times = times[(times >= since) & (times < at)]
    profile = _profile(times, since, at, usual)
    numbers, expected = _days(times, since, at, profile)
    trend = _trend(numbers, expected)
    back = np.arange(numbers.size)[::-1] + 0.5
    level, variance, own = _followed(numbers, expected * np.exp(-trend * back))
    weeks = (at - since) / (7 * DAY)
    return Stream(
        at=at,
        days=(at - since) / DAY,
        profile=profile,
        level=level,
        level_variance=variance,
        trend=trend,
        own=own + _UNKNOWN_WEEK / (1 + weeks) ** 2,
    )


def _profile(times: Minutes, since: int, at: int, usual: float) -> Floats:
    begin, end = np.array([since], dtype=np.int64), np.array([at], dtype=np.int64)
    _, pieces, lengths = hourly_pieces(begin, end)
    hours = counted((7, 24), weekday_and_hour(pieces), lengths)
    events = counted((7, 24), weekday_and_hour(times), np.ones(times.size))
    return rates(events, hours, usual=max(usual, 0.1) / 24, own=_CELL)


def _days(times: Minutes, since: int, at: int, profile: Floats) -> tuple[Floats, Floats]:
    """How many came in each span of 24 hours before `at`, the first first, and how many were
    expected by the profile."""
    days = (at - since) // DAY
    numbers = np.bincount(days - 1 - (at - 1 - times[times >= at - days * DAY]) // DAY,
                          minlength=days)  # fmt: skip
    hours = at - days * DAY + np.arange(days * 24, dtype=np.int64) * HOUR
    expected = profile[weekday_and_hour(hours + HOUR // 2)].reshape(days, 24).sum(1)
    return numbers[:days].astype(np.float64), expected


def _trend(numbers: Floats, expected: Floats) -> float:
    """The change of the logarithm by day over the last weeks, drawn towards none: one step of a
    Poisson regression with a normal prior."""
    seen, said = numbers[-_TREND_DAYS:], expected[-_TREND_DAYS:]
    if seen.size < 14 or not said.sum():
        return 0.0
    said = said * (seen.sum() + 1) / (said.sum() + 1)
    weight = said / (1 + _OWN_DAY * said)
    day = np.arange(seen.size, dtype=np.float64)
    day -= (weight @ day) / weight.sum()
    slope = (day * weight) @ (seen / said - 1) / (weight @ day**2 + _TREND**-2)
    return float(np.clip(slope, -2.5 * _TREND, 2.5 * _TREND))


class _Levels:
    """The Gamma distributions that are kept of the level, and how well they foretold: a row for
    each variance of a day's own factor that is tried."""

    def __init__(self) -> None:
        self.own = np.array(_OWN_DAYS)
        self.shapes = np.full((self.own.size, 1), _START)
        self.rates = self.shapes.copy()
        self.weights = np.ones(self.shapes.shape)
        self.foretold = np.zeros(self.own.size)
        """The logarithm of the chance of all that was seen."""

    @property
    def means(self) -> Floats:
        return np.asarray((self.weights * self.shapes / self.rates).sum(1))

    @property
    def variances(self) -> Floats:
        each = self.shapes / self.rates
        spread = each / self.rates + (each - self.means[:, None]) ** 2
        return np.asarray((self.weights * spread).sum(1))

    def night(self) -> None:
        """A day goes by: all is known a little less well, and may have changed."""
        means = np.maximum(self.means, 1e-6)[:, None]
        anew = np.ones(means.shape)
        self.shapes = np.hstack([self.shapes * _DISCOUNT, anew * _ANEW])
        self.rates = np.hstack([self.rates * _DISCOUNT, _ANEW / means])
        self.weights = np.hstack([self.weights * (1 - _CHANGE), anew * _CHANGE])

    def see(self, number: float, expected: float) -> None:
        """So many came on a day on which so many were expected at level 1."""
        said, own = expected * self.shapes / self.rates, self.own[:, None]
        likely = np.log(self.weights) + _log_chance(number, said, own + 1 / self.shapes)
        # A day of its own kind tells less of the level than its number alone.
        part = 1 / (1 + own * said)
        self.shapes, self.rates = self.shapes + number * part, self.rates + expected * part
        if likely.shape[1] > _KEPT:
            best = np.sort(np.argsort(-likely, axis=1, kind="stable")[:, :_KEPT], axis=1)
            self.shapes, self.rates, likely = (
                np.take_along_axis(one, best, axis=1) for one in (self.shapes, self.rates, likely)
            )
        most = likely.max(1, keepdims=True)
        weights = np.exp(likely - most)
        total = weights.sum(1, keepdims=True)
        self.foretold += (most + np.log(total))[:, 0]
        self.weights = weights / total


def _followed(numbers: Floats, expected: Floats) -> tuple[float, float, float]:
    """The level after these days, its variance, and the variance of a day's own factor: over all
    that are tried of it, weighed by how well they foretell."""
    levels = _Levels()
    for number, said in zip(numbers, expected, strict=True):
        levels.night()
        levels.see(float(number), float(said))
    usual = -0.5 * (np.log(levels.own / _OWN_DAY) / np.log(4.0)) ** 2
    likely = levels.foretold + usual
    weights = np.exp(likely - likely.max())
    weights /= weights.sum()
    mean = float(weights @ levels.means)
    variance = float(weights @ (levels.variances + (levels.means - mean) ** 2))
    return mean, variance, float(weights @ levels.own)


def _log_chance(number: float, means: Floats, variance: Floats) -> Floats:
    """The logarithm of the chance of a negative binomial number; `variance`: of the factor that
    its mean is multiplied by."""
    shape = 1 / variance
    means = np.maximum(means, 1e-9)
    return np.asarray(
        gammaln(number + shape) - gammaln(shape) - gammaln(number + 1)
        + shape * np.log(shape / (shape + means)) + number * np.log(means / (shape + means))
    )  # fmt: skip
