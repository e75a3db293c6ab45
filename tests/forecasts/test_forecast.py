"""The whole forecast on invented hospitals: it covers what it says, day one is no error, nothing
learnt later is used, and changes of the clocks are nothing special."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from flow.forecasts.clock import DAY, HOUR, minute_of, weekday_and_hour
from flow.forecasts.forecast import outlook
from flow.forecasts.history import Stays
from flow.forecasts.inputs import Inputs, gather
from flow.forecasts.leaving import DAYS, HOURS, Leaving
from flow.forecasts.level import Levels
from flow.forecasts.listed import nobody
from flow.forecasts.outlook import Outlook, PoolKind
from flow.forecasts.patterns import learn
from flow.forecasts.supply import EITHER, Supply
from tests.forecasts.hospital import START, Run, Truth, run
from tests.forecasts.small import certain

GROUPS = {"assessment": ["assessment"], "wards": ["inpatient"]}
A_WARD = 100
"""Beds on each ward: so many that nobody ever has none."""


def beds_of(truth: Truth) -> Supply:
    wards = [ward.key for ward in truth.facts() if ward.counts]
    number = A_WARD * len(wards)
    return Supply(
        ward=np.repeat(np.array(wards), A_WARD),
        sex=np.full(number, EITHER),
        usable=np.ones((number, HOURS), dtype=bool),
        patient=np.zeros(number, dtype=np.int64),
        empty=np.ones(number, dtype=bool),
        unready=np.zeros(number, dtype=bool),
    )


def leaving_of(history: Stays, at: int, truth: Truth) -> Leaving:
    """Those there with the true chances to leave."""
    there = history.present(at)
    hours = 1 - (1 - truth.go) ** np.arange(1, HOURS + 1, dtype=np.float64)
    days = np.zeros((there.size, DAYS))
    return Leaving(at, there, np.tile(hours, (there.size, 1)), days, certain())


def inputs_at(history: Stays, at: int, truth: Truth) -> Inputs:
    patterns = learn(history, nobody(), since=START, at=at)
    leaving = leaving_of(history, at, truth)
    return gather(history, leaving, patterns, beds_of(truth), nobody())


def told(history: Stays, at: int, truth: Truth) -> Outlook:
    return outlook(inputs_at(history, at, truth), GROUPS, paths=20)


def outlooks(
    seen: Run, truth: Truth, *, first: int, last: int, step: int = 29
) -> Iterator[tuple[int, Outlook]]:
    for hour in range(first, last, step):
        yield hour, told(seen.stays, START + hour * HOUR, truth)


WORLDS = {
    "weekly": Truth(arrivals=lambda hour: 1.2 if (hour // 24) % 7 < 5 else 0.5),
    "shift": Truth(arrivals=lambda hour: 1.0 if hour < 55 * 24 else 1.35),
    "no department": Truth(has_department=False, direct=42.0),
    "one visit, nobody asks": Truth(tells_asked=False, own=0.015),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_intervals_hold_what_they_say(name: str) -> None:
    """At the site nine in ten of the 90 % intervals hold what came to be, on wards as well; hours
    near each other come true together, so that some room is left."""
    truth = WORLDS[name]
    held: dict[tuple[PoolKind, int], list[bool]] = defaultdict(list)
    misses, errors = [], []
    seen = run(truth, 95, seed=11)
    for hour, found in outlooks(seen, truth, first=36 * 24 + 9, last=92 * 24):
        for ahead in (5, 23, 47, 71):
            there = seen.beds[hour + ahead + 1]
            free = int(found.site.open[ahead]) - there
            low, high = found.site.spreads[ahead].central(0.9)
            held[PoolKind.SITE, ahead].append(low <= free <= high)
            misses.append(found.site.means[ahead] - free)
            errors.append(found.site.spreads[ahead].crps(free))
            for n, ward in enumerate(truth.facts()):
                fan = found.fan(PoolKind.WARD, str(ward.key))
                if fan is not None:
                    low, high = fan.spreads[ahead].central(0.9)
                    free = A_WARD - seen.by_ward[hour + ahead + 1][n]
                    held[PoolKind.WARD, ahead].append(low <= free <= high)
    site = [np.mean(one) for (kind, _), one in held.items() if kind is PoolKind.SITE]
    wards = [np.mean(one) for (kind, _), one in held.items() if kind is PoolKind.WARD]
    assert 0.84 <= np.mean(site) <= 0.98
    assert min(site) > 0.75
    assert 0.86 <= np.mean(wards) <= 0.97
    assert abs(np.mean(misses)) < 4.0
    assert np.mean(errors) < 6.5


@pytest.mark.parametrize("days", [0, 1, 3])
def test_day_one_is_wide_and_no_error(days: int) -> None:
    truth = Truth()
    seen = run(truth, 7, seed=21)
    hour = days * 24 + 2
    found = told(seen.stays, START + hour * HOUR, truth)
    later = told(run(truth, 60, seed=21).stays, START + 57 * DAY, truth)
    assert found.days_known == pytest.approx(days, abs=0.3)
    for ahead in (0, 23, 71):
        free = int(found.site.open[ahead]) - seen.beds[hour + ahead + 1]
        low, high = found.site.spreads[ahead].central(0.98)
        assert low <= free <= high
    first, second = (o.site.spreads[71].central(0.9) for o in (found, later))
    assert first[1] - first[0] > second[1] - second[0]


def test_a_site_without_any_history_or_patients() -> None:
    truth = Truth()
    empty = Stays(
        keys=np.zeros(0, dtype=np.int64), sexes=np.zeros(0, dtype=np.int64), ages=np.zeros(0),
        codes={"method": ("",), "specialty": ("",)}, wards=truth.facts(), logs={},
    )  # fmt: skip
    found = told(empty, START, truth)
    assert found.days_known == 0
    assert found.site.free_now == 600
    low, high = found.site.spreads[71].central(0.9)
    assert 550 < low < high <= 600


def test_corrupting_the_future_changes_nothing_bit_for_bit() -> None:
    truth = Truth()
    at = START + 25 * DAY + 9 * HOUR + 13
    seen = run(truth, 29, seed=22).stays
    spoiled = {}
    for name, log in seen.logs.items():
        stays, learnt, values = log.entries()
        wrong = np.where(learnt > at, values * 0 + 4, values)
        spoiled[name] = type(log)(stays, learnt, wrong)
    one = told(seen, at, truth)
    other = told(replace(seen, logs=spoiled), at, truth)
    for first, second in zip((one.site, *one.pools), (other.site, *other.pools), strict=True):
        assert first.pool == second.pool
        assert first.spreads.lowest == second.spreads.lowest
        assert first.spreads.chances.tobytes() == second.spreads.chances.tobytes()
        assert (first.patients, first.free_now) == (second.patients, second.free_now)
    assert one.waiting is not None
    assert other.waiting is not None
    assert one.waiting.numbers.chances.tobytes() == other.waiting.numbers.chances.tobytes()


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 3, 28, 11, 20, tzinfo=UTC), datetime(2026, 10, 23, 22, tzinfo=UTC)],
)
def test_three_days_over_a_change_of_the_clocks(moment: datetime) -> None:
    """Arrivals follow the local clock: the hours before and after are those of the day's shape."""
    truth = Truth()
    at = START + 40 * DAY
    shift = minute_of(moment) // DAY * DAY - at
    shift += minute_of(moment) % DAY
    seen = run(truth, 41, seed=23).stays
    moved = {}
    for name, log in seen.logs.items():
        stays, learnt, values = log.entries()
        is_time = name in ("admitted", "ended", "asked")
        moved[name] = type(log)(stays, learnt + shift, values + shift if is_time else values)
    history = replace(seen, logs=moved)
    patterns = learn(history, nobody(), since=START + shift, at=at + shift)
    leaving = leaving_of(history, at + shift, truth)
    found = outlook(gather(history, leaving, patterns, beds_of(truth), nobody()), GROUPS)
    assert (np.diff(found.ends) == HOUR).all()
    local = weekday_and_hour(found.ends)[1]
    assert [int(local[n]) for n in found.shown_always].count(0) == 3
    assert [int(local[n]) for n in found.shown_always].count(8) == 3
    assert np.isfinite(found.site.means).all()
    assert found.site.spreads.chances.sum(1) == pytest.approx(np.ones(HOURS))


def test_what_is_not_known_of_departures_widens_the_forecast() -> None:
    truth = Truth()
    inputs = inputs_at(run(truth, 31, seed=24).stays, START + 30 * DAY, truth)
    known = outlook(inputs, GROUPS, paths=20)
    open_ = outlook(replace(inputs, level=Levels().common), GROUPS, paths=20)
    assert open_.site.spreads[71].variance > 1.1 * known.site.spreads[71].variance
    for one, other in zip((known.site, *known.pools), (open_.site, *open_.pools), strict=True):
        assert other.means[71] == pytest.approx(one.means[71], abs=1.5)
