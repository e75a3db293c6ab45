"""The commands as an operator runs them: files, folders, batches, the JSON line, exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from interop import files
from interop.applying import replay
from interop.files import receive
from interop.hl7v2.framing import Fault, framed
from interop.management.commands.receive_hl7 import Command, address
from interop.models import Feed, Message
from interop.tasks import apply_waiting
from tests.interop.building import adt, real_messages
from tests.interop.delivering import NOW, keep, stays
from tests.interop.wire import Wire, code, nothing_waits, until

pytestmark = pytest.mark.django_db
LISTEN = ("--listen", "127.0.0.1:0")


def run(*arguments: str) -> tuple[dict[str, int], str]:
    """The numbers of the last line, and what was said beside it."""
    out, err = StringIO(), StringIO()
    call_command("receive_hl7", *arguments, stdout=out, stderr=err)
    numbers: dict[str, int] = json.loads(out.getvalue().splitlines()[-1])
    assert numbers["received"] == sum(numbers.values()) - numbers["received"]
    return numbers, err.getvalue()


def test_files_folders_and_batches_are_read_and_counted(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    one = tmp_path / "one.hl7"
    one.write_bytes(adt("A01", place="W1"))
    (tmp_path / "deep" / "two.txt").write_bytes(adt("A02", place="W2") + adt("A51"))
    (tmp_path / "deep" / "er" / "batch").write_bytes(
        b"FHS|^~\\&|\rBHS|^~\\&|\r" + adt("A99") + adt("A01", mrn="") + b"BTS|2\rFTS|1"
    )
    (tmp_path / "deep" / "notes.md").write_text("no messages here")
    (tmp_path / "deep" / ".hidden").write_bytes(adt("A03"))
    numbers, beside = run("--file", str(one), str(tmp_path / "deep"), str(one), "--json")
    assert numbers == {
        "received": 6,
        "applied": 2,
        "duplicate": 1,
        "ignored": 1,
        "held": 1,
        "rejected": 1,
    }
    assert "notes.md: holds no HL7 message" in beside


def test_what_is_no_whole_message_is_kept_by_itself_with_what_to_do(tmp_path: Path) -> None:
    one, two, three = (adt("A01", visit=f"V{n}", mrn=f"M{n}", control=f"C{n}") for n in (1, 2, 3))
    (tmp_path / "blocks").write_bytes(framed(one) + framed(b"PID|1||M8\r") + framed(two))
    (tmp_path / "cut").write_bytes(b"D|1||M9\rPV1|1|I\r" + three)
    (tmp_path / "glued").write_bytes(adt("A04", visit="V4").rstrip() + adt("A04", visit="V5"))
    (tmp_path / "wide").write_bytes(
        adt("A01", visit="V6", mrn="M6")
        + adt("A01", visit="V7", mrn="M7").decode().encode("utf-16-be")
    )
    (tmp_path / "words").write_bytes(b"the minutes of a meeting")
    numbers, beside = run("--file", str(tmp_path), "--json")
    assert numbers["received"] == 9
    assert (numbers["applied"], numbers["rejected"]) == (5, 4)
    assert "words: holds no HL7 message" in beside
    assert all(stays(visit) for visit in ("V1", "V2", "V3", "V6", "V7"))
    assert not any(stays(visit) for visit in ("V4", "V5"))
    reasons = Counter(
        Message.objects.filter(status="rejected").values_list("reason_code", "reason")
    )
    assert reasons == {
        ("unreadable", Fault.HEADLESS.value): 2,
        ("transmission", Fault.GLUED.value): 2,
    }
    # Somebody has looked at the two on one line and found them whole.
    glued = Message.objects.filter(reason_code="transmission")
    assert replay(glued.values_list("pk", flat=True)) == 2
    apply_waiting()
    assert stays("V4")
    assert stays("V5")


def test_what_was_read_before_is_a_duplicate(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(adt("A01") + adt("A02"))
    run("--file", str(tmp_path), "--json")
    assert run("--file", str(tmp_path), "--json")[0]["duplicate"] == 2


def test_every_captured_message_is_received_by_file() -> None:
    folder = real_messages()[0].parent.parent
    numbers, _ = run("--file", str(folder), "--json")
    assert numbers["received"] == 239
    assert (numbers["held"], numbers["rejected"]) == (11, 8)
    assert not Message.objects.filter(reason_code="failed").exists()


@pytest.mark.parametrize("content", [None, b"", b"hello", b"\x00\xff"])
def test_when_nothing_could_be_read_it_says_so_and_fails(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="Nothing could be read"):
        call_command("receive_hl7", "--file", str(path), "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue())["received"] == 0
    assert str(path) in err.getvalue()


def test_a_file_that_is_missing_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(adt("A01"))
    numbers, beside = run("--file", str(tmp_path / "gone"), str(tmp_path / "m"), "--json")
    assert numbers["received"] == 1
    assert "gone: No such file" in beside


def test_without_json_it_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(adt("A01"))
    out = StringIO()
    call_command("receive_hl7", "--file", str(tmp_path), stdout=out)
    assert out.getvalue().startswith("1 messages received: 1 applied, 0 duplicate")


def test_the_feed_may_be_named(tmp_path: Path) -> None:
    Feed.objects.create(code="HISTORY", name="History")
    (tmp_path / "m").write_bytes(adt("A01"))
    run("--file", str(tmp_path), "--feed", "HISTORY", "--json")
    assert Message.objects.get().feed.code == "HISTORY"
    with pytest.raises(CommandError, match="HISTORY"):
        call_command("receive_hl7", "--file", str(tmp_path), "--feed", "NONE")


def test_years_of_messages_are_read_by_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_WORTH_A_POOL", 10)
    monkeypatch.setattr(files, "_WINDOW", 50)
    many = [
        adt("A08", control=str(n), visit=f"V{n % 9}", mrn=f"M{n % 9}", made=f"2026011012{n:04}")
        for n in range(60)
    ]
    # Minutes and seconds above 59 make some of them hard to date; they are held, not lost.
    (tmp_path / "m").write_bytes(b"".join(many) + adt("A01", mrn="") + adt("A99"))
    seen: list[int] = []
    report = receive([tmp_path], now=lambda: NOW, progress=lambda r: seen.append(r.received))
    assert report.received == 62
    assert sum(report.counts.values()) == 62
    assert seen[-1] == 62
    assert len(stays("V0")) == 1


def test_messages_that_another_process_applies_are_counted_too(tmp_path: Path) -> None:
    keep(adt("A01"))
    (tmp_path / "m").write_bytes(adt("A02"))
    assert run("--file", str(tmp_path), "--json")[0]["applied"] == 1
    assert nothing_waits()


def test_the_sweep_applies_what_waits() -> None:
    keep(adt("A01"), adt("A02", made="20260110130000"), adt("A01", application="OTHER"))
    assert apply_waiting() == 3
    assert nothing_waits()
    assert apply_waiting() == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.0.0.0:2575", ("0.0.0.0", 2575)),  # noqa: S104
        ("[::1]:2575", ("::1", 2575)),
        (":2575", ("", 2575)),
        ("2575", ("", 2575)),
    ],
)
def test_addresses(text: str, wanted: tuple[str, int]) -> None:
    assert address(text) == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "localhost"],
        ["--listen", "localhost:99999"],
        ["--listen", "localhost:0", "--file", "x"],
        [],
        ["--listen", "localhost:0", "--tls-cert", "x.pem"],
        ["--listen", "localhost:0", "--tls-cert", "x.pem", "--tls-key", "x.key"],
        ["--listen", "localhost:0", "--json"],
        ["--listen", "192.0.2.1:2575", "--store-only"],
    ],
)
def test_what_cannot_be_done_is_said_before_it_is_begun(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command(Command(), *arguments)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_real_program_listens_applies_and_stops_in_good_order(
    child_environment: dict[str, str],
) -> None:
    process = subprocess.Popen(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "receive_hl7", *LISTEN],
        env=child_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Listening for HL7 on 127.0.0.1:")
        port = int(line.rsplit(":", 1)[1])
        with Wire(port) as wire:
            assert code(wire.ask(adt("A01", place="W1"))) == "AA"
            until(nothing_waits)
            # The applier is a process of its own; when it dies another takes its place.
            appliers = _children(process.pid)
            assert len(appliers) == 1
            os.kill(appliers[0], signal.SIGKILL)
            assert code(wire.ask(adt("A02", place="W2"))) == "AA"
            until(nothing_waits)
            appliers = _children(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in appliers))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert Message.objects.filter(status="applied").count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_applier_whose_parent_is_gone_already_ends(child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "apply_hl7", "--with-parent=1"],
        env=child_environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0


def _children(parent: int) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [
            int(pid)
            for path in Path(f"/proc/{parent}/task").glob("*/children")
            for pid in path.read_text().split()
        ]
        if found:
            return found
        time.sleep(0.05)
    return []
