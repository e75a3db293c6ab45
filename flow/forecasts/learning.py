"""Learns sites anew, each night and at once where no model speaks.

One site after the other, by one process at a time (a lock in PostgreSQL, held for as long as it
works). How far it is stands in `ForecastTraining`; asked to stop, it stops at its next step, and
what speaks goes on speaking. If the process dies, the next one begins with that site again; sites
that are done are not done again that night.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from flow.days import last_clock
from flow.forecasts import versions
from flow.forecasts.hazards import Effort
from flow.forecasts.reading import COUNTED
from flow.forecasts.site_learning import learn_site, steps
from flow.forecasts.versions import Live
from flow.models import ForecastModel, ForecastTraining
from wards.models import Movement, Site, Ward

log = logging.getLogger("flow.forecasts")

NIGHT: Final = time(2, 30)
"""The local time from which on sites are learnt anew."""
AGAIN: Final = timedelta(hours=1)
"""After a failure a site without a model is tried again no sooner."""
_LOCK: Final = 0x6C65726E
"""The advisory lock under which is learnt ("lern")."""


Say = Callable[[str], None]


class Stopped(Exception):
    """Somebody asked for it."""


class Progress:
    """Tells how far a training is, and whether to go on. say: told the same as the log."""

    def __init__(self, row: ForecastTraining, say: Say = lambda _: None) -> None:
        self._row = row
        self._say = say
        self._rows = ForecastTraining.objects.filter(pk=row.pk)
        self._done = 0

    def reached(self, step: ForecastTraining.Step) -> None:
        """A step begins. Raises `Stopped` where somebody asked to stop."""
        done = min(self._done, self._row.steps - 1)
        self._rows.update(step=step, done=done, heard_at=timezone.now())
        self._done += 1
        log.info("learning site %s: %s, %s of %s", self._row.site_id, step, done, self._row.steps)
        self._say(f"{100 * done // self._row.steps} %: {step.label}")
        if self._rows.filter(stop_asked=True).exists():
            raise Stopped


def due(*, now: datetime) -> list[Site]:
    """Sites with wards that count that no readable model speaks for, and those that were not
    learnt anew since the last night began; the former first."""
    night = last_clock(NIGHT, by=now)
    sites = Site.objects.filter(wards__kind__in=COUNTED, wards__same_as=None).distinct()
    first, others = [], []
    for site in sites.order_by("position", "pk"):
        last = ForecastTraining.objects.filter(site=site).order_by("-started_at").first()
        begun = last is not None and not _died(last)
        if versions.live(site.pk) is None:
            # What was learnt and cannot be read, after an upgrade, is learnt anew at once.
            learnt = last is not None and last.state == ForecastTraining.State.DONE
            if last is None or not begun or learnt or last.started_at < now - AGAIN:
                first.append(site)
        elif last is None or not begun or last.started_at < night:
            others.append(site)
    return first + others


def _died(training: ForecastTraining) -> bool:
    """Whether it was cut short; asked with the lock in hand, when nobody is learning."""
    if training.state == ForecastTraining.State.RUNNING:
        return True
    return training.state == ForecastTraining.State.STOPPED and not training.stop_asked


def learn_due(*, now: Callable[[], datetime] = timezone.now) -> list[ForecastTraining]:
    """Learn every site that is due, one after the other; what became of each. Nothing where
    another process is at it. A site's failure is logged and leaves the others alone."""
    with alone() as mine:
        return [_learn(site, at=now(), always=False) for site in due(now=now())] if mine else []


def learn(
    site: Site,
    *,
    at: datetime,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Say = lambda _: None,
) -> ForecastTraining | None:
    """Learn one site now, whether or not it is due; None where another process is at it."""
    with alone() as mine:
        return learn_alone(site, at=at, effort=effort, say=say) if mine else None


def learn_alone(
    site: Site,
    *,
    at: datetime,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Say = lambda _: None,
) -> ForecastTraining:
    """The same for who is `alone` already."""
    return _learn(site, at=at, always=True, effort=effort, say=say)


def ask_to_stop(training: int) -> bool:
    """Ask a training that runs to stop at its next step; whether there is one."""
    rows = ForecastTraining.objects.filter(pk=training, state=ForecastTraining.State.RUNNING)
    return bool(rows.update(stop_asked=True))


@contextmanager
def alone() -> Iterator[bool]:
    """Be the only process that learns; whether that is so."""
    # Of the session, not of a transaction: one that lasts for minutes would keep old rows alive.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [got] = cursor.fetchone() or (False,)
        try:
            yield bool(got)
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _learn(
    site: Site,
    *,
    at: datetime,
    always: bool,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Say = lambda _: None,
) -> ForecastTraining:
    # Whatever still stands as running died with its process: the lock is ours.
    ForecastTraining.objects.filter(site=site, state=ForecastTraining.State.RUNNING).update(
        state=ForecastTraining.State.STOPPED, finished_at=at
    )
    row = ForecastTraining.objects.create(
        site=site, started_at=at, heard_at=at, steps=steps(effort)
    )
    try:
        live = versions.live(site.pk)
        if not always and live is not None and not _is_news(site, live):
            return _over(row, ForecastTraining.State.UNCHANGED)
        told = Progress(row, say).reached
        model = learn_site(site, live, at=at, effort=effort, reached=told)
    except Stopped:
        return _over(row, ForecastTraining.State.STOPPED)
    except Exception:
        log.exception("site %s was not learnt", site.pk)
        return _over(row, ForecastTraining.State.FAILED)
    return _over(row, ForecastTraining.State.DONE, model)


def _over(
    row: ForecastTraining, state: ForecastTraining.State, model: ForecastModel | None = None
) -> ForecastTraining:
    row.refresh_from_db(fields=["done", "stop_asked"])
    row.state, row.model, row.finished_at = state, model, max(timezone.now(), row.started_at)
    row.done = row.steps if state == ForecastTraining.State.DONE else row.done
    row.save(update_fields=["state", "model", "finished_at", "done"])
    return row


def _is_news(site: Site, live: Live) -> bool:
    """Whether anything was recorded of the site since its last model was learnt."""
    last = ForecastModel.objects.filter(site=site).order_by("-number").first()
    known = max(live.row.movement, last.movement if last else 0)
    wards = Ward.objects.filter(site=site)
    return Movement.objects.filter(pk__gt=known, ward__in=wards).exists()
