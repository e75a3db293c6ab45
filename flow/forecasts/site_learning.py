"""Learns one site anew: the challenger, its comparison with what speaks, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db import transaction

from flow.forecasts import versions
from flow.forecasts.challenge import (
    OLD,
    SPOKEN,
    Comparison,
    as_challenger,
    would_have_scored,
)
from flow.forecasts.clock import DAY, minute_of, moment_of
from flow.forecasts.following import clock_before
from flow.forecasts.forecasting import learn_patterns
from flow.forecasts.hazards import Effort
from flow.forecasts.history import Stays
from flow.forecasts.learnt import learnt
from flow.forecasts.reading import read
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.forecasts.sampling import told_from
from flow.forecasts.training import SHORT, Trained, Trial, is_boosted, levels_of, train, tried
from flow.forecasts.versions import Live, New
from flow.models import ForecastModel, ForecastScore, ForecastTraining
from wards.models import Movement, Site

BACK: Final = timedelta(days=730)
"""How much history is learnt from."""
MORNING: Final = 8
"""The local hour whose forecasts models are compared by."""

Reached = Callable[[ForecastTraining.Step], None]


def steps(effort: Effort) -> int:
    """How many steps are told: reading, trying, comparing, the fits, and the levels."""
    return 5 + effort.fits


def last_movement() -> int:
    """The primary key of the movement that was recorded last."""
    return Movement.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class _Span:
    """What is learnt from: minutes."""

    since: int
    until: int


def learn_site(
    site: Site,
    live: Live | None,
    *,
    at: datetime,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    reached: Reached = lambda _: None,
) -> ForecastModel:
    """Learn from what is known at `at`, compare with the model that speaks, and keep the result.

    reached: told of each step as it begins; it may raise to stop.
    """
    begun, movement = time.monotonic(), last_movement()
    reached(ForecastTraining.Step.READING)
    history = read(site, since=at - BACK, at=at)
    until = minute_of(at)
    span = _Span(min(until, max(told_from(history, until=until), minute_of(at - BACK))), until)
    reached(ForecastTraining.Step.TRYING)
    trial = tried(history, since=span.since, until=span.until, effort=effort)
    reached(ForecastTraining.Step.COMPARING)
    verdict, compared = _verdict(site, live, trial, history, span, at=at)
    new = _new(verdict, trial, compared, history, span, movement)
    trained = None
    if verdict != ForecastModel.Verdict.LOST:
        trained = train(
            history, since=span.since, until=span.until, trial=trial, effort=effort,
            say=lambda _: reached(ForecastTraining.Step.LEARNING),
        )  # fmt: skip
        kind = _kind(is_boosted(trained.voice))
        new = replace(new, kind=kind, learnt=learnt(trained, history, at=until))
    reached(ForecastTraining.Step.FOLLOWING)
    return _kept(site, replace(new, seconds=time.monotonic() - begun), trained, history, at=at)


def _kind(boosted: bool) -> ForecastModel.Kind:
    return ForecastModel.Kind.BOOSTED if boosted else ForecastModel.Kind.STAGED


def _new(
    verdict: ForecastModel.Verdict,
    trial: Trial | None,
    compared: Comparison | None,
    history: Stays,
    span: _Span,
    movement: int,
) -> New:
    """The model as far as its trial and comparison tell."""
    losses = (None, None) if trial is None or trial.losses is None else trial.losses
    return New(
        learnt=None,
        kind=_kind(trial is not None and is_boosted(trial.voice)),
        verdict=verdict,
        learnt_from=moment_of(span.since),
        learnt_until=moment_of(span.until),
        departures=_departures(history, span),
        movement=movement,
        seconds=0.0,
        floor_loss=losses[0],
        boosted_loss=losses[1],
        own_loss=None if compared is None else compared.own,
        live_loss=None if compared is None else compared.live,
        compared=0 if compared is None else compared.forecasts,
    )


def _verdict(
    site: Site, live: Live | None, trial: Trial | None, history: Stays, span: _Span, *, at: datetime
) -> tuple[ForecastModel.Verdict, Comparison | None]:
    if live is None:
        return ForecastModel.Verdict.FIRST, None
    if trial is None or span.until - span.since < SHORT * DAY:
        return ForecastModel.Verdict.YOUNG, None
    found = _compared(site, live, trial, history, span, at=at)
    return (
        ForecastModel.Verdict.WON if found and found.is_won else ForecastModel.Verdict.LOST
    ), found


def _compared(
    site: Site, live: Live, trial: Trial, history: Stays, span: _Span, *, at: datetime
) -> Comparison | None:
    """As `flow.forecasts.challenge` says; None where nobody was in hospital."""
    spoken = _spoken(site, moment_of(trial.split), moment_of(span.until - DAY))
    if len(spoken) >= SPOKEN:
        mornings = [minute_of(morning) for morning, _, _ in spoken]
        patients = sum(number for _, number, _ in spoken)
        its = sum(loss for _, _, loss in spoken) / patients if patients else None
    else:
        mornings = _mornings(trial.split, span.until - DAY)
        numbered, its_own = live.learnt.numbered(history), live.learnt.trained
        its = would_have_scored(its_own, numbered, mornings, known=span.until)
    challenger = as_challenger(trial, since=span.since)
    own = would_have_scored(challenger, history, mornings, known=span.until)
    if own is None or its is None:
        return None
    since = live.row.live_from
    is_old = since is not None and since <= at - timedelta(days=OLD)
    return Comparison(own, its, len(mornings), is_old)


def _spoken(site: Site, first: datetime, last: datetime) -> list[tuple[datetime, int, float]]:
    """How the models that were live told the mornings between: when, of how many, and the sum of
    their log scores."""
    rows = ForecastScore.objects.filter(
        site=site,
        speaker=Speaker.FORECAST,
        what=What.DEPARTURES,
        until=Until.DAY,
        part=Part.SITE,
        hour=MORNING,
        forecast__at__gte=first,
        forecast__at__lte=last,
    )
    return list(rows.order_by("forecast__at").values_list("forecast__at", "patients", "log_sum"))


def _mornings(first: int, last: int) -> list[int]:
    found = []
    morning = clock_before(moment_of(last))
    while (minute := minute_of(morning)) >= first:
        found.append(minute)
        morning = clock_before(morning - timedelta(hours=1))
    return found[::-1]


def _kept(
    site: Site, new: New, trained: Trained | None, history: Stays, *, at: datetime
) -> ForecastModel:
    """Keep the model with its levels, and how patients come and go."""
    until = clock_before(at)
    levels = None if trained is None else levels_of(trained, history, minute_of(until))
    ways = learn_patterns(site, history, since=new.learnt_from, at=at)
    with transaction.atomic():
        model = versions.keep(site, new, at=at)
        if levels is not None:
            versions.keep_levels(model, levels, at=until)
        versions.keep_patterns(site, ways, at=at)
    return model


def _departures(history: Stays, span: _Span) -> int:
    ended = history.ended(np.arange(len(history)), np.full(len(history), span.until))
    return int(np.sum((ended > span.since) & (ended <= span.until)))
