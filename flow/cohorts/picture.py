"""The pictures of a cohort: the journey in steps, its days as lines, and a small line for the
list of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from flow.cohorts.board import Board, Tally
from flow.cohorts.counting import BACK, Point
from flow.cohorts.steps import PHASE_OF, PHASE_WORDS, Step
from patients.cohorts import Phase

WIDTH: Final = 420
HEIGHT: Final = 170
_LEFT: Final = 34
_RIGHT: Final = 8
_TOP: Final = 12
_FOOT: Final = 22
_SPARK: Final = (96.0, 22.0)

SHORT: Final[dict[Step, str | Promise]] = {
    Step.EXPECTED: _("Expected"),
    Step.EMERGENCY: _("A&E"),
    Step.ASSESSMENT: _("Assessed"),
    Step.TREATMENT: _("On a ward"),
    Step.READY: _("Ready"),
    Step.WAITING: _("Waiting"),
    Step.ASKED: _("Asked for"),
    Step.GOING: _("Agreed"),
    Step.SERVICE: _("With a service"),
    Step.HOME: _("Left"),
}
"""Steps in the narrow columns of the picture."""
BRIEF: Final[dict[Phase, str | Promise]] = {
    Phase.BEFORE: _("Before"),
    Phase.DURING: _("During the stay"),
    Phase.AFTER: _("After"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """A step in the picture. short: its name in a narrow column. height: of its column, in per
    cent of the largest."""

    tally: Tally
    short: str
    height: float

    @property
    def top(self) -> float:
        """Where its column begins."""
        return round(100 - self.height, 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The steps of a phase, in their order. people: in all of them."""

    phase: Phase
    name: str
    people: int
    stops: tuple[Stop, ...]


def journey(board: Board, *, brief: bool = True) -> list[Stretch]:
    """Before, during and after the stay, each with its steps; `brief`: in narrow columns."""
    people = {tally.key: tally.people for tally in board.by_phase}
    return [
        Stretch(
            phase,
            str(BRIEF[phase] if brief else PHASE_WORDS[phase]),
            people.get(phase.value, 0),
            tuple(
                Stop(tally, str(SHORT[Step(tally.key)]), round(max(tally.share, 1.5), 1))
                for tally in tallies
            ),
        )
        for phase, tallies in groupby(board.by_step, key=lambda tally: PHASE_OF[Step(tally.key)])
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture: its kind, its name, the points it goes through in pieces (a day that
    was not counted parts it), and its last value where that stands."""

    kind: str
    name: str
    pieces: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    last: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of some lines over the days. marks: heights, where their figures
    stand, and these; first, last: the
    days at its ends."""

    name: str
    lines: tuple[Line, ...]
    marks: tuple[tuple[float, float, str], ...]
    first: date
    last: date


Series = tuple[str, str | Promise, Callable[[Point], float | None]]
CHARTS: Final[Sequence[tuple[str, str | Promise, Sequence[Series]]]] = (
    (
        "people",
        _("People in hospital, and those ready to leave"),
        (
            ("during", _("in hospital"), lambda point: point.during),
            ("ready", _("ready to leave"), lambda point: point.ready),
        ),
    ),
    (
        "days",
        _("Days in hospital so far, on average"),
        (("mean", _("days"), lambda point: point.mean_stay),),
    ),
    (
        "turns",
        _("Left, and came back within 30 days, a day"),
        (
            ("left", _("left"), lambda point: point.left),
            ("back", _("came back"), lambda point: point.came_back),
        ),
    ),
)
"""The pictures: key, title, and their lines by kind, name and value."""


def charts(points: Sequence[Point]) -> list[Chart]:
    """The pictures of a series; none where fewer than two days are counted."""
    if len(points) < 2:
        return []
    return [_chart(str(name), lines, points) for _key, name, lines in CHARTS]


def _chart(name: str, lines: Sequence[Series], points: Sequence[Point]) -> Chart:
    values = [value(point) or 0 for _kind, _name, value in lines for point in points]
    top = _round_up(max(values))
    first, last = points[0].day, points[-1].day
    room = HEIGHT - _TOP - _FOOT

    def x(day: date) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first).days / (last - first).days, 1)

    def y(value: float) -> float:
        return round(_TOP + room * (1 - value / top), 1)

    return Chart(
        name=name,
        lines=tuple(_line(kind, str(called), value, points, x, y) for kind, called, value in lines),
        marks=tuple((y(mark), round(y(mark) + 4, 1), f"{mark:g}") for mark in (0, top / 2, top)),
        first=first,
        last=last,
    )


def _line(
    kind: str,
    name: str,
    value: Callable[[Point], float | None],
    points: Sequence[Point],
    x: Callable[[date], float],
    y: Callable[[float], float],
) -> Line:
    pieces: list[list[tuple[float, float]]] = [[]]
    before: date | None = None
    for point in points:
        said = value(point)
        if said is None or (before is not None and (point.day - before).days > 1):
            pieces.append([])
        if said is not None:
            pieces[-1].append((x(point.day), y(said)))
        before = point.day
    end = value(points[-1])
    return Line(
        kind,
        name,
        tuple(" ".join(f"{a:g},{b:g}" for a, b in piece) for piece in pieces if len(piece) > 1),
        tuple(piece[0] for piece in pieces if len(piece) == 1),
        "–" if end is None else f"{end:.1f}" if isinstance(end, float) else str(end),
    )


def _round_up(value: float) -> float:
    """The next number that a scale can well end with."""
    step = 1.0
    while True:
        for factor in (2, 4, 6, 10):
            if value <= step * factor:
                return step * factor
        step *= 10


def spark(points: Sequence[Point], *, until: date) -> str:
    """The points of a small line through the people of each day; the width is of all the days
    that are followed, so that few days are a short line at its right end."""
    if len(points) < 2:
        return ""
    values = [point.before + point.during + point.after for point in points]
    low, high = min(values), max(values)
    width, height = _SPARK
    step = width / (BACK - 1)
    return " ".join(
        f"{width - (until - point.day).days * step:.1f},"
        f"{height - 3 - (height - 6) * ((value - low) / (high - low) if high > low else 0.5):.1f}"
        for point, value in zip(points, values, strict=True)
    )
