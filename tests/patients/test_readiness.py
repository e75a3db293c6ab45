"""When a patient was ready to leave, from reviews in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from patients.readiness import Looked, Ready, readiness

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def looked(at: int, *met: str, exception: bool = False, order: int = 0) -> Looked:
    return Looked(hour(at), order, tuple(met), exception)


def test_ready_from_the_first_review_that_finds_none_met() -> None:
    reviews = [looked(0, "oxygen"), looked(24), looked(48), looked(72)]
    assert readiness(reviews) == [Ready(hour(24), None)]


def test_a_criterion_met_again_starts_the_date_anew() -> None:
    reviews = [looked(0), looked(24, "oxygen"), looked(48)]
    assert readiness(reviews) == [Ready(hour(0), hour(24)), Ready(hour(48), None)]


def test_an_exception_of_a_senior_is_no_readiness() -> None:
    assert readiness([looked(0, exception=True)]) == []
    assert readiness([looked(0), looked(5, exception=True)]) == [Ready(hour(0), hour(5))]


def test_a_review_without_a_look_says_nothing() -> None:
    reviews = [looked(0), Looked(hour(5), 0, None), looked(9)]
    assert readiness(reviews) == [Ready(hour(0), None)]


def test_at_one_moment_the_last_recorded_counts() -> None:
    reviews = [looked(0, order=2), looked(0, "oxygen", order=1)]
    assert readiness(reviews) == [Ready(hour(0), None)]


reviews = st.lists(
    st.builds(
        Looked,
        st.integers(0, 30).map(hour),
        st.just(0),
        st.one_of(st.none(), st.just(()), st.just(("oxygen",))),
        st.booleans(),
    ),
    max_size=12,
)


@given(reviews, st.randoms(use_true_random=False))
def test_any_order_gives_what_asking_each_hour_gives(said: list[Looked], chance: object) -> None:
    numbered = [Looked(r.occurred_at, n, r.criteria, r.exception) for n, r in enumerate(said)]
    periods = readiness(numbered)
    assert periods == readiness(numbered[::-1])
    for number in range(32):
        at = hour(number)
        before = [r for r in numbered if r.is_ready is not None and r.occurred_at <= at]
        last = max(before, key=lambda r: (r.occurred_at, r.order), default=None)
        holds = any(p.start <= at and (p.end is None or at < p.end) for p in periods)
        assert holds == bool(last and last.is_ready)
