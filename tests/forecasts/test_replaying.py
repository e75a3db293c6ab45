"""The past of a site replayed: the same as if its forecasts had begun earlier."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from flow.board_types import Sight
from flow.forecasts import learning, replaying, versions
from flow.forecasts.accuracy import Asked, accuracy_board
from flow.forecasts.hazards import Effort
from flow.forecasts.issued import read_row
from flow.forecasts.issuing import issue
from flow.forecasts.recorded import Speaker
from flow.forecasts.replaying import CannotReplay, replay
from flow.models import Forecast, ForecastModel, ForecastScore, ForecastTraining
from tests.forecasts.living import BEGIN, DAY, HOUR, LITTLE, Hospital, told
from wards.facts import MovementKind, Place

pytestmark = pytest.mark.django_db
SINCE = BEGIN + 5 * DAY
NOW = BEGIN + 8 * DAY + 9 * HOUR
EIGHT = 8 * HOUR


@pytest.fixture
def said_then() -> tuple[Hospital, list[tuple[object, bytes]]]:
    """A hospital at 9:00 of its ninth day, and what it would have said at 8:00 of the days before,
    had it begun on the sixth. Nothing of that was kept."""
    made, said = Hospital(a_day=8), []
    made.live(SINCE - DAY)
    place = Place(made.wards[1].pk)
    planned = (SINCE + 12 * HOUR).isoformat()
    told(made.says("listed", MovementKind.EXPECTED, place=place, expected_at=planned))
    for day in range(3):
        made.live(SINCE + day * DAY + EIGHT)
        with transaction.atomic():
            learnt = [SINCE, *(SINCE + n * DAY + HOUR * 2.5 for n in range(day + 1))]
            for at in learnt:
                assert learning.learn(made.site, at=at, effort=LITTLE)
            row = issue(made.site, at=made.now)
            assert row is not None
            row.refresh_from_db()
            if day == 0:
                outlook = read_row(row).issued.outlook
                assert outlook is not None
                assert outlook.site.parts.listed[11] > 0.3, "who is expected counts"
            said.append((row.said, bytes(row.arrays)))
            transaction.set_rollback(True)
        versions.forget()
        if day == 0:
            here = SINCE + 11 * HOUR
            told(made.says("listed", MovementKind.ADMITTED, place=place, at=here))
    made.live(NOW)
    return made, said


def test_it_says_what_would_have_been_said(
    said_then: tuple[Hospital, list[tuple[object, bytes]]],
) -> None:
    made, said = said_then
    done = replay(made.site, since=SINCE, now=NOW, hours=(8,), effort=LITTLE)
    assert (done.models, done.forecasts) == (1 + 4, 4)
    rows = list(Forecast.objects.order_by("at").select_related("model"))
    assert [row.at for row in rows] == [SINCE + n * DAY + EIGHT for n in range(4)]
    assert [(row.said, bytes(row.arrays)) for row in rows[:3]] == said
    assert all(row.model.trained_at <= row.at < row.issued_at for row in rows)
    assert all(row.model.trained_at > row.at - DAY for row in rows)


def test_it_is_scored_and_the_record_says_that_it_was_replayed() -> None:
    made = Hospital(a_day=8)
    made.live(NOW)
    replay(made.site, since=SINCE, now=NOW, hours=(8, 20), effort=LITTLE)
    scored = ForecastScore.objects.filter(
        speaker=Speaker.FORECAST, what="departures", until="24h", part="site"
    )
    # Those that have been over for six hours.
    assert sorted(scored.values_list("day", "hour")) == [
        ((SINCE + n * DAY).date(), hour) for n in range(2) for hour in (8, 20)
    ]
    asked = Asked(first=SINCE.date(), last=NOW.date())
    board = accuracy_board([made.site], asked, now=NOW, sight=Sight())
    assert sum(one.forecasts for one in board.models) == 6
    assert all(one.replayed == one.forecasts for one in board.models)


def test_a_site_that_has_begun_is_left_alone() -> None:
    made = Hospital()
    made.live(SINCE)
    assert learning.learn(made.site, at=SINCE, effort=LITTLE)
    with pytest.raises(CannotReplay, match="has forecasts of its own already"):
        replay(made.site, since=SINCE - DAY, now=SINCE)
    with pytest.raises(CannotReplay, match="within the last 366 days"):
        replay(made.site, since=SINCE - 367 * DAY, now=SINCE)


def test_cut_short_nothing_of_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Hospital()
    made.live(SINCE + DAY)

    def interrupted(*args: object, **named: object) -> object:
        issue(*args, **named)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(replaying, "issue", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replay(made.site, since=SINCE, now=SINCE + DAY, effort=LITTLE)
    for model in (ForecastModel, Forecast, ForecastTraining):
        assert not model.objects.exists()
    monkeypatch.undo()
    assert replay(made.site, since=SINCE, now=SINCE + DAY, effort=LITTLE).forecasts == 4


def test_a_failure_to_learn_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Hospital()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(learning, "learn_site", fails)
    with pytest.raises(CannotReplay, match="could not be learnt"):
        replay(made.site, since=SINCE, now=SINCE + DAY)
    assert not ForecastTraining.objects.exists()


def test_the_command_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Hospital()
    made.live(BEGIN + 3 * DAY)
    code = made.site.code
    monkeypatch.setattr(timezone, "now", lambda: BEGIN + 3 * DAY)
    monkeypatch.setattr("flow.forecasts.replaying.Effort", lambda: Effort(fits=1))
    call_command("replay_forecasts", site=[code], days=1, hour=[8, 20])
    told = capsys.readouterr()
    assert f"{code}: 2 models, 2 forecasts." in told.out
    assert f"{code}: 0 %: learning of " in told.err
    call_command("replay_forecasts", site=[code])
    assert f"{code}: has forecasts already, left alone." in capsys.readouterr().out
    with pytest.raises(CommandError, match="no site 'NO'"):
        call_command("replay_forecasts", site=["NO"])
