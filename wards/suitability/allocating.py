"""The best beds for a whole queue at once. Pure: no Django.

The objective is the sum of what the chosen beds cost, each as it would be chosen alone
(`costing.costs`), and for each request without a bed what waiting costs (`waiting_cost`). No hard
rule may be broken, in whatever order the lines are accepted; so who goes into one room together,
how many a ward can bear, and the side rooms kept back bind the choices to each other.

First the plain assignment problem (Jonker-Volgenant, SciPy) is solved without these ties: its value
is a bound that nothing can beat, and where it breaks no tie it is the answer. Else the ties become
an integer programme (`ties`), solved by HiGHS within the time left. Whatever comes of it is judged
line by line again, mended where need be, and held against the greedy choice; the best stands.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from wards.suitability.costing import Costs, Floats, costs
from wards.suitability.facts import Needs
from wards.suitability.judging import suits
from wards.suitability.rulebook import RuleBook
from wards.suitability.setting import Setting
from wards.suitability.ties import solve

Chosen = tuple[int | None, ...]
"""For each of the queue the key of a bed, or None."""

_LONGEST: Final = 48.0
_NEVER: Final = 1e9
_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Queue:
    """Who needs a bed, most urgent and longest waiting first; what each bed costs each, and what
    waiting costs."""

    people: tuple[Needs, ...]
    setting: Setting
    book: RuleBook
    costs: Costs
    waiting: Floats

    def objective(self, chosen: Chosen) -> float:
        """What these choices cost in all, in the units of the book."""
        columns = {bed: column for column, bed in enumerate(self.costs.beds)}
        return float(
            sum(
                self.waiting[row] if bed is None else self.costs.cost[row, columns[bed]]
                for row, bed in enumerate(chosen)
            )
        )


@dataclass(frozen=True, slots=True)
class Allocation:
    """What was chosen, and how good it is.

    bound: no choice costs less. proved: none does better than this one. how: "assignment",
    "programme", "mended" or "greedy".
    """

    chosen: Chosen
    objective: float
    bound: float
    proved: bool
    how: str


def waiting_cost(needs: Needs, setting: Setting, book: RuleBook) -> float:
    """What it costs to leave this request without a bed: by urgency and hours waited (48 at
    most)."""
    waited = 0.0
    if needs.since is not None:
        waited = max(0.0, (setting.at - needs.since).total_seconds() / 3600)
    hours = min(waited, _LONGEST)
    return book.unplaced * book.urgency[needs.priority - 1] + book.waiting_hour * hours


def queue_of(people: Sequence[Needs], setting: Setting, book: RuleBook) -> Queue:
    """The queue in order, with its costs. Raises ValueError when somebody is in it twice."""
    if len({needs.key for needs in people}) < len(people):
        raise ValueError("Somebody is in the queue twice.")
    ordered = sorted(people, key=lambda n: (n.priority, n.since or setting.at, n.key))
    waiting = np.array([waiting_cost(needs, setting, book) for needs in ordered])
    return Queue(tuple(ordered), setting, book, costs(ordered, setting, book), waiting)


@dataclass(slots=True)
class _Made:
    """Choices made so far, each of which stands beside all others."""

    queue: Queue
    setting: Setting
    lines: dict[int, int]

    def try_to_add(self, row: int, bed: int) -> bool:
        """Make one more choice, unless a hard rule refuses it now or would refuse one made before
        if that came last. No rule looks beyond the ward."""
        if not self._suits(row, bed, self.setting):
            return False
        then = self.setting.placed(self.queue.people[row], bed)
        ward = self.setting.beds[bed].ward
        for other, theirs in self.lines.items():
            if self.setting.beds[theirs].ward == ward:
                without = then.released(theirs, self.queue.setting)
                if not self._suits(other, theirs, without):
                    return False
        self.setting = then
        self.lines[row] = bed
        return True

    def _suits(self, row: int, bed: int, setting: Setting) -> bool:
        needs = self.queue.people[row]
        return suits(needs, setting.beds[bed], setting, self.queue.book)

    def add_best(self, row: int) -> None:
        """The best of the beds left, if one is better than waiting."""
        found, used = self.queue.costs, set(self.lines.values())
        cost = np.where(found.suits[row], found.cost[row], np.inf)
        for column in np.argsort(cost, kind="stable"):
            if cost[column] >= self.queue.waiting[row]:
                return
            bed = found.beds[column]
            if bed not in used and self.try_to_add(row, bed):
                return


def greedy(queue: Queue) -> Chosen:
    """One by one, the best bed left for each: how a queue is served without looking ahead."""
    return mend(queue, (None,) * len(queue.people))


def mend(queue: Queue, chosen: Chosen) -> Chosen:
    """The same choices without those that break a rule beside those before them; whoever is then
    without a bed gets the best that is left, in order."""
    made = _Made(queue, queue.setting, {})
    for row, bed in enumerate(chosen):
        if bed is not None:
            made.try_to_add(row, bed)
    for row in range(len(chosen)):
        if row not in made.lines:
            made.add_best(row)
    return tuple(made.lines.get(row) for row in range(len(chosen)))


def is_sound(queue: Queue, chosen: Chosen) -> bool:
    """Whether no choice breaks a hard rule, in whatever order they are made."""
    made = _Made(queue, queue.setting, {})
    return all(bed is None or made.try_to_add(row, bed) for row, bed in enumerate(chosen))


def allocate(queue: Queue, *, time_limit: float) -> Allocation:
    """The best choice found within so many seconds; never worse than `greedy`."""
    until = time.monotonic() + time_limit
    alone, bound = _assigned(queue)
    if not queue.people or is_sound(queue, alone):
        return Allocation(alone, queue.objective(alone), bound, True, "assignment")
    options: list[tuple[str, Chosen]] = [("greedy", greedy(queue)), ("mended", mend(queue, alone))]
    for name, one in options:
        if queue.objective(one) <= bound + _SAME:
            return Allocation(one, queue.objective(one), bound, True, name)
    seconds = max(0.05, until - time.monotonic())
    solved = solve(queue.people, queue.setting, queue.book, queue.costs, queue.waiting, seconds)
    whole = False
    if solved is not None:
        whole = solved.proved and is_sound(queue, solved.chosen)
        name = "programme" if whole or is_sound(queue, solved.chosen) else "mended"
        options.insert(0, (name, mend(queue, solved.chosen)))
    how, chosen = min(options, key=lambda option: round(queue.objective(option[1]), 6))
    objective = queue.objective(chosen)
    proved = objective <= bound + _SAME or (whole and how == "programme")
    return Allocation(chosen, objective, bound, proved, how)


def _assigned(queue: Queue) -> tuple[Chosen, float]:
    """The cheapest choice if nobody minded anybody, and what it costs."""
    people, beds = queue.costs.cost.shape
    if not people:
        return (), 0.0
    own = np.full((people, people), _NEVER)
    np.fill_diagonal(own, queue.waiting)
    free = np.where(queue.costs.suits, queue.costs.cost, _NEVER)
    rows, columns = linear_sum_assignment(np.hstack([free, own]))
    bed_of = dict(zip(_list(rows), _list(columns), strict=True))
    chosen = tuple(
        queue.costs.beds[bed_of[row]] if bed_of[row] < beds else None for row in range(people)
    )
    return chosen, queue.objective(chosen)


def _list(numbers: NDArray[Any]) -> list[int]:
    return [int(number) for number in numbers]
