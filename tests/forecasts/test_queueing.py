"""The queue for beds: against queues worked out by hand, and by what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.forecasts.clock import HOUR
from flow.forecasts.inputs import Inputs
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Waiting
from flow.forecasts.queueing import PATHS, waiting
from flow.forecasts.supply import no_beds
from tests.forecasts.small import nobody, small


def plain(
    *,
    beds: int = 10,
    people: int = 10,
    free_at: tuple[int, ...] = (),
    asked_ago: tuple[int, ...] = (),
    to_come: float = 0.0,
    at: int | None = None,
) -> Inputs:
    """All patients stay, but for one who leaves in each of the hours `free_at`; asked_ago: minutes
    since which patients wait for a bed; to_come: patients who ask for one in each hour ahead."""
    inputs = small(1, beds=beds, people=people)
    now = inputs.ahead.at
    left = np.zeros((people, HOURS))
    for patient, hour in enumerate(free_at):
        left[patient, hour:] = 1.0
    supply = replace(
        inputs.supply,
        usable=np.ones((beds, HOURS), dtype=bool),
        empty=np.arange(beds) >= people,
        unready=np.arange(beds) >= people,
    )
    return replace(
        inputs,
        supply=supply,
        residents=replace(inputs.residents, left=left, bed=np.arange(people)),
        emergency=nobody(),
        listed=nobody(),
        unknown=replace(
            inputs.unknown,
            comers=replace(inputs.unknown.comers, coming=np.zeros((4, HOURS))),
        ),
        asking=replace(
            inputs.asking,
            asked=np.array([now - minutes for minutes in asked_ago], dtype=np.int64),
            reached=np.eye(HOURS)[[0] * len(asked_ago)],
            to_come=np.full(HOURS, to_come),
        ),
    )


def of(inputs: Inputs, *, paths: int = 50) -> Waiting:
    found = waiting(inputs, paths=paths)
    assert found is not None
    return found


def certain(found: Waiting) -> list[int]:
    """How many wait at each hour, where there is no luck in it."""
    assert found.numbers.chances.max(1).tolist() == pytest.approx([1.0] * HOURS)
    return [int(number) for number in found.numbers.chances.argmax(1)]


def test_first_come_first_served() -> None:
    found = of(plain(free_at=(1, 5), asked_ago=(200, 50, 10)))
    assert certain(found)[:8] == [3, 2, 2, 2, 2, 1, 1, 1]
    assert (found.now, found.over_now) == (3, 0)
    # The first has waited 200 minutes and gets the bed of the second hour, after 320: too long.
    assert found.none_over[0] == 0
    assert found.limit_hours == 4


def test_nobody_waits_too_long_where_beds_come_in_time() -> None:
    found = of(plain(free_at=(1, 2), asked_ago=(30, 20)))
    assert found.none_over.tolist() == [1.0] * HOURS
    late = of(plain(free_at=(1, 6), asked_ago=(30, 20)))
    # The second one's four hours are over before the fourth hour ends.
    assert late.none_over[:5].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_who_has_waited_too_long_already_is_told_apart() -> None:
    found = of(plain(free_at=(0, 1), asked_ago=(300, 20)))
    assert (found.now, found.over_now) == (2, 1)
    assert found.none_over.tolist() == [1.0] * HOURS
    assert found.over[0].mean == 0
    stuck = of(plain(asked_ago=(300,)))
    assert stuck.over[0].mean == 1
    assert stuck.none_over.tolist() == [1.0] * HOURS


def test_free_beds_that_nobody_was_given_do_not_suit() -> None:
    beds = plain(beds=12, asked_ago=(10,))
    ready = replace(beds, supply=replace(beds.supply, unready=np.zeros(12, dtype=bool)))
    assert certain(of(ready))[0] == 0
    waits = replace(ready, asking=replace(
        ready.asking, asked=np.array([ready.ahead.at - 3 * HOUR])))  # fmt: skip
    assert certain(of(waits)) == [1] * HOURS
    being_cleaned = replace(waits, supply=beds.supply)
    assert certain(of(being_cleaned))[0] == 0


def test_a_bed_that_takes_long_to_reach_is_waited_for_though_beds_are_free() -> None:
    beds = plain(beds=15, people=10, asked_ago=(10,))
    slow = replace(beds, asking=replace(beds.asking, reached=np.eye(HOURS)[[6]]))
    found = of(slow)
    assert certain(found)[:8] == [1, 1, 1, 1, 1, 1, 0, 0]
    # The four hours are over ten minutes before the fourth hour ends.
    assert found.none_over[:5].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert [found.over[hour].mean for hour in range(8)] == [0, 0, 0, 1, 1, 1, 0, 0]
    over = replace(slow, asking=replace(slow.asking, asked=slow.asking.asked - 5 * HOUR))
    assert of(over).none_over.tolist() == [1.0] * HOURS
    assert [of(over).over[hour].mean for hour in range(8)] == [1, 1, 1, 1, 1, 1, 0, 0]


def test_so_it_is_for_who_asks_later() -> None:
    beds = plain(beds=15, people=10)
    later = np.eye(HOURS)
    later[2] = later[8]
    found = of(replace(beds, asking=replace(
        beds.asking, needs=np.eye(HOURS)[[2]], to_be_reached=later)))  # fmt: skip
    assert certain(found)[:10] == [0, 0, 1, 1, 1, 1, 1, 1, 0, 0]
    assert found.none_over[:8].tolist() == [1.0] * 6 + [0.0] * 2
    assert [found.over[hour].mean for hour in range(10)] == [0, 0, 0, 0, 0, 0, 1, 1, 0, 0]


def test_a_steady_queue_is_as_long_as_it_must_be() -> None:
    """Three an hour ask and no bed comes free: in ten hours thirty wait, as a Poisson number."""
    found = of(plain(to_come=3.0), paths=PATHS)
    tenth = found.numbers[9]
    assert tenth.mean == pytest.approx(30, abs=0.7)
    assert tenth.variance == pytest.approx(30, rel=0.25)
    assert found.none_over[2] == 1.0
    assert found.none_over[9] == 0.0


def test_more_beds_never_make_anybody_wait_longer() -> None:
    tight = plain(beds=12, people=10, free_at=(3, 9, 15, 22, 30, 40), to_come=0.2)
    wide = plain(beds=15, people=10, free_at=(3, 9, 15, 22, 30, 40), to_come=0.2)
    one, other = of(tight, paths=300), of(wide, paths=300)
    assert (other.numbers.means <= one.numbers.means + 1e-9).all()
    assert (other.none_over >= one.none_over).all()
    assert other.numbers.means.sum() < one.numbers.means.sum()


def test_the_same_moment_is_met_with_the_same_luck() -> None:
    inputs = small(3, unknown=9.0)
    one, other = of(inputs), of(inputs)
    assert one.numbers.chances.tobytes() == other.numbers.chances.tobytes()
    assert one.none_over.tobytes() == other.none_over.tobytes()


def test_where_there_is_no_queue_to_speak_of() -> None:
    inputs = small(2)
    assert waiting(replace(inputs, asking=replace(inputs.asking, has=False))) is None
    assert waiting(replace(inputs, supply=no_beds())) is None


def test_chance_is_a_chance_and_can_only_fall() -> None:
    found = of(small(5, unknown=20.0), paths=200)
    assert ((found.none_over >= 0) & (found.none_over <= 1)).all()
    assert (np.diff(found.none_over) <= 0).all()
    assert found.numbers.chances.sum(1) == pytest.approx(np.ones(HOURS))
    assert found.paths == 200
