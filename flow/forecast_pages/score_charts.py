"""The pictures of the accuracy page, as Plotly figures (see `fan`): each stands above a table that
holds the same numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from flow.forecast_pages.judging import SPEAKERS
from flow.forecasts.accuracy import Asked, Scores
from flow.forecasts.recorded import Speaker
from flow.reading import read

LOOKS: Final = {
    Speaker.FORECAST: ("--fan-line", "solid", "circle"),
    Speaker.KAPLAN_MEIER: ("--next", "dash", "diamond-open"),
    Speaker.PLAN: ("--clean", "dot", "square-open"),
    Speaker.WEEKDAY: ("--free", "dashdot", "triangle-up-open"),
    Speaker.YESTERDAY: ("--shut", "longdash", "x-thin-open"),
}
"""Colour, dashes and sign of each speaker: told apart without colour as well. The signs of others
are open, so that those of the forecast show through where they lie together."""
_LEVELS: Final = (50, 80, 90)

_FEW: Final = 10
_A_DAY: Final = 86_400_000
"""Milliseconds, as Plotly counts the time between the marks of an axis."""


@dataclass(frozen=True, slots=True)
class Day:
    """How right one speaker was on a day, or in a week of them: the mean CRPS and the mean of what
    was said less what was seen, over so many forecasts."""

    day: date
    speaker: Speaker
    forecasts: int
    crps: float
    bias: float


def is_weekly(asked: Asked) -> bool:
    """Whether so long is asked for that weeks are told instead of days."""
    return (asked.last - asked.first).days > 92


def over_time(site: int, asked: Asked, key: str) -> list[Day]:
    """The scores by the day of the forecast; by the week where more than three months are asked
    for. One query."""
    since = "date_trunc('week', day)::date" if is_weekly(asked) else "day"
    sql = f"""
SELECT {since} AS since, speaker, sum(forecasts),
       sum(crps) / sum(forecasts), sum((said - seen) * forecasts) / sum(forecasts)
  FROM flow_forecastscore
 WHERE site_id = %(site)s AND part = %(part)s AND key = %(key)s AND what = %(what)s
   AND until = %(until)s AND day BETWEEN %(first)s AND %(last)s
   AND (%(hours)s::int[] = '{{}}' OR hour = ANY(%(hours)s))
 GROUP BY 1, 2 HAVING sum(forecasts) > 0 ORDER BY 1, 2
"""  # noqa: S608 - the values travel as parameters
    params = {
        "site": site,
        "part": asked.part.value,
        "key": key,
        "what": asked.what.value,
        "until": asked.until.value,
        "first": asked.first,
        "last": asked.last,
        "hours": list(asked.hours),
    }
    return [Day(day, Speaker(who), *rest) for day, who, *rest in read(sql, params)]


def _layout(height: int, **more: Any) -> dict[str, Any]:
    return {
        "margin": {"l": 52, "r": 12, "t": 10, "b": 44},
        "height": height,
        "showlegend": False,
        "hovermode": "closest",
        **more,
    }


def _axis(title: str, **more: Any) -> dict[str, Any]:
    return {"fixedrange": True, "title": {"text": title, "standoff": 6}, **more}


def _own_last(speakers: Sequence[Scores]) -> list[Scores]:
    """What is drawn last lies on top."""
    return sorted(speakers, key=lambda one: one.speaker is Speaker.FORECAST)


def reliability_figure(speakers: Sequence[Scores]) -> str:
    """What was said of patients, by tenth of the chance, beside how often it came true; the larger
    the mark, the more patients. On the line the two are the same."""
    traces: list[dict[str, Any]] = []
    for one in _own_last(speakers):
        if not one.tenths or one.speaker not in (Speaker.FORECAST, Speaker.KAPLAN_MEIER):
            continue
        colour, dash, sign = LOOKS[one.speaker]
        most = max(tenth.patients for tenth in one.tenths)
        traces.append(
            {
                "x": [round(100 * tenth.said, 1) for tenth in one.tenths],
                "y": [round(100 * tenth.seen, 1) for tenth in one.tenths],
                "mode": "lines+markers",
                "name": str(SPEAKERS[one.speaker]),
                "line": {"width": 1.5, "dash": dash},
                "marker": {
                    "symbol": sign,
                    "size": [6 + 16 * (tenth.patients / most) ** 0.5 for tenth in one.tenths],
                    "line": {"width": 2},
                },
                "meta": colour,
                "customdata": [tenth.patients for tenth in one.tenths],
                "hovertemplate": _("said %%{x} %%, seen %%{y} %% of %%{customdata}") % (),
            }
        )
    layout = _layout(
        340,
        xaxis=_axis(_("Chance said, per cent"), range=[0, 100], nticks=6),
        yaxis=_axis(_("Came true, per cent"), range=[0, 100], nticks=6),
        shapes=[
            {
                "type": "line", "name": "--ink-2", "layer": "below",
                "line": {"width": 1, "dash": "dot"}, "x0": 0, "y0": 0, "x1": 100, "y1": 100,
            }
        ],
    )  # fmt: skip
    return json.dumps({"data": traces, "layout": layout})


def coverage_figure(speakers: Sequence[Scores]) -> str:
    """How often the intervals of each speaker held what came, beside what they say."""
    traces: list[dict[str, Any]] = []
    for one in _own_last(speakers):
        if one.within_50 is None:
            continue
        colour, dash, sign = LOOKS[one.speaker]
        held = [one.within_50, one.within_80 or 0.0, one.within_90 or 0.0]
        traces.append(
            {
                "x": [f"{level} %" for level in _LEVELS],
                "y": [round(100 * share, 1) for share in held],
                "mode": "lines+markers",
                "name": str(SPEAKERS[one.speaker]),
                "line": {"width": 1.5, "dash": dash},
                "marker": {
                    "symbol": sign,
                    "size": 8 if one.speaker is Speaker.FORECAST else 13,
                    "line": {"width": 2},
                },
                "meta": colour,
                "hovertemplate": "%{y} %",
            }
        )
    shapes = [
        {
            "type": "line", "name": "--ink", "layer": "above", "line": {"width": 2},
            "x0": place - 0.3, "x1": place + 0.3, "y0": level, "y1": level,
        }
        for place, level in enumerate(_LEVELS)
    ]  # fmt: skip
    layout = _layout(
        340,
        xaxis=_axis(_("The interval that was told"), type="category"),
        yaxis=_axis(_("Held what came, per cent"), range=[-4, 103], nticks=6),
        shapes=shapes,
    )
    return json.dumps({"data": traces, "layout": layout})


def time_figure(days: Sequence[Day], *, of_bias: bool = False) -> str:
    """CRPS, or bias, of each speaker over time."""
    traces: list[dict[str, Any]] = []
    for speaker in sorted(Speaker, key=lambda one: one is Speaker.FORECAST):
        mine = [day for day in days if day.speaker is speaker]
        if not mine or (of_bias and speaker is not Speaker.FORECAST):
            continue
        colour, dash, sign = LOOKS[speaker]
        traces.append(
            {
                "x": [day.day.isoformat() for day in mine],
                "y": [round(day.bias if of_bias else day.crps, 2) for day in mine],
                "mode": "lines+markers" if len(mine) < 15 else "lines",
                "name": str(SPEAKERS[speaker]),
                "line": {"width": 3 if speaker is Speaker.FORECAST else 1.5, "dash": dash},
                "marker": {"symbol": sign, "size": 7, "line": {"width": 1.5}},
                "meta": colour,
                "hovertemplate": "%{y}",
            }
        )
    # Few days would else have marks between them, each with the name of its day.
    few = len({day.day for day in days}) <= _FEW
    layout = _layout(
        200 if of_bias else 280,
        hovermode="x unified",
        xaxis={
            "fixedrange": True, "tickformat": "%-d %b", "hoverformat": "%a %-d %b", "nticks": 10,
            "tickangle": 0, **({"dtick": _A_DAY} if few else {}),
        },
        yaxis=_axis(
            _("Said less seen") if of_bias else "CRPS", rangemode="tozero", nticks=5
        ),
        shapes=[
            {
                "type": "line", "name": "--ink-2", "layer": "below", "line": {"width": 1},
                "x0": 0, "x1": 1, "xref": "paper", "y0": 0, "y1": 0,
            }
        ],
    )  # fmt: skip
    return json.dumps({"data": traces, "layout": layout})
