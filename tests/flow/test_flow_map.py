"""The flow map against a slow walk over everybody's way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from pytest_django import fixtures

from flow.counts import count
from flow.flow_map import GAP, flow_map
from flow.flow_map_types import FlowEdge, FlowMap, Node, Sign
from flow.moment import Moment
from patients.models import Episode, Patient
from tests.flow.places import HOUR, START, Hospital, ask, make_episode, make_site, make_ward, put
from wards.models import Ward

pytestmark = pytest.mark.django_db

KINDS = ("emergency", "assessment", "inpatient", "critical_care", "community", "care_home")
NODES = {
    "emergency": Node.EMERGENCY,
    "assessment": Node.ASSESSMENT,
    "inpatient": Node.WARDS,
    "critical_care": Node.CRITICAL_CARE,
    "community": Node.COMMUNITY,
    "care_home": Node.CARE_HOME,
}
ROUTES = {"11": Node.ELECTIVE, "22": Node.GP, "21": Node.EMERGENCY_ARRIVAL, "81": Node.TRANSFER_IN}
EXITS = {"19": Node.HOME, "": Node.HOME, "79": Node.DIED, "54": Node.CARE_HOME}
STEP = timedelta(minutes=30)
END = START + 48 * HOUR


@dataclass(frozen=True)
class Leg:
    """Somebody on ward `ward` for `[lo, hi)` half hours after START; episodes change with it."""

    ward: int
    lo: int
    hi: int | None
    method: str
    destination: str


@dataclass(frozen=True)
class Ask:
    """Somebody's request, made at `lo` and met at `hi` half hours after START."""

    person: int
    kind: str
    lo: int
    hi: int | None
    origin: int | None
    target: int | None


wards = st.integers(0, 2 * len(KINDS) - 1)


@st.composite
def ways(draw: st.DrawFn) -> list[Leg]:
    legs: list[Leg] = []
    clock = draw(st.integers(20, 90))
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.none() | st.integers(1, 14) | st.integers(1, 14))
        legs.append(
            Leg(
                draw(wards),
                clock,
                None if length is None else clock + length,
                draw(st.sampled_from([*ROUTES, "31", ""])),
                draw(st.sampled_from([*EXITS, "37"])),
            )
        )
        if length is None:
            break
        clock += length + draw(st.sampled_from([0, 1, 11, 12, 13, 30]))
    return legs


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[Leg]], list[Ask]]:
    people = draw(st.lists(ways(), min_size=1, max_size=5))
    asks = []
    for _ in range(draw(st.integers(0, 5))):
        lo, length = draw(st.integers(0, 95)), draw(st.none() | st.integers(1, 60))
        asks.append(
            Ask(
                draw(st.integers(0, len(people) - 1)),
                draw(st.sampled_from(["admit", "transfer", "discharge"])),
                lo,
                None if length is None else lo + length,
                draw(st.none() | wards),
                draw(st.none() | wards),
            )
        )
    return people, asks


def when(number: int | None) -> datetime | None:
    return None if number is None else START + number * STEP


class Slow:
    """The map by walking: `inside` are the wards the map is of."""

    def __init__(self, people: list[list[Leg]], asks: list[Ask], inside: set[int]) -> None:
        self.people, self.asks, self.inside = people, asks, inside

    def shown(self, ward: int, otherwise: Node) -> Node:
        node = NODES[KINDS[ward // 2]]
        outlying = node in (Node.COMMUNITY, Node.CARE_HOME)
        return node if ward in self.inside or outlying else otherwise

    def moves(self) -> Counter[tuple[Node, Node]]:
        """Half hours 48 to 96 are the window."""
        found: Counter[tuple[Node, Node]] = Counter()
        for legs in self.people:
            for number, leg in enumerate(legs):
                last = legs[number - 1] if number else None
                following = legs[number + 1] if number + 1 < len(legs) else None
                if last and (last.hi is None or (leg.lo - last.hi) * STEP > GAP):
                    last = None
                if 48 <= leg.lo < 96:
                    target = self.shown(leg.ward, Node.OTHER_PLACE)
                    if last and (leg.ward in self.inside or last.ward in self.inside):
                        found[self.shown(last.ward, Node.TRANSFER_IN), target] += 1
                    elif not last and leg.ward in self.inside:
                        found[self.arrival(leg), target] += 1
                if leg.hi is None or not 48 <= leg.hi < 96 or leg.ward not in self.inside:
                    continue
                if following is None or (following.lo - leg.hi) * STEP > GAP:
                    way_out = EXITS.get(leg.destination, Node.OTHER_PLACE)
                    found[NODES[KINDS[leg.ward // 2]], way_out] += 1
        return found

    def arrival(self, leg: Leg) -> Node:
        if KINDS[leg.ward // 2] == "emergency":
            return Node.EMERGENCY_ARRIVAL
        return ROUTES.get(leg.method, Node.OTHER_ARRIVAL)

    def waits(self, at: int) -> Counter[tuple[Node, Node]]:
        return Counter(edge for edge, _ in self.waiting(at))

    def waited(self, at: int) -> Counter[tuple[Node, Node]]:
        """Half hours that those who wait have waited together."""
        found: Counter[tuple[Node, Node]] = Counter()
        for edge, since in self.waiting(at):
            found[edge] += at - since
        return found

    def waiting(self, at: int) -> Iterator[tuple[tuple[Node, Node], int]]:
        for ask_ in self.asks:
            if not (ask_.lo <= at and (ask_.hi is None or at < ask_.hi)):
                continue
            legs = self.people[ask_.person]
            here = [x for x in legs if x.lo <= at and (x.hi is None or at < x.hi)]
            place = here[0].ward if here else None
            counts_on = ask_.target if ask_.target is not None else ask_.origin
            if place not in self.inside and counts_on not in self.inside:
                continue
            # The request is made in the stay that the test attaches it to: the person's first.
            first = legs[0] if legs else Leg(0, 0, None, "", "")
            origin = (
                ROUTES.get(first.method, Node.OTHER_ARRIVAL)
                if place is None
                else self.shown(place, Node.TRANSFER_IN)
            )
            if ask_.target is not None:
                target = self.shown(ask_.target, Node.OTHER_PLACE)
            elif ask_.kind == "discharge":
                target = EXITS.get(first.destination, Node.OTHER_PLACE)
            else:
                target = Node.WARDS
            yield (origin, target), ask_.lo


def write(people: list[list[Leg]], asks: list[Ask]) -> list[Ward]:
    sites = [make_site(), make_site()]
    rows = [make_ward(sites[n % 2], kind=KINDS[n // 2]) for n in range(2 * len(KINDS))]
    episodes = []
    for legs in people:
        person: Patient | None = None
        first: Episode | None = None
        for leg in legs:
            episode = make_episode(
                patient=person,
                admission_method=leg.method,
                discharge_destination=leg.destination,
            )
            person, first = episode.patient, first or episode
            start = when(leg.lo)
            assert start is not None
            put(rows[leg.ward], start=start, end=when(leg.hi), episode=episode)
        episodes.append(first)
    for one in asks:
        since, asking = when(one.lo), episodes[one.person]
        assert since is not None
        assert asking is not None
        ask(
            asking,
            one.kind,
            origin=None if one.origin is None else rows[one.origin],
            target=None if one.target is None else rows[one.target],
            since=since,
            until=when(one.hi),
        )
    return rows


def edges(board: FlowMap) -> dict[tuple[Node, Node], FlowEdge]:
    return {(e.origin, e.target): e for e in board.edges}


@tried(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.sets(wards, min_size=1), st.booleans())
def test_any_history_maps_as_a_slow_walk_does(
    history: tuple[list[list[Leg]], list[Ask]], inside: set[int], whole: bool
) -> None:
    people, asks = history
    inside = set(range(2 * len(KINDS))) if whole else inside
    slow = Slow(people, asks, inside)
    moves, now, early, start = slow.moves(), slow.waits(96), slow.waits(88), slow.waits(48)
    waited = slow.waited(96)
    with transaction.atomic():
        rows = write(people, asks)
        board = flow_map(wards=[rows[n].pk for n in inside], figures={}, moment=Moment(END))
        transaction.set_rollback(True)
    expected = {
        edge: (moves[edge], now[edge], early[edge], start[edge], waited[edge] * STEP)
        for edge in moves.keys() | now.keys()
        if edge[0] != edge[1]
    }
    assert {
        edge: (e.patients, e.waiting, e.waiting_4h, e.waiting_24h, e.waited)
        for edge, e in edges(board).items()
    } == expected
    for edge in board.nodes:
        assert edge.waiting_for == sum(n for (_, b), n in now.items() if b == edge.node)


def test_a_stay_with_another_provider_shortly_after_is_one_way() -> None:
    hospital = Hospital()
    first = make_episode(discharged_at=START + 30 * HOUR, discharge_destination="19")
    second = make_episode(patient=first.patient)
    put(hospital.ward, start=START + 6 * HOUR, end=START + 30 * HOUR, episode=first)
    put(hospital.community, start=START + 33 * HOUR, episode=second)
    wards = [hospital.ward.pk, hospital.community.pk]
    board = flow_map(wards=wards, figures={}, moment=Moment(START + 34 * HOUR))
    assert set(edges(board)) == {(Node.WARDS, Node.COMMUNITY)}


def test_an_edge_is_stuck_where_more_wait_than_before() -> None:
    hospital = Hospital()
    for hours in (1, 2, 46):
        episode = make_episode()
        put(hospital.emergency, episode=episode)
        until = START + 40 * HOUR if hours == 1 else None
        since = START + hours * HOUR
        ask(episode, origin=hospital.emergency, target=hospital.ward, since=since, until=until)
    wards = [hospital.emergency.pk, hospital.ward.pk]
    before = flow_map(wards=wards, figures={}, moment=Moment(START + 45 * HOUR))
    after = flow_map(wards=wards, figures={}, moment=Moment(START + 47 * HOUR))
    key = (Node.EMERGENCY, Node.WARDS)
    assert (edges(before)[key].waiting, edges(before)[key].signs) == (1, (Sign.LONGEST,))
    stuck = edges(after)[key]
    assert (stuck.waiting, stuck.waiting_4h, stuck.waiting_24h) == (2, 1, 2)
    assert Sign.GROWTH not in stuck.signs
    episode = make_episode()
    put(hospital.emergency, episode=episode)
    ask(episode, origin=hospital.emergency, target=hospital.ward, since=START + 46 * HOUR)
    again = flow_map(wards=wards, figures={}, moment=Moment(START + 47 * HOUR))
    assert [(e.origin, e.target) for e in again.stuck] == [key]
    assert Sign.GROWTH in again.stuck[0].signs
    assert again.stuck[0].oldest == START + 2 * HOUR


def test_nodes_hold_the_figures_of_their_kinds() -> None:
    hospital = Hospital()
    put(hospital.ward)
    figures = {c.ward: c.figures for c in count(Moment(START))}
    board = flow_map(
        wards=[hospital.ward.pk],
        figures={"inpatient": figures[hospital.ward.pk]},
        moment=Moment(START + HOUR),
    )
    nodes = {node.node: node for node in board.nodes}
    assert (nodes[Node.WARDS].patients, nodes[Node.WARDS].beds_open) == (1, 6)
    assert nodes[Node.OTHER_ARRIVAL].patients == 1


def test_the_map_takes_two_queries_for_any_number_of_patients() -> None:
    hospital = Hospital()
    for patients in (6, 60):
        for _ in range(patients):
            put(hospital.ward)
        with CaptureQueriesContext(connection) as queries:
            flow_map(wards=[hospital.ward.pk], figures={}, moment=Moment(START + HOUR))
        assert len(queries) == 2


@pytest.mark.parametrize(("hours", "counted"), [(24, 1), (48, 0), (23.99, 0), (47.99, 1)])
def test_a_departure_counts_from_the_first_instant_of_the_window(
    hours: float, counted: int
) -> None:
    hospital = Hospital()
    put(hospital.ward, start=START, end=START + hours * HOUR)
    board = flow_map(wards=[hospital.ward.pk], figures={}, moment=Moment(END))
    assert sum(e.patients for e in board.edges) == counted


def test_the_queue_that_has_cost_the_most_days_comes_first_whether_it_grows_or_not() -> None:
    hospital = Hospital()
    care_home = make_ward(hospital.community_site, kind="care_home")
    wards = [w.pk for w in (hospital.emergency, hospital.ward, hospital.community, care_home)]

    def wait(origin: Ward, target: Ward, number: int, *, hours: int) -> None:
        for _ in range(number):
            episode = make_episode()
            put(origin, episode=episode)
            since = END - hours * HOUR
            ask(episode, "discharge", origin=origin, target=target, since=since)

    wait(hospital.ward, hospital.community, 8, hours=30)
    wait(hospital.ward, care_home, 2, hours=40)
    wait(hospital.emergency, hospital.ward, 5, hours=1)
    board = flow_map(wards=wards, figures={}, moment=Moment(END))
    assert [(e.origin, e.target, e.signs) for e in board.queues] == [
        (Node.WARDS, Node.COMMUNITY, (Sign.WORK,)),
        (Node.EMERGENCY, Node.WARDS, (Sign.WORK, Sign.GROWTH)),
        (Node.WARDS, Node.CARE_HOME, ()),
    ]
    assert [e.waited for e in board.queues] == [240 * HOUR, 5 * HOUR, 80 * HOUR]
    assert [e.target for e in board.stuck] == [Node.COMMUNITY, Node.WARDS]


def test_a_trust_says_itself_when_flow_is_stuck(settings: fixtures.Settings) -> None:
    hospital = Hospital()
    episode = put(hospital.ward).episode
    ask(episode, origin=hospital.ward, target=hospital.community, since=END - 2 * HOUR)
    wards = [hospital.ward.pk, hospital.community.pk]
    assert not flow_map(wards=wards, figures={}, moment=Moment(END)).stuck
    settings.STUCK_LIMITS = {"care_hours": 2}
    assert flow_map(wards=wards, figures={}, moment=Moment(END)).stuck


def test_places_nobody_has_recognised_have_a_box_of_their_own() -> None:
    hospital = Hospital()
    stranger, lounge = (
        make_ward(hospital.site, kind=kind, beds=1) for kind in ("unrecognised", "discharge_lounge")
    )
    put(stranger)
    figures = {c.ward: c.figures for c in count(Moment(START + HOUR))}
    kinds = {"unrecognised": figures[stranger.pk], "discharge_lounge": figures[lounge.pk]}
    board = flow_map(wards=[stranger.pk, lounge.pk], figures=kinds, moment=Moment(START + HOUR))
    nodes = {node.node: node.patients for node in board.nodes}
    assert (nodes[Node.UNRECOGNISED], nodes[Node.OTHER_UNIT]) == (1, 0)
