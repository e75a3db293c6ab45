"""The choices of a queue as an integer programme, with all that ties them to each other.

Pure: no Django. Beds that no rule can tell apart are one column, taken as often as there are such
beds. x[i, k] says that person i takes a bed of class k. The ties:

- a person takes one bed, a class has as many as it has;
- two people between whom a hard rule about neighbours stands are not in one room;
- no more people, and no more of level 2 and 3, than the staff of a ward can look after;
- who need not be isolated takes a side room only while the ward keeps its share empty.

They hold for any part of the choice too, so that its lines can be accepted in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from wards.suitability.costing import Costs, Floats
from wards.suitability.facts import Bed, Needs, RoomKey
from wards.suitability.rulebook import RuleBook
from wards.suitability.rules import RULES, holds_on
from wards.suitability.ruling import Rule
from wards.suitability.setting import Setting

MOST_CLASSES: Final = 150
"""Classes of bed looked at for one person, the cheapest first; with more, nothing is proved."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What the solver chose, and whether nothing can be better."""

    chosen: tuple[int | None, ...]
    proved: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """That one person takes a bed of one class; `beds` are the keys of the class."""

    row: int
    beds: tuple[int, ...]


class _Programme:
    """Rows `low <= sum of coefficient * variable <= high`, gathered one by one."""

    def __init__(self, gains: Iterable[float]) -> None:
        self.gains = list(gains)
        self.entries: list[tuple[int, int, float]] = []
        self.highest: list[float] = []

    def switch(self) -> int:
        """A further variable, 0 or 1, that costs nothing."""
        self.gains.append(0.0)
        return len(self.gains) - 1

    def at_most(self, most: float, terms: Iterable[tuple[int, float]]) -> None:
        row = len(self.highest)
        self.highest.append(most)
        self.entries.extend((row, variable, by) for variable, by in terms)

    def solve(self, seconds: float) -> tuple[Floats, bool] | None:
        rows, columns, values = zip(*self.entries, strict=True)
        shape = (len(self.highest), len(self.gains))
        matrix = csr_matrix((values, (rows, columns)), shape=shape)
        result = milp(
            np.array(self.gains),
            constraints=LinearConstraint(matrix, -np.inf, np.array(self.highest)),
            bounds=Bounds(0, 1),
            integrality=np.ones(len(self.gains)),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        return None if result.x is None else (result.x, result.status == 0)


def solve(
    people: Sequence[Needs],
    setting: Setting,
    book: RuleBook,
    found: Costs,
    waiting: Floats,
    seconds: float,
) -> Solved | None:
    """The cheapest choice; None when the solver found none in time."""
    classes = _classes(found, setting)
    variables, gains, whole = _variables(classes, found, waiting)
    if not variables:
        return Solved((None,) * len(people), True)
    programme = _Programme(gains)
    _one_each(programme, variables)
    in_room, on_ward = defaultdict(list), defaultdict(list)
    for number, variable in enumerate(variables):
        bed = setting.beds[variable.beds[0]]
        in_room[bed.room].append(number)
        on_ward[bed.ward].append(number)
    _neighbours(programme, people, variables, in_room, setting, book)
    for ward, numbers in on_ward.items():
        _limits(programme, people, variables, numbers, ward, setting, book)
        _side_rooms(programme, people, variables, numbers, ward, setting, book)
    answer = programme.solve(seconds)
    if answer is None:
        return None
    taken, optimal = answer
    return Solved(_beds_of(len(people), variables, taken), optimal and whole)


def _classes(found: Costs, setting: Setting) -> list[tuple[int, tuple[int, ...]]]:
    """The first column of each class of bed, and the keys of its beds."""
    of: dict[Hashable, list[int]] = defaultdict(list)
    for column, key in enumerate(found.beds):
        bed = setting.beds[key]
        if not found.suits[:, column].any():
            continue
        like: Hashable = key
        if setting.is_empty(bed):
            like = (bed.room, bed.kind, bed.funding, bed.features, bed.state, bed.ready_at,
                    bed.chance)  # fmt: skip
        of[like].append(column)
    keys = found.beds
    return [(same[0], tuple(keys[column] for column in same)) for same in of.values()]


def _variables(
    classes: Sequence[tuple[int, tuple[int, ...]]], found: Costs, waiting: Floats
) -> tuple[list[Variable], list[float], bool]:
    """What may be chosen, what it saves (below 0) against waiting, and whether that is all."""
    variables, gains, whole = [], [], True
    columns = np.array([column for column, _ in classes], dtype=np.intp)
    for row in range(len(waiting)):
        cost = np.where(found.suits[row, columns], found.cost[row, columns], np.inf)
        order = np.argsort(cost, kind="stable")
        good = [int(k) for k in order if cost[k] < waiting[row]]
        whole = whole and len(good) <= MOST_CLASSES
        for k in good[:MOST_CLASSES]:
            variables.append(Variable(row, classes[k][1]))
            gains.append(float(cost[k] - waiting[row]))
    return variables, gains, whole


def _one_each(programme: _Programme, variables: Sequence[Variable]) -> None:
    by_row, by_class = defaultdict(list), defaultdict(list)
    for number, variable in enumerate(variables):
        by_row[variable.row].append((number, 1.0))
        by_class[variable.beds].append((number, 1.0))
    for terms in by_row.values():
        programme.at_most(1, terms)
    for beds, terms in by_class.items():
        programme.at_most(len(beds), terms)


def _neighbours(
    programme: _Programme,
    people: Sequence[Needs],
    variables: Sequence[Variable],
    in_room: dict[RoomKey, list[int]],
    setting: Setting,
    book: RuleBook,
) -> None:
    """Who cannot share a room does not: by kinds of people, each with a switch for the room."""
    rules = [rule for rule in RULES.values()
             if rule.beside and rule.code in book.lines and book.lines[rule.code].hard]  # fmt: skip
    kind_of = [tuple(rule.of_needs(needs, setting) for rule in rules) for needs in people]
    known: dict[Hashable, bool] = {}
    for numbers in in_room.values():
        free = sorted({bed for number in numbers for bed in variables[number].beds})[:2]
        if len(free) < 2:
            continue
        kinds: dict[Hashable, list[int]] = defaultdict(list)
        for number in numbers:
            kinds[kind_of[variables[number].row]].append(number)
        beds = [setting.beds[bed] for bed in free]
        apart = _apart(kinds, people, variables, beds, rules, setting, book, known)
        for one, other in apart:
            if one == other:
                programme.at_most(1, [(number, 1.0) for number in kinds[one]])
        switches = {kind: programme.switch() for pair in apart for kind in pair
                    if pair[0] != pair[1]} if apart else {}  # fmt: skip
        for kind, switch in switches.items():
            by_row = defaultdict(list)
            for number in kinds[kind]:
                by_row[variables[number].row].append((number, 1.0))
            for terms in by_row.values():
                programme.at_most(0, [*terms, (switch, -1.0)])
        for one, other in apart:
            if one != other:
                programme.at_most(1, [(switches[one], 1.0), (switches[other], 1.0)])


def _apart(
    kinds: dict[Hashable, list[int]],
    people: Sequence[Needs],
    variables: Sequence[Variable],
    beds: Sequence[Bed],
    rules: Sequence[Rule],
    setting: Setting,
    book: RuleBook,
    known: dict[Hashable, bool],
) -> list[tuple[Hashable, Hashable]]:
    """The pairs of kinds of people that may not share this room."""
    looked = [rule for rule in rules if holds_on(rule, setting.ward_of(beds[0]), book)]
    here = (setting.ward_of(beds[0]).kind, *(rule.of_bed(beds[0], setting) for rule in looked))
    names, found = list(kinds), []
    for first, one in enumerate(names):
        for other in names[first:]:
            rows = [
                sorted({variables[number].row for number in kinds[kind]}) for kind in (one, other)
            ]
            if one == other and len(rows[0]) < 2:
                continue
            pair = (people[rows[0][0]], people[rows[1][1 if one == other else 0]])
            about = (here, one, other)
            if about not in known:
                known[about] = _clash(pair, beds, looked, setting, book)
            if known[about]:
                found.append((one, other))
    return found


def _clash(
    pair: tuple[Needs, Needs],
    beds: Sequence[Bed],
    rules: Sequence[Rule],
    setting: Setting,
    book: RuleBook,
) -> bool:
    """Whether a rule refuses the one beside the other, whoever comes first."""
    for first, second in (pair, pair[::-1]):
        then = setting.placed(first, beds[0].key)
        for rule in rules:
            finding = rule.judge(second, then.beds[beds[1].key], then, book)
            if finding is not None and finding.hard:
                return True
    return False


def _limits(
    programme: _Programme,
    people: Sequence[Needs],
    variables: Sequence[Variable],
    numbers: Sequence[int],
    key: int,
    setting: Setting,
    book: RuleBook,
) -> None:
    """No more people than the ward can bear. Who takes the bed of somebody leaving adds nobody."""
    ward = setting.hospital.wards[key]
    there = setting.on_ward(key)

    def binds(code: str) -> bool:
        return code in book.lines and book.lines[code].hard and holds_on(RULES[code], ward, book)

    most = []
    if ward.most_patients is not None and binds("ward_full"):
        most.append(float(ward.most_patients))
    if ward.nurses is not None and binds("nurse_ratio"):
        most.append(np.floor(book.lines["nurse_ratio"].number("patients") * ward.nurses))
    if most:
        coming = [n for n in numbers
                  if _adds(people[variables[n].row], variables[n], setting, there)]  # fmt: skip
        programme.at_most(max(0.0, min(most) - len(there)), [(n, 1.0) for n in coming])
    if ward.most_acute is not None and binds("acuity_limit"):
        acute = {who: one for who, one in there.items() if (one.acuity or 0) >= 2}
        coming = [n for n in numbers if (people[variables[n].row].acuity or 0) >= 2
                  and _adds(people[variables[n].row], variables[n], setting, acute)]  # fmt: skip
        programme.at_most(max(0.0, ward.most_acute - len(acute)), [(n, 1.0) for n in coming])


def _adds(needs: Needs, variable: Variable, setting: Setting, counted: dict[int, Needs]) -> bool:
    """Whether they are one more among those counted."""
    if needs.key in counted:
        return False
    bed = setting.beds[variable.beds[0]]
    leaving = setting.patients.get(bed.key)
    return (
        leaving is None or leaving.key not in counted or setting.stays_elsewhere(leaving.key, bed)
    )


def _side_rooms(
    programme: _Programme,
    people: Sequence[Needs],
    variables: Sequence[Variable],
    numbers: Sequence[int],
    key: int,
    setting: Setting,
    book: RuleBook,
) -> None:
    """Who need not be isolated leaves the side rooms that are kept back."""
    line, ward = book.lines.get("side_room_kept"), setting.hospital.wards[key]
    if line is None or not line.hard or not holds_on(RULES[line.code], ward, book):
        return
    side = [n for n in numbers if setting.beds[variables[n].beds[0]].is_side_room]
    fancy = defaultdict(list)
    for number in side:
        row, bed = variables[number].row, setting.beds[variables[number].beds[0]]
        if not people[row].must_be_isolated and bed.reserved_for is None:
            fancy[row].append((number, 1.0))
    if not fancy:
        return
    kept, empty = line.number("rooms"), setting.empty_side_rooms(key)
    switch = programme.switch()
    for terms in fancy.values():
        programme.at_most(0, [*terms, (switch, -1.0)])
    taking = [(n, 1.0) for n in side if setting.is_empty(setting.beds[variables[n].beds[0]])]
    programme.at_most(empty, [*taking, (switch, kept)])


def _beds_of(people: int, variables: Sequence[Variable], taken: Floats) -> tuple[int | None, ...]:
    chosen: list[int | None] = [None] * people
    left: dict[tuple[int, ...], list[int]] = {}
    for number, variable in enumerate(variables):
        if taken[number] > 0.5:
            rest = left.setdefault(variable.beds, list(variable.beds))
            chosen[variable.row] = rest.pop(0)
    return tuple(chosen)
