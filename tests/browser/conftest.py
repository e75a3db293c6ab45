"""A real server in a process of its own, a real Chromium, and the hospital of the screen tests."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from accounts.roles import Role
from live import shared
from tests.live.conftest import own_redis as own_redis
from tests.screens.hospital import Hospital, build, signed_in, user

BASE = Path(__file__).resolve().parents[2]

# A busy machine is slow, not wrong: only what is promised within a time is tested within it.
expect.set_options(timeout=20_000)


class Server:
    """Flowboard's web process, to be started, frozen and killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "flowboard.asgi:application"]
        options = ["--port", str(self._port), "--log-level", "warning", "--no-access-log"]
        self._process = subprocess.Popen(
            command + options,
            cwd=BASE,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                with urlopen(f"{self.address}/health/live", timeout=1):
                    return
            except (URLError, TimeoutError, ConnectionError):
                assert self._process.poll() is None, "the server ended at its start"
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.05)

    def kill(self) -> None:
        """At once, as when the power goes."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It holds its lines and says nothing, as when a cable is cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def hospital(transactional_db: None) -> Hospital:
    """Two wards of six beds, four of them taken on the first."""
    shared.forget()
    made = build()
    made.fill(made.wards[0], 4)
    return made


@pytest.fixture(scope="session")
def _servers() -> Iterator[list[Server]]:
    """The one server that the tests share; it holds nothing between them."""
    started: list[Server] = []
    yield started
    for one in started:
        one.kill()


@pytest.fixture
def server(hospital: Hospital, child_environment: dict[str, str], _servers: list[Server]) -> Server:
    if not _servers:
        _servers.append(Server(child_environment))
    if not _servers[0].runs:
        _servers[0].start()
    return _servers[0]


@pytest.fixture
def manager(hospital: Hospital) -> User:
    return user("manager", Role.SITE_MANAGER, everywhere=True)


@pytest.fixture
def nurse(hospital: Hospital) -> User:
    return user("nurse", Role.WARD_NURSE, ward=hospital.wards[0])


@pytest.fixture
def observer(hospital: Hospital) -> User:
    return user("observer", Role.OBSERVER, everywhere=True)


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, server: Server) -> Iterator[Opens]:
    """Opens a page in a browser of its own: `opens(person, "/wards/…", dark=True)`.

    The browser must find nothing to complain of: an error in a script fails the test.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(
        person: User | None,
        address: str,
        *,
        size: str = "1366x768",
        dark: bool = False,
        at: str = server.address,
    ) -> Page:
        width, height = map(int, size.split("x"))
        context = browser.new_context(
            base_url=at,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            timezone_id="Europe/London",
            locale="en-GB",
        )
        contexts.append(context)
        if person is not None:
            client: Client = signed_in(person)
            name = settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": at}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    until_quiet()
    assert errors == []


def until_quiet(within: float = 5.0) -> None:
    """Wait until the server has finished what the pages had still asked for: the database is
    about to be emptied, and must not wait for a request that waits for it."""
    quiet, until = 0, time.monotonic() + within
    while quiet < 3 and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            [(busy,)] = cursor.fetchall()
        quiet = 0 if busy else quiet + 1
        time.sleep(0.05)
