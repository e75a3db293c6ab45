"""Whom a message is about: which number names the record, and what is said of the person."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from interop.hl7v2.people import Notes, details, numbers_of, person_key, prior_keys
from interop.hl7v2.timestamps import Clock
from patients.keys import Details, PersonKey
from tests.interop.building import LONDON, adt, parsed, segment

VALID, INVALID = "9990000018", "9990000019"


def key(**pid: str) -> PersonKey | None:
    found = parsed(adt("A01", mrn="", pid=pid)).first("PID")
    assert found is not None
    return person_key(numbers_of(found), "PAS")


def described(*more: str, **pid: str) -> tuple[Details, list[str]]:
    message = parsed(adt("A31", *more, visit="", pid={"f5": "", **pid}))
    found = message.first("PID")
    assert found is not None
    notes = Notes()
    known = numbers_of(found)
    named = person_key(known, "PAS")
    assert named is not None
    pd1 = message.first("PD1")
    return details(found, pd1, known, named, "PAS", Clock(LONDON), notes), notes.said


@pytest.mark.parametrize(
    ("pid3", "wanted"),
    [
        ("M1^^^RNM^MR", PersonKey("RNM", "M1")),
        ("M1^^^RNM&1.2.3&ISO^MR", PersonKey("RNM", "M1")),
        ("M1^^^&1.2.3&ISO^MR", PersonKey("1.2.3", "M1")),
        ("M1", PersonKey("PAS", "M1")),
        ("M1^5^M11^^MR^Special Hospital", PersonKey("PAS", "M1")),
        (f"{VALID}^^^NHS^NH~M1^^^RNM^MR", PersonKey("RNM", "M1")),
        ("2590157853^^^SIMULATOR MRN^MRN~2478684691^^^NHSNBR^NHSNMBR",
         PersonKey("SIMULATOR MRN", "2590157853")),
        ("123^^^USSSA^SS~M1^^^RNM^PI", PersonKey("RNM", "M1")),
        ("P1^5^M11^ADT1^GOOD HEALTH HOSPITAL~123456789^^^^^USSSA^", PersonKey("ADT1", "P1")),
        ("1^^^^SR~2^^^^LR~3^^^^MR~4^^^^SS", PersonKey("PAS", "3")),
        ("^^^MR^SSS~M2^^^MR", PersonKey("MR", "M2")),
        ("E1^^^EHRID^EPI~M1^^^RNM^MR", PersonKey("RNM", "M1")),
        ("X1^^^PK^PK", PersonKey("PK", "X1")),
        ("123~456~", PersonKey("PAS", "123")),
        (f"{VALID[:3]} {VALID[3:6]} {VALID[6:]}^^^^NH", PersonKey("NHS", VALID)),
        (f"{VALID}^^^2.16.840.1.113883.2.1.4.1&2.16.840.1.113883.2.1.4.1&ISO",
         PersonKey("NHS", VALID)),
        (f"{VALID}^^^&https://fhir.nhs.uk/Id/nhs-number&URI^NH", PersonKey("NHS", VALID)),
        (f"{INVALID}^^^NHS^NH", PersonKey("NHS", INVALID)),
        ("7^^^CANON^JHN", PersonKey("CANON", "7")),
        ('""~M1^^^RNM^MR', PersonKey("RNM", "M1")),
    ],
)  # fmt: skip
def test_the_record_is_named_by_a_local_number_before_any_other(
    pid3: str, wanted: PersonKey
) -> None:
    assert key(f3=pid3) == wanted


def test_older_fields_are_used_where_pid_3_has_no_local_number() -> None:
    assert key(f2="P2^^^RNM", f3=f"{VALID}^^^NHS^NH") == PersonKey("RNM", "P2")
    assert key(f4="P4") == PersonKey("PAS", "P4")
    assert key(f18="ACC1^^^X") == PersonKey("PAS account", "ACC1")
    assert key(f3='""', f18='""') is None
    assert key() is None


def test_the_numbers_that_a_merge_gives_up() -> None:
    def prior(*fields: str) -> list[PersonKey]:
        numbered = {f"f{number}": value for number, value in enumerate(fields, start=1)}
        mrg = parsed(adt("A40", segment("MRG", **numbered))).first("MRG")
        assert mrg is not None
        return prior_keys(mrg, "PAS")

    assert prior("M2^^^RNM^MR~M3^^^RNM^MR~9990000018^^^NHS^NH") == [
        PersonKey("RNM", "M2"),
        PersonKey("RNM", "M3"),
    ]
    assert prior("", "", "", "P4^^^RNM") == [PersonKey("RNM", "P4")]
    assert prior("9990000018^^^NHS^NH") == [PersonKey("NHS", VALID)]
    assert prior("", "", "ACC") == []


def test_everything_said_of_a_person_is_read() -> None:
    found, notes = described(
        segment("PD1", f3="ABBEY SURGERY^^X12345", f12="Y"),
        f3=f"M1^^^RNM^MR~{VALID}^^^NHS^NH",
        f5="O\\T\\NEILL^ANN^B^^MS^^L~ALIAS^A^^^^^A",
        f7="19610615",
        f8="F",
        f11="1 HIGH ST^^TOWN^^AB1 2CD^^B~2 LOW ST^^TOWN^^AB9 9ZZ^^H",
        f29="20260101120000",
        f30="Y",
    )
    assert found.values == {
        "family_name": "O&NEILL",
        "given_name": "ANN",
        "title": "MS",
        "date_of_birth": date(1961, 6, 15),
        "sex": "female",
        "postcode": "AB9 9ZZ",
        "gp_practice": "X12345",
        "is_restricted": True,
        "died_at": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "nhs_number": VALID,
    }
    assert [(i.authority, i.value, i.kind) for i in found.identifiers] == [("NHS", VALID, "NH")]
    assert notes == []


def test_a_null_takes_a_value_back_and_silence_leaves_it() -> None:
    found, _ = described(
        segment("PD1", f3='""', f12='""'),
        f5='""',
        f7='""',
        f8='""',
        f11='""',
        f29='""',
    )
    assert found.values == {
        "family_name": None,
        "given_name": None,
        "title": None,
        "date_of_birth": None,
        "sex": None,
        "postcode": None,
        "gp_practice": None,
        "died_at": None,
        "is_restricted": False,
    }
    silent, _ = described()
    assert silent.values == {}


def test_part_of_a_name_may_be_taken_back() -> None:
    found, _ = described(f5='SMITH^""')
    assert found.values == {"family_name": "SMITH", "given_name": None}


def test_the_name_in_use_is_taken_before_an_alias() -> None:
    found, _ = described(f5="OLD^NAME^^^^^M~NEW^NAME^^^^^L")
    assert found.values["family_name"] == "NEW"


@pytest.mark.parametrize(
    ("code", "sex"),
    [("M", "male"), ("female", "female"), ("1", "male"), ("2", "female"), ("9", "other")],
)
def test_sexes_are_known_by_several_codes(code: str, sex: str) -> None:
    assert described(f8=code)[0].values["sex"] == sex


def test_what_cannot_be_read_is_noted_and_not_guessed() -> None:
    found, notes = described(
        f3=f"M1^^^RNM^MR~{INVALID}^^^NHS^NH",
        f7="female",
        f8="19600101",
        f29="soon",
    )
    assert found.values == {}
    assert len(notes) == 4
    assert not any("soon" in note or INVALID in note or "female" in note for note in notes)
    assert [i.value for i in found.identifiers] == [INVALID]


def test_a_year_is_no_date_of_birth() -> None:
    found, notes = described(f7="1961")
    assert "date_of_birth" not in found.values
    assert notes


def test_a_birth_is_on_the_day_that_was_written_whatever_the_zone() -> None:
    assert described(f7="19880818112600+0215")[0].values["date_of_birth"] == date(1988, 8, 18)
    assert described(f7="19880701000000")[0].values["date_of_birth"] == date(1988, 7, 1)


def test_death_without_a_time_is_noted_and_not_dated() -> None:
    found, notes = described(f30="Y")
    assert "died_at" not in found.values
    assert notes
    assert described(f30="N")[0].values["died_at"] is None
    assert "died_at" not in described(f29="20260101", f30="N")[0].values


def test_long_values_are_cut_to_what_can_be_kept() -> None:
    found, _ = described(f5="X" * 500 + "^" + "Y" * 500)
    assert (len(str(found.values["family_name"])), len(str(found.values["given_name"]))) == (
        200,
        200,
    )


def test_other_numbers_are_kept_once_each() -> None:
    found, _ = described(f2="P2^^^OLD", f3="M1^^^RNM^MR~E1^^^EMPI^EPI~E1^^^EMPI^EPI", f4="P4")
    assert [(i.authority, i.value, i.kind) for i in found.identifiers] == [
        ("EMPI", "E1", "EPI"),
        ("OLD", "P2", ""),
        ("PAS", "P4", ""),
    ]
