"""How long a committed change takes to the last of a thousand listening screens.

    python -m bench.fanout [--screens 1000] [--rounds 30]

Flowboard's own web process (sessions checked, boards by name, beats) and a bare Redis-to-stream
fan-out are served by the same uvicorn, each with a thousand open streams. In turns a row is
committed and, on commit, rung; the time from the commit to the last stream that has heard is
taken for both, and their ratio printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any, Final

import psycopg
import redis

from bench.api import database, server
from bench.bare_fanout import CHANNEL
from flowboard.start import BASE, prepare

DATABASE: Final = "flowboard_bench_fanout"
BOARD: Final = "ward:1"
SESSION: Final = """
import django; django.setup()
from django.conf import settings
from django.test import Client
from accounts.models import User
person = User.objects.create_superuser("bench")
client = Client()
client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
name = settings.SESSION_COOKIE_NAME
print(f"{name}={client.cookies[name].value}")
"""


class Screen(asyncio.Protocol):
    """One open stream; it counts itself in when it has heard."""

    def __init__(self, request: bytes, wall: Wall) -> None:
        self._request, self._wall, self._tail = request, wall, b""
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wall.transports.append(transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        if not self.open and data.startswith(b"HTTP/1.1"):
            if not data.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a stream was refused: {data[:200]!r}")
            self.open = True
            self._wall.opened += 1
        if b"event: ring" in data:
            self._wall.heard()
            data = b""
        self._tail = data[-16:]


class Wall:
    """All screens of one server."""

    def __init__(self, name: str, port: int, path: str, cookie: str = "") -> None:
        self.name, self._port = name, port
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"Cookie: {cookie}"] if cookie else []
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.opened = self._left = 0
        self.transports: list[asyncio.Transport] = []
        self._all: asyncio.Future[float] | None = None

    async def open(self, screens: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(screens):
            await loop.create_connection(
                lambda: Screen(self._request, self), "127.0.0.1", self._port
            )
        deadline = time.monotonic() + 60
        while self.opened < screens:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name}: only {self.opened} of {screens} streams opened")
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)

    def close(self) -> None:
        """Hang up, so that the servers can end."""
        for transport in self.transports:
            transport.abort()

    def heard(self) -> None:
        self._left -= 1
        if self._left == 0 and self._all is not None:
            self._all.set_result(time.perf_counter())

    async def last_after(self, commit: Any) -> float:
        """Seconds from the commit to the last screen that heard of it."""
        loop = asyncio.get_running_loop()
        self._left, self._all = self.opened, loop.create_future()
        started: float = await loop.run_in_executor(None, commit)
        return await asyncio.wait_for(self._all, 30) - started


class Commits:
    """Commits a row and rings, as each of the two would."""

    def __init__(self, address: str, redis_url: str) -> None:
        self._line = psycopg.connect(address, autocommit=True)
        self._line.execute("CREATE TABLE bench_note (id bigserial PRIMARY KEY, at timestamptz)")
        self._redis = redis.Redis.from_url(redis_url)

    def _committed(self) -> float:
        with self._line.transaction():
            self._line.execute("INSERT INTO bench_note (at) VALUES (now())")
        return time.perf_counter()

    def ours(self) -> float:
        # Here, for Django must first know which servers to use.
        from live.doorbell import ring  # noqa: PLC0415

        at = self._committed()
        ring([BOARD])
        return at

    def bare(self) -> float:
        at = self._committed()
        self._redis.publish(CHANNEL, BOARD)
        return at


async def measure(ours: Wall, bare: Wall, commits: Commits, *, screens: int, rounds: int) -> None:
    """Open the streams, commit in turns, print."""
    await ours.open(screens)
    await bare.open(screens)
    took: dict[str, list[float]] = {ours.name: [], bare.name: []}
    for number in range(rounds + 3):
        for wall, commit in ((ours, commits.ours), (bare, commits.bare)):
            seconds = await wall.last_after(commit)
            if number >= 3:  # what happens once has happened by now
                took[wall.name].append(seconds)
            await asyncio.sleep(0.1)
    ours.close()
    bare.close()
    await asyncio.sleep(0.2)
    print(f"commit to the last of {screens} screens, {rounds} rounds")
    for name, found in took.items():
        worst = sorted(found)[int(0.95 * len(found))]
        print(f"  {name:<28}{statistics.median(found) * 1000:>7.1f} ms, 95 in 100 within "
              f"{worst * 1000:.1f} ms")  # fmt: skip
    pairs = zip(took[bare.name], took[ours.name], strict=True)
    print(f"  ratio (bare time / our time)  {statistics.median(b / o for b, o in pairs):.2f}")


def main() -> None:
    """Set up, measure, print, take down."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--screens", type=int, default=1000)
    reader.add_argument("--rounds", type=int, default=30)
    asked = reader.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    found = prepare()
    with ExitStack() as stack:
        address = stack.enter_context(database(dict(found.database), called=DATABASE))
        os.environ.update(DATABASE_URL=address, REDIS_URL=found.redis_url, LOG_LEVEL="WARNING")
        for command in (["manage.py", "migrate", "--verbosity", "0"], ["-c", SESSION]):
            done = subprocess.run(
                [sys.executable, *command], cwd=BASE, check=True, capture_output=True, text=True
            )
        cookie = done.stdout.split()[-1]
        live = stack.enter_context(server("flowboard.asgi:application", dict(os.environ)))
        alone = stack.enter_context(server("bench.bare_fanout:application", dict(os.environ)))
        asyncio.run(
            measure(
                Wall("Flowboard", live, f"/live/events?boards={BOARD},system", cookie),
                Wall("bare fan-out", alone, "/"),
                Commits(address, found.redis_url),
                screens=asked.screens,
                rounds=asked.rounds,
            )
        )


if __name__ == "__main__":
    main()
