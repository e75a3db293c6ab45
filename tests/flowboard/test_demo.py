"""One command, and a hospital system moves."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ApiToken, Organisation, Team, User
from accounts.roles import Role
from flowboard import demo, embedded
from flowboard.supervise import Program
from huddles.escalation.rule_sets import keep
from huddles.models import ActionCard, OpelRuleSet
from interop.models import Feed
from tests.flowboard.processes import eventually, free_port, mentioning
from wards.models import Grant, Site, Ward, WardLimits

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def northmoor(db: None) -> None:
    """As much of the simulated system as accounts need."""
    system = Organisation.objects.create(code="QNM", name="Northmoor", kind="icb")
    trust = Organisation.objects.create(code="RNM", name="Hospitals", kind="trust", parent=system)
    site = Site.objects.create(code="NGH", name="General", organisation=trust)
    Ward.objects.create(code="NGH-W12", name="Ward 12", site=site, kind="inpatient")
    community = Organisation.objects.create(
        code="RNC", name="Community", kind="community", parent=system
    )
    Team.objects.create(organisation=community, code="NT-NORTH", name="North", kind="neighbourhood")
    council = Organisation.objects.create(code="NMC", name="Council", kind="council", parent=system)
    Team.objects.create(organisation=council, code="SW", name="Social work", kind="social_work")
    Organisation.objects.create(code="REM", name="Neighbour", kind="trust")


def test_accounts_are_made_once_and_put_right_later(northmoor: None, tmp_path: Path) -> None:
    first = demo.make_accounts(tmp_path)
    nurse = User.objects.get(username="ward.nurse")
    assert nurse.check_password(first.ward_nurse)
    nurse.set_password("forgotten")
    nurse.save()
    again = demo.make_accounts(tmp_path)
    assert again == first
    assert User.objects.get(username="ward.nurse").check_password(first.ward_nurse)
    assert Grant.objects.count() == 15
    assert ApiToken.objects.count() == 4
    for name in ("demo.json", "staff.token", "signer.token", "teller.token"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_the_ambulance_service_may_tell_values_and_no_more(northmoor: None, tmp_path: Path) -> None:
    demo.make_accounts(tmp_path)
    token = ApiToken.objects.get(user__username="northmoor.ambulance")
    assert token.scopes == ["huddles:write"]
    assert (tmp_path / "teller.token").read_text().startswith(token.prefix)


def test_the_example_is_loaded_once_and_what_was_filled_in_stays(northmoor: None) -> None:
    for code in ("NGH", "ERH"):
        Site.objects.get_or_create(
            code=code,
            defaults={"name": code, "organisation": Organisation.objects.get(code="RNM")},
        )
    demo.load_escalation()
    row = OpelRuleSet.objects.get()
    assert row.is_example
    assert row.said["weights"] == {"NGH": 0.62, "ERH": 0.38}
    assert ActionCard.objects.filter(level=4).exists()
    keep(said=row.said | {"name": "Ours"}, organisation=None, labels={}, note="", by=None)
    demo.load_escalation()
    assert OpelRuleSet.objects.count() == 2


def test_each_signs_in_for_what_their_work_needs(northmoor: None, tmp_path: Path) -> None:
    demo.make_accounts(tmp_path)
    manager = Grant.objects.get(user__username="site.manager")
    assert (manager.role, manager.organisation) == (
        Role.SITE_MANAGER,
        Organisation.objects.get(code="QNM"),
    )
    beds = Grant.objects.get(user__username="bed.manager")
    assert (beds.role, beds.organisation) == (
        Role.BED_MANAGER,
        Organisation.objects.get(code="RNM"),
    )
    nurse = Grant.objects.get(user__username="ward.nurse")
    assert (nurse.role, nurse.ward) == (Role.WARD_NURSE, Ward.objects.get(code="NGH-W12"))
    cleaner = Grant.objects.get(user__username="cleaner")
    assert (cleaner.role, cleaner.site) == (Role.CLEANER, Site.objects.get(code="NGH"))
    reader = User.objects.get(username="demo.reader")
    assert not reader.has_usable_password()
    assert all(scope.endswith(":read") for scope in ApiToken.objects.get(user=reader).scopes)
    partners = Grant.objects.filter(role=Role.PARTNER, user__password__startswith="md5")
    assert {(g.user.username, str(g.team or g.organisation)) for g in partners} == {
        ("social.work", "Social work"),
        ("community", "Community"),
        ("neighbourhood", "North"),
    }


def test_cleaning_takes_its_time_unless_somebody_has_said_otherwise(northmoor: None) -> None:
    site = Site.objects.get(code="NGH")
    known = Ward.objects.create(site=site, code="known", name="Known")
    WardLimits.objects.create(ward=known, cleaned_after=20)
    silent = Ward.objects.create(site=site, code="silent", name="Silent")
    WardLimits.objects.create(ward=silent, most_patients=4)
    for _ in range(2):
        demo.set_cleaning_times()
    said = dict(WardLimits.objects.values_list("ward__code", "cleaned_after"))
    assert (said.pop("known"), said["NGH-W12"]) == (20, 45)
    assert set(said.values()) == {45}
    assert len(said) == Ward.objects.count() - 1


def test_the_simulated_staff_plan_and_ask_for_beds_and_do_nothing_else(
    northmoor: None, tmp_path: Path
) -> None:
    demo.make_accounts(tmp_path)
    staff = User.objects.get(username="northmoor.staff")
    assert not staff.has_usable_password()
    secret = demo.staff_token(tmp_path).read_text()
    token = ApiToken.objects.get(user=staff)
    assert secret.startswith(token.prefix)
    assert set(token.scopes) == {
        "episodes:read", "waits:read", "waits:write", "beds:read", "beds:write",
    }  # fmt: skip
    assert not any("flow_" in part for p in programs(tmp_path) for part in p.command)
    signer = User.objects.get(username="northmoor.returns")
    assert not signer.has_usable_password()
    assert ApiToken.objects.get(user=signer).scopes == ["returns:write"]
    secret = demo.signer_token(tmp_path).read_text()
    assert secret.startswith(ApiToken.objects.get(user=signer).prefix)
    demo.make_accounts(tmp_path)
    assert demo.signer_token(tmp_path).read_text() == secret


def programs(home: Path) -> list[Program]:
    return demo.programs(bind="127.0.0.1", port=1, mllp_port=2, home=home, state=home / "state")


def test_a_home_of_an_earlier_version_keeps_its_passwords(northmoor: None, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"ward_nurse": "kept since then"}')
    found = demo.make_accounts(tmp_path)
    assert found.ward_nurse == "kept since then"
    assert found.social_work
    assert User.objects.get(username="social.work").check_password(found.social_work)


def test_a_token_that_was_revoked_is_replaced(northmoor: None, tmp_path: Path) -> None:
    first = demo.make_accounts(tmp_path)
    of_the_staff = demo.staff_token(tmp_path).read_text()
    ApiToken.objects.all().delete()
    again = demo.make_accounts(tmp_path)
    assert again.api_token != first.api_token
    assert demo.staff_token(tmp_path).read_text() != of_the_staff
    assert again.ward_nurse == first.ward_nurse


def test_every_body_with_places_has_its_feed(northmoor: None) -> None:
    demo.make_feeds()
    demo.make_feeds()
    feed = Feed.objects.get()
    assert (feed.sending_facility, feed.is_recognised) == ("RNM", True)


def test_what_one_database_has_another_is_not_taken_to_have(db: None, tmp_path: Path) -> None:
    preparation = demo.Preparation(tmp_path, os.environ, print, days=1)
    assert not preparation.is_done()
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "loaded").write_text("flowboard of another day\nplaces")
    assert not preparation.is_done()


def test_ports_that_are_taken_are_all_named_before_anything_is_done(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        ports = one.getsockname()[1], other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=_environment(home, *ports),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"Port {ports[0]} is in use" in done.stderr
    assert f"Port {ports[1]} is in use" in done.stderr
    assert f"PORT={ports[0] + 1} make demo" in done.stderr
    assert not (home / "keeper.lock").exists()


def _environment(home: Path, port: int, mllp_port: int) -> dict[str, str]:
    outside = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    return {
        **{name: value for name, value in os.environ.items() if name not in outside},
        "FLOWBOARD_HOME": str(home),
        "PORT": str(port),
        "MLLP_PORT": str(mllp_port),
    }


@dataclass
class Demo:
    """A whole demo with a home of its own."""

    home: Path
    port: int
    mllp_port: int
    process: subprocess.Popen[str] | None = None
    said: str = ""

    def start(self) -> float:
        """Seconds until it has said how to reach it."""
        began = time.monotonic()
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--days", "1"],
            cwd=ROOT,
            env=_environment(self.home, self.port, self.mllp_port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C stops everything" in line:
                return time.monotonic() - began
        raise AssertionError(self.said)

    def stop(self, number: signal.Signals) -> float:
        """Seconds until it has gone."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=60)[0]
        return time.monotonic() - began

    def beside(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Another program that uses the same home."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=_environment(self.home, self.port, self.mllp_port) | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def refuses_company(self) -> None:
        """A second demo, and deleting the data, are refused while it runs."""
        other = {"PORT": str(free_port()), "MLLP_PORT": str(free_port())}
        second = self.beside("manage.py", "demo", **other)
        assert second.returncode == 1
        assert f"runs already at http://127.0.0.1:{self.port}/" in second.stderr
        forgetting = self.beside("-m", "flowboard.forget")
        assert forgetting.returncode == 1
        assert "are in use" in forgetting.stderr

    def get(self, path: str) -> Any:
        token = re.search(r"^API token: (\S+)$", self.said, re.MULTILINE)
        assert token is not None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Authorization": f"Bearer {token[1]}"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "home", free_port(), free_port())
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop(signal.SIGTERM)
    embedded.forget(made.home)


@pytest.mark.slow
@pytest.mark.xdist_group("embedded")
def test_a_demo_starts_moves_stops_and_starts_again(running: Demo) -> None:
    first_start = running.start()
    assert running.get("/health/ready")["status"] == "ok"
    beds = running.get("/api/v1/occupancy/")["results"]
    assert sum(ward["beds_open"] for ward in beds) > 900
    assert sum(ward["patients"] for ward in beds) > 700
    for who in (
        "bed.manager", "site.manager", "ward.nurse", "cleaner", "coordinator", "social.work",
        "community",
    ):  # fmt: skip
        assert re.search(rf"{who} / \S+", running.said)

    eventually(lambda: needs_are_said(running), 120.0)
    eventually(lambda: running.get("/api/v1/discharges/summary/")["patients"] > 5, 120.0)
    beside = running.beside("manage.py", "shell", "--verbosity", "0", "-c", COUNT_BEDS)
    assert int(beside.stdout.strip().splitlines()[-1]) > 1000
    running.refuses_company()
    told = [
        running.home / "simulation.json",
        running.home / "staff.json",
        *(running.home / "history").rglob("*.hl7"),
    ]
    assert not any(file.stat().st_mode & 0o077 for file in told), "they name people"
    assert running.get("/health/live")["status"] == "ok"  # the command left the servers running

    assert running.stop(signal.SIGTERM) < 20
    eventually(lambda: not mentioning(str(running.home)))

    assert running.start() < first_start / 2
    assert "receiving them" not in running.said
    assert sum(ward["patients"] for ward in running.get("/api/v1/occupancy/")["results"]) > 700
    assert running.stop(signal.SIGINT) < 20
    eventually(lambda: not mentioning(str(running.home)))


def needs_are_said(running: Demo) -> bool:
    """Whether it is said of nearly everybody who waits for a bed what they need of one."""
    waiting = running.get("/api/v1/bed-requests/?site=NGH")["results"]
    return sum(row["needs"] is not None for row in waiting) > 0.8 * len(waiting) > 5


COUNT_BEDS = "from wards.models import Bed; print(Bed.objects.count())"
