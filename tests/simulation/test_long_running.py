"""Worlds over months: they neither drain nor overflow, and do not grow in memory."""

from __future__ import annotations

from statistics import mean

import pytest

from simulation import beds, system
from simulation.clock import DAY
from simulation.engine import Engine
from simulation.places import Places
from simulation.worlds import ORDINARY, World, longer_stays, slower, weekend_slump
from tests.simulation.conftest import START

pytestmark = pytest.mark.slow

WORLDS = [
    ORDINARY,
    weekend_slump(ORDINARY, depth=0.4),
    longer_stays(ORDINARY, factor=1.4),
    slower(ORDINARY, recovery=0.67, since=START + 60 * DAY),
]


def occupancy(engine: Engine) -> float:
    acute = [b for w in engine.wards if w.is_acute for b in w.beds if not b.is_escalation]
    return sum(engine.state.occupant[b.number] != 0 for b in acute) / len(acute)


def size(engine: Engine) -> int:
    state = engine.state
    return len(state.agenda) + len(state.people) + len(state.visits) + len(state.requests)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: str(world.name))
def test_a_world_keeps_its_level_for_months(quarter: Places, world: World) -> None:
    engine = system.lived_in(quarter, world, seed=13, until=START)
    levels: list[float] = []
    queues: list[int] = []
    sizes: list[int] = []
    for _ in range(120):
        engine.run_until(engine.now + DAY)
        levels.append(occupancy(engine))
        queues.append(beds.waiting_admissions(engine, "ERH"))
        sizes.append(size(engine))
    assert mean(levels[:40]) > 0.85
    assert mean(levels[80:]) > 0.85
    assert min(levels) > 0.72
    assert max(queues) < 45
    assert mean(queues[80:]) < 25
    assert max(sizes[80:]) < 1.5 * max(sizes[20:60])
    for visit in engine.state.visits.values():
        assert (
            visit.status != "expected"
            or engine.now - visit.expected_at < 3 * DAY
            or (not visit.expected_at)
        )
