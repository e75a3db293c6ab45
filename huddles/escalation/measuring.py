"""The values of parameters that Flowboard's own data tell, at a moment; the others are told.

What is counted, of each parameter (NHS England, OPEL framework 2023/24 and Integrated OPEL
framework 2024 to 2026 name them; where their exact counting rule could not be confirmed, ours is
said here and on the page):

- `four_hour_performance`: of the attendances that have ended since midnight, the share that
  lasted at most four hours, from arrival in the department until leaving it.
- `attendance_variation`: attendances begun since midnight against the mean of the same hours of
  the same weekday in the six weeks before, in per cent more. Not told with fewer than two such
  weeks that the records hold whole.
- `majors_resus_occupancy`: patients in the majors and resuscitation bays (by the code or name of
  the bay) and those cared for in the department's corridor, over the open places of these bays.
- `over_twelve_hours`: of the patients in the department, the share that arrived more than twelve
  hours ago.
- `ga_occupancy`: occupied general and acute beds over the open ones, wards as in the daily
  situation report.
- `escalation_beds`: of the open general and acute beds, the share that is escalation.
- `no_criteria_to_reside`: of the occupied general and acute beds, the share whose patient meets
  none. It is from the time by which half of these patients had last been reviewed.

A value is from now, or from when the site's feeds were last heard once they have fallen silent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flow.bed_sql import common
from flow.beginning import records
from flow.counts import LONDON
from flow.feeds import feed_states
from flow.moment import Moment
from flow.reading import read_as
from flow.returns.definitions import in_force as return_in_force
from huddles.opel.scoring import Told
from wards.models import Site, Ward

OURS: Final = frozenset(
    {
        "four_hour_performance",
        "attendance_variation",
        "majors_resus_occupancy",
        "over_twelve_hours",
        "ga_occupancy",
        "escalation_beds",
        "no_criteria_to_reside",
    }
)
"""Parameters that our data can tell."""
COMPUTED: Final = "computed"
WEEKS: Final = 6
LEAST_WEEKS: Final = 2
FOUR_HOURS: Final = timedelta(hours=4)
TWELVE_HOURS: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Beds:
    site: int
    open: int
    occupied: int
    escalation: int
    not_residing: int
    majors: int
    in_majors: int


@dataclass(frozen=True, slots=True)
class _Department:
    site: int
    ended: int
    in_time: int
    here: int
    over_twelve: int


@dataclass(frozen=True, slots=True)
class _Attended:
    site: int
    week: int
    number: int


@dataclass(frozen=True, slots=True)
class _Reviewed:
    site: int
    as_at: datetime | None


def measured(sites: Collection[Site], *, at: datetime) -> dict[int, dict[str, Told]]:
    """What our data tell of each site at `at`, by its key and the parameter; a fixed number of
    queries however many sites and beds there are."""
    keys = [site.pk for site in sites]
    general, emergency = _wards(keys, at)
    states = feed_states(now=at)
    moments = {
        site: state.heard_at
        for site, state in states.items()
        if state.silent and state.heard_at is not None
    }
    found: dict[int, dict[str, Told]] = {key: {} for key in keys}

    def tell(site: int, code: str, part: float, whole: float, as_at: datetime | None) -> None:
        if whole and as_at is not None and site in found:
            heard = min(as_at, moments.get(site, at))
            found[site][code] = Told(round(100 * part / whole, 1), heard, COMPUTED)

    reviewed = {one.site: one.as_at for one in _reviews(general, at)}
    for beds in _counted(general, emergency, at):
        tell(beds.site, "ga_occupancy", beds.occupied, beds.open, at)
        tell(beds.site, "escalation_beds", beds.escalation, beds.open, at)
        tell(
            beds.site, "no_criteria_to_reside", beds.not_residing, beds.occupied,
            reviewed.get(beds.site),
        )  # fmt: skip
        tell(beds.site, "majors_resus_occupancy", beds.in_majors, beds.majors, at)
    for one in _departments(emergency, at):
        tell(one.site, "four_hour_performance", one.in_time, one.ended, at)
        # Nobody there is nobody over twelve hours.
        tell(one.site, "over_twelve_hours", one.over_twelve, one.here or 1, at)
    for site, variation in _variation(emergency, at).items():
        tell(site, "attendance_variation", variation, 1, at)
    return found


def _wards(sites: Sequence[int], at: datetime) -> tuple[list[int], list[int]]:
    """The general and acute wards, and the emergency departments."""
    definition = return_in_force("sitrep", at.astimezone(LONDON).date())
    assert definition is not None  # one comes with Flowboard, valid since 2024
    rows = Ward.objects.filter(site__in=sites, same_as=None)
    general, emergency = [], []
    for key, kind, specialty in rows.values_list("pk", "kind", "specialty").order_by("pk"):
        if kind == Ward.Kind.EMERGENCY:
            emergency.append(key)
        elif (
            kind in definition.wards["general"] and specialty not in definition.excluded_specialties
        ):
            general.append(key)
    return general, emergency


_MAJORS: Final = """(b.ward_id = ANY(%(emergency)s) AND
       (upper(bay.code) IN ('RES', 'RESUS', 'MAJ', 'MAJORS')
        OR bay.name ILIKE 'resus%%' OR bay.name ILIKE 'majors%%'))"""
_OPEN: Final = "b.state IN ('occupied', 'available', 'unready')"


def _counted(general: list[int], emergency: list[int], at: datetime) -> list[_Beds]:
    moment = Moment(at)
    ours = "b.ward_id = ANY(%(general)s)"
    corridor = "(b.ward_id = ANY(%(emergency)s) AND 'corridor' = ANY(b.features))"
    sql = f"""
WITH {common(moment)}
SELECT w.site_id AS site,
       count(*) FILTER (WHERE {ours} AND {_OPEN}) AS open,
       count(*) FILTER (WHERE {ours} AND b.state = 'occupied') AS occupied,
       count(*) FILTER (WHERE {ours} AND {_OPEN} AND b.funding = 'escalation') AS escalation,
       count(*) FILTER (WHERE {ours} AND b.state = 'occupied' AND EXISTS (
           SELECT 1 FROM patients_readiness ready
            WHERE ready.episode_id = o.episode_id
              AND ready.period @> %(at)s::timestamptz)) AS not_residing,
       count(*) FILTER (WHERE {_MAJORS} AND NOT {corridor} AND {_OPEN}) AS majors,
       count(*) FILTER (WHERE ({_MAJORS} OR {corridor}) AND b.state = 'occupied') AS in_majors
  FROM beds b
  JOIN wards_ward w ON w.id = b.ward_id
  LEFT JOIN wards_bay bay ON bay.id = b.bay_id
  LEFT JOIN occupied o ON o.id = b.occupancy_id
 GROUP BY w.site_id
"""  # noqa: S608 - conditions of this module; the values travel as parameters
    asked = {"general": general, "emergency": emergency, "wards": [*general, *emergency]}
    return read_as(_Beds, sql, moment.params | asked)


def _departments(emergency: list[int], at: datetime) -> list[_Department]:
    """Attendances by how they stand; a site with a department has a row also when it is empty."""
    sql = """
WITH stays AS (
    SELECT w.site_id AS site, o.episode_id,
           min(lower(o.period)) AS came, max(coalesce(upper(o.period), 'infinity')) AS went
      FROM wards_occupancy o JOIN wards_ward w ON w.id = o.ward_id
     WHERE o.ward_id = ANY(%(emergency)s)
       AND lower(o.period) <= %(at)s
       AND o.episode_id IN (
           SELECT r.episode_id FROM wards_occupancy r
            WHERE r.ward_id = ANY(%(emergency)s)
              AND r.period && tstzrange(%(midnight)s, %(at)s, '[]'))
     GROUP BY w.site_id, o.episode_id
)
SELECT places.site,
       count(*) FILTER (WHERE went <= %(at)s AND went >= %(midnight)s) AS ended,
       count(*) FILTER (WHERE went <= %(at)s AND went >= %(midnight)s
                          AND went - came <= %(four)s) AS in_time,
       count(*) FILTER (WHERE went > %(at)s) AS here,
       count(*) FILTER (WHERE went > %(at)s AND %(at)s - came > %(twelve)s) AS over_twelve
  FROM (SELECT DISTINCT site_id AS site FROM wards_ward WHERE id = ANY(%(emergency)s)) places
  LEFT JOIN stays ON stays.site = places.site
 GROUP BY places.site
"""
    asked: dict[str, Any] = {"emergency": emergency, "at": at, "midnight": _midnight(_day(at))}
    return read_as(_Department, sql, asked | {"four": FOUR_HOURS, "twelve": TWELVE_HOURS})


def _variation(emergency: list[int], at: datetime) -> Mapping[int, float]:
    """How many times more have come since midnight than usual, by site."""
    whole = records(at=at).complete
    days = [(week, _day(at) - timedelta(weeks=week)) for week in range(WEEKS + 1)]
    windows = [
        (week, _midnight(day), _same_hour(day, at))
        for week, day in days
        if week == 0 or (whole is not None and _midnight(day) >= whole)
    ]
    sql = """
SELECT w.site_id AS site, spans.week, count(DISTINCT o.episode_id) AS number
  FROM unnest(%(weeks)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
       AS spans(week, start, "end")
  JOIN wards_occupancy o ON o.period && tstzrange(spans.start, spans."end")
   AND lower(o.period) >= spans.start AND o.ward_id = ANY(%(emergency)s)
  JOIN wards_ward w ON w.id = o.ward_id
 WHERE NOT EXISTS (SELECT 1 FROM wards_occupancy before
                    WHERE before.episode_id = o.episode_id
                      AND before.ward_id = ANY(%(emergency)s)
                      AND lower(before.period) < spans.start)
 GROUP BY w.site_id, spans.week
"""
    asked = {
        "emergency": emergency,
        "weeks": [one[0] for one in windows],
        "starts": [one[1] for one in windows],
        "ends": [one[2] for one in windows],
    }
    counted = {(one.site, one.week): one.number for one in read_as(_Attended, sql, asked)}
    past = [week for week, _start, _end in windows if week]
    if len(past) < LEAST_WEEKS:
        return {}
    found = {}
    for site in {site for site, _week in counted}:
        usual = sum(counted.get((site, week), 0) for week in past) / len(past)
        if usual:
            found[site] = counted.get((site, 0), 0) / usual - 1
    return found


def _reviews(general: list[int], at: datetime) -> list[_Reviewed]:
    """By when half of the patients in general and acute beds had last been reviewed."""
    sql = """
SELECT site, nullif(percentile_disc(0.5) WITHIN GROUP (ORDER BY latest DESC),
                    '-infinity'::timestamptz) AS as_at
  FROM (SELECT w.site_id AS site,
               coalesce((SELECT max(r.occurred_at) FROM patients_review r
                          WHERE r.episode_id = o.episode_id AND r.occurred_at <= %(at)s),
                        '-infinity') AS latest
          FROM wards_occupancy o JOIN wards_ward w ON w.id = o.ward_id
         WHERE o.ward_id = ANY(%(general)s) AND o.bed_id IS NOT NULL
           AND o.period @> %(at)s::timestamptz) patients
 GROUP BY site
"""
    return read_as(_Reviewed, sql, {"general": general, "at": at})


def _day(at: datetime) -> date:
    return at.astimezone(LONDON).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)


def _same_hour(day: date, at: datetime) -> datetime:
    return datetime.combine(day, at.astimezone(LONDON).time(), LONDON)
