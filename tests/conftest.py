"""What every test stands on: a real PostgreSQL and a real Redis, named by DATABASE_URL and
REDIS_URL or else the embedded ones.

The Redis database that the tests use is emptied after each test, so with a REDIS_URL of yours
name a database that holds nothing dear. Side by side, each worker has its own.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import hypothesis
import pytest
import redis
from django.conf import settings
from django.db import connection

from flowboard import embedded
from flowboard.environment import broker_url
from flowboard.settings import ENV
from huddles import names
from tests import emptying

WORKER: Final = os.environ.get("PYTEST_XDIST_WORKER", "")
# Far apart first, so that few workers leave the neighbouring numbers to others.
NUMBERS: Final = (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)
EMBEDDED_BASE: Final = 32  # a demo on the same servers uses number 0

# How long an example takes says more of who else uses the machine than of the code.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def _redis_of_this_worker(url: str) -> str:
    """`url` with the number of the database that this worker has to itself."""
    parts = urlsplit(url)
    offset = NUMBERS[int(WORKER.removeprefix("gw"))] if WORKER else 0
    if ENV.embedded:
        return f"unix://{parts.path}?db={EMBEDDED_BASE + offset}"
    in_query = dict(parse_qsl(parts.query)).get("db")
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={(int(in_query or 0) + offset) % len(NUMBERS)}"
    number = (int(in_query or parts.path.strip("/") or 0) + offset) % len(NUMBERS)
    return f"{parts.scheme}://{parts.netloc}/{number}"


def _prepare() -> None:
    if ENV.production:
        pytest.exit("SECRET_KEY and ALLOWED_HOSTS are set: this is production, no place to test.")
    if ENV.embedded:
        try:
            embedded.join(ENV.home)  # until this process ends
        except embedded.CannotStart as error:
            pytest.exit(str(error))
    settings.REDIS_URL = settings.CACHES["default"]["LOCATION"] = _redis_of_this_worker(
        ENV.redis_url
    )
    settings.CELERY_BROKER_URL = broker_url(settings.REDIS_URL)
    # Nothing a test writes must outlive a power cut.
    options = settings.DATABASES["default"]["OPTIONS"]
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    emptying.install()


_prepare()


@pytest.fixture(scope="session")
def _redis_of_the_tests() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(_redis_of_the_tests: redis.Redis) -> Iterator[None]:
    """Leave nothing in Redis for the next test."""
    yield
    _redis_of_the_tests.flushdb()


@pytest.fixture(autouse=True)
def _no_names_known() -> None:
    """The names that a process keeps are of another test's people."""
    names.forget()


@pytest.fixture
def child_environment(transactional_db: None) -> dict[str, str]:
    """The environment for a program that a test starts over the test's own database and Redis.

    The program sees what the test has committed, hence `transactional_db`.
    """
    parts = dict(ENV.database) | {"dbname": str(connection.settings_dict["NAME"])}
    place = {name: parts.pop(name) for name in tuple(parts) if name != "dbname"}
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql:///{parts['dbname']}?{urlencode(place)}",
        "REDIS_URL": settings.REDIS_URL,
    }


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that CHROMIUM names, or the machine's own, without calls home."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None or not shutil.which(program):
        pytest.skip("no Chromium: run `make chromium` and name it in CHROMIUM")
    # From here on Playwright's event loop runs in this thread, beside which Django's rows are
    # read; it runs until the worker ends, which is why browser tests come last.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    quiet = ("background-networking", "component-update", "sync")
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
    arguments += [f"--disable-{chatter}" for chatter in quiet]
    return {**browser_type_launch_args, "executable_path": program, "args": arguments}


@pytest.hookimpl(trylast=True)  # pytest-django and pytest itself put tests in order too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests after all others."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the collector need not look at it again and again,
    which took a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Reporting:
    """In CI a skipped test has failed: a machine that cannot run one must say so."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI. {reason}"
    return report
