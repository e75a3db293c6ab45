"""A quarter of Northmoor, small enough to run many times, and a fortnight of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from simulation import system
from simulation.clock import DAY, minute_of
from simulation.faults import EVERYDAY, Faults
from simulation.feed import Feed
from simulation.places import NORTHMOOR, Places, load
from simulation.session import Session
from simulation.worlds import ORDINARY

KEPT = {
    "ERH-ED", "ERH-AMU", "ERH-SAU", "ERH-FAU", "ERH-ITU", "ERH-ASH", "ERH-BEE", "ERH-CED",
    "ERH-HAW", "ERH-HAZ", "ERH-LAR", "ERH-MAP", "ERH-OAK", "ERH-DCU", "ERH-DL", "ACH-LAP",
    "NVW-1", "NRT-1", "NCH-OAK",
}  # fmt: skip
# Four days before the end of summer time, so that every run passes it.
START = minute_of(datetime(2026, 10, 21, tzinfo=UTC))
FORTNIGHT = 14


@dataclass
class Run:
    """A stretch of a session, with every message in order of arrival."""

    session: Session
    start: int
    faults: Faults
    arrivals: list[tuple[int, str]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The messages alone."""
        return [text for _second, text in self.arrivals]

    def truth(self) -> dict[str, tuple[list[tuple[int, tuple[str, str, str]]], int | None]]:
        """Where each patient really was, by visit number: the way, and the end if there was one."""
        engine = self.session.engine
        known: dict[str, tuple[list[tuple[int, tuple[str, str, str]]], int | None]] = {}
        for spell in engine.spells or ():
            steps = [(at, self.place(ward, bed)) for at, ward, bed in spell.path]
            known[spell.number] = (steps, spell.end)
        for visit in engine.state.visits.values():
            if visit.path:
                steps = [(at, self.place(ward, bed)) for at, ward, bed in visit.path]
                known[visit.number] = (steps, None)
        return known

    def place(self, ward: int, bed: int) -> tuple[str, str, str]:
        """A place by its codes."""
        engine = self.session.engine
        lies = engine.beds[bed] if bed >= 0 else None
        return (engine.wards[ward].code, lies.room if lies else "", lies.label if lies else "")


def drained(session: Session, until: float) -> list[tuple[int, str]]:
    """Take the messages that arrive by a second out of the outbox."""
    taken = []
    while (text := session.feed.due(int(min(until, 10**12)))) is not None:
        arrives = session.feed.next_due
        assert arrives is not None
        taken.append((arrives, text))
        session.feed.done()
    return taken


def run(session: Session, *, days: int) -> Run:
    """A session over some days; every message, the late ones after the end included."""
    result = Run(session, session.engine.now, session.feed.faults)
    session.run_until(result.start + days * DAY, each=lambda: None)
    result.arrivals = drained(session, float("inf"))
    return result


@pytest.fixture(scope="session")
def quarter_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = yaml.safe_load(NORTHMOOR.read_text())
    for site in content["sites"]:
        site["wards"] = [ward for ward in site["wards"] if ward["code"] in KEPT]
        for ward in site["wards"]:
            if ward["code"] == "NRT-1":  # a quarter of the people need a quarter of the places
                ward["bays"] = [{**ward["bays"][0], "beds": 24}]
    content["sites"] = [site for site in content["sites"] if site["wards"]]
    path: Path = tmp_path_factory.mktemp("places") / "quarter.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="session")
def quarter(quarter_file: Path) -> Places:
    return load(quarter_file)


@pytest.fixture(scope="session")
def fortnight(begin: Callable[..., Session]) -> Run:
    return run(begin(seed=7), days=FORTNIGHT)


@pytest.fixture(scope="session")
def begin(quarter: Places) -> Callable[..., Session]:
    """Sessions that have just begun; to settle a system takes a while, so each is made once."""
    known: dict[tuple[int, str], tuple[str, str]] = {}

    def begun(*, seed: int = 3, faults: Faults = EVERYDAY) -> Session:
        key = (seed, repr(faults))
        if key not in known:
            session = Session.begin(quarter, seed=seed, start=START, faults=faults)
            known[key] = (json.dumps(session.engine.data()), json.dumps(session.feed.data()))
        world, feed = (json.loads(text) for text in known[key])
        session = Session(
            system.resumed(quarter, ORDINARY, world), Feed.resumed(quarter, feed, faults=faults)
        )
        session.engine.listener = session.feed.hear
        session.engine.spells = []
        return session

    return begun
