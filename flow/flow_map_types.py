"""What the flow map holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Node(StrEnum):
    """Where patients come from, are, and go to, in the order the map is read.

    `EMERGENCY_ARRIVAL`: by ambulance or on their own feet. `TRANSFER_IN`: from a hospital beyond
    the map. `OTHER_ARRIVAL`: births, maternity, and ways that were not said.
    `OTHER_UNIT`: day units, theatres, lounges, clinics. `UNRECOGNISED`: wards that only a feed
    knows of, which are in no total.
    `HOME`: also where no destination was said. `OTHER_PLACE`: everywhere else.
    """

    EMERGENCY_ARRIVAL = "emergency_arrival"
    GP = "gp"
    ELECTIVE = "elective"
    TRANSFER_IN = "transfer_in"
    OTHER_ARRIVAL = "other_arrival"
    EMERGENCY = "emergency"
    ASSESSMENT = "assessment"
    CRITICAL_CARE = "critical_care"
    WARDS = "wards"
    OTHER_UNIT = "other_unit"
    UNRECOGNISED = "unrecognised"
    COMMUNITY = "community"
    VIRTUAL = "virtual"
    REABLEMENT = "reablement"
    CARE_HOME = "care_home"
    HOME = "home"
    DIED = "died"
    OTHER_PLACE = "other_place"


SOURCES: Final = (
    Node.EMERGENCY_ARRIVAL,
    Node.GP,
    Node.ELECTIVE,
    Node.TRANSFER_IN,
    Node.OTHER_ARRIVAL,
)
SINKS: Final = (Node.HOME, Node.DIED, Node.OTHER_PLACE)


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One kind of place.

    node: which. patients: on the map's own wards of that kind at the moment; of a way in or
    out, who passed in the window. beds_open: capacity there; 0 for ways in and out.
    waiting_for: patients who wait at the moment to come into it, also from its own kind.
    """

    node: Node
    patients: int
    beds_open: int
    waiting_for: int


class Sign(StrEnum):
    """Why a move counts as stuck; see `flow.stuck`."""

    WORK = "work"
    LONGEST = "longest"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """Movement from one kind of place to another.

    patients: moves in the 24 hours before the moment. waiting: open requests for this move at
    the moment; waiting_4h, waiting_24h: the same 4 and 24 hours earlier. oldest: since when the
    longest of them waits. waited: how long all of them together have waited; of patients in
    beds, the bed days that waiting has cost. signs: why the move counts as stuck, if it does.
    """

    origin: Node
    target: Node
    patients: int
    waiting: int
    waiting_4h: int
    waiting_24h: int
    oldest: datetime | None
    waited: timedelta = timedelta()
    signs: tuple[Sign, ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether those who wait are about to leave: their discharge has been announced."""
        return self.target in SINKS


@dataclass(frozen=True, slots=True)
class FlowMap:
    """Movement between kinds of place in `[start, end)`, 24 hours, and what waits at `end`.

    Nodes are in reading order and only those that occur; edges by patients, most first. Moves
    within one kind of place are no edge, and an edge without moves or waits is not there.
    """

    start: datetime
    end: datetime
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]

    @property
    def queues(self) -> tuple[FlowEdge, ...]:
        """Edges where somebody waits: the stuck ones first, then by the days waited in all."""
        waiting = (edge for edge in self.edges if edge.waiting)
        return tuple(sorted(waiting, key=lambda edge: (not edge.signs, -edge.waited)))

    @property
    def stuck(self) -> tuple[FlowEdge, ...]:
        """Edges that count as stuck, those first whose waiting has cost the most days."""
        return tuple(edge for edge in self.queues if edge.signs)
