"""Learns sites anew, each night and at once where no model speaks.

One site after the other, by one process at a time (a lock in PostgreSQL, held for as long as it
works). How far it is stands in `ForecastTraining`; asked to stop, it stops at its next step, and
what speaks goes on speaking. If the process dies, the next one begins with that site again; sites
that are done are not done again that night.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as clock
from typing import Final

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from threadpoolctl import threadpool_limits

from flow.forecasts import patterns, versions
from flow.forecasts.challenge import (
    OLD,
    SHORT,
    SPOKEN,
    Comparison,
    as_challenger,
    would_have_scored,
)
from flow.forecasts.clock import DAY, minute_of, moment_of
from flow.forecasts.following import clock_before
from flow.forecasts.hazards import FITS
from flow.forecasts.history import Stays
from flow.forecasts.learnt import learnt
from flow.forecasts.level import untried
from flow.forecasts.listed import nobody
from flow.forecasts.predicting import levels_at
from flow.forecasts.reading import COUNTED, read
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.forecasts.sampling import told_from
from flow.forecasts.training import Trained, Trial, train, tried
from flow.forecasts.versions import Live, New
from flow.models import ForecastModel, ForecastScore, ForecastTraining
from wards.models import Movement, Site, Ward

log = logging.getLogger("flow.forecasts")

NIGHT: Final = clock(2, 30)
"""The local time from which on sites are learnt anew."""
BACK: Final = timedelta(days=730)
"""How much history is learnt from."""
AGAIN: Final = timedelta(hours=1)
"""After a failure a site without a model is tried again no sooner."""
MORNING: Final = 8
"""The local hour whose forecasts models are compared by."""
_LOCK: Final = 0x6C65726E
"""The advisory lock under which is learnt ("lern")."""
_STEPS: Final = 5 + FITS
"""Reading, trying, comparing, `FITS` + 1 fits, levels and patterns."""

Kind, Verdict = ForecastModel.Kind, ForecastModel.Verdict
State, Step = ForecastTraining.State, ForecastTraining.Step


class Stopped(Exception):
    """Somebody asked for it."""


class Progress:
    """Tells how far a training is, and whether to go on."""

    def __init__(self, row: ForecastTraining) -> None:
        self._row = row
        self._rows = ForecastTraining.objects.filter(pk=row.pk)
        self._done = 0

    def reached(self, step: Step) -> None:
        """A step begins. Raises `Stopped` where somebody asked to stop."""
        done = min(self._done, _STEPS - 1)
        self._rows.update(step=step, done=done, heard_at=timezone.now())
        self._done += 1
        log.info("learning site %s: %s, %s of %s", self._row.site_id, step, done, _STEPS)
        if self._rows.filter(stop_asked=True).exists():
            raise Stopped


def due(*, now: datetime) -> list[Site]:
    """Sites with wards that count that no readable model speaks for, and those that were not
    learnt anew since the last night began; the former first."""
    night = _night_before(now)
    sites = Site.objects.filter(wards__kind__in=COUNTED, wards__same_as=None).distinct()
    first, others = [], []
    for site in sites.order_by("position", "pk"):
        last = ForecastTraining.objects.filter(site=site).order_by("-started_at").first()
        begun = last is not None and not _died(last)
        if versions.live(site.pk) is None:
            if last is None or not begun or last.started_at < now - AGAIN:
                first.append(site)
        elif last is None or not begun or last.started_at < night:
            others.append(site)
    return first + others


def _died(training: ForecastTraining) -> bool:
    """Whether it was cut short; asked with the lock in hand, when nobody is learning."""
    if training.state == State.RUNNING:
        return True
    return training.state == State.STOPPED and not training.stop_asked


def _night_before(now: datetime) -> datetime:
    day = timezone.localtime(now).date()
    night = timezone.make_aware(datetime.combine(day, NIGHT))
    if night > now:
        night = timezone.make_aware(datetime.combine(day - timedelta(days=1), NIGHT))
    return night


def learn_due(*, now: Callable[[], datetime] = timezone.now) -> list[ForecastTraining]:
    """Learn every site that is due, one after the other; what became of each. Nothing where
    another process is at it. A site's failure is logged and leaves the others alone."""
    with _alone() as mine:
        return [_learn(site, at=now(), always=False) for site in due(now=now())] if mine else []


def learn(site: Site, *, at: datetime) -> ForecastTraining | None:
    """Learn one site now, whether or not it is due; None where another process is at it."""
    with _alone() as mine:
        return _learn(site, at=at, always=True) if mine else None


def ask_to_stop(training: int) -> bool:
    """Ask a training that runs to stop at its next step; whether there is one."""
    rows = ForecastTraining.objects.filter(pk=training, state=State.RUNNING)
    return bool(rows.update(stop_asked=True))


@contextmanager
def _alone() -> Iterator[bool]:
    # Of the session, not of a transaction: one that lasts for minutes would keep old rows alive.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [got] = cursor.fetchone() or (False,)
        try:
            yield bool(got)
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _learn(site: Site, *, at: datetime, always: bool) -> ForecastTraining:
    # Whatever still stands as running died with its process: the lock is ours.
    ForecastTraining.objects.filter(site=site, state=State.RUNNING).update(
        state=State.STOPPED, finished_at=at
    )
    row = ForecastTraining.objects.create(site=site, started_at=at, heard_at=at, steps=_STEPS)
    try:
        live, movement = versions.live(site.pk), _last_movement()
        if not always and live is not None and not _is_news(site, live):
            return _over(row, State.UNCHANGED)
        with threadpool_limits(limits=settings.FORECAST_THREADS):
            model = _learnt(site, live, Progress(row), at=at, movement=movement)
    except Stopped:
        return _over(row, State.STOPPED)
    except Exception:
        log.exception("site %s was not learnt", site.pk)
        return _over(row, State.FAILED)
    return _over(row, State.DONE, model)


def _over(
    row: ForecastTraining, state: ForecastTraining.State, model: ForecastModel | None = None
) -> ForecastTraining:
    row.refresh_from_db(fields=["done", "stop_asked"])
    row.state, row.model, row.finished_at = state, model, max(timezone.now(), row.started_at)
    row.done = row.steps if state == State.DONE else row.done
    row.save(update_fields=["state", "model", "finished_at", "done"])
    return row


def _last_movement() -> int:
    return Movement.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _is_news(site: Site, live: Live) -> bool:
    """Whether anything was recorded of the site since its last model was learnt."""
    last = ForecastModel.objects.filter(site=site).order_by("-number").first()
    known = max(live.row.movement, last.movement if last else 0)
    wards = Ward.objects.filter(site=site)
    return Movement.objects.filter(pk__gt=known, ward__in=wards).exists()


@dataclass(frozen=True, slots=True)
class _Span:
    """What is learnt from: minutes."""

    since: int
    until: int


def _learnt(
    site: Site, live: Live | None, progress: Progress, *, at: datetime, movement: int
) -> ForecastModel:
    begun = time.monotonic()
    progress.reached(Step.READING)
    history = read(site, since=at - BACK, at=at)
    until = minute_of(at)
    span = _Span(min(until, max(told_from(history, until=until), minute_of(at - BACK))), until)
    progress.reached(Step.TRYING)
    trial = tried(history, since=span.since, until=span.until)
    progress.reached(Step.COMPARING)
    verdict, compared = _verdict(site, live, trial, history, span, at=at)
    new = New(
        learnt=None,
        kind=_kind(trial),
        verdict=verdict,
        learnt_from=moment_of(span.since),
        learnt_until=moment_of(span.until),
        departures=_departures(history, span),
        movement=movement,
        seconds=0.0,
        floor_loss=trial.losses[0] if trial and trial.losses else None,
        boosted_loss=trial.losses[1] if trial and trial.losses else None,
        own_loss=compared.own if compared else None,
        live_loss=compared.live if compared else None,
        compared=compared.forecasts if compared else 0,
    )
    trained = None
    if verdict != Verdict.LOST:
        trained = train(
            history, since=span.since, until=span.until, trial=trial,
            say=lambda _: progress.reached(Step.LEARNING),
        )  # fmt: skip
        kind = Kind.FLOOR if trained.voice is trained.floor else Kind.BOOSTED
        new = replace(new, kind=kind, learnt=learnt(trained, history, at=until))
    progress.reached(Step.FOLLOWING)
    return _kept(site, replace(new, seconds=time.monotonic() - begun), trained, history, at=at)


def _kind(trial: Trial | None) -> Kind:
    return Kind.FLOOR if trial is None or trial.voice is trial.floor else Kind.BOOSTED


def _verdict(
    site: Site, live: Live | None, trial: Trial | None, history: Stays, span: _Span, *, at: datetime
) -> tuple[Verdict, Comparison | None]:
    if live is None:
        return Verdict.FIRST, None
    if trial is None or span.until - span.since < SHORT * DAY:
        return Verdict.YOUNG, None
    found = _compared(site, live, trial, history, span, at=at)
    return (Verdict.WON if found and found.is_won else Verdict.LOST), found


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
    first = minute_of(new.learnt_from)
    if trained is None:
        levels = None
    elif trained.until - trained.since < SHORT * DAY:
        # The days that it was learnt from say nothing more about how sure it may be.
        levels = untried(trained.departures)
    else:
        levels = levels_at(trained.voice, history, minute_of(until), since=first)
    ways = patterns.learn(history, nobody(), since=first, at=minute_of(at))
    with transaction.atomic():
        model = versions.keep(site, new, at=at)
        if levels is not None:
            versions.keep_levels(model, levels, at=until)
        versions.keep_patterns(site, ways, at=at)
    return model


def _departures(history: Stays, span: _Span) -> int:
    ended = history.ended(np.arange(len(history)), np.full(len(history), span.until))
    return int(np.sum((ended > span.since) & (ended <= span.until)))
