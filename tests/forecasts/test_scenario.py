"""Scenarios: written down and read back without loss, and refused where they cannot be."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.forecasts.clock import FIRST_YEAR, LAST_YEAR, minute_said, minute_written
from flow.forecasts.scenario import (
    MOST_CHANGES,
    NOTHING,
    BadScenario,
    Closed,
    Fault,
    Gone,
    Opened,
    Places,
    Scenario,
    from_json,
    from_query,
    to_json,
    to_query,
)

minutes = st.integers(28_000_000, 31_000_000)
keys = st.integers(1, 10**12)
scenarios = st.builds(
    Scenario,
    opened=st.lists(
        st.builds(Opened, st.integers(0, 166), st.none() | keys, st.none() | minutes), max_size=3
    ).map(tuple),
    closed=st.lists(
        st.builds(Closed, keys, st.integers(1, 336), st.none() | minutes), max_size=3
    ).map(tuple),
    gone=st.lists(
        st.builds(Gone, st.lists(keys, min_size=1, max_size=4).map(tuple), minutes), max_size=3
    ).map(tuple),
    arrivals=st.floats(0, 5),
    places=st.lists(
        st.builds(Places, st.sampled_from([1, 2, 3]), st.integers(0, 166)), max_size=3
    ).map(tuple),
    days=st.integers(1, 3),
)


@given(scenarios)
def test_nothing_is_lost_in_json(scenario: Scenario) -> None:
    assert from_json(json.loads(json.dumps(to_json(scenario)))) == scenario


@given(scenarios)
def test_nothing_is_lost_in_an_address(scenario: Scenario) -> None:
    assert from_query(parse_qs(urlencode(to_query(scenario)))) == scenario


def test_it_reads_like_what_was_meant() -> None:
    address = "open=6&open=4:12@2026-03-02T18:00Z&leave=5.6@2026-03-02T12:00Z&arrivals=1.2"
    address += "&places=1:3&close=7:48&site=3&days="
    scenario = from_query(parse_qs(address, keep_blank_values=True))
    evening = 29_541_240
    assert scenario == Scenario(
        opened=(Opened(6), Opened(4, 12, evening)),
        closed=(Closed(7, 48),),
        gone=(Gone((5, 6), evening - 360),),
        arrivals=1.2,
        places=(Places(1, 3),),
    )


def test_no_change_is_empty() -> None:
    assert to_json(NOTHING) == {}
    assert to_query(NOTHING) == []
    assert not from_query({})
    assert Scenario(opened=(Opened(1),))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("open=-1", Fault.BEDS),
        ("open=501", Fault.BEDS),
        ("open=250&open=251:4", Fault.BEDS),
        ("open=six", Fault.NUMBER),
        ("open=6@tomorrow", Fault.MOMENT),
        ("open=6@0001-01-01T00:00Z", Fault.MOMENT),
        ("close=7:4@1899-12-31T23:59Z", Fault.MOMENT),
        ("leave=5@2201-01-01T00:00Z", Fault.MOMENT),
        ("close=7", Fault.NUMBER),
        ("close=7:0", Fault.HOURS),
        ("close=7:9999", Fault.HOURS),
        ("leave=5", Fault.MOMENT),
        ("leave=@2026-03-02T12:00Z", Fault.NUMBER),
        ("leave=" + ".".join("1" * 501) + "@2026-03-02T12:00Z", Fault.PATIENTS),
        ("arrivals=-0.1", Fault.ARRIVALS),
        ("arrivals=50", Fault.ARRIVALS),
        ("arrivals=nan", Fault.ARRIVALS),
        ("arrivals=many", Fault.NUMBER),
        ("places=0:3", Fault.PATHWAY),
        ("places=1:-3", Fault.PLACES),
        ("places=1:250&places=2:251", Fault.PLACES),
        ("days=9", Fault.DAYS),
    ],
)
def test_what_cannot_be_is_refused(said: str, fault: Fault) -> None:
    with pytest.raises(BadScenario) as refused:
        from_query(parse_qs(said))
    assert refused.value.fault is fault
    assert refused.value.part == said.partition("=")[0]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ([], Fault.SHAPE),
        ({"opne": []}, Fault.UNKNOWN),
        ({"open": 6}, Fault.SHAPE),
        ({"open": [6]}, Fault.SHAPE),
        ({"open": [{"beds": True}]}, Fault.NUMBER),
        ({"open": [{"beds": 6, "from": 18}]}, Fault.MOMENT),
        ({"open": [{"beds": 6, "when": 18}]}, Fault.SHAPE),
        ({"leave": [{"patients": "12", "by": "2026-03-02T12:00Z"}]}, Fault.SHAPE),
        ({"arrivals": None}, Fault.NUMBER),
        ({"days": 1.5}, Fault.NUMBER),
    ],
)
def test_what_is_kept_wrongly_is_refused(said: object, fault: Fault) -> None:
    with pytest.raises(BadScenario) as refused:
        from_json(said)
    assert refused.value.fault is fault


def test_so_many_changes_and_no_more() -> None:
    closed = [f"{n}:48" for n in range(MOST_CHANGES)]
    assert len(from_query({"close": closed}).closed) == MOST_CHANGES
    with pytest.raises(BadScenario) as refused:
        from_query({"close": closed, "open": ["1"]})
    assert refused.value.fault is Fault.CHANGES


@given(st.integers(-(10**9), 10**9))
def test_a_time_is_written_with_four_digits_of_the_year_and_read_where_it_is_meant(
    minute: int,
) -> None:
    text = minute_written(minute)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", text)
    meant = FIRST_YEAR <= int(text[:4]) <= LAST_YEAR
    assert minute_said(text) == (minute if meant else None)


def test_places_and_people_are_those_of_the_site() -> None:
    wanted = Scenario(opened=(Opened(2, 12),), closed=(Closed(13, 4),), gone=(Gone((5,), 0),))
    wanted.check_places(wards={12, 13}, patients={5})
    for wards, patients, fault in (
        ({12}, {5}, Fault.WARD),
        ({13}, {5}, Fault.WARD),
        ({12, 13}, {6}, Fault.PATIENT),
    ):
        with pytest.raises(BadScenario) as refused:
            wanted.check_places(wards=wards, patients=patients)
        assert refused.value.fault is fault


def test_several_of_a_kind_stay_in_order() -> None:
    given_: dict[str, list[str]] = defaultdict(list)
    for name, value in to_query(Scenario(opened=(Opened(1), Opened(2)))):
        given_[name].append(value)
    assert given_ == {"open": ["1", "2"]}
