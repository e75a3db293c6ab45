"""How right forecasts have been: the score table, beside what they have to beat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from flow.board_types import Sight
from flow.forecasts import drift
from flow.forecasts.drift import Recent, Sign
from flow.forecasts.recorded import Part, Speaker, Until, What
from flow.forecasts.tallies import BINS
from flow.reading import read
from wards.models import Site, Ward

DAYS: Final = 28
"""Days that are told of unless others are asked for."""
MOST_DAYS: Final = 731
MORNING: Final = 8


class By(StrEnum):
    """What the table tells apart."""

    WARD = "ward"
    SPECIALTY = "specialty"
    HOUR = "hour"
    UNTIL = "horizon"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be told. first, last: days, both included, by the moment of the forecast. hours:
    local hours of it; empty for all. until: not looked at where the table tells them apart."""

    first: date
    last: date
    what: What = What.DEPARTURES
    until: Until = Until.DAY
    hours: tuple[int, ...] = ()
    by: By | None = None

    @property
    def part(self) -> Part:
        """Whose scores are added up."""
        parts = {By.WARD: Part.WARD, By.SPECIALTY: Part.SPECIALTY}
        return Part.SITE if self.by is None else parts.get(self.by, Part.SITE)


@dataclass(frozen=True, slots=True)
class Tenth:
    """Of patients whose chance lay in `[low, high)`: how many, the mean of what was said, and the
    share for whom it came true."""

    low: float
    high: float
    patients: int
    said: float
    seen: float


@dataclass(frozen=True, slots=True)
class Scores:
    """How right one speaker was; losses, so less is better. None where nothing was scored.

    patients: single chances, with log_score (nats) and brier, the mean chance (`chance`), the share
    for whom it came true (`came`) and `tenths`. forecasts: distributions of a number, with the
    means of what was said and seen, crps, mae, bias (said less seen), all in patients or beds, and
    the share of central 50, 80 and 90 % intervals that held what was seen.
    """

    speaker: Speaker
    patients: int
    log_score: float | None
    brier: float | None
    chance: float | None
    came: float | None
    tenths: tuple[Tenth, ...]
    forecasts: int
    said: float | None
    seen: float | None
    crps: float | None
    mae: float | None
    bias: float | None
    within_50: float | None
    within_80: float | None
    within_90: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """The speakers about one site, ward, specialty, hour or horizon. key: of the latter four (of a
    ward its primary key); code, label: of a ward its own."""

    site: Site
    key: str
    code: str
    label: str
    speakers: tuple[Scores, ...]


@dataclass(frozen=True, slots=True)
class Spoke:
    """A model that spoke in that time: its number at the site, how many of the forecasts, and how
    many of these were written down later than an hour after their moment: replayed, from what had
    been known at it."""

    site: Site
    number: int
    kind: str
    forecasts: int
    replayed: int


@dataclass(frozen=True, slots=True)
class Drift:
    """What somebody should look at, of a site, and how fast patients leave beside what was
    learnt (with the 90 % interval)."""

    site: Site
    signs: tuple[Sign, ...]
    level: float
    level_low: float
    level_high: float


@dataclass(frozen=True, slots=True)
class AccuracyBoard:
    """The table, which models spoke, and what should be looked at now. hidden: sites in part of
    which the viewer sees wards: their totals tell of wards out of sight and are left out."""

    asked: Asked
    rows: tuple[Row, ...]
    models: tuple[Spoke, ...]
    drifts: tuple[Drift, ...]
    hidden: tuple[Site, ...]


def accuracy_board(
    sites: Collection[Site], asked: Asked, *, now: datetime, sight: Sight
) -> AccuracyBoard:
    """The scores of these sites, as far as the viewer may see; five queries."""
    known = {site.pk: site for site in sites}
    wards: dict[int, dict[int, Ward]] = defaultdict(dict)
    for ward in Ward.objects.filter(site__in=known, same_as=None).order_by("position", "name"):
        wards[ward.site_id][ward.pk] = ward
    whole = {pk for pk in known if all(sight.sees(ward) for ward in wards[pk])}
    rows = [
        row
        for row in _rows(known, asked, wards)
        if row.site.pk in whole or (asked.part is Part.WARD and sight.sees(int(row.key)))
    ]
    return AccuracyBoard(
        asked=asked,
        rows=tuple(rows),
        models=tuple(_spoke(known, asked)),
        drifts=tuple(_drifts({pk: known[pk] for pk in whole}, now=now)),
        hidden=tuple(site for pk, site in known.items() if pk not in whole),
    )


def _tenths(column: str) -> str:
    return ", ".join(f"sum({column}[{n}])" for n in range(1, BINS + 1))


_SUMS: Final = f"""
       sum(patients), sum(log_sum), sum(brier_sum), sum(forecasts),
       sum(said * forecasts), sum(seen * forecasts), sum(crps),
       sum(abs(said - seen) * forecasts), sum(within_50), sum(within_80), sum(within_90),
       {_tenths("bin_patients")}, {_tenths("bin_said")}, {_tenths("bin_came")}
"""
_KEYS: Final[Mapping[By | None, str]] = {
    None: "''",
    By.WARD: "key",
    By.SPECIALTY: "key",
    By.HOUR: "hour::text",
    By.UNTIL: "until",
}


def _rows(
    sites: Mapping[int, Site], asked: Asked, wards: Mapping[int, Mapping[int, Ward]]
) -> Sequence[Row]:
    sql = f"""
SELECT site_id, {_KEYS[asked.by]} AS told_apart, speaker, {_SUMS}
  FROM flow_forecastscore
 WHERE site_id = ANY(%(sites)s) AND part = %(part)s AND what = %(what)s
   AND day >= %(first)s AND day <= %(last)s
   AND (%(hours)s::int[] = '{{}}' OR hour = ANY(%(hours)s))
   AND (%(every_until)s OR until = %(until)s)
 GROUP BY 1, 2, 3
"""  # noqa: S608 - the values travel as parameters
    params = {
        "sites": list(sites),
        "part": asked.part.value,
        "what": asked.what.value,
        "first": asked.first,
        "last": asked.last,
        "hours": list(asked.hours),
        "every_until": asked.by is By.UNTIL,
        "until": asked.until.value,
    }
    found: dict[tuple[int, str], dict[str, Scores]] = defaultdict(dict)
    for site, key, speaker, *sums in read(sql, params):
        found[site, key][speaker] = _scores(Speaker(speaker), sums)
    return [
        _row(sites[site], key, said, wards[site] if asked.by is By.WARD else {})
        for (site, key), said in sorted(
            found.items(), key=lambda one: _order(one[0], asked, list(sites), wards)
        )
    ]


def _row(site: Site, key: str, said: Mapping[str, Scores], wards: Mapping[int, Ward]) -> Row:
    ward = wards.get(int(key)) if wards else None
    return Row(
        site=site,
        key=key,
        code="" if ward is None else ward.code,
        label="" if ward is None else ward.name,
        speakers=tuple(said[who] for who in Speaker if who in said),
    )


def _order(
    place: tuple[int, str], asked: Asked, sites: list[int], wards: Mapping[int, Mapping[int, Ward]]
) -> tuple[int, int, str]:
    site, key = place
    number = 0
    if asked.by is By.WARD:
        listed = list(wards[site])
        number = listed.index(int(key)) if int(key) in listed else len(listed)
    elif asked.by is By.HOUR:
        number = int(key)
    elif asked.by is By.UNTIL:
        number = [until.value for until in Until].index(key)
    return sites.index(site), number, key


def _scores(speaker: Speaker, sums: Sequence[Any]) -> Scores:
    patients, log_sum, brier, forecasts, said, seen, crps, error, *rest = sums
    within, bins = rest[:3], rest[3:]
    counts, chances, came = (bins[n * BINS : (n + 1) * BINS] for n in range(3))

    def mean(total: float, number: int) -> float | None:
        return float(total) / number if number else None

    return Scores(
        speaker=speaker,
        patients=patients,
        log_score=mean(log_sum, patients),
        brier=mean(brier, patients),
        chance=mean(sum(chances), patients),
        came=mean(sum(came), patients),
        tenths=tuple(
            Tenth(n / BINS, (n + 1) / BINS, counts[n], chances[n] / counts[n], came[n] / counts[n])
            for n in range(BINS)
            if counts[n]
        ),
        forecasts=forecasts,
        said=mean(said, forecasts),
        seen=mean(seen, forecasts),
        crps=mean(crps, forecasts),
        mae=mean(error, forecasts),
        bias=mean(said - seen, forecasts),
        within_50=mean(within[0], forecasts),
        within_80=mean(within[1], forecasts),
        within_90=mean(within[2], forecasts),
    )


def _spoke(sites: Mapping[int, Site], asked: Asked) -> Sequence[Spoke]:
    sql = """
SELECT m.site_id, m.number, m.kind, count(*),
       count(*) FILTER (WHERE f.issued_at > f.at + interval '1 hour')
  FROM flow_forecastmodel m
  JOIN (SELECT DISTINCT s.forecast_id FROM flow_forecastscore s
         WHERE s.site_id = ANY(%(sites)s) AND s.day >= %(first)s AND s.day <= %(last)s
           AND s.part = 'site') told ON true
  JOIN flow_forecast f ON f.id = told.forecast_id AND f.model_id = m.id
 GROUP BY m.id ORDER BY m.site_id, m.number DESC
"""
    params = {"sites": list(sites), "first": asked.first, "last": asked.last}
    return [Spoke(sites[site], *rest) for site, *rest in read(sql, params)]


_RECENT: Final = f"""
SELECT site_id, speaker, sum(patients)::int, sum(log_sum), sum(forecasts)::int, sum(within_90)::int
  FROM flow_forecastscore
 WHERE site_id = ANY(%(sites)s) AND day > %(first)s AND hour = {MORNING}
   AND what = '{What.DEPARTURES}' AND until = '{Until.DAY}' AND part = '{Part.SITE}'
 GROUP BY 1, 2
"""  # noqa: S608 - words of our own


def _drifts(sites: Mapping[int, Site], *, now: datetime) -> Sequence[Drift]:
    """Two queries."""
    sql = """
SELECT s.id, f.level, f.level_low, f.level_high
  FROM unnest(%(sites)s::bigint[]) AS s(id)
 CROSS JOIN LATERAL (SELECT level, level_low, level_high FROM flow_forecast
                      WHERE site_id = s.id AND at <= %(now)s ORDER BY at DESC LIMIT 1) f
"""
    levels = {site: rest for site, *rest in read(sql, {"sites": list(sites), "now": now})}
    first = (now - timedelta(days=drift.DAYS + 1)).date()
    recent: dict[int, dict[str, Recent]] = defaultdict(dict)
    for site, speaker, *sums in read(_RECENT, {"sites": list(sites), "first": first}):
        recent[site][speaker] = Recent(*sums)
    return [
        Drift(site, _signs(levels[pk], recent[pk]), *levels[pk])
        for pk, site in sites.items()
        if pk in levels
    ]


def _signs(level: Sequence[float], recent: Mapping[str, Recent]) -> tuple[Sign, ...]:
    own = recent.get(Speaker.FORECAST)
    others = [recent[who] for who in (Speaker.KAPLAN_MEIER, Speaker.PLAN) if who in recent]
    return drift.signs(level[0], level[1], level[2], own, others)
