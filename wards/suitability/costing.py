"""What every bed costs everybody of a queue, as arrays. Pure: no Django.

The same functions as in `judging`, asked once for all people and all beds that are alike in what a
rule looks at, and spread out; so 100 people and 1,000 beds are a matter of a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wards.suitability.facts import Bed, Needs
from wards.suitability.findings import Finding
from wards.suitability.rulebook import RuleBook
from wards.suitability.rules import holding, holds_on
from wards.suitability.ruling import Rule
from wards.suitability.setting import Setting

Floats = NDArray[np.float64]
Counts = NDArray[np.int16]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Costs:
    """By person (row) and bed (column).

    beds: keys of the columns. cost: as `Judgement.cost`. refusals: how many rules refuse. fixed:
    how many of these nobody may override.
    """

    beds: tuple[int, ...]
    cost: Floats
    refusals: Counts
    fixed: Counts

    @property
    def suits(self) -> NDArray[np.bool_]:
        suits: NDArray[np.bool_] = self.refusals == 0
        return suits


def costs(
    queue: Sequence[Needs],
    setting: Setting,
    book: RuleBook,
    beds: Sequence[int] | None = None,
) -> Costs:
    """What each bed costs each person; all beds of the setting, or these."""
    keys = tuple(setting.beds) if beds is None else tuple(beds)
    columns = [setting.beds[key] for key in keys]
    cost = np.zeros((len(queue), len(keys)))
    refusals = np.zeros(cost.shape, dtype=np.int16)
    fixed = np.zeros(cost.shape, dtype=np.int16)
    for rule in holding(book) if queue and keys else ():
        costly, refused, for_good = _table(rule, queue, columns, setting, book)
        cost += costly
        refusals += refused
        fixed += for_good
    return Costs(keys, cost, refusals, fixed)


def _classes(items: Sequence[T], key: Callable[[T], Hashable]) -> tuple[list[T], NDArray[np.intp]]:
    """One of each class, and the class of each."""
    numbers: dict[Hashable, int] = {}
    firsts: list[T] = []
    of = np.empty(len(items), dtype=np.intp)
    for place, item in enumerate(items):
        name = key(item)
        number = numbers.get(name)
        if number is None:
            number = numbers[name] = len(firsts)
            firsts.append(item)
        of[place] = number
    return firsts, of


def _table(
    rule: Rule, queue: Sequence[Needs], beds: Sequence[Bed], setting: Setting, book: RuleBook
) -> tuple[Any, Any, Any]:
    """What one rule says of all: cost, refusal, and refusal without override."""
    people, row = _classes(queue, lambda needs: rule.of_needs(needs, setting))
    if rule.beside:
        # Whoever stands for a class is nobody in the setting, so that all in a room count.
        nobody = min((0, *setting.holding)) - 1
        people = [replace(needs, key=nobody) for needs in people]
    exempt = {key: not holds_on(rule, ward, book) for key, ward in setting.hospital.wards.items()}
    places, column = _classes(
        beds, lambda bed: None if exempt[bed.ward] else (rule.of_bed(bed, setting),)
    )
    found = np.zeros((3, len(people), len(places)))
    for p, bed in enumerate(places):
        if not exempt[bed.ward]:
            for n, needs in enumerate(people):
                found[:, n, p] = _told(rule.judge(needs, bed, setting, book))
    if not found.any():
        spread = np.zeros((3, len(queue), len(beds)))
    else:
        spread = found[:, row[:, None], column[None, :]]
    if rule.beside:
        _mend_those_there(rule, queue, beds, setting, book, exempt, spread)
    return spread[0], spread[1].astype(np.int16), spread[2].astype(np.int16)


def _told(finding: Finding | None) -> tuple[float, bool, bool]:
    if finding is None:
        return 0.0, False, False
    return finding.cost, finding.hard, finding.hard and not finding.overridable


def _mend_those_there(
    rule: Rule,
    queue: Sequence[Needs],
    beds: Sequence[Bed],
    setting: Setting,
    book: RuleBook,
    exempt: dict[int, bool],
    spread: Floats,
) -> None:
    """Ask again of whoever is in the room already: nobody is their own neighbour, which the
    classes do not know."""
    columns = {bed.key: place for place, bed in enumerate(beds)}
    for row, needs in enumerate(queue):
        rooms = {setting.beds[bed].room for bed in setting.holding.get(needs.key, ())}
        for key in (key for room in rooms for key in setting.hospital.rooms[room]):
            place = columns.get(key)
            if place is not None and not exempt[beds[place].ward]:
                spread[:, row, place] = _told(rule.judge(needs, beds[place], setting, book))
