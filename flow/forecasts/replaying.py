"""Replays the past of a site: what it would have said, had its forecasts begun earlier.

For a hospital that has loaded its history, so that the record of how right forecasts are does not
begin empty. The days are gone through in their order, as the worker would have: a model is learnt
each night and goes live by the same rule, and a forecast is issued at each hour asked for, all from
what had been recorded by then and nothing later. Two things differ. `issued_at` says when it was
really written down, so that whoever reads can tell (`accuracy.Spoke`). And which beds
there are, open and closed, is taken as known now: history says nothing of that.

Only before a site has forecasts of its own: mixed with those, nobody could tell which was which.
All of a site is kept at once, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock
from typing import Final

from django.db import transaction
from django.utils import timezone

from flow.days import at_clock
from flow.forecasts import scoring
from flow.forecasts.hazards import Effort
from flow.forecasts.issuing import issue
from flow.forecasts.learning import NIGHT, alone, learn_alone
from flow.forecasts.recorded import STANDARD_HOURS
from flow.models import ForecastModel, ForecastTraining
from wards.models import Site

MOST: Final = timedelta(days=366)
"""How far back is replayed at most."""


class CannotReplay(Exception):
    """The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many models were learnt, and how many forecasts issued."""

    models: int
    forecasts: int


def replay(
    site: Site,
    *,
    since: datetime,
    now: datetime,
    hours: Collection[int] = STANDARD_HOURS,
    effort: Effort = Effort(),  # noqa: B008 - frozen
    say: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Issue what the site would have said from `since` to `now` at these local hours, and score it.

    Raises CannotReplay where the site has forecasts, another process is learning, or learning
    failed; then nothing of the site is kept.
    """
    if not since < now or now - since > MOST:
        raise CannotReplay(f"Choose a beginning within the last {MOST.days} days.")
    steps = sorted(_steps(since, now, hours))
    models = forecasts = 0
    with alone() as mine, transaction.atomic():
        if not mine:
            raise CannotReplay("Another process is learning. Try again when it is done.")
        if ForecastModel.objects.filter(site=site).exists():
            raise CannotReplay(
                f"{site.code} has forecasts of its own already; only what was before the first can "
                "be replayed."
            )
        for number, (at, learns) in enumerate(steps):
            what = "learning" if learns else "forecast"
            say(f"{100 * number // len(steps)} %: {what} of {timezone.localtime(at):%-d %b %H:%M}")
            if learns:
                _learn(site, at, effort)
                models += 1
            else:
                forecasts += issue(site, at=at, is_past=True) is not None
    say("scoring")
    scoring.score_site(site, since=since, now=now)
    return Replayed(models, forecasts)


def _learn(site: Site, at: datetime, effort: Effort) -> None:
    done = learn_alone(site, at=at, effort=effort)
    if done.state != ForecastTraining.State.DONE:
        raise CannotReplay(f"{site.code} could not be learnt as of {at}; the log says why.")


def _steps(
    since: datetime, now: datetime, hours: Collection[int]
) -> Iterator[tuple[datetime, bool]]:
    """The moments and whether it is learnt then: at the beginning and each night; else a forecast
    is issued. Where both fall on one moment, the forecast comes first, as the worker's would."""
    begin = since.replace(second=0, microsecond=0)
    yield begin, True
    for day in range((now - begin).days + 2):
        clocks = [(clock(hour), False) for hour in hours] + [(NIGHT, True)]
        for one, learns in clocks:
            if begin < (at := at_clock(begin, one, days=day)) < now:
                yield at, learns
