"""How often something happens in an hour, by several traits at once. Pure: no Django.

Events and the hours in which they could have happened are counted in a table with one axis for
each trait (hours in the department by age band by hour of the day, for instance). The rate is a
product of one factor for each value of each trait: the piecewise constant hazard, fitted as a
log-linear model of rates (Holford TR, Biometrics 1980;36:299-305; Laird N, Olivier D, J Am Stat
Assoc 1981;76:231-240) by scaling each axis in turn. Where little was seen everything is drawn
towards the rate of the whole, and that towards what is usual.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts.clock import HOUR, Minutes, weekday_and_hour

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_ROUNDS: Final = 8
_WHOLE: Final = 0.5
_PSEUDO: Final = 6.0
"""Events as expected that are added to those seen, for the whole and for each factor."""


def rates(events: Floats, hours: Floats, *, usual: float | Floats, own: float = 0.0) -> Floats:
    """The rate an hour in each cell of the table. usual: where nothing has been seen yet.

    own: with this many events as expected added to its own, each cell may differ from the
    product of the factors (a gamma prior around it); 0: none may.
    """
    start = np.broadcast_to(np.asarray(usual, dtype=np.float64), events.shape)
    whole = (events.sum() + _WHOLE) / ((start * hours).sum() + _WHOLE)
    factors = [np.ones(size) for size in events.shape]
    for _ in range(_ROUNDS):
        for axis in range(events.ndim):
            others = tuple(n for n in range(events.ndim) if n != axis)
            factors[axis] = np.ones(events.shape[axis])
            expected = (start * whole * _product(factors) * hours).sum(others)
            factors[axis] = (events.sum(others) + _PSEUDO) / (expected + _PSEUDO)
    found = start * whole * _product(factors)
    if own:
        found = found * (events + own) / (found * hours + own)
    return np.asarray(found)


def _product(factors: list[Floats]) -> Floats:
    found = np.ones(())
    for axis, factor in enumerate(factors):
        found = found[..., None] * factor if axis else factor
    return np.asarray(found)


def hourly_pieces(starts: Minutes, ends: Minutes) -> tuple[Indices, Minutes, Floats]:
    """Times cut at full hours: of which one each piece is, its beginning and its length in hours.

    Pieces of one time follow each other. Times without length have none.
    """
    first, last = starts // HOUR, -(-ends // HOUR)
    number = np.where(ends > starts, last - first, 0)
    which = np.repeat(np.arange(starts.size), number)
    place = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    begin = np.maximum((first[which] + place) * HOUR, starts[which])
    end = np.minimum((first[which] + place + 1) * HOUR, ends[which])
    return which, begin, (end - begin) / HOUR


def counted(shape: tuple[int, ...], keys: tuple[Indices, ...], weights: Floats) -> Floats:
    """A table of this shape with the weights added up in the cells that the keys name."""
    cells = np.ravel_multi_index(keys, shape) if keys[0].size else np.zeros(0, dtype=np.int64)
    found = np.bincount(cells, weights, minlength=int(np.prod(shape))).reshape(shape)
    return np.asarray(found, dtype=np.float64)


def local_hour(minutes: Minutes) -> Indices:
    """The hour of the local day of each moment."""
    return weekday_and_hour(minutes)[1]


def bin_of(hours: Floats, edges: tuple[float, ...]) -> Indices:
    """Which of the spans that begin at these numbers of hours (the first with 0)."""
    return np.searchsorted(np.array(edges), hours, side="right") - 1
