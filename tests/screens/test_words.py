from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow import words
from flow.board_types import BayBox, BedState, BedTile, Trend
from flow.figure_types import Figures, Group
from flow.flow_map_types import Node
from flow.templatetags import boards
from wards.models import BedRequest

NOW = datetime(2026, 11, 21, 8, 2, tzinfo=UTC)
NOTHING = Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, as_at=NOW)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-5), "< 1 min"),
        (timedelta(seconds=59), "< 1 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=1), "1 h 0 min"),
        (timedelta(hours=9, minutes=59), "9 h 59 min"),
        (timedelta(hours=10), "10 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(hours=24), "1 d 0 h"),
        (timedelta(days=2, hours=23), "2 d 23 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=412), "412 d"),
    ],
)
def test_durations_are_coarser_the_longer_they_are(length: timedelta, said: str) -> None:
    assert boards.duration(length) == said


def test_every_state_node_and_wait_has_a_word_and_a_state_an_icon() -> None:
    assert set(words.NODES) == set(Node)
    assert set(words.BED_STATES) == set(words.STATE_ICONS) == set(BedState)
    assert set(words.WAITS) == set(BedRequest.Kind.values)
    assert set(words.GROUPS) == set(words.GROUPS_SHORT) == set(Group)


@pytest.mark.parametrize(
    ("share", "said"), [(None, "–"), (0.0, "0 %"), (0.996, "99 %"), (1.0, "100 %"), (1.08, "108 %")]
)
def test_a_hundred_per_cent_means_full(share: float | None, said: str) -> None:
    assert boards.percent(share) == said


@given(st.tuples(*[st.integers(0, 90)] * 5))
def test_a_bar_is_filled_exactly_and_in_proportion(beds: tuple[int, ...]) -> None:
    occupied, unready, free, closed, not_opened = beds
    figures = replace(
        NOTHING,
        beds_open=occupied + unready + free,
        beds_occupied=occupied,
        beds_unready=unready,
        beds_available=free,
        beds_closed=closed,
        beds_not_opened=not_opened,
    )
    parts = boards.bed_parts(figures)
    assert sum(1 for count in beds if count) == len(parts)
    if parts:
        assert abs(parts[-1].x + parts[-1].width - 100) < 0.1
        for before, after in pairwise(parts):
            assert abs(before.x + before.width - after.x) < 0.05


def tile(number: int) -> BedTile:
    return BedTile(
        number, str(number), "bed", "core", (), BedState.AVAILABLE, None, "", "", None, "", "",
        None, clash=False, occupant=None,
    )  # fmt: skip


def bay(number: int | None, beds: int) -> BayBox:
    tiles = tuple(tile(n) for n in range(beds))
    return BayBox(number, f"B{number}" if number else "", "", "any", tiles)


def test_neighbouring_single_rooms_share_a_frame_in_walking_order() -> None:
    walked = boards.walk([bay(1, 6), bay(2, 1), bay(3, 1), bay(4, 4), bay(5, 1), bay(None, 1)])
    assert [(box.name, box.beds, box.rooms) for box in walked] == [
        ("B1", 6, False),
        ("Single rooms", 2, True),
        ("B4", 4, False),
        ("B5", 1, False),
        ("", 1, False),
    ]
    assert [box.across for box in walked] == [3, 1, 2, 1, 1]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 14)), max_size=12))
def test_no_bed_is_lost_on_the_walk(wards: list[tuple[bool, int]]) -> None:
    bays = [bay(number + 1 if named else None, beds) for number, (named, beds) in enumerate(wards)]
    walked = [one for box in boards.walk(bays) for one in box.bays]
    assert walked == bays


@given(st.lists(st.integers(0, 900), min_size=2, max_size=96))
def test_a_spark_line_stays_in_its_frame(values: list[int]) -> None:
    trend = Trend(NOW, timedelta(minutes=15), tuple(values))
    points = [tuple(map(float, point.split(","))) for point in boards.spark(trend).split()]
    assert len(points) == len(values)
    assert all(0 <= x <= 72.05 and 0 <= y <= 18 for x, y in points)
    assert points[-1][0] == pytest.approx(72, abs=0.1)


@pytest.mark.parametrize(
    ("away", "said"),
    [
        (-30, "yesterday"),
        (1, "today"),
        (26, "tomorrow"),
        (72, "Tue"),
        (24 * 9, "30 Nov"),
        (-72, "18 Nov"),
    ],
)
def test_days_near_the_moment_are_said_as_people_say_them(away: int, said: str) -> None:
    assert boards.day(NOW + timedelta(hours=away), NOW) == said


@given(st.text())
def test_no_text_ends_a_data_block(text: str) -> None:
    assert "<" not in boards.json_text(text)
    assert "&" not in boards.json_text(text)
