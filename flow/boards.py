"""The boards: one function each returns everything a page, a wall screen or the API shows.

Each asks a fixed number of queries, however many beds there are, besides those of whoever
watches the feeds. With `at`, a past moment is computed from the recorded periods: what was true
then, as known now; with `known_at` as well, what was true then as known at that time. `now` is
passed in and never read from a clock here.
"""

from __future__ import annotations

from flow.board_types import (
    Arrival,
    BayBox,
    BedState,
    BedTile,
    Face,
    FeedState,
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
from flow.boards_site import site_board
from flow.boards_system import system_board
from flow.boards_ward import ward_board
from flow.checks import Check, ChecksBoard, checks_board
from flow.figure_types import Checks, Figures, Group, Sums, Total

__all__ = [
    "Arrival",
    "BayBox",
    "BedState",
    "BedTile",
    "Check",
    "Checks",
    "ChecksBoard",
    "Face",
    "FeedState",
    "Figures",
    "Group",
    "Occupant",
    "Place",
    "Sight",
    "SiteBoard",
    "SiteLine",
    "Sums",
    "SystemBoard",
    "Total",
    "Trend",
    "Wait",
    "WardBoard",
    "WardLine",
    "checks_board",
    "site_board",
    "system_board",
    "ward_board",
]
