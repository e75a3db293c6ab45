"""The flow map: how people moved between kinds of place in 24 hours, and where it is stuck.

Moves are those of persons, not of episodes: somebody discharged from one provider who turns up
at another within `GAP` moved from the one to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from flow.figure_types import Figures
from flow.flow_map_types import SINKS, SOURCES, FlowEdge, FlowMap, FlowNode, Node
from flow.kinds import NODE_OF
from flow.moment import Moment, held
from flow.reading import read
from flow.stuck import Limits, Queue, signs

WINDOW: Final = timedelta(hours=24)

GAP: Final = timedelta(hours=6)
"""How long somebody may be between two places and still have moved from one to the other: a
transfer by road, or the first visit of a team at home after a discharge."""

OUTLYING: Final = (Node.COMMUNITY, Node.VIRTUAL, Node.REABLEMENT, Node.CARE_HOME)
"""Places that a hospital's map shows by their own name though they belong to somebody else."""

# NHS Data Dictionary, ADMISSION METHOD: 11-13 elective, 22 by a general practitioner, 23 by a
# bed bureau, 24 from a consultant clinic, 2B and 81 transfers from another provider, 21, 25, 2A,
# 2D and 28 other emergencies. HL7 table 0007: A accident, E emergency, U urgent, C elective.
_ROUTES: Final = {
    Node.ELECTIVE: ["11", "12", "13", "C"],
    Node.GP: ["22", "23", "24"],
    Node.TRANSFER_IN: ["2B", "81"],
    Node.EMERGENCY_ARRIVAL: ["21", "25", "2A", "2D", "28", "A", "E", "U"],
}
# NHS Data Dictionary, DISCHARGE DESTINATION: 19 usual and 29 temporary place of residence, 54,
# 65 and 85 care homes, 79 died. HL7 table 0112: 01 home, 03 and 04 nursing care, 20 died.
_EXITS: Final = {
    Node.DIED: ["79", "20"],
    Node.CARE_HOME: ["54", "65", "85", "03", "04"],
    Node.HOME: ["19", "29", "01", ""],
}


def flow_map(*, wards: Collection[int], figures: Mapping[str, Figures], moment: Moment) -> FlowMap:
    """The map of these wards in the 24 hours before the moment; two queries.

    `figures`: the sum over these wards for each kind of ward, at the moment. Wards beyond
    `wards` are ways in and out, but for the outlying ones, which keep their name.
    """
    moves = _moves(wards, moment)
    waits = _waits(wards, moment)
    edges = [
        _edge(
            (origin, target), moves.get((origin, target), 0), waits.get((origin, target)), moment.at
        )
        for origin, target in moves.keys() | waits.keys()
        if origin != target
    ]
    edges = [e for e in edges if e.patients or e.waiting]
    order = {node: place for place, node in enumerate(Node)}
    edges.sort(key=lambda e: (-e.patients, -e.waiting, order[e.origin], order[e.target]))
    return FlowMap(
        start=moment.at - WINDOW,
        end=moment.at,
        nodes=tuple(_nodes(edges, figures, waits)),
        edges=tuple(edges),
    )


@dataclass(frozen=True, slots=True)
class _Wait:
    """Open requests at the moment and earlier; see `FlowEdge`."""

    now: int = 0
    early: int = 0
    start: int = 0
    oldest: datetime | None = None
    waited: timedelta = timedelta()


Waits = dict[tuple[Node, Node], _Wait]


def limits() -> Limits:
    """From when on a move counts as stuck here (setting `STUCK_LIMITS`)."""
    return Limits(**getattr(settings, "STUCK_LIMITS", {}))


def _edge(way: tuple[Node, Node], moved: int, wait: _Wait | None, at: datetime) -> FlowEdge:
    found = wait or _Wait()
    longest = at - found.oldest if found.oldest else timedelta()
    queue = Queue(*way, moved, found.now, found.early, found.start, longest)
    return FlowEdge(
        *way,
        patients=moved,
        waiting=found.now,
        waiting_4h=found.early,
        waiting_24h=found.start,
        oldest=found.oldest,
        waited=found.waited,
        signs=signs(queue, limits()),
    )


def _nodes(
    edges: Collection[FlowEdge], figures: Mapping[str, Figures], waits: Waits
) -> list[FlowNode]:
    patients: dict[Node, int] = defaultdict(int)
    beds: dict[Node, int] = defaultdict(int)
    waiting: dict[Node, int] = defaultdict(int)
    for kind, sums in figures.items():
        patients[NODE_OF[kind]] += sums.patients
        beds[NODE_OF[kind]] += sums.beds_open
    for edge in edges:
        if edge.origin in SOURCES:
            patients[edge.origin] += edge.patients
        if edge.target in SINKS:
            patients[edge.target] += edge.patients
    for (_, target), wait in waits.items():
        waiting[target] += wait.now
    touched = {edge.origin for edge in edges} | {edge.target for edge in edges}
    present = {NODE_OF[kind] for kind in figures} | touched
    return [
        FlowNode(node, patients[node], beds[node], waiting[node])
        for node in Node
        if node in present
    ]


def _params(wards: Collection[int], moment: Moment) -> dict[str, object]:
    codes = [(code, node.value) for node, listed in _ROUTES.items() for code in listed]
    exits = [(code, node.value) for node, listed in _EXITS.items() for code in listed]
    return moment.params | {
        "wards": sorted(wards),
        "kinds": list(NODE_OF),
        "nodes": [node.value for node in NODE_OF.values()],
        "route_codes": [code for code, _ in codes],
        "route_nodes": [node for _, node in codes],
        "exit_codes": [code for code, _ in exits],
        "exit_nodes": [node for _, node in exits],
        "outlying": [node.value for node in OUTLYING],
        "start": moment.at - WINDOW,
        "early": moment.at - timedelta(hours=4),
        "gap": GAP,
        "from": moment.at - WINDOW - 2 * GAP,
        "to": moment.at + 2 * GAP,
    }


_ROUTE: Final = """coalesce((SELECT node FROM route WHERE code = e.admission_method),
                            'other_arrival')"""
_EXIT: Final = """CASE WHEN p.died_at <= upper(s.period) + interval '1 day' THEN 'died'
                  ELSE coalesce((SELECT node FROM way_out WHERE code = e.discharge_destination),
                                'other_place') END"""

_PLACES: Final = """
route(code, node) AS (SELECT * FROM unnest(%(route_codes)s::text[], %(route_nodes)s::text[])),
way_out(code, node) AS (SELECT * FROM unnest(%(exit_codes)s::text[], %(exit_nodes)s::text[])),
place AS (
    SELECT w.id, k.node, w.id = ANY(%(wards)s) AS inside, k.node = ANY(%(outlying)s) AS outlying
      FROM wards_ward w
      JOIN unnest(%(kinds)s::text[], %(nodes)s::text[]) AS k(kind, node) ON k.kind = w.kind
)"""


def _moves(wards: Collection[int], moment: Moment) -> dict[tuple[Node, Node], int]:
    """Moves in the window, by origin and target; a move is dated by the arrival, a departure
    that no arrival follows by its own time."""
    near = held("wards_occupancy", moment, "r.period && tstzrange(%(from)s, %(to)s)")
    sql = f"""
WITH {_PLACES},
steps AS (
    SELECT n.person_id, n.episode_id, n.period, here.node, here.inside, here.outlying,
           lag(here.node) OVER way AS last_node,
           lag(here.inside) OVER way AS last_inside,
           lag(here.outlying) OVER way AS last_outlying,
           coalesce(lower(n.period) - lag(upper(n.period)) OVER way <= %(gap)s, false) AS moved,
           coalesce(lead(lower(n.period)) OVER way - upper(n.period) <= %(gap)s, false) AS goes_on
      FROM {near} n JOIN place here ON here.id = n.ward_id
    WINDOW way AS (PARTITION BY n.person_id ORDER BY lower(n.period))
),
moves(origin, target) AS (
    SELECT CASE WHEN s.moved AND (s.last_inside OR s.last_outlying) THEN s.last_node
                WHEN s.moved THEN 'transfer_in'
                WHEN s.node = 'emergency' THEN 'emergency_arrival'
                ELSE {_ROUTE} END,
           CASE WHEN s.inside OR s.outlying THEN s.node ELSE 'other_place' END
      FROM steps s JOIN patients_episode e ON e.id = s.episode_id
     WHERE lower(s.period) >= %(start)s AND lower(s.period) < %(at)s
       AND (s.inside OR (s.moved AND s.last_inside))
    UNION ALL
    SELECT s.node, {_EXIT}
      FROM steps s
      JOIN patients_episode e ON e.id = s.episode_id
      JOIN patients_patient p ON p.id = e.patient_id
     WHERE upper(s.period) >= %(start)s AND upper(s.period) < %(at)s
       AND s.inside AND NOT s.goes_on
)
SELECT origin, target, count(*) FROM moves WHERE origin <> target GROUP BY origin, target
"""  # noqa: S608 - the values travel as parameters
    rows = read(sql, _params(wards, moment))
    return {(Node(a), Node(b)): number for a, b, number in rows}


def _waits(wards: Collection[int], moment: Moment) -> Waits:
    """Open requests at the moment, 4 and 24 hours earlier, since when the oldest waits, and how
    long all have waited.

    A patient waits where they are; one who is not here yet, on the way they are to come by. A
    request that names no ward waits for the wards, or for the way out.
    """
    open_then = "r.period && tstzrange(%(start)s, %(at)s, '[]') AND r.kind <> 'expected'"
    requests = held("wards_bedrequest", moment, open_then)
    stays = held("wards_occupancy", moment, "r.period && tstzrange(%(start)s, %(at)s, '[]')")
    sql = f"""
WITH {_PLACES},
clock(ago, at) AS (VALUES (0, %(at)s), (4, %(early)s), (24, %(start)s)),
stay AS MATERIALIZED {stays},
asked AS (
    SELECT clock.ago, lower(s.period) AS since,
           CASE WHEN here.inside OR here.outlying THEN here.node
                WHEN here.id IS NOT NULL THEN 'transfer_in'
                ELSE {_ROUTE} END AS origin,
           CASE WHEN there.inside OR there.outlying THEN there.node
                WHEN there.id IS NOT NULL THEN 'other_place'
                WHEN s.kind <> 'discharge' THEN 'wards'
                ELSE {_EXIT} END AS target
      FROM clock
      JOIN {requests} s ON s.period @> clock.at
      JOIN patients_episode e ON e.id = s.episode_id
      JOIN patients_patient p ON p.id = e.patient_id
      LEFT JOIN stay ON stay.person_id = p.person_id AND stay.period @> clock.at
      LEFT JOIN place here ON here.id = stay.ward_id
      LEFT JOIN place there ON there.id = s.ward_id
     WHERE here.inside OR coalesce(s.ward_id, s.from_ward_id) = ANY(%(wards)s)
)
SELECT origin, target, count(*) FILTER (WHERE ago = 0), count(*) FILTER (WHERE ago = 4),
       count(*) FILTER (WHERE ago = 24), min(since) FILTER (WHERE ago = 0),
       coalesce(sum(%(at)s - since) FILTER (WHERE ago = 0), interval '0')
  FROM asked GROUP BY origin, target
"""  # noqa: S608 - the values travel as parameters
    rows = read(sql, _params(wards, moment))
    return {(Node(a), Node(b)): _Wait(*rest) for a, b, *rest in rows}
