"""Beds proposed for a whole queue against beds given one by one.

    python -m bench.proposing [--days 5] [--wards 12] [--rounds 5]

First the same invented days are lived twice, hour by hour: once with `propose` for the whole queue,
once with `greedy`, which gives the most urgent the best bed left. Who has waited for eight hours is
put where the fewest rules have to be set aside. Then both, and the table of costs alone, are timed
on 100 requests and 1,008 beds, in turn. Needs no server.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Final, TypeVar

from bench.proposing_world import Day, Method, Score, world
from wards.suitability.costing import costs
from wards.suitability.defaults import EXAMPLE
from wards.suitability.freeing_moves import freeing_moves
from wards.suitability.proposing import greedy, propose

T = TypeVar("T")
FULL: Final = (0.92, 0.96, 0.99)
METHODS: Final[dict[str, Method]] = {"whole queue": propose, "one by one": greedy}


def days(number: int, wards: int, fullness: float) -> dict[str, Score]:
    """What came of so many days by each method."""
    total = {name: Score() for name in METHODS}
    beds = 28 * wards
    for seed in range(number):
        made = world(seed, wards=wards, fullness=fullness, waiting=beds // 16, arrivals=beds // 6)
        for name, method in METHODS.items():
            total[name].add(Day(made, method, EXAMPLE).live())
    return total


def lived(number: int, wards: int) -> None:
    print(f"{number} days each of {28 * wards} beds, served every hour from 8 to midnight")
    print(f"  {'full at 8:00':<13}{'':<13}{'placed':>7}{'waiting':>9}{'outliers':>10}"
          f"{'mixed sex':>11}{'set aside':>11}{'mean wait':>11}{'urgent':>9}")  # fmt: skip
    for fullness in FULL:
        for name, score in days(number, wards, fullness).items():
            asked = score.placed + score.left
            print(f"  {fullness:<13.0%}{name:<13}{score.placed:>7}{score.left:>9}"
                  f"{score.counts['outlier']:>10}{score.counts['mixed_sex']:>11}"
                  f"{score.counts['set_aside']:>11}{score.hours / asked:>9.2f} h"
                  f"{statistics.mean(score.urgent_hours):>7.2f} h")  # fmt: skip


def clocked(what: Callable[[], T]) -> tuple[T, float]:
    """What came of it, and in how many milliseconds."""
    started = time.perf_counter()
    found = what()
    return found, 1000 * (time.perf_counter() - started)


def once(seed: int, fullness: float) -> dict[str, tuple[float, float]]:
    """Of one hospital: by name the milliseconds, and what the choice costs (0 for no choice)."""
    made = world(seed, wards=36, fullness=fullness, waiting=100, arrivals=0)
    setting, queue = made.setting(), made.arrivals
    table = clocked(lambda: costs(queue, setting, EXAMPLE))
    best = clocked(lambda: propose(queue, setting, EXAMPLE))
    alone = clocked(lambda: greedy(queue, setting, EXAMPLE))
    keys = {one.request for one in best[0].unplaced}
    left = [needs for needs in queue if needs.key in keys]
    moves = clocked(lambda: freeing_moves(left, best[0].after, EXAMPLE))
    return {
        "table of costs": (table[1], 0.0),
        "whole queue": (best[1], best[0].objective),
        "one by one": (alone[1], alone[0].objective),
        "freeing moves": (moves[1], 0.0),
    }


def timed(rounds: int) -> None:
    print("100 requests, 1,008 beds, milliseconds: median, longest; what beds and waiting cost")
    for fullness in (0.5, *FULL):
        found = [once(seed, fullness) for seed in range(rounds)]
        for name in found[0]:
            took = [one[name][0] for one in found]
            cost = statistics.mean(one[name][1] for one in found)
            print(f"  {fullness:<6.0%}{name:<16}{statistics.median(took):>7.0f}{max(took):>7.0f}"
                  + (f"{cost:>10.0f}" if cost else ""))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--wards", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    said = parser.parse_args()
    lived(said.days, said.wards)
    timed(said.rounds)


if __name__ == "__main__":
    main()
