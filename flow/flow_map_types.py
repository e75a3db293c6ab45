"""What the flow map holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Node(StrEnum):
    """Where patients come from, are, and go to, in the order the map is read."""

    AMBULANCE = "ambulance"
    GP = "gp"
    ELECTIVE = "elective"
    OTHER_ARRIVAL = "other_arrival"
    EMERGENCY = "emergency"
    ASSESSMENT = "assessment"
    CRITICAL_CARE = "critical_care"
    WARDS = "wards"
    OTHER_UNIT = "other_unit"
    COMMUNITY = "community"
    VIRTUAL = "virtual"
    REABLEMENT = "reablement"
    CARE_HOME = "care_home"
    HOME = "home"
    DIED = "died"
    OTHER_PLACE = "other_place"


SOURCES = (Node.AMBULANCE, Node.GP, Node.ELECTIVE, Node.OTHER_ARRIVAL)
SINKS = (Node.HOME, Node.DIED, Node.OTHER_PLACE)


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One kind of place.

    node: which. patients: there at the moment; of a way in or out, who passed in the window.
    beds_open: capacity there; 0 for ways in and out. waiting_for: patients who wait at the
    moment to come into it from anywhere.
    """

    node: Node
    patients: int
    beds_open: int
    waiting_for: int


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """Movement from one kind of place to another.

    patients: moves in the 24 hours before the moment. waiting: open requests for this move at
    the moment; waiting_4h, waiting_24h: the same 4 and 24 hours earlier. oldest: since when the
    longest of them waits. grows: more wait now than both 4 and 24 hours earlier.
    """

    origin: Node
    target: Node
    patients: int
    waiting: int
    waiting_4h: int
    waiting_24h: int
    oldest: datetime | None

    @property
    def grows(self) -> bool:
        """Whether waiting builds up here: the sign that flow is stuck at this edge."""
        return self.waiting > max(self.waiting_4h, self.waiting_24h)


@dataclass(frozen=True, slots=True)
class FlowMap:
    """Movement between kinds of place in `[start, end)`, 24 hours, and what waits at `end`.

    Nodes are in reading order and only those that occur; edges by patients, most first, an edge
    with nothing moved and nobody waiting is not there.
    """

    start: datetime
    end: datetime
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]

    @property
    def stuck(self) -> tuple[FlowEdge, ...]:
        """Edges where waiting grows, the most waiting first."""
        return tuple(sorted((e for e in self.edges if e.grows), key=lambda e: -e.waiting))
