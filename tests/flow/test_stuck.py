"""When a move counts as stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.flow_map_types import SINKS, SOURCES, Node, Sign
from flow.stuck import Limits, Queue, signs

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
USUAL = Limits()
PLACES = [node for node in Node if node not in SOURCES and node not in SINKS]


def queue(
    target: Node = Node.REABLEMENT,
    *,
    origin: Node = Node.WARDS,
    moved: int = 50,
    waiting: int = 10,
    before: int = 10,
    longest: timedelta = HOUR,
) -> Queue:
    return Queue(origin, target, moved, waiting, before, before, longest)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # Eight wait, none moved: it cannot grow and is stuck all the same.
        (queue(Node.COMMUNITY, moved=0, waiting=8, before=8), (Sign.WORK,)),
        (queue(Node.CARE_HOME, moved=0, waiting=4, longest=13 * DAY), (Sign.WORK, Sign.LONGEST)),
        # A week's work waits though the queue does not grow.
        (queue(moved=4, waiting=29, before=29), (Sign.WORK,)),
        (queue(Node.HOME, moved=94, waiting=11, before=23, longest=28 * HOUR), ()),
        (queue(Node.HOME, moved=94, waiting=11, before=23, longest=48 * HOUR), (Sign.LONGEST,)),
        (queue(moved=50, waiting=11), (Sign.GROWTH,)),
        # Too few to speak of a flow; but whoever waits too long is never too few.
        (queue(moved=0, waiting=2, before=0), ()),
        (queue(moved=0, waiting=1, before=0, longest=3 * DAY), (Sign.LONGEST,)),
        (queue(moved=0, waiting=0, before=0, longest=timedelta()), ()),
    ],
)
def test_a_move_is_stuck_by_its_work_its_longest_wait_or_its_growth(
    asked: Queue, found: tuple[Sign, ...]
) -> None:
    assert signs(asked, USUAL) == found


@pytest.mark.parametrize(
    ("origin", "target", "hours"),
    [
        (Node.EMERGENCY, Node.ASSESSMENT, 12),
        (Node.EMERGENCY, Node.HOME, 48),
        (Node.ASSESSMENT, Node.WARDS, 24),
        (Node.CRITICAL_CARE, Node.WARDS, 24),
        (Node.WARDS, Node.HOME, 48),
        (Node.WARDS, Node.CARE_HOME, 72),
        (Node.GP, Node.WARDS, 24),
    ],
)
def test_each_kind_of_move_has_its_own_longest_wait(origin: Node, target: Node, hours: int) -> None:
    early = queue(target, origin=origin, longest=hours * HOUR - timedelta(seconds=1))
    assert signs(early, USUAL) == ()
    assert signs(replace(early, longest=hours * HOUR), USUAL) == (Sign.LONGEST,)


def test_a_trust_sets_its_own_limits() -> None:
    strict = Limits(least=1, work_days=1, care_hours=1)
    assert signs(queue(moved=3, waiting=3), USUAL) == ()
    assert signs(queue(moved=3, waiting=3), strict) == (Sign.WORK, Sign.LONGEST)


numbers = st.integers(0, 100)
queues = st.builds(
    Queue,
    st.sampled_from(PLACES),
    st.sampled_from([*PLACES, *SINKS]),
    numbers,
    numbers,
    numbers,
    numbers,
    st.timedeltas(timedelta(), 20 * DAY),
)


@given(queues, st.integers(1, 20), st.integers(0, 20), st.timedeltas(timedelta(), 9 * DAY))
def test_what_is_stuck_stays_so_when_more_wait_fewer_move_or_they_wait_longer(
    one: Queue, more: int, fewer: int, longer: timedelta
) -> None:
    worse = replace(
        one,
        waiting=one.waiting + more,
        moved=max(0, one.moved - fewer),
        longest=one.longest + longer,
    )
    assert set(signs(one, USUAL)) <= set(signs(worse, USUAL))


@given(queues)
def test_where_nobody_waits_nothing_is_stuck(one: Queue) -> None:
    assert signs(replace(one, waiting=0), USUAL) == ()
