import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulation.__main__ import main
from simulation.clock import minute_of
from simulation.places import Places
from simulation.session import Session
from tests.simulation.test_live import Listener


def test_history_writes_into_a_folder_and_keeps_a_state(
    quarter_file: Path, quarter: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "kept" / "state"
    arguments = ["history", "--out", str(tmp_path), "--days", "1", "--seed", "5"]
    until = ["--until", "2026-10-25T08:00", "--state", str(state), "--places", str(quarter_file)]
    assert main([*arguments, *until]) == 0
    assert "written to" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "northmoor.hl7")]) == 0
    assert "A01" in capsys.readouterr().out
    session = Session.load(state, quarter)
    assert session.engine.now == minute_of(datetime(2026, 10, 25, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["live", "--mllp", "127.0.0.1:1", "--state", "/nowhere/state"], "does not exist"),
        (["check", "/nowhere/file"], "/nowhere/file"),
        (["history", "--out", "x", "--places", "/nowhere.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "--out", "x", "--until", "yesterday"],
        ["history", "--out", "x", "--days", "0"],
        ["live", "--mllp", "nowhere", "--state", "x"],
        ["live", "--mllp", "here:99999", "--state", "x"],
        ["live", "--mllp", "here:1", "--state", "x", "--speed", "0.5"],
        [],
    ],
)
def test_arguments_that_make_no_sense_are_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_live_feed_begins_sends_and_stops_cleanly(
    quarter_file: Path, quarter: Places, tmp_path: Path, how: signal.Signals
) -> None:
    listener = Listener()
    listener.open()
    state = tmp_path / "state"
    command = [
        sys.executable, "-m", "simulation", "live", "--to", f"127.0.0.1:{listener.port}",
        "--state", str(state), "--seed", "4", "--places", str(quarter_file),
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        deadline = time.monotonic() + 90
        while len(listener.received) < 300 and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(how)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        listener.close()
    assert process.returncode == 0
    assert "stopped;" in output
    sent = len(listener.received)
    assert sent >= 300
    session = Session.load(state, quarter)
    left = session.feed.due(10**12)
    # What was on its way when the signal came may have arrived without an answer: it is sent
    # again. Nothing that was answered is.
    assert left is None or left not in listener.received[:-1]
