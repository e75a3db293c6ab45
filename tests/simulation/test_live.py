from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulation import live as live_module
from simulation.clock import HOUR
from simulation.live import Live
from simulation.mllp import Line, Unreachable
from simulation.places import Places
from simulation.session import Session
from simulation.upkeep import resume
from tests.simulation.conftest import START
from tests.simulation.receiver import seconds

Begin = Callable[..., Session]


@dataclass
class Listener:
    """An MLLP listener that answers as told: a code, "drop" to hang up, or "garble"."""

    received: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    port: int = 0
    _server: socket.socket | None = None
    _lines: list[socket.socket] = field(default_factory=list)

    def open(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            # Wakes the thread that waits in accept; closing alone would not.
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        for line in self._lines:
            line.close()
        self._lines.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                line, _address = server.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        held = b""
        while True:
            try:
                chunk = line.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            held += chunk
            while b"\x1c\r" in held:
                block, held = held.split(b"\x1c\r", 1)
                assert block.startswith(b"\x0b")
                message = block[1:].decode()
                answer = self.answers.pop(0) if self.answers else "AA"
                self.received.append(message)
                if answer == "drop":
                    line.close()
                    return
                control_id = message.split("|", 10)[9] if answer != "garble" else "other"
                code = "AA" if answer == "garble" else answer
                reply = f"MSH|^~\\&|T|T|S|S|||ACK|1|P|2.4\rMSA|{code}|{control_id}|told\r"
                line.sendall(b"\x0b" + reply.encode() + b"\x1c\r")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    listener.open()
    yield listener
    listener.close()


@dataclass
class Wall:
    """A clock on the wall that moves only when somebody waits, and says when it is enough."""

    now: float
    end: float

    def read(self) -> float:
        return self.now

    def wait(self, wanted: float) -> None:
        self.now += max(wanted, 0.05)

    def is_over(self) -> bool:
        return self.now >= self.end


def livening(
    session: Session, listener: Listener, path: Path, wall: Wall, *, speed: float = 1.0
) -> Live:
    said: list[str] = []
    return Live(
        session=session,
        line=Line("127.0.0.1", listener.port, stopped=wall.is_over),
        path=path,
        say=said.append,
        stopped=wall.is_over,
        wall=wall.read,
        pause=wall.wait,
        speed=speed,
    )


def whole_story(begin: Begin, until: float, began: float = START * 60.0) -> list[str]:
    session = begin()
    resume(session.engine, int(began // 60))
    session.run_until(int(until // 60), each=lambda: None)
    texts = []
    while (text := session.feed.due(int(until))) is not None:
        texts.append(text)
        session.feed.done()
    return texts


def assert_told(
    received: list[str], begin: Begin, until: float, *, began: float = START * 60.0
) -> None:
    """The receiver knows the story up to a second, but for what the end of the test cut off.

    began: when the living feed did, if it had a gap of hours to make up.
    """
    once = list(dict.fromkeys(received))
    story = list(dict.fromkeys(whole_story(begin, until, began)))
    assert once == story[: len(once)]
    cut_off = [seconds(text.split("|", 7)[6]) for text in story[len(once) :]]
    assert len(cut_off) < 5
    assert all(made > until - 120 for made in cut_off)


def test_the_gap_is_made_up_and_then_time_is_kept(
    begin: Begin, listener: Listener, tmp_path: Path
) -> None:
    began = (START + 10 * HOUR) * 60.0  # a busy hour of the day
    wall = Wall(now=began, end=began + 1800)
    live = livening(begin(), listener, tmp_path / "state", wall)
    arrived_at: list[float] = []

    def take(text: str) -> None:
        arrived_at.append(wall.now)

    class Watched(list[str]):
        def append(self, text: str) -> None:
            take(text)
            super().append(text)

    listener.received = Watched()
    live.run()
    assert_told(listener.received, begin, wall.now, began=began)
    written = [seconds(text.split("|", 7)[6]) for text in listener.received]
    assert all(made <= at for made, at in zip(written, arrived_at, strict=True)), "from the future"
    in_gap = sum(at == began for at in arrived_at)
    assert in_gap > 500
    assert len(arrived_at) - in_gap > 5, "the last half hour came as it happened"


@pytest.mark.parametrize("trouble", ["drop", "AE", "CE"])
def test_a_message_without_acknowledgment_is_sent_again(
    begin: Begin, listener: Listener, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "_LONGEST_PAUSE", 0.02)
    listener.answers = ["AA", trouble, "AA", "AA", trouble, trouble, trouble]
    now = (START + HOUR) * 60.0
    wall = Wall(now=now, end=now + 100)
    live = livening(begin(), listener, tmp_path / "state", wall)
    live.run()
    assert len(listener.received) - len(set(listener.received)) >= 4
    assert_told(listener.received, begin, wall.now)
    assert live.counts.again == 4
    assert live.counts.refused == 0


def test_a_refused_message_is_counted_and_left_behind(
    begin: Begin, listener: Listener, tmp_path: Path
) -> None:
    listener.answers = ["AA", "AR", "CR"]
    now = (START + HOUR) * 60.0
    wall = Wall(now=now, end=now + 60)
    live = livening(begin(), listener, tmp_path / "state", wall)
    live.run()
    assert live.counts.refused == 2
    assert live.counts.again == 0
    assert_told(listener.received, begin, wall.now)


def test_an_answer_to_another_message_does_not_count(
    begin: Begin, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulation.mllp._PATIENCE", 0.8)
    listener.answers = ["garble"]
    line = Line("127.0.0.1", listener.port, stopped=lambda: False)
    text = whole_story(begin, START * 60)[0]
    with pytest.raises(Unreachable, match="no acknowledgment"):
        line.send(text)
    assert line.send(text).is_taken
    line.close()


def test_it_waits_for_a_listener_that_is_away_and_loses_nothing(
    begin: Begin, listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "_LONGEST_PAUSE", 0.02)
    now = (START + HOUR) * 60.0
    wall = Wall(now=now, end=now + 600)
    live = livening(begin(), listener, tmp_path / "state", wall)
    listener.close()
    reopened = threading.Event()

    def wait(wanted: float) -> None:
        if live.counts.again == 3 and not reopened.is_set():
            reopened.set()
            listener.open()
        wall.wait(wanted)

    live.pause = wait
    live.run()
    assert reopened.is_set()
    assert live.counts.again >= 3
    assert_told(listener.received, begin, wall.now)


def test_after_a_crash_the_same_messages_come_again_and_none_is_missing(
    begin: Begin, quarter: Places, listener: Listener, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    began = (START + HOUR) * 60.0
    wall = Wall(now=began, end=began + 900)
    first = livening(begin(), listener, path, wall)
    first.run()
    at_save = path.read_bytes()
    wall.end += 900
    second = livening(Session.load(path, quarter), listener, path, wall)
    second.run()
    sent_before_crash = len(listener.received)
    path.write_bytes(at_save)  # as if the second run had died before it could save
    wall.end += 900
    third = livening(Session.load(path, quarter), listener, path, wall)
    third.run()
    again = listener.received[sent_before_crash:]
    assert any(text in listener.received[:sent_before_crash] for text in again)
    assert_told(listener.received, begin, wall.now)


def test_another_speed_plays_the_gap_and_stays_behind_the_wall(
    begin: Begin, listener: Listener, tmp_path: Path
) -> None:
    began = (START + 6 * HOUR) * 60.0
    wall = Wall(now=began, end=began + 120)
    live = livening(begin(), listener, tmp_path / "state", wall, speed=60.0)
    live.run()
    assert START + 118 <= live.session.engine.now <= START + 120
    assert_told(listener.received, begin, live.session.engine.now * 60 + 59)


def test_the_fast_clock_stops_at_the_wall(begin: Begin, listener: Listener, tmp_path: Path) -> None:
    began = (START + HOUR) * 60.0
    wall = Wall(now=began, end=began + 300)
    live = livening(begin(), listener, tmp_path / "state", wall, speed=100.0)
    live.run()
    assert live.simulated() == wall.now
    assert int(wall.now) // 60 - 1 <= live.session.engine.now <= int(wall.now) // 60
