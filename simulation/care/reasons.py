"""Reasons why discharges wait, with how often each is given in England, as data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import yaml

FILE: Final = Path(__file__).with_name("reasons.yaml")
_UNCLEAR: Final = 0.05
FAMILIES: Final = ("hospital", "wellbeing", "hub", "interface", "capacity")


@dataclass(frozen=True, slots=True)
class Reason:
    """A national delay reason. `team` is organisation/team, "" for the usual one; `unclear` how
    often nobody says whose step it is."""

    slug: str
    family: str
    weight: float
    pathways: frozenset[int]
    team: str = ""
    unclear: float = _UNCLEAR

    @property
    def weight_on_a_pathway(self) -> float:
        """Its part on one of its pathways: the national counts are of all of them together."""
        return self.weight / len(self.pathways)


@cache
def reasons() -> tuple[Reason, ...]:
    """All reasons of the file."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Reason(
            slug=entry["slug"],
            family=entry["family"],
            weight=float(entry["weight"]),
            pathways=frozenset(entry["pathways"]),
            team=entry.get("team", ""),
            unclear=float(entry.get("unclear", _UNCLEAR)),
        )
        for entry in content["reasons"]
    )


def reason_named(slug: str) -> Reason:
    """The reason of this slug. Raises KeyError for one that the file has not."""
    for reason in reasons():
        if reason.slug == slug:
            return reason
    raise KeyError(slug)


def fitting(pathway: int, families: Collection[str]) -> Sequence[Reason]:
    """The reasons of some families that somebody on a pathway can have."""
    return [r for r in reasons() if r.family in families and pathway in r.pathways]


def drawn(
    draw: Random, pathway: int, *families: str, without: Collection[str] = ()
) -> Reason | None:
    """One of them by weight; None where there is none left."""
    options = [r for r in fitting(pathway, families) if r.slug not in without]
    if not options:
        return None
    return draw.choices(options, [r.weight_on_a_pathway for r in options])[0]


def national_shares() -> dict[str, float]:
    """The part of each family in the national counts."""
    whole = sum(reason.weight for reason in reasons())
    return {
        family: sum(r.weight for r in reasons() if r.family == family) / whole
        for family in FAMILIES
    }
