"""The command as an operator runs it: what it tells, and to whom."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from flow.management.commands import import_stays
from flow.models import CohortDay, WardCensus
from patients.models import Cohort, Episode
from tests.stays.files import load, rejected, row, text, written
from wards.models import DirtyWard, Movement
from wards.stay_episodes import AFTER_LAST, HELD_BACK

pytestmark = pytest.mark.django_db

SECRET = {"patient": "9990000018", "episode": "SMITH-JOHN"}


def told(path: Path, *options: str) -> tuple[str, str]:
    """What stands on the terminal, and the error."""
    out, err = StringIO(), StringIO()
    error = ""
    try:
        call_command("import_stays", str(path), *options, stdout=out, stderr=err)
    except CommandError as caught:
        error = str(caught)
    return out.getvalue() + err.getvalue(), error


def test_the_terminal_tells_what_became_of_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row(consultant="Ash"),
        row(episode="E2", patient="P2", start="2025-03-02T08:00Z", last=0),
        row(episode="E3", patient="P3", last="perhaps"),
        row(episode="E4", patient="P4", end="", died=1),
    )
    said, error = told(path)
    assert not error
    for words in (
        "stays.csv: 4 rows",
        "new                3 episodes, 3 rows",
        "refused            1 row",
        "2 episodes had not ended",
        "Rows marked as last without an end; the patient is taken to be still there: 1",
        "the patient is taken to be still there and alive: 1",
        "1 site made: WLD",
        "1 ward made: WLD W1",
        "Episodes with an end and no row marked as last, which go on, on their last ward: 1",
        "Columns not used: consultant",
        "1 row: last is neither yes nor no; write 1 or 0.",
        "line 4",
        "stays.csv.rejected.csv",
    ):
        assert words in said
    said, error = told(path)
    assert "known already      3 episodes, 3 rows" in said


def test_nobody_is_named_on_the_terminal_or_in_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    bad: list[dict[str, str]] = [
        row(**SECRET, **wrong)
        for wrong in (
            {"start": "SMITH"}, {"end": "SMITH"}, {"last": "SMITH"}, {"sex": "SMITH"},
            {"age": "SMITH"}, {"ward": ""}, {"edd": "SMITH"}, {"ctr_met": "SMITH"},
            {"pathway": "SMITH"}, {"died": "SMITH"}, {"ward": "W\x01 SMITH"},
            {"end": "2025-02-01"}, {"end": ""},
        )
    ]  # fmt: skip
    bad += [row(episode="SMITH2", patient=f"999000002{n}") for n in range(2)]
    bad += [row(episode="SMITH3"), row(episode="SMITH3", ward="W2")]
    path = written(tmp_path, *bad, row(episode="SMITH4", patient="9990000034"))
    monkeypatch.setattr("wards.stay_import.keep", _fails)
    for options in ((), ("--dry-run",), ("--json",)):
        said, error = told(path, *options)
        assert len(said) > 500
        for names in ("SMITH", "99900"):
            assert names not in said + error + caplog.text
    assert "SMITH" in path.with_name("stays.csv.rejected.csv").read_text()


def _fails(*args: object, **kwargs: object) -> None:
    raise RuntimeError("9990000034 SMITH")


def test_many_lines_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    path = written(tmp_path, row(), *(row(episode=f"E{n}", end="?") for n in range(2, 52)))
    said, _ = told(path)
    assert "50 rows: end is not a time" in said
    assert "lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 40 more" in said


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("a,b,c\n1,2,3\n", "must name the columns"),
        (text(), "holds no rows"),
    ],
)
def test_what_cannot_be_used_at_all_is_an_error(tmp_path: Path, content: str, what: str) -> None:
    path = tmp_path / "stays.csv"
    path.write_text(content)
    assert what in load(path).error


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert "no file" in load(tmp_path / "stays.csv").error


def test_a_file_of_which_all_is_refused_is_an_error_that_says_why(tmp_path: Path) -> None:
    answer = load(written(tmp_path, row(), row(ward="W2")))
    assert answer.error == "All rows were refused; nothing was loaded."
    assert answer.reasons == [(HELD_BACK, [2]), (AFTER_LAST, [3])]
    assert answer.document["rejected_file"].endswith("stays.csv.rejected.csv")


def test_the_document_holds_the_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, row(), row(episode="E2", patient="P2", end="", last=0))
    document = load(path).document
    assert document.pop("seconds") >= 0
    assert document == {
        "file": str(path),
        "dry_run": False,
        "stopped": False,
        "rows": 2,
        "rows_refused": 0,
        "episodes": {"new": 2},
        "episodes_in_hospital": 1,
        "notes": {},
        "columns_ignored": [],
        "columns_missing": [],
        "encoding": "utf-8",
        "sites_made": ["WLD"],
        "wards_made": ["WLD W1"],
        "wards_unrecognised": [],
        "refused": [],
        "rejected_file": None,
    }


def test_refused_rows_that_cannot_be_kept_stop_it_before_anything_is_loaded(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, row(), row(episode="E2", end="?"))
    answer = load(path, "--rejected", str(tmp_path / "nowhere" / "file.csv"))
    assert "--rejected" in answer.error
    assert not Movement.objects.exists()
    other = tmp_path / "other.csv"
    answer = load(path, "--rejected", str(other))
    assert answer.document["rejected_file"] == str(other)
    assert other.exists()


def test_the_file_itself_is_no_place_for_its_refused_rows(tmp_path: Path) -> None:
    path = written(tmp_path, row(end="?"))
    assert "--rejected names the file itself" in load(path, "--rejected", str(path)).error
    assert path.read_text() == text(row(end="?"))


def test_rows_refused_late_do_not_push_out_what_somebody_was_mending(tmp_path: Path) -> None:
    path = written(tmp_path, row(), row(episode="E2", end="?"))
    load(path)
    kept = path.with_name("stays.csv.rejected.csv")
    kept.write_text("half mended")
    load(written(tmp_path, row(ward="W9"), row(episode="E2", end="?")))
    assert [one["line"] for one in rejected(path)] == ["2", "3"]
    assert kept.with_name("stays.csv.rejected.csv.old").read_text() == "half mended"


def test_who_cannot_count_the_boards_leaves_it_to_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: object, **kwargs: object) -> None:
        raise OperationalError("lock timeout")

    monkeypatch.setattr("flow.census.refresh", busy)
    answer = load(written(tmp_path, row()))
    assert answer.episodes == {"new": 1}
    assert "the worker will do it" in answer.beside
    assert DirtyWard.objects.exists()


def test_boards_are_counted_when_it_is_done(tmp_path: Path) -> None:
    load(written(tmp_path, row(end="", last=0), row(episode="E2", patient="P2")))
    assert not DirtyWard.objects.exists()
    assert WardCensus.objects.get().patients == 1


def test_cohorts_of_the_last_days_are_counted_anew(tmp_path: Path) -> None:
    cohort = Cohort.objects.create(slug="all", title="All", about="all", source="test", who={})
    now = timezone.now()
    for back, day in ((timedelta(hours=2), now.date()), (timedelta(days=3), _before(now, 3))):
        CohortDay.objects.create(cohort=cohort, day=day, digest="x", counted_at=now - back)
    path = written(tmp_path, row())
    load(path, "--dry-run")
    assert CohortDay.objects.count() == 2
    load(path)
    assert [one.day for one in CohortDay.objects.all()] == [_before(now, 3)]


def _before(now: Any, days: int) -> Any:
    return (now - timedelta(days=days)).date()


def test_when_the_database_goes_away_the_next_run_does_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is lost")

    path = written(tmp_path, row())
    monkeypatch.setattr("wards.stay_import.keep", away)
    assert "run the command again" in load(path).error
    monkeypatch.undo()
    assert load(path).episodes == {"new": 1}


def test_a_stop_while_reading_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_stays, "assembled", interrupted)
    with pytest.raises(SystemExit) as stopped:
        load(written(tmp_path, row()))
    assert stopped.value.code == 130
    assert not Episode.objects.exists()


def test_progress_is_shown_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wards.stay_import._ROWS", 1)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    path = written(tmp_path, *(row(episode=f"E{n}", patient=f"P{n}") for n in range(3)))
    said, _ = told(path)
    assert re.findall(r"\r.*?(\d) of 3 rows", said) == ["1", "2", "3"]
