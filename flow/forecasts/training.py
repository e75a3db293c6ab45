"""Learns what speaks for a site from its history. Pure: no Django."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY
from flow.forecasts.hazards import Boosted, Effort, fit_boosted, fit_floor
from flow.forecasts.history import Stays
from flow.forecasts.hours import fit_hours
from flow.forecasts.level import Levels, untried
from flow.forecasts.predicting import Voice, levels_at
from flow.forecasts.scores import log_score
from flow.forecasts.staged import fit_staged

FORMAT: Final = 5
"""Of what is kept of a model; another number cannot be read and has to be learnt anew."""
TRIAL_DAYS: Final = 14
SHORT: Final = 28
"""Days of history up to which every new model speaks, and none is thought to be sure."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """What was learnt. since, until: the minutes between which it was. floor: the model by
    specialty and weekday, a baseline. departures: how many were learnt from. trial: log scores of
    the last days, of the staged and the boosted model, each learnt without them; None where there
    was nothing to compare."""

    since: int
    until: int
    voice: Voice
    floor: Voice
    departures: int
    trial: tuple[float, float] | None


@dataclass(frozen=True)
class Trial:
    """What would have spoken had it been learnt at the minute `split`, some days before the end.

    losses: how the staged and the boosted model told the days since (log score in nats, at level
    1), each learnt without them; None where there is no boosted model to try.
    """

    split: int
    floor: Voice
    staged: Voice
    boosted: Voice | None
    losses: tuple[float, float] | None

    @property
    def voice(self) -> Voice:
        """The one that told the days better."""
        if self.boosted is None or self.losses is None or self.losses[1] >= self.losses[0]:
            return self.staged
        return self.boosted


def is_boosted(voice: Voice) -> bool:
    """Whether the boosted model speaks."""
    return isinstance(voice.model, Boosted)


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
    days, it would have told them better than the staged one; else that one does. trial: where it
    has been found out already."""
    known = history.known_by(until)
    floor, voice = _simple(known, since=since, until=until, seed=seed)
    if trial is None:
        trial = tried(known, since=since, until=until, seed=seed, effort=effort, say=say)
    if trial is not None and is_boosted(trial.voice):
        boosted = fit_boosted(known, since=since, until=until, seed=seed, effort=effort, say=say)
        voice = voice if boosted is None else Voice(boosted, voice.hours)
    everyone = np.arange(len(known))
    ended = known.ended(everyone, np.full(len(known), until))
    departures = int(np.sum((ended > since) & (ended <= until)))
    losses = None if trial is None else trial.losses
    return Trained(since, until, voice, floor, departures, losses)


def levels_of(trained: Trained, history: Stays, at: int) -> Levels:
    """The levels at `at`: followed through the days learnt from and those since or, where these
    were few, only since: the days that a model was learnt from say little of how sure it is."""
    days = (trained.until - trained.since) // DAY
    if days < SHORT:
        before = untried(trained.departures, days=days)
        return levels_at(trained.voice, history, at, since=trained.until, before=before)
    return levels_at(trained.voice, history, at, since=trained.since)


def _simple(known: Stays, *, since: int, until: int, seed: int) -> tuple[Voice, Voice]:
    """The floor and the staged model, which need no long history."""
    hours = fit_hours(known, since=since, until=until)
    floor = fit_floor(known, hours, since=since, until=until, seed=seed)
    staged = fit_staged(known, hours, since=since, until=until, seed=seed)
    return Voice(floor, hours), Voice(staged, hours)


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
    floor, staged = _simple(early, since=since, until=split, seed=seed)
    once = replace(effort, fits=1)
    found = fit_boosted(early, since=since, until=split, seed=seed, effort=once)
    if found is None:
        return Trial(split, floor, staged, None, None)
    boosted = Voice(found, staged.hours)
    losses = (
        score_days(staged, history, since=split, until=until),
        score_days(boosted, history, since=split, until=until),
    )
    return Trial(split, floor, staged, boosted, losses)


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
