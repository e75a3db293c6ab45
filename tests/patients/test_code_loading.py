"""The lists that come with the software, and a trust's own."""

from __future__ import annotations

import csv
import gzip
import re
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organisation
from accounts.refusals import Refused
from patients.code_loading import built_in, load_codes
from patients.models import Code, CodeMap, CodeSet

pytestmark = pytest.mark.django_db

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "system"


def plain(label: str) -> str:
    """A label without the odd spaces, dashes and marks of the published file."""
    text = re.sub(r"[\s\xa0]+", " ", label.replace("–", "-").replace("?", " "))
    return re.sub(r"\s*([/(])\s*", r"\1", re.sub(r"^[^-]*-\s", "", text, count=1)).strip()


def test_the_built_in_lists_load_and_load_again_without_a_change() -> None:
    load_codes(built_in())
    counts = {s.slug: s.codes.count() for s in CodeSet.objects.all()}
    assert counts["delay-reasons-2024"] == 37
    assert counts["delay-reasons-2021"] == 18
    assert counts["criteria-to-reside"] == 11
    again = load_codes(built_in())
    assert not any(done.new or done.changed or done.withdrawn for done in again)


def test_every_reason_that_england_publishes_is_in_the_list() -> None:
    load_codes(built_in())
    file = SHARED / "england_delayed_discharge_reasons.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as rows:
        published = {
            re.sub(r"\s*[–-]\s*", " - ", re.sub(r"[\s\xa0]+", " ", row["delay_reason"]), count=1)
            for row in csv.DictReader(rows)
        }
    ours = {
        plain(f"{code.family} - {code.label}")
        for code in Code.objects.filter(code_set__slug="delay-reasons-2024")
    }
    assert {plain(label) for label in published} == ours
    families = {label.split(" - ")[0] for label in published}
    assert families == set(
        Code.objects.filter(code_set__slug="delay-reasons-2024").values_list("family", flat=True)
    )


def test_an_old_reason_says_what_it_would_be_now() -> None:
    load_codes(built_in())
    old = Code.objects.get(code_set__slug="delay-reasons-2021", slug="v-medicines")
    now = CodeMap.objects.get(code=old)
    assert (now.other.slug, now.is_exact) == ("medicines-and-letter", True)
    assert old.code_set.valid_until == date(2024, 6, 1)


LOCAL = """
slug: ours
kind: delay
title: Our own reasons
source: Local
organisation: RXX
valid_from: 2026-01-01
codes:
  - {slug: one, label: First, owner: trust, team: therapy, target_hours: 4}
  - {slug: two, label: Second}
"""


def test_a_trusts_own_list_withdraws_what_it_leaves_out(tmp_path: Path) -> None:
    Organisation.objects.create(code="RXX", name="Trust", kind="trust")
    file = tmp_path / "ours.yaml"
    file.write_text(LOCAL)
    load_codes([file])
    file.write_text(
        "\n".join(LOCAL.splitlines()[:-1]).replace("target_hours: 4", "target_hours: 8")
    )
    done = load_codes([file])[0]
    assert (done.changed, done.withdrawn) == (["one"], ["two"])
    assert Code.objects.get(slug="two").is_withdrawn
    assert Code.objects.get(slug="one").target_hours == 8


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (LOCAL.replace("kind: delay", "kind: dela"), "kind: "),
        (LOCAL.replace("slug: two", "slug: one"), "twice"),
        (LOCAL.replace("RXX", "RZZ"), "no organisation RZZ"),
        (LOCAL.replace("label: Second", "labl: Second"), "codes[2].label: "),
        (LOCAL.replace("Second}", "Second, becomes: nowhere}"), "nowhere: no such code"),
        ("slug: [", "not YAML"),
        ("just words", "Invalid data"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_loaded(tmp_path: Path, wrong: str, said: str) -> None:
    Organisation.objects.create(code="RXX", name="Trust", kind="trust")
    file = tmp_path / "ours.yaml"
    file.write_text(wrong)
    with pytest.raises(Refused) as refused:
        load_codes([file])
    assert said in refused.value.reason
    assert not CodeSet.objects.filter(slug="ours").exists()


def test_the_command_says_what_it_did_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_codes", "--dry-run")
    assert "37 new" in capsys.readouterr().out
    assert not CodeSet.objects.exists()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_codes", str(tmp_path / "none.yaml"))
