import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest

from simulation import system
from simulation.clock import DAY, HOUR
from simulation.engine import Engine, Happening
from simulation.faults import NONE
from simulation.hazards import Stage
from simulation.outlook import Outlook
from simulation.places import Places, load
from simulation.session import Session
from simulation.state import NOWHERE, StateError
from simulation.worlds import ORDINARY, weekend_slump
from tests.simulation.conftest import START, drained

pytestmark = pytest.mark.xdist_group("fortnight")  # what is simulated once serves all of them

Begin = Callable[..., Session]


def played(session: Session, days: float) -> list[tuple[int, str]]:
    session.run_until(session.engine.now + round(days * DAY), each=lambda: None)
    return drained(session, float("inf"))


def test_the_same_seed_gives_the_same_messages(begin: Begin, quarter: Places) -> None:
    assert played(begin(seed=3), 2) == played(Session.begin(quarter, seed=3, start=START), 2)


def test_another_seed_gives_another_history(begin: Begin) -> None:
    assert played(begin(seed=3), 1) != played(begin(seed=4), 1)


def test_small_steps_and_large_ones_are_the_same_history(begin: Begin) -> None:
    one, other = begin(), begin()
    for _ in range(24 * 4):
        one.engine.run_until(one.engine.now + 15)
    other.engine.run_until(other.engine.now + DAY)
    assert drained(one, float("inf")) == drained(other, float("inf"))


def test_a_saved_session_goes_on_as_if_it_had_never_stopped(
    begin: Begin, quarter: Places, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    straight, stopped = begin(), begin()
    whole = played(straight, 3)
    parts: list[tuple[int, str]] = []
    for days in (1.3, 0.2, 1.5):
        # Only what has arrived by now leaves; the late messages wait in the file.
        stopped.run_until(stopped.engine.now + round(days * DAY), each=lambda: None)
        parts += drained(stopped, stopped.engine.now * 60)
        stopped.save(path)
        stopped = Session.load(path, quarter)
    parts += drained(stopped, float("inf"))
    assert parts == whole


def test_a_state_of_other_places_or_another_world_is_refused(
    begin: Begin, quarter: Places, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    begin().save(path)
    with pytest.raises(StateError, match="another places file or world"):
        Session.load(path, load())
    with pytest.raises(StateError, match="another places file or world"):
        Session.load(path, quarter, world=weekend_slump(ORDINARY, depth=0.5))


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00broken"])
def test_a_file_that_is_no_state_is_refused_with_a_way_out(
    quarter: Places, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "state"
    with pytest.raises(StateError, match="simulation history"):
        Session.load(path, quarter)
    path.write_bytes(content)
    with pytest.raises(StateError, match="not a state file"):
        Session.load(path, quarter)


def test_a_copy_lives_its_own_life(begin: Begin) -> None:
    def kept(engine: Engine) -> str:
        return json.dumps(engine.data())

    engine = begin().engine
    before = kept(engine)
    same, other = engine.copy(), engine.copy(seed=99)
    same.run_until(engine.now + DAY)
    other.run_until(engine.now + DAY)
    assert kept(engine) == before
    engine.run_until(engine.now + DAY)
    assert kept(engine) == kept(same)
    assert kept(engine) != kept(other)


def hourly(engine: Engine, days: int) -> Iterator[None]:
    for _ in range(24 * days):
        engine.run_until(engine.now + HOUR)
        yield


def test_one_patient_a_bed_and_one_place_a_patient_at_every_hour(begin: Begin) -> None:
    engine = begin().engine
    for _ in hourly(engine, 5):
        lying: dict[int, int] = {}
        somewhere: set[int] = set()
        for visit in engine.state.visits.values():
            if visit.status == "expected":
                assert visit.bed == NOWHERE
                continue
            assert visit.person not in somewhere, "one person in two places"
            somewhere.add(visit.person)
            assert visit.path[-1][1:] == [visit.ward, visit.bed]
            if visit.bed != NOWHERE:
                assert visit.bed not in lying, "two patients in one bed"
                lying[visit.bed] = visit.key
                assert engine.beds[visit.bed].ward == visit.ward
        occupied = {bed: key for bed, key in enumerate(engine.state.occupant) if key}
        assert occupied == lying


def test_nobody_is_put_into_a_closed_room_a_dirty_bed_or_a_bay_of_the_other_sex(
    quarter: Places,
) -> None:
    engine = system.lived_in(quarter, ORDINARY, seed=8, until=START)
    broken: list[str] = []
    placed = 0
    closed_before: dict[str, int] = {}

    def watch(what: Happening) -> None:
        nonlocal placed
        if what.event not in ("A01", "A02") or what.bed == NOWHERE or what.person is None:
            return
        bed = engine.beds[what.bed]
        placed += 1
        if bed.room_key in closed_before:
            broken.append("closed")
        if engine.state.condition[what.bed] not in ("U", "O"):
            broken.append(f"condition {engine.state.condition[what.bed]}")
        if not bed.takes(what.person.sex_word):
            broken.append("sex")

    engine.listener = watch
    for _ in hourly(engine, 10):
        closed_before = dict(engine.state.rooms)
    assert placed > 500
    assert broken == []


def test_the_true_chances_add_up_to_the_departures_that_follow(quarter: Places) -> None:
    """Over a fortnight of mornings, those who leave hospital within a day are as many as said."""
    world = replace(ORDINARY, places_limit_discharge=False)
    engine = system.lived_in(quarter, world, seed=6, until=START + 8 * HOUR)
    outlook = Outlook(engine.hazards)
    expected = variance = 0.0
    left = 0
    for _ in range(14):
        inside = [
            v
            for v in engine.state.visits.values()
            if v.stage is not None and v.is_here and engine.wards[v.ward].is_acute
        ]
        for visit in inside:
            chance = outlook.leaving(visit.condition(), engine.now, 24)[-1]
            expected += chance
            variance += chance * (1 - chance)
        engine.run_until(engine.now + DAY)
        left += sum(v.key not in engine.state.visits for v in inside)
    assert expected > 300
    assert abs(left - expected) < 4 * sqrt(variance), (left, expected)


def test_a_state_without_faults_tells_each_happening_once(begin: Begin) -> None:
    session = begin(faults=NONE)
    told: list[Happening] = []
    hear = session.feed.hear

    def listen(what: Happening) -> None:
        told.append(what)
        hear(what)

    session.engine.listener = listen
    opening = len(drained(session, float("inf")))
    assert opening > 300
    assert len(played(session, 2)) == len(told) > 500


def test_delayed_patients_wait_for_places_that_are_full(begin: Begin) -> None:
    engine = begin().engine
    engine.run_until(engine.now + 10 * DAY)
    waiting = [v for v in engine.state.visits.values() if v.stage == Stage.WAITING]
    assert waiting
    for visit in waiting:
        onward = engine.state.visits[visit.onward]
        assert onward.status == "expected"
        assert engine.request_of(onward) is not None
