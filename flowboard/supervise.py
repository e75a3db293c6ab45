"""Runs several programs as one: their lines marked with their names, what dies started again,
all of them stopped together.

Every program leads a process group of its own, so that Ctrl-C reaches the supervisor alone and
stopping a program stops what it has started too. Should the supervisor itself be killed, Linux
tells its programs to stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Final, TextIO

BACK_OFF: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each further start
STEADY: Final = 60.0  # seconds after which an earlier failure is forgotten
PATIENCE: Final = 8.0  # seconds a program has for stopping before it is killed
STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PR_SET_PDEATHSIG: Final = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, under which name. Programs start in order and stop in the opposite order."""

    name: str
    command: Sequence[str]


class Voice:
    """Writes whole lines, each marked with who says it, from any thread.

    When nobody reads any more, `gone` is set and further lines are lost without a word.
    """

    def __init__(self, out: TextIO, width: int) -> None:
        self._out = out
        self._width = width
        self._lock = threading.Lock()
        self.gone = threading.Event()

    def say(self, name: str, line: str) -> None:
        """Write one line."""
        self.write(f"{name:<{self._width}} | {line}")

    def write(self, text: str) -> None:
        """Write text as it is."""
        with self._lock:
            try:
                print(text, file=self._out, flush=True)
            except (BrokenPipeError, ValueError):
                self.gone.set()


def die_with_parent() -> None:
    """For a program about to start: have Linux stop it should its parent be killed."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class _Running:
    """One program: its process, and how often it has failed of late."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[str] | None = None
        self.due: float | None = 0.0  # when to start it; None while it runs
        self._started = 0.0
        self._failures = 0

    def start(self, environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            self.program.command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=die_with_parent,
            umask=0o077,
        )
        self.due = None
        self._started = time.monotonic()
        return self.process

    def ended(self) -> float:
        """Plan the next start; the seconds until then."""
        now = time.monotonic()
        if now - self._started > STEADY:
            self._failures = 0
        pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self.process, self.due = None, now + pause
        return pause

    def signal_group(self, number: signal.Signals) -> None:
        """Tell the program and all it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Runs `programs` until told to stop by a signal or by `stop`."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        folder: Path,
        environment: Mapping[str, str],
        out: TextIO = sys.stdout,
    ) -> None:
        self._running = [_Running(program) for program in programs]
        self._folder = folder
        self._environment = environment
        self._voice = Voice(out, max(len(program.name) for program in programs))
        # Who ended, or None: stop. SimpleQueue may be used in a signal handler.
        self._news: queue.SimpleQueue[_Running | None] = queue.SimpleQueue()

    def say(self, line: str) -> None:
        """Write a line of the supervisor's own."""
        self._voice.say("flowboard", line)

    def announce(self, text: str) -> None:
        """Write text in one piece, unmarked."""
        self._voice.write(text)

    def stop(self) -> None:
        """Let `run` come to its end; from any thread or signal handler."""
        self._news.put(None)

    def run(self, started: Callable[[], None] | None = None) -> None:
        """Run everything until the stop; `started` is called once all have been started."""

        def told(number: int, frame: FrameType | None) -> None:
            self.stop()

        before = {
            number: signal.signal(number, told)
            for number in STOPPING
            # A program started with nohup is meant to outlive its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        }
        try:
            self._start_due()
            if started:
                threading.Thread(target=started, daemon=True).start()
            self._watch()
        finally:
            self.say("stopping")
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _watch(self) -> None:
        while not self._voice.gone.is_set():
            try:
                ended = self._news.get(timeout=self._until_next_start())
            except queue.Empty:
                self._start_due()
                continue
            if ended is None:
                return
            assert ended.process is not None
            status = ended.process.wait()
            # What it had started itself must not live on beside its successor.
            ended.signal_group(signal.SIGKILL)
            pause = ended.ended()
            self.say(
                f"{ended.program.name} ended with status {status}; "
                f"starting it again in {pause:.0f} s"
            )

    def _until_next_start(self) -> float:
        due = [one.due for one in self._running if one.due is not None]
        return min(1.0, max(0.0, min(due) - time.monotonic())) if due else 1.0

    def _start_due(self) -> None:
        for one in self._running:
            if one.due is not None and one.due <= time.monotonic():
                # Always from this thread: Linux ties the end of a child to the end of the thread.
                process = one.start(self._environment, self._folder)
                assert process.stdout is not None
                threading.Thread(
                    target=self._hear, args=(one.program.name, process.stdout), daemon=True
                ).start()
                threading.Thread(target=self._await, args=(one, process), daemon=True).start()

    def _hear(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._voice.say(name, line.rstrip("\n"))

    def _await(self, one: _Running, process: subprocess.Popen[str]) -> None:
        process.wait()
        self._news.put(one)

    def _stop_all(self) -> None:
        until = time.monotonic() + PATIENCE
        alive = [one for one in reversed(self._running) if one.process is not None]
        for one in alive:
            one.signal_group(signal.SIGTERM)
        for one in alive:
            assert one.process is not None
            try:
                one.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{one.program.name} does not stop; killing it")
            one.signal_group(signal.SIGKILL)
            one.process.wait()
