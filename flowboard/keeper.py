"""The process that runs the embedded servers: `python -m flowboard.keeper HOME`.

It says one line of JSON, `{"ready": true}` or `{"error": "…"}`, starts again what dies, and
stops both servers when nobody holds the `users` lock any more (see `flowboard.embedded`).
Started by `embedded.join`, never by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flowboard import embedded
from flowboard.embedded import CannotStart
from flowboard.embedded_files import (
    Layout,
    asked,
    clear_leftovers,
    create_database,
    lay_out,
    postgresql_command,
    postmaster,
    redis_command,
    until,
)

BACK_OFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)  # seconds before a server that died starts again
STEADY: Final = 30.0  # seconds after which a server counts as running well


class Server:
    """One server: started, waited for, started again when it dies, stopped."""

    def __init__(
        self, name: str, layout: Layout, command: list[str], ready: Callable[[], bool],
        stop_with: signal.Signals,
    ) -> None:  # fmt: skip
        self.name = name
        self._layout = layout
        self._command = command
        self._ready = ready
        self._stop_with = stop_with
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0

    def start(self) -> None:
        """Start it and wait until it answers. Raises CannotStart."""
        log = self._layout.open_log(self.name)
        try:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, **self._layout.as_account()
            )
        finally:
            os.close(log)
        self._started = time.monotonic()
        process = self._process
        answered = until(lambda: process.poll() is not None or self._ready(), 40)
        if not answered or process.poll() is not None:
            raise CannotStart(f"{self.name} did not start; see {self.name}.log")

    def wait(self) -> None:
        """Return when it has died."""
        assert self._process is not None
        self._process.wait()

    def pause(self) -> float:
        """Seconds to wait before the next start, more after each failure in a row."""
        if time.monotonic() - self._started > STEADY:
            self._failures = 0
        self._failures += 1
        return BACK_OFF[min(self._failures, len(BACK_OFF)) - 1]

    def stop(self) -> None:
        """Stop it, gently first."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._stop_with)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _servers(layout: Layout) -> list[Server]:
    redis = layout.run / "redis.sock"
    return [
        Server(
            "postgresql", layout, postgresql_command(layout),
            lambda: (postmaster(layout) or (0, ""))[1] == "ready", signal.SIGINT,
        ),
        Server(
            "redis", layout, redis_command(layout),
            lambda: asked(redis, b"PING\r\n") == b"+PONG\r\n", signal.SIGTERM,
        ),
    ]  # fmt: skip


class Keeper:
    """Runs the servers until nobody uses them."""

    def __init__(self, home: Path, layout: Layout) -> None:
        self._home = home
        self._layout = layout
        self._servers = _servers(layout)
        self._events: queue.SimpleQueue[Server | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Start both. Raises CannotStart, with none left running."""
        try:
            for server in self._servers:
                server.start()
        except CannotStart:
            self.stop()
            raise

    def keep(self, users: int, serving: int) -> None:
        """Start again what dies; return when the last user has gone, or when told to stop.

        The users' lock is held then in the first case; that of `serving` is held in neither.
        """

        def unused() -> None:
            fcntl.flock(users, fcntl.LOCK_EX)
            self._events.put(None)

        def told(*_: object) -> None:
            fcntl.flock(serving, fcntl.LOCK_UN)
            self._events.put(None)

        signal.signal(signal.SIGTERM, told)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=unused, daemon=True).start()
        for server in self._servers:
            self._watch(server)
        while (died := self._events.get()) is not None:
            self._revive(died)
        fcntl.flock(serving, fcntl.LOCK_UN)

    def _watch(self, server: Server) -> None:
        def wait() -> None:
            server.wait()
            self._events.put(server)

        threading.Thread(target=wait, daemon=True).start()

    def _revive(self, server: Server) -> None:
        time.sleep(server.pause())
        try:
            server.start()
        except CannotStart:
            server.stop()
            self._events.put(server)
        else:
            self._watch(server)

    def stop(self) -> None:
        """Stop both."""
        for server in reversed(self._servers):
            server.stop()


def _say(answer: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(answer), flush=True)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def main(arguments: list[str]) -> int:
    """Run the servers of the home named first; `--not-durable` spares the disk."""
    home = Path(arguments[0])
    lock, users = embedded.open_lock(home, "keeper"), embedded.open_lock(home, "users")
    serving = embedded.open_lock(home, "serving")
    if not until(lambda: embedded.try_lock(lock, fcntl.LOCK_EX), 10):
        _say({"error": "another keeper is running"})
        return 1
    try:
        layout = lay_out(home, durable="--not-durable" not in arguments)
        create_database(layout)
        clear_leftovers(layout)
        keeper = Keeper(home, layout)
        keeper.start()
        fcntl.flock(serving, fcntl.LOCK_EX)  # held by others for an instant at most
    except (CannotStart, OSError) as error:
        _say({"error": str(error).rstrip(".")})
        return 1
    _say({"ready": True})
    keeper.keep(users, serving)
    keeper.stop()
    os.close(lock)  # first this one: whoever then gets the users' lock finds no keeper
    os.close(users)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
