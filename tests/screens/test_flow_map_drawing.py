from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flow.flow_map_drawing import BOX, WAY, WIDTH, Drawing, drawn
from flow.flow_map_types import SINKS, SOURCES, FlowEdge, FlowMap, FlowNode, Node

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
PLACES = [node for node in Node if node not in SOURCES and node not in SINKS]
numbers = st.integers(0, 800)


@st.composite
def flow_maps(draw: st.DrawFn) -> FlowMap:
    """Any map that `flow.flow_map` could make: edges with something on them, ends present."""
    ends = st.tuples(st.sampled_from([*SOURCES, *PLACES]), st.sampled_from([*PLACES, *SINKS]))
    pairs = draw(st.sets(ends.filter(lambda pair: pair[0] != pair[1]), max_size=40))
    edges = []
    for origin, target in sorted(pairs):
        moved = draw(numbers)
        waiting = draw(st.integers(0 if moved else 1, 60)) if draw(st.booleans()) else 0
        if moved or waiting:
            since = NOW - timedelta(hours=3) if waiting else None
            edges.append(FlowEdge(origin, target, moved, waiting, draw(numbers), 0, since))
    touched = {e.origin for e in edges} | {e.target for e in edges}
    extra = draw(st.sets(st.sampled_from(PLACES)))
    nodes = tuple(
        FlowNode(node, draw(numbers), draw(numbers) if node in PLACES else 0, 0)
        for node in Node
        if node in touched | extra
    )
    return FlowMap(NOW - timedelta(hours=24), NOW, nodes, tuple(edges))


def points(path: str) -> list[tuple[float, float]]:
    """The points a path starts from and ends at, and those between its curves."""
    found = [float(number) for number in re.findall(r"-?\d+\.\d", path)]
    return [(found[0], found[1]), (found[-2], found[-1])]


@given(flow_maps())
def test_boxes_of_a_column_do_not_overlap_and_stay_on_the_map(flow: FlowMap) -> None:
    drawing = drawn(flow)
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.right <= WIDTH + 0.1
        assert box.y >= -0.1
        assert box.y + box.height <= drawing.height + 0.1
        assert box.width == (WAY if box.node.node in (*SOURCES, *SINKS) else BOX)
    columns = {box.x for box in drawing.boxes}
    for x in columns:
        stacked = sorted((box for box in drawing.boxes if box.x == x), key=lambda box: box.y)
        for upper, lower in pairwise(stacked):
            assert upper.y + upper.height < lower.y


@given(flow_maps())
def test_every_edge_where_somebody_waits_is_drawn(flow: FlowMap) -> None:
    drawing = drawn(flow)
    shown = {(band.edge.origin, band.edge.target) for band in drawing.bands}
    assert {(e.origin, e.target) for e in flow.edges if e.waiting} <= shown
    assert len(shown) + drawing.left_out == len(flow.edges)


@given(flow_maps())
def test_a_band_runs_from_its_box_to_its_box(flow: FlowMap) -> None:
    drawing = drawn(flow)
    boxes = {box.node.node: box for box in drawing.boxes}
    for band in drawing.bands:
        if band.against:
            continue
        (x, y), (to_x, to_y) = points(band.path)
        origin, target = boxes[band.edge.origin], boxes[band.edge.target]
        assert abs(x - origin.right) < 0.2
        assert origin.y - 0.2 <= y <= origin.y + origin.height + 0.2
        assert abs(to_x - target.x) < 0.2
        assert target.y - 0.2 <= to_y <= target.y + target.height + 0.2


@given(flow_maps())
def test_widths_are_in_proportion_to_patients(flow: FlowMap) -> None:
    bands = [band for band in drawn(flow).bands if not band.against]
    for one in bands:
        for other in bands:
            if one.edge.patients > other.edge.patients:
                assert one.width >= other.width
    thick = [band for band in bands if band.width > 12]
    shares = [band.width / band.edge.patients for band in thick]
    assert all(abs(share - shares[0]) < 0.02 * shares[0] + 0.01 for share in shares)


def test_small_moves_over_a_column_are_left_to_the_table_unless_somebody_waits() -> None:
    nodes = tuple(
        FlowNode(node, 10, 0, 0)
        for node in (Node.EMERGENCY, Node.WARDS, Node.HOME, Node.DIED, Node.OTHER_PLACE)
    )
    edges = (
        FlowEdge(Node.WARDS, Node.HOME, 500, 0, 0, 0, None),
        FlowEdge(Node.EMERGENCY, Node.OTHER_PLACE, 2, 0, 0, 0, None),
        FlowEdge(Node.EMERGENCY, Node.DIED, 1, 0, 0, 0, None),
        FlowEdge(Node.EMERGENCY, Node.WARDS, 1, 3, 1, 1, NOW),
    )
    drawing = drawn(FlowMap(NOW, NOW, nodes, edges))
    assert drawing.left_out == 1
    assert [band.edge.target for band in drawing.bands] == [Node.HOME, Node.DIED, Node.WARDS]


@given(flow_maps())
def test_every_death_is_drawn_and_everybody_is_in_a_box(flow: FlowMap) -> None:
    drawing = drawn(flow)
    shown = {(band.edge.origin, band.edge.target) for band in drawing.bands}
    assert {(e.origin, e.target) for e in flow.edges if e.target == Node.DIED} <= shown
    places = {node.node: node.patients for node in flow.nodes if node.node in PLACES}
    boxes = {box.node.node: box.node.patients for box in drawing.boxes}
    assert sum(places.values()) == sum(n for node, n in boxes.items() if node in places)


def test_an_empty_map_is_an_empty_drawing() -> None:
    assert drawn(FlowMap(NOW, NOW, (), ())) == Drawing(WIDTH, 320.0, (), (), 0)
