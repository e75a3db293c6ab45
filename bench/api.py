"""How much the API adds to a bare Django view that returns the same bytes.

    python -m bench.api [--seconds 3] [--rounds 5]

Makes a database of its own with 1,000 beds on forty wards and 1,000 more on a single ward,
serves the API and two bare views with the same uvicorn and the same ASGI application, asks both
in turns over kept-alive connections, and prints requests a second and their ratios. One bare
view stands behind the API's own middleware; the other stands in a Django without any.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from flowboard.start import BASE, prepare

DATABASE: Final = f"flowboard_bench_api_{os.getpid()}"
CONNECTIONS: Final = 8
OCCUPANCY: Final = "/api/v1/occupancy/"
BEDS: Final = "/api/v1/wards/BIG/beds/"


@dataclass(frozen=True)
class Target:
    """An address at a port, asked with these headers."""

    name: str
    port: int
    path: str
    headers: tuple[str, ...] = ()

    @property
    def request(self) -> bytes:
        lines = (f"GET {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *self.headers)
        return "\r\n".join((*lines, "", "")).encode()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)

    def ask(self, request: bytes) -> Answer:
        self._socket.sendall(request)
        got = 0
        while (end := self._buffer.find(b"\r\n\r\n", 0, got)) < 0:
            got += self._more(got)
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        whole = end + 4 + int(headers.get("content-length", "0"))
        if whole > len(self._buffer):
            self._buffer.extend(bytes(whole - len(self._buffer)))
        while got < whole:
            got += self._more(got)
        return Answer(int(first.split(" ")[1]), headers, bytes(self._buffer[end + 4 : whole]))

    def _more(self, got: int) -> int:
        count = self._socket.recv_into(memoryview(self._buffer)[got:])
        if not count:
            raise ConnectionError("the server hung up")
        return count

    def close(self) -> None:
        self._socket.close()


def rate(target: Target, seconds: float, status: int) -> float:
    """Requests a second over several connections at once; every answer must have `status`."""
    connections = [Connection(target.port) for _ in range(CONNECTIONS)]
    counts = [0] * CONNECTIONS
    wrong: list[int] = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        request, connection = target.request, connections[number]
        while time.perf_counter() < end and not wrong:
            answer = connection.ask(request)
            if answer.status != status:
                wrong.append(answer.status)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    for connection in connections:
        connection.close()
    if wrong:
        raise SystemExit(f"{target.name} answered {wrong[0]}, not {status}")
    return sum(counts) / took


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(application: str, environment: dict[str, str]) -> Iterator[int]:
    """uvicorn with one process, until the block ends; its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port)]
    command += ["--log-level", "warning", "--no-access-log", "--lifespan", "on"]
    command += ["--timeout-graceful-shutdown", "1"]
    process = subprocess.Popen(command, cwd=BASE, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{application} did not start") from None
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def database(parts: dict[str, str], *, called: str = DATABASE) -> Iterator[str]:
    """An empty database on the same server until the block ends; its address."""
    name = sql.Identifier(called)
    with psycopg.connect(**parts, autocommit=True) as admin:  # type: ignore[arg-type]
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        place = {key: value for key, value in parts.items() if key != "dbname"}
        try:
            yield f"postgresql:///{called}?{urlencode(place)}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def compare(what: str, targets: list[Target], *, seconds: float, rounds: int, status: int) -> None:
    """Ask the targets in turns; print the middle of their rates and what the first is of each."""
    rates: dict[str, list[float]] = {target.name: [] for target in targets}
    for target in targets:
        rate(target, 0.5, status)  # what happens once happens now
    for _ in range(rounds):
        for target in targets:
            rates[target.name].append(rate(target, seconds, status))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    ours, *bare = targets
    print(f"{what}")
    print(f"  {ours.name:<44}{middle[ours.name]:>8.0f}/s")
    for target in bare:
        ratio = statistics.median(
            a / b for a, b in zip(rates[ours.name], rates[target.name], strict=True)
        )
        print(f"  {target.name:<44}{middle[target.name]:>8.0f}/s   ratio {ratio:.2f}")


def main() -> None:
    """Set up, measure, print, take down."""
    reader = argparse.ArgumentParser(description=__doc__, add_help=True)
    reader.add_argument("--seconds", type=float, default=3.0)
    reader.add_argument("--rounds", type=int, default=5)
    asked = reader.parse_args()
    found = prepare()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(database(dict(found.database)))
        environment = {
            **os.environ,
            "DATABASE_URL": address,
            "REDIS_URL": found.redis_url,
            "LOG_LEVEL": "WARNING",
            "BENCH_ANSWERS": str(folder),
            "DJANGO_SETTINGS_MODULE": "bench.api_settings",
        }
        filled = subprocess.run(
            [sys.executable, "-m", "bench.api_filling"],
            cwd=BASE,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        token = filled.stdout.split()[-1]
        api = stack.enter_context(server("bench.api_served:application", environment))
        measure(asked, api, token, folder, environment, stack)


def measure(
    asked: argparse.Namespace,
    api: int,
    token: str,
    folder: Path,
    environment: dict[str, str],
    stack: ExitStack,
) -> None:
    """Take the API's answers, give them to the bare views, and compare."""
    bearer = f"Authorization: Bearer {token}"
    answers = {}
    for name, path in (("occupancy", OCCUPANCY), ("beds", BEDS)):
        connection = Connection(api)
        answers[name] = connection.ask(Target(name, api, path, (bearer,)).request)
        connection.close()
        assert answers[name].status == 200, answers[name]
        (folder / name).write_bytes(answers[name].body)
    alone = stack.enter_context(server("bench.bare_served:application", environment))
    for name, path in (("occupancy", OCCUPANCY), ("beds", BEDS)):
        body = answers[name].body
        same = f"/bare/{name}/"
        fresh = [
            Target("the API", api, path, (bearer,)),
            Target("bare view, same middleware", api, same),
            Target("bare view, no middleware", alone, same),
        ]
        compare(
            f"GET {path} ({len(body) / 1000:.0f} kB)",
            fresh,
            seconds=asked.seconds,
            rounds=asked.rounds,
            status=200,
        )
        # The tags that stand now: each server's own of the same bytes.
        known = []
        for target in fresh:
            connection = Connection(target.port)
            tag = connection.ask(target.request).headers["etag"]
            connection.close()
            known.append(
                Target(
                    target.name,
                    target.port,
                    target.path,
                    (*target.headers, f"If-None-Match: {tag}"),
                )
            )
        compare(
            f"GET {path} with If-None-Match",
            known,
            seconds=asked.seconds,
            rounds=asked.rounds,
            status=304,
        )


if __name__ == "__main__":
    main()
