"""The census of wards at a moment against a slow count, and the words it uses."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.counts import NUMBERS, Clock, count, frozen, frozen_moment, total
from flow.moment import Moment
from tests.flow import worlds
from tests.flow.places import START, Hospital, ask, beds_of, make_episode, put
from wards.bed_states import states_at

pytestmark = pytest.mark.django_db


def figures(moment: Moment, ward: int) -> dict[str, int]:
    counted = asdict(count(moment, wards=[ward])[0].figures)
    return {name: counted[name] for name in NUMBERS}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST))
def test_any_history_counts_as_a_slow_count_does(world: worlds.World, at: int) -> None:
    with worlds.written(world) as rows:
        moment = Moment(worlds.hour(at))
        counts = {c.ward: c.figures for c in count(moment)}
        for number, ward in enumerate(rows.wards):
            fast = {name: getattr(counts[ward.pk], name) for name in NUMBERS}
            assert fast == worlds.slow_count(world, number, at)
            assert fast == figures(moment, ward.pk)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST))
def test_the_figures_partition_beds_and_patients(world: worlds.World, at: int) -> None:
    with worlds.written(world) as rows:
        for counted in count(Moment(worlds.hour(at)), wards=[w.pk for w in rows.wards]):
            f = counted.figures
            assert f.beds_open == f.beds_occupied + f.beds_available + f.beds_unready
            assert f.patients == f.beds_occupied + f.bedless + f.unlisted
            listed = [s for s in states_at(at=worlds.hour(at), wards=[counted.ward]) if s.in_use]
            assert f.beds_open + f.beds_closed + f.beds_not_opened == len(listed)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST))
def test_what_was_known_by_now_is_what_is_known(world: worlds.World, at: int) -> None:
    with worlds.written(world) as rows:
        wards = [w.pk for w in rows.wards]
        later = datetime.now(UTC) + timedelta(hours=1)
        known = count(Moment(worlds.hour(at), known_at=later), wards=wards)
        assert known == count(Moment(worlds.hour(at)), wards=wards)
        before = count(Moment(worlds.hour(at), known_at=START), wards=wards)
        assert all(c.figures.patients == c.figures.beds_closed == 0 for c in before)


def test_a_period_holds_its_first_instant_and_not_its_last() -> None:
    hospital = Hospital()
    put(hospital.ward, beds_of(hospital.ward)[0], start=START, end=START + timedelta(hours=2))
    assert figures(Moment(START), hospital.ward.pk)["beds_occupied"] == 1
    end = Moment(START + timedelta(hours=2))
    assert figures(end, hospital.ward.pk)["beds_occupied"] == 0


def test_a_request_counts_where_the_bed_is_wanted_else_where_the_patient_waits() -> None:
    hospital = Hospital()
    named, unnamed, coming = make_episode(), make_episode(), make_episode(admitted_at=None)
    put(hospital.emergency, episode=named)
    put(hospital.emergency, episode=unnamed)
    ask(named, origin=hospital.emergency, target=hospital.ward, since=START)
    ask(unnamed, origin=hospital.emergency, since=START + timedelta(hours=1))
    ask(coming, target=hospital.ward, since=START + timedelta(hours=2))
    ask(coming, "discharge", origin=hospital.ward)
    moment = Moment(START + timedelta(hours=3))
    counts = {c.ward: c for c in count(moment)}
    ward, emergency = counts[hospital.ward.pk], counts[hospital.emergency.pk]
    assert (ward.figures.waiting, ward.figures.waiting_out) == (2, 0)
    assert (emergency.figures.waiting, emergency.figures.waiting_out) == (1, 2)
    assert ward.longest_wait == START
    assert emergency.longest_wait == START + timedelta(hours=1)
    assert ward.figures.pending_discharges == 1


def test_the_number_of_queries_does_not_grow_with_beds() -> None:
    small, large = Hospital(), Hospital()
    for bed in beds_of(large.ward):
        put(large.ward, bed)
    with CaptureQueriesContext(
        connection,
    ) as few:
        count(Moment(START), wards=[small.ward.pk])
    with CaptureQueriesContext(connection) as many:
        count(Moment(START))
    assert len(few) == len(many) == 1


def test_the_frozen_clocks_follow_summer_time() -> None:
    assert frozen_moment(date(2026, 7, 1), Clock.SITREP) == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert frozen_moment(date(2026, 1, 5), Clock.SITREP) == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert frozen_moment(date(2026, 7, 1), Clock.KH03) == datetime(2026, 6, 30, 23, tzinfo=UTC)
    with pytest.raises(ValueError, match="no fixed time"):
        frozen_moment(date(2026, 7, 1), Clock.LIVE)


def test_a_day_is_counted_at_its_own_clock() -> None:
    hospital = Hospital()
    bed = beds_of(hospital.ward)[0]
    put(hospital.ward, bed, start=START, end=START + timedelta(hours=4))  # 06:00 to 10:00
    wards = [hospital.ward.pk]
    eight = frozen(START.date(), Clock.SITREP, wards=wards)[0]
    midnight = frozen(START.date(), Clock.KH03, wards=wards)[0]
    assert (eight.figures.beds_occupied, midnight.figures.beds_occupied) == (1, 0)
    assert eight.figures.as_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_sum_is_as_old_as_its_oldest_part() -> None:
    hospital = Hospital()
    early = count(Moment(START), wards=[hospital.ward.pk])[0].figures
    late = count(Moment(START + timedelta(hours=1)), wards=[hospital.other.pk])[0].figures
    both = total([late, early], empty_at=START)
    assert both.as_at == START
    assert both.beds_open == 12
    assert total([], empty_at=START).beds_open == 0
    assert total([], empty_at=START).occupancy is None
