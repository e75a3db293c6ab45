"""The panel of "what if": its fields as they stand, and what there is to choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from flow.board_types import Face, Sight
from flow.faces import faces
from flow.forecast_pages.trying import Row, Typed, Written, moments, noon_after
from flow.forecasts.boards import ForecastBoard
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import HOURS
from flow.forecasts.phrases import tenths
from flow.forecasts.scenario import PATHWAYS
from flow.forecasts.stored import Issued
from patients.models import Episode

LIKELIEST: Final = 24
"""How many patients are offered to have left: those most likely to, beside those chosen."""


@dataclass(frozen=True, slots=True)
class Field:
    """A row of the form, numbered; what is wrong with its number of beds or hours."""

    number: int
    row: Row
    error: str


@dataclass(frozen=True, slots=True)
class Leaver:
    """A patient who may be chosen to have left. chance: to have left by the time chosen anyway."""

    episode: int
    face: Face | None
    ward: str
    chance: str
    chosen: bool


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
    leavers: Sequence[Leaver] | None
    places: Sequence[Place]
    wards: Sequence[tuple[str, str]]
    moments: Sequence[tuple[Written, str]]
    whole: bool
    others: int

    @property
    def errors(self) -> Mapping[str, str]:
        """By the id of a field."""
        return self.typed.errors


def panel(typed: Typed, issued: Issued, *, sight: Sight, board: ForecastBoard) -> Panel:
    """The form beside a forecast; two queries for who sees patients, none else."""
    chosen = [row.since for row in (*typed.opened, *typed.closed)]
    beds = issued.outlook.site.pool.wards if issued.outlook else ()
    return Panel(
        typed=typed,
        opened=_fields(typed.opened, typed, "beds"),
        closed=_fields(typed.closed, typed, "shut-hours"),
        leavers=_leavers(typed, issued, sight, board),
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


def _leavers(
    typed: Typed, issued: Issued, sight: Sight, board: ForecastBoard
) -> Sequence[Leaver] | None:
    """Those most likely to leave within a day, and those chosen already."""
    if sight.patients == frozenset():
        return None
    people = issued.patients
    by = next((one.by for one in typed.scenario.gone), noon_after(issued.at))
    hour = min(Horizon(issued.at).at_or_after(by), HOURS - 1)
    chosen = set(typed.leaving)
    order = np.argsort(-people.hours[:, 23], kind="stable").tolist()
    mine = [n for n in order if sight.sees_patients(int(people.wards[n]))]
    picked = [n for n in mine[LIKELIEST:] if int(people.episodes[n]) in chosen]
    shown = [*mine[:LIKELIEST], *picked]
    episodes = [int(people.episodes[n]) for n in shown]
    patients = dict(Episode.objects.filter(pk__in=episodes).values_list("pk", "patient_id"))
    known = faces(set(patients.values()))
    return [
        Leaver(
            episode=episode,
            face=known.get(patients.get(episode, 0)),
            ward=place.name if (place := board.places.get(int(people.wards[n]))) else "",
            chance=tenths(float(people.hours[n, hour])),
            chosen=episode in chosen,
        )
        for n, episode in zip(shown, episodes, strict=True)
    ]
