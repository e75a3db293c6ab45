"""Everything that differs between installations, read once from the environment.

`read` checks all of it before anything starts and reports every mistake at once, in words that
say what to do. It knows nothing of Django, so that programs which must not load Django (the
keeper of the embedded servers) can use it.

Two pairs belong together:

- `DATABASE_URL` and `REDIS_URL`: both, and Flowboard uses those servers; neither, and it runs a
  PostgreSQL and a Redis of its own in `FLOWBOARD_HOME`.
- `SECRET_KEY` and `ALLOWED_HOSTS`: both, and this is a production installation, which needs its
  own servers too; neither, and Flowboard answers to this machine alone, with a key that it draws
  itself and keeps in `FLOWBOARD_HOME`.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from flowboard import embedded
from wards import shifts

LogFormat = Literal["json", "text"]
HL7Strangers = Literal["accept", "refuse"]
T = TypeVar("T")

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
SHORTEST_KEY: Final = 50  # as Django advises
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off", ""})
# Names with our prefix that are not settings; any other unknown one is a slip of the pen.
_KNOWN: Final = frozenset({"FLOWBOARD_HOME"})


# From when on a flow counts as stuck; `flow.stuck.Limits` says what each means.
_STUCK: Final = {
    "least": 3,
    "work_days": 2,
    "emergency_hours": 12,
    "hospital_hours": 24,
    "home_hours": 48,
    "care_hours": 72,
}


class Misconfigured(Exception):
    """The environment is half-set or wrong. `mistakes` lists everything that is."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        lines = "\n".join(f"  - {mistake}" for mistake in mistakes)
        super().__init__(f"Flowboard cannot start with these settings:\n{lines}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Where e-mail goes: to a server, or as files into a `folder`, to be looked at."""

    folder: str = ""
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the environment says, checked and typed."""

    home: Path
    embedded: bool
    production: bool
    debug: bool
    secret_key: str = field(repr=False)
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    https: bool
    database_url: str = field(repr=False)
    # The parts of database_url, by libpq's names.
    database: Mapping[str, str] = field(repr=False)
    redis_url: str = field(repr=False)
    time_zone: str
    bind: str
    port: int
    mllp_port: int
    web_threads: int
    session_idle_minutes: int
    misfits_an_hour: int
    hl7_strangers: HL7Strangers
    stuck_limits: Mapping[str, int]
    shifts: shifts.Pattern
    mail: Mail | None
    mail_from: str
    public_address: str
    log_format: LogFormat
    log_level: str
    static_root: Path


class _Reader:
    """Reads one variable after the other and gathers what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.mistakes: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, "").strip() or default

    def parsed(self, name: str, default: str, parse: Callable[[str], T], fallback: T) -> T:
        """`parse` of the variable; its ValueError becomes a mistake that names the variable."""
        try:
            return parse(self.text(name, default))
        except ValueError as error:
            self.mistakes.append(f"{name} {error}")
            return fallback

    def flag(self, name: str, *, default: bool = False) -> bool:
        def parse(text: str) -> bool:
            if text.lower() in _YES | _NO:
                return text.lower() in _YES
            raise ValueError(f"is '{text}'; write 1 or 0.")

        return self.parsed(name, "1" if default else "0", parse, default)

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        def parse(text: str) -> int:
            if text.isdecimal() and lowest <= int(text) <= highest:
                return int(text)
            raise ValueError(f"is '{text}'; it must be a whole number from {lowest} to {highest}.")

        return self.parsed(name, str(default), parse, default)

    def items(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())


def _database(url: str) -> dict[str, str]:
    # The message never repeats the address: it may hold a password.
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ValueError("must begin with postgresql:// (Flowboard runs on PostgreSQL alone).")
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise ValueError(
            "is not an address of PostgreSQL; write postgresql://user:password@host:5432/name."
        ) from None
    if not parts.get("dbname"):
        raise ValueError("names no database; write postgresql://user:password@host:5432/name.")
    return {name: str(value) for name, value in parts.items() if value is not None}


def _redis(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://.")
    if not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError("names no server; write redis://host:6379/0 or unix:///path/of.sock.")
    return url


def _mail(url: str) -> Mail | None:
    # The message never repeats the address: it may hold a password.
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/"):
        return Mail(folder=parts.path)
    # Checked on from here: smtp is plain, smtp+tls begins plain and turns to TLS, smtps is TLS.
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ValueError(
            "must be smtp+tls://user:password@host:587, smtps://…, smtp://… or file:///folder."
        )
    return Mail(
        host=parts.hostname,
        port=parts.port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )


def _public(address: str) -> str:
    parts = urlsplit(address)
    if address and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError(f"is '{address}'; write it as https://name.")
    return address.rstrip("/")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"is '{name}', which is no time zone; write Europe/London.") from None
    return name


def _log_format(text: str) -> LogFormat:
    if text == "json":
        return "json"
    if text == "text":
        return "text"
    raise ValueError(f"is '{text}'; write json or text.")


def _strangers(text: str) -> HL7Strangers:
    if text == "accept":
        return "accept"
    if text == "refuse":
        return "refuse"
    raise ValueError(f"is '{text}'; write accept or refuse.")


def _log_level(text: str) -> str:
    if text.upper() in logging.getLevelNamesMapping():
        return text.upper()
    raise ValueError(f"is '{text}'; write DEBUG, INFO, WARNING or ERROR.")


def _pairs(reader: _Reader, debug: bool) -> tuple[bool, bool]:
    """Whether the servers are embedded and whether this is production; half pairs are mistakes."""
    database, redis, key, hosts = (
        bool(reader.text(name))
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS")
    )
    production = key and hosts
    if database != redis:
        given, missing = ("DATABASE_URL", "REDIS_URL")[:: 1 if database else -1]
        reader.mistakes.append(
            f"{given} is set but {missing} is not. Set both to use your own servers, "
            "or neither to let Flowboard run its own."
        )
    if key != hosts:
        given, missing = ("SECRET_KEY", "ALLOWED_HOSTS")[:: 1 if key else -1]
        reader.mistakes.append(
            f"{given} is set but {missing} is not. A production installation needs both: a long "
            "random SECRET_KEY, and in ALLOWED_HOSTS the names people type to reach it."
        )
    if production and not (database and redis):
        reader.mistakes.append(
            "SECRET_KEY and ALLOWED_HOSTS make this a production installation, which needs its "
            "own servers: set DATABASE_URL and REDIS_URL."
        )
    if production and debug:
        reader.mistakes.append("DEBUG is on in production, where it would show data to strangers.")
    return not (database or redis), production


def _check_key(key: str) -> str:
    if key and (len(key) < SHORTEST_KEY or len(set(key)) < 8):
        raise ValueError(f"is too easily guessed; use at least {SHORTEST_KEY} random characters.")
    return key


def _check_origins(reader: _Reader) -> tuple[str, ...]:
    origins = reader.items("TRUSTED_ORIGINS")
    for origin in origins:
        if urlsplit(origin).scheme not in {"http", "https"}:
            reader.mistakes.append(f"TRUSTED_ORIGINS holds '{origin}'; write each as https://name.")
    return origins


def read(values: Mapping[str, str], *, base: Path) -> Environment:
    """The environment of an installation whose code lies in `base`.

    Raises Misconfigured with every mistake found.
    """
    reader = _Reader(values)
    debug = reader.flag("DEBUG")
    own_servers, production = _pairs(reader, debug)
    home = Path(reader.text("FLOWBOARD_HOME", str(base / ".flowboard"))).expanduser().absolute()
    addresses = embedded.addresses(home)
    database_default = addresses.database_url if own_servers else "postgresql:///unset"
    for name in sorted(values):
        if name.startswith("FLOWBOARD_") and name not in _KNOWN:
            reader.mistakes.append(f"{name} is not a setting of Flowboard; check its spelling.")
    key = reader.parsed("SECRET_KEY", "", _check_key, "")
    environment = Environment(
        home=home,
        embedded=own_servers,
        production=production,
        debug=debug,
        secret_key=key,
        allowed_hosts=reader.items("ALLOWED_HOSTS") or LOOPBACK,
        trusted_origins=_check_origins(reader),
        https=reader.flag("HTTPS", default=production),
        database_url=reader.text("DATABASE_URL", database_default),
        database=reader.parsed("DATABASE_URL", database_default, _database, {}),
        redis_url=reader.parsed("REDIS_URL", addresses.redis_url, _redis, ""),
        time_zone=reader.parsed("TIME_ZONE", "Europe/London", _zone, ""),
        bind=reader.text("BIND", "127.0.0.1"),
        port=reader.number("PORT", 8000, 1, 65535),
        mllp_port=reader.number("MLLP_PORT", 2575, 1, 65535),
        web_threads=reader.number("WEB_THREADS", 8, 1, 200),
        session_idle_minutes=reader.number("SESSION_IDLE_MINUTES", 30, 5, 720),
        misfits_an_hour=reader.number("MISFITS_AN_HOUR", 10, 1, 1000),
        hl7_strangers=reader.parsed("HL7_STRANGERS", "accept", _strangers, "accept"),
        stuck_limits={
            name: reader.number(f"STUCK_{name.upper()}", usual, 1, 1000)
            for name, usual in _STUCK.items()
        },
        shifts=reader.parsed("SHIFTS", shifts.USUAL, shifts.parse, ()),
        mail=reader.parsed("MAIL_URL", "", _mail, None),
        mail_from=reader.text("MAIL_FROM", "flowboard@localhost"),
        public_address=reader.parsed("PUBLIC_ADDRESS", "", _public, ""),
        log_format=reader.parsed("LOG_FORMAT", "json", _log_format, "json"),
        log_level=reader.parsed("LOG_LEVEL", "INFO", _log_level, "INFO"),
        static_root=Path(reader.text("STATIC_ROOT", str(base / "staticfiles"))).absolute(),
    )
    if environment.port == environment.mllp_port:
        reader.mistakes.append("PORT and MLLP_PORT are the same; give each its own.")
    if reader.mistakes:
        raise Misconfigured(reader.mistakes)
    return environment


def broker_url(redis_url: str) -> str:
    """`redis_url` as Celery wants it: kombu has a name of its own for a Unix socket."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def own_secret_key(home: Path) -> str:
    """The key that Flowboard drew for itself in `home`; drawn now if there is none yet.

    Written beside its place and linked into it, so that two programs starting at once agree.
    """
    path = home / "secret_key"
    if not path.exists():
        embedded.make_folder(home)
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=".secret_key-") as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            try:
                os.link(draft.name, path)
            except FileExistsError:
                pass
    return path.read_text()
