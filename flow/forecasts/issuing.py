"""Issues forecasts: at every full hour, and in between when something has changed.

A note (`ForecastDue`), written in the transaction in which the wards concerned are counted, says
that what is foretold of a site may have changed. `issue_due` issues what is due and takes away
exactly the notes it had read, so that a note written meanwhile is the next one's work, and nothing
is lost with a queue or a worker.

A forecast speaks from a full minute, `at`, and from nothing that was recorded later; that it is
written down some seconds afterwards changes nothing in it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Max

from flow.forecasts import learnt, versions
from flow.forecasts.clock import minute_of
from flow.forecasts.composing import composed
from flow.forecasts.following import levels_now
from flow.forecasts.forecasting import inputs_of, outlook_of
from flow.forecasts.history import Stays
from flow.forecasts.inputs import Inputs
from flow.forecasts.learnt import Unreadable, packed, unpacked
from flow.forecasts.level import Levels
from flow.forecasts.predicting import leaving
from flow.forecasts.reading import read_present
from flow.forecasts.recorded import is_standard
from flow.forecasts.stored import FORMAT, Issued, written
from flow.forecasts.versions import Live
from flow.models import Forecast, ForecastDue, ForecastInputs, ForecastModel
from live.doorbell import ring
from wards.models import Site

log = logging.getLogger("flow.forecasts")

PAUSE: Final = timedelta(minutes=5)
"""The least time between two forecasts of a site within an hour."""
LATE: Final = timedelta(minutes=15)
"""So long after the full hour its forecast can still be issued, from what was known then."""
_LOCK: Final = 0x666F7265
"""The advisory lock under which a site's forecast is issued ("fore"), with the site's key."""


@dataclass(frozen=True, slots=True)
class Due:
    """A site of which a forecast is due, of which moment, and the notes that ask for it."""

    site: int
    at: datetime
    notes: tuple[int, ...]


def issue_due(*, now: datetime) -> list[int]:
    """Issue every forecast that is due; the sites concerned. One site's failure is logged and
    leaves the others alone. Safe with any number of workers."""
    issued = []
    for due in _due(now):
        try:
            if _issue_due(due):
                issued.append(due.site)
        except Exception:
            log.exception("no forecast of site %s", due.site)
    return issued


def _due(now: datetime) -> list[Due]:
    """Three queries."""
    live = ForecastModel.objects.filter(live_from__isnull=False, live_until__isnull=True)
    learnt_at = dict(live.values_list("site", "trained_at"))
    sites = list(learnt_at)
    last = dict(
        Forecast.objects.filter(site__in=sites).values_list("site").annotate(last=Max("at"))
    )
    notes: dict[int, list[int]] = {}
    for pk, site in ForecastDue.objects.values_list("pk", "site"):
        notes.setdefault(site, []).append(pk)
    minute = now.replace(second=0, microsecond=0)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = []
    for site in sites:
        before = last.get(site)
        mine = tuple(notes.get(site, ()))
        if minute < learnt_at[site]:
            continue  # how patients come and go counts from when it was learnt with the model
        if before is None or (
            before < hour and (now - hour > LATE or hour < learnt_at[site] <= minute)
        ):
            found.append(Due(site, minute, mine))
        elif before < hour:
            # Its notes may tell of what came after the hour: they are kept for the next one.
            found.append(Due(site, hour, ()))
        elif mine and minute - before >= PAUSE:
            found.append(Due(site, minute, mine))
    return found


def _issue_due(due: Due) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, due.site])
            [got] = cursor.fetchone() or (False,)
        if not got or Forecast.objects.filter(site=due.site, at__gte=due.at).exists():
            return False
        site = Site.objects.get(pk=due.site)
        if issue(site, at=due.at) is None:
            return False
        ForecastDue.objects.filter(pk__in=due.notes).delete()
    return True


def issue(
    site: Site, *, at: datetime, issued_at: datetime | None = None, is_past: bool = False
) -> Forecast | None:
    """Say what is foretold of a site from what was known at `at`, a full minute of about now, and
    keep it; None where no model speaks. Its boards are rung on commit. issued_at: the database's
    clock without it. is_past: the minute is long past (`replaying`).

    Raises IntegrityError where one was issued of that minute already.
    """
    live = versions.live(site.pk)
    if live is None:
        return None
    said = foretold(site, live, at=at, is_past=is_past)
    document, arrays = written(said.issued)
    low, high = said.levels.common.interval
    with transaction.atomic():
        row = Forecast.objects.create(
            site=site,
            at=at,
            is_standard=is_standard(said.issued.at),
            model=live.row,
            patients=len(said.issued.patients),
            level=said.levels.common.mean,
            level_low=low,
            level_high=high,
            format=FORMAT,
            said=document,
            arrays=arrays,
            **({} if issued_at is None else {"issued_at": issued_at}),
        )
        if said.inputs is not None:
            _keep_inputs(row, said.inputs)
        transaction.on_commit(lambda: ring([f"forecast:{site.pk}", "forecasts"]))
    return row


@dataclass(frozen=True)
class Foretold:
    """What is to be kept, with the levels in it and what beds were worked out from (None before the
    first training has looked at how patients come and go)."""

    issued: Issued
    levels: Levels
    inputs: Inputs | None


def foretold(
    site: Site,
    live: Live,
    *,
    at: datetime,
    known_at: datetime | None = None,
    is_past: bool = False,
) -> Foretold:
    """What a model says of a site from what was known at `at`, which is about now. known_at: beds
    and what is planned for them as known then, where that is some time ago."""
    minute = minute_of(at)
    raw = read_present(site, at=at)
    history = live.learnt.numbered(raw)
    levels = levels_now(site, live, at=at)
    said = leaving(live.learnt.trained.voice, levels, history, minute)
    patterns = versions.patterns(site.pk, at=at)
    inputs = None
    if patterns is not None:
        inputs = inputs_of(site, history, said, patterns, known_at=known_at, is_past=is_past)
    told = None if inputs is None else outlook_of(inputs)
    return Foretold(
        composed(said, history, _specialties(raw, minute), inputs, told), levels, inputs
    )


def _specialties(history: Stays, minute: int) -> list[str]:
    """The code of each stay's specialty, those unknown to the model included."""
    everyone = np.arange(len(history))
    codes = history.codes["specialty"]
    return [codes[n] for n in history.code("specialty", everyone, np.full(everyone.size, minute))]


def _keep_inputs(row: Forecast, inputs: Inputs) -> None:
    """What the latest forecast was worked out from, so that "what if" starts from the same."""
    ForecastInputs.objects.update_or_create(
        site_id=row.site_id,
        defaults={
            "forecast": row,
            "format": learnt.FORMAT,
            "libraries": learnt.LIBRARIES,
            "blob": packed(inputs),
        },
    )


def inputs_kept(site: int) -> tuple[Forecast, Inputs] | None:
    """The latest forecast of a site, without its arrays, and what it was worked out from; None
    where there is none that this version can read. One query."""
    rows = ForecastInputs.objects.select_related("forecast__model")
    row = rows.defer("forecast__arrays", "forecast__model__blob").filter(site=site).first()
    if row is None:
        return None
    try:
        blob = bytes(row.blob)
        return row.forecast, unpacked(Inputs, blob, format=row.format, libraries=row.libraries)
    except Unreadable:
        return None
