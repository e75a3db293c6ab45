"""The staff at work, before a real Flowboard and as a program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organisation, User
from accounts.roles import Role
from accounts.tokens import issue
from flowboard.demo import STAFF_SCOPES
from patients.code_loading import built_in, load_codes
from patients.keys import PersonKey, VisitKey
from patients.models import Barrier, BarrierStep, CareNeeds, Readiness, Review
from simulation.__main__ import main
from simulation.care.cases import Case, cases
from simulation.care.memory import Memory
from simulation.care.rest import Rest
from simulation.care.rounds import DAYS_BACK
from simulation.care.staff import Staff
from simulation.care.stays import Stay, stays
from simulation.care.terms import terms_of
from simulation.clock import HOUR, minute_of, moment_of
from simulation.places import Places
from simulation.session import Session
from tests.simulation.test_care_rest import Server
from wards import requests
from wards.facts import Moved, MovementKind, Place
from wards.grants import set_grant
from wards.models import BedRequest, Referral, RequestTerms, Ward
from wards.movements import record
from wards.place_loading import load_places

Begin = Callable[..., Session]
KNOWN = 24


def chosen(session: Session, places: Places) -> list[Stay]:
    """Some who are ready, by every way out, and some who are not."""
    there = sorted(stays(session.engine.state, places), key=lambda stay: stay.visit)
    ready = [stay for stay in there if stay.ready is not None]
    needing = [stay for stay in ready if stay.needs_place]
    others = [stay for stay in ready if not stay.needs_place]
    ill = [stay for stay in there if stay.ready is None]
    some = needing[:8] + others
    return some[: KNOWN - 5] + ill[:5]


def receive(there: list[Stay], places: Places) -> None:
    """Flowboard knows these patients from a feed."""
    rows = {ward.code: ward for ward in Ward.objects.all()}
    facts = []
    for stay in there:
        ward = places.wards[stay.path[-1][1]]
        facts.append(
            Moved(
                key=f"A01 {stay.visit}",
                sent_at=moment_of(stay.admitted),
                person=PersonKey("RNM", f"M{stay.visit}"),
                kind=MovementKind.ADMITTED,
                occurred_at=moment_of(stay.admitted),
                visit=VisitKey("RNM", stay.visit),
                place=Place(rows[ward.code].pk),
            )
        )
    record(facts, source="pas")


@pytest.fixture
def token(quarter_file: Path, tmp_path: Path, transactional_db: None) -> Path:
    load_places(quarter_file, at=datetime.now(UTC))
    load_codes(built_in())
    user = User.objects.create_user("staff")
    for code in ("QNM", "REM"):
        body = Organisation.objects.get(code=code)
        for role in (Role.DISCHARGE_COORDINATOR, Role.BED_MANAGER):
            set_grant(user=user, role=role, organisation=body, by=None)
    path = tmp_path / "token"
    path.write_text(issue(user, "staff", STAFF_SCOPES)[1])
    return path


class Office:
    """The staff before one server, with a memory that can be lost."""

    def __init__(self, server: str, token: Path, places: Places, folder: Path) -> None:
        self.said: list[str] = []
        self.places, self.folder = places, folder
        self.rest = Rest(f"{server}/api/v1/", token, say=self.said.append, stopped=lambda: False)

    def work(self, session: Session, *, memory: str = "told") -> Counter[str]:
        """Let them tell everything that is new."""
        session.save(self.folder / "state")
        staff = Staff(
            places=self.places,
            path=self.folder / "state",
            rest=self.rest,
            memory=Memory.load(self.folder / memory, seed=3),
            say=self.said.append,
            stopped=lambda: False,
            pause=lambda seconds: None,
        )
        while staff.look():
            pass
        staff.memory.save()
        self.rest.close()
        return staff.counts


@pytest.mark.slow
def test_the_staff_tell_flowboard_what_the_world_is_like(
    begin: Begin, quarter: Places, token: Path, live_server: LiveServer, tmp_path: Path
) -> None:
    session = begin(seed=11)
    session.run_until(session.engine.now + 11 * HOUR, each=lambda: None)
    there = chosen(session, quarter)
    receive(there, quarter)
    office = Office(live_server.url, token, quarter, tmp_path)

    # Given a system that nobody has told of anything, when the staff begin
    counts = office.work(session)

    # Then everybody who is ready is known to be, since when they were
    assert counts["refused"] == 0, office.said
    ready = {stay.visit: stay for stay in there if stay.ready is not None}
    since = {
        row.episode.visit.number: row.period.lower
        for row in Readiness.objects.select_related("episode__visit")
    }
    excepted = Review.objects.exclude(exception="").values_list("episode__visit__number", flat=True)
    assert set(since) | set(excepted) == set(ready)
    for visit, began in since.items():
        first = ready[visit].ready
        assert first is not None
        late = (minute_of(began) - first) / HOUR
        # Of the excepted the next round says so; of long ago only the last days' rounds are told.
        told_from = (session.engine.now - first) / HOUR - 24 * DAYS_BACK
        assert 0 <= late < (0.5 if visit not in excepted else 84 + max(0, told_from)), visit

    # And their waits stand with an owner each, or nobody's on purpose, and places were asked
    open_ones = Barrier.objects.filter(outcome="")
    assert open_ones.count() > len(ready) / 2
    assert open_ones.exclude(organisation=None).count() > 0.8 * open_ones.count()
    assert BarrierStep.objects.filter(kind="contacted").exists()

    # And of everybody it is said what they need of a bed
    told_of = set(CareNeeds.objects.values_list("episode__visit__number", flat=True))
    in_beds = {case.visit for case in cases(session.engine.state, quarter) if case.place}
    assert told_of == {stay.visit for stay in there} & in_beds
    asked = Referral.objects.count()
    assert asked >= sum(1 for stay in ready.values() if stay.needs_place) / 2

    # When they look again, or have forgotten that they told, nothing is told twice
    told = Review.objects.count(), Barrier.objects.count(), asked, CareNeeds.objects.count()
    assert not office.work(session)
    office.work(session, memory="lost")
    assert told == (
        Review.objects.count(), Barrier.objects.count(), Referral.objects.count(),
        CareNeeds.objects.count(),
    )  # fmt: skip

    # When the world goes on for a day, a round is held and something has come about
    session.run_until(session.engine.now + 24 * HOUR, each=lambda: None)
    later = office.work(session)
    assert later["found"] > 0
    assert later["resolved"] > 0


@pytest.mark.slow
def test_what_they_need_who_wait_for_a_bed_is_told_first_and_how_urgently(
    begin: Begin, quarter: Places, token: Path, live_server: LiveServer, tmp_path: Path
) -> None:
    session = begin(seed=11)
    waiting: list[Case] = []
    while len(waiting) < 3:
        session.run_until(session.engine.now + HOUR, each=lambda: None)
        known = cases(session.engine.state, quarter)
        waiting = [
            case for case in known
            if case.asking is not None and case.asking.key
            and terms_of(case, case.asking, seed=3) is not None
        ]  # fmt: skip
    visits = {v.number: v for v in session.engine.state.visits.values()}
    rows = {ward.code: ward.pk for ward in Ward.objects.all()}
    for case in waiting:
        assert case.asking is not None
        wards = quarter.wards
        here = wards[visits[case.visit].ward].code
        wanted = wards[session.engine.state.requests[case.asking.key].ward].code
        person, visit = PersonKey("RNM", f"M{case.visit}"), VisitKey("RNM", case.visit)
        came, asked = moment_of(case.since), moment_of(case.asking.since)
        there = Moved(
            key=f"A01 {case.visit}", sent_at=came, person=person, occurred_at=came, visit=visit,
            kind=MovementKind.ADMITTED, place=Place(rows[here]),
        )  # fmt: skip
        need = Moved(
            key=f"A15 {case.visit}", sent_at=asked, person=person, occurred_at=asked, visit=visit,
            kind=MovementKind.PENDING_TRANSFER, wanted_ward=rows[wanted],
        )  # fmt: skip
        record([there, need], source="pas")

    # Given one request of which a person has said more, when the staff begin
    mine = BedRequest.objects.filter(episode__visit__number=waiting[0].visit).get()
    RequestTerms.objects.create(episode=mine.episode, key=mine.key, priority=4, note="By hand")
    counts = Office(live_server.url, token, quarter, tmp_path).work(session)

    # Then they have said what each needs, and more of the others' requests, not of that one
    assert counts["refused"] == 0
    told = {row.episode.visit.number: row for row in CareNeeds.objects.all()}
    assert {case.visit for case in waiting} <= set(told)
    assert counts["urged"] == len(waiting) - 1
    assert RequestTerms.objects.filter(note="By hand").count() == 1
    for case in waiting[1:]:
        assert case.asking is not None
        said = terms_of(case, case.asking, seed=3)
        assert said is not None
        held = BedRequest.objects.get(episode__visit__number=case.visit)
        terms = requests.terms_of(held)
        assert (terms.priority, terms.asked_by) == (said["priority"], said["asked_by"])
        if case.place == "emergency":
            assert told[case.visit].occurred_at < held.period.lower


def test_the_staff_wait_for_a_world_to_begin(
    quarter: Places, tmp_path: Path, server: Server
) -> None:
    rest = Rest(server.address, tmp_path / "token", say=print, stopped=lambda: False)
    staff = Staff(
        places=quarter, path=tmp_path / "none yet", rest=rest,
        memory=Memory.load(tmp_path / "told", seed=3), say=print, stopped=lambda: False,
    )  # fmt: skip
    assert not staff.look()
    assert server.heard == []


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_program_stops_cleanly_and_keeps_what_it_told(
    begin: Begin, quarter_file: Path, tmp_path: Path, server: Server, how: signal.Signals
) -> None:
    server.open()
    session = begin(seed=11)
    session.save(tmp_path / "state")
    there = stays(session.engine.state, session.engine.places)
    server.body = {
        "id": 7,
        "next": None,
        "results": [{"id": 5, "visit": s.visit, "status": "in_hospital"} for s in there],
    }
    (tmp_path / "token").write_text("flow_x")
    command = [
        sys.executable, "-m", "simulation", "care", "--api", server.address, "--state",
        str(tmp_path / "state"), "--token-file", str(tmp_path / "token"), "--places",
        str(quarter_file),
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        deadline = time.monotonic() + 60
        while sum(one[0] == "POST" for one in server.heard) < 40 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(how)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        server.close()
    assert process.returncode == 0
    assert "stopped;" in output
    kept = Memory.load(tmp_path / "state.care", seed=1)
    said = sum(
        len(k.found) + len(k.waits) + len(k.urged) + bool(k.needs) for k in kept.stays.values()
    )
    posted = sum(command == "POST" for command, *_ in server.heard)
    assert posted >= 30
    assert said >= posted - 1  # the last may have been cut short
    assert "flow_x" not in output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--api", "nowhere", "--state", "x", "--token-file", "x"], "is no address"),
        (["--api", "http://a/", "--state", "x", "--token-file", "x", "--places", "/n"], "/n"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["care", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
