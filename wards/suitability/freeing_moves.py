"""Which moves of patients already in beds would free the most for those without one.

Pure: no Django. Three sorts are looked for: one patient moves to an empty bed; two patients swap,
so that a bay is of one sex or one infection again and its empty beds can be used; and a patient
swaps with somebody who waits in a bed for another. Every step and every bed gained is judged by
the rule book in order, so none breaks a hard rule. Nobody is moved who is near the end of life, of
level 2 or 3, about to leave, or already asked for elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from wards.suitability.allocating import waiting_cost
from wards.suitability.costing import costs
from wards.suitability.facts import BedState, NeedKind, Needs
from wards.suitability.judging import Judgement, judge
from wards.suitability.rulebook import RuleBook
from wards.suitability.rules import RULES
from wards.suitability.ruling import bed_name, ward_name
from wards.suitability.setting import Setting

MOVE: Final = "move"
SWAP: Final = "swap"
EXCHANGE: Final = "exchange"

_MOVES_TRIED: Final = 60
_BEDS_EACH: Final = 3
_PARTNERS: Final = 30
_LEVEL_2: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A patient leaves one bed for another. person: the key of their needs."""

    person: int
    from_bed: int
    to_bed: int
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """A request that gets a bed by it."""

    request: int
    bed: int
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeingMove:
    """Moves that free beds, in the order in which to make them.

    kind: "move", "swap" or "exchange" (with somebody of the queue). gain: what it saves in the
    units of the book: the waiting that ends, less what the beds and the moves cost.
    """

    kind: str
    steps: tuple[Step, ...]
    then: tuple[Gained, ...]
    gain: float
    text: str


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked through: who waits, most urgent first, and who may be moved, by bed."""

    unplaced: tuple[Needs, ...]
    waiting: dict[int, float]
    movers: dict[int, Needs]
    setting: Setting
    book: RuleBook
    until: float

    @property
    def over(self) -> bool:
        return time.monotonic() > self.until

    def emptied(self, setting: Setting, bed: int) -> Setting:
        """With the bed left, and clean after a while."""
        clean = timedelta(hours=self.book.cleaning_hours)
        return setting.vacated(bed, ready_at=self.setting.at + clean)

    def now(self, bed: int) -> float:
        """What it costs that the patient lies where they lie."""
        return judge(self.movers[bed], self.setting.beds[bed], self.setting, self.book).cost


def freeing_moves(
    unplaced: Sequence[Needs],
    setting: Setting,
    book: RuleBook,
    *,
    limit: int = 10,
    time_limit: float = 1.0,
) -> list[FreeingMove]:
    """The moves and swaps that gain most, best first, each for itself.

    unplaced: requests without a bed in this setting; after a proposal, those it leaves over in its
    `after`. Stops looking after about `time_limit` seconds.
    """
    ordered = sorted(unplaced, key=lambda n: (n.priority, n.since or setting.at, n.key))
    search = _Search(
        unplaced=tuple(ordered),
        waiting={needs.key: waiting_cost(needs, setting, book) for needs in ordered},
        movers=_movers(ordered, setting),
        setting=setting,
        book=book,
        until=time.monotonic() + time_limit,
    )
    if not ordered or not search.movers:
        return []
    found: dict[tuple[str, frozenset[int]], FreeingMove] = {}
    for one in (*_exchanges(search), *_moves(search), *_swaps(search)):
        name = (one.kind, frozenset(step.person for step in one.steps))
        if name not in found or one.gain > found[name].gain:
            found[name] = one
    ranked = sorted(found.values(), key=lambda one: (-one.gain, len(one.steps), one.text))
    return ranked[:limit]


def _movers(unplaced: Iterable[Needs], setting: Setting) -> dict[int, Needs]:
    asked = {needs.key for needs in unplaced} | {needs.key for needs in setting.coming.values()}
    return {
        bed: replace(who, kind=NeedKind.WARD_MOVE, place=setting.where(bed), wanted_ward=None)
        for bed, who in setting.patients.items()
        if who.key not in asked
        and not who.end_of_life
        and (who.acuity or 0) < _LEVEL_2
        and setting.beds[bed].ready_at is None
        and setting.beds[bed].state == BedState.OCCUPIED
        and setting.beds[bed].reserved_for is None
    }


def _if_left(search: _Search) -> tuple[list[int], np.ndarray]:
    """The beds of those who may be moved, and what each would save each request if it were left:
    by request (row) and bed, minus infinity where it would not suit."""
    beds = dict(search.setting.beds)
    ready = search.setting.at + timedelta(hours=search.book.cleaning_hours)
    for key in search.movers:
        beds[key] = replace(beds[key], state=BedState.NEEDS_CLEANING, ready_at=ready)
    keys = list(search.movers)
    found = costs(search.unplaced, replace(search.setting, beds=beds), search.book, keys)
    waiting = np.array([search.waiting[needs.key] for needs in search.unplaced])
    return keys, np.where(found.suits, waiting[:, None] - found.cost, -np.inf)


def _moves(search: _Search) -> Iterator[FreeingMove]:
    """One patient to an empty bed."""
    empty = [bed.key for bed in search.setting.beds.values() if search.setting.is_empty(bed)]
    keys, saved = _if_left(search)
    most = dict(zip(keys, saved.max(axis=0).tolist(), strict=True))
    for bed, gain in _blockers(search).items():
        most[bed] = max(most[bed], gain)
    worth = [bed for bed in keys if most[bed] > search.book.move]
    if not empty or not worth:
        return
    found = costs([search.movers[bed] for bed in worth], search.setting, search.book, empty)
    cost = np.where(found.suits, found.cost, np.inf)
    pairs = [
        (most[bed] - cost[row, column], bed, empty[column])
        for row, bed in enumerate(worth)
        for column in np.argsort(cost[row], kind="stable")[:_BEDS_EACH]
        if np.isfinite(cost[row, column])
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    for _, bed, to in pairs[:_MOVES_TRIED]:
        if search.over:
            return
        one = _checked(search, MOVE, ((bed, to),))
        if one is not None:
            yield one


def _blockers(search: _Search) -> dict[int, float]:
    """Beds whose patient alone keeps a request out of an empty bed in the same room, by what is
    saved without them."""
    found: dict[int, float] = {}
    beside = {code for code, rule in RULES.items() if rule.beside}
    seen = set()
    for needs in search.unplaced:
        for bed in search.setting.beds.values():
            if search.over:
                return found
            alike = (needs.key, bed.room, bed.features, bed.ready_at, bed.kind)
            if not search.setting.is_empty(bed) or bed.is_side_room or alike in seen:
                continue
            seen.add(alike)
            one = judge(needs, bed, search.setting, search.book)
            if one.suitable or not {finding.code for finding in one.refusals} <= beside:
                continue
            for other in search.setting.hospital.rooms[bed.room]:
                if other in search.movers:
                    without = search.emptied(search.setting, other)
                    then = judge(needs, bed, without, search.book)
                    if then.suitable:
                        gain = search.waiting[needs.key] - then.cost
                        found[other] = max(found.get(other, 0.0), gain)
    return found


def _swaps(search: _Search) -> Iterator[FreeingMove]:
    """Somebody who alone keeps a room from others swaps with somebody who would not."""
    for bed in sorted(_blockers(search)):
        here = search.setting.beds[bed]
        partners = sorted(
            (other for other in search.movers if search.setting.beds[other].room != here.room),
            key=lambda other: (
                search.setting.distance(search.movers[bed], search.setting.beds[other]),
                search.movers[other].specialty != search.movers[bed].specialty,
                search.movers[other].sex == search.movers[bed].sex,
                other,
            ),
        )
        for other in partners[:_PARTNERS]:
            if search.over:
                return
            one = _checked(search, SWAP, ((bed, other), (other, bed)))
            if one is not None:
                yield one


def _exchanges(search: _Search) -> Iterator[FreeingMove]:
    """Somebody who waits in a bed for another swaps with whoever is in it."""
    keys, saved = _if_left(search)
    for row, needs in enumerate(search.unplaced):
        theirs = [bed for bed in search.setting.holding.get(needs.key, ())
                  if search.setting.patients.get(bed) is not None
                  and search.setting.beds[bed].reserved_for is None]  # fmt: skip
        if not theirs:
            continue
        order = np.argsort(-saved[row], kind="stable")[:_PARTNERS]
        for bed in (keys[place] for place in order if np.isfinite(saved[row, place])):
            if search.over:
                return
            one = _checked(search, EXCHANGE, ((bed, theirs[0]),), first=needs)
            if one is not None:
                yield one


def _checked(
    search: _Search,
    kind: str,
    steps: tuple[tuple[int, int], ...],
    first: Needs | None = None,
) -> FreeingMove | None:
    """The move with all that follows from it, or None where a rule refuses or nothing is gained.

    first: who of the queue takes the first bed left, before anybody moves into theirs.
    """
    setting, book = search.setting, search.book
    for bed, _ in steps:
        setting = search.emptied(setting, bed)
    gained: list[Gained] = []
    if first is not None:
        setting = search.emptied(setting, steps[0][1])
        one = judge(first, setting.beds[steps[0][0]], setting, book)
        if not one.suitable:
            return None
        gained.append(Gained(request=first.key, bed=one.bed, judgement=one))
        setting = setting.placed(first, one.bed)
    made = []
    for bed, to in steps:
        who = search.movers[bed]
        one = judge(who, setting.beds[to], setting, book)
        if not one.suitable:
            return None
        made.append(Step(person=who.key, from_bed=bed, to_bed=to, judgement=one))
        setting = setting.placed(who, to)
    gained.extend(_then(search, setting, {bed for bed, _ in steps}, {g.request for g in gained}))
    spent = sum(book.move + step.judgement.cost - search.now(step.from_bed) for step in made)
    gain = sum(search.waiting[g.request] - g.judgement.cost for g in gained) - spent
    if not gained or gain <= 0:
        return None
    text = _text(search, kind, made, gained)
    return FreeingMove(kind=kind, steps=tuple(made), then=tuple(gained), gain=gain, text=text)


def _then(search: _Search, setting: Setting, left: set[int], served: set[int]) -> Iterator[Gained]:
    """Who gets which of the beds that the moves made usable, most urgent first."""
    wards = {setting.beds[bed].ward for bed in left}
    near = [bed for ward in wards for bed in setting.hospital.beds_of_ward[ward]]
    empty = [bed for bed in near if setting.is_empty(setting.beds[bed])]
    waiting = [needs for needs in search.unplaced if needs.key not in served]
    found = costs(waiting, setting, search.book, empty)
    for row, needs in enumerate(waiting):
        cost = np.where(found.suits[row], found.cost[row], np.inf)
        for column in np.argsort(cost, kind="stable"):
            if not cost[column] < search.waiting[needs.key]:
                break
            bed = setting.beds[empty[column]]
            if not setting.is_empty(bed):
                continue
            one = judge(needs, bed, setting, search.book)
            if one.suitable:
                yield Gained(request=needs.key, bed=bed.key, judgement=one)
                setting = setting.placed(needs, bed.key)
                break


def _text(search: _Search, kind: str, made: Sequence[Step], gained: Sequence[Gained]) -> str:
    def name(key: int) -> str:
        bed = search.setting.beds[key]
        return f"{bed_name(bed)}, {ward_name(search.setting.ward_of(bed))}"

    first = made[0]
    here, there = name(first.from_bed), name(first.to_bed)
    if kind == MOVE:
        what = f"Move the patient in {here} to {there}"
    else:
        what = f"Swap the patients in {here} and {there}"
    sides = [g.bed for g in gained if search.setting.beds[g.bed].is_side_room]
    also = "; ".join(name(g.bed) for g in gained)
    number = "one request gets a bed" if len(gained) == 1 else f"{len(gained)} requests get beds"
    if kind == EXCHANGE and len(gained) == 1:
        room = "the side room" if sides else "the bed"
        return f"{what}: {room} goes to the one who needs it."
    free = " and a side room comes free" if sides else ""
    return f"{what}{free}: {number} ({also})."
