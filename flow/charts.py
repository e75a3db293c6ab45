"""Charts as Plotly figures, drawn on the server as data; colours are the page's own.

Each trace names in `meta` the colour variable of tokens.css it is drawn in.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from plotly import graph_objects

from flow.board_types import Trend


def trend_figure(trend: Trend, *, beds_open: int) -> str:
    """Occupied beds of the last day under the line of open beds, as JSON, in local time."""
    times = _times(trend)
    ends = [f"{times[0]:%Y-%m-%dT%H:%M}", f"{times[-1]:%Y-%m-%dT%H:%M}"]
    figure = graph_objects.Figure(
        layout={
            "template": "none",
            "margin": {"l": 44, "r": 12, "t": 8, "b": 28},
            "height": 190,
            "showlegend": False,
            "hovermode": "x unified",
            "xaxis": {
                "range": ends,
                "tickformat": "%H:%M",
                "nticks": 7,
                "fixedrange": True,
            },
            "yaxis": {"fixedrange": True, "nticks": 5},
        }
    )
    figure.add_scatter(
        x=ends,
        y=[beds_open, beds_open],
        name=_("Open now"),
        mode="lines",
        line={"dash": "dot", "width": 2},
        meta="--ink-2",
    )
    figure.add_scatter(
        x=[f"{moment:%Y-%m-%dT%H:%M}" for moment in times],
        y=list(trend.occupied),
        name=_("Occupied"),
        mode="lines",
        line={"width": 3, "shape": "hv"},
        meta="--held",
    )
    return str(figure.to_json(engine="json"))


def trend_rows(trend: Trend) -> list[tuple[str, int]]:
    """The same as rows for a table: local time and occupied beds, one for each hour."""
    last = len(trend.occupied) - 1
    return [
        (f"{moment:%a %H:%M}", occupied)
        for number, (moment, occupied) in enumerate(zip(_times(trend), trend.occupied, strict=True))
        if moment.minute == 0 or number == last
    ]


def _times(trend: Trend) -> list[datetime]:
    return [
        timezone.localtime(trend.start + trend.step * number)
        for number in range(len(trend.occupied))
    ]
