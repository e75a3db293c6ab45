"""In a living feed something goes on at every hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from simulation import upkeep
from simulation.clock import HOUR, local_hour
from simulation.places import load
from simulation.session import Session
from simulation.state import NOWHERE
from tests.simulation.conftest import START, drained

Begin = Callable[..., Session]
EVENING = START + 20 * HOUR


def hours(session: Session, number: int) -> dict[int, Counter[str]]:
    """Messages by their event, in each local hour of a stretch."""
    told = {}
    for _ in range(number):
        hour = local_hour(session.engine.now)
        session.engine.run_until(session.engine.now + HOUR)
        taken = drained(session, session.engine.now * 60)
        told[hour] = Counter(text.split("|")[8][4:7] for _, text in taken)
    return told


def total(told: dict[int, Counter[str]]) -> int:
    return sum(sum(one.values()) for one in told.values())


def resumed(session: Session) -> Session:
    upkeep.resume(session.engine, session.engine.now)
    return session


@pytest.fixture(scope="module")
def day() -> dict[int, Counter[str]]:
    """A day of the whole system, from the evening on."""
    session = Session.begin(load(), seed=3, start=EVENING)
    drained(session, EVENING * 60)
    resumed(session)
    return hours(session, 24)


@pytest.mark.slow
def test_three_messages_a_minute_come_at_the_quietest_hour(day: dict[int, Counter[str]]) -> None:
    rates = {hour: sum(told.values()) / 60 for hour, told in day.items()}
    assert len(rates) == 24
    assert min(rates.values()) > 2.4
    nights = [rates[hour] for hour in (1, 2, 3, 4)]
    assert sum(nights) / 4 > 3.0
    # It is night all the same.
    assert sum(rates[hour] for hour in (11, 12, 13, 14)) > 1.6 * sum(nights)


@pytest.mark.slow
def test_what_comes_at_night_is_what_happens_at_night(day: dict[int, Counter[str]]) -> None:
    night = sum((day[hour] for hour in (1, 2, 3, 4)), Counter())
    for event in ("A04", "A03", "A02", "A08", "A20"):
        assert night[event] >= 8, event
    assert night["A08"] < 0.6 * sum(night.values())


def test_history_does_without(begin: Begin) -> None:
    told, more = (hours(one, 12) for one in (begin(), resumed(begin())))
    assert total(more) > 1.3 * total(told)


def test_the_same_seed_gives_the_same_day(begin: Begin) -> None:
    days = []
    for _ in range(2):
        session = begin()
        resumed(session)
        session.engine.run_until(session.engine.now + 12 * HOUR)
        days.append(drained(session, float("inf")))
    assert days[0] == days[1]


def test_beds_are_as_they_were_told_and_nobody_shares_one(begin: Begin) -> None:
    session = begin()
    engine = session.engine
    resumed(session)
    for _ in range(30):
        engine.run_until(engine.now + HOUR)
        taken = [v.bed for v in engine.state.visits.values() if v.bed != NOWHERE]
        assert len(taken) == len(set(taken))
        assert all(engine.state.condition[bed] not in "KH" for bed in taken)


def due(session: Session) -> list[int]:
    return [
        at for at, _number, event, _arguments in session.engine.state.agenda if event == "upkeep"
    ]


def test_it_is_resumed_once_and_after_a_long_gap_at_its_end(begin: Begin) -> None:
    session = resumed(resumed(begin()))
    assert due(session) == [START]
    session.engine.run_until(START + 25)
    assert due(session) == [START + 30]
    upkeep.resume(session.engine, START + 50)
    assert due(session) == [START + 30]
    upkeep.resume(session.engine, START + 5 * HOUR)
    assert due(session) == [START + 5 * HOUR]
    hours(session, 4)
    assert due(session) == [START + 5 * HOUR]
    hours(session, 2)
    assert due(session) == [session.engine.now + 5]
