"""Free beds as they were counted, hour by hour, by the forecasts made then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flow.forecasts.boards import ForecastBoard
from flow.forecasts.clock import HOUR, minute_of
from flow.forecasts.outlook import Pool
from flow.reading import read

TRACE: Final = timedelta(hours=12)
"""How far back free beds are drawn before a forecast begins."""
_GAP: Final = 2 * HOUR
"""Minutes: between counts further apart than this nothing is said of the beds in between. Of the
past the counts of the hours of the record alone are kept; they stand by themselves."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Beds that were free at a minute. gap: so long after the one before that no line joins the
    two."""

    minute: int
    free: int
    gap: bool = False


def counted(site: int, pool: Pool, *, since: datetime, until: datetime) -> list[Seen]:
    """The free beds of a pool from `since` to `until`, as forecasts of these moments counted them;
    one query."""
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
    return _joined((minute_of(at), free) for at, free in read(sql, params))


def after(board: ForecastBoard, came: Sequence[int | None]) -> list[Seen]:
    """The same for the hours of an earlier forecast: free beds by hour, None where not counted."""
    ends = board.ahead.ends.tolist()
    known = [(end, free) for end, free in zip(ends, came, strict=False) if free is not None]
    return _joined(known, before=minute_of(board.at))


def _joined(counts: Iterable[tuple[int, int]], before: int | None = None) -> list[Seen]:
    found = []
    for minute, free in counts:
        found.append(Seen(minute, free, before is not None and minute - before > _GAP))
        before = minute
    return found
