"""What a wall shows of the huddle of a site: in step with its chair while it runs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from flow.feeds import feed_states
from huddles.meetings.board import board_of
from huddles.meetings.board_types import Board, Line, Texts, Totals
from huddles.meetings.due import meeting_of_room
from huddles.meetings.timetable import time_near
from huddles.models import Figure as Asked
from huddles.screens.agreed import agreed
from huddles.screens.wall_types import Figure, Spoken, Topic, Wall, Zone, people
from wards.models import Site

MOST: Final = 6
"""Figures that find room."""


def huddle_wall(site: Site, *, zone: str, now: datetime) -> Wall:
    """The huddle that runs at the site, or the one that is due; or that none is set up. Nothing
    that was typed is told, in no zone: not even what the meeting is called."""
    feed = feed_states(now=now).get(site.pk)
    due = meeting_of_room(site, at=now)
    if due is None:
        return Wall(
            layout="huddle", zone=zone, title=_("Huddle"), subtitle=site.name, moment=now,
            as_at=now, stale=False, feed=feed, figures=(), picture=None,
            agreed=agreed(site, zone=zone, now=now), spoken=Spoken(Topic.NONE),
        )  # fmt: skip
    template, starts_at = due
    board = board_of(template, starts_at, at=now, viewer=None, scope=None)
    shown = board.shown if board.runs else None
    return Wall(
        layout="huddle",
        zone=zone,
        title=shown.label if shown is not None else _("Huddle"),
        subtitle=_("Huddle, %(site)s") % {"site": site.name} if shown is not None else site.name,
        moment=now,
        as_at=board.totals.as_at,
        stale=board.totals.stale,
        feed=feed,
        figures=_figures(board, zone),
        picture=None,
        agreed=agreed(site, zone=zone, now=now),
        spoken=_spoken(board, zone),
    )


def _figures(board: Board, zone: str) -> tuple[Figure, ...]:
    """The figures of the ward whose turn it is, else of the whole site."""
    one: Line | Totals = board.line if board.runs and board.line is not None else board.totals
    found: list[Figure] = []
    for name in board.figures:
        if name == Asked.DISCHARGES and one.dues:
            last = one.dues[-1]
            hour = time_near(last.at, board.moment)
            more = _number(last.possible, zone)
            note = _("and %(more)s possible") % {"more": more} if last.possible else ""
            # Short, or it stands over the next figure.
            today = timezone.localdate(last.at) == timezone.localdate(board.moment)
            label = (_("Leave by %(hour)s") if today else _("Leave %(hour)s")) % {"hour": hour}
            found.append(Figure(_number(last.definite, zone), label, note))
        elif name == Asked.NURSES:
            planned, actual = one.nurses_planned, one.nurses_actual
            short = planned is not None and actual is not None and actual < planned
            note = _("of %(planned)s planned") % {"planned": planned} if planned is not None else ""
            text = "–" if actual is None else str(actual)
            found.append(Figure(text, _("Nurses"), note, tone="warn" if short else ""))
        elif name in _LABELS:
            counts = name in _OF_PEOPLE
            value = one.numbers.get(name)
            text = _number(value, zone) if counts else "–" if value is None else str(value)
            found.append(Figure(text, str(_LABELS[name])))
    return tuple(found[:MOST])


_LABELS: Final = {
    Asked.BEDS_FREE.value: lazy("Beds free now"),
    Asked.UNPLACED.value: lazy("Waiting for a bed"),
    Asked.OUTLIERS.value: lazy("Outliers"),
    Asked.SIDE_ROOMS.value: lazy("Side rooms free"),
    Asked.CLOSED.value: lazy("Beds closed"),
}
_OF_PEOPLE: Final = frozenset({Asked.UNPLACED.value, Asked.OUTLIERS.value})


def _number(value: int | None, zone: str) -> str:
    return "–" if value is None else people(value, zone)


def _spoken(board: Board, zone: str) -> Spoken:
    """What is spoken of, in numbers; in public nothing of harm."""
    totals = board.totals
    if not board.runs:
        return Spoken(Topic.AHEAD, totals.confirmed, totals.wards, at=board.starts_at)
    if board.line is not None:
        return Spoken(Topic.WARD, at=board.line.confirmed_at)
    if board.step == "safety" and zone != Zone.PUBLIC:
        told = sum(any((one.concern, one.harm, one.hazard)) for one in _texts(board))
        harm, hazard = board.safety.harm is not None, board.safety.hazard is not None
        return Spoken(Topic.SAFETY, told, totals.wards, harm=harm, hazard=hazard)
    if board.step == "previous":
        return Spoken(Topic.PREVIOUS, sum(row.ended_at is None for row in board.previous))
    if board.step == "close":
        return Spoken(Topic.CLOSE, len(board.agreed))
    return Spoken(Topic.LINES, totals.confirmed, totals.wards)


def _texts(board: Board) -> list[Texts]:
    return [line.texts for line in board.lines]
