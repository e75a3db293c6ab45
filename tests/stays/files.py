"""Small files of stays, and loading them as an operator does."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from patients.models import Episode
from wards.models import Occupancy

COLUMNS = (
    "episode", "patient", "site", "ward", "specialty", "sex", "age", "admission_method",
    "start", "end", "last",
)  # fmt: skip


def row(**said: object) -> dict[str, str]:
    """A row; what is not given is as usual."""
    usual = {
        "episode": "E1",
        "patient": "P1",
        "site": "WLD",
        "ward": "W1",
        "specialty": "300",
        "sex": "F",
        "age": "78",
        "admission_method": "21",
        "start": "2025-03-01T08:00Z",
        "end": "2025-03-04T10:00Z",
        "last": "1",
    }
    return usual | {name: str(value) for name, value in said.items()}


def text(*rows: Mapping[str, str], separator: str = ",") -> str:
    """A file of these rows."""
    columns = list(dict.fromkeys([*COLUMNS, *(name for one in rows for name in one)]))
    out = StringIO()
    writer = csv.DictWriter(out, columns, delimiter=separator, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass
class Told:
    """What the command told: the JSON document, what stands beside it, the error if any."""

    document: dict[str, Any] = field(default_factory=dict)
    beside: str = ""
    error: str = ""

    @property
    def episodes(self) -> dict[str, int]:
        found: dict[str, int] = self.document["episodes"]
        return found

    @property
    def reasons(self) -> list[tuple[str, list[int]]]:
        return [(one["reason"], one["lines"]) for one in self.document["refused"]]


def load(path: Path, *options: str) -> Told:
    """Run the command on a file."""
    out, err = StringIO(), StringIO()
    told = Told()
    try:
        call_command("import_stays", str(path), "--json", *options, stdout=out, stderr=err)
    except CommandError as error:
        told.error = str(error)
    told.document = json.loads(out.getvalue()) if out.getvalue() else {}
    told.beside = err.getvalue()
    return told


def rejected(path: Path) -> list[dict[str, str]]:
    """The refused rows of a file."""
    with path.with_name(f"{path.name}.rejected.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A time in March 2025, UTC."""
    return datetime(2025, 3, day, hour, minute, tzinfo=UTC)


def way(number: str = "E1") -> list[tuple[str, datetime, datetime | None]]:
    """Where the patient of an episode was: ward, from, until."""
    rows = Occupancy.objects.filter(episode__visit__number=number).select_related("ward")
    return [
        (one.ward.code, one.period.lower, one.period.upper)
        for one in sorted(rows, key=lambda o: o.period.lower)
    ]


def episode(number: str = "E1") -> Episode:
    return Episode.objects.select_related("patient", "visit").get(visit__number=number)


def written(folder: Path, *rows: Mapping[str, str], name: str = "stays.csv") -> Path:
    """A file of these rows."""
    path = folder / name
    path.write_text(text(*rows), encoding="utf-8")
    return path


def numbers(found: Iterable[Episode]) -> list[str]:
    return sorted(one.visit.number for one in found)
