"""The picture of the comparison: a line for each body, a mark where its middle is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from plotly import graph_objects

from flow.plotly_text import as_text

_ROW: Final = 22
_NAME: Final = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the picture: eight in ten days lie from low to high. ours: it is we."""

    name: str
    low: float
    middle: float
    high: float
    ours: bool = False


def peers_figure(bars: Sequence[Bar], *, share: bool) -> str:
    """The lines, the highest on top, as JSON; shares in per cent."""
    times = 100 if share else 1
    unit = " %" if share else ""
    figure = graph_objects.Figure(
        layout={
            "template": "none",
            "margin": {"l": 8, "r": 16, "t": 8, "b": 36},
            "height": 60 + _ROW * len(bars),
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": {
                "fixedrange": True,
                "ticksuffix": unit,
                "nticks": 5,
                "tickangle": 0,
                "rangemode": "tozero",
            },
            "yaxis": {
                "fixedrange": True,
                "range": [len(bars) - 0.4, -0.6],
                "automargin": True,
                "showgrid": False,
                "ticks": "",
                "tickvals": list(range(len(bars))),
                "ticktext": [as_text(_short(bar.name)) for bar in bars],
            },
        }
    )
    for ours in (False, True):
        shown = [(place, bar) for place, bar in enumerate(bars) if bar.ours is ours]
        colour = "--next" if ours else "--held"
        xs: list[float | None] = []
        ys: list[int | None] = []
        for place, bar in shown:
            xs += [times * bar.low, times * bar.high, None]
            ys += [place, place, None]
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"width": 5 if ours else 3},
            opacity=0.45,
            hoverinfo="skip",
            meta=colour,
        )
        figure.add_scatter(
            x=[times * bar.middle for _place, bar in shown],
            y=[place for place, _bar in shown],
            text=[as_text(bar.name) for _place, bar in shown],
            mode="markers",
            marker={"size": 14 if ours else 9, "symbol": "diamond" if ours else "circle"},
            hovertemplate=f"%{{text}}: %{{x:.1f}}{unit}<extra></extra>",
            name=_("Ours") if ours else _("Peers"),
            meta=colour,
        )
    return str(figure.to_json(engine="json"))


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1].rstrip()}…"
