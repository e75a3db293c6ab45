"""The boards: one function each returns everything a page, a wall screen or the API shows.

Each asks a fixed number of queries, however many beds there are. With `at`, a past moment is
computed from the recorded periods: what was true then, as known now; with `known_at` as well,
what was true then as known at that time. `now` is passed in and never read from a clock here.
"""

from __future__ import annotations

from flow.board_types import (
    Arrival,
    BayBox,
    BedState,
    BedTile,
    Face,
    FeedState,
    Figures,
    Occupant,
    Place,
    Sight,
    SiteBoard,
    SiteLine,
    SystemBoard,
    Trend,
    Wait,
    WardBoard,
    WardLine,
)

__all__ = [
    "Arrival",
    "BayBox",
    "BedState",
    "BedTile",
    "Face",
    "FeedState",
    "Figures",
    "Occupant",
    "Place",
    "Sight",
    "SiteBoard",
    "SiteLine",
    "SystemBoard",
    "Trend",
    "Wait",
    "WardBoard",
    "WardLine",
]
