"""A meeting as it was seen when it ended: what is kept of it, and never changes.

Kept as a screen in the room shows it: no patient is named, and what was typed is without the words
of patients' names, so that the summary can be printed, mailed and read by whoever may read counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from huddles.actions.reading import Row
from huddles.meetings.board_types import Board, Due, Line
from huddles.meetings.happened import Came, Happened, happened

FORMAT: Final = 1


def as_seen(board: Board) -> dict[str, Any]:
    """What is kept of a meeting. Give a board made for a room (`board_of` without a viewer)."""
    huddle = board.huddle
    assert huddle is not None, "only a meeting that was held is kept"
    return {
        "format": FORMAT,
        "site": {"code": board.template.site.code, "name": board.template.site.name},
        "name": board.template.name,
        "starts_at": board.starts_at.isoformat(),
        "opened_at": _iso(huddle.opened_at),
        "moment": board.moment.isoformat(),
        "chair": str(huddle.chair or ""),
        "figures": list(board.figures),
        "horizons": [moment.isoformat() for moment in board.horizons],
        "as_at": board.totals.as_at.isoformat(),
        "stale": board.totals.stale,
        "lines": [_line(line) for line in board.lines],
        "totals": {
            "numbers": dict(board.totals.numbers),
            "dues": [_due(one) for one in board.totals.dues],
            "nurses_planned": board.totals.nurses_planned,
            "nurses_actual": board.totals.nurses_actual,
            "confirmed": board.totals.confirmed,
            "wards": board.totals.wards,
        },
        "harm": board.safety.harm,
        "hazard": board.safety.hazard,
        "previous": [_action(row) for row in board.previous],
        "agreed": [_action(row) for row in board.agreed],
        "before": _before(happened(board.template, board.starts_at, at=board.moment)),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "ward": line.ward.id,
        "code": line.ward.code,
        "name": line.ward.name,
        "who": line.who,
        "confirmed_at": _iso(line.confirmed_at),
        "by": line.by,
        "numbers": dict(line.numbers),
        "dues": [_due(one) for one in line.dues],
        "nurses_planned": line.nurses_planned,
        "nurses_actual": line.nurses_actual,
        "concern": line.texts.concern,
        "harm": line.texts.harm,
        "hazard": line.texts.hazard,
    }


def _due(due: Due) -> dict[str, Any]:
    return {"definite": due.definite, "possible": due.possible}


def _action(row: Row) -> dict[str, Any]:
    one = row.action
    return {
        "id": one.pk,
        "text": row.text,
        "owner": row.owner,
        "place": row.place,
        "due_at": one.due_at.isoformat(),
        "ended_at": _iso(row.ended_at),
        "outcome": one.outcome or ("done" if row.by_deed else ""),
        "late": row.late,
        "note": row.note,
    }


def _before(before: Happened | None) -> dict[str, Any] | None:
    if before is None:
        return None
    return {
        "starts_at": before.starts_at.isoformat(),
        "dues": _cames(before.dues),
        "wards": [
            {"ward": one.ward, "name": one.name, "dues": _cames(one.dues)} for one in before.wards
        ],
    }


def _cames(dues: Iterable[Came]) -> list[dict[str, Any]]:
    return [
        {
            "at": one.at.isoformat(),
            "definite": one.definite,
            "possible": one.possible,
            "came": one.came,
        }
        for one in dues
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
