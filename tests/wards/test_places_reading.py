"""Reading places files: what they say, and every mistake with its line and what to do."""

from __future__ import annotations

import codecs
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wards import place_values
from wards.place_csv import COLUMNS, read_csv
from wards.place_entries import BedEntry, Entries, FileMistaken
from wards.place_files import LARGEST, read_places
from wards.place_yaml import read_yaml

HOSPITAL = """\
organisations:
  - {code: ICB, name: Care Board, kind: icb}
  - {code: TRU, name: Trust, kind: trust, parent: ICB}
teams:
  - {organisation: TRU, code: PHARM, name: Pharmacy}
sites:
  - code: GEN
    name: General
    kind: acute
    organisation: TRU
    wards:
      - code: W1
        name: Ward 1
        kind: inpatient
        specialty: respiratory
        sex: female
        bays:
          - {code: A, name: Bay A, sex: female, beds: 3, features: [oxygen, telemetry]}
          - {code: SR1, beds: [{label: "07", features: [side_room]}, {label: NO}]}
          - {code: E, beds: 2, funding: escalation}
        beds:
          - chair-1
          - {count: 2, kind: trolley}
      - {code: V, name: Virtual, kind: virtual, beds: 2}
"""


def reading(text: str) -> Entries:
    entries = read_yaml(text)
    entries.check_repeats()
    return entries


def told(entries: Entries) -> list[str]:
    return [str(mistake) for mistake in sorted(entries.mistakes)]


def the_mistake(text: str) -> str:
    (only,) = told(reading(text))
    return only


def bed(entries: Entries, label: str) -> BedEntry:
    (found,) = [b for b in entries.beds if b.label == label and b.ward == "W1"]
    return found


def test_a_hospital_is_read_as_it_is_written() -> None:
    entries = reading(HOSPITAL)
    assert told(entries) == []
    assert [(o.code, o.parent) for o in entries.organisations] == [("ICB", None), ("TRU", "ICB")]
    assert [(t.organisation, t.code, t.name) for t in entries.teams] == [
        ("TRU", "PHARM", "Pharmacy")
    ]
    assert [(s.code, s.kind, s.organisation) for s in entries.sites] == [("GEN", "acute", "TRU")]
    ward = entries.wards[0]
    assert (ward.site, ward.kind, ward.specialty, ward.sex) == (
        "GEN", "inpatient", "respiratory", "female",
    )  # fmt: skip
    assert [(b.code, b.sex) for b in entries.bays] == [("A", "female"), ("SR1", None), ("E", None)]


def test_beds_are_numbered_on_through_the_ward_and_labels_stay_text() -> None:
    entries = reading(HOSPITAL)
    assert [(b.bay, b.label, b.position) for b in entries.beds if b.ward == "W1"] == [
        ("A", "1", 0), ("A", "2", 1), ("A", "3", 2),
        ("SR1", "07", 3), ("SR1", "NO", 4),
        ("E", "8", 5), ("E", "9", 6),
        ("", "chair-1", 7), ("", "10", 8), ("", "11", 9),
    ]  # fmt: skip
    assert [b.label for b in entries.beds if b.ward == "V"] == ["1", "2"]


def test_a_bed_has_what_is_said_of_it_or_of_its_bay() -> None:
    entries = reading(HOSPITAL)
    assert bed(entries, "2").features == ("oxygen", "telemetry")
    assert bed(entries, "07").features == ("side_room",)
    assert bed(entries, "NO").features is None
    assert bed(entries, "8").funding == "escalation"
    assert (bed(entries, "10").kind, bed(entries, "chair-1").kind) == ("trolley", None)


def test_a_ward_can_speak_for_all_its_beds() -> None:
    entries = reading(
        "sites: [{code: G, name: G, organisation: T, wards: [{code: W1, name: W, bed_kind: cot,"
        " features: oxygen, bays: [{code: A, beds: [{count: 1, features: []}]}], beds: 1}]}]"
    )
    assert told(entries) == []
    assert [(b.kind, b.features) for b in entries.beds] == [("cot", ()), ("cot", ("oxygen",))]


def test_every_mistake_is_told_at_once_with_its_line_and_what_to_do() -> None:
    text = """\
organisations:
  - {code: T, name: Trust, kind: thrust}
  - {code: T, name: Again}
  - {name: Nameless}
sites:
  - code: G
    name: General
    organisation: T
    hospital: yes
    wards:
      - code: W1
        name: Ward 1
        kind: inpatiant
        sex: mixed
        bays:
          - {code: A, beds: 6, features: [oxigen]}
          - {code: B, beds: six}
          - {code: B, beds: [1, {label: 1}, {count: 1, label: 9}, {}, [8]]}
      - code: W1
        name: ''
      - just a name
"""
    assert told(reading(text)) == [
        "line 2, organisation T: kind “thrust” is not known; use one of icb, trust, community, "
        "council, ambulance, care_provider, other. Did you mean trust?",
        "line 3, organisation T: is there twice, first in line 2; keep one.",
        "line 4, organisation: code is missing; every one needs one.",
        "line 9, site G: the field “hospital” is not known; use one of code, name, kind, "
        "organisation, wards.",
        "line 13, site G, ward W1: kind “inpatiant” is not known; use one of emergency, "
        "assessment, inpatient, critical_care, maternity, day_case, theatre, discharge_lounge, "
        "community, virtual, reablement, care_home, clinic. Did you mean inpatient?",
        "line 14, site G, ward W1: sex “mixed” is not known; use one of any, female, male.",
        "line 16, site G, ward W1, bay A: features “oxigen” is not known; use one of side_room, "
        "ensuite, negative_pressure, oxygen, telemetry, bariatric, high_visibility, "
        "specialist_mattress, ventilator, corridor. Did you mean oxygen?",
        "line 17, site G, ward W1, bay B: beds “six” is not a number of beds from 0 to 1000; "
        "write a number, or list the beds.",
        "line 18, site G, ward W1, bay B: is there twice, first in line 17; keep one.",
        "line 18, site G, ward W1, bay B, bed: has a label and a count; give one of them.",
        "line 18, site G, ward W1, bay B, bed: has neither label nor count; give one of them.",
        "line 18, site G, ward W1, bay B, bed: needs fields such as label, count, kind, each "
        "“name: value”.",
        "line 18, site G, ward W1, bay B, bed 1: is there twice, first in line 18; keep one.",
        "line 19, site G, ward W1: is there twice, first in line 11; keep one.",
        "line 19, site G, ward W1: name is missing; every one needs one.",
        "line 21, site G, ward: needs fields such as code, name, kind, each “name: value”.",
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "the file: is empty"),
        ("# nothing\n", "the file: is empty"),
        ("- a\n- b\n", "line 1: needs fields such as organisations"),
        ("sites: none\n", "line 1: sites needs a list"),
        ("sites:\n\t- code: G\n", "line 2: this is not YAML"),
        ("sites: [\n", "this is not YAML"),
        ("sites: \x07\n", "this is not YAML"),
        ("sites:\n- &here {code: G}\n- *here\n", "line 2: anchors and aliases (& and *)"),
        ("sites: []\n---\nsites: []\n", "line 2: a second document"),
        ("sites: !!python/object/apply:os.system ['touch /tmp/x']\n", "line 1: tags are not read"),
        ("sites: !!python/name:os.system ''\n", "line 1: tags are not read"),
        ("sites: " + "[" * 5000 + "]" * 5000, "line 1: brackets are nested too deep"),
        ("sites: [" + "a," * 500_000 + "]", "line 1: the file has too many parts"),
        ("sites: [{code: {a: b}, name: N, organisation: T}]", "code needs a single value"),
        ('sites: [{code: "a\\nb", name: N, organisation: T}]', "code holds a line break"),
        (f"sites: [{{code: {'x' * 41}, name: N, organisation: T}}]", "has 41 characters; 40"),
        ("sites: [{code: G, code: H, name: N, organisation: T}]", "the field code is there twice"),
        ("sites: [{[1]: 2, code: G, name: N, organisation: T}]", "the field “” is not known"),
    ],
)  # fmt: skip
def test_a_strange_file_gets_a_plain_answer(text: str, answer: str) -> None:
    assert answer in the_mistake(text)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    started = time.monotonic()
    assert "anchors and aliases" in the_mistake("\n".join(lines))
    assert time.monotonic() - started < 1


def test_numbers_of_beds_cannot_fill_the_memory() -> None:
    bays = ", ".join(f"{{code: B{n}, beds: 1000}}" for n in range(1000))
    ward = f"{{code: W, name: W, bays: [{bays}]}}"
    entries = reading(f"sites: [{{code: G, name: G, organisation: T, wards: [{ward}]}}]")
    assert len(entries.beds) == 30_000
    assert "more than 30000 beds by here; split it by site" in told(entries)[0]
    assert "from 0 to 1000" in the_mistake(
        "sites: [{code: G, name: G, organisation: T, wards: [{code: W, name: W, beds: 1001}]}]"
    )


SHEET = """\
organisation,organisation_name,parent,site,site_name,site_kind,ward,ward_name,ward_kind,specialty,\
ward_sex,bay,bay_name,bay_sex,bed,bed_kind,funding,features
TRU,Trust,ICB,GEN,General,acute,W1,Ward 1,inpatient,respiratory,any,A,Bay A,female,1,bed,core,\
"oxygen, telemetry"
TRU,,,GEN,,,W1,,,,,A,,,2,,escalation,oxygen telemetry
TRU,,,GEN,,,W1,,,,,,,,07,chair,,
TRU,,,GEN,,,W2,Ward 2,clinic,,,,,,1,,,
"""


def sheet(text: str) -> Entries:
    entries = read_csv(text)
    entries.check_repeats()
    return entries


def test_a_sheet_says_one_bed_a_row() -> None:
    entries = sheet(SHEET)
    assert told(entries) == []
    (trust,) = entries.organisations
    assert (trust.code, trust.name, trust.parent, trust.kind) == ("TRU", "Trust", "ICB", None)
    (site,) = entries.sites
    assert (site.code, site.name, site.kind, site.organisation) == (
        "GEN",
        "General",
        "acute",
        "TRU",
    )
    assert [(w.code, w.kind, w.specialty, w.sex, w.position) for w in entries.wards] == [
        ("W1", "inpatient", "respiratory", "any", 0),
        ("W2", "clinic", None, None, 1),
    ]
    assert [(b.code, b.name, b.sex) for b in entries.bays] == [("A", "Bay A", "female")]
    assert [(b.bay, b.label, b.position, b.kind, b.funding, b.features) for b in entries.beds] == [
        ("A", "1", 0, "bed", "core", ("oxygen", "telemetry")),
        ("A", "2", 1, None, "escalation", ("oxygen", "telemetry")),
        ("", "07", 2, "chair", None, ()),
        ("", "1", 0, None, None, ()),
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_of_other_programs_are_read(separator: str, end: str) -> None:
    text = "organisation,site,ward,bed\nT,G,W,1\nT,G,W,2\n".replace(",", separator)
    entries = sheet(text.replace("\n", end))
    assert told(entries) == []
    assert [(b.label, b.line) for b in entries.beds] == [("1", 2), ("2", 3)]


def test_a_column_that_is_not_there_says_nothing() -> None:
    entries = sheet("organisation,site,ward,bed\nT,G,W,1\n")
    assert entries.beds[0].features is None
    assert entries.wards[0].name is None


def test_every_mistake_of_a_sheet_is_told_at_once() -> None:
    text = """\
organisation,site,ward,ward_name,ward_kind,bay,bed,features,colour
T,G,W1,Ward 1,inpatient,A,1,oxygen,
T,G,W1,Ward one,,A,1,oxigen,
,G,,,,A,3,,
T,H,W1,,inpatience,A,,,
T,H,W1,,,A,x,,,,,too many
"""
    assert told(sheet(text)) == [
        "line 1: the column “colour” is not known; use one of organisation, organisation_name, "
        "organisation_kind, parent, site, site_name, site_kind, ward, ward_name, ward_kind, "
        "specialty, ward_sex, bay, bay_name, bay_sex, bed, bed_kind, funding, features.",
        "line 3: features “oxigen” is not known; use one of side_room, ensuite, "
        "negative_pressure, oxygen, telemetry, bariatric, high_visibility, specialist_mattress, "
        "ventilator, corridor. Did you mean oxygen?",
        "line 3, site G, ward W1: ward_name is “Ward one” here but “Ward 1” in line 2; "
        "make them the same.",
        "line 3, site G, ward W1, bay A, bed 1: is there twice, first in line 2; keep one.",
        "line 4: the organisation is missing; every row names one.",
        "line 4: the ward is missing; every row names one.",
        "line 5: the bed is missing; every row names one.",
        "line 5: ward_kind “inpatience” is not known; use one of emergency, assessment, "
        "inpatient, critical_care, maternity, day_case, theatre, discharge_lounge, community, "
        "virtual, reablement, care_home, clinic. Did you mean inpatient?",
        "line 6: has 12 cells for 9 columns; check separators.",
    ]


def test_a_site_of_two_organisations_is_a_mistake() -> None:
    entries = sheet("organisation,site,ward,bed\nT,G,W,1\nU,G,W,2\n")
    assert "site G: organisation is “U” here but “T” in line 2" in told(entries)[0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "is empty; its first row names the columns"),
        ("\n\n", "is empty; its first row names the columns"),
        ("a bed, another\n", "the column organisation is missing"),
        ('organisation,site,ward,bed\nT,G,W,"1\n', "this is not CSV"),
        ('organisation,site,ward,bed\nT,G,"W"x,1\n', "this is not CSV"),
        ("organisation,site,ward,bed,bed\nT,G,W,1,2\n", "the column bed is there twice"),
        ('organisation,site,ward,bed\nT,G,W,"1\n2"\n', "bed holds a line break"),
        (f"organisation,site,ward,bed\nT,G,W,{'9' * 200_000}\n", "this is not CSV"),
    ],
)
def test_a_strange_sheet_gets_a_plain_answer(text: str, answer: str) -> None:
    assert any(answer in line for line in told(sheet(text)))


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (read_yaml, read_csv):
        entries = read(text)
        entries.check_repeats()
        assert entries.mistakes or not entries.beds


@given(st.text(alphabet='sites:code,name-[]{}"\n\t &*!1', max_size=120))
def test_no_near_yaml_breaks_the_reader(text: str) -> None:
    read_yaml("sites:\n" + text).check_repeats()


def written(folder: Path, data: bytes, name: str = "places.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


LITTLE = "organisation,site,ward,bed\nT,G,Wärd,1\n"


@pytest.mark.parametrize(
    "data",
    [
        LITTLE.encode(),
        codecs.BOM_UTF8 + LITTLE.encode(),
        codecs.BOM_UTF16_LE + LITTLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LITTLE.encode("utf-16-be"),
    ],
)
def test_the_marks_of_spreadsheets_are_read(tmp_path: Path, data: bytes) -> None:
    entries = read_places(written(tmp_path, data))
    assert told(entries) == []
    assert entries.wards[0].code == "Wärd"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (LITTLE.encode("latin-1"), "line 2: this is not text in UTF-8; save the file again"),
        (LITTLE.encode("utf-16-le"), "NUL character|not text in UTF-8"),
        (b"sites\n\x00", "line 2: there is a NUL character"),
        (codecs.BOM_UTF16_LE + b"a", "not text in UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "not text in UTF-8"),
    ],
)
def test_other_encodings_are_refused_with_what_to_do(
    tmp_path: Path, data: bytes, answer: str
) -> None:
    with pytest.raises(FileMistaken, match=answer):
        read_places(written(tmp_path, data))


def test_a_file_that_cannot_be_a_places_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMistaken, match="larger than 5,000,000 bytes; split it by site"):
        read_places(written(tmp_path, b"x" * (LARGEST + 1)))
    with pytest.raises(FileMistaken, match="does not exist"):
        read_places(tmp_path / "absent.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(FileMistaken, match="is a folder; name a file in it"):
        read_places(tmp_path / "folder.yaml")
    with pytest.raises(FileMistaken, match="rename it"):
        read_places(written(tmp_path, b"", "places.xlsx"))


DOCS = (Path(__file__).parents[2] / "docs" / "places.md").read_text()


def test_the_documented_example_is_read() -> None:
    (example,) = DOCS.split("```yaml\n")[1:]
    entries = reading(example.split("```")[0])
    assert told(entries) == []
    assert len(entries.beds) == 6 + 1 + 2 + 4 + 20


def test_the_documentation_names_every_word() -> None:
    rows = {
        line.split("|")[1].strip(" `"): set(re.findall("`(.*?)`", line.split("|")[2]))
        for line in DOCS.split("## Words")[1].splitlines()
        if line.startswith("| ")
    }
    assert rows["kind of an organisation"] == set(place_values.ORGANISATION_KINDS)
    assert rows["kind of a site"] == set(place_values.SITE_KINDS)
    assert rows["kind of a ward"] == set(place_values.WARD_KINDS)
    assert rows["sex"] == set(place_values.SEXES)
    assert rows["kind of a bed"] == set(place_values.BED_KINDS)
    assert rows["funding"] == set(place_values.FUNDINGS)
    assert rows["features"] == set(place_values.FEATURES)
    assert set(re.findall("`(.*?)`", DOCS.split("## CSV")[1].split("needed")[0])) == set(COLUMNS)


LADDER = """\
organisations:
  - code: TRU
    name: Trust
    escalation:
      - {after_hours: 0, title: Ward manager}
      - {after_hours: 24, title: Head of service}
sites: []
"""


def test_an_escalation_ladder_counts_from_its_first_step() -> None:
    entries = reading(LADDER)
    assert told(entries) == []
    (trust,) = entries.organisations
    assert trust.escalation is not None
    assert [(r.level, r.after_hours, r.title) for r in trust.escalation] == [
        (1, 0, "Ward manager"),
        (2, 24, "Head of service"),
    ]
    assert reading(HOSPITAL).organisations[0].escalation is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("after_hours: 24", "after_hours: 0", "put in order"),
        ("after_hours: 24", "after_hours: soon", "number of hours"),
        ("after_hours: 24, ", "", "after_hours is missing"),
        (", title: Head of service", "", "title is missing"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_told(old: str, new: str, message: str) -> None:
    mistake = the_mistake(LADDER.replace(old, new))
    assert message in mistake
    assert "organisation TRU, escalation step 2" in mistake
