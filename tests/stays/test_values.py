"""How single values may be written, and what they mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wards import stay_values as values


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-03-01T08:00", utc(2025, 3, 1, 8)),
        ("2025-03-01 08:00:00", utc(2025, 3, 1, 8)),
        ("2025-07-01T08:00", utc(2025, 7, 1, 7)),  # British Summer Time
        ("2025-07-01T08:00Z", utc(2025, 7, 1, 8)),
        ("2025-07-01 08:00:00+00:00", utc(2025, 7, 1, 8)),
        ("2025-07-01T08:00:00.500+02:00", utc(2025, 7, 1, 6, 0, 0, 500_000)),
        ("2025-07-01", utc(2025, 6, 30, 23)),
        ("2025/03/01 8:05", utc(2025, 3, 1, 8, 5)),
        ("2025-3-1 8:05 UTC", utc(2025, 3, 1, 8, 5)),
        ("20250301T0800", utc(2025, 3, 1, 8)),
        ("2025-03-01T24:00", utc(2025, 3, 2)),
    ],
)
def test_times_are_read_as_people_and_programs_write_them(written: str, meant: datetime) -> None:
    assert values.moment(written) == meant


def test_a_time_that_never_was_is_read_as_if_the_clocks_had_not_changed_yet() -> None:
    assert values.moment("2025-03-30T01:30") == utc(2025, 3, 30, 1, 30)


def test_an_hour_that_comes_twice_is_the_first_unless_that_is_too_early() -> None:
    assert values.moment("2025-10-26T01:30") == utc(2025, 10, 26, 0, 30)
    begun = values.moment("2025-10-26T01:40")
    assert values.moment("2025-10-26T01:10", after=begun) == utc(2025, 10, 26, 1, 10)
    # With an offset nothing has to be settled, however early it is.
    assert values.moment("2025-10-26T01:10+01:00", after=begun) == utc(2025, 10, 26, 0, 10)


@pytest.mark.parametrize(
    "written",
    ["", "01/03/2025 08:00", "yesterday", "2025-02-30", "2025-03-01T25:00", "45717.5", "08:00",
     "2025", "2025-03-01T08:61", "2025-03-01T08:00+99:00"],
)  # fmt: skip
def test_what_cannot_be_meant_for_sure_is_no_time(written: str) -> None:
    with pytest.raises(ValueError, match="write it as 2025-03-01T08:00"):
        values.moment(written)


@pytest.mark.parametrize("written", ["0025-03-01", "1899-12-31", "9999-12-31", "2100-01-01"])
def test_years_nobody_meant_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="correct the year"):
        values.moment(written)


@pytest.mark.parametrize("written", ["1", "true", "TRUE", "Yes", "y", "T", "1.0"])
def test_yes(written: str) -> None:
    assert values.flag(written) is True


@pytest.mark.parametrize("written", ["0", "false", "No", "n", "F", "0.0", "", "NA", "NaN"])
def test_no(written: str) -> None:
    assert values.flag(written) is False


def test_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ValueError, match="neither yes nor no"):
        values.flag("maybe")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("M", "male"), ("female", "female"), ("1", "male"), ("2", "female"), ("9", "other"),
     ("0", "unknown"), ("X", "unknown"), ("", "unknown"), ("1.0", "male")],
)  # fmt: skip
def test_sex(written: str, meant: str) -> None:
    assert values.sex(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("78", "78"), ("78.0", "78"), ("0.5", "0.5"), ("0,25", "0.25"), ("", ""), ("nan", ""),
     ("-0", "0")],
)  # fmt: skip
def test_age(written: str, meant: str) -> None:
    assert values.age(written) == meant


@pytest.mark.parametrize("written", ["-1", "131", "90+", "old", "inf", "1e9"])
def test_no_age(written: str) -> None:
    with pytest.raises(ValueError, match="number of years"):
        values.age(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("0", 0), ("P1", 1), ("p2", 2), ("Pathway 3", 3), ("1.0", 1), ("", None)]
)
def test_pathway(written: str, meant: int | None) -> None:
    assert values.pathway(written) == meant


@pytest.mark.parametrize("written", ["4", "P", "-1", "home"])
def test_no_pathway(written: str) -> None:
    with pytest.raises(ValueError, match="P0 to P3"):
        values.pathway(written)


def test_a_flag_or_a_time() -> None:
    assert values.flag_or_moment("yes") is True
    assert values.flag_or_moment("0") is False
    assert values.flag_or_moment("") is None
    assert values.flag_or_moment("2025-03-01") == utc(2025, 3, 1)
    with pytest.raises(ValueError, match="neither yes, no nor a time"):
        values.flag_or_moment("ready")


def test_plain_words_for_an_admission_are_counted_like_the_codes_of_feeds() -> None:
    assert values.admission_method("Emergency") == "E"
    assert values.admission_method("elective") == "C"
    assert values.admission_method("2A") == "2A"


@pytest.mark.parametrize(
    ("parse", "written"),
    [
        (values.site, "A/B"),
        (values.site, ".."),
        (values.site, ""),
        (values.site, "S" * 41),
        (values.ward, "a/../b"),
        (values.ward, "W" * 101),
        (values.ward, "W\x071"),
        (values.number, "E" * 101),
        (values.number, ""),
        (values.specialty, "x\u2028y"),
    ],
)
def test_codes_that_cannot_be_stored_or_be_part_of_an_address_are_refused(
    parse: object, written: str
) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(written)  # type: ignore[operator]


def test_no_reason_repeats_what_the_file_says() -> None:
    for parse in (
        values.moment, values.flag, values.flag_or_moment, values.sex, values.age, values.pathway,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r".") as caught:
            parse("SMITH 9990000018")
        assert "SMITH" not in str(caught.value)
        assert caught.value.__cause__ is None
