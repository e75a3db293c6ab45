"""Scores what was foretold once it is over: a projection of forecasts and facts, made twice a day.

What is over is scored `GRACE` after its end, so that what is told a little late is known. What is
told later still, within `LOOK_AGAIN`, makes it be scored again: scores may change, forecasts never.
Those a forecast has to beat are told beside it, of the same patients, from what was known at its
moment; but for free beds, where the past is counted as it is known now, which if anything favours
them.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from datetime import time as clock
from functools import cache
from typing import Final

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from flow.days import last_clock
from flow.forecasts import scored, versions
from flow.forecasts.baselines import WEEKS
from flow.forecasts.clock import minute_of, moment_of
from flow.forecasts.learnt import Unreadable
from flow.forecasts.outcomes import beds_free, left_at
from flow.forecasts.reading import read as read_stays
from flow.forecasts.recorded import Until, ends
from flow.forecasts.sampling import told_from
from flow.forecasts.scored import Past, Scored
from flow.forecasts.stored import read
from flow.models import Forecast, ForecastScore, ForecastScoring
from flow.reading import read as rows_of
from wards.models import Site, Ward

log = logging.getLogger("flow.forecasts")

GRACE: Final = timedelta(hours=6)
LOOK_AGAIN: Final = timedelta(days=14)
CLOCKS: Final = (clock(2), clock(14))
"""Local times from which on what is over is scored: before the night's learning, and when the
24 hours from 08:00 have been over for `GRACE`."""
_LOCK: Final = 0x73636F72
"""The advisory lock under which a site is scored ("scor"), with the site's key."""
_BEFORE: Final = timedelta(days=7 * WEEKS + 3)
_LATE: Final = timedelta(days=3)
"""What happened so long before a forecast, told late, is looked for as well."""


def score_due(*, now: datetime, patience: float = 60.0) -> int:
    """Score what is over and was not scored, or of which something was told since, for about
    `patience` seconds; how many numbers of forecasts. Safe with any number of workers; one site's
    failure is logged and leaves the others alone."""
    begun, done, over = time.monotonic(), 0, last_clock(*CLOCKS, by=now)
    for site in _sites(over):
        try:
            done += _score(site, over=over, now=now, until=begun + patience)
        except Exception:
            log.exception("site %s was not scored", site.pk)
        if time.monotonic() - begun > patience:
            break
    return done


def score_site(site: Site, *, since: datetime, now: datetime) -> int:
    """Score all forecasts of a site since then that are over and were not scored; how many numbers
    of forecasts. For a past that was replayed: `score_due` does not look back so far."""
    return _score(site, over=now, now=now, until=math.inf, since=since)


def _sites(over: datetime) -> Sequence[Site]:
    done = ForecastScoring.objects.filter(over__gte=over).values("site")
    known = Forecast.objects.filter(is_standard=True).values("site")
    return list(Site.objects.filter(pk__in=known).exclude(pk__in=done).order_by("pk"))


@dataclass(frozen=True, slots=True)
class _Todo:
    """A forecast and what of it is to be scored."""

    forecast: int
    at: datetime
    untils: tuple[Until, ...]


def _score(
    site: Site, *, over: datetime, now: datetime, until: float, since: datetime | None = None
) -> int:
    done = 0
    todo = _todo(site, over, since or over - LOOK_AGAIN)
    if todo:
        first = todo[0].at
        history = read_stays(site, since=first - _BEFORE, at=now)
        known = minute_of(now)
        begin = max(told_from(history, until=known), minute_of(first - _BEFORE))
        past = Past(history, begin, known)
    for one in todo:
        with transaction.atomic():
            if not _locked(site):
                return done
            done += _write(site, one, past, now=now)
        if time.monotonic() > until:
            return done
    ForecastScoring.objects.update_or_create(site=site, defaults={"over": over})
    return done


def _locked(site: Site) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, site.pk])
        [got] = cursor.fetchone() or (False,)
        return bool(got)


def _todo(site: Site, over: datetime, since: datetime) -> list[_Todo]:
    """What is to be scored, the first first; three queries."""
    rows = Forecast.objects.filter(site=site, is_standard=True, at__gt=since, at__lt=over)
    forecasts = list(rows.order_by("at").values_list("pk", "at"))
    scored_at = {
        (forecast, Until(until)): when
        for forecast, until, when in ForecastScore.objects.filter(
            forecast__in=[pk for pk, _ in forecasts]
        )
        .order_by()
        .values_list("forecast", "until")
        .annotate(first=Min("scored_at"))
    }
    due, looked_at = [], []
    for pk, at in forecasts:
        for until, end in ends(minute_of(at)).items():
            if moment_of(end) + GRACE > over:
                continue
            if (when := scored_at.get((pk, until))) is None:
                due.append((pk, until))
            else:
                looked_at.append((pk, until, at, moment_of(end), when))
    due += _told_late(site, looked_at)
    return [
        _Todo(pk, at, untils)
        for pk, at in forecasts
        if (untils := tuple(until for key, until in due if key == pk))
    ]


def _told_late(
    site: Site, looked_at: Collection[tuple[int, Until, datetime, datetime, datetime]]
) -> Iterator[tuple[int, Until]]:
    """Of these (forecast, until, from, to, scored when) those of which something was told since."""
    sql = """
SELECT s.forecast, s.until
  FROM unnest(%(forecasts)s::bigint[], %(untils)s::text[], %(begins)s::timestamptz[],
              %(ends)s::timestamptz[], %(scored)s::timestamptz[])
       AS s(forecast, until, begins, ends, scored)
 WHERE EXISTS (SELECT 1 FROM wards_movement m
                WHERE m.occurred_at > s.begins AND m.occurred_at <= s.ends
                  AND m.recorded_at > s.scored
                  AND (m.ward_id IS NULL OR m.ward_id = ANY(%(wards)s)))
"""
    params = {
        "forecasts": [one[0] for one in looked_at],
        "untils": [one[1].value for one in looked_at],
        "begins": [one[2] - _LATE for one in looked_at],
        "ends": [one[3] for one in looked_at],
        "scored": [one[4] for one in looked_at],
        "wards": list(Ward.objects.filter(site=site).values_list("pk", flat=True)),
    }
    for forecast, until in rows_of(sql, params) if looked_at else ():
        yield forecast, Until(until)


def _write(site: Site, todo: _Todo, past: Past, *, now: datetime) -> int:
    """Score one forecast; how many numbers."""
    row = Forecast.objects.select_related("model").defer("model__blob").get(pk=todo.forecast)
    issued = read(row.said, bytes(row.arrays), at=minute_of(row.at), format=row.format)
    try:
        learnt = versions.read(row.model)
    except Unreadable:
        whole = past
    else:
        numbered = learnt.numbered(past.history)
        whole = Past(past.history, past.since, past.known, numbered, learnt.trained.floor)
    left = left_at(site.pk, issued.patients.episodes.tolist(), at=row.at)
    wards = set(issued.outlook.site.pool.wards) if issued.outlook else set()

    @cache
    def free(minute: int) -> dict[int, int]:
        return beds_free(wards, at=moment_of(minute))

    found: list[Scored] = []
    for until in todo.untils:
        found += scored.departures(issued, until, left, whole)
        found += scored.admissions(issued, until, whole)
        found += scored.free_beds(issued, until, free, whole)
        found += scored.waits(issued, until, whole)
    ForecastScore.objects.filter(forecast=row, until__in=todo.untils).delete()
    local = timezone.localtime(row.at)
    ForecastScore.objects.bulk_create(
        ForecastScore(
            forecast=row, site=site, day=local.date(), hour=local.hour, what=one.what,
            until=one.until, part=one.part, key=one.key, speaker=one.speaker, scored_at=now,
            **asdict(one.tally),
        )
        for one in found
    )  # fmt: skip
    return len(found)
