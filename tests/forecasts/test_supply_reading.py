"""The beds of the hours ahead: as a slow count has them, and with what is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.forecasts.clock import minute_of
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import MarkKind
from flow.forecasts.supply import EITHER, FEMALE, MALE
from flow.forecasts.supply_reading import read_supply
from tests.flow import worlds
from tests.flow.places import (
    HOUR,
    START,
    Hospital,
    ask,
    beds_of,
    make_episode,
    make_site,
    make_ward,
    put,
    span,
)
from wards.models import Bay, Bed, BedStatus, Closure, Opening, Ward

pytestmark = pytest.mark.django_db
_OPEN = ("available", "unready")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds.worlds(), st.integers(0, worlds.LAST - 1))
def test_beds_ahead_are_what_boards_would_show_of_empty_ones(world: worlds.World, at: int) -> None:
    world.statuses = [status for status in world.statuses if status.at <= at]
    with worlds.written(world) as rows:
        supply = read_supply(rows.wards[0].site, at=worlds.hour(at))
        now = worlds.slow_states(world, at)
        nobody = replace(world, stays=[])
        ahead = [worlds.slow_states(nobody, at + hour + 1) for hour in range(HOURS)]
        real = [
            n for n, state in enumerate(now)
            if state and (now[n] != "unlisted" or any(then[n] in _OPEN for then in ahead))
        ]  # fmt: skip
        assert supply.ward.tolist() == [rows.wards[world.beds[n].ward].pk for n in real]
        for hour, then in enumerate(ahead):
            assert supply.usable[:, hour].tolist() == [then[n] in _OPEN for n in real]
        assert supply.empty.tolist() == [now[n] in _OPEN for n in real]
        there = {s.bed: rows.episodes[s.person].pk for s in world.stays if s.span.holds(at)}
        held = [there.get(n, 0) for n in real]
        assert supply.patient.tolist() == held
        off = {there[n] for n, state in enumerate(now) if state == "unlisted" and n in there}
        assert supply.elsewhere == off


def test_for_whom_beds_are() -> None:
    ward = make_ward(make_site())
    Ward.objects.filter(pk=ward.pk).update(sex="male")
    women = Bay.objects.create(ward=ward, code="F", sex="female")
    any_ = Bay.objects.create(ward=ward, code="A")
    for number, bay in enumerate((women, any_, None)):
        Bed.objects.create(ward=ward, bay=bay, label=str(number))
    other = make_ward(ward.site, beds=1)
    supply = read_supply(ward.site, at=START)
    assert supply.sex[supply.ward == ward.pk].tolist() == [FEMALE, MALE, MALE]
    assert supply.sex[supply.ward == other.pk].tolist() == [EITHER]


def test_what_is_planned_is_marked() -> None:
    hospital = Hospital()
    ward, bed = hospital.ward, beds_of(hospital.ward)[0]
    Closure.objects.create(
        ward=ward, reason="infection", period=span(START - HOUR, START + 5 * HOUR)
    )
    Closure.objects.create(
        ward=ward, bed=bed, reason="estates", period=span(START + 7 * HOUR, START + 900 * HOUR)
    )
    Closure.objects.create(ward=ward, reason="other", period=span(START - 9 * HOUR, START - HOUR))
    Bed.objects.filter(ward=hospital.other).update(funding="escalation")
    for escalation in beds_of(hospital.other)[:2]:
        Opening.objects.create(bed=escalation, period=span(START + 3 * HOUR))
    leaving = make_episode(expected_discharge_at=START + 4 * HOUR + timedelta(minutes=20))
    late = make_episode(expected_discharge_at=START - 9 * HOUR)
    for episode, place in ((leaving, beds_of(ward)[1]), (late, beds_of(ward)[2])):
        put(ward, place, episode=episode)
        ask(episode, "discharge", origin=ward)
    supply = read_supply(ward.site, at=START)
    told = [
        (mark.minute - minute_of(START), mark.kind, mark.number, mark.ward, mark.reason)
        for mark in supply.marks
    ]
    assert told == [
        (1, MarkKind.DISCHARGE, 1, ward.pk, ""),
        (180, MarkKind.OPENING_BEGINS, 2, hospital.other.pk, ""),
        (260, MarkKind.DISCHARGE, 1, ward.pk, ""),
        (300, MarkKind.CLOSURE_ENDS, 6, ward.pk, "infection"),
        (420, MarkKind.CLOSURE_BEGINS, 1, ward.pk, "estates"),
    ]
    open_beds = supply.usable[supply.ward == ward.pk].sum(0)
    assert open_beds[:8].tolist() == [0, 0, 0, 0, 6, 6, 5, 5]
    assert supply.usable[supply.ward == hospital.other.pk].sum(0)[:4].tolist() == [0, 0, 2, 2]
    assert set(supply.ward.tolist()) == {ward.pk, hospital.other.pk}


def test_a_bed_being_cleaned_is_free_but_not_ready() -> None:
    ward = make_ward(make_site(), beds=2)
    BedStatus.objects.create(
        bed=beds_of(ward)[0], status="H", occurred_at=START - HOUR, sent_at=START - HOUR,
        source="test", key="1",
    )  # fmt: skip
    supply = read_supply(ward.site, at=START)
    assert supply.empty.tolist() == [True, True]
    assert supply.unready.tolist() == [True, False]
    assert supply.usable.all()


def test_a_past_moment_sees_what_was_planned_then() -> None:
    ward = make_ward(make_site(), beds=2)
    at = datetime.now(UTC) + timedelta(minutes=1)
    Closure.objects.create(ward=ward, reason="other", period=span(at + HOUR))
    known = read_supply(ward.site, at=at, known_at=at)
    assert known.usable[:, 2].tolist() == [False, False]
    before = read_supply(ward.site, at=at, known_at=at - timedelta(hours=1))
    assert before.usable.all()
    assert before.marks == ()


@pytest.mark.parametrize("beds", [6, 60])
def test_as_many_queries_whatever_the_number_of_beds(beds: int) -> None:
    ward = make_ward(make_site(), beds=beds)
    for bed in beds_of(ward):
        put(ward, bed)
    Closure.objects.create(ward=ward, reason="other", period=span(START, START + HOUR))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        supply = read_supply(ward.site, at=START)
    assert len(queries) == 6
    assert supply.usable[:, 0].all()
    assert np.count_nonzero(supply.patient) == beds


def test_a_site_without_beds_has_none() -> None:
    supply = read_supply(make_site(), at=START)
    assert supply.ward.size == 0
    assert supply.usable.shape == (0, HOURS)
