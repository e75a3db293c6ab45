"""Which neighbourhood somebody belongs to. Pure: no Django.

Neighbourhood teams look after the people registered with their general practices (NHS England,
Neighbourhood health guidelines 2025/26), so the practice decides where it is known to a
neighbourhood, and else the postcode of the home.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_INWARD = 3
"""Characters of the second half of a postcode."""


@dataclass(frozen=True, slots=True)
class Areas:
    """What each neighbourhood covers. practices: by code of the general practice; postcodes: by
    district (`QZ1`) or sector (`QZ1 4`)."""

    practices: dict[str, str] = field(default_factory=dict)
    postcodes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, bool, str]]) -> Areas:
        """From rows of slug, whether the code is that of a practice, and the code."""
        areas = cls()
        for slug, is_practice, code in rows:
            (areas.practices if is_practice else areas.postcodes)[code] = slug
        return areas

    def find(self, practice: str, postcode: str) -> str:
        """Slug of the neighbourhood; empty for none. The smaller area of a postcode wins."""
        if found := self.practices.get(practice.strip().upper()):
            return found
        district, sector = halves(postcode)
        return self.postcodes.get(sector) or self.postcodes.get(district) or ""


def halves(postcode: str) -> tuple[str, str]:
    """District and sector of a whole postcode; both empty for what is none."""
    bare = "".join(postcode.upper().split())
    if len(bare) <= _INWARD + 1 or not bare[-_INWARD].isdigit():
        return "", ""
    district = bare[:-_INWARD]
    return district, f"{district} {bare[-_INWARD]}"


def as_code(text: str, *, is_practice: bool) -> str:
    """A code as it is kept: of a postcode, district or sector with one space between.

    Raises ValueError for what is no district or sector.
    """
    said = " ".join(text.upper().split())
    if is_practice:
        if not said:
            raise ValueError("a practice needs a code")
        return said
    district, _space, sector = said.partition(" ")
    letters = district.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    fits = (
        2 <= len(district) <= 4
        and district.isalnum()
        and district[0].isalpha()
        and any(c.isdigit() for c in letters)
        and (not sector or (len(sector) == 1 and sector.isdigit()))
    )
    if not fits:
        raise ValueError(f"“{text}” is no postcode district (QZ1) or sector (QZ1 4)")
    return said
