"""The files that NHS England published, as others passed them on."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command

from flow.models import ReferenceMeasure, ReferenceValue
from flow.reference.checking import check
from flow.reference.files import Source, sources
from flow.reference.reporting import findings
from flow.reference.series import Doubt, Table, table
from flow.reference.values import EPOCH
from flow.reference.wording import Reason, Reasons
from patients.code_loading import built_in_reasons
from tests.reference.tables import REAL, needs_real

pytestmark = needs_real


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    return Reasons(Reason(*row) for row in built_in_reasons())


def told(name: str, reasons: Reasons) -> tuple[Table, dict[str, Any]]:
    [source] = sources(REAL / name)
    made = table(source, reasons)
    return made, findings(made, check(made))


def raw(name: str) -> list[dict[str, str]]:
    data = (REAL / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith("gz") else data).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_criteria_to_reside_of_trusts(reasons: Reasons) -> None:
    name = "england_trust_criteria_to_reside_2024.csv.gz"
    made, found = told(name, reasons)
    said = Counter(row["do_not_meet_criteria_to_reside"] for row in raw(name))
    assert (found["kind"], found["interval"]) == ("nctr", "day")
    assert (found["bodies"], found["days"]) == (119, 366)
    assert found["missing"]["marks"] == {"NA": said["NA"]}
    assert found["missing_runs"]["days"] == said["NA"]
    assert found["zeros"] == said["0"]
    assert found["values"] == said.total() - said["NA"]
    assert found["gaps"]["runs"] == 0
    # Noughts for three months on end are no hospital without anybody to discharge.
    doubted = Counter(cell.doubt for cell in made.series["RN3", "nctr"].values())
    assert doubted[Doubt.ZERO] == 91
    assert found["doubts"]["zero"]["values"] > 200
    assert {one["told"] for one in found["doubts"]["spike"]["first"]} >= {
        "1936 between 248 and 138"
    }


def test_criteria_to_reside_of_boards(reasons: Reasons) -> None:
    made, found = told("england_icb_criteria_to_reside.csv", reasons)
    assert (found["kind"], found["bodies"], found["days"]) == ("nctr", 42, 1249)
    assert (found["values"], found["missing"]["count"]) == (51_727, 0)
    # A Sunday on which nearly all of England said nought.
    sunday = [s[date(2022, 6, 19)] for s in made.series.values() if date(2022, 6, 19) in s]
    assert sum(cell.doubt == "zero" for cell in sunday) > 30


def test_delay_reasons(reasons: Reasons) -> None:
    name = "england_delayed_discharge_reasons.csv.gz"
    _made, found = told(name, reasons)
    said = Counter(row["delay_count"] for row in raw(name))
    assert (found["kind"], found["interval"]) == ("delay-reasons", "month")
    assert found["labels"]["matched"] == 37
    assert not found["labels"]["unmatched"]
    assert found["missing"]["count"] == said["NA"]
    assert found["zeros"] == said["0"]
    assert found["values"] == said.total() - said["NA"]


def test_the_winter_of_2019_has_its_shares_made_anew(reasons: Reasons) -> None:
    made, found = told("sitrep1920.csv.gz", reasons)
    assert (found["kind"], found["bodies"], found["days"]) == ("sitrep", 133, 91)
    rates = {one["measure"]: one for one in found["rates"]}
    assert rates["ga-rate"]["differ"] > 11_000
    assert rates["cc-rate"]["differ"] == 0
    england = made.series["ENGLAND", "ga-rate"][date(2019, 12, 2)].value
    assert england is not None
    assert float(england) == pytest.approx(93_405 / 97_742, abs=1e-4)
    assert not found["unknown_columns"]


def test_the_winter_of_2020_goes_on_through_the_change_of_the_clocks(reasons: Reasons) -> None:
    name = "sitrep2021.csv.gz"
    made, found = told(name, reasons)
    assert (found["first"], found["last"], found["days"]) == ("2020-11-02", "2021-04-04", 154)
    assert len({row["Date"] for row in raw(name)}) == 161, "seven days are written in two ways"
    assert found["duplicates"]["disagree"] == 0
    assert found["duplicates"]["filled"] > 10_000
    trust = made.series["RC9", "stay-7"]
    assert trust[date(2021, 3, 29)].value is not None
    assert {"ENGLAND (ALL ACUTE TRUSTS)", "ENGLAND (TYPE 1 ACUTE TRUSTS)"} <= set(made.bodies)
    assert made.bodies["RYR"].name.startswith("University Hospitals Sussex"), "the latest name"


def otherwise(name: str, write: Callable[[date], str], **how: Any) -> bytes:
    """The same figures as another hand would have written them."""
    rows = raw(name)[: how.get("rows", 3000)]
    heads = list(reversed(rows[0]))
    out = io.StringIO(newline="")
    out.write(how.get("above", ""))
    writer = csv.writer(out, delimiter=how.get("delimiter", ","), lineterminator="\r\n")
    writer.writerow(heads)
    for row in rows:
        cells = []
        for head in heads:
            said = row[head]
            if "date" in head.lower():
                said = write(date.fromisoformat(said[:10]))
            elif said == "NA":
                said = how.get("missing", "NA")
            elif said.isdigit():
                said = f"{int(said):,}"
            cells.append(said.replace("–", "â€“") if how.get("broken") else said)
        writer.writerow(cells)
    return out.getvalue().encode(how.get("encoding", "utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "england_trust_criteria_to_reside_2024.csv.gz",
        "england_delayed_discharge_reasons.csv.gz",
        "sitrep1920.csv.gz",
    ],
)
@pytest.mark.parametrize(
    ("write", "how"),
    [
        (lambda d: f"{d:%d/%m/%Y}", {"encoding": "cp1252", "missing": "-"}),
        (lambda d: f"{d:%-d %b %Y}", {"encoding": "utf-16", "delimiter": "\t", "missing": "n/a"}),
        (lambda d: str((d - EPOCH).days), {"encoding": "utf-8-sig", "missing": "*"}),
        (lambda d: f"{d}T00:00:00Z", {"broken": True, "missing": "", "delimiter": ";"}),
        (lambda d: f"{d:%d-%b-%y}", {"above": "Title,,\r\n\r\nPublished,today\r\n"}),
    ],
    ids=["british, Windows", "named, UTF-16, tabs", "serials, BOM", "mojibake", "titles"],
)
def test_the_same_figures_written_by_another_hand(
    name: str, write: Callable[[date], str], how: dict[str, Any], reasons: Reasons
) -> None:
    plainly = "\n".join(_first(name, 3001))
    one = table(Source("plain.csv", plainly.encode()), reasons)
    other = table(Source("other.csv", otherwise(name, write, **how)), reasons)
    assert (other.kind, other.interval) == (one.kind, one.interval)
    assert (dict(other.unmatched), other.unknown_columns, other.bad_dates) == ({}, (), [])

    def figures(made: Table) -> dict[Any, Any]:
        return {
            (keys, when): cell.value
            for keys, series in made.series.items()
            for when, cell in series.items()
        }

    assert figures(other) == figures(one)


def _first(name: str, count: int) -> list[str]:
    text = gzip.decompress((REAL / name).read_bytes()).decode()
    return text.replace("\r\n", "\n").split("\n")[:count]


@pytest.mark.django_db
def test_the_command_stores_every_value_and_a_second_run_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [
        "england_delayed_discharge_reasons.csv.gz",
        "england_trust_criteria_to_reside_2024.csv.gz",
    ]
    paths = [str(REAL / name) for name in names]
    call_command("load_national", *paths, "--json")
    first = json.loads(capsys.readouterr().out)["files"]
    assert [one["status"] for one in first] == ["loaded", "loaded"]
    stored = [(one["new"], one["changed"]) for one in first]
    assert stored == [(len(raw(name)), 0) for name in names]
    assert ReferenceValue.objects.count() == sum(len(raw(name)) for name in names)

    for row in raw(names[1])[::997]:
        said = row["do_not_meet_criteria_to_reside"]
        kept = ReferenceValue.objects.get(
            measure__slug="nctr", body__code=row["nhs_trust22_code"], date=row["date"]
        )
        assert (kept.value, kept.mark) == ((None, "NA") if said == "NA" else (int(said), ""))
    assert ReferenceMeasure.objects.filter(slug="delay-transport", interval="month").exists()

    call_command("load_national", *paths, "--json")
    again = json.loads(capsys.readouterr().out)["files"]
    assert [(one["status"], one["new"], one["changed"]) for one in again] == [
        ("unchanged", 0, 0)
    ] * 2
    assert [one["same"] for one in again] == [one["new"] for one in first]
