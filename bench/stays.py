"""How many rows of history a second `import_stays` loads, against a bare loop that reads the same
file and inserts the same rows.

    python -m bench.stays [--beds 300] [--days 120] [--rounds 3]

Each round makes databases of its own. The command loads a world of its own seed; loading it again
is timed as well, when all of it is known. Then every row that this left in any table, audit history
included, is inserted again by a loop that reads the file with Python's csv and inserts a thousand
rows of a table at a time, with triggers and foreign keys turned off.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from psycopg import sql

from bench.mllp import BARE, LOADED, OURS, Databases, manage, marks_of, rows_since, storable
from bench.stays_world import write
from flowboard.start import prepare

TOGETHER = 1000
Rows = dict[str, list[tuple[Any, ...]]]


def ours(
    databases: Databases, environment: dict[str, str], file: Path
) -> tuple[float, float, Rows]:
    """Seconds to load the file, to load it again, and what came of it."""
    with databases.connect(OURS) as database:
        database.autocommit = True
        before = marks_of(database)
        took = []
        for _ in range(2):
            started = time.perf_counter()
            manage(environment, "import_stays", str(file))
            took.append(time.perf_counter() - started)
        return took[0], took[1], rows_since(database, before)


def bare(databases: Databases, file: Path, rows: Rows) -> float:
    """Seconds of the loop that reads and inserts and does nothing else."""
    with databases.connect(BARE) as database:
        database.execute("SET session_replication_role = replica")
        written = {table: [storable(row) for row in found] for table, found in rows.items()}
        database.commit()
        started = time.perf_counter()
        with file.open(newline="", encoding="utf-8") as text:
            assert sum(1 for _ in csv.reader(text)) > 1
        with database.cursor() as cursor:
            for table, found in written.items():
                statement = sql.SQL("INSERT INTO {} VALUES ({})").format(
                    sql.Identifier(table), sql.SQL(", ").join([sql.Placeholder()] * len(found[0]))
                )
                for start in range(0, len(found), TOGETHER):
                    cursor.executemany(statement, found[start : start + TOGETHER])
                    database.commit()
        return time.perf_counter() - started


def main() -> None:
    """Measure in rounds, print the middle, leave nothing behind."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--beds", type=int, default=300)
    reader.add_argument("--days", type=int, default=120)
    reader.add_argument("--rounds", type=int, default=3)
    asked = reader.parse_args()
    found = prepare()
    databases = Databases(dict(found.database))
    environment = {**os.environ, "REDIS_URL": found.redis_url, "LOG_LEVEL": "WARNING"}
    rates: dict[str, list[float]] = {"ours": [], "again": [], "bare": []}
    try:
        databases.make(LOADED)
        manage({**environment, "DATABASE_URL": databases.address(LOADED)}, "migrate")
        for number in range(asked.rounds):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "stays.csv"
                rows = write(file, beds=asked.beds, days=asked.days, seed=number + 1)
                databases.make(OURS, LOADED)
                here = {**environment, "DATABASE_URL": databases.address(OURS)}
                took, again, left = ours(databases, here, file)
                databases.make(BARE, LOADED)
                rates["ours"].append(rows / took)
                rates["again"].append(rows / again)
                rates["bare"].append(rows / bare(databases, file, left))
    finally:
        databases.close()
    kept = sum(map(len, left.values())) / rows
    ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates["bare"], strict=True))
    print(f"{rows} rows of a file, {kept:.1f} rows kept for each")
    print(f"  {'import_stays':<34}{statistics.median(rates['ours']):>8.0f}/s")
    print(f"  {'import_stays, all known':<34}{statistics.median(rates['again']):>8.0f}/s")
    print(f"  {'bare loop':<34}{statistics.median(rates['bare']):>8.0f}/s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
