"""The picture of who waits how long: a column for each band of days, in it a part for each
pathway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flow.discharges import BANDS
from flow.hub.board import Tally
from flow.hub.filters import band_key

WIDTH: Final = 420
HEIGHT: Final = 190
_TOP: Final = 18
_FOOT: Final = 20
_GAP: Final = 10
_LEAST_TO_NAME: Final = 13
"""Height from which a part has room for its name."""


@dataclass(frozen=True, slots=True)
class Part:
    """The patients of one pathway in a band. key: of the pathway; short: its name, empty where
    there is no room for it. y, height: where the part stands."""

    key: str
    short: str
    y: float
    height: float

    @property
    def middle(self) -> float:
        """Where the name stands."""
        return round(self.y + self.height / 2 + 4, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """A band of days. total: patients in it. x, width: where it stands; top: of the highest
    part."""

    label: str
    total: int
    x: float
    width: float
    top: float
    parts: tuple[Part, ...]

    @property
    def centre(self) -> float:
        """Its middle, across."""
        return round(self.x + self.width / 2, 1)


def columns(pathways: Sequence[Tally]) -> list[Column]:
    """The columns of the picture, the shortest wait first."""
    totals = [sum(one.by_days[band] for one in pathways) for band in range(len(BANDS))]
    most = max([*totals, 1])
    width = (WIDTH - _GAP * (len(BANDS) - 1)) / len(BANDS)
    room = HEIGHT - _TOP - _FOOT
    found = []
    for band, (low, high) in enumerate(BANDS):
        y = float(HEIGHT - _FOOT)
        parts = []
        for one in pathways:
            height = room * one.by_days[band] / most
            y -= height
            if height:
                short = f"P{one.key}" if one.key.isdigit() else "?"
                named = short if height >= _LEAST_TO_NAME else ""
                parts.append(Part(one.key, named, round(y, 1), round(max(height - 1, 0.5), 1)))
        found.append(
            Column(
                label=band_key(low, high).replace("-", "–"),
                total=totals[band],
                x=round(band * (width + _GAP), 1),
                width=round(width, 1),
                top=round(y - 5, 1),
                parts=tuple(parts),
            )
        )
    return found
