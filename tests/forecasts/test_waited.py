"""Who waited too long for a bed, and how right it was to say that nobody would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.forecasting import outlook_of
from flow.forecasts.history import NOT_YET
from flow.forecasts.outlook import Spreads, Waiting
from flow.forecasts.paths import Attendances, paths
from flow.forecasts.recorded import Speaker, Until, What, ends
from flow.forecasts.scored import Past, Scored, waits
from flow.forecasts.stored import Issued, Patients
from flow.forecasts.waited import joined, over
from tests.forecasts.hospital import START, Truth, run
from tests.forecasts.small import small

LIMIT = 4 * HOUR
AT = START + 20 * DAY + 8 * HOUR
NOBODY = Patients(
    np.zeros(0, np.int64), np.zeros(0, np.int64), [], np.zeros((0, 72)), np.zeros((0, 14))
)


def queue(*waits_of: tuple[int, int]) -> Attendances:
    """Of whom a bed was asked for and who came to it then, in hours."""
    asked = np.array([a * HOUR for a, _ in waits_of], dtype=np.int64)
    ended = np.array([NOT_YET if e < 0 else e * HOUR for _, e in waits_of], dtype=np.int64)
    none = np.zeros(asked.size, dtype=np.int64)
    return Attendances(
        stays=np.arange(asked.size), arrived=asked, asked=asked, ended=ended,
        admitted=ended < NOT_YET, ward=none, ages=none.astype(float), sexes=none,
    )  # fmt: skip


def test_a_wait_is_too_long_from_the_limit_on_and_until_the_bed() -> None:
    one = queue((10, 16))
    assert [over(one, hour * HOUR, limit=LIMIT) for hour in (13, 14, 15, 16)] == [0, 1, 1, 0]
    assert joined(one, 8 * HOUR, 14 * HOUR, limit=LIMIT) == 1
    assert joined(one, 8 * HOUR, 14 * HOUR - 1, limit=LIMIT) == 0
    assert joined(one, 14 * HOUR, 20 * HOUR, limit=LIMIT) == 0  # did already
    assert over(queue((10, -1), (11, -1), (20, -1)), 15 * HOUR, limit=LIMIT) == 2
    for in_time in ((10, 14), (10, 12)):
        assert joined(queue(in_time), 0, DAY, limit=LIMIT) == 0


def issued(none_over: float, number: list[float]) -> Issued:
    """A forecast which says at each hour the same."""
    told = outlook_of(small(1))
    same = Spreads(0, np.tile(number, (72, 1)))
    waiting = Waiting(4, 3, 1, same, same, np.full(72, none_over), 1000)
    return Issued(AT, NOBODY, (), replace(told, waiting=waiting))


@pytest.fixture(scope="module")
def past() -> Past:
    known = START + 26 * DAY
    history = run(Truth(get=0.25), 26, seed=3).stays
    return Past(history, START, known)


def of(found: list[Scored], who: Speaker) -> Scored:
    [one] = [one for one in found if one.speaker is who]
    return one


def test_what_was_said_stands_beside_who_waited(past: Past) -> None:
    end = ends(AT)[Until.DAY]
    seen = paths(past.history, past.known).attendances
    number = over(seen, end, limit=LIMIT)
    nobody = not joined(seen, AT, end, limit=LIMIT)
    assert not nobody
    found = list(waits(issued(0.3, [0.2, 0.3, 0.5]), Until.DAY, past))
    assert {(one.what, one.until, one.key) for one in found} == {(What.WAITS, Until.DAY, "")}
    own = of(found, Speaker.FORECAST).tally
    assert (own.patients, own.forecasts, own.seen) == (1, 1, number)
    assert own.said == pytest.approx(1.3)
    assert own.brier_sum == pytest.approx(((300 + 0.5) / 1001) ** 2)
    weeks = of(found, Speaker.WEEKDAY).tally
    begins = [AT - 7 * DAY, AT - 14 * DAY]
    assert weeks.said == pytest.approx(
        np.mean([over(seen, one + DAY, limit=LIMIT) for one in begins]), abs=0.01
    )
    assert of(found, Speaker.YESTERDAY).tally.said == pytest.approx(
        over(seen, AT, limit=LIMIT), abs=0.01
    )


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_nobody_can_be_certain(past: Past, sure: float) -> None:
    found = waits(issued(sure, [1.0]), Until.EVENING, past)
    for one in found:
        assert np.isfinite(one.tally.log_sum)
        assert 0 < sum(one.tally.bin_said) < 1


def test_where_no_queue_was_told_none_is_scored(past: Past) -> None:
    assert list(waits(Issued(AT, NOBODY, (), None), Until.DAY, past)) == []
