"""The panel of "what if": its fields as they stand, and what there is to choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow.board_types import Sight
from flow.forecast_pages.leavers import WardLeavers, leavers
from flow.forecast_pages.trying import Row, Typed, Written, moments
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.outlook import Pool
from flow.forecasts.scenario import PATHWAYS
from flow.forecasts.stored import Issued


@dataclass(frozen=True, slots=True)
class Field:
    """A row of the form, numbered; what is wrong with its number of beds or hours."""

    number: int
    row: Row
    error: str


@dataclass(frozen=True, slots=True)
class Place:
    """Places of a pathway, as typed."""

    pathway: int
    number: str
    error: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The form. opened, closed: rows, the last of them empty. leavers: None where the viewer sees
    no patient. wards, moments: to choose among. whole: whether the viewer sees the whole site.
    others: groups of patients, in the address, that are to have left by other times."""

    typed: Typed
    opened: Sequence[Field]
    closed: Sequence[Field]
    leavers: Sequence[WardLeavers] | None
    places: Sequence[Place]
    wards: Sequence[tuple[str, str]]
    moments: Sequence[tuple[Written, str]]
    whole: bool
    others: int

    @property
    def errors(self) -> Mapping[str, str]:
        """By the id of a field."""
        return self.typed.errors


def panel(
    typed: Typed, issued: Issued, pool: Pool, *, sight: Sight, board: ForecastBoard, now: datetime
) -> Panel:
    """The form beside the forecast of a pool; two queries for who sees patients, none else."""
    chosen = [row.since for row in (*typed.opened, *typed.closed)]
    beds = issued.outlook.site.pool.wards if issued.outlook else ()
    return Panel(
        typed=typed,
        opened=_fields(typed.opened, typed, "beds"),
        closed=_fields(typed.closed, typed, "shut-hours"),
        leavers=leavers(typed, issued, pool, sight=sight, board=board, now=now),
        places=[
            Place(
                pathway,
                typed.places.get(pathway, "0") or "0",
                typed.errors.get(f"what-p{pathway}", ""),
            )
            for pathway in PATHWAYS
        ],
        wards=[(str(key), place.name) for key, place in board.places.items() if key in beds],
        moments=moments(issued.at, [*chosen, typed.leaving_by]),
        whole=board.is_whole,
        others=max(0, len(typed.scenario.gone) - 1),
    )


def _fields(rows: Sequence[Row], typed: Typed, name: str) -> list[Field]:
    return [
        Field(n, row, typed.errors.get(f"what-{name}-{n}", ""))
        for n, row in enumerate([*rows, Row()])
    ]
