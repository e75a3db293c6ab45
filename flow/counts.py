"""Counting wards at a moment, set-based: two thousand beds in one query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from flow.bed_sql import common
from flow.figure_types import Figures
from flow.moment import Moment
from flow.reading import read

LONDON: Final = ZoneInfo("Europe/London")

NUMBERS: Final = tuple(f.name for f in fields(Figures) if f.name not in ("as_at", "stale"))
"""The names of the figures that are plain numbers, in their order."""


class Clock(StrEnum):
    """The three clocks by which beds are counted; their figures are never mixed.

    LIVE: now. SITREP: 08:00, as the bed lines of the NHS England urgent and emergency care
    daily situation report are a snapshot at 08:00 on the day of reporting. KH03: 00:00, as the
    quarterly KH03 return counts occupied overnight beds at midnight.
    """

    LIVE = "live"
    SITREP = "sitrep"
    KH03 = "kh03"


_HOURS: Final = {Clock.SITREP: time(8), Clock.KH03: time(0)}


@dataclass(frozen=True, slots=True)
class Count:
    """The figures of one ward. `longest_wait`: since when the first of `waiting` waits."""

    ward: int
    figures: Figures
    longest_wait: datetime | None


def stale_after() -> timedelta:
    """The age from which a figure no longer passes for the present (setting
    `FIGURES_STALE_AFTER`, three minutes unless set)."""
    age: timedelta = getattr(settings, "FIGURES_STALE_AFTER", timedelta(minutes=3))
    return age


def frozen_moment(day: date, clock: Clock) -> datetime:
    """The instant at which `clock` counts on `day` in England. Raises ValueError for LIVE."""
    if clock not in _HOURS:
        raise ValueError("the live clock has no fixed time of day")
    return datetime.combine(day, _HOURS[clock], LONDON)


def frozen(day: date, clock: Clock, *, wards: Collection[int] | None = None) -> list[Count]:
    """The census of a day by the SitRep or the KH03 clock, from the facts as known now.

    Raises ValueError for the live clock.
    """
    return count(Moment(frozen_moment(day, clock)), wards=wards)


def count(moment: Moment, *, wards: Collection[int] | None = None) -> list[Count]:
    """Every ward's figures at the moment (of `wards`, or of all), by key; one query.

    Wards that turned out to be another ward are left out: what was said of them counts there.
    """
    if wards is not None and not wards:
        return []
    sql = _sql(moment, everywhere=wards is None)
    return [
        Count(ward, Figures(*[*numbers, moment.at]), longest_wait)
        for ward, longest_wait, *numbers in read(
            sql, moment.params | {"wards": sorted(wards or ())}
        )
    ]


def total(figures: Iterable[Figures], *, empty_at: datetime) -> Figures:
    """The sum; as old as its oldest part, stale if any part is. `empty_at`: its time if none."""
    parts: Sequence[Figures] = list(figures)
    sums = {name: sum(getattr(part, name) for part in parts) for name in NUMBERS}
    return Figures(
        **sums,
        as_at=min((part.as_at for part in parts), default=empty_at),
        stale=any(part.stale for part in parts),
    )


def _sql(moment: Moment, *, everywhere: bool) -> str:
    chosen = "w.same_as_id IS NULL" if everywhere else "w.id = ANY(%(wards)s)"
    waits = "kind IN ('admit', 'transfer')"
    return f"""
WITH {common(moment, everywhere=everywhere)},
by_bed AS (
    SELECT ward_id,
           count(*) FILTER (WHERE state IN ('occupied', 'available', 'unready')) AS open,
           count(*) FILTER (WHERE state = 'occupied') AS occupied,
           count(*) FILTER (WHERE state = 'available') AS available,
           count(*) FILTER (WHERE state = 'unready') AS unready,
           count(*) FILTER (WHERE state = 'closed') AS closed,
           count(*) FILTER (WHERE state = 'not_opened') AS not_opened,
           count(*) FILTER (WHERE state IN ('occupied', 'available', 'unready')
                              AND funding = 'escalation') AS escalation
      FROM beds GROUP BY ward_id
),
by_patient AS (
    SELECT o.ward_id, count(*) AS patients,
           count(*) FILTER (WHERE o.bed_id IS NULL) AS bedless,
           count(*) FILTER (WHERE o.bed_id IS NOT NULL
                              AND coalesce(b.state, 'unlisted') = 'unlisted') AS unlisted,
           count(*) FILTER (WHERE o.bed_id IS NULL AND o.wanted_bed_id IS NOT NULL) AS clashes,
           count(*) FILTER (WHERE o.on_leave) AS on_leave
      FROM occupied o LEFT JOIN beds b ON b.id = o.bed_id AND b.ward_id = o.ward_id
     GROUP BY o.ward_id
),
in_need AS (
    SELECT counts_on AS ward_id, count(*) AS waiting, min(lower(period)) AS longest
      FROM asked WHERE {waits} GROUP BY counts_on
),
leaving AS (
    SELECT leaves AS ward_id,
           count(*) FILTER (WHERE {waits} AND origin IS DISTINCT FROM target
                              AND origin IS NOT NULL) AS waiting_out,
           count(*) FILTER (WHERE kind = 'discharge') AS discharges
      FROM asked GROUP BY leaves
)
SELECT w.id, n.longest,
       coalesce(b.open, 0), coalesce(b.occupied, 0), coalesce(b.available, 0),
       coalesce(b.unready, 0), coalesce(b.closed, 0), coalesce(b.not_opened, 0),
       coalesce(b.escalation, 0), coalesce(p.patients, 0), coalesce(p.bedless, 0),
       coalesce(p.unlisted, 0), coalesce(p.clashes, 0), coalesce(p.on_leave, 0),
       coalesce(n.waiting, 0), coalesce(l.waiting_out, 0), coalesce(l.discharges, 0)
  FROM wards_ward w
  LEFT JOIN by_bed b ON b.ward_id = w.id
  LEFT JOIN by_patient p ON p.ward_id = w.id
  LEFT JOIN in_need n ON n.ward_id = w.id
  LEFT JOIN leaving l ON l.ward_id = w.id
 WHERE {chosen}
 ORDER BY w.id
"""  # noqa: S608 - the values travel as parameters
