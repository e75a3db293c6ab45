"""Which forecast a page speaks of, as it was issued, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.forecasts.clock import Minutes, minute_of
from flow.forecasts.outlook import Outlook, Pool
from flow.forecasts.stored import Issued, UnknownFormat, read
from flow.models import Forecast, ForecastModel, ForecastTraining
from flow.reading import read as rows_of
from wards.models import Site

STALE_AFTER: Final = timedelta(minutes=80)
"""Forecasts are issued each hour, and within a quarter of an hour after it at the latest."""
TRACE: Final = timedelta(hours=12)
"""How far back free beds are drawn before a forecast begins."""
_GAP: Final = timedelta(hours=6)
"""Between forecasts further apart than this nothing is said of the beds in between."""


@dataclass(frozen=True)
class Told:
    """A forecast as it was issued, and its row (without the bytes)."""

    row: Forecast
    issued: Issued

    @property
    def outlook(self) -> Outlook | None:
        """What it says of beds; None where it says nothing of them."""
        return self.issued.outlook

    def is_stale(self, now: datetime) -> bool:
        """Whether a newer one should be there."""
        return now - self.row.at > STALE_AFTER


def told(site: int, *, at: datetime | None = None) -> Told | None:
    """The latest forecast of a site, or the last one made of a moment up to `at`; None where there
    is none that this version can read. One query."""
    rows = Forecast.objects.filter(site=site).select_related("model").defer("model__blob")
    if at is not None:
        rows = rows.filter(at__lte=at)
    row = rows.order_by("-at").first()
    if row is None:
        return None
    try:
        issued = read(row.said, bytes(row.arrays), at=minute_of(row.at), format=row.format)
    except UnknownFormat:
        return None
    return Told(row, issued)


@dataclass(frozen=True, slots=True)
class Seen:
    """Beds that were free at a minute, as counted by the forecast made then. gap: so long after the
    one before that nothing joins the two."""

    minute: int
    free: int
    gap: bool = False


def free_beds_counted(site: int, pool: Pool, *, since: datetime, until: datetime) -> list[Seen]:
    """The free beds of a pool from `since` to `until`, as forecasts of these moments counted them:
    of each full hour of the last four weeks, before that of the hours of the record. One query."""
    sql = """
SELECT f.at, (pool->>'free_now')::int
  FROM flow_forecast f, jsonb_array_elements(f.said->'beds'->'pools') pool
 WHERE f.site_id = %(site)s AND f.at BETWEEN %(since)s AND %(until)s
   AND pool->>'kind' = %(kind)s AND pool->>'key' = %(key)s
 ORDER BY f.at
"""
    params = {
        "site": site, "since": since, "until": until, "kind": pool.kind.value, "key": pool.key,
    }  # fmt: skip
    found: list[Seen] = []
    before: datetime | None = None
    for at, free in rows_of(sql, params):
        found.append(Seen(minute_of(at), free, before is not None and at - before > _GAP))
        before = at
    return found


def at_ends(seen: Sequence[Seen], ends: Minutes) -> list[int | None]:
    """Of each of these moments the free beds counted at that very minute; None where nothing was."""
    counted = {one.minute: one.free for one in seen}
    return [counted.get(int(end)) for end in ends]


def training_now(site: Site) -> ForecastTraining | None:
    """The training of a site that is under way; None where there is none. One query."""
    rows = ForecastTraining.objects.filter(site=site, state=ForecastTraining.State.RUNNING)
    return rows.order_by("-started_at").first()


def speaks(site: Site) -> ForecastModel | None:
    """The model that speaks for a site now, without what it learnt; one query."""
    rows = ForecastModel.objects.filter(
        site=site, live_from__isnull=False, live_until__isnull=True
    )
    return rows.defer("blob").first()
