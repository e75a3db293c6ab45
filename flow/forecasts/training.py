"""Learns what speaks for a site from its history. Pure: no Django."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY
from flow.forecasts.hazards import Effort, fit_boosted, fit_floor
from flow.forecasts.history import Stays
from flow.forecasts.hours import fit_hours
from flow.forecasts.predicting import Voice
from flow.forecasts.scores import log_score

FORMAT: Final = 2
"""Of what is kept of a model; another number cannot be read and has to be learnt anew."""
TRIAL_DAYS: Final = 14
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """What was learnt. since, until: the minutes between which it was. floor: the model by
    specialty and weekday, which is also what the other has to beat. departures: how many were
    learnt from. trial: log scores of the last days, of the floor and the boosted model, each
    learnt without them; None where there was nothing to compare."""

    since: int
    until: int
    voice: Voice
    floor: Voice
    departures: int
    trial: tuple[float, float] | None


@dataclass(frozen=True)
class Trial:
    """What would have spoken had it been learnt at the minute `split`, some days before the end.

    losses: how the floor and the boosted model told the days since (log score in nats, at level
    1), each learnt without them; None where there is no boosted model to try.
    """

    split: int
    floor: Voice
    boosted: Voice | None
    losses: tuple[float, float] | None

    @property
    def voice(self) -> Voice:
        """The one that told the days better."""
        if self.boosted is None or self.losses is None or self.losses[1] >= self.losses[0]:
            return self.floor
        return self.boosted


def train(
    history: Stays,
    *,
    since: int,
    until: int,
    seed: int = 0,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Say = lambda _: None,
    trial: Trial | None = None,
) -> Trained:
    """Learn from what was known at `until`. The boosted model speaks if, learnt without the last
    days, it would have told them better than the floor; else the floor does. trial: where that
    has been found out already."""
    known = history.known_by(until)
    hours = fit_hours(known, since=since, until=until)
    floor = Voice(fit_floor(known, hours, since=since, until=until, seed=seed), hours)
    if trial is None:
        trial = tried(known, since=since, until=until, seed=seed, effort=effort, say=say)
    voice = floor
    if trial is not None and trial.voice is not trial.floor:
        boosted = fit_boosted(known, since=since, until=until, seed=seed, effort=effort, say=say)
        voice = floor if boosted is None else Voice(boosted, hours)
    everyone = np.arange(len(known))
    ended = known.ended(everyone, np.full(len(known), until))
    departures = int(np.sum((ended > since) & (ended <= until)))
    losses = None if trial is None else trial.losses
    return Trained(since, until, voice, floor, departures, losses)


def tried(
    history: Stays,
    *,
    since: int,
    until: int,
    seed: int = 0,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Say = lambda _: None,
) -> Trial | None:
    """Learn without the last days, and tell them; None where the history is too short for that."""
    days = trial_days((until - since) // DAY)
    if not days:
        return None
    split = until - days * DAY
    say("trying the last days")
    early = history.known_by(split)
    hours = fit_hours(early, since=since, until=split)
    floor = Voice(fit_floor(early, hours, since=since, until=split, seed=seed), hours)
    once = replace(effort, fits=1)
    found = fit_boosted(early, since=since, until=split, seed=seed, effort=once)
    if found is None:
        return Trial(split, floor, None, None)
    boosted = Voice(found, hours)
    losses = (
        score_days(floor, history, since=split, until=until),
        score_days(boosted, history, since=split, until=until),
    )
    return Trial(split, floor, boosted, losses)


def trial_days(days: int) -> int:
    """On how many days a model is tried that has a history of so many: a quarter of a short one,
    and of none that has seen no weekday twice."""
    if days >= 2 * TRIAL_DAYS:
        return TRIAL_DAYS
    return days // 4 if days >= TRIAL_DAYS else 0


def score_days(voice: Voice, history: Stays, *, since: int, until: int) -> float:
    """The mean log score, in nats, of who leaves within 24 hours, of each day in
    `[since, until)` whose outcome is known at `until`."""
    chances, left = [], []
    for at in range(since, until - DAY + 1, DAY):
        stays = history.present(at)
        chances.append(voice.left_by(history, stays, at, np.array([at + DAY]))[:, 0])
        left.append(history.ended(stays, np.full(stays.size, until)) <= at + DAY)
    return log_score(np.concatenate(chances), np.concatenate(left))
