"""Which neighbourhood somebody belongs to."""

from __future__ import annotations

import pytest

from patients.home_areas import Areas, as_code, halves

AREAS = Areas.of(
    [
        ("north", True, "A81001"),
        ("north", False, "QZ1"),
        ("east", False, "QZ1 4"),
        ("west", False, "QZ12"),
    ]
)


@pytest.mark.parametrize(
    ("practice", "postcode", "area"),
    [
        ("A81001", "", "north"),
        ("a81001 ", "QZ12 3AB", "north"),
        ("B00000", "QZ12 3AB", "west"),
        ("", "QZ1 2AB", "north"),
        ("", "qz12ab", "north"),
        ("", "QZ1 4AB", "east"),
        ("", "QZ123AB", "west"),
        ("", "QZ2 1AA", ""),
        ("", "QZ1", ""),
        ("", "", ""),
        ("", "ZZ99 3VZ", ""),
    ],
)
def test_the_practice_decides_then_the_smaller_area(
    practice: str, postcode: str, area: str
) -> None:
    assert AREAS.find(practice, postcode) == area


def test_a_district_is_not_taken_for_a_longer_one() -> None:
    assert halves("QZ1 2AB") == ("QZ1", "QZ1 2")
    assert halves("QZ12 2AB") == ("QZ12", "QZ12 2")
    assert halves("EC1A 1BB") == ("EC1A", "EC1A 1")


@pytest.mark.parametrize("text", ["QZ1", "qz1  4", "EC1A", "M1 1"])
def test_districts_and_sectors_are_codes(text: str) -> None:
    assert as_code(text, is_practice=False) == " ".join(text.upper().split())


@pytest.mark.parametrize("text", ["", "Northmoor", "QZ", "QZ1 4AB", "123", "QZ1-4"])
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="postcode district"):
        as_code(text, is_practice=False)
