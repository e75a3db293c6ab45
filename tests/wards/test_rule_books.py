"""Rule books: as files, in versions, each site's own, and never edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction
from django.utils import timezone

from accounts.models import Organisation, User
from accounts.refusals import Refused
from simulation.places import NORTHMOOR, RULES
from wards.models import OutlierLine, Rule, RuleBook, Site, Ward, WardLimits
from wards.place_entries import FileMistaken
from wards.place_loading import load_places
from wards.place_plan import Since
from wards.rule_books import Stored, book_for, book_of_site
from wards.rule_changes import changes
from wards.rule_files import Limits, RuleFile, read_rules_text
from wards.rule_loading import Loaded, load_rules, rules_of
from wards.rule_writing import written
from wards.suitability.defaults import EXAMPLE
from wards.suitability.rulebook import OutlierLine as Line
from wards.suitability.shapes import SHAPES

from .hospital import START, Hospital, build

BASE = written(RuleFile(book=EXAMPLE))
CLOSED = BASE[BASE.index("  - code: closed") : BASE.index("  # Somebody lies in it")]
DAY = timedelta(days=1)


@pytest.fixture
def hospital(db: None) -> Hospital:
    made = build()
    Ward.objects.filter(pk=made.wards[0]).update(specialty="cardiology")
    return made


def file(text: str = BASE, *, valid_from: datetime | None = None) -> RuleFile:
    return replace(read_rules_text(text), valid_from=valid_from)


def named(name: str) -> RuleFile:
    return file(BASE.replace(EXAMPLE.name, name))


def load(
    given: RuleFile, *, at: datetime = START, site: str = "", by: User | None = None
) -> Loaded:
    place = Site.objects.get(code=site) if site else None
    return load_rules(given, site=place, at=at, by=by)


def in_force(at: datetime = START, site: str = "TST") -> Stored:
    found = book_of_site(Site.objects.get(code=site).pk, at=at)
    assert found is not None
    return found


def mistakes(text: str) -> list[str]:
    with pytest.raises(FileMistaken) as caught:
        read_rules_text(text)
    return [str(one) for one in caught.value.mistakes]


# --- files ----------------------------------------------------------------------------------------


def test_what_is_written_is_read_as_it_was() -> None:
    limits = {
        "W1, the odd one": Limits(most_patients=28, patients_per_nurse=6.5, youngest=16),
        "no": Limits(side_rooms_kept=0, cleaned_after=45, oldest=17, ring_fenced=True),
    }
    lines = {
        **EXAMPLE.lines,
        "bay_sex": replace(
            EXAMPLE.lines["bay_sex"], text="{ward}: “no” # {sex}", params={"groups": ("F,X", "M")}
        ),
    }
    outliers = (
        Line(ward_code="W1, the odd one", specialty="*", verdict="never"),
        Line(ward_code="W1, the odd one", specialty="cardiology", verdict="outlier", cost=12.25),
        Line(ward_code="W1, the odd one", specialty="renal", verdict="outlier"),
        Line(ward_specialty="renal", ward_kind="community", specialty="no", verdict="takes"),
        Line(specialty="urology", verdict="takes"),
    )
    book = replace(EXAMPLE, name="Ours: 2026", lines=lines, outliers=outliers, unplaced=333.5)
    text = written(RuleFile(book=book, limits=limits))
    found = read_rules_text(text)
    assert found.limits == limits
    assert dict(found.book.lines) == lines
    assert set(found.book.outliers) == set(outliers)
    assert (found.book.name, found.book.unplaced, found.book.urgency) == (
        "Ours: 2026",
        333.5,
        EXAMPLE.urgency,
    )
    assert written(found) == text


def test_a_rule_that_is_left_out_does_not_hold_and_the_file_names_it() -> None:
    lines = {code: line for code, line in EXAMPLE.lines.items() if code != "telemetry"}
    text = written(RuleFile(book=replace(EXAMPLE, lines=lines)))
    assert "telemetry" not in read_rules_text(text).book.lines
    assert "since they are not here: telemetry." in text


def test_every_mistake_is_told_with_its_line_and_what_to_do() -> None:
    found = mistakes(
        """\
name: Ours
colour: red
valid_from: soon
rules:
  - {code: closd, title: Closed, text: It is., source: Local, refuses: yes}
  - {code: oxygen, title: Oxygen, text: "No {gas}.", source: Local, refuses: yes}
  - {code: cot, title: A cot, text: A cot., source: Local, refuses: maybe}
  - code: chance
    title: May stay
    text: It may.
    source: Local
    refuses: yes
  - {code: escalation, title: Escalation, text: It is., source: Local}
  - {code: distance, title: A move, text: "", source: Local, costs: -4}
  - {code: nurse_ratio, title: Few, text: Few., source: L, costs: 2, figures: {patients: 0}}
  - {code: telemetry, title: None, text: None., source: L, costs: 2, not_on: [moon]}
outliers:
  - {ward: W1, specialty: renal, takes: [urology]}
  - {ward: W2, cost: 4}
  - {ward: W3, takes: [urology], never: [urology]}
limits:
  - {ward: W1, most_patients: 2.5}
  - {ward: W1, youngest: 70, oldest: 60}
"""
    )
    told = "\n".join(found)
    for line, words in (
        (2, "the field “colour” is not known"),
        (3, "“soon” is no time; write it like 2026-12-01"),
        (5, "“closd” is not known"),
        (6, "rule oxygen: the text names {gas}; it may name bed, ward."),
        (7, "“maybe” is neither yes nor no"),
        (8, "rule chance: this rule costs; it cannot refuse."),
        (13, "says neither “refuses: yes” nor what it costs"),
        (14, "costs “-4” is not a number from 0 to 999,999"),
        (14, "text is missing"),
        (15, "patients “0” is not a number from 1 to 100"),
        (16, "“moon” is not known; use one of emergency"),
        (18, "a ward and a specialty or kind of ward; give one of them"),
        (19, "says nothing; give takes, outliers or never"),
        (19, "only outliers have a cost"),
        (20, "outliers of W3: say urology twice, first in line 20; keep one."),
        (22, "most_patients “2.5” is not a whole number from 0 to 500"),
        (23, "is there twice, first in line 22"),
        (23, "youngest is above oldest"),
    ):
        assert any(one.startswith(f"line {line}") and words in one for one in found), (
            f"{line}: {words}\n{told}"
        )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("code: telemetry", "code: oxygen", "rule oxygen: is there twice, first in line"),
        (CLOSED, "", "no line for closed, which is a fact"),
        ("urgency: [4, 2, 1, 0.5]", "urgency: [1, 2, 4, 8]", "Urgency falls from priority 1 to 4"),
        ("urgency: [4, 2, 1, 0.5]", "urgency: [4, 2]", "urgency needs 4 numbers"),
        ("name: Example", "name: !!python/object:os.system Example", "tags are not read"),
        ("costs:\n  unplaced", "costs: &a\n  unplaced", "anchors and aliases"),
    ],
)
def test_a_book_that_cannot_be_used_is_refused(old: str, new: str, said: str) -> None:
    assert old in BASE
    assert any(said in one for one in mistakes(BASE.replace(old, new, 1))), mistakes(
        BASE.replace(old, new, 1)
    )


def test_a_file_without_anything_says_what_it_needs() -> None:
    assert mistakes("# nothing\n") == ["the file: is empty; it needs a name and rules."]


# --- versions -------------------------------------------------------------------------------------


def test_loading_keeps_a_version_and_the_same_again_changes_nothing(hospital: Hospital) -> None:
    text = BASE + "\nlimits:\n  - {ward: W0, most_patients: 20, cleaned_after: 40}\n"
    by = User.objects.create_user("matron", password="x")
    first = load(file(text), by=by)
    assert (first.version, first.changes, set(first.limits)) == (1, None, {"W0"})
    kept = RuleBook.objects.get()
    assert (kept.by, kept.valid_from, kept.version) == (by, START, 1)
    assert WardLimits.objects.get().most_patients == 20
    for later in (START, START + DAY):
        again = load(file(text), at=later)
        assert again.is_empty
    assert RuleBook.objects.count() == 1


def test_the_database_gives_back_the_book_that_was_loaded(hospital: Hospital) -> None:
    load(file(BASE + "\n  - {ward: W0, takes: [renal], never: [any]}\n"))
    found = in_force().book
    assert dict(found.lines) == dict(EXAMPLE.lines)
    own = {line.specialty: line.verdict for line in found.outliers if line.ward_code == "W0"}
    assert own == {"renal": "takes", "*": "never"}
    assert len(found.outliers) == len(EXAMPLE.outliers) + 2
    assert book_for(ward=hospital.wards[0], at=START) == in_force()


def test_what_write_rules_prints_loads_as_nothing_new(hospital: Hospital) -> None:
    load(
        file(
            BASE.replace("title: Closed", "title: Shut")
            + "\n  - {ward: W1, takes: [renal]}\n"
            + "limits:\n  - {ward: W1, ring_fenced: yes, patients_per_nurse: 6.5}\n"
        )
    )
    site = Site.objects.get(code="TST")
    for place in (None, site):
        text = written(rules_of(place, at=START))
        assert "title: Shut" in text
        assert "patients_per_nurse: 6.5" in text
        assert load_rules(read_rules_text(text), site=place, at=START).is_empty
    assert RuleBook.objects.count() == 1


def test_without_any_book_the_example_is_written(hospital: Hospital) -> None:
    assert rules_of(None, at=START) == RuleFile(book=EXAMPLE)


def test_a_change_is_the_next_version_and_says_what_is_different(hospital: Hospital) -> None:
    load(file())
    other = (
        BASE.replace("    costs: 60\n", "    costs: 75\n", 1)
        .replace("rooms: 1", "rooms: 2")
        .replace("code: telemetry\n", "code: telemetry\n    may_override: no\n", 1)
        .replace("unplaced: 500", "unplaced: 400")
    )
    start = other.index("  - code: telemetry")
    end = other.index("  - code: bariatric")
    other = other[:start] + other[other.rindex("\n\n", start, end) :]
    loaded = load(file(other), at=START + DAY)
    assert loaded.version == 2
    assert loaded.changes is not None
    assert [line.code for line in loaded.changes.removed] == ["telemetry"]
    assert {one.line.code: one.how for one in loaded.changes.changed} == {
        "ring_fence": ("costs 75, was: costs 60",),
        "side_room_kept": ("rooms 2, was 1",),
    }
    assert loaded.changes.other == ("cost of leaving a routine request without a bed 400, was 500",)
    assert in_force(START).version == 1
    assert in_force(START + DAY).version == 2
    assert in_force(START + DAY).book.lines["ring_fence"].weight == 75


def test_every_difference_has_its_words() -> None:
    line = EXAMPLE.lines["corridor"]
    other = replace(
        line, hard=False, weight=9, may_override=False, breach="outlier", source="Ours",
        text="No.", except_kinds=frozenset({"critical_care"}),
    )  # fmt: skip
    table = (
        Line(ward_specialty="urology", specialty="general_surgery", verdict="never"),
        Line(ward_code="W1", specialty="*", verdict="outlier", cost=5),
        *(one for one in EXAMPLE.outliers if one.ward_specialty != "urology"),
    )
    new = replace(EXAMPLE, lines={**EXAMPLE.lines, "corridor": other}, outliers=table)
    found = changes(EXAMPLE, new)
    assert found.changed[0].how == (
        "costs 9, was: refuses",
        "may not be overridden any more",
        "counts as outlier, was corridor care",
        "does not hold any more on: critical care",
        "words now “No.”, was “This is corridor care.”",
        f"source now “Ours”, was “{line.source}”",
    )
    assert "general surgery on urology: never, was outliers at 25" in found.table
    assert "acute surgery on urology: not said, was outliers at 25" in found.table
    assert "any other specialty on W1: outliers at 5, was not said" in found.table
    assert not changes(EXAMPLE, replace(EXAMPLE, outliers=EXAMPLE.outliers[::-1]))


def test_a_former_file_takes_a_change_back_from_now_on(hospital: Hospital) -> None:
    former = file(valid_from=START)
    load(former)
    load(named("Winter"), at=START + DAY)
    back = load(former, at=START + 2 * DAY)
    assert (back.version, back.late, back.valid_from) == (3, True, START + 2 * DAY)
    assert in_force(START + DAY).name == "Winter"
    assert in_force(START + 2 * DAY).name == EXAMPLE.name


def test_a_book_may_wait_for_its_day(hospital: Hospital) -> None:
    load(file())
    winter = load(replace(named("Winter"), valid_from=START + 7 * DAY))
    assert (winter.version, winter.late) == (2, False)
    assert in_force(START + 6 * DAY).version == 1
    assert in_force(START + 7 * DAY).name == "Winter"
    assert load(replace(named("Winter"), valid_from=START + 7 * DAY)).is_empty
    meanwhile = load(named("Autumn"), at=START + DAY)
    assert meanwhile.next is not None, "that it will be overtaken must be told"
    assert meanwhile.next.version == 2


def test_a_site_has_its_own_book_before_that_of_all(hospital: Hospital) -> None:
    trust = Organisation.objects.get(code="RXX")
    other = Site.objects.create(code="OTH", name="Other hospital", organisation=trust)
    load(file())
    load(named("Of one site"), site="TST", at=START + DAY)
    load(named("Of all, later"), at=START + 2 * DAY)
    late = START + 3 * DAY
    assert in_force(START).name == EXAMPLE.name
    assert in_force(late).name == "Of one site"
    assert in_force(late, other.code).name == "Of all, later"
    own = RuleBook.objects.get(site__code="TST")
    assert own.version == 1, "each site counts its versions by itself"


def test_with_no_book_nothing_is_in_force(hospital: Hospital) -> None:
    load(file(), at=START)
    assert book_of_site(None, at=START - timedelta(seconds=1)) is None


def test_a_dry_run_writes_nothing(hospital: Hospital) -> None:
    given = file(BASE + "\nlimits:\n  - {ward: W0, most_patients: 20}\n")
    told = load_rules(given, site=None, at=START, dry_run=True)
    assert (told.version, set(told.limits)) == (1, {"W0"})
    assert not RuleBook.objects.exists()
    assert not WardLimits.objects.exists()


def test_the_database_refuses_to_edit_or_delete_what_was_decided_by(hospital: Hospital) -> None:
    load(file())
    for rows in (RuleBook.objects.all(), Rule.objects.all(), OutlierLine.objects.all()):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            rows.update(id=99)
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            rows._raw_delete(rows.db)
    assert in_force().book.lines["closed"].title == "Closed"


# --- wards ----------------------------------------------------------------------------------------


def test_a_ward_that_is_not_there_is_told_with_its_line(hospital: Hospital) -> None:
    text = BASE + "\n  - {ward: W7, takes: [renal]}\nlimits:\n  - {ward: W9, most_acute: 2}\n"
    lines = text.splitlines()
    with pytest.raises(FileMistaken) as caught:
        load(file(text))
    assert [one.line for one in caught.value.mistakes] == [
        lines.index("  - {ward: W7, takes: [renal]}") + 1,
        lines.index("  - {ward: W9, most_acute: 2}") + 1,
    ]
    assert not RuleBook.objects.exists()


def test_one_code_at_two_sites_needs_the_site(hospital: Hospital) -> None:
    trust = Organisation.objects.get(code="RXX")
    other = Site.objects.create(code="OTH", name="Other hospital", organisation=trust)
    twin = Ward.objects.create(site=other, code="W0", name="Also W0")
    given = file(BASE + "\nlimits:\n  - {ward: W0, most_patients: 12}\n")
    with pytest.raises(FileMistaken, match="at several sites"):
        load(given)
    load(given, site="OTH")
    assert WardLimits.objects.get().ward == twin
    WardLimits.objects.create(ward_id=hospital.wards[0], most_patients=3)
    with pytest.raises(Refused, match="--site"):
        rules_of(None, at=START)


def test_limits_left_out_are_kept_and_told_and_a_bare_ward_takes_them_away(
    hospital: Hospital,
) -> None:
    load(file(BASE + "\nlimits:\n  - {ward: W0, most_patients: 20, most_acute: 2}\n"))
    told = load(file())
    assert (told.limits, told.left) == ({}, ("W0",))
    told = load(file(BASE + "\nlimits:\n  - {ward: W0, most_patients: 18}\n"))
    assert told.limits == {
        "W0": ("most patients 18, was 20", "most acute no limit, was 2"),
    }
    told = load(file(BASE + "\nlimits:\n  - {ward: W0}\n"))
    assert told.limits == {"W0": ("most patients no limit, was 18",)}
    assert rules_of(None, at=START).limits == {"W0": Limits()}
    assert load(file(written(rules_of(None, at=START)))).is_empty


# --- commands -------------------------------------------------------------------------------------


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_the_commands_write_try_and_load(hospital: Hospital, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(said("write_rules"))
    assert "would be in force from" in said("load_rules", str(path), "--dry-run")
    assert not RuleBook.objects.exists()
    User.objects.create_user("matron", password="x")
    told = said("load_rules", str(path), "--by", "matron")
    assert "Version 1 is in force from" in told
    assert "No ward has the specialty acute_frailty" in told, "misspelt words are told"
    assert "cardiology" not in told.split("No ward has")[1]
    assert said("load_rules", str(path)).startswith("Nothing to change.")
    assert RuleBook.objects.get().by is not None
    path.write_text(said("write_rules", "--site", "TST").replace("costs: 60", "costs: 65"))
    assert "ring_fence: costs 65, was: costs 60" in said("load_rules", str(path), "--site", "TST")
    assert in_force(timezone.now()).site is not None


def test_the_commands_say_what_is_wrong(hospital: Hospital, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: []\n")
    with pytest.raises(CommandError, match="name is missing"):
        said("load_rules", str(path))
    with pytest.raises(CommandError, match="There is no site NOWHERE"):
        said("write_rules", "--site", "NOWHERE")
    path.write_text(BASE)
    with pytest.raises(CommandError, match="nobody with the username x"):
        said("load_rules", str(path), "--by", "x")
    with pytest.raises(CommandError, match=r"ends in neither \.yaml nor \.yml"):
        said("load_rules", str(Path(__file__)))


def test_moments_are_of_london_unless_they_say() -> None:
    def moment(written_as: str) -> datetime | None:
        return read_rules_text(f"valid_from: {written_as}\n{BASE}").valid_from

    assert moment("2026-07-01") == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    assert moment("2026-12-01T08:00") == datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    assert moment("2026-12-01T08:00:00+02:00") == datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def test_the_example_of_the_demo_fits_its_places_and_says_what_it_is(db: None) -> None:
    load_places(NORTHMOOR, at=START, since=Since(None))
    text = RULES.read_text()
    given = read_rules_text(text)
    told = load_rules(given, site=None, at=START)
    assert told.doubts == (), "every specialty of the table is one of its wards"
    assert "EXAMPLE" in text.splitlines()[0]
    assert "example" in given.book.name
    assert load_rules(given, site=None, at=START).is_empty


def test_the_documentation_shows_a_book_that_is_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    shown = text[text.index("```yaml\n") + 8 :]
    shown = shown[: shown.index("```")]
    facts = {code: line for code, line in EXAMPLE.lines.items() if SHAPES[code].needed}
    needed = written(RuleFile(book=replace(EXAMPLE, lines=facts, outliers=())))
    lines = needed[needed.index("  - code:") :]
    found = read_rules_text(shown.replace("rules:", "rules:\n@", 1).split("@")[0] + lines
                            + shown[shown.index("  - code: bay_sex") :])  # fmt: skip
    assert found.book.lines["bay_sex"].params == {"groups": ("F", "M")}
    assert found.limits["NGH-W12"] == Limits(
        most_patients=28,
        most_acute=2,
        patients_per_nurse=8,
        side_rooms_kept=1,
        cleaned_after=45,
        youngest=16,
        oldest=120,
    )
    assert [line.verdict for line in found.book.outliers] == [
        "takes",
        "outlier",
        "outlier",
        "never",
    ]
    assert found.valid_from == datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
