"""What if: nothing changes nothing, and a change does what it says and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.forecasts.beds import fans, site_fan
from flow.forecasts.clock import HOUR
from flow.forecasts.forecast import outlook
from flow.forecasts.inputs import Inputs
from flow.forecasts.outlook import Fan, PoolKind
from flow.forecasts.scenario import (
    NOTHING,
    BadScenario,
    Closed,
    Fault,
    Gone,
    Opened,
    Places,
    Scenario,
)
from flow.forecasts.whatif import changed, waiting_for
from tests.forecasts.small import AT, small

GROUPS = {"assessment": ["assessment"], "wards": ["inpatient"]}
seeds = st.integers(0, 10**6)


def site_if(inputs: Inputs, scenario: Scenario) -> Fan:
    """The free beds of the site as they would be."""
    return site_fan(changed(inputs, scenario))


def open_all(inputs: Inputs) -> Inputs:
    usable = np.ones_like(inputs.supply.usable)
    return replace(inputs, supply=replace(inputs.supply, usable=usable))


def equal(one: Fan, other: Fan) -> bool:
    return (
        one.spreads.lowest == other.spreads.lowest
        and one.spreads.chances.tobytes() == other.spreads.chances.tobytes()
    )


def test_no_change_is_the_forecast_bit_for_bit() -> None:
    inputs = small(1, unknown=5.0)
    as_ever, if_nothing = outlook(inputs, GROUPS), outlook(changed(inputs, NOTHING), GROUPS)
    assert equal(as_ever.site, if_nothing.site)
    for one, other in zip(as_ever.pools, if_nothing.pools, strict=True):
        assert equal(one, other)
    assert as_ever.waiting is not None
    assert if_nothing.waiting is not None
    assert as_ever.waiting.none_over.tobytes() == if_nothing.waiting.none_over.tobytes()
    same = Scenario(opened=(Opened(0),), arrivals=1.0, places=(Places(1, 0),))
    assert equal(site_if(inputs, same), as_ever.site)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 30))
def test_six_beds_more_are_six_more_free(seed: int, beds: int) -> None:
    inputs = small(seed, unknown=3.0)
    before, after = site_fan(inputs), site_if(inputs, Scenario(opened=(Opened(beds),)))
    assert after.spreads.lowest == before.spreads.lowest + beds
    assert after.spreads.chances.tobytes() == before.spreads.chances.tobytes()
    assert (after.quantiles == before.quantiles + beds).all()
    assert (after.free_now, after.patients) == (before.free_now, before.patients)


def test_beds_on_a_ward_from_an_hour_on() -> None:
    inputs = open_all(small(2))
    scenario = Scenario(opened=(Opened(4, ward=3, since=AT + 5 * HOUR),))
    before = {fan.pool.key: fan for fan in fans(inputs, GROUPS)}
    after = {fan.pool.key: fan for fan in fans(changed(inputs, scenario), GROUPS)}
    gain = {key: after[key].open - before[key].open for key in before if key in after}
    then = [0] * 4 + [4] * 68
    assert gain["3"].tolist() == then
    assert gain["surgery"].tolist() == then
    assert gain["wards"].tolist() == then
    assert not gain["2"].any()
    assert (site_if(inputs, scenario).open - site_fan(inputs).open).tolist() == then


def test_a_ward_closed_for_infection_keeps_its_patients() -> None:
    inputs = open_all(small(3, people=6, beds=9))
    people = replace(inputs.residents, ward=np.array([3, 3, 2, 2, 4, 4]), bed=np.arange(6))
    supply = replace(inputs.supply, ward=np.array([3, 3, 2, 2, 4, 4, 3, 2, 4]))
    inputs = replace(inputs, residents=people, supply=supply)
    shut = Scenario(closed=(Closed(3, hours=24, since=AT + 2 * HOUR),))
    before, after = site_fan(inputs), site_if(inputs, shut)
    assert (before.open - after.open).tolist() == [0] + [3] * 24 + [0] * 47
    lost = before.means - after.means
    assert lost[0] == pytest.approx(0)
    # One bed was free, the others come free one by one, and are lost for as long.
    assert 1 < lost[1] < lost[20] < 3
    assert lost[25:] == pytest.approx(np.zeros(47), abs=1e-9)
    ward = next(
        fan for fan in fans(changed(inputs, shut), GROUPS)
        if fan.pool.kind is PoolKind.WARD and fan.pool.key == "3"
    )  # fmt: skip
    assert ward.spreads[10].chance_of_at_least(1) == pytest.approx(0, abs=1e-9)


def test_closing_to_newcomers_changes_nothing_of_who_leaves() -> None:
    """Those on the ward go on leaving, and moving on, as ever; who would have come goes elsewhere:
    in the numbers of the ward, of the others, of groups of wards and of the site."""
    inputs = open_all(small(3, people=6, beds=9, come=3, unknown=6.0))
    people = replace(inputs.residents, ward=np.array([3, 3, 2, 2, 4, 4]), bed=np.arange(6))
    supply = replace(inputs.supply, ward=np.array([3, 3, 2, 2, 4, 4, 3, 2, 4]))
    inputs = replace(inputs, residents=people, supply=supply)
    shut = changed(inputs, Scenario(closed=(Closed(3, hours=48, since=AT),)))
    for before, after in zip(
        (site_fan(inputs), *fans(inputs, GROUPS)), (site_fan(shut), *fans(shut, GROUPS)),
        strict=True,
    ):  # fmt: skip
        assert before.pool == after.pool
        assert after.parts.left == pytest.approx(before.parts.left, abs=1e-12), after.pool
        assert after.parts.moved_out == pytest.approx(before.parts.moved_out, abs=1e-12)
        comes = [
            (fan.parts.moved_in + fan.parts.emergency + fan.parts.listed + fan.parts.to_come)[46]
            for fan in (before, after)
        ]
        if after.pool.kind is PoolKind.WARD:
            assert (comes[1] == pytest.approx(0)) if after.pool.key == "3" else comes[1] > comes[0]
    assert site_fan(shut).parts.left[-1] > 1


def test_patients_who_have_left_by_noon() -> None:
    inputs = open_all(small(4))
    inputs = replace(inputs, residents=replace(inputs.residents, bed=np.arange(5)))
    noon = AT + 2 * HOUR
    keys = (100, 102)
    before, after = site_fan(inputs), site_if(inputs, Scenario(gone=(Gone(keys, noon),)))
    stay = 1 - inputs.residents.left[[0, 2]].sum(0) / 2
    gained = after.means - before.means
    assert gained[0] == pytest.approx(0, abs=1e-12)
    assert gained[1:] == pytest.approx(2 * stay[1:], abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0, 5))
def test_arrivals_scale_those_of_whom_nothing_is_known(seed: int, factor: float) -> None:
    inputs = small(seed, unknown=6.0)
    before, after = site_fan(inputs), site_if(inputs, Scenario(arrivals=factor))
    assert after.parts.to_come == pytest.approx(factor * before.parts.to_come)
    assert after.parts.listed.tolist() == before.parts.listed.tolist()
    assert after.means - before.means == pytest.approx(
        (1 - factor) * before.parts.to_come, abs=1e-6
    )


def test_places_are_taken_in_the_daytime_by_the_longest_ready() -> None:
    inputs = open_all(small(5))
    ready = np.array([AT - 100.0, AT - 900.0, np.nan, AT - 500.0, AT - 2.0])
    pathway = np.array([1.0, 1.0, 1.0, 2.0, 1.0])
    people = replace(inputs.residents, ready=ready, pathway=pathway, bed=np.arange(5))
    inputs = replace(inputs, residents=people)
    assert waiting_for(inputs, 1).tolist() == [1, 0, 4]
    assert waiting_for(inputs, 3).tolist() == []
    left = changed(inputs, Scenario(places=(Places(1, 2),))).residents.left
    assert (left[[2, 3, 4]] == people.left[[2, 3, 4]]).all()
    assert left[[0, 1], 23:] == pytest.approx(np.ones((2, 49)))
    gain = 1 - (1 - left[1]) / (1 - people.left[1])
    night = (inputs.ahead.local_hours < 9) | (inputs.ahead.local_hours >= 17)
    rise = np.diff(gain, prepend=0.0)[:23]
    assert rise[night[:23]] == pytest.approx(0)
    assert rise[~night[:23]].min() > 0.05
    over_two = changed(inputs, Scenario(places=(Places(1, 2),), days=2)).residents.left
    assert 0.3 < 1 - (1 - over_two[1, 23]) / (1 - people.left[1, 23]) < 0.7
    more = changed(inputs, Scenario(places=(Places(1, 50),))).residents.left
    assert more[[0, 1, 4], 23:] == pytest.approx(np.ones((3, 49)))


@pytest.mark.parametrize(
    ("scenario", "fault"),
    [
        (Scenario(opened=(Opened(1, ward=1),)), Fault.WARD),
        (Scenario(closed=(Closed(77, hours=4),)), Fault.WARD),
        (Scenario(gone=(Gone((100, 999), AT),)), Fault.PATIENT),
    ],
)
def test_what_is_not_there_cannot_be_changed(scenario: Scenario, fault: Fault) -> None:
    with pytest.raises(BadScenario) as refused:
        changed(small(6), scenario)
    assert refused.value.fault is fault


def test_what_began_before_holds_from_the_beginning() -> None:
    inputs = open_all(small(7))
    since = Scenario(opened=(Opened(3, since=AT - 600),))
    at_once = Scenario(opened=(Opened(3),))
    assert equal(site_if(inputs, since), site_if(inputs, at_once))
    over = Scenario(closed=(Closed(3, hours=4, since=AT - 5 * HOUR),))
    assert equal(site_if(inputs, over), site_fan(inputs))


def test_changes_add_up() -> None:
    inputs = small(8, unknown=4.0)
    both = Scenario(opened=(Opened(6), Opened(2)), gone=(Gone((101,), AT + HOUR),))
    step = changed(changed(inputs, Scenario(opened=(Opened(6),))), Scenario(
        opened=(Opened(2),), gone=(Gone((101,), AT + HOUR),)))  # fmt: skip
    assert equal(site_if(inputs, both), site_fan(step))
