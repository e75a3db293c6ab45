"""Programs and servers are killed during a feed; what was acknowledged is there in the end."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from flowboard import embedded
from flowboard.demo import BASE, programs
from tests.resilience.sender import Sender, history

WARDS = ["RW1", "RW2", "RW3"]
BEDS = 8
RIGHT_WITHIN = 60.0
"""Seconds after the last death within which every board must be right."""


@dataclass
class Installation:
    """A whole Flowboard of its own: embedded servers, listener and worker."""

    home: Path
    port: int
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        commands = programs(
            bind="127.0.0.1",
            port=0,
            mllp_port=self.port,
            home=self.home,
            state=self.home / "unused",
        )
        command = next(p.command for p in commands if p.name == name)
        with (self.home / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=BASE, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """The hard way, with everything it started."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE, env=self.environment, check=True, capture_output=True,
        )  # fmt: skip

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(embedded.addresses(self.home).database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def pairs(self, query: str) -> list[tuple[object, object]]:
        return [(row[0], row[1]) for row in self.rows(query)]


def server_processes(home: Path) -> dict[str, int]:
    """The process numbers of the embedded PostgreSQL and Redis of `home`."""
    folder = embedded.servers_home(home)
    found = {"postgresql": int((folder / "postgresql" / "postmaster.pid").read_text().split()[0])}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        mine = str(embedded.run_folder(home)).encode() in line or str(folder).encode() in line
        if b"redis-server" in line and mine:
            found["redis"] = int(entry.name)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except (psycopg.Error, OSError):
            pass
        time.sleep(0.3)
    return False


PLACES = """
organisations: [{code: RES, name: Resilience trust, kind: trust}]
sites:
  - code: RES
    name: Resilience hospital
    kind: acute
    organisation: RES
    wards:
"""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS")
        and not name.startswith("PYTEST_")
    } | {"FLOWBOARD_HOME": str(home)}
    made = Installation(home, free_port(), environment)
    places = tmp_path / "places.yaml"
    wards = "".join(
        f"      - {{code: {ward}, name: Ward {ward}, kind: inpatient, "
        f"bays: [{{code: A, beds: {BEDS}}}]}}\n"
        for ward in WARDS
    )
    places.write_text(PLACES + wards)
    with embedded.join(home):
        made.manage("migrate")
        made.manage("load_places", str(places))
        try:
            yield made
        finally:
            made.stop()
    embedded.forget(home)


def _more_than(sender: Sender, count: int) -> Callable[[], bool]:
    return lambda: len(sender.acknowledged) > count


@pytest.mark.xdist_group("resilience")
def test_whatever_is_killed_nothing_acknowledged_is_lost(installation: Installation) -> None:
    told = history(wards=WARDS, beds=BEDS, patients=60, seed=11)
    installation.start("worker")
    installation.start("listener")
    sender = Sender(installation.port, told.messages, pause=0.02)
    sender.start()
    deaths = ["worker", "redis", "postgresql", "listener"] * 2
    random.Random(5).shuffle(deaths)
    for victim in deaths:
        assert until(_more_than(sender, len(sender.acknowledged) + 2), 60), installation.home
        if victim in installation.running:
            installation.kill(victim)
            time.sleep(0.5)
            installation.start(victim)
        else:
            os.kill(server_processes(installation.home)[victim], signal.SIGKILL)
    sender.join(240)
    last_death = time.monotonic()
    assert len(sender.acknowledged) == len(told.messages)
    assert sender.trouble > 0, "the deaths were meant to be felt"

    [(stored,)] = installation.rows("SELECT count(*) FROM interop_message")
    assert stored == len(told.messages), "every acknowledged message is stored, once"

    def right() -> bool:
        """Messages applied, everybody in place, the census of every ward as it should be."""
        statuses = dict(
            installation.pairs("SELECT status, count(*) FROM interop_message GROUP BY 1")
        )
        census = dict(
            installation.pairs(
                "SELECT w.code, c.beds_occupied FROM flow_wardcensus c "
                "JOIN wards_ward w ON w.id = c.ward_id"
            )
        )
        wanted = {ward: [w for w, _ in told.present.values()].count(ward) for ward in WARDS}
        return statuses == {"applied": len(told.messages)} and census == wanted

    assert until(right, RIGHT_WITHIN), installation.rows(
        "SELECT status, reason, count(*) FROM interop_message GROUP BY 1, 2"
    )
    assert time.monotonic() - last_death < RIGHT_WITHIN
    assert {
        visit: (ward, bed)
        for visit, ward, bed in installation.rows(
            "SELECT v.number, w.code, b.label FROM wards_occupancy o "
            "JOIN patients_episode e ON e.id = o.episode_id "
            "JOIN patients_visit v ON v.id = e.visit_id JOIN wards_ward w ON w.id = o.ward_id "
            "LEFT JOIN wards_bed b ON b.id = o.bed_id WHERE upper_inf(o.period)"
        )
    } == told.present
    assert {
        visit
        for (visit,) in installation.rows(
            "SELECT v.number FROM patients_episode e JOIN patients_visit v ON v.id = e.visit_id "
            "WHERE e.status = 'discharged'"
        )
    } == told.gone
    [(notes,)] = installation.rows("SELECT count(*) FROM wards_dirtyward")
    assert notes == 0
