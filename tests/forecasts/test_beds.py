"""Free beds: against every outcome written out, and by what must hold whatever the numbers are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from flow.forecasts.beds import balances, fans, pool_fan, site_fan
from flow.forecasts.horizon import Horizon
from flow.forecasts.inputs import OFF_THE_BOOKS, Inputs
from flow.forecasts.level import Levels
from flow.forecasts.outlook import QUANTILES, Fan, PoolKind, Spread
from flow.forecasts.supply import no_beds
from tests.forecasts.small import nobody, same, shares, small, written_out

seeds = st.integers(0, 10**6)
hours = st.sampled_from([0, 1, 7, 23, 47, 71])
GROUPS = {"assessment": ["assessment"], "wards": ["inpatient", "community"]}


def fan_of(inputs: Inputs, kind: PoolKind, key: str) -> Fan:
    return next(fan for fan in fans(inputs, GROUPS) if (fan.pool.kind, fan.pool.key) == (kind, key))


def open_beds(inputs: Inputs, ward: int | None, hour: int) -> int:
    mine = inputs.supply.usable[:, hour]
    return int(mine.sum() if ward is None else mine[inputs.supply.ward == ward].sum())


@settings(max_examples=25, deadline=None)
@given(seeds, hours)
def test_the_site_is_what_all_outcomes_add_up_to(seed: int, hour: int) -> None:
    inputs = small(seed)
    exact = written_out(shares(inputs, None, hour), open_beds(inputs, None, hour))
    assert same(site_fan(inputs).spreads[hour], exact) < 1e-8


@settings(max_examples=15, deadline=None)
@given(seeds, hours, st.integers(2, 4))
def test_a_ward_is_what_all_outcomes_add_up_to(seed: int, hour: int, ward: int) -> None:
    inputs = small(seed)
    inputs = replace(inputs, supply=replace(
        inputs.supply, usable=np.ones_like(inputs.supply.usable)))  # fmt: skip
    told = balances(inputs, GROUPS)
    found = {fan.pool.key: fan for fan in told if fan.pool.kind is PoolKind.WARD}
    if str(ward) not in found:
        assert not (inputs.residents.ward == ward).any()
        return
    exact = written_out(shares(inputs, ward, hour), open_beds(inputs, ward, hour))
    # Who has hardly any chance to be there is counted as a Poisson number.
    assert same(found[str(ward)].spreads[hour], exact) < 2e-4


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_ward_that_is_full_has_none_free(seed: int) -> None:
    """Whoever finds no bed there goes elsewhere; the site is told with all who want one."""
    inputs = small(seed, unknown=30.0)
    wanted = balances(inputs, GROUPS)
    assert min(fan.spreads.lowest for fan in wanted) < -3
    for fan, before in zip(fans(inputs, GROUPS), wanted, strict=True):
        least = min(0, fan.free_now)
        assert fan.spreads.lowest >= least
        assert fan.full == pytest.approx(before.full)
        if fan.spreads.lowest == least:
            below = 1 - before.spreads.chance_of_at_least(least + 1)
            assert fan.spreads.chances[:, 0] == pytest.approx(below)
        alone = pool_fan(inputs, GROUPS, fan.pool)
        assert alone is not None
        assert alone.quantiles.tolist() == fan.quantiles.tolist()
    assert site_fan(inputs).spreads.lowest < -3


def test_levels_are_mixed() -> None:
    inputs = replace(small(3), level=Levels().common)
    levels, weights = inputs.level.points
    assert levels.size > 3
    hour = 40
    parts = [
        written_out(shares(inputs, None, hour, level), open_beds(inputs, None, hour))
        for level in levels
    ]
    mixed = sum(weight * part.chances for weight, part in zip(weights, parts, strict=True))
    exact = Spread(parts[0].lowest, np.asarray(mixed))
    assert same(site_fan(inputs).spreads[hour], exact) < 1e-8


def expected_there(inputs: Inputs, hour: int) -> np.ndarray:
    """Of each way in, the expected number of those yet unknown who are there."""
    who = inputs.unknown.comers
    return np.array([
        sum(who.coming[n, s] * np.exp(-inputs.away[n, s, hour]) for s in range(hour + 1))
        for n in range(4)
    ])  # fmt: skip


def test_those_yet_to_come_are_a_poisson_number() -> None:
    inputs = replace(small(4, people=0, unknown=9.0), emergency=nobody(), listed=nobody())
    for hour in (0, 12, 71):
        mean = expected_there(inputs, hour).sum()
        number = np.arange(60)
        exact = Spread(open_beds(inputs, None, hour) - 59, poisson.pmf(number, mean)[::-1])
        assert same(site_fan(inputs).spreads[hour], exact) < 1e-8


def test_what_is_not_known_of_their_level_makes_it_wider() -> None:
    inputs = replace(small(4, people=0, unknown=30.0), emergency=nobody(), listed=nobody())
    unknown = replace(inputs.unknown, unsure=np.full(4, 0.04), own=np.full(4, 0.01))
    inputs = replace(inputs, unknown=unknown)
    each = expected_there(inputs, 60)
    mean, variance = each.sum(), each.sum() + 0.05 * (each**2).sum()
    found = site_fan(inputs).spreads[60]
    assert found.mean == pytest.approx(open_beds(inputs, None, 60) - mean, abs=1e-6)
    assert found.variance == pytest.approx(variance, rel=1e-6)
    shape = mean**2 / (variance - mean)
    exact = nbinom.pmf(np.arange(300), shape, shape / (shape + mean))[::-1]
    assert same(found, Spread(open_beds(inputs, None, 60) - 299, exact)) < 1e-8


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_everybody_is_somewhere(seed: int) -> None:
    """What wards, groups, specialties and sexes expect adds up to the site."""
    inputs = small(seed, unknown=4.0)
    inputs = replace(inputs, supply=replace(
        inputs.supply, usable=np.ones_like(inputs.supply.usable)))  # fmt: skip
    told = balances(inputs, GROUPS)
    site = site_fan(inputs)
    used = {fan.pool.key for fan in told if fan.pool.kind is PoolKind.WARD}
    for kind in (PoolKind.WARD, PoolKind.GROUP, PoolKind.SPECIALTY, PoolKind.SEX):
        mine = [fan for fan in told if fan.pool.kind is kind]
        if not mine:
            continue
        assert sum(fan.free_now for fan in mine) == site.free_now
        off = (inputs.residents.bed == OFF_THE_BOOKS).sum() if kind is PoolKind.SEX else 0
        assert sum(fan.patients for fan in mine) == site.patients - off
        if len(used) == 3 or kind is PoolKind.SEX:
            # Somebody in a bed off the books who moves needs one on the books.
            total = np.sum([fan.means for fan in mine], axis=0)
            assert total == pytest.approx(site.means, abs=0.3)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_more_beds_are_never_fewer_free_ones(seed: int) -> None:
    inputs = small(seed)
    supply = inputs.supply
    more = replace(inputs, supply=replace(supply, usable=np.ones_like(supply.usable)))
    few, many = site_fan(inputs).spreads, site_fan(more).spreads
    for number in range(-8, 12):
        gain = many.chance_of_at_least(number) - few.chance_of_at_least(number)
        assert gain.min() > -1e-9


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_quantiles_and_statements_agree_with_the_distribution(seed: int) -> None:
    fan = site_fan(small(seed, unknown=6.0))
    for hour in (0, 30, 71):
        spread = fan.spreads[hour]
        assert fan.quantiles[hour].tolist() == [spread.quantile(q) for q in QUANTILES]
        assert fan.quantiles[hour].tolist() == sorted(fan.quantiles[hour].tolist())
        assert fan.means[hour] == pytest.approx(spread.mean)
        assert fan.full[hour] == pytest.approx(1 - spread.chance_of_at_least(1))
        for chance, number in fan.said(hour):
            assert number == spread.at_least(chance)
            assert spread.chance_of_at_least(number) >= chance - 1e-9
            assert spread.chance_of_at_least(number + 1) < chance
    assert fan.spreads.at_least((0.9, 0.7))[30].tolist() == [n for _, n in fan.said(30)]
    assert fan.spreads.chances.sum(1) == pytest.approx(np.ones(72))


def test_parts_explain_the_change() -> None:
    inputs = small(9, unknown=5.0)
    inputs = replace(inputs, supply=replace(
        inputs.supply, usable=np.ones_like(inputs.supply.usable)))  # fmt: skip
    for fan in (site_fan(inputs), *balances(inputs, GROUPS)):
        if fan.pool.kind is PoolKind.SEX:
            continue
        parts = fan.parts
        change = parts.left + parts.moved_out - parts.moved_in
        change = change - parts.emergency - parts.listed - parts.to_come
        assert fan.free_now + change == pytest.approx(fan.means, abs=1e-6), fan.pool


def test_a_patient_in_a_bed_that_closes_takes_nobodys_away() -> None:
    """Whether they leave or stay, no bed comes free and none is lacking."""
    inputs = replace(small(11, people=3, beds=3), emergency=nobody(), listed=nobody())
    people = replace(inputs.residents, bed=np.arange(3), put=np.ones((3, 72)))
    supply = replace(inputs.supply, usable=np.zeros((3, 72), dtype=bool), empty=np.zeros(3, bool))
    found = site_fan(replace(inputs, residents=people, supply=supply))
    assert found.open.tolist() == [0] * 72
    for hour in (0, 71):
        assert found.spreads[hour].chance_of_at_least(0) == pytest.approx(1)
        assert found.spreads[hour].chance_of_at_least(1) == pytest.approx(0)


def test_a_ward_with_all_beds_closed_takes_nobody_in() -> None:
    inputs = small(12, people=4, beds=9, come=3, unknown=8.0)
    supply = replace(inputs.supply, usable=np.ones_like(inputs.supply.usable),
                     ward=np.array([2, 2, 2, 3, 3, 3, 4, 4, 4]))  # fmt: skip
    people = replace(inputs.residents, ward=np.array([2, 3, 3, 4]), bed=np.array([0, 3, 4, 6]))
    inputs = replace(inputs, supply=supply, residents=people)
    shut = supply.usable.copy()
    shut[supply.ward == 3] = False
    closed = replace(inputs, supply=replace(supply, usable=shut))
    for ward, sign in (("3", 0), ("2", 1), ("4", 1)):
        before = fan_of(inputs, PoolKind.WARD, ward).parts
        after = fan_of(closed, PoolKind.WARD, ward).parts
        for part in ("emergency", "listed", "to_come", "moved_in"):
            change = getattr(after, part) - getattr(before, part)
            if sign:
                assert change[-1] > 0
            else:
                assert getattr(after, part)[-1] == pytest.approx(0, abs=1e-12)
    assert site_fan(closed).parts.to_come == pytest.approx(site_fan(inputs).parts.to_come)


def test_beds_for_one_sex() -> None:
    inputs = replace(small(13, people=4, beds=4), emergency=nobody(), listed=nobody())
    supply = replace(inputs.supply, sex=np.array([0, 0, 1, 2]), usable=np.ones((4, 72), bool))
    people = replace(inputs.residents, bed=np.array([0, 1, 2, 3]), put=np.ones((4, 72)))
    told = fans(replace(inputs, supply=supply, residents=people), GROUPS)
    of = {fan.pool.key: fan for fan in told if fan.pool.kind is PoolKind.SEX}
    assert {key: fan.patients for key, fan in of.items()} == {"female": 2, "male": 1, "any": 1}
    assert {key: int(fan.open[5]) for key, fan in of.items()} == {"female": 2, "male": 1, "any": 1}
    left = people.left[2, 30]
    assert of["male"].spreads[30].chance_of_at_least(1) == pytest.approx(left)
    unsexed = replace(supply, sex=np.full(4, 2))
    told = fans(replace(inputs, supply=unsexed, residents=people), GROUPS)
    assert not [fan for fan in told if fan.pool.kind is PoolKind.SEX]


def test_without_any_beds_it_is_patients_that_are_told() -> None:
    inputs = small(14, beds=0, people=5)
    inputs = replace(inputs, supply=no_beds(), residents=replace(
        inputs.residents, bed=np.full(5, -1)))  # fmt: skip
    fan = site_fan(inputs)
    assert not fan.has_beds
    assert fan.free_now == -5
    assert fan.means[0] == pytest.approx(-sum(shares(inputs, None, 0)), abs=1e-9)
    assert site_fan(small(14)).has_beds


def test_an_empty_site_has_all_its_beds() -> None:
    inputs = replace(small(15, people=0), emergency=nobody(), listed=nobody())
    fan = site_fan(inputs)
    for hour in (0, 40, 71):
        assert fan.spreads[hour].mean == pytest.approx(fan.open[hour])


def test_part_of_an_hour_counts_in_part() -> None:
    """Made at twenty past, the first hour ahead is forty minutes long, and the chances to have
    left by it lie between those of the whole hours around it."""
    hourly = 1 - 0.98 ** np.arange(1, 73, dtype=np.float64)[None, :]
    late = Horizon(small(0).ahead.at + 20)
    told = late.on_the_hour(hourly)
    assert late.lengths[0] == pytest.approx(2 / 3)
    assert told[0, 0] == pytest.approx(1 - 0.98 ** (2 / 3))
    assert told[0, 10] == pytest.approx(1 - 0.98 ** (10 + 2 / 3))
    assert Horizon(small(0).ahead.at).on_the_hour(hourly) is hourly
