"""A PostgreSQL and a Redis of Flowboard's own, for a machine that has none.

Both come as Python wheels. They listen on Unix sockets in a folder that only their account (and
root) may enter, so they need neither ports nor passwords. Everything lies in one *home*.

Who uses them is told by file locks, which the kernel drops however a program ends:

- every user holds a shared lock on `users`;
- the keeper (`flowboard.keeper`), a process apart, runs the servers and waits for an exclusive
  lock on `users`; it gets it when the last user has gone, stops the servers and ends;
- the keeper holds `keeper` while it runs, and whoever starts one holds `starting` meanwhile, so
  two programs that start at once agree on one keeper;
- the keeper holds `serving` until it is told to stop, so nobody counts on servers about to go.

PostgreSQL refuses to run as root. For root the servers run under a system account, and where
that account could not reach the home (a home under `/root`, say) their files lie in
`/var/lib/flowboard` instead; nobody's folder is opened to others for it.

Uses the standard library alone, so that settings can ask for the addresses without starting
anything.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import json
import os
import select
import shutil
import socket
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

DATABASE: Final = "flowboard"
SOCKET_NAME: Final = ".s.PGSQL.5432"
LONGEST_SOCKET: Final = 100  # bytes; the shortest limit among systems is 104 with its end mark
START_WITHIN: Final = 60.0  # seconds; the first start of a slow machine creates the database
SHARED: Final = Path("/var/lib/flowboard")
ASIDE: Final = "servers"  # the link in a home to its servers' files, where they lie elsewhere


class CannotStart(Exception):
    """The embedded servers cannot be had; the text says why and what to do."""


class InUse(Exception):
    """Somebody uses the servers of this home; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the embedded servers listen, whether they run or not."""

    database_url: str
    redis_url: str


def reachable(path: Path) -> bool:
    """Whether every account may pass through the existing folders above `path`."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents if parent.exists())


def servers_home(home: Path) -> Path:
    """Where the servers' files lie: in `home`, or aside when root's account cannot get there."""
    if (home / ASIDE).is_symlink():
        return (home / ASIDE).readlink()
    if os.geteuid() != 0 or (home / "postgresql").exists() or reachable(home):
        return home
    return SHARED / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def run_folder(home: Path) -> Path:
    """The folder of the sockets; a short one when the path would not fit into a socket's name."""
    folder = servers_home(home) / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_SOCKET:
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp") / f"flowboard-{os.geteuid()}-{digest}"  # noqa: S108 (owner is checked)


def addresses(home: Path) -> Addresses:
    """The addresses of the servers of `home`; the same before, while and after they run."""
    run = str(run_folder(home))
    return Addresses(
        database_url=f"postgresql:///{DATABASE}?host={quote(run, safe='')}&user={DATABASE}",
        redis_url=f"unix://{quote(run)}/redis.sock?db=0",
    )


def make_folder(folder: Path) -> None:
    """Create `folder` and its missing parents, passable for others whatever the umask."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


def open_lock(home: Path, name: str) -> int:
    """A descriptor of a lock file of `home`, not handed on to programs started from here."""
    return os.open(home / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock if that is possible at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Membership:
    """One program's use of the servers of `home`, until `leave` or the end of the program."""

    def __init__(self, home: Path, users: int) -> None:
        self.home = home
        self.addresses = addresses(home)
        self._users = users
        self._pid = os.getpid()
        atexit.register(self.leave)

    def leave(self) -> None:
        """Use the servers no longer; as their last user, wait until they have stopped."""
        if self._users < 0 or os.getpid() != self._pid:  # a forked child only shares its parent's
            return
        last = try_lock(self._users, fcntl.LOCK_EX)
        os.close(self._users)
        self._users = -1
        atexit.unregister(self.leave)
        if last:
            _wait_for_end(self.home)

    def __enter__(self) -> Membership:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()


def _wait_for_end(home: Path, within: float = 30.0) -> None:
    keeper = open_lock(home, "keeper")
    try:
        until = time.monotonic() + within
        while not try_lock(keeper, fcntl.LOCK_SH) and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        os.close(keeper)


def join(home: Path, *, durable: bool = True) -> Membership:
    """Use the servers of `home`, starting them if nobody has yet.

    `durable` False lets PostgreSQL skip waiting for the disk, for data nobody will miss.
    Raises CannotStart.
    """
    try:
        make_folder(home)
        users = open_lock(home, "users")
    except OSError as error:
        raise CannotStart(
            f"Flowboard's own servers need the folder {home} ({error.strerror}). Set "
            "FLOWBOARD_HOME to a folder you may write to, or DATABASE_URL and REDIS_URL to "
            "servers of yours."
        ) from error
    try:
        # Waits while a keeper that has just lost its last user is still stopping.
        fcntl.flock(users, fcntl.LOCK_SH)
        _ensure_keeper(home, durable=durable)
    except BaseException:
        os.close(users)
        raise
    return Membership(home, users)


def forget(home: Path) -> None:
    """Stop the servers of `home` and delete everything in it.

    Raises InUse while a program uses them, with nothing deleted.
    """
    if home.exists():
        _refuse_while_used(home)
    if (home / "keeper.lock").exists():
        with contextlib.suppress(CannotStart):
            join(home).leave()  # stops also what a killed keeper has left running
    aside, run = servers_home(home), run_folder(home)
    for folder in (home, aside, run):
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_while_used(home: Path) -> None:
    users, serving, demo = (open_lock(home, name) for name in ("users", "serving", "demo"))
    try:
        until = time.monotonic() + START_WITHIN
        patience = time.monotonic() + 1  # a keeper that is about to end holds them for a moment
        while not (try_lock(demo, fcntl.LOCK_EX) and try_lock(users, fcntl.LOCK_EX)):
            ending = try_lock(serving, fcntl.LOCK_SH)
            fcntl.flock(serving, fcntl.LOCK_UN)
            if time.monotonic() > (until if ending else patience):
                raise InUse(
                    f"The data in {home} are in use. Stop the demo and whatever else runs there, "
                    "then try again; nothing was deleted."
                )
            time.sleep(0.05)
    finally:
        for lock in (users, serving, demo):
            os.close(lock)


def _ensure_keeper(home: Path, *, durable: bool) -> None:
    starting = open_lock(home, "starting")
    keeper = open_lock(home, "keeper")
    serving = open_lock(home, "serving")
    sockets = [run_folder(home) / name for name in (SOCKET_NAME, "redis.sock")]
    try:
        fcntl.flock(starting, fcntl.LOCK_EX)
        until = time.monotonic() + START_WITHIN
        while True:
            if try_lock(keeper, fcntl.LOCK_SH):
                fcntl.flock(keeper, fcntl.LOCK_UN)
                _start_keeper(home, durable=durable)
                return
            # Its servers may be starting again after a fall, or it may be ending by order.
            if try_lock(serving, fcntl.LOCK_SH):
                fcntl.flock(serving, fcntl.LOCK_UN)
            elif all(map(listens, sockets)):
                return
            if time.monotonic() > until:
                raise CannotStart(
                    f"Flowboard's own servers run but do not answer; see {servers_home(home)}."
                )
            time.sleep(0.05)
    finally:
        os.close(serving)
        os.close(keeper)
        os.close(starting)


def _start_keeper(home: Path, *, durable: bool) -> None:
    options = [] if durable else ["--not-durable"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowboard.keeper", str(home), *options],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C in a terminal does not reach the servers
    )
    assert process.stdout is not None
    with process.stdout:
        ready, _, _ = select.select([process.stdout], [], [], START_WITHIN)
        line = process.stdout.readline() if ready else b""
    answer = json.loads(line) if line else {"error": "they did not answer in time"}
    if "error" in answer:
        process.terminate()
        process.wait()
        raise CannotStart(
            f"Flowboard's own servers did not start: {answer['error']}. Their logs are in "
            f"{servers_home(home)}. Set DATABASE_URL and REDIS_URL to use servers of yours."
        )
    # Its end is nobody's to wait for here; Popen must not complain of a process left running.
    process.returncode = 0


def listens(path: Path) -> bool:
    """Whether somebody answers at this Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
