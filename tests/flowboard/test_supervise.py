"""Several programs as one, with real processes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flowboard import supervise
from flowboard.supervise import Program, Supervisor
from tests.flowboard.processes import eventually, runs

ROOT = Path(__file__).resolve().parent.parent.parent


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", text)


class Stage:
    """A supervisor that is stopped once its programs have said enough."""

    def __init__(self, folder: Path, *programs: Program) -> None:
        self.out = io.StringIO()
        self.supervisor = Supervisor(programs, folder=folder, environment=os.environ, out=self.out)

    def run_until(self, enough: Callable[[str], bool]) -> str:
        def watch() -> None:
            try:
                eventually(lambda: enough(self.out.getvalue()))
            finally:
                self.supervisor.stop()

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.supervisor.run()
        watcher.join()
        assert enough(self.out.getvalue()), self.out.getvalue()
        return self.out.getvalue()


def test_lines_carry_the_name_of_who_says_them(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        Program("web", script("print('ready'); import time; time.sleep(60)")),
        Program(
            "listener",
            script("import sys, time; print('zu spät', file=sys.stderr); time.sleep(60)"),
        ),
    )
    lines = stage.run_until(lambda said: "ready" in said and "zu spät" in said).splitlines()
    assert "web      | ready" in lines
    assert "listener | zu spät" in lines


def test_what_dies_is_started_again_after_a_pause_that_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "BACK_OFF", (0.05, 0.2))
    stage = Stage(tmp_path, Program("worker", script("print('up'); raise SystemExit(3)")))
    started = time.monotonic()
    said = stage.run_until(lambda said: said.count("| up") >= 4)
    assert time.monotonic() - started >= 0.05 + 0.2 + 0.2
    assert "worker ended with status 3; starting it again" in said


def test_the_others_go_on_when_one_dies(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        Program("steady", script("import os, time; print(os.getpid()); time.sleep(60)")),
        Program("frail", script("print('up')")),
    )
    said = stage.run_until(lambda said: said.count("frail  | up") >= 2)
    assert said.count("steady |") == 1


def test_a_stop_takes_along_what_programs_have_started(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        Program(
            "parent",
            script(
                "import os, subprocess, sys, time\n"
                "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
                "print('pids', os.getpid(), child.pid)\n"
                "time.sleep(99)"
            ),
        ),
    )
    said = stage.run_until(lambda said: "pids" in said)
    pids = [int(word) for word in said.split("pids")[1].split()[:2]]
    eventually(lambda: not any(map(runs, pids)))


def test_a_program_that_will_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "PATIENCE", 0.5)
    stage = Stage(
        tmp_path,
        Program(
            "stubborn",
            script(
                "import os, signal, time\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "print('pid', os.getpid())\n"
                "time.sleep(99)"
            ),
        ),
    )
    said = stage.run_until(lambda said: "pid" in said)
    pid = int(said.split("pid")[1].split()[0])
    assert not runs(pid)
    assert "stubborn does not stop; killing it" in stage.out.getvalue()


SUPERVISED = """
import os, sys
from pathlib import Path
from flowboard.supervise import Program, Supervisor
from tests.flowboard.processes import eventually, runs
child = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(99)"
Supervisor(
    [Program("child", (sys.executable, "-c", child))], folder=Path("."), environment=os.environ
).run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_program_outlives_its_supervisor(number: signal.Signals) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # Whoever runs the tests under nohup has the signal ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert supervisor.stdout is not None
    with supervisor.stdout:
        pid = int(supervisor.stdout.readline().split()[-1])
        supervisor.send_signal(number)
        assert supervisor.wait(15) == (-number if number == signal.SIGKILL else 0)
    eventually(lambda: not runs(pid))


def test_a_supervisor_whose_reader_has_gone_stops(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    out = os.fdopen(writing, "w")
    talker = Program("talker", script("while True: print('x' * 100)"))
    supervisor = Supervisor([talker], folder=tmp_path, environment=os.environ, out=out)
    thread = threading.Timer(0.5, os.close, [reading])
    thread.start()
    supervisor.run()  # returns
    thread.join()
    try:
        out.close()
    except BrokenPipeError:
        pass
