"""What pages say of a fan in words, cards, table and picture: one number, one name."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from flow.forecast_pages.comparing import Compared, _figure
from flow.forecast_pages.fan import fan_figure, hour_rows, marks_of
from flow.forecast_pages.hours import key_hours_said, short_said
from flow.forecast_pages.judging import days_said, level_said, verdicts
from flow.forecast_pages.reading import Seen
from flow.forecast_pages.shown import _uncounted
from flow.forecasts.accuracy import Scores
from flow.forecasts.clock import HOUR
from flow.forecasts.horizon import Horizon
from flow.forecasts.leaving import HOURS
from flow.forecasts.outlook import Fan, Mark, MarkKind, Parts, Pool, PoolKind, Spreads
from flow.forecasts.recorded import Speaker
from flow.forecasts.scenario import Places, Scenario
from flow.forecasts.wording import beds_said, fan_said, scenario_said, time_said
from flow.reference.charts import Bar, peers_figure

AHEAD = Horizon(29_700_000)
SITE = Pool(PoolKind.SITE, "", "", (1, 2))
TENS = (0.05, 0.05, 0.10, 0.10, 0.20, 0.10, 0.20, 0.10, 0.05, 0.05)
"""Chances of ten numbers: the tenth and ninetieth of a hundred are the third and the eighth."""


def fan(lowest: int, chances: tuple[float, ...] = TENS, **more: Any) -> Fan:
    none = np.zeros(HOURS)
    shown = Fan(
        pool=SITE,
        patients=30,
        free_now=4,
        open=np.full(HOURS, 34),
        spreads=Spreads(lowest, np.tile(chances, (HOURS, 1))),
        parts=Parts(*[none] * 6),
    )
    return replace(shown, **more)


def picture(shown: Fan, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fan_figure(shown, AHEAD, names={1: "<b>One</b>"}, **more))
    return found


def test_sentence_card_and_table_say_the_same_of_nine_in_ten() -> None:
    shown = fan(20)
    least, most = shown.spreads[0].at_least(0.9), shown.spreads[0].quantile(0.9)
    assert (least, most) == (22, 27)
    assert f"(at least {least}, at most {most})" in fan_said(shown, AHEAD)
    [card, *_rest] = key_hours_said(shown, AHEAD)
    assert (card.sure, card.sure_words, card.most) == (least, "at least, 9 in 10", most)
    [row, *_others] = hour_rows(shown, AHEAD)
    assert (row.least, row.most) == (least, most)
    assert row.outer == (20, 28)


@pytest.mark.parametrize(
    ("came", "beyond"),
    [(21, "fewer than was said"), (22, ""), (27, ""), (28, "more than was said")],
)
def test_what_came_is_held_by_what_the_card_says(came: int, beyond: str) -> None:
    [card, *_rest] = key_hours_said(fan(20), AHEAD, came=[came] * HOURS)
    assert card.beyond == beyond


@pytest.mark.parametrize(
    ("lowest", "said"),
    [
        (20, "At least 22 free beds at {} (9 in 10), 24 (7 in 10)"),
        (-2, "A bed for everybody at {} (9 in 10), at least 2 free (7 in 10)"),
        (-3, "At most 1 patient without a bed at {} (9 in 10), at least 1 free (7 in 10)"),
        (-4, "At most 2 patients without a bed at {} (9 in 10), a bed for everybody (7 in 10)"),
        (-6, "At most 4 patients without a bed at {} (9 in 10), 2 (7 in 10)"),
    ],
)
def test_free_beds_in_a_sentence(lowest: int, said: str) -> None:
    found = beds_said(fan(lowest), 0, AHEAD)
    when = found.split(" at ")[1].split(" (")[0]
    assert found == said.format(when)


@pytest.mark.parametrize(
    ("lowest", "said"),
    [
        (6, "At least 6 free beds at"),
        (0, "A bed for everybody at"),
        (-1, "At most 1 patient without a bed at"),
    ],
)
def test_a_second_number_that_adds_nothing_is_left_out(lowest: int, said: str) -> None:
    found = beds_said(fan(lowest, (0.95, 0.05)), 0, AHEAD)
    assert found.startswith(said)
    assert found.endswith("(9 in 10)")


def test_below_nothing_a_card_speaks_of_patients() -> None:
    [card, *_rest] = key_hours_said(fan(-17), AHEAD)
    assert (card.sure, card.sure_words) == (-15, "at most 15 without a bed, 9\u00a0in\u00a010")
    assert card.likely_words == "at most 13 without a bed, 7\u00a0in\u00a010"
    assert key_hours_said(fan(20), AHEAD)[0].likely_words == "24 or more, 7\u00a0in\u00a010"


@pytest.mark.parametrize(
    ("lowest", "said"),
    [
        (4, "6 or more free at {} (9 in 10)"),
        (-2, "a bed for everybody at {} (9 in 10)"),
        (-3, "at most 1 without a bed at {} (9 in 10)"),
    ],
)
def test_the_line_of_a_site_names_beds_and_chance(lowest: int, said: str) -> None:
    assert short_said(fan(lowest), 0, AHEAD) == said.format(time_said(AHEAD.at + 60, at=AHEAD.at))


def test_of_a_ward_none_or_more_says_nothing_and_the_chance_of_a_bed_is_told() -> None:
    """Whoever finds no bed on a ward goes elsewhere: that it has none or more is always so."""
    ward = Pool(PoolKind.WARD, "1", "Ward 1", (1,))
    full = fan(0, (0.55, 0.45), pool=ward)
    when = time_said(AHEAD.at + 60, at=AHEAD.at)
    assert beds_said(full, 0, AHEAD) == f"Chance of a free bed at {when}: 45 %"
    assert short_said(full, 0, AHEAD) == f"chance of a free bed at {when}: 45 %"
    assert key_hours_said(full, AHEAD)[0].likely_words == "a free bed: 45 %"
    assert "Whoever finds no bed here goes elsewhere." in fan_said(full, AHEAD)
    some = fan(0, (0.2, 0.1, 0.7), pool=ward)
    said = f"Chance of a free bed at {when}: 80 %; at least 2 (7 in 10)"
    assert beds_said(some, 0, AHEAD) == said
    assert beds_said(replace(full, pool=SITE), 0, AHEAD).startswith("A bed for everybody")


def test_beds_taken_that_are_not_open_are_explained() -> None:
    assert _uncounted(fan(0), AHEAD) == ""
    said = _uncounted(fan(0, open=np.full(HOURS, 30)), AHEAD)
    assert said.startswith("Now 34 beds are free or taken; from ")
    assert " on 30 are counted as open. 4 patients are in beds" in said


def test_of_a_scenario_less_than_a_day_or_a_per_cent_reads_right() -> None:
    said = scenario_said(Scenario(arrivals=1.004, places=(Places(1, 2),)), {}, at=AHEAD.at)
    assert said[0] == "0.4 % more arrivals"
    assert "taken in the daytime of the next 24 hours by" in said[1]
    assert scenario_said(Scenario(arrivals=0.8), {}, at=AHEAD.at) == ["20 % fewer arrivals"]


def test_how_fast_patients_leave_is_a_factor() -> None:
    assert level_said(1.01, 0.9, 1.12).startswith("Patients leave about as fast these days")
    assert level_said(0.7, 0.6, 0.8).startswith("Patients leave 0.70 times as fast these days")


def test_a_verdict_sets_one_score_against_the_other() -> None:
    def scores(speaker: Speaker, crps: float) -> Scores:
        return Scores(
            speaker=speaker, patients=0, log_score=None, brier=None, chance=None, came=None,
            tenths=(), forecasts=20, said=5.0, seen=5.0, crps=crps, mae=1.0, bias=0.0,
            within_50=0.5, within_80=0.8, within_90=0.9,
        )  # fmt: skip

    [found] = verdicts([scores(Speaker.FORECAST, 2.1), scores(Speaker.YESTERDAY, 2.5)])
    assert found.words == "Beats The day before: CRPS 2.10 against 2.50, 16 % less."


@dataclass(frozen=True)
class Scored:
    """A day as the page tells of it."""

    day: date
    speaker: Speaker
    crps: float


def test_crps_over_time_is_told_in_a_sentence() -> None:
    own, other = Speaker.FORECAST, Speaker.YESTERDAY
    values = ((1, 2.0, 3.0), (2, 5.0, 1.0), (3, 3.0, 3.0))
    days = [Scored(date(2026, 11, n), own, mine) for n, mine, _its in values]
    days += [Scored(date(2026, 11, n), other, its) for n, _mine, its in values]
    assert days_said(days) == (
        "CRPS of the forecast lay between 2.00 (1 Nov) and 5.00 (2 Nov), in the middle at 3.00. "
        "It was as good as the best of the others, or better, on 2 of 3 days."
    )
    assert days_said(days[:1]) == ""


# --- the picture ----------------------------------------------------------------------------------


def mark(hours: float, kind: MarkKind, number: int = 1, ward: int | None = 1) -> Mark:
    return Mark(AHEAD.at + round(hours * HOUR), kind, number, ward)


def test_a_site_marks_what_concerns_its_beds() -> None:
    """Who comes to a day case unit comes to none of them."""
    mine = [mark(3, MarkKind.LISTED), mark(4, MarkKind.LISTED, ward=None)]
    other = mark(3, MarkKind.LISTED, 33, ward=9)
    assert marks_of(fan(0), [*mine, other]) == mine


def test_signs_stand_apart_and_in_whole() -> None:
    marks = [mark(hours, MarkKind.LISTED) for hours in (0.1, 5.5, 6.5, 13, 40)]
    found = picture(fan(0), marks=[*marks, mark(5, MarkKind.CLOSURE_BEGINS, 4)])
    lanes = {one["name"]: one for one in found["data"] if one.get("yaxis") == "y2"}
    assert list(lanes) == ["Beds shut", "Expected"]
    times = [np.datetime64(one) for one in lanes["Expected"]["x"]]
    assert all(b - a >= np.timedelta64(6, "h") for a, b in pairwise(times))
    assert sum(int(one) for one in lanes["Expected"]["text"]) == 5
    # None is at the edge, and the line of the moment ends above them.
    begin = np.datetime64(found["layout"]["xaxis"]["range"][0])
    assert times[0] - begin >= np.timedelta64(5, "h")
    now = found["layout"]["shapes"][1]
    assert now["y0"] == found["layout"]["yaxis"]["domain"][0] > 0


def test_names_are_no_marks_for_the_chart() -> None:
    found = picture(fan(0), marks=[mark(3, MarkKind.CLOSURE_BEGINS)])
    words = found["data"][-1]["hovertext"][0]
    assert "&lt;b&gt;One&lt;/b&gt;" in words
    assert "<b>" not in words
    line = Compared("<a>R & D</a>", 1, (), (), "", "", 0, 1, fan(0))
    [trace] = json.loads(_figure([line], AHEAD))["data"]
    assert trace["name"] == "&lt;a&gt;R &amp; D&lt;/a&gt;"
    peers = json.loads(peers_figure([Bar("R & <i>D</i>", 1, 2, 3)], share=False))
    assert peers["layout"]["yaxis"]["ticktext"] == ["R &amp; &lt;i&gt;D&lt;/i&gt;"]
    assert "<i>" not in json.dumps(peers["data"])


def test_counts_far_apart_are_not_joined() -> None:
    from_record = [Seen(AHEAD.at - 8 * HOUR, 5), Seen(AHEAD.at, 6, gap=True)]
    found = picture(fan(0), marks=[], seen=from_record)
    counted = next(one for one in found["data"] if one["name"] == "Counted")
    assert counted["y"] == [5, None, 6]
    assert "markers" in counted["mode"]


def test_the_outermost_band_has_an_edge() -> None:
    outer, inner = picture(fan(0), marks=[])["data"][1:4:2]
    assert outer["line"]["width"] == 1
    assert outer["meta"] == {"fill": "--fan-90", "line": "--fan-edge"}
    assert inner["line"]["width"] == 0
