"""From hazards by day to chances by hour and day for patients in hospital. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.forecasts.clock import DAY, HOUR, Minutes, midnight_after
from flow.forecasts.features import Question
from flow.forecasts.hazards import Change, Model, as_known
from flow.forecasts.history import Floats, Indices, Stays
from flow.forecasts.hours import Hours, groups
from flow.forecasts.leaving import DAYS, HOURS, Leaving
from flow.forecasts.level import Day, Level, Levels, lifted
from flow.forecasts.quiet_days import is_quiet

_FOLLOWED_DAYS: Final = 60
_LIKELY: Final = (0.2, 0.5)
"""Chances that part those unlikely to leave within a day, those in between and the likely ones."""


@dataclass(frozen=True)
class Voice:
    """What speaks: a model, and how a day's hazard is spread over its hours."""

    model: Model
    hours: Hours

    def left_by(
        self,
        history: Stays,
        stays: Indices,
        at: int,
        moments: Minutes,
        change: Change = as_known,
    ) -> Floats:
        """The chance of each stay to have ended by each of these moments, which lie within the
        next `DAYS` days; stays by moments. At level 1. change: of the facts that the model is
        asked about, day after day for all the stays."""
        if not stays.size:
            return np.zeros((0, moments.size))
        now = np.full(stays.size, at, dtype=np.int64)
        group = groups(history, stays, now)
        begins = _beginnings(at, int(moments.max()))
        every = np.repeat(np.array(begins, dtype=np.int64), stays.size)
        question = Question(np.tile(stays, len(begins)), np.full(every.size, at), every)
        chances = self.model.chances(history, question, change).reshape(len(begins), stays.size)
        still = np.ones((stays.size, moments.size))
        for begin, until, chance in zip(begins, question.ends[:: stays.size], chances, strict=True):
            start = np.full(stays.size, begin)
            for place in np.flatnonzero((moments > begin) & (moments < until)):
                share = self.hours.passed(group, start, int(moments[place]), now=begin == at)
                still[:, place] *= 1 - chance * share
            still[:, moments >= until] *= (1 - chance)[:, None]
        return 1 - still


def _beginnings(at: int, last: int) -> list[int]:
    """Now, and the local midnights after it before `last`."""
    found = [at]
    while (after := int(midnight_after(np.array([found[-1]]))[0])) < last:
        found.append(after)
    return found


@dataclass(frozen=True)
class Said:
    """What a voice says of everybody in hospital at `at`: the chance of each to have left by each
    of some moments, with the groups' levels in it, and the common level beside it."""

    stays: Indices
    chances: Floats
    common: Level


def say(voice: Voice, levels: Levels, history: Stays, at: int, moments: Minutes) -> Said:
    """The chances of everybody in hospital at `at`, as known then."""
    stays = history.present(at)
    raw = voice.left_by(history, stays, at, np.append(moments, at + DAY))
    factors = levels.factors(level_groups(history, stays, at, raw[:, -1]))
    return Said(stays, lifted(raw[:, :-1], factors[:, None]), levels.common)


def leaving(voice: Voice, levels: Levels, history: Stays, at: int) -> Leaving:
    """By each of the hours and days ahead."""
    hours = at + HOUR * np.arange(1, HOURS + 1)
    days = at + DAY * np.arange(1, DAYS + 1)
    said = say(voice, levels, history, at, np.concatenate([hours, days]))
    chances = said.chances
    return Leaving(at, said.stays, chances[:, :HOURS], chances[:, HOURS:], said.common)


def level_groups(history: Stays, stays: Indices, at: int, chances: Floats) -> Indices:
    """The groups that have levels of their own: by specialty, quiet days or others, and how likely
    the model took each to leave within a day. What slows some patients more than others (those
    who wait for something once they are ready, say) shows in the last even where no fact does."""
    now = np.full(stays.size, at, dtype=np.int64)
    kinds = (
        history.code("specialty", stays, now),
        is_quiet(now),
        np.digitize(chances, _LIKELY),
    )
    return np.stack(kinds, axis=1).astype(np.int64)


def day_over(voice: Voice, history: Stays, begin: int, end: int, *, known: int) -> Day:
    """A day that is over, about 24 hours long, as it looks at `known`."""
    stays = history.present(begin)
    ended = history.ended(stays, np.full(stays.size, known))
    chances = voice.left_by(history, stays, begin, np.array([end]))[:, 0]
    return Day(chances, ended <= end, level_groups(history, stays, begin, chances))


def levels_at(
    voice: Voice, history: Stays, at: int, *, since: int, before: Levels | None = None
) -> Levels:
    """The levels at `at`, from the days before it, each beginning at this hour of the clock.
    before: what was believed at `since`."""
    levels = before or Levels()
    for number in range(_FOLLOWED_DAYS, 0, -1):
        begin = at - number * DAY
        if begin >= since:
            levels = levels.after(day_over(voice, history, begin, begin + DAY, known=at))
    return levels
