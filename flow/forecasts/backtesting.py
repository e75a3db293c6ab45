"""Replays a period of history: what would have been said at each moment, and how right it was.

Only what was known at each moment reaches a forecast; what came of it is read from what is known
at the end. Pure: no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flow.forecasts import baselines
from flow.forecasts.clock import DAY
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.level import Levels, chances_at, departures
from flow.forecasts.numbers import Pmf, poisson_binomial
from flow.forecasts.predicting import day_over, say
from flow.forecasts.sampling import DAYS
from flow.forecasts.scores import LEVELS, of_chances, of_numbers
from flow.forecasts.training import Trained, levels_of

FORECAST: Final = "forecast"
KAPLAN_MEIER: Final = "kaplan_meier"
PLAN: Final = "expected_dates"
WEEKDAY: Final = "same_weekday_6_weeks"
YESTERDAY: Final = "yesterday"
_ABOUT_A_DAY: Final = 20 * 60
"""Minutes after which the levels are followed once more: a day, also where the clock changes."""


@dataclass(frozen=True)
class Replayed:
    """What was said at the minute `at` of the next `span` minutes, by speaker.

    stays: who was in hospital. chances: of each to leave; numbers: how many of them leave; a
    speaker who had nothing to go by is missing. level: the common level.
    """

    at: int
    span: int
    stays: Indices
    chances: Mapping[str, Floats]
    numbers: Mapping[str, Pmf]
    level: float


class _Followed:
    """The levels, followed from moment to moment."""

    def __init__(self, trained: Trained, history: Stays) -> None:
        self._trained = trained
        self._history = history
        self._reached: int | None = None
        self._levels = Levels()

    def at(self, at: int) -> Levels:
        """The levels at `at`, which is no earlier than the moment asked for before."""
        if self._reached is None or at - self._reached > 2 * DAY:
            self._levels = levels_of(self._trained, self._history, at)
            self._reached = at
        elif at - self._reached >= _ABOUT_A_DAY:
            day = day_over(self._trained.voice, self._history, self._reached, at, known=at)
            self._levels = self._levels.after(day)
            self._reached = at
        return self._levels


def replay(
    trained: Trained, history: Stays, moments: Iterable[int], *, span: int
) -> Iterator[Replayed]:
    """What would have been said at each moment, in order: nothing is learnt anew in between, but
    the levels are followed. Raises ValueError for a span of more than `DAYS` days, or none."""
    if not 0 < span <= DAYS * DAY:
        raise ValueError(f"a forecast is for 1 to {DAYS * 24} hours")
    followed = _Followed(trained, history)
    for at in moments:
        yield _said(trained, history, followed.at(at), at, span)


def _said(trained: Trained, history: Stays, levels: Levels, at: int, span: int) -> Replayed:
    then = np.array([at + span])
    said = say(trained.voice, levels, history, at, then)
    raw, since = said.chances[:, 0], trained.since
    chances = {
        FORECAST: chances_at(raw, said.common),
        KAPLAN_MEIER: trained.floor.left_by(history, said.stays, at, then)[:, 0],
    }
    numbers = {
        FORECAST: departures(raw, said.common),
        KAPLAN_MEIER: poisson_binomial(chances[KAPLAN_MEIER]),
    }
    if (planned := baselines.by_plan(history, said.stays, at, span, since=since)) is not None:
        chances[PLAN], numbers[PLAN] = planned, poisson_binomial(planned)
    for name, baseline in ((WEEKDAY, baselines.weekday_mean), (YESTERDAY, baselines.yesterday)):
        if (pmf := baseline(history, at, span, since=since)) is not None:
            numbers[name] = pmf
    return Replayed(at, span, said.stays, chances, numbers, said.common.mean)


def score(replayed: Sequence[Replayed], history: Stays, *, known: int) -> dict[str, Any]:
    """The score table: for each speaker, how right it was where the outcome is known at `known`.

    Log score in nats; numbers in patients; see `scores`.
    """
    over = [one for one in replayed if one.at + one.span <= known]
    came = [_came(one, history, known) for one in over]
    speakers = sorted({name for one in over for name in one.numbers})
    return {
        "forecasts": len(over),
        "patients": int(sum(left.size for left in came)),
        "left": int(sum(left.sum() for left in came)),
        "speakers": {name: _table(name, over, came) for name in speakers},
    }


def _came(one: Replayed, history: Stays, known: int) -> NDArray[np.bool_]:
    ended = history.ended(one.stays, np.full(one.stays.size, known))
    return np.asarray(ended <= one.at + one.span)


def _table(
    name: str, over: Sequence[Replayed], came: Sequence[NDArray[np.bool_]]
) -> dict[str, Any]:
    pairs = [(one, left) for one, left in zip(over, came, strict=True) if name in one.numbers]
    numbers = of_numbers([one.numbers[name] for one, _ in pairs], [int(x.sum()) for _, x in pairs])
    found: dict[str, Any] = {
        "forecasts": numbers.forecasts,
        "crps": numbers.crps,
        "mae": numbers.mae,
        "bias": numbers.bias,
        "coverage": dict(zip(map(str, LEVELS), numbers.coverage or (), strict=False)),
    }
    of_each = [(one.chances[name], left) for one, left in pairs if name in one.chances]
    if of_each:
        chances, left = (np.concatenate(both) for both in zip(*of_each, strict=True))
        scores = of_chances(chances, left)
        found |= {
            "log_score": scores.log_score,
            "brier": scores.brier,
            "said": scores.said,
            "seen": scores.seen,
            "reliability": [asdict(one) for one in scores.bins],
        }
    return found
