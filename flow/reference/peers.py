"""Our own figures beside those published of other trusts.

Ours are counted as the national returns count them (`flow.returns`): bed lines and long stays at
08:00, criteria to reside over the day. Theirs are of the days that were published, which may be
years ago, and are never passed off as today's. Figures that look wrong are left out, and how many
is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from flow.beginning import records
from flow.counts import LONDON, Clock, frozen_moment
from flow.models import ReferenceBody, ReferenceFile
from flow.reading import read, read_as
from flow.returns.counting import counted, window
from flow.returns.definitions import Kind, in_force

OUR_DAYS: Final = 7
THEIR_DAYS: Final = 28
SIZE: Final = "ga-open"
"""The measure by which peers are of a size."""
FEWEST: Final = 3
"""Days with a figure that a peer must have to be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure that we and the nation count alike.

    part, whole: measures of the national series, the figure being part over whole; ours_part,
    ours_whole: lines of our return of the kind `ours`. same_day: the whole is published with the
    part; else the last published number of beds stands for it. days_back: our return of a day
    tells of so many days before.
    """

    slug: str
    label: str | Promise
    of: str | Promise
    part: str
    whole: str
    ours: Kind
    ours_part: str
    same_day: bool = True
    ours_whole: str = "ga_occupied"
    days_back: int = 0


_OCCUPIED: Final = _("of occupied general and acute beds")
COMPARISONS: Final = (
    Comparison(
        "occupancy",
        _("Occupied general and acute beds"),
        _("of open general and acute beds"),
        "ga-occupied",
        "ga-open",
        "sitrep",
        "ga_occupied",
        ours_whole="ga_open",
    ),
    Comparison(
        "nctr",
        _("No criteria to reside"),
        _("of open general and acute beds"),
        "nctr",
        SIZE,
        "discharge",
        "nctr",
        same_day=False,
        ours_whole="ga_open",
        days_back=1,
    ),
    Comparison(
        "stay-7",
        _("In hospital 7 days or more"),
        _OCCUPIED,
        "stay-7",
        "ga-occupied",
        "sitrep",
        "los_7",
    ),
    Comparison(
        "stay-14",
        _("In hospital 14 days or more"),
        _OCCUPIED,
        "stay-14",
        "ga-occupied",
        "sitrep",
        "los_14",
    ),
    Comparison(
        "stay-21",
        _("In hospital 21 days or more"),
        _OCCUPIED,
        "stay-21",
        "ga-occupied",
        "sitrep",
        "los_21",
    ),
)
BY_SLUG: Final = {one.slug: one for one in COMPARISONS}


@dataclass(frozen=True, slots=True)
class Available:
    """From when to when a measure is published of trusts."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Peer:
    """One body's figures over the days of reference. low, high: eight in ten days lie between.
    days: with a figure; doubtful, missing: days left out. size: open beds as last published, and
    sized_on, when."""

    code: str
    name: str
    low: float
    middle: float
    high: float
    days: int
    doubtful: int
    missing: int
    size: float | None
    sized_on: date | None

    @property
    def short(self) -> str:
        """The name without what all trusts are called."""
        for ending in (" NHS Foundation Trust", " NHS Trust"):
            if self.name.lower().endswith(ending.lower()):
                return self.name[: -len(ending)].rstrip(", ")
        return self.name or self.code


@dataclass(frozen=True, slots=True)
class Ours:
    """Our figures of the last days, the last of them last: (day, part, whole)."""

    days: tuple[tuple[date, float, float], ...]
    beds_open: float | None

    def values(self, *, share: bool) -> list[float]:
        """The figures to compare."""
        return [part / whole if share else part for _day, part, whole in self.days if whole]


@dataclass(frozen=True, slots=True)
class Rank:
    """Where we stand: how many peers are below; percentile, those at the same count half."""

    below: int
    equal: int
    peers: int

    @property
    def percentile(self) -> int:
        """0 to 100."""
        return round(100 * (self.below + self.equal / 2) / self.peers)


def available(measures: Collection[str]) -> dict[str, Available]:
    """When each measure has figures of trusts; one query."""
    sql = """
SELECT m.slug,
       (SELECT v.date FROM flow_referencevalue v JOIN flow_referencebody b ON b.id = v.body_id
         WHERE v.measure_id = m.id AND v.value IS NOT NULL AND b.kind = 'trust'
         ORDER BY v.date LIMIT 1),
       (SELECT v.date FROM flow_referencevalue v JOIN flow_referencebody b ON b.id = v.body_id
         WHERE v.measure_id = m.id AND v.value IS NOT NULL AND b.kind = 'trust'
         ORDER BY v.date DESC LIMIT 1)
  FROM flow_referencemeasure m WHERE m.slug = ANY(%(measures)s)
"""
    rows = read(sql, {"measures": sorted(measures)})
    return {slug: Available(first, last) for slug, first, last in rows if first is not None}


_SIZES: Final = """(
    SELECT b.id, b.code, b.kind, max(last.date) AS sized_on,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY last.value) AS size
      FROM flow_referencebody b
      JOIN flow_referencemeasure m ON m.slug = %(size)s
     CROSS JOIN LATERAL (
           SELECT v.date, v.value FROM flow_referencevalue v
            WHERE v.measure_id = m.id AND v.body_id = b.id
              AND v.value IS NOT NULL AND v.doubt = ''
            ORDER BY v.date DESC LIMIT 28) last
     GROUP BY b.id)"""


def nearest(beds: float, others: Sequence[Peer], *, number: int) -> list[Peer]:
    """Those whose number of open beds is nearest, in the order they came in; those of which it is
    not published are left out."""
    sized = [(abs(peer.size - beds), peer.code) for peer in others if peer.size is not None]
    chosen = {code for _far, code in sorted(sized)[:number]}
    return [peer for peer in others if peer.code in chosen]


def peers(
    comparison: Comparison,
    *,
    codes: Collection[str] | None,
    first: date,
    last: date,
    share: bool,
) -> list[Peer]:
    """The figures of these bodies (None: of every trust) between two days, the highest first;
    one query. Those with fewer than three days of figures are left out."""
    whole = "v.value" if not share else "v.value / nullif(w.value, 0)"
    if share and not comparison.same_day:
        whole = "v.value / nullif(sizes.size, 0)::numeric"
    sql = f"""
WITH figures AS (
  SELECT v.body_id, {whole} AS figure, v.value IS NULL AS missing,
         v.doubt <> '' OR coalesce(w.doubt, '') <> '' AS doubtful
    FROM flow_referencevalue v
    JOIN flow_referencemeasure m ON m.id = v.measure_id AND m.slug = %(part)s
    JOIN flow_referencebody b ON b.id = v.body_id
    LEFT JOIN flow_referencemeasure wm ON wm.slug = %(whole)s AND %(same_day)s
    LEFT JOIN flow_referencevalue w
         ON w.measure_id = wm.id AND w.body_id = v.body_id AND w.date = v.date
    LEFT JOIN {_SIZES} sizes ON sizes.id = b.id
   WHERE v.date BETWEEN %(first)s AND %(last)s
     AND CASE WHEN %(every)s THEN b.kind = 'trust' ELSE b.code = ANY(%(codes)s) END
)
SELECT b.code, b.name,
       (percentile_cont(0.1) WITHIN GROUP (ORDER BY figure))::float8 AS low,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY figure))::float8 AS middle,
       (percentile_cont(0.9) WITHIN GROUP (ORDER BY figure))::float8 AS high,
       told.days::int, told.doubtful::int, told.missing::int,
       sizes.size::float8 AS size, sizes.sized_on
  FROM (SELECT body_id,
               count(*) FILTER (WHERE NOT doubtful AND figure IS NOT NULL) AS days,
               count(*) FILTER (WHERE doubtful) AS doubtful,
               count(*) FILTER (WHERE missing AND NOT doubtful) AS missing
          FROM figures GROUP BY body_id) told
  JOIN flow_referencebody b ON b.id = told.body_id
  JOIN figures f ON f.body_id = told.body_id AND NOT f.doubtful
  LEFT JOIN {_SIZES} sizes ON sizes.id = b.id
 WHERE told.days >= %(fewest)s
 GROUP BY b.id, told.days, told.doubtful, told.missing, sizes.size, sizes.sized_on
 ORDER BY middle DESC, b.code
"""  # noqa: S608 - our own words; the values travel as parameters
    params = {
        "part": comparison.part,
        "whole": comparison.whole,
        "same_day": share and comparison.same_day,
        "size": SIZE,
        "first": first,
        "last": last,
        "every": codes is None,
        "codes": sorted(codes or ()),
        "fewest": FEWEST,
    }
    return read_as(Peer, sql, params)


def ours(comparison: Comparison, organisation: Organisation, *, now: datetime) -> Ours:
    """What our own returns of the last seven days say, as the facts stand now; days before the
    records begin are left out. A fixed number of queries."""
    last = now.astimezone(LONDON).date()
    if frozen_moment(last, Clock.SITREP) > now:
        last -= timedelta(days=1)
    found: list[tuple[date, float, float]] = []
    beds: float | None = None
    for back in reversed(range(OUR_DAYS)):
        day = last - timedelta(days=back)
        wanted = {"ga_open", comparison.ours_whole, comparison.ours_part}
        lines = _lines("sitrep", organisation, day, wanted)
        if not lines:
            continue
        if comparison.ours != "sitrep":
            lines |= _lines(comparison.ours, organisation, day, wanted)
        beds = lines["ga_open"]
        part, whole = lines.get(comparison.ours_part), lines[comparison.ours_whole]
        if part is not None and whole:
            found.append((day - timedelta(days=comparison.days_back), part, whole))
    return Ours(tuple(found), beds)


def _lines(
    kind: Kind, organisation: Organisation, day: date, wanted: Collection[str]
) -> dict[str, float]:
    """These lines of the return of a day; empty where the records do not reach back so far."""
    definition = in_force(kind, day)
    begins = frozen_moment(day, Clock.SITREP) if kind == "sitrep" else window(day)[0]
    if definition is None or not records().tells_of(begins):
        return {}
    asked = replace(definition, lines=tuple(one for one in definition.lines if one.key in wanted))
    numbers = counted(asked, organisation, day, known_at=None)
    return {one.key: one.value for one in numbers if one.value is not None}


def rank(value: float, others: Sequence[Peer]) -> Rank | None:
    """Where a value stands among the middles of others; None where there are none."""
    if not others:
        return None
    below = sum(1 for peer in others if peer.middle < value)
    equal = sum(1 for peer in others if peer.middle == value)
    return Rank(below, equal, len(others))


def files() -> list[ReferenceFile]:
    """The files that were loaded, the latest first; one query."""
    return list(ReferenceFile.objects.all()[:20])


def bodies(codes: Collection[str]) -> set[str]:
    """Those of the codes that anything is published of; one query."""
    return set(ReferenceBody.objects.filter(code__in=codes).values_list("code", flat=True))
