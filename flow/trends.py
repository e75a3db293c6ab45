"""Occupied beds through the last day, from what is recorded of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from flow.board_types import Trend
from flow.moment import Moment, held
from flow.reading import read

STEP: Final = timedelta(minutes=15)
SPAN: Final = timedelta(hours=24)


def quarter_before(at: datetime) -> datetime:
    """The last full quarter of an hour up to `at`."""
    return at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % STEP


def last_day(sites: Collection[int], *, wards: Collection[int], moment: Moment) -> dict[int, Trend]:
    """Patients in a bed on `wards` each quarter of the last 24 hours, by site; one query.

    The last value is of the last full quarter up to the moment. Only beds on the books at the
    time count, as in the census. A site without such wards has a trend of zeros.
    """
    start = quarter_before(moment.at) - SPAN
    last = SPAN // STEP
    changes = {site: [0] * (last + 1) for site in sites}
    near = held("wards_occupancy", moment, "r.period && tstzrange(%(start)s, %(at)s, '[]')")
    # Each span adds one at the first quarter it holds and takes it away at the first after it.
    sql = f"""
WITH spans AS (
    SELECT w.site_id, o.period * coalesce(b.in_use, tstzrange(NULL, NULL)) AS period
      FROM {near} o
      JOIN wards_bed b ON b.id = o.bed_id AND b.is_recognised AND b.same_as_id IS NULL
      JOIN wards_ward w ON w.id = b.ward_id
     WHERE b.ward_id = ANY(%(wards)s)
),
edges AS (
    SELECT site_id, lower(period) AS at, 1 AS change FROM spans WHERE NOT isempty(period)
    UNION ALL
    SELECT site_id, upper(period), -1 FROM spans
     WHERE NOT isempty(period) AND upper(period) IS NOT NULL
)
SELECT site_id,
       greatest(0, ceil(extract(epoch FROM at - %(start)s) / %(step)s))::int AS quarter,
       sum(change)::int
  FROM edges GROUP BY site_id, quarter
"""  # noqa: S608 - the values travel as parameters
    params = {"wards": sorted(wards), "start": start, "step": STEP.total_seconds()}
    for site, quarter, change in read(sql, moment.params | params):
        if site in changes and quarter <= last:
            changes[site][quarter] += change
    return {
        site: Trend(start=start, step=STEP, occupied=tuple(accumulate(steps)))
        for site, steps in changes.items()
    }
