"""What a thousand wall screens cost one web process, against a bare fan-out.

    python -m bench.screens [--screens 1000] [--rounds 20]

A thousand screens are paired, each with its own secret; each opens its stream and, when it hears
a ring, fetches its page, as a browser on the wall would. In turns a row is committed and rung;
taken are the times from the commit until the last screen has heard, for Flowboard and for a bare
Redis-to-stream fan-out on the same uvicorn, and until the last screen holds the new page. Memory
is what each process holds more with all streams open than with none, by screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.api import database, server
from bench.fanout import BOARD, Commits, Screen, Wall
from flowboard.start import BASE, prepare

DATABASE: Final = "flowboard_bench_screens"
OURS: Final = "flowboard.asgi:application"
BARE: Final = "bench.bare_fanout:application"
SPREAD: Final = 0.25
"""Seconds over which screens spread their fetches after a ring, as wall.js does."""

HANG: Final = """
import json, sys
import django; django.setup()
from django.utils import timezone
from accounts.models import Organisation, User
from huddles.models import Screen, ScreenPage
from huddles.screens.recognising import digest_of, new_secret
from wards.models import Bed, Site, Ward
by = User.objects.create_superuser("bench")
trust = Organisation.objects.create(code="RXX", name="Trust", kind="trust")
site = Site.objects.create(code="S", name="Hospital", organisation=trust)
ward = Ward.objects.create(pk=1, site=site, code="W", name="Ward")
for number in range(30):
    Bed.objects.create(ward=ward, label=str(number + 1), position=number)
secrets = [new_secret() for _ in range(int(sys.argv[1]))]
screens = Screen.objects.bulk_create(
    Screen(site=site, name=f"Screen {number}", zone="staff", digest=digest_of(secret),
           paired_at=timezone.now(), paired_by=by)
    for number, secret in enumerate(secrets))
ScreenPage.objects.bulk_create(
    ScreenPage(screen=screen, position=1, layout="ward", ward=ward, seconds=60)
    for screen in screens)
print(json.dumps([[screen.pk, secret] for screen, secret in zip(screens, secrets)]))
"""


class Hung(Screen):
    """A stream that tells its page to fetch when it has heard."""

    def __init__(self, request: bytes, wall: Walls, page: Page) -> None:
        super().__init__(request, wall)
        self._page = page

    def data_received(self, data: bytes) -> None:
        rung = b"event: ring" in self._tail + data
        super().data_received(data)
        if rung:
            asyncio.get_running_loop().call_later(random.random() * SPREAD, self._page.fetch)


class Page(asyncio.Protocol):
    """Fetches the page of a screen, on a new connection each time: servers close idle ones."""

    def __init__(self, request: bytes, wall: Walls) -> None:
        self._request, self._wall = request, wall
        self._got = b""
        self._asking: asyncio.Task[Any] | None = None

    def fetch(self) -> None:
        self._got = b""
        loop, port = asyncio.get_running_loop(), self._wall.port
        self._asking = loop.create_task(loop.create_connection(lambda: self, "127.0.0.1", port))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._got.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"a page was refused: {self._got[:200]!r}")
        self._wall.fetched()


class Walls(Wall):
    """All paired screens."""

    def __init__(self, port: int, screens: list[tuple[int, str]]) -> None:
        super().__init__("Flowboard, heard", port, "/")
        self.port = port
        self._screens = screens
        self._to_fetch = 0
        self._last: asyncio.Future[float] | None = None

    async def open(self, screens: int) -> None:
        loop = asyncio.get_running_loop()
        host = f"Host: 127.0.0.1:{self.port}"
        for key, secret in self._screens:
            ends = f"{host}\r\nCookie: flowboard_screen={secret}\r\n\r\n"
            asked = f"/live/events?screen=1&boards=screen:{key},{BOARD}"
            fetch = f"GET /screen/pages/1/ HTTP/1.1\r\nConnection: close\r\n{ends}"
            page = Page(fetch.encode(), self)
            stream = Hung(f"GET {asked} HTTP/1.1\r\n{ends}".encode(), self, page)
            await loop.create_connection(
                lambda one=stream: one,  # type: ignore[misc]
                "127.0.0.1",
                self.port,
            )
        await super().open(0)
        deadline = time.monotonic() + 60
        while self.opened < screens:
            if time.monotonic() > deadline:
                raise SystemExit(f"only {self.opened} of {screens} screens listen")
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)

    def fetched(self) -> None:
        self._to_fetch -= 1
        if self._to_fetch == 0 and self._last is not None:
            self._last.set_result(time.perf_counter())

    async def shown_after(self, commit: Any) -> tuple[float, float]:
        """Seconds until the last has heard, and until the last holds the new page."""
        self._to_fetch, self._last = self.opened, asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        heard = await self.last_after(commit)
        return heard, await asyncio.wait_for(self._last, 60) - started


def resident(application: str) -> int:
    """Bytes that the server of this application, a child of ours, holds in memory."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "status").read_text()
            line = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if f"PPid:\t{os.getpid()}\n" in told and application.encode() in line:
            return int(told.split("VmRSS:")[1].split()[0]) * 1024
    raise SystemExit(f"{application} does not run")


async def measure(ours: Walls, bare: Wall, commits: Commits, *, screens: int, rounds: int) -> None:
    """Open the streams, commit in turns, print."""
    held: dict[str, list[int]] = {}
    for wall, application in ((ours, OURS), (bare, BARE)):
        before = resident(application)
        await wall.open(screens)
        held[wall.name] = [before, resident(application)]
    took: dict[str, list[float]] = {ours.name: [], bare.name: [], "Flowboard, page shown": []}
    for number in range(rounds + 3):
        heard, shown = await ours.shown_after(commits.ours)
        await asyncio.sleep(0.2)
        alone = await bare.last_after(commits.bare)
        await asyncio.sleep(0.2)
        if number >= 3:  # what happens once has happened by now
            took[ours.name].append(heard)
            took[bare.name].append(alone)
            took["Flowboard, page shown"].append(shown)
    held[ours.name].append(resident(OURS))
    for wall in (ours, bare):
        wall.close()
    await asyncio.sleep(0.2)
    _tell(took, held, screens=screens, rounds=rounds)


def _tell(
    took: dict[str, list[float]], held: dict[str, list[int]], *, screens: int, rounds: int
) -> None:
    print(f"commit to the last of {screens} screens, {rounds} rounds")
    for name, found in took.items():
        worst = sorted(found)[int(0.95 * len(found))]
        print(f"  {name:<24}{statistics.median(found) * 1000:>8.1f} ms, 95 in 100 within "
              f"{worst * 1000:.1f} ms")  # fmt: skip
    ours, bare, _shown = took.values()
    ratio = statistics.median(b / o for b, o in zip(bare, ours, strict=True))
    print(f"  ratio, heard (bare time / our time)  {ratio:.2f}")
    print("memory for each screen")
    for name, (before, after, *later) in held.items():
        more = f" ({later[0] / 1024**2:.0f} MB in all after the rounds)" if later else ""
        print(f"  {name:<24}{(after - before) / screens / 1024:>8.1f} kB{more}")


def main() -> None:
    """Set up, measure, print, take down."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--screens", type=int, default=1000)
    reader.add_argument("--rounds", type=int, default=20)
    asked = reader.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    found = prepare()
    with ExitStack() as stack:
        address = stack.enter_context(database(dict(found.database), called=DATABASE))
        os.environ.update(DATABASE_URL=address, REDIS_URL=found.redis_url, LOG_LEVEL="WARNING")
        migrate = ["manage.py", "migrate", "--verbosity", "0"]
        for command in (migrate, ["-c", HANG, str(asked.screens)]):
            done = subprocess.run(
                [sys.executable, *command], cwd=BASE, check=True, capture_output=True, text=True
            )
        screens = [(int(key), str(secret)) for key, secret in json.loads(done.stdout)]
        live = stack.enter_context(server(OURS, dict(os.environ)))
        alone = stack.enter_context(server(BARE, dict(os.environ)))
        asyncio.run(
            measure(
                Walls(live, screens),
                Wall("bare fan-out, heard", alone, "/"),
                Commits(address, found.redis_url),
                screens=asked.screens,
                rounds=asked.rounds,
            )
        )


if __name__ == "__main__":
    main()
