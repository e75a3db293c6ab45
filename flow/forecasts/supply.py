"""The beds of a site at each hour ahead, as is planned now. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.history import Indices
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Mark

FEMALE, MALE, EITHER = 0, 1, 2
"""For whom a bed is, by its bay or ward; the first two as in `Stays.sexes`."""
SEXES: Final = ("female", "male", "any")
"""The same as `Ward.Sex` values."""


@dataclass(frozen=True)
class Supply:
    """The beds on the books of a site, side by side.

    ward: primary key of each one's ward. sex: for whom it is. usable: beds by hours ahead; whether
    a patient could be in the bed at the end of the hour if nobody is now: open, by what is planned
    at present (closures, openings of escalation beds, periods in which the bed exists). patient:
    key of the episode of whoever is in it, 0 for nobody. empty: open and without a patient at the
    moment of the forecast. unready: of these, waiting for or under cleaning. elsewhere: keys of
    the episodes of patients in beds that are not on the books. marks: what is planned that a time
    line shows.
    """

    ward: Indices
    sex: Indices
    usable: NDArray[np.bool_]
    patient: Indices
    empty: NDArray[np.bool_]
    unready: NDArray[np.bool_]
    elsewhere: frozenset[int] = frozenset()
    marks: tuple[Mark, ...] = ()


def no_beds() -> Supply:
    """Of a site whose beds nobody has listed."""
    none, flags = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
    return Supply(none, none, np.zeros((0, HOURS), dtype=bool), none, flags, flags)
