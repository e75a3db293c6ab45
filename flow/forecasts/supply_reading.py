"""Reads the beds of a site for the hours ahead, by the rules of the boards (`flow.bed_sql`).

What a bed will be is asked of the same question that boards ask of the present, for each hour ahead
in which something planned begins or ends: a closure, an opening of an escalation bed, a period in
which a bed exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from flow.bed_sql import common
from flow.forecasts.clock import HOUR, minute_of, moment_of
from flow.forecasts.history import WardFacts
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Mark, MarkKind
from flow.forecasts.paths import bed_wards
from flow.forecasts.supply import SEXES, Supply
from flow.moment import Moment, held
from flow.reading import read
from wards.models import Site, Ward

_OPEN: Final = ("available", "unready")
_CLOSURE: Final = (MarkKind.CLOSURE_BEGINS, MarkKind.CLOSURE_ENDS)
_OPENING: Final = (MarkKind.OPENING_BEGINS, MarkKind.OPENING_ENDS)


def read_supply(site: Site, *, at: datetime, known_at: datetime | None = None) -> Supply:
    """The site's beds as is planned for the hours after `at`; `known_at`: as was known then (now
    unless given). Four queries, and one for each hour in which something planned changes."""
    wards = bed_wards_of(site)
    ahead = Horizon(minute_of(at))
    now = _states(wards, Moment(at, known_at))
    usable = np.zeros((len(now), HOURS), dtype=bool)
    usable[:, :] = np.array([row[3] in _OPEN for row in now], dtype=bool).reshape(-1, 1)
    planned = list(_planned(wards, Moment(at, known_at)))
    moments = {minute for minute, *_ in planned} | _in_use(wards, Moment(at, known_at))
    for hour in sorted({ahead.at_or_after(minute) for minute in moments} - {HOURS}):
        then = _states(wards, Moment(moment_of(int(ahead.ends[hour])), known_at))
        open_then = {row[0]: row[3] in _OPEN for row in then}
        usable[:, hour:] = np.array([open_then[row[0]] for row in now]).reshape(-1, 1)
    listed = np.array([row[4] != "unlisted" for row in now], dtype=bool) | usable.any(1)
    return Supply(
        ward=np.array([row[1] for row in now], dtype=np.int64)[listed],
        sex=np.array([SEXES.index(row[2]) for row in now], dtype=np.int64)[listed],
        usable=usable[listed],
        patient=np.array([row[5] or 0 for row in now], dtype=np.int64)[listed],
        empty=np.array([row[4] in _OPEN for row in now], dtype=bool)[listed],
        unready=np.array([row[4] == "unready" for row in now], dtype=bool)[listed],
        elsewhere=frozenset(row[5] for row in now if row[4] == "unlisted" and row[5]),
        marks=_marks(planned, _announced(wards, Moment(at, known_at))),
    )


def bed_wards_of(site: Site) -> list[int]:
    """The wards that have the site's beds, by primary key; one query."""
    found = list(Ward.objects.filter(site=site, same_as=None).order_by("pk"))
    facts = [WardFacts(w.pk, w.name, w.kind, w.specialty, counts=True) for w in found]
    return [ward.key for ward, has in zip(facts, bed_wards(facts), strict=True) if has]


def _states(wards: Collection[int], moment: Moment) -> list[tuple[Any, ...]]:
    """Of each bed its key, ward, for whom it is, its state without and with a patient, and the
    episode of whoever is in it."""
    sql = f"""
WITH {common(moment)}
SELECT b.id, b.ward_id, coalesce(nullif(bay.sex, 'any'), w.sex), b.empty_state, b.state,
       o.episode_id
  FROM beds b
  JOIN wards_ward w ON w.id = b.ward_id
  LEFT JOIN wards_bay bay ON bay.id = b.bay_id
  LEFT JOIN occupied o ON o.id = b.occupancy_id
 ORDER BY b.id
"""  # noqa: S608 - the values travel as parameters
    return read(sql, moment.params | {"wards": sorted(wards)})


def _planned(
    wards: Collection[int], moment: Moment
) -> Iterator[tuple[int, MarkKind, int, int, str]]:
    """What begins or ends in the hours ahead: the minute, what it is, how many beds it concerns,
    their ward, and the reason of a closure."""
    ahead = "r.period && tstzrange(%(at)s, %(until)s)"
    sql = f"""
WITH bed AS (SELECT id, ward_id, bay_id FROM wards_bed
              WHERE ward_id = ANY(%(wards)s) AND same_as_id IS NULL AND is_recognised)
SELECT 'closure', c.period, count(*), c.ward_id, c.reason
  FROM {held("wards_closure", moment, ahead)} c
  JOIN bed ON bed.ward_id = c.ward_id
   AND coalesce(c.bed_id = bed.id, c.bay_id = bed.bay_id, c.bed_id IS NULL AND c.bay_id IS NULL)
 GROUP BY c.id, c.period, c.ward_id, c.reason
 UNION ALL
SELECT 'opening', o.period, count(*), bed.ward_id, ''
  FROM {held("wards_opening", moment, ahead)} o JOIN bed ON bed.id = o.bed_id
 GROUP BY o.period, bed.ward_id
"""  # noqa: S608 - the values travel as parameters
    until = moment.at + timedelta(hours=HOURS + 1)
    for what, period, beds, ward, reason in read(
        sql, moment.params | {"wards": sorted(wards), "until": until}
    ):
        kinds = _CLOSURE if what == "closure" else _OPENING
        for kind, bound in zip(kinds, (period.lower, period.upper), strict=True):
            if bound is not None and moment.at < bound <= until:
                yield minute_of(bound), kind, beds, ward, reason


def _in_use(wards: Collection[int], moment: Moment) -> set[int]:
    """The minutes at which beds begin or cease to exist in the hours ahead."""
    sql = """
SELECT bound FROM wards_bed b, unnest(ARRAY[lower(b.in_use), upper(b.in_use)]) bound
 WHERE b.ward_id = ANY(%(wards)s) AND bound > %(at)s AND bound <= %(until)s
"""
    until = moment.at + timedelta(hours=HOURS + 1)
    rows = read(sql, moment.params | {"wards": sorted(wards), "until": until})
    return {minute_of(bound) for (bound,) in rows}


def _announced(wards: Collection[int], moment: Moment) -> list[tuple[int, int]]:
    """For each discharge that is announced, the minute for which it is planned, or the next one
    where the plan names none that is still to come, and the ward."""
    sql = f"""
SELECT e.expected_discharge_at, o.ward_id
  FROM {held("wards_bedrequest", moment)} r
  JOIN {held("wards_occupancy", moment)} o ON o.episode_id = r.episode_id
  JOIN {held("patients_episode", moment, _ASKED)} e ON e.id = r.episode_id
 WHERE r.kind = 'discharge' AND o.ward_id = ANY(%(wards)s)
"""  # noqa: S608 - the values travel as parameters
    soon = minute_of(moment.at) + 1
    return [
        (max(soon, minute_of(plan)) if plan else soon, ward)
        for plan, ward in read(sql, moment.params | {"wards": sorted(wards)})
    ]


_ASKED: Final = """r.id IN (SELECT episode_id FROM wards_bedrequest WHERE kind = 'discharge')"""


def _marks(
    planned: Collection[tuple[int, MarkKind, int, int, str]],
    announced: Collection[tuple[int, int]],
) -> tuple[Mark, ...]:
    """What is drawn on a time line, in order of time."""
    discharges = Counter((minute // HOUR * HOUR, ward) for minute, ward in announced)
    soonest = {
        (minute // HOUR * HOUR, ward): minute for minute, ward in sorted(announced, reverse=True)
    }
    marks = [Mark(*row) for row in planned]
    marks += [
        Mark(soonest[key], MarkKind.DISCHARGE, number, key[1]) for key, number in discharges.items()
    ]
    return tuple(sorted(marks, key=lambda mark: (mark.minute, mark.kind, mark.ward or 0)))
