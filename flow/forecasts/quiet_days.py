"""Weekends and bank holidays, when few are discharged. Pure: no Django.

Bank holidays are those of England, one-off ones included, as far as the library knows them.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
from holidays import country_holidays
from numpy.typing import NDArray

from flow.forecasts.clock import Minutes, local_days, weekday_and_hour

SUNDAY: Final = 6
_SATURDAY: Final = 5
_EPOCH: Final = date(1970, 1, 1)


def is_bank_holiday(moments: Minutes) -> NDArray[np.bool_]:
    """Whether the local day of each moment is one."""
    if not moments.size:
        return np.zeros(moments.shape, dtype=bool)
    days = local_days(moments)
    return np.isin(days, _holidays(_year(int(days.min())), _year(int(days.max()))))


def weekdays(moments: Minutes) -> NDArray[np.int64]:
    """Local weekday of each moment, 0 for Monday; a bank holiday counts as a Sunday."""
    weekday, _ = weekday_and_hour(moments)
    return np.where(is_bank_holiday(moments), SUNDAY, weekday)


def is_quiet(moments: Minutes) -> NDArray[np.bool_]:
    """Whether the local day of each moment lies in a weekend or is a bank holiday."""
    return np.asarray(weekdays(moments) >= _SATURDAY)


def _year(day: int) -> int:
    return date.fromordinal(_EPOCH.toordinal() + day).year


@lru_cache(maxsize=64)
def _holidays(first: int, last: int) -> NDArray[np.int64]:
    """The bank holidays of these years, in days since 1970."""
    known = country_holidays("GB", subdiv="ENG", years=range(first, last + 1))
    return np.array(sorted((day - _EPOCH).days for day in known), dtype=np.int64)
