"""An invented world of ward stays as a file, the same for the same seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
COLUMNS: Final = (
    "episode", "patient", "site", "ward", "specialty", "sex", "age", "admission_method", "start",
    "end", "last", "edd", "ctr_met", "pathway",
)  # fmt: skip
_BEDS_A_WARD: Final = 28
_MEAN_DAYS: Final = 4.5


def write(path: Path, *, beds: int, days: int, seed: int) -> int:
    """Write a hospital of about so many patients at a time; how many rows."""
    rows = list(_rows(beds, days, random.Random(seed)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def _rows(beds: int, days: int, chance: random.Random) -> Iterator[tuple[object, ...]]:
    wards = [f"W{number:02}" for number in range(max(3, beds // _BEDS_A_WARD))]
    until = BEGIN + timedelta(days=days)
    number, admitted = 0, BEGIN
    while True:
        admitted += timedelta(days=chance.expovariate(beds / _MEAN_DAYS))
        if admitted >= until:
            return
        number += 1
        left = admitted + timedelta(days=chance.lognormvariate(1.1, 0.9))
        ready = admitted + (left - admitted) * chance.uniform(0.5, 1)
        moves = sorted(chance.random() for _ in range(chance.choice((0, 0, 1, 1, 2, 3))))
        edges = [admitted, *(admitted + (left - admitted) * share for share in moves), left]
        said = (chance.choice(("300", "430", "100")), chance.choice("MF"), chance.randint(18, 99))
        method = chance.choice(("21", "21", "22", "11"))
        for place, (start, end) in enumerate(pairwise(edges)):
            if start >= until:
                break
            is_last = place == len(moves) and end <= until
            yield (
                f"E{number:07}", f"P{number:07}", "BEN", wards[(number + place) % len(wards)],
                *said, method, _time(start), _time(end) if end <= until else "", int(is_last),
                _time(left + timedelta(days=1)), _time(ready) if is_last else "",
                number % 4 if place == len(moves) else "",
            )  # fmt: skip


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
