from collections import Counter
from pathlib import Path

import pytest

from simulation.places import NORTHMOOR, Places, PlacesError, load


@pytest.fixture(scope="module")
def northmoor() -> Places:
    return load(NORTHMOOR)


def test_northmoor_has_about_a_thousand_acute_beds_in_two_hospitals(northmoor: Places) -> None:
    core = Counter(
        ward.site
        for ward in northmoor.wards
        if ward.is_acute
        for bed in ward.beds
        if not bed.is_escalation
    )
    assert northmoor.acute_sites == ("NGH", "ERH")
    assert 560 <= core["NGH"] <= 640
    assert 360 <= core["ERH"] <= 440


def test_northmoor_has_every_kind_of_place(northmoor: Places) -> None:
    kinds = Counter(ward.kind for ward in northmoor.wards)
    assert kinds["inpatient"] >= 30
    assert kinds["emergency"] == 2
    assert kinds["assessment"] == 6
    assert kinds["critical_care"] >= 2
    assert kinds["discharge_lounge"] == 2
    assert kinds["day_case"] == 2
    assert kinds["community"] >= 2
    assert kinds.keys() >= {"virtual", "reablement", "care_home"}


def test_a_bed_has_one_label_in_its_ward(northmoor: Places) -> None:
    for ward in northmoor.wards:
        labels = [bed.label for bed in ward.beds]
        assert len(labels) == len(set(labels)), ward.code


def test_bays_hold_patients_of_one_sex_and_side_rooms_one_patient(northmoor: Places) -> None:
    for ward in northmoor.wards:
        if ward.kind not in ("inpatient", "assessment") or ward.specialty == "paediatrics":
            continue
        rooms = Counter(bed.room for bed in ward.beds)
        for bed in ward.beds:
            if bed.is_side_room:
                assert rooms[bed.room] == 1
            elif not bed.is_escalation:
                assert bed.sex in ("female", "male")
                assert 3 <= rooms[bed.room] <= 6


def test_escalation_beds_are_few_and_marked(northmoor: Places) -> None:
    beds = [bed for ward in northmoor.wards if ward.is_acute for bed in ward.beds]
    assert 10 <= sum(bed.is_escalation for bed in beds) <= 50


def test_beds_given_as_list_number_or_under_the_ward_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "places.yaml"
    path.write_text(
        """
sites:
  - code: S
    name: Somewhere
    organisation: ORG
    wards:
      - code: S-1
        name: One
        kind: inpatient
        bays:
          - {code: A, beds: 2, sex: female, features: [oxygen]}
          - {code: SR, beds: [{label: X, features: [side_room]}, Y]}
        beds: 1
"""
    )
    beds = load(path).ward("S-1").beds
    assert [(b.room, b.label, b.sex) for b in beds] == [
        ("A", "1", "female"), ("A", "2", "female"), ("SR", "X", "any"), ("SR", "Y", "any"),
        ("", "5", "any"),
    ]  # fmt: skip
    assert beds[2].is_side_room


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("sites: [", "is not YAML"),
        ("wards: []", "a list called `sites`"),
        ("sites: [{code: S, organisation: O, wards: [{code: W1}]}]", "ward 'W1'"),
        ("sites: [{code: S, wards: [{code: W1, kind: inpatient}]}]", "'organisation'"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_it_is_wrong(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "places.yaml"
    path.write_text(content)
    with pytest.raises(PlacesError, match=told):
        load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlacesError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
