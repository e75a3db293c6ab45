"""A past moment is asked for as it was known then."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flow.forecasts.history import NOT_YET, Log, Notes, Stays
from tests.forecasts.worlds import START, Hospital

entries = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(-5, 5)), max_size=30
)


@given(entries, st.integers(0, 5), st.integers(-1, 22))
def test_a_log_answers_as_a_slow_look_would(
    rows: list[tuple[int, int, int]], stay: int, at: int
) -> None:
    log = Log(*zip(*rows, strict=True)) if rows else Log()
    mine = sorted(((learnt, n, value) for n, (s, learnt, value) in enumerate(rows) if s == stay))
    known = [row for row in mine if row[0] <= at]
    who, when = np.array([stay]), np.array([at])
    assert log.last(who, when, default=-99)[0] == (known[-1][2] if known else -99)
    assert log.count(who, when)[0] == len(known)
    since = log.since(who, when)[0]
    assert (np.isnan(since) and not known) or since == known[-1][0]
    assert log.first(who)[0] == (mine[0][0] if mine else NOT_YET)


@given(entries, st.integers(0, 5), st.integers(0, 22), st.integers(0, 22))
def test_what_is_learnt_later_changes_no_past_answer(
    rows: list[tuple[int, int, int]], stay: int, at: int, now: int
) -> None:
    log = Log(*zip(*rows, strict=True)) if rows else Log()
    who, when = np.array([stay]), np.array([min(at, now)])
    assert np.array_equal(log.last(who, when), log.known_by(now).last(who, when), equal_nan=True)


def test_who_is_present_is_asked_as_it_was_known() -> None:
    notes = Notes()
    for stay, (admitted, told) in enumerate([(100, 100), (100, 300)]):
        notes.add("admitted", stay, told, admitted)
        notes.add("ward", stay, told, 1)
    notes.add("ended", 0, 250, 200)  # told late
    notes.add("ended", 0, 400, NOT_YET)  # taken back
    stays = _stays(notes, 2)
    present = {at: list(stays.present(at)) for at in (99, 150, 220, 260, 300, 500)}
    assert present == {99: [], 150: [0], 220: [0], 260: [], 300: [1], 500: [0, 1]}


def test_present_looks_at_no_fewer_than_are_there() -> None:
    hospital = Hospital(beds=30, days=20, seed=3)
    stays = hospital.stays(told_late=90)
    everyone = np.arange(len(stays))
    for at in range(START, hospital.until(), 700):
        slow = everyone[stays.in_hospital(everyone, np.full(everyone.size, at))]
        assert list(stays.present(at)) == list(slow)
        assert list(stays.known_by(at).present(at)) == list(slow)


def _stays(notes: Notes, number: int) -> Stays:
    made = Hospital(beds=1, days=0).stays()
    return Stays(
        np.arange(number),
        np.zeros(number, dtype=np.int64),
        np.zeros(number),
        made.codes,
        made.wards,
        notes.logs(),
    )
