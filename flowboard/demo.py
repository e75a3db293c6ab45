"""What `manage.py demo` prepares: places, people who may sign in, and weeks of history.

Everything here may be run again at any time; what is there already is left as it is. The demo
knows the simulated hospitals as any installation would: from a file of places and from messages.
"""

from __future__ import annotations

import errno
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from accounts.models import ApiToken, Organisation, User
from accounts.roles import Role
from accounts.tokens import TokenScope, issue
from flow.census import refresh
from flowboard.supervise import Program
from wards.grants import set_grant
from wards.models import Movement, Ward
from wards.place_loading import load_places
from wards.place_plan import Since

BASE: Final = Path(__file__).resolve().parent.parent
PLACES: Final = BASE / "simulation" / "northmoor.yaml"
SYSTEM: Final = "QNM"  # the organisation above all others in the file of places
NURSES_WARD: Final = "NGH-W12"
TOKEN_NAME: Final = "demo"  # noqa: S105 (a name, no secret)

Say = Callable[[str], None]


class CannotShow(Exception):
    """The demo cannot run; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What people and programs sign in with, drawn once for each home."""

    site_manager: str
    ward_nurse: str
    administrator: str
    api_token: str = ""


def check_ports(*ports: tuple[str, int]) -> None:
    """Raises CannotShow if one of the named ports of this machine is taken."""
    taken = []
    for name, port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno == errno.EACCES:
                    taken.append(f"Port {port} may not be used by this account; set {name}.")
                else:
                    taken.append(
                        f"Port {port} is in use. Stop what uses it (another demo?) or choose "
                        f"another: {name}={port + 1} make demo"
                    )
    if taken:
        raise CannotShow("\n".join(taken))


def _keep(path: Path, found: Secrets) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(found), indent=1))
    draft.replace(path)


def _recall(path: Path) -> Secrets:
    names = [field.name for field in fields(Secrets)]
    try:
        kept = json.loads(path.read_text())
        return Secrets(**{name: str(kept[name]) for name in names})
    except (OSError, ValueError, KeyError, TypeError):
        return Secrets(*(secrets.token_urlsafe(9) for _ in range(3)))


def _person(username: str, first: str, last: str, password: str) -> User:
    user, _ = User.objects.get_or_create(
        username=username, defaults={"first_name": first, "last_name": last}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


@transaction.atomic
def make_accounts(home: Path) -> Secrets:
    """The demo's people and token, with what they sign in with; made or put right as needed."""
    path = home / "demo.json"
    found = _recall(path)
    manager = _person("site.manager", "Sam", "Okafor", found.site_manager)
    nurse = _person("ward.nurse", "Robin", "Hale", found.ward_nurse)
    administrator = _person("administrator", "Alex", "Moreno", found.administrator)
    reader, new = User.objects.get_or_create(username="demo.reader")
    if new:
        reader.set_unusable_password()
        reader.save(update_fields=["password"])
    system = Organisation.objects.get(code=SYSTEM)
    set_grant(user=manager, role=Role.SITE_MANAGER, organisation=system, by=None)
    set_grant(user=nurse, role=Role.WARD_NURSE, ward=Ward.objects.get(code=NURSES_WARD), by=None)
    set_grant(user=administrator, role=Role.ADMINISTRATOR, everywhere=True, by=None)
    # Seeing patients takes a role that may also move them; the token's scopes only let it read.
    set_grant(user=reader, role=Role.BED_MANAGER, everywhere=True, by=None)
    found = _with_token(found, reader)
    _keep(path, found)
    return found


def _with_token(found: Secrets, reader: User) -> Secrets:
    """`found` with a token that works: the one kept, or a new one."""
    tokens = ApiToken.objects.filter(user=reader, name=TOKEN_NAME, revoked_at=None)
    if found.api_token and tokens.filter(prefix=found.api_token[:12]).exists():
        return found
    scopes = [scope for scope in TokenScope if scope.endswith(":read")]
    _, secret = issue(reader, TOKEN_NAME, scopes, None)
    return Secrets(found.site_manager, found.ward_nurse, found.administrator, secret)


def _identity() -> str:
    """What tells this database from every other, so that a mark left by one is not read for two."""
    first = MigrationRecorder.Migration.objects.aggregate(applied=Min("applied"))["applied"]
    return f"{connection.settings_dict['NAME']} of {first.isoformat()}"


def load_history(folder: Path, state: Path, environment: Mapping[str, str], say: Say) -> None:
    """Let the simulated hospitals have lived for weeks, once for each database.

    A load cut short is taken up again: the same messages are known and change nothing twice.
    """
    mark = folder / "loaded"
    identity = _identity()
    if mark.exists() and mark.read_text() == identity and Movement.objects.exists():
        return
    mark.unlink(missing_ok=True)
    messages = folder / "messages"
    if not (folder / "written").exists():
        messages.mkdir(parents=True, exist_ok=True)
        say("inventing weeks of history …")
        _run(
            "simulation", "history", "--out", str(messages), "--state", str(state),
            environment=environment,
        )  # fmt: skip
        (folder / "written").touch()
    say("receiving them as HL7 messages …")
    _run_manage("receive_hl7", "--file", str(messages), environment=environment)
    mark.write_text(identity)


def _run(module: str, *arguments: str, environment: Mapping[str, str]) -> None:
    _checked([sys.executable, "-m", module, *arguments], environment)


def _run_manage(*arguments: str, environment: Mapping[str, str]) -> None:
    _checked([sys.executable, "manage.py", *arguments], environment)


def _checked(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=BASE, env=dict(environment), check=False)
    if done.returncode:
        raise CannotShow(f"`{' '.join(command[1:])}` ended with status {done.returncode}.")


def load_simulated_places(at: datetime) -> None:
    """The simulated system's organisations, wards and beds, as if they had always been."""
    load_places(PLACES, at=at, since=Since(None))


def count(at: datetime) -> None:
    """Make the first figures, so that no page begins empty."""
    refresh(at=at)


def programs(*, bind: str, port: int, mllp_port: int, home: Path, state: Path) -> list[Program]:
    """What a running demo consists of."""
    python = sys.executable
    return [
        Program(
            "web",
            (
                python, "-m", "uvicorn", "flowboard.asgi:application", "--host", bind,
                "--port", str(port), "--no-access-log", "--no-server-header",
                "--timeout-graceful-shutdown", "2", "--log-level", "warning",
            ),
        ),
        Program(
            "worker",
            (
                python, "-m", "celery", "--app", "flowboard.celery", "--quiet", "worker",
                "--beat", "--schedule", str(home / "celery-schedule"), "--pool", "threads",
                "--concurrency", "2", "--without-gossip", "--without-mingle",
            ),
        ),
        Program(
            "listener",
            (python, "manage.py", "receive_hl7", "--listen", f"{bind}:{mllp_port}"),
        ),
        Program(
            "simulator",
            (
                python, "-m", "simulation", "live", "--to", f"127.0.0.1:{mllp_port}",
                "--state", str(state),
            ),
        ),
    ]  # fmt: skip
