"""How fast patients leave these days, followed for the model that speaks: once a day, at 08:00.

The day that ended then is set beside what the model says of it (`flow.forecasts.level`), with what
was known at its end. The result is kept, so that a forecast needs no history.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db import transaction

from flow.days import last_clock
from flow.forecasts import versions
from flow.forecasts.clock import minute_of
from flow.forecasts.level import Levels
from flow.forecasts.predicting import day_over
from flow.forecasts.reading import read
from flow.forecasts.versions import Live
from wards.models import Site

CLOCK: Final = time(8)
"""The local time at which a day ends that is followed."""
_MOST: Final = 60
"""Days after which a gap is left as it is."""


def clock_before(at: datetime) -> datetime:
    """The last 08:00, local time, up to `at`."""
    return last_clock(CLOCK, by=at).astimezone(UTC)


def levels_now(site: Site, live: Live, *, at: datetime) -> Levels:
    """The levels of the model as followed until the last 08:00; a day that has been missed is made
    up for. Three queries where nothing is to be done but read them."""
    until = clock_before(at)
    found = versions.levels(live.row, at=at)
    if found is None:
        return Levels()
    begin, levels = found
    if begin >= until:
        return levels
    begin = max(begin, until - timedelta(days=_MOST))
    learnt = live.learnt
    history = learnt.numbered(read(site, since=begin, at=at))
    while begin < until:
        # From 08:00 to 08:00: an hour more or less where the clock changes.
        end = clock_before(begin + timedelta(hours=26))
        first, last = minute_of(begin), minute_of(end)
        day = day_over(learnt.trained.voice, history, first, last, known=last)
        levels, begin = levels.after(day), end
    with transaction.atomic():
        versions.keep_levels(live.row, levels, at=until)
    return levels
