"""What was believed of a visit after each thing that was learnt of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.forecasts import unfolding
from flow.forecasts.unfolding import Learnt, State, Unit, unfold
from wards.facts import MovementKind as Kind
from wards.facts import Place
from wards.said import Told

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HERE = {1, 2}


def told(number: int, kind: Kind, hour: float, *, ward: int | None = None, **more: object) -> Told:
    at = START + timedelta(hours=hour)
    return Told(
        id=number,
        kind=kind,
        occurred_at=at,
        sent_at=at,
        key=f"key {number}",
        source="feed",
        place=Place(ward) if ward else None,
        **more,  # type: ignore[arg-type]
    )


def learnt(movement: Told, *, late: float = 0) -> Learnt:
    return Learnt(movement, movement.occurred_at + timedelta(hours=late))


@st.composite
def plain_ways(draw: st.DrawFn) -> list[Learnt]:
    hours = sorted(draw(st.sets(st.integers(0, 200), min_size=1, max_size=6)))
    ends = len(hours) > 1 and draw(st.booleans())
    way = []
    late = draw(st.integers(0, 3))
    for number, hour in enumerate(hours):
        last = number == len(hours) - 1
        kind = Kind.ADMITTED if number == 0 else Kind.TRANSFERRED
        if last and ends:
            kind = Kind.DISCHARGED
        stay = draw(st.sampled_from([{}, {"specialty": "300"}, {"specialty": None}]))
        ward = draw(st.integers(1, 4))
        way.append(learnt(told(number, kind, hour, ward=ward, stay=stay), late=late))
    return way


@given(plain_ways())
def test_the_short_way_says_what_projecting_says(way: list[Learnt]) -> None:
    short = list(unfold(way, HERE, nameless=False))
    assert unfolding._plain(way) is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unfolding, "_plain", lambda _: None)
        projected = list(unfold(way, HERE, nameless=False))
    assert short == projected


def test_a_discharge_told_late_is_believed_from_then_on() -> None:
    way = [
        learnt(told(1, Kind.ADMITTED, 0, ward=1)),
        learnt(told(2, Kind.DISCHARGED, 10), late=5),
    ]
    [(_, first), (at, then)] = unfold(way, HERE, nameless=False)
    assert first[Unit(0, 0)].ended is None
    assert at == START + timedelta(hours=15)
    assert then[Unit(0, 0)].ended == START + timedelta(hours=10)


def test_a_discharge_taken_back_lets_the_stay_go_on() -> None:
    way = [
        learnt(told(1, Kind.ADMITTED, 0, ward=1)),
        learnt(told(2, Kind.DISCHARGED, 10)),
        learnt(told(3, Kind.CANCELLED_DISCHARGE, 11)),
    ]
    ends = [states[Unit(0, 0)].ended for _, states in unfold(way, HERE, nameless=False)]
    assert ends == [None, START + timedelta(hours=10), None]


def test_a_cancelled_admission_leaves_nothing() -> None:
    way = [learnt(told(1, Kind.ADMITTED, 0, ward=1)), learnt(told(2, Kind.CANCELLED_ADMIT, 1))]
    *_, (_, last) = unfold(way, HERE, nameless=False)
    assert last == {}


def test_leaving_the_site_and_coming_back_are_two_times_there() -> None:
    way = [
        learnt(told(1, Kind.ADMITTED, 0, ward=1)),
        learnt(told(2, Kind.TRANSFERRED, 5, ward=9)),
        learnt(told(3, Kind.TRANSFERRED, 9, ward=2)),
    ]
    *_, (_, last) = unfold(way, HERE, nameless=False)
    assert last == {
        Unit(0, 0): State(START, START + timedelta(hours=5), 1, {}, is_announced=False),
        Unit(0, 1): State(START + timedelta(hours=9), None, 2, {}, is_announced=False),
    }


@given(st.permutations(range(5)), st.integers(1, 5))
def test_nothing_learnt_later_changes_what_was_believed(order: list[int], known: int) -> None:
    movements = [
        told(0, Kind.ADMITTED, 0, ward=1),
        told(1, Kind.TRANSFERRED, 5, ward=2),
        told(2, Kind.DISCHARGED, 20),
        told(3, Kind.CANCELLED_DISCHARGE, 21),
        told(4, Kind.DISCHARGED, 30),
    ]
    arrived = [
        Learnt(movements[n], START + timedelta(days=3, hours=h)) for h, n in enumerate(order)
    ]
    whole = list(unfold(arrived, HERE, nameless=False))
    assert whole[:known] == list(unfold(arrived[:known], HERE, nameless=False))
    assert all(one[0] < other[0] for one, other in pairwise(whole))
