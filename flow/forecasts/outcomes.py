"""What came of what was foretold, from the facts as they are known when it is asked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from flow.counts import count
from flow.forecasts.clock import minute_reached
from flow.forecasts.history import NOT_YET
from flow.moment import Moment
from flow.reading import read

_LEFT: Final = """
WITH here AS (SELECT w.id FROM wards_ward w WHERE w.site_id = %(site)s),
runs AS (
    SELECT o.episode_id, unnest(range_agg(o.period)) AS period
      FROM wards_occupancy o
     WHERE o.episode_id = ANY(%(episodes)s) AND o.ward_id IN (SELECT id FROM here)
     GROUP BY o.episode_id)
SELECT r.episode_id,
       (SELECT upper(r2.period) FROM runs r2
         WHERE r2.episode_id = r.episode_id AND r2.period @> %(at)s::timestamptz),
       max(upper(r.period)) FILTER (WHERE upper(r.period) <= %(at)s),
       bool_or(r.period @> %(at)s::timestamptz)
  FROM runs r GROUP BY r.episode_id
"""


def left_at(site: int, episodes: Collection[int], *, at: datetime) -> dict[int, int]:
    """When each of these patients, who were believed to be at the site at `at`, left it, in
    minutes; NOT_YET where they are still there. One query.

    Somebody of whom it was learnt later that they had gone before has left at once, at the time
    that is now known. Stays of which nothing is left (they turned out to be part of another, or
    never to have been) are not in the answer.
    """
    found = {}
    for episode, ended, before, there in read(
        _LEFT, {"site": site, "episodes": list(episodes), "at": at}
    ):
        if there:
            found[episode] = NOT_YET if ended is None else minute_reached(ended)
        elif before is not None:
            found[episode] = minute_reached(before)
    return found


def beds_free(wards: Collection[int], *, at: datetime) -> dict[int, int]:
    """Free beds of each of these wards at a moment, as `outlook.Fan` counts them: open beds without
    a patient, being cleaned included, less the patients without a bed. One query."""
    return {
        counted.ward: counted.figures.beds_available
        + counted.figures.beds_unready
        - counted.figures.bedless
        for counted in count(Moment(at), wards=wards)
    }
