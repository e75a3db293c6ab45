"""Where the boxes and bands of the flow map lie: pure geometry, no colours and no words.

Kinds of place stand in columns from arrival on the left to departure on the right. A band runs
from box to box; where it passes over a column it keeps a lane of its own there, so that it
never runs behind a box. Its width is the number of patients, and one scale holds for the whole
map: the largest at which every column still fits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flow.flow_map_types import SINKS, SOURCES, FlowEdge, FlowMap, FlowNode, Node

WIDTH: Final = 1240.0
HEIGHT: Final = 320.0
BOX: Final = 132.0
WAY: Final = 112.0
"""Widths of a box for a place, and of one for a way in or out."""

_COLUMN: Final = {
    Node.EMERGENCY_ARRIVAL: 0,
    Node.GP: 0,
    Node.ELECTIVE: 0,
    Node.TRANSFER_IN: 0,
    Node.OTHER_ARRIVAL: 0,
    Node.EMERGENCY: 1,
    Node.ASSESSMENT: 2,
    Node.CRITICAL_CARE: 2,
    Node.WARDS: 3,
    Node.COMMUNITY: 4,
    Node.VIRTUAL: 4,
    Node.REABLEMENT: 4,
    Node.CARE_HOME: 4,
    Node.OTHER_UNIT: 4,
    Node.UNRECOGNISED: 3,
    Node.HOME: 5,
    Node.DIED: 5,
    Node.OTHER_PLACE: 5,
}
_COLUMNS: Final = 6
# How far down a box would like to stand, 0 to 1; a lane takes the line between its two ends.
_RANK: Final = {
    Node.EMERGENCY_ARRIVAL: 0.14,
    Node.GP: 0.42,
    Node.TRANSFER_IN: 0.58,
    Node.OTHER_ARRIVAL: 0.72,
    Node.ELECTIVE: 0.9,
    Node.EMERGENCY: 0.2,
    Node.ASSESSMENT: 0.4,
    Node.CRITICAL_CARE: 0.84,
    Node.WARDS: 0.6,
    Node.VIRTUAL: 0.3,
    Node.COMMUNITY: 0.48,
    Node.REABLEMENT: 0.64,
    Node.CARE_HOME: 0.8,
    Node.OTHER_UNIT: 0.96,
    Node.UNRECOGNISED: 0.97,
    Node.HOME: 0.22,
    Node.OTHER_PLACE: 0.72,
    Node.DIED: 0.93,
}
_GAP: Final = 9.0
_LANE_GAP: Final = 7.0
_BOX_LEAST: Final = 38.0
_WAY_LEAST: Final = 36.0
_BAND_LEAST: Final = 1.5
_TEXT: Final = 14.0
"""Least distance between bands at a box's side, so that each band's number can be read."""
_BADGE: Final = 19.0
_SMALL: Final = 0.01
"""Share of all moves below which a move that passes over a column, or runs against the reading
direction, is left to the table unless somebody waits for it, or it is a death."""


@dataclass(frozen=True, slots=True)
class Box:
    """A kind of place on the map. `fill` is its occupancy, 0 to 1; None where there are no beds."""

    node: FlowNode
    x: float
    y: float
    width: float
    height: float
    fill: float | None

    @property
    def is_way(self) -> bool:
        """Whether it is a way in or out, where people pass and nobody stays."""
        return self.node.node in SOURCES or self.node.node in SINKS

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2

    @property
    def text(self) -> float:
        """Where its words begin, from the left."""
        return self.x + 12

    @property
    def gauge(self) -> float:
        """The height of the filled part."""
        return round(self.height * (self.fill or 0.0), 1)

    @property
    def gauge_top(self) -> float:
        """The upper edge of the filled part."""
        return round(self.y + self.height - self.gauge, 1)


@dataclass(frozen=True, slots=True)
class Band:
    """A move on the map: its centre line as an SVG path, its width, and where its number stands.

    `against` marks a move against the reading direction or within a column, drawn thin.
    """

    edge: FlowEdge
    path: str
    width: float
    x: float
    y: float
    against: bool

    @property
    def edge_width(self) -> float:
        """Width of what shows on both sides of a band that is stuck."""
        return self.width + 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """The map. `left_out`: how many small moves are in the table only."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    bands: tuple[Band, ...]
    left_out: int


@dataclass(slots=True)
class _Item:
    """Something that takes height in a column: a box, or a lane of a band that passes."""

    column: int
    rank: float
    node: FlowNode | None = None
    edge: FlowEdge | None = None
    height: float = 0.0
    y: float = 0.0

    @property
    def gap(self) -> float:
        return _GAP if self.node else _LANE_GAP

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def drawn(flow: FlowMap) -> Drawing:
    """Lay the map out."""
    least = _SMALL * sum(e.patients for e in flow.edges)
    edges = [
        e
        for e in flow.edges
        if e.waiting or e.patients >= least or _span(e) == 1 or e.target == Node.DIED
    ]
    forward = [e for e in edges if _span(e) > 0]
    ends = {e.origin for e in edges} | {e.target for e in edges}
    ways = {*SOURCES, *SINKS}
    nodes = [
        n
        for n in flow.nodes
        if n.node in ends or n.beds_open or (n.patients and n.node not in ways)
    ]
    items = _items(nodes, forward)
    scale, height = _fitted(items, forward)
    for column in range(_COLUMNS):
        _stack([i for i in items if i.column == column], height)
    boxes = {i.node.node: _box(i) for i in items if i.node}
    bands = _bands(items, boxes, forward, scale)
    bands += [_against(edge, boxes) for edge in edges if _span(edge) <= 0]
    bands.sort(key=lambda band: (bool(band.edge.signs), -band.width))
    return Drawing(WIDTH, height, tuple(boxes.values()), tuple(bands), len(flow.edges) - len(edges))


def _span(edge: FlowEdge) -> int:
    """Columns from origin to target; 0 within a column, negative against the reading direction."""
    return _COLUMN[edge.target] - _COLUMN[edge.origin]


def _items(nodes: Iterable[FlowNode], forward: Iterable[FlowEdge]) -> list[_Item]:
    items = [_Item(_COLUMN[n.node], _RANK[n.node], node=n) for n in nodes]
    for edge in forward:
        first, last = _COLUMN[edge.origin], _COLUMN[edge.target]
        start, end = _RANK[edge.origin], _RANK[edge.target]
        for column in range(first + 1, last):
            along = (column - first) / (last - first)
            items.append(_Item(column, start + (end - start) * along, edge=edge))
    return sorted(items, key=lambda i: (i.column, i.rank))


def _slot(edge: FlowEdge, scale: float) -> float:
    """Height that a band takes at a box's side."""
    return max(edge.patients * scale, _BADGE if edge.waiting else _TEXT)


def _thickness(edge: FlowEdge, scale: float) -> float:
    return max(edge.patients * scale, _BAND_LEAST)


def _measure(items: Iterable[_Item], forward: Sequence[FlowEdge], scale: float) -> float:
    """Give every item its height at this scale; how high the highest column becomes."""
    out: dict[Node, float] = defaultdict(float)
    into: dict[Node, float] = defaultdict(float)
    for edge in forward:
        out[edge.origin] += _slot(edge, scale)
        into[edge.target] += _thickness(edge, scale)
    columns: dict[int, float] = defaultdict(float)
    for item in items:
        if item.node:
            node = item.node.node
            least = _WAY_LEAST if node in SOURCES or node in SINKS else _BOX_LEAST
            item.height = max(least, out[node], into[node])
        elif item.edge:
            item.height = _thickness(item.edge, scale)
        columns[item.column] += item.height + item.gap
    return max(columns.values(), default=0.0)


def _fitted(items: Sequence[_Item], forward: Sequence[FlowEdge]) -> tuple[float, float]:
    """The largest scale that fits, found by halving, and the height of the map."""
    height = max(HEIGHT, _measure(items, forward, 0.0))
    low, high = 0.0, 8.0
    for _ in range(30):
        middle = (low + high) / 2
        if _measure(items, forward, middle) <= height:
            low = middle
        else:
            high = middle
    _measure(items, forward, low)
    return low, height


def _stack(items: Sequence[_Item], height: float) -> None:
    """Place a column's items as near to where they would like to be as the others allow."""
    floor = 0.0
    for item in items:
        item.y = max(floor, item.rank * height - item.height / 2)
        floor = item.y + item.height + item.gap
    ceiling = height
    for item in reversed(items):
        item.y = min(item.y, ceiling - item.height)
        ceiling = item.y - item.gap
    # What the way back pushed above the top edge comes down again; together they fit.
    floor = 0.0
    for item in items:
        item.y = max(item.y, floor)
        floor = item.y + item.height + item.gap


def _box(item: _Item) -> Box:
    assert item.node is not None
    node = item.node
    way = node.node in SOURCES or node.node in SINKS
    width = WAY if way else BOX
    # The first and last column stand at the edges, the others in equal distances between.
    span = WIDTH - 2 * WAY - (_COLUMNS - 2) * BOX
    gap = span / (_COLUMNS - 1)
    x = 0.0 if item.column == 0 else WAY + gap + (item.column - 1) * (BOX + gap)
    fill = None if way or not node.beds_open else min(1.0, node.patients / node.beds_open)
    return Box(node, round(x, 1), round(item.y, 1), width, round(item.height, 1), fill)


def _bands(
    items: Sequence[_Item], boxes: dict[Node, Box], forward: Sequence[FlowEdge], scale: float
) -> list[Band]:
    lanes: dict[tuple[Node, Node], list[_Item]] = defaultdict(list)
    for item in items:
        if item.edge:
            lanes[item.edge.origin, item.edge.target].append(item)

    def way(edge: FlowEdge) -> list[_Item]:
        return lanes[edge.origin, edge.target]

    starts: dict[tuple[Node, Node], float] = {}
    ends: dict[tuple[Node, Node], float] = {}
    for node, box in boxes.items():
        out = [e for e in forward if e.origin == node]
        out.sort(key=lambda e: way(e)[0].middle if way(e) else boxes[e.target].middle)
        into = [e for e in forward if e.target == node]
        into.sort(key=lambda e: way(e)[-1].middle if way(e) else boxes[e.origin].middle)
        for side, edges, size in ((starts, out, _slot), (ends, into, _thickness)):
            at = box.middle - sum(size(e, scale) for e in edges) / 2
            for edge in edges:
                side[edge.origin, edge.target] = at + size(edge, scale) / 2
                at += size(edge, scale)
    return [
        _band(
            edge,
            (boxes[edge.origin].right, starts[edge.origin, edge.target]),
            (boxes[edge.target].x, ends[edge.origin, edge.target]),
            way(edge),
            scale,
        )
        for edge in forward
    ]


def _band(
    edge: FlowEdge,
    start: tuple[float, float],
    end: tuple[float, float],
    lanes: Sequence[_Item],
    scale: float,
) -> Band:
    parts = [f"M{start[0]:.1f} {start[1]:.1f}"]
    x, y = start
    gap = (WIDTH - 2 * WAY - (_COLUMNS - 2) * BOX) / (_COLUMNS - 1)
    for lane in lanes:
        left = WAY + gap + (lane.column - 1) * (BOX + gap)
        parts.append(_curve(x, y, left, lane.middle))
        parts.append(f"H{left + BOX:.1f}")
        x, y = left + BOX, lane.middle
    parts.append(_curve(x, y, *end))
    thickness = round(_thickness(edge, scale), 1)
    return Band(edge, "".join(parts), thickness, start[0], round(start[1], 1), against=False)


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (x + to_x) / 2
    return f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _against(edge: FlowEdge, boxes: dict[Node, Box]) -> Band:
    """A thin line: within a column a bow on its right, else from left to right."""
    a, b = boxes[edge.origin], boxes[edge.target]
    if _span(edge) == 0:
        y, to_y = (a.middle + 6, b.middle - 6) if a.y < b.y else (a.middle - 6, b.middle + 6)
        bow = a.right + 34
        way = f"{bow:.1f} {y:.1f} {bow:.1f} {to_y:.1f} {b.right:.1f} {to_y:.1f}"
        path = f"M{a.right:.1f} {y:.1f}C{way}"
        return Band(edge, path, _BAND_LEAST, a.right + 22, round((y + to_y) / 2, 1), against=True)
    y, to_y = a.y + a.height * 0.8, b.y + b.height * 0.8
    path = f"M{a.x:.1f} {y:.1f}{_curve(a.x, y, b.right, to_y)}"
    return Band(edge, path, _BAND_LEAST, a.x - 74, round(y, 1), against=True)
