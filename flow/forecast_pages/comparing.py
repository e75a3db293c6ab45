"""Scenarios side by side, beside the forecast as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from flow.board_types import Sight
from flow.forecast_pages.hours import KeyHour, headline_hour, key_hours_said
from flow.forecast_pages.pools import name_of
from flow.forecast_pages.supposing import Supposed, names_seen, suppose
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.clock import moment_of
from flow.forecasts.horizon import Horizon
from flow.forecasts.inputs import Inputs
from flow.forecasts.outlook import SAID, Fan, Waiting
from flow.forecasts.scenario import BadScenario, Scenario
from flow.forecasts.wording import Names, chance_said, fault_said, time_said
from flow.plotly_text import as_text

MOST: Final = 4
"""How many are compared at once, beside the forecast as it is."""
_LOOKS: Final = (
    ("--fan-line", "solid"),
    ("--if-line", "dash"),
    ("--free", "dot"),
    ("--clean", "dashdot"),
    ("--shut", "longdash"),
)
"""Colour and dashes of each line: told apart without colour as well."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A scenario beside the others. name: empty for the one in the address alone. key: of a kept
    one. words: its changes. hours: the hours always shown. waiting: the chance that nobody waits
    too long, in words, empty where that is not told. error: why nothing can be told of it. look:
    of its line in the picture, by number."""

    name: str
    key: int | None
    words: Sequence[str]
    hours: Sequence[KeyHour]
    waiting: str
    error: str
    gone: int
    look: int
    fan: Fan | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A scenario to be compared."""

    name: str
    key: int | None
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Comparison:
    """The lines, the first of them as it is. when: the hours of their columns; waiting_when: the
    hour of the chance of waiting, empty where that is not told. names, hourly: the picture as a
    table: of each hour what each of the lines that can be told says."""

    lines: Sequence[Compared]
    when: Sequence[str]
    waiting_when: str
    limit_hours: int
    figure: str
    sentence: str
    names: Sequence[str]
    hourly: Sequence[tuple[str, Sequence[int]]]


def compare(
    board: ForecastBoard, fan: Fan, inputs: Inputs, asked: Sequence[Asked], *, sight: Sight
) -> Comparison:
    """Each of the scenarios for the beds of a fan, beside the forecast as it is."""
    ahead = board.ahead
    names = names_seen(board, [one.scenario for one in asked])
    queue = board.waiting if fan is board.fan else None
    as_it_is = Compared(
        name=_("As it is"),
        key=None,
        words=(),
        hours=key_hours_said(fan, ahead),
        waiting=_waiting(queue, ahead),
        error="",
        gone=0,
        look=0,
        fan=fan,
    )
    lines = [as_it_is]
    for number, one in enumerate(asked[:MOST], start=1):
        names_whom = sight if one.key is None else None
        lines.append(
            _compared(one, number, fan, inputs, ahead, names, names_whom, with_queue=bool(queue))
        )
    place = headline_hour(ahead)
    return Comparison(
        lines=lines,
        when=[hour.when for hour in as_it_is.hours],
        waiting_when=time_said(int(ahead.ends[place]), at=ahead.at) if queue else "",
        limit_hours=queue.limit_hours if queue else 0,
        figure=_figure(lines, ahead),
        sentence=_sentence(lines, fan, ahead, place),
        names=[line.name or _("This one") for line in lines if line.fan is not None],
        hourly=_hourly(lines, ahead),
    )


def _hourly(lines: Sequence[Compared], ahead: Horizon) -> list[tuple[str, list[int]]]:
    columns = [_at_least(line.fan) for line in lines if line.fan is not None]
    return [
        (time_said(end, at=ahead.at), list(row))
        for end, row in zip(ahead.ends.tolist(), zip(*columns, strict=True), strict=True)
    ]


def _at_least(fan: Fan) -> list[int]:
    """The free beds that there are at least, with nine chances in ten, at each hour."""
    found: list[int] = fan.spreads.at_least(SAID[:1])[:, 0].tolist()
    return found


def _compared(
    asked: Asked,
    number: int,
    fan: Fan,
    inputs: Inputs,
    ahead: Horizon,
    names: Names,
    sight: Sight | None,
    *,
    with_queue: bool,
) -> Compared:
    found: Supposed | None = None
    error = ""
    try:
        found = suppose(
            inputs, asked.scenario, fan.pool, names=names, with_queue=with_queue, sight=sight
        )
    except BadScenario as bad:
        error = fault_said(bad)
    return Compared(
        name=asked.name,
        key=asked.key,
        words=found.words if found else (),
        hours=key_hours_said(found.fan, ahead) if found else (),
        waiting=_waiting(found.waiting, ahead) if found else "",
        error=error,
        gone=found.gone if found else 0,
        look=number,
        fan=found.fan if found else None,
    )


def _waiting(waiting: Waiting | None, ahead: Horizon) -> str:
    return chance_said(float(waiting.none_over[headline_hour(ahead)])) if waiting else ""


def _sentence(lines: Sequence[Compared], fan: Fan, ahead: Horizon, place: int) -> str:
    """The picture in words: what is there at least, with nine chances in ten."""
    parts = [
        _("%(name)s: %(beds)d")
        % {"name": line.name or _("this one"), "beds": line.fan.spreads[place].at_least(SAID[0])}
        for line in lines
        if line.fan is not None
    ]
    said = _(
        "%(pool)s: free beds that there are at least at %(when)s, with 9 chances in 10. %(parts)s."
    )
    return said % {
        "pool": name_of(fan),
        "when": time_said(int(ahead.ends[place]), at=ahead.at),
        "parts": "; ".join(parts),
    }


def _figure(lines: Sequence[Compared], ahead: Horizon) -> str:
    """Of each scenario the beds that are free at least, with nine chances in ten, hour by hour."""
    x = [f"{timezone.localtime(moment_of(end)):%Y-%m-%dT%H:%M}" for end in ahead.ends.tolist()]
    traces: list[Mapping[str, Any]] = []
    for line in lines:
        if line.fan is None:
            continue
        colour, dash = _LOOKS[line.look]
        traces.append(
            {
                "x": x,
                "y": _at_least(line.fan),
                "name": as_text(line.name or _("This one")),
                "mode": "lines",
                "line": {"width": 2.5, "dash": dash},
                "meta": colour,
                "hovertemplate": "%{y}",
            }
        )
    layout = {
        "margin": {"l": 40, "r": 10, "t": 10, "b": 40},
        "height": 320,
        "showlegend": False,
        "hovermode": "x unified",
        "xaxis": {
            "tickformat": "%H:%M\n%a %-d", "hoverformat": "%a %-d %b %H:%M", "tickangle": 0,
            "nticks": 14, "fixedrange": True,
        },
        "yaxis": {"fixedrange": True, "rangemode": "tozero", "nticks": 7, "tickformat": "d"},
        "shapes": [
            {
                "type": "line", "name": "--bad-line", "layer": "below", "line": {"width": 1.5},
                "x0": 0, "x1": 1, "xref": "paper", "y0": 0, "y1": 0,
            }
        ],
    }  # fmt: skip
    return json.dumps({"data": traces, "layout": layout})
