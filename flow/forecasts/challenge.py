"""Whether a model that was just learnt may speak instead of the one that does. Pure: no Django.

Each night a challenger is learnt from what was known `TRIAL_DAYS` ago, and asked what it would
have said at 08:00 of each day since, with the levels followed as ever. The live model is taken as
it really spoke then, so that neither has seen the days. Where it did not speak on at least
`SPOKEN` of them (it is too new, or a history was loaded afterwards) it is asked now, which favours
it for days that it learnt from. Both are scored by the mean log score of who leaves within 24
hours, over the same mornings.

The challenger wins if its score is lower by `MARGIN` of it, or, where the live model has spoken
for `OLD` days, if it is lower at all: nightly changes that mean nothing are spared, and a model
does not stay for ever because nothing is much better. Only then is it learnt anew from all days
and goes live. While the history is shorter than `training.SHORT` days every new model speaks: there
is more to learn each day, and too little to keep some of it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts.backtesting import FORECAST, replay
from flow.forecasts.clock import DAY
from flow.forecasts.history import Stays
from flow.forecasts.scores import log_score
from flow.forecasts.training import Trained, Trial

MARGIN: Final = 0.002
OLD: Final = 28
SPOKEN: Final = 7


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean log scores of the challenger and the live model (nats, less is better) over so many
    mornings. is_old: whether the live model has spoken for `OLD` days."""

    own: float
    live: float
    forecasts: int
    is_old: bool = False

    @property
    def is_won(self) -> bool:
        """Whether the challenger may speak."""
        return self.own < self.live * (1 if self.is_old else 1 - MARGIN)


def as_challenger(trial: Trial, *, since: int) -> Trained:
    """What would have spoken had it been learnt then."""
    return Trained(since, trial.split, trial.voice, trial.floor, 0, None)


def would_have_scored(
    trained: Trained, history: Stays, moments: list[int], *, known: int
) -> float | None:
    """The mean log score of who leaves within 24 hours of these moments, as far as that is known
    at `known`; None where there is nobody to score."""
    chances, came = [], []
    for one in replay(trained, history, moments, span=DAY):
        chances.append(one.chances[FORECAST])
        ended = history.ended(one.stays, np.full(one.stays.size, known))
        came.append(ended <= one.at + one.span)
    if not sum(one.size for one in chances):
        return None
    return log_score(np.concatenate(chances), np.concatenate(came))
