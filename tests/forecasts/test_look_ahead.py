"""A file that tells another future tells the same past, bit for bit."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from django.core.management import call_command

from flow.forecasts.backtesting import replay
from flow.forecasts.clock import DAY, HOUR, moment_of
from flow.forecasts.hazards import Effort
from flow.forecasts.history import NOT_YET, Stays
from flow.forecasts.reading import read
from flow.forecasts.sampling import told_from
from flow.forecasts.training import train
from tests.forecasts.worlds import SPECIALTIES, START, Hospital
from wards.models import Site

pytestmark = pytest.mark.django_db

COLUMNS: Final = (
    "episode", "patient", "site", "ward", "specialty", "sex", "age", "admission_method",
    "start", "end", "last",
)  # fmt: skip
UNTIL: Final = START + 58 * DAY
ASKED: Final = [UNTIL + day * DAY + 8 * HOUR for day in range(3)]
CUT: Final = ASKED[-1]
Row = dict[str, str]


def rows(site: str) -> list[Row]:
    """Of an invented hospital: two wards for each specialty, of which most see the second."""
    hospital = Hospital(beds=60, days=66, seed=4)
    found = []
    for stay, (admitted, ended) in enumerate(zip(hospital.admitted, hospital.ended, strict=True)):
        moved = admitted + 20 * HOUR
        ends = [moved, ended] if ended > moved else [ended]
        begin = admitted
        for part, end in enumerate(ends):
            if begin >= hospital.until():
                break
            is_open = end >= hospital.until()
            found.append({
                "episode": f"E{stay}", "patient": f"P{stay}", "site": site,
                "ward": f"W{hospital.specialty[stay]}{part}",
                "specialty": SPECIALTIES[hospital.specialty[stay]],
                "sex": "F" if stay % 2 else "M", "age": str(int(hospital.age[stay])),
                "admission_method": "21", "start": written(begin),
                "end": "" if is_open or end == NOT_YET else written(end),
                "last": "1" if not is_open and part == len(ends) - 1 else "0",
            })  # fmt: skip
            begin = end
    return found


def written(minute: int) -> str:
    return moment_of(minute).isoformat()


def minute(row: Row, name: str) -> int:
    if not row[name]:
        return NOT_YET
    return int(datetime.fromisoformat(row[name]).astimezone(UTC).timestamp()) // 60


def with_another_future(told: list[Row]) -> list[Row]:
    """The same up to `CUT`. Whoever is there then goes to new wards day after day and stays; who
    came later never came; strangers with strange specialties come first in the file."""
    site = told[0]["site"]
    found = []
    for row in told:
        if minute(row, "start") > CUT:
            continue
        row = dict(row)
        if minute(row, "end") > CUT:
            row |= {"end": written(CUT + DAY), "last": "0"}
            found += [
                row | {
                    "ward": f"A{day}", "specialty": "003", "start": written(CUT + day * DAY),
                    "end": written(CUT + (day + 1) * DAY),
                }
                for day in range(1, 4)
            ]  # fmt: skip
        found.append(row)
    strangers = [
        {
            "episode": f"0{n}", "patient": f"0{n}", "site": site, "ward": "0A", "specialty": "001",
            "sex": "F", "age": "50", "admission_method": "11", "start": written(CUT + HOUR + n),
            "end": "", "last": "0",
        }
        for n in range(700)
    ]  # fmt: skip
    random.Random(5).shuffle(found)
    return strangers + found


def imported(told: Iterable[Row], folder: Path) -> Stays:
    told = list(told)
    file = folder / f"{told[0]['site']}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(told)
    call_command("import_stays", file)
    site = Site.objects.get(code=told[0]["site"])
    return read(site, since=moment_of(START), at=moment_of(CUT + 30 * DAY))


def said(history: Stays) -> list[tuple[dict[str, float], list[float]]]:
    """Of each morning the chance of each patient, and the number who leave."""
    since = told_from(history.known_by(UNTIL), until=UNTIL)
    effort = Effort(fits=1, moments=20_000, far_moments=10_000)
    trained = train(history, since=since, until=UNTIL, effort=effort)
    assert trained.trial is not None
    found = []
    for one in replay(trained, history, ASKED, span=DAY):
        names = [history.names[stay] for stay in one.stays]
        chances = one.chances["forecast"].tolist()
        found.append((dict(zip(names, chances, strict=True)), one.numbers["forecast"].tolist()))
    return found


def test_another_future_in_the_file_changes_no_forecast(tmp_path: Path) -> None:
    first, second = rows("S1"), with_another_future(rows("S2"))
    before, after = imported(first, tmp_path), imported(second, tmp_path)
    assert len(after.present(CUT + 5 * DAY)) > len(before.present(CUT + 5 * DAY)) + 500
    one, other = said(before), said(after)
    assert len(one[0][0]) > 20
    for (chances, numbers), (again, numbers_again) in zip(one, other, strict=True):
        assert chances == again
        assert numbers == numbers_again
