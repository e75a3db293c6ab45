"""The fan chart as a Plotly figure, and the same numbers as rows of a table.

The figure is plain data. Colours are named by variables of tokens.css: of a trace in `meta`, of
lines and words on the chart in `name`; chart.js puts the page's own in their place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from flow.forecast_pages.reading import Seen
from flow.forecasts.clock import HOUR, moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.outlook import SAID, Fan, Mark, MarkKind, PoolKind
from flow.forecasts.wording import Names, chance_said, mark_said, time_said
from flow.plotly_text import as_text

HEIGHT: Final = 420
_BANDS: Final = ((0, 6, "90"), (1, 5, "80"), (2, 4, "50"))
"""Columns of the quantiles that bound each band, the widest first."""
_MIDDLE: Final = 3
_LANES: Final[tuple[tuple[str | Promise, tuple[MarkKind, ...]], ...]] = (
    (lazy("Beds shut"), (MarkKind.CLOSURE_BEGINS, MarkKind.OPENING_ENDS)),
    (lazy("Beds open"), (MarkKind.CLOSURE_ENDS, MarkKind.OPENING_BEGINS)),
    (lazy("Expected"), (MarkKind.LISTED,)),
    (lazy("Leaving"), (MarkKind.DISCHARGE,)),
)
"""What is planned, in lanes under the fan."""
_TOGETHER: Final = 6 * HOUR
"""Signs nearer to each other would overlap on a phone."""
_BEFORE: Final = 5 * HOUR
"""Room at the least before the moment of a forecast, so that the first sign is seen in whole."""

Trace = dict[str, Any]


def marks_of(fan: Fan, marks: Sequence[Mark]) -> list[Mark]:
    """Those of the marks that concern the beds of a fan: of a site not those of wards without such
    beds, such as a day case unit; of whom no ward is named yet may come to any."""
    whole = fan.pool.kind is PoolKind.SITE
    return [mark for mark in marks if mark.ward in fan.pool.wards or (whole and mark.ward is None)]


def fan_figure(
    fan: Fan,
    ahead: Horizon,
    *,
    marks: Sequence[Mark],
    names: Names,
    seen: Sequence[Seen] = (),
    as_is: Fan | None = None,
) -> str:
    """The chart as JSON. marks: what is planned. names: of wards. seen: free beds counted, before
    the forecast and after. as_is: the fan without the scenario that `fan` shows."""
    lanes = _lanes(marks, names, at=ahead.at)
    traces = [*_bands(fan, ahead, is_scenario=as_is is not None)]
    if as_is is not None:
        traces += _as_is(as_is, ahead)
    if seen:
        traces.append(_counted(seen))
    traces += [_lane(number, lane) for number, lane in enumerate(lanes)]
    return json.dumps({"data": traces, "layout": _layout(ahead, seen, [one[0] for one in lanes])})


def _x(minute: int) -> str:
    return f"{timezone.localtime(moment_of(minute)):%Y-%m-%dT%H:%M}"


def _bands(fan: Fan, ahead: Horizon, *, is_scenario: bool) -> Iterable[Trace]:
    """Two invisible bounds for each band, filled in between, and the line of the middle. They
    begin at what is free at the moment of the forecast."""
    x = [_x(ahead.at), *(_x(int(end)) for end in ahead.ends)]
    columns = [[fan.free_now, *fan.quantiles[:, n].tolist()] for n in range(7)]
    ground = "--if" if is_scenario else "--fan"
    for low, high, sure in _BANDS:
        # The outermost band has an edge: against the page it hardly stands out.
        edge = {"line": f"{ground}-edge"} if sure == _BANDS[0][2] else {}
        line = {"width": 1 if edge else 0}
        bound = {"x": x, "mode": "lines", "hoverinfo": "skip", "line": line}
        yield bound | {"y": columns[low], "name": "", "meta": edge}
        yield bound | {
            "y": columns[high],
            "name": _("%(sure)s %% of the time") % {"sure": sure},
            "fill": "tonexty",
            "meta": {"fill": f"{ground}-{sure}", **edge},
        }
    ranges = [
        _("%(low)s to %(high)s (8 in 10)") % {"low": low, "high": high}
        for low, high in zip(columns[1], columns[5], strict=True)
    ]
    yield {
        "x": x,
        "y": columns[_MIDDLE],
        "name": _("If so") if is_scenario else _("Middle"),
        "mode": "lines",
        "line": {"width": 2.5},
        "meta": f"{ground}-line",
        "text": ranges,
        "hovertemplate": "%{y}, %{text}",
    }


def _as_is(fan: Fan, ahead: Horizon) -> Iterable[Trace]:
    """The forecast without the scenario: its middle, and where 8 in 10 lie, as lines."""
    x = [_x(ahead.at), *(_x(int(end)) for end in ahead.ends)]
    for column, width, dash in ((1, 1, "dot"), (_MIDDLE, 2, "dash"), (5, 1, "dot")):
        is_middle = column == _MIDDLE
        yield {
            "x": x,
            "y": [fan.free_now, *fan.quantiles[:, column].tolist()],
            "name": _("As it is") if is_middle else "",
            "mode": "lines",
            "line": {"width": width, "dash": dash},
            "meta": "--ink-2",
            **({"hovertemplate": "%{y}"} if is_middle else {"hoverinfo": "skip"}),
        }


def _counted(seen: Sequence[Seen]) -> Trace:
    x: list[str | None] = []
    y: list[int | None] = []
    for one in seen:
        if one.gap:
            x.append(None)
            y.append(None)
        x.append(_x(one.minute))
        y.append(one.free)
    return {
        "x": x,
        "y": y,
        "name": _("Counted"),
        "mode": "lines+markers",
        "line": {"width": 3},
        "marker": {"size": 6 if len(seen) < 20 else 3},
        "meta": "--ink",
        "hovertemplate": "%{y}",
    }


# --- what is planned, under the fan ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sign:
    minute: int
    short: str
    words: str


def _lanes(marks: Sequence[Mark], names: Names, *, at: int) -> list[tuple[str, list[_Sign]]]:
    """The lanes in which anything is planned; what lies within six hours stands together."""
    found = []
    for label, kinds in _LANES:
        signs = [
            _Sign(
                max(at, _middle(group)),
                str(sum(one.number for one in group)),
                "<br>".join(as_text(mark_said(one, names, at=at)) for one in group[:12]),
            )
            for group in _together([mark for mark in marks if mark.kind in kinds])
        ]
        if signs:
            found.append((str(label), signs))
    return found


def _together(marks: Sequence[Mark]) -> list[list[Mark]]:
    """The marks in groups so far from each other that each can have a sign."""
    groups: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda mark: mark.minute):
        group = [mark]
        while groups and _middle(group) - _middle(groups[-1]) < _TOGETHER:
            group = groups.pop() + group
        groups.append(group)
    return groups


def _middle(marks: Sequence[Mark]) -> int:
    """The minute about which these lie."""
    return round(sum(one.minute * one.number for one in marks) / sum(one.number for one in marks))


def _lane(number: int, lane: tuple[str, list[_Sign]]) -> Trace:
    label, signs = lane
    return {
        "x": [_x(sign.minute) for sign in signs],
        "y": [number] * len(signs),
        "yaxis": "y2",
        "name": label,
        "mode": "markers+text",
        "marker": {"size": 20, "symbol": "circle"},
        "text": [sign.short for sign in signs],
        "textposition": "middle center",
        "textfont": {"size": 11},
        "hovertext": [sign.words for sign in signs],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "meta": {"marker": "--held-soft", "text": "--ink"},
    }


def _layout(ahead: Horizon, seen: Sequence[Seen], lanes: Sequence[str]) -> dict[str, Any]:
    first = min([ahead.at - _BEFORE, *(one.minute for one in seen[:1])])
    room = 0.075 * len(lanes)
    floor = room + 0.05 if lanes else 0
    now = _x(ahead.at)
    layout: dict[str, Any] = {
        "margin": {"l": 40, "r": 10, "t": 10, "b": 40},
        "height": HEIGHT,
        "showlegend": False,
        "hovermode": "x unified",
        "xaxis": {
            "range": [_x(first), _x(int(ahead.ends[-1]))],
            "tickformat": "%H:%M\n%a %-d",
            "hoverformat": "%a %-d %b %H:%M",
            "tickangle": 0,
            "nticks": 14,
            "fixedrange": True,
            "anchor": "y2" if lanes else "y",
        },
        "yaxis": {
            "fixedrange": True,
            "rangemode": "tozero",
            "nticks": 8,
            "tickformat": "d",
            "domain": [floor, 1],
        },
        "shapes": [
            _line("--bad-line", y0=0, y1=0, x0=0, x1=1, xref="paper"),
            _line(
                "--ink-2",
                x0=_x(ahead.at),
                x1=_x(ahead.at),
                y0=floor,
                y1=1,
                yref="paper",
                dash="dot",
            ),
        ],
        "annotations": [
            {
                "name": "--ink-2",
                "text": time_said(ahead.at, at=ahead.at),
                "x": now,
                "y": 1,
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "top",
                "xshift": 3,
                "showarrow": False,
            }
        ],
    }
    if lanes:
        layout["yaxis2"] = {
            "fixedrange": True,
            "domain": [0, room],
            "range": [len(lanes) - 0.5, -0.5],
            "tickvals": list(range(len(lanes))),
            "ticktext": list(lanes),
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        }
    return layout


def _line(colour: str, *, dash: str = "solid", **where: object) -> dict[str, Any]:
    return {
        "type": "line", "name": colour, "layer": "above", "line": {"width": 1.5, "dash": dash},
        **where,
    }  # fmt: skip


# --- the same as a table --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HourRow:
    """An hour of the fan. least, most: with 9 chances in 10 each. half: between which numbers 5
    chances in 10 lie; outer: below and above which 1 in 20 lies. full: the chance that no bed is
    free, in words. came: counted then, if it was. as_is: the middle without the scenario."""

    when: str
    middle: int
    least: int
    most: int
    half: tuple[int, int]
    outer: tuple[int, int]
    open: int
    full: str
    came: int | None
    as_is: int | None
    is_key: bool


def hour_rows(
    fan: Fan,
    ahead: Horizon,
    *,
    came: Sequence[int | None] = (),
    as_is: Fan | None = None,
) -> list[HourRow]:
    """Every hour of the fan."""
    found = []
    at_least = fan.spreads.at_least(SAID[:1])[:, 0].tolist()
    for place, (end, least) in enumerate(zip(ahead.ends.tolist(), at_least, strict=True)):
        numbers = [int(one) for one in fan.quantiles[place]]
        found.append(
            HourRow(
                when=time_said(end, at=ahead.at),
                middle=numbers[_MIDDLE],
                least=least,
                most=numbers[5],
                half=(numbers[2], numbers[4]),
                outer=(numbers[0], numbers[6]),
                open=int(fan.open[place]),
                full=chance_said(float(fan.full[place])),
                came=came[place] if came else None,
                as_is=int(as_is.quantiles[place, _MIDDLE]) if as_is is not None else None,
                is_key=place in ahead.shown_always,
            )
        )
    return found
