"""How many messages a second Flowboard takes through MLLP until they are committed and projected,
against a bare loop that parses with the same library and commits the same rows.

    python -m bench.mllp [--messages 4000] [--connections 8] [--rounds 3]

Each round makes databases of its own. First the messages go through the real listener; the time
runs from the first byte until the last message is applied. Then every row that this left in any
table, audit history included, is written again by a loop that does nothing else: it parses a
message with python-hl7, inserts its share of the rows and commits, with triggers and foreign
keys turned off. That loop runs twice: with one commit a message, and with one commit for as
many messages as Flowboard's applier takes at once.
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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import hl7
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from bench.mllp_history import history, places
from flowboard.start import BASE, prepare

LOADED: Final = "flowboard_bench_mllp_loaded"
OURS: Final = "flowboard_bench_mllp"
BARE: Final = "flowboard_bench_mllp_bare"
WARM_UP: Final = 300
TOGETHER: Final = 200  # messages that the applier takes at once when they trickle in
WINDOW: Final = 20  # messages that a sender has on the way

Row = tuple[str, tuple[Any, ...]]


class Databases:
    """Databases on the server that DATABASE_URL names, made from one that is loaded once."""

    def __init__(self, parts: dict[str, str]) -> None:
        self._parts = parts
        self._admin = psycopg.connect(**parts, autocommit=True)  # type: ignore[arg-type]

    def make(self, name: str, template: str | None = None) -> None:
        """An empty database, or a copy."""
        self.drop(name)
        wanted = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            wanted += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._admin.execute(wanted)

    def drop(self, name: str) -> None:
        """Away with it, whoever is connected."""
        self._admin.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def address(self, name: str) -> str:
        """As DATABASE_URL takes it."""
        place = {key: value for key, value in self._parts.items() if key != "dbname"}
        return f"postgresql:///{name}?{urlencode(place)}"

    def connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A plain connection."""
        return psycopg.connect(**{**self._parts, "dbname": name})  # type: ignore[arg-type]

    def close(self) -> None:
        """Leave nothing behind."""
        for name in (OURS, BARE, LOADED):
            self.drop(name)
        self._admin.close()


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run one management command."""
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def listener(environment: dict[str, str]) -> Iterator[int]:
    """The real program, until the block ends; its port."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "receive_hl7", "--listen", "127.0.0.1:0"],
        cwd=BASE,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait(60)


def send(port: int, messages: Sequence[bytes]) -> None:
    """One sender: a few messages on the way, every answer awaited."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        for start in range(0, len(messages), WINDOW):
            part = messages[start : start + WINDOW]
            wire.sendall(b"".join(b"\x0b" + message + b"\x1c\r" for message in part))
            answered = b""
            while answered.count(b"\x1c\r") < len(part):
                answered += wire.recv(1 << 16)
            assert answered.count(b"MSA|AA") == len(part), answered


def through_the_wire(port: int, messages: Sequence[bytes], connections: int) -> None:
    """All messages by several senders, each with its own patients in their order."""
    senders = [
        threading.Thread(target=send, args=(port, messages[n::connections]))
        for n in range(connections)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def ours(
    databases: Databases, environment: dict[str, str], messages: Sequence[bytes], connections: int
) -> tuple[float, list[list[Row]]]:
    """Messages a second until committed and projected, and the rows that came of each."""
    with databases.connect(OURS) as database, listener(environment) as port:
        database.autocommit = True

        def wait() -> None:
            while database.execute(
                "SELECT 1 FROM interop_message WHERE status = 'received' LIMIT 1"
            ).fetchone():
                time.sleep(0.01)

        through_the_wire(port, messages[:WARM_UP], connections)
        wait()
        before = marks_of(database)
        timed = messages[WARM_UP:]
        started = time.perf_counter()
        through_the_wire(port, timed, connections)
        wait()
        took = time.perf_counter() - started
        ends = dict(database.execute("SELECT status, count(*) FROM interop_message GROUP BY 1"))
        assert set(ends) <= {"applied", "duplicate"}, ends
        return len(timed) / took, _shares(rows_since(database, before), len(timed))


def _tables(database: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str]:
    """Every table of Flowboard's own with a counted key: its name and its key."""
    rows = database.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name IN ('id', 'pgh_id')"
        "   AND table_name ~ '^(interop|patients|wards|flow)_' ORDER BY column_name DESC"
    )
    return {str(table): str(column) for table, column in rows}


def marks_of(database: psycopg.Connection[tuple[Any, ...]]) -> dict[str, int]:
    """How far the keys of each table have come."""
    marks: dict[str, int] = {}
    for table, key in _tables(database).items():
        query = sql.SQL("SELECT coalesce(max({}), 0) FROM {}").format(
            sql.Identifier(key), sql.Identifier(table)
        )
        found = database.execute(query).fetchone()
        marks[table] = int(found[0]) if found and isinstance(found[0], int) else 0
    return marks


def rows_since(
    database: psycopg.Connection[tuple[Any, ...]], marks: dict[str, int]
) -> dict[str, list[tuple[Any, ...]]]:
    """What was added to each table, in the order in which it was added."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for table, key in _tables(database).items():
        query = sql.SQL("SELECT * FROM {} WHERE {} > %s ORDER BY {}").format(
            sql.Identifier(table), sql.Identifier(key), sql.Identifier(key)
        )
        found = database.execute(query, [marks[table]]).fetchall()
        if found:
            rows[table] = found
    return rows


def _shares(rows: dict[str, list[tuple[Any, ...]]], messages: int) -> list[list[Row]]:
    """The rows dealt out to the messages, as evenly as they came."""
    shares: list[list[Row]] = [[] for _ in range(messages)]
    for table, found in rows.items():
        for number, row in enumerate(found):
            shares[number * messages // len(found)].append((table, row))
    return shares


def bare(
    databases: Databases, messages: Sequence[bytes], shares: list[list[Row]], together: int
) -> float:
    """Messages a second of the loop that parses and inserts and does nothing else."""
    with databases.connect(BARE) as database:
        database.execute("SET session_replication_role = replica")
        statements: dict[str, sql.Composed] = defaultdict()
        for table, row in (each for share in shares for each in share):
            if table not in statements:
                statements[table] = sql.SQL("INSERT INTO {} VALUES ({})").format(
                    sql.Identifier(table), sql.SQL(", ").join([sql.Placeholder()] * len(row))
                )
        written = [[(statements[t], storable(row)) for t, row in share] for share in shares]
        database.commit()
        started = time.perf_counter()
        with database.cursor() as cursor:
            for number, (message, share) in enumerate(zip(messages, written, strict=True), 1):
                hl7.parse(message.decode())
                for statement, values in share:
                    cursor.execute(statement, values)
                if number % together == 0:
                    database.commit()
            database.commit()
        return len(messages) / (time.perf_counter() - started)


def storable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row as it may be inserted again."""
    return tuple(Jsonb(v) if isinstance(v, dict) else v for v in row)


def main() -> None:
    """Measure in rounds, print the middle, leave nothing behind."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--messages", type=int, default=4000)
    reader.add_argument("--connections", type=int, default=8)
    reader.add_argument("--rounds", type=int, default=3)
    asked = reader.parse_args()
    found = prepare()
    databases = Databases(dict(found.database))
    environment = {**os.environ, "REDIS_URL": found.redis_url, "LOG_LEVEL": "WARNING"}
    try:
        databases.make(LOADED)
        _load({**environment, "DATABASE_URL": databases.address(LOADED)})
        rates: dict[str, list[float]] = {"ours": [], "each": [], "many": []}
        for number in range(asked.rounds):
            messages = history(asked.messages + WARM_UP, seed=number + 1)
            databases.make(OURS, LOADED)
            here = {**environment, "DATABASE_URL": databases.address(OURS)}
            rate, shares = ours(databases, here, messages, asked.connections)
            rates["ours"].append(rate)
            for name, together in (("each", 1), ("many", TOGETHER)):
                databases.make(BARE, LOADED)
                rates[name].append(bare(databases, messages[WARM_UP:], shares, together))
            rows = sum(len(share) for share in shares) / len(shares)
    finally:
        databases.close()
    print(f"{asked.messages} messages, {asked.connections} senders, {rows:.1f} rows a message")
    print(f"  {'through MLLP until projected':<44}{statistics.median(rates['ours']):>8.0f}/s")
    for name, what in (
        ("each", "bare loop, a commit each"),
        ("many", f"bare loop, a commit for {TOGETHER}"),
    ):
        ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates[name], strict=True))
        print(f"  {what:<44}{statistics.median(rates[name]):>8.0f}/s   ratio {ratio:.2f}")


def _load(environment: dict[str, str]) -> None:
    manage(environment, "migrate", "--skip-checks")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(places())
        file.flush()
        manage(environment, "load_places", str(Path(file.name)))


if __name__ == "__main__":
    main()
