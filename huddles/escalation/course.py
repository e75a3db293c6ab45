"""The level over time, computed and declared: as steps for a chart, and as rows for a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from plotly import graph_objects

from flow.reading import person_sql, read_as
from huddles.escalation.rule_sets import IS_EXAMPLE
from wards.models import Site

SPANS: Final = (2, 7, 28)
"""Over how many days the level can be looked at."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at` on the level was `level`; None where a computed one was not certain. by, reason:
    of a declaration. is_example: a computed one, by invented cut-offs."""

    at: datetime
    declared: bool
    level: int | None
    low: int | None
    high: int | None
    by: str
    reason: str
    is_example: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The turns of the last `days`, the first ones with what held at the beginning."""

    start: datetime
    end: datetime
    days: int
    turns: tuple[Turn, ...]

    def of(self, *, declared: bool) -> list[Turn]:
        """Those of one kind, in their order."""
        return [turn for turn in self.turns if turn.declared == declared]


def course(site: Site | None, *, days: int, at: datetime) -> Course:
    """How the level of a site (None: of the system) went; two queries."""
    start = at - timedelta(days=days)
    where = "site_id IS NULL" if site is None else "site_id = %(site)s"
    asked = {"site": site.pk if site else None, "start": start, "at": at}
    # What held at the beginning is the last one before it.
    turns = [
        *read_as(Turn, _computed(where), asked),
        *read_as(Turn, _declared(where), asked),
    ]
    return Course(start, at, days, tuple(sorted(turns, key=lambda turn: turn.at)))


def _begin(table: str, where: str) -> str:
    last = f"SELECT max(at) FROM {table} WHERE {where} AND at <= %(start)s"  # noqa: S608 - as below
    return f"coalesce(({last}), %(start)s)"


def _computed(where: str) -> str:
    levels = "(coalesce(level_lowest, 0) * 10 + coalesce(level_highest, 0))"
    return f"""
SELECT at, false AS declared, level, level_lowest AS low, level_highest AS high,
       '' AS by, '' AS reason, is_example
  FROM (SELECT at, level, level_lowest, level_highest, is_example, levels,
               lag(levels) OVER (ORDER BY at) AS before,
               lag(is_example) OVER (ORDER BY at) AS example_before
          FROM (SELECT assessed.*, {levels} AS levels, {IS_EXAMPLE} AS is_example
                  FROM huddles_opelassessment assessed
                  JOIN huddles_opelruleset rules ON rules.id = assessed.rule_set_id) assessed
         WHERE {where} AND at <= %(at)s
           AND at >= {_begin("huddles_opelassessment", where)}) said
 WHERE before IS DISTINCT FROM levels OR example_before IS DISTINCT FROM is_example
 ORDER BY at
"""  # noqa: S608 - conditions of this module; the values travel as parameters


def _declared(where: str) -> str:
    return f"""
SELECT d.at, true AS declared, d.level, d.level AS low, d.level AS high,
       {person_sql("u")} AS by, d.reason, false AS is_example
  FROM huddles_opeldeclaration d JOIN accounts_user u ON u.id = d.by_id
 WHERE {where} AND at <= %(at)s AND at >= {_begin("huddles_opeldeclaration", where)}
 ORDER BY at
"""  # noqa: S608 - as above


def figure(found: Course) -> str:
    """Both as steps, as JSON in local time; where a computed level was not certain, a gap between
    the lines of the levels that were possible."""
    drawn = graph_objects.Figure(
        layout={
            "template": "none",
            "margin": {"l": 64, "r": 16, "t": 34, "b": 42},
            "height": 240,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 1.2},
            "xaxis": {
                "range": [_local(found.start), _local(found.end)],
                "fixedrange": True,
                "nticks": 7,
                "tickformat": "%H:%M\n%a %-d" if found.days <= SPANS[0] else "%-d %b",
            },
            "yaxis": {
                "range": [0.6, 4.4],
                "fixedrange": True,
                "tickvals": [1, 2, 3, 4],
                "ticktext": [f"OPEL {level}" for level in (1, 2, 3, 4)],
            },
        }
    )
    computed = found.of(declared=False)
    open_ends = [(turn.at, turn.low, turn.high) for turn in computed]
    drawn.add_scatter(
        **_steps([(at, high if low != high else None) for at, low, high in open_ends], found),
        name=_("Possible at most"),
        mode="lines",
        line={"width": 1, "shape": "hv", "dash": "dot"},
        meta="--warn",
        showlegend=any(low != high for _at, low, high in open_ends),
    )
    drawn.add_scatter(
        **_steps([(at, low if low != high else None) for at, low, high in open_ends], found),
        name=_("Possible at least"),
        mode="lines",
        line={"width": 1, "shape": "hv", "dash": "dot"},
        fill="tonexty" if any(low != high for _at, low, high in open_ends) else None,
        meta={"line": "--warn", "fill": "--warn-soft"},
        showlegend=any(low != high for _at, low, high in open_ends),
    )
    drawn.add_scatter(
        **_steps([(turn.at, turn.level) for turn in computed], found),
        name=_("Computed"),
        mode="lines",
        line={"width": 2, "shape": "hv", "dash": "dash"},
        meta="--fan-line",
    )
    drawn.add_scatter(
        **_steps([(turn.at, turn.level) for turn in found.of(declared=True)], found),
        name=_("Declared"),
        mode="lines",
        line={"width": 4, "shape": "hv"},
        meta="--held",
    )
    return str(drawn.to_json(engine="json"))


def _steps(
    points: Sequence[tuple[datetime, int | None]], found: Course
) -> dict[str, list[str] | list[int | None]]:
    """Points of a line with steps, up to the end; what held before the beginning begins there."""
    times = [max(at, found.start) for at, _level in points]
    levels = [level for _at, level in points]
    if points:
        times.append(found.end)
        levels.append(levels[-1])
    return {"x": [_local(at) for at in times], "y": levels}


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M:%S}"
