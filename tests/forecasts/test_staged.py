"""What is known of a discharge on the way tells more than specialty and weekday, from the first
week on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.features import Question
from flow.forecasts.hazards import fit_floor
from flow.forecasts.history import Log, Stays
from flow.forecasts.hours import fit_hours
from flow.forecasts.predicting import Voice
from flow.forecasts.scores import log_score
from flow.forecasts.staged import fit_staged
from tests.forecasts.worlds import START, Hospital

UNTIL = START + 8 * DAY
TOLD = 9 * HOUR
NOON = UNTIL + 12 * HOUR


def with_marks(plain: Hospital, seed: int = 1) -> Stays:
    """Of most who leave after 09:00 it is announced then, and of a few more who do not leave; the
    team expects some others the day before they go, and tells of all whether criteria are met."""
    rng = np.random.default_rng(seed)
    told = plain.stays()
    announced: list[tuple[int, int, float]] = []
    plan: list[tuple[int, int, float]] = []
    ready: list[tuple[int, int, float]] = []
    for stay, (admitted, ended) in enumerate(zip(plain.admitted, plain.ended, strict=True)):
        ready.append((stay, admitted, 0))
        for midnight in range(admitted // DAY * DAY, min(ended, plain.until()), DAY):
            nine = midnight + TOLD
            if not admitted < nine < ended:
                continue
            leaves = ended < midnight + DAY
            if rng.random() < (0.8 if leaves else 0.02):
                announced += [(stay, nine, 1), (stay, midnight + DAY - 1, 0)]
                ready.append((stay, nine - HOUR, nine - HOUR))
            if rng.random() < (0.6 if ended < midnight + 2 * DAY else 0.05):
                plan.append((stay, nine, midnight + DAY + 15 * HOUR))
    logs = {
        name: Log(*(list(column) for column in zip(*sorted(rows, key=lambda r: r[1]), strict=True)))
        for name, rows in (("announced", announced), ("plan", plan), ("ready", ready))
    }
    return replace(told, logs={**told.logs, **logs})


@pytest.fixture(scope="module")
def plain() -> Hospital:
    return Hospital(beds=200, days=16, seed=3)


@pytest.fixture(scope="module")
def marked(plain: Hospital) -> Stays:
    return with_marks(plain)


def voices(history: Stays) -> tuple[Voice, Voice]:
    known = history.known_by(UNTIL)
    hours = fit_hours(known, since=START, until=UNTIL)
    floor = fit_floor(known, hours, since=START, until=UNTIL)
    return Voice(floor, hours), Voice(fit_staged(known, hours, since=START, until=UNTIL), hours)


def by_midnight(voice: Voice, history: Stays, at: int) -> tuple[np.ndarray, np.ndarray]:
    stays = history.present(at)
    end = at // DAY * DAY + DAY
    left = history.ended(stays, np.full(stays.size, UNTIL + 8 * DAY)) <= end
    return voice.left_by(history, stays, at, np.array([end]))[:, 0], left


def foretold(
    voice: Voice, history: Stays, told: Mapping[str, Log]
) -> tuple[np.ndarray, np.ndarray]:
    """The chances of leaving at noon, without these logs and with them."""
    stays = history.present(NOON)
    asked = Question.today(stays, np.full(stays.size, NOON))
    now = replace(history, logs={**history.logs, **told})
    return voice.model.chances(history, asked), voice.model.chances(now, asked)


def test_whose_discharge_is_announced_is_likely_to_leave(marked: Stays) -> None:
    _, staged = voices(marked)
    chances, left = by_midnight(staged, marked, NOON)
    stays = marked.present(NOON)
    told = marked.log("announced").last(stays, np.full(stays.size, NOON), default=0) > 0
    assert told.sum() > 10
    assert chances[told].mean() == pytest.approx(left[told].mean(), abs=0.15)
    assert chances[told].min() > 0.4
    assert chances[~told].max() < 0.35
    assert chances[~told].mean() == pytest.approx(left[~told].mean(), abs=0.05)


def test_it_tells_days_it_was_not_learnt_from_far_better_than_the_floor(marked: Stays) -> None:
    losses = []
    for voice in voices(marked):
        told = [by_midnight(voice, marked, NOON + day * DAY) for day in range(6)]
        chances, left = (np.concatenate(both) for both in zip(*told, strict=True))
        losses.append(log_score(chances, left))
    assert losses[1] < 0.7 * losses[0]


def test_an_expected_date_counts_on_its_day(marked: Stays) -> None:
    _, staged = voices(marked)
    at = UNTIL + 10 * HOUR
    stays = marked.present(at)
    due = marked.log("plan").last(stays, np.full(stays.size, at)) > at + DAY // 2
    tomorrow = np.full(stays.size, UNTIL + DAY)
    chances = staged.model.chances(marked, Question(stays, np.full(stays.size, at), tomorrow))
    assert due.sum() > 10
    assert chances[due].mean() > 2 * chances[~due].mean()


def test_where_nothing_is_told_of_discharges_it_is_as_near_the_truth_as_the_floor(
    plain: Hospital,
) -> None:
    history = plain.stays()
    off: list[float] = []
    for voice in voices(history):
        errors = []
        for day in range(6):
            at = NOON + day * DAY
            chances, _ = by_midnight(voice, history, at)
            errors.append(chances - plain.truth(history.present(at), at, hours=12))
        off.append(float(np.abs(np.concatenate(errors)).mean()))
    assert off[1] <= 1.05 * off[0]


def test_what_is_told_for_the_first_time_today_moves_little(plain: Hospital) -> None:
    """Nobody was announced in all that was learnt from, and everybody is now."""
    history = plain.stays()
    _, staged = voices(history)
    stays = history.present(NOON)
    rows = [int(stay) for stay in stays]
    announced = Log(rows, [NOON - HOUR] * len(rows), [1.0] * len(rows))
    # The hours still to come know of announcements of their own: the day itself is compared.
    before, after = foretold(staged, history, {"announced": announced})
    assert after == pytest.approx(before, abs=0.04)


def test_reviews_told_for_the_first_time_today_change_nothing_yet(
    plain: Hospital, marked: Stays
) -> None:
    """Expected dates and announcements are learnt from; then the wards begin to tell who meets
    criteria to reside and what is arranged, of everybody on one morning."""
    history = replace(marked, logs={**marked.logs, "ready": plain.stays().log("ready")})
    _, staged = voices(history)
    stays = history.present(NOON)
    rows, when = [int(stay) for stay in stays], [NOON - HOUR] * stays.size
    ready = Log(rows, when, [float(NOON - HOUR) * (stay % 4 == 0) for stay in rows])
    medicines = Log(rows, when, [float(stay % 2) for stay in rows])
    before, after = foretold(staged, history, {"ready": ready, "medicines": medicines})
    announced = history.log("announced").last(stays, np.full(stays.size, NOON)) > 0
    assert 0 < announced.sum() < stays.size
    assert after == pytest.approx(before, rel=1e-9)


def test_expected_dates_told_for_the_first_time_today_change_nothing_yet(plain: Hospital) -> None:
    history = plain.stays()
    _, staged = voices(history)
    stays = history.present(NOON)
    rows = [int(stay) for stay in stays]
    plan = Log(rows, [NOON - HOUR] * len(rows), [float(NOON + (stay % 4) * DAY) for stay in rows])
    before, after = foretold(staged, history, {"plan": plan})
    assert after == pytest.approx(before, rel=1e-9)
