"""A proposal for the whole queue, to be accepted line by line. Pure: no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from wards.suitability import allocating
from wards.suitability.allocating import Allocation, Chosen, Queue, allocate, queue_of
from wards.suitability.facts import Needs
from wards.suitability.judging import Judgement, judge, suits
from wards.suitability.rulebook import RuleBook
from wards.suitability.setting import Setting

_TRIED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bed for one request.

    judgement: with all other lines of the proposal made. cost: as things stand before any is.
    alone: the bed that would suit this request best if nobody else waited, where that is another
    one. instead: the best of the beds that the proposal leaves over.
    """

    request: int
    bed: int
    judgement: Judgement
    cost: float
    alone: Judgement | None
    instead: Judgement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A request that gets no bed.

    text: why, naming rules where they refuse. cost: of waiting. nearest: the bed that comes
    nearest to suiting; None when one suits but goes to somebody else.
    """

    request: int
    text: str
    cost: float
    nearest: Judgement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Beds for a queue.

    objective: what the lines and the waiting cost in all. bound: nothing can cost less. proved:
    nothing does. after: the setting with every line made.
    """

    at: datetime
    version: str
    lines: tuple[Line, ...]
    unplaced: tuple[Unplaced, ...]
    objective: float
    bound: float
    proved: bool
    how: str
    after: Setting


def propose(
    queue: Sequence[Needs], setting: Setting, book: RuleBook, *, time_limit: float = 0.8
) -> Proposal:
    """The best allocation found within about `time_limit` seconds, lines in order of urgency.

    It costs no more than `greedy`, and no line breaks a hard rule, in whatever order they are
    accepted. Raises ValueError when somebody is in the queue twice.
    """
    ordered = queue_of(queue, setting, book)
    return _told(ordered, allocate(ordered, time_limit=time_limit))


def greedy(queue: Sequence[Needs], setting: Setting, book: RuleBook) -> Proposal:
    """The most urgent first, each to the best bed left: the yardstick for `propose`. Raises
    ValueError when somebody is in the queue twice."""
    ordered = queue_of(queue, setting, book)
    chosen = allocating.greedy(ordered)
    objective = ordered.objective(chosen)
    return _told(ordered, Allocation(chosen, objective, 0.0, False, "greedy"))


def _told(queue: Queue, found: Allocation) -> Proposal:
    after = queue.setting
    for needs, bed in zip(queue.people, found.chosen, strict=True):
        if bed is not None:
            after = after.placed(needs, bed)
    column_of = {bed: column for column, bed in enumerate(queue.costs.beds)}
    left = np.array([bed not in set(found.chosen) for bed in queue.costs.beds], dtype=bool)
    lines = tuple(
        _line(queue, row, bed, column_of[bed], left, after)
        for row, bed in enumerate(found.chosen)
        if bed is not None
    )
    unplaced = tuple(
        _unplaced(queue, row, found.chosen) for row, bed in enumerate(found.chosen) if bed is None
    )
    return Proposal(
        at=queue.setting.at,
        version=queue.book.version,
        lines=lines,
        unplaced=unplaced,
        objective=found.objective,
        bound=found.bound,
        proved=found.proved,
        how=found.how,
        after=after,
    )


def _line(queue: Queue, row: int, bed: int, column: int, left: np.ndarray, after: Setting) -> Line:
    needs, book = queue.people[row], queue.book
    cost = np.where(queue.costs.suits[row], queue.costs.cost[row], np.inf)
    cheapest = int(np.argmin(cost))
    alone = None
    if cost[cheapest] < cost[column]:
        other = queue.setting.beds[queue.costs.beds[cheapest]]
        alone = judge(needs, other, queue.setting, book)
    return Line(
        request=needs.key,
        bed=bed,
        judgement=judge(needs, after.beds[bed], after, book),
        cost=float(cost[column]),
        alone=alone,
        instead=_instead(queue, row, np.where(left, cost, np.inf), after),
    )


def _instead(queue: Queue, row: int, cost: np.ndarray, after: Setting) -> Judgement | None:
    """The best of these beds that still suits when all lines are made."""
    for column in np.argsort(cost, kind="stable")[:_TRIED]:
        if not np.isfinite(cost[column]):
            return None
        bed = after.beds[queue.costs.beds[column]]
        if suits(queue.people[row], bed, after, queue.book):
            return judge(queue.people[row], bed, after, queue.book)
    return None


def _unplaced(queue: Queue, row: int, chosen: Chosen) -> Unplaced:
    needs, waiting = queue.people[row], float(queue.waiting[row])
    nearest = None
    if not queue.costs.beds:
        text = "There are no beds."
    elif not queue.costs.suits[row].any():
        nearest = _nearest(queue, row)
        text = "No bed suits. Nearest: " + " ".join(f.text for f in nearest.refusals)
    elif queue.costs.cost[row][queue.costs.suits[row]].min() >= waiting:
        text = "The beds that suit cost more than waiting."
    else:
        text = "The beds that suit do more good for others."
    return Unplaced(request=needs.key, text=text, cost=waiting, nearest=nearest)


def _nearest(queue: Queue, row: int) -> Judgement:
    """The refused bed with the fewest refusals that nobody may override, then the fewest."""
    found = queue.costs
    column = int(np.lexsort((found.cost[row], found.refusals[row], found.fixed[row]))[0])
    bed = queue.setting.beds[found.beds[column]]
    return judge(queue.people[row], bed, queue.setting, queue.book)
