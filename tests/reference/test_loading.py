"""What is stored: once, corrected where a file corrects, taken up again after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from flow.management.commands import load_national
from flow.models import ReferenceBody, ReferenceFile, ReferenceMeasure, ReferenceValue
from flow.reference import loading
from patients.code_loading import built_in, load_codes
from tests.reference.tables import NCTR, days, lines

pytestmark = pytest.mark.django_db
Load = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Load:
    """Loads texts as files; what the command tells of each."""

    def run(*texts: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"file{number}.csv"
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        capsys.readouterr()
        try:
            call_command("load_national", *paths, "--json", *options)
        except CommandError:
            pass
        files: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["files"]
        return files

    return run


def values(measure: str = "nctr", body: str = "RAJ") -> list[Decimal | None]:
    found = ReferenceValue.objects.filter(measure__slug=measure, body__code=body)
    return list(found.order_by("date").values_list("value", flat=True))


TEXT = lines(NCTR, days([262, 0, "NA", 434]))


def test_values_marks_and_doubts_are_kept_as_published(load: Load) -> None:
    [told] = load(TEXT)
    assert (told["status"], told["new"]) == ("loaded", 4)
    assert values() == [262, 0, None, 434]
    kept = ReferenceValue.objects.order_by("date").values_list("mark", "doubt")
    assert list(kept) == [("", ""), ("", "zero"), ("NA", ""), ("", "")]
    file = ReferenceFile.objects.get()
    assert (file.name, file.kind, file.done, file.total) == ("file0.csv", "nctr", 4, 4)
    assert file.finished_at is not None
    assert file.loaded_by
    assert ReferenceBody.objects.get().kind == "trust"


def test_the_same_again_changes_nothing_and_says_so(load: Load) -> None:
    load(TEXT)
    [told] = load(TEXT)
    assert (told["status"], told["new"], told["changed"], told["same"]) == ("unchanged", 0, 0, 4)
    assert ReferenceFile.objects.count() == 1


def test_a_corrected_file_changes_what_it_corrects(load: Load) -> None:
    load(TEXT)
    [told] = load(lines(NCTR, days([262, 301, 302, "NA", 5])))
    assert (told["status"], told["new"], told["changed"], told["same"]) == ("loaded", 1, 3, 1)
    assert told["changes"] == [
        {"body": "RAJ", "measure": "nctr", "date": "2024-01-02", "before": 0, "now": 301},
        {"body": "RAJ", "measure": "nctr", "date": "2024-01-03", "before": None, "now": 302},
        {"body": "RAJ", "measure": "nctr", "date": "2024-01-04", "before": 434, "now": None},
    ]
    assert values() == [262, 301, 302, None, 5]
    [back] = load(TEXT)
    assert back["changed"] == 3, "the earlier file again is a change like any other"


def test_what_cannot_be_read_takes_no_figure_away(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(TEXT)
    text = lines(NCTR, days(['"1,23"', "-4", "-5", '"1,23"', "-6"]))
    [told] = load(text)
    assert (told["new"], told["changed"], told["same"], told["kept"]) == (1, 1, 3, 3)
    assert set(told["doubts"]) == {"negative", "not_a_number"}
    assert values() == [262, 0, None, 434, None]
    kept = ReferenceValue.objects.order_by("date").values_list("mark", "doubt")
    good, wrong = [("", ""), ("", "zero")], [("-5", "negative"), ("", ""), ("-6", "negative")]
    assert list(kept) == [*good, *wrong]
    capsys.readouterr()
    call_command("load_national", str(tmp_path / "file0.csv"))
    assert "3 figures left alone" in capsys.readouterr().out
    load(lines(NCTR, days([300, 301, 302, "NA"])))
    assert values() == [300, 301, 302, None, None], "a correction that can be read still counts"


def test_a_dry_run_writes_nothing(load: Load) -> None:
    [told] = load(TEXT, options=("--dry-run",))
    assert (told["status"], told["new"]) == ("dry-run", 4)
    for model in (ReferenceValue, ReferenceFile, ReferenceBody, ReferenceMeasure):
        assert not model._default_manager.exists()


def test_one_bad_file_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(TEXT)
    bad.write_text("colour,shape\nred,round\n")
    with pytest.raises(CommandError, match="2 of 3 files could not be loaded"):
        call_command("load_national", str(bad), str(tmp_path / "none.csv"), str(good))
    said = capsys.readouterr().out
    assert "bad.csv: not loaded. Its columns are of no known kind (“colour”, “shape”)" in said
    assert "There is no file" in said
    assert "4 are new" in said
    assert values() == [262, 0, None, 434]


def test_people_are_told_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "told.csv"
    head = "Code,Name,Date,G&A beds open,G&A beds occupied,Occupancy rate,Weather"
    rows = [
        "RAJ,Mid,01/01/2020,100,95,0,wet",
        "RAJ,Mid,02/01/2020,100,105,1,wet",
        "RAJ,Mid,05/01/2020,*,90,1,dry",
        "RAJ,Mid,soon,100,90,1,dry",
    ]
    path.write_text(lines(head, rows), encoding="utf-16")
    call_command("load_national", str(path))
    said = capsys.readouterr().out
    for words in (
        "told.csv: sitrep, UTF-16, by comma; 3 rows",
        "1 body, 3 days from 2020-01-01 to 2020-01-05; 3 measures",
        "1 missing: “*” 1; 1 suppressed",
        "RAJ 2020-01-03 to 2020-01-04 (2 days): ga-open, ga-occupied, ga-rate",
        "more than what it is part of: 1 value, such as",
        "ga-rate: 2 of 2 published shares are not part over whole",
        "columns not understood, left out: Weather",
        "1 row without a day that can be read, left out: line 5 “soon”",
        "9 are new, 0 changed, 0 as before",
    ):
        assert words in said, said


def test_a_stopped_load_is_taken_up_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.csv"
    rows = [row for code in ("RAJ", "RC9", "RCX") for row in days(range(20, 30), code=code)]
    path.write_text(lines(NCTR, rows))
    monkeypatch.setattr(loading, "PORTION", 7)
    whole = load_national.Command._progress

    def interrupted(self: Any, name: str, done: int, total: int) -> None:
        whole(self, name, done, total)
        if done >= 14:
            raise KeyboardInterrupt

    monkeypatch.setattr(load_national.Command, "_progress", interrupted)
    with pytest.raises(SystemExit) as stopped:
        call_command("load_national", str(path))
    assert stopped.value.code == 130
    assert "stopped after 14 of 30; run the same command to go on" in capsys.readouterr().out
    assert ReferenceValue.objects.count() == 14
    assert ReferenceFile.objects.get().finished_at is None

    monkeypatch.setattr(load_national.Command, "_progress", whole)
    call_command("load_national", str(path))
    assert "16 are new, 0 changed, 0 as before (taken up at 14)" in capsys.readouterr().out
    assert [values(body=code) for code in ("RAJ", "RC9", "RCX")] == [list(range(20, 30))] * 3
    assert ReferenceFile.objects.get().finished_at is not None


def test_what_another_load_wrote_over_meanwhile_is_written_again(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(TEXT)
    ReferenceFile.objects.update(finished_at=None, done=4)
    load(lines(NCTR, days([1, 2, 3, 4])))
    [told] = load(TEXT)
    assert (told["taken_up_at"], told["changed"]) == (0, 4)
    assert values() == [262, 0, None, 434]


def test_delay_reasons_point_to_our_codes_as_soon_as_they_are_loaded(load: Load) -> None:
    text = lines(
        "code,date,delay_reason,delay_count",
        ["RAJ,2024-06-01,Hospital process – Awaiting patient transport services,3"],
    )
    [told] = load(text)
    assert told["labels"] == {"matched": 1, "unmatched": {}, "mended": 0}
    assert ReferenceMeasure.objects.get().reason is None
    load_codes(built_in())
    load(text)
    measure = ReferenceMeasure.objects.get()
    assert measure.reason is not None
    assert (measure.slug, measure.reason.code_set.slug) == ("delay-transport", "delay-reasons-2024")


def test_the_latest_name_of_a_body_stands(load: Load) -> None:
    head = "Code,Name,Date,nctr"
    load(lines(head, ["RYR,University Hospitals Sussex,2021-04-01,1"]))
    load(lines(head, ["RYR,Western Sussex Hospitals,2019-04-01,1"]))
    assert ReferenceBody.objects.get().name == "University Hospitals Sussex"
    load(lines(head, ["RYR,Sussex United,2024-04-01,1"]))
    assert ReferenceBody.objects.get().name == "Sussex United"


def test_only_one_load_at_a_time(load: Load) -> None:
    settings = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{name: settings[name] for name in names if name in settings}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [loading._LOCK])
        [told] = load(TEXT)
    assert told["status"] == "failed"
    assert "being loaded already" in told["error"]
    assert load(TEXT)[0]["status"] == "loaded"


@pytest.mark.parametrize(
    "wrong",
    ["value = -1", "value = 'NaN'", "mark = 'NA'"],
    ids=["below nought", "no number", "value and mark"],
)
def test_the_database_refuses_what_cannot_be(load: Load, wrong: str) -> None:
    load(TEXT)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE flow_referencevalue SET {wrong} WHERE date = '2024-01-01'")


def test_the_database_keeps_one_value_a_body_measure_and_day(load: Load) -> None:
    load(TEXT)
    one = ReferenceValue.objects.first()
    assert one is not None
    one.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        one.save(force_insert=True)
