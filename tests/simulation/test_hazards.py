from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from math import sqrt
from random import Random

import pytest

from simulation.clock import DAY, HOUR, LONDON, minute_of
from simulation.hazards import LEFT, Condition, Hazards, Stage
from simulation.outlook import Outlook
from simulation.worlds import (
    HOME,
    ORDINARY,
    REHABILITATION,
    SUPPORT,
    World,
    longer_stays,
    slower,
    weekend_slump,
)

FRIDAY = minute_of(datetime(2026, 10, 23, 8, tzinfo=LONDON))
OPEN = replace(ORDINARY, places_limit_discharge=False)


def lives_on(hazards: Hazards, c: Condition, at: int, rng: Random, until: int) -> bool:
    """Follow one stay by its draws; whether it still goes on at a minute."""
    while True:
        change = hazards.next_change(c, at, rng)
        if change is None or change.at >= until:
            return True
        if change.to in LEFT:
            return False
        way = c.way
        if change.to is Stage.READY and c.stage is Stage.ACTIVE:
            ways = hazards.ways(c.stream)
            way = rng.choices([w for w, _ in ways], [share for _, share in ways])[0]
        elif change.to is Stage.READY and c.stage is Stage.WAITING:
            way = SUPPORT
        c = replace(c, stage=change.to, since=change.at, way=way)
        at = change.at


def since(stream: str, course: int, stage: Stage, hours: float, **more: str | float) -> Condition:
    """A stay admitted some hours ago, in its stage for `stage_hours` or as long as it is there."""
    stage_hours = float(more.pop("stage_hours", hours))
    return Condition(
        stream,
        course,
        stage,
        FRIDAY - round(hours * HOUR),
        FRIDAY - round(stage_hours * HOUR),
        str(more.pop("way", HOME)),
    )


CONDITIONS = {
    "long stay on a Friday": since("elderly_medicine", 1, Stage.ACTIVE, 216),
    "a day old": since("cardiology", 0, Stage.ACTIVE, 24, stage_hours=23.7),
    "critical": since("vascular_surgery", 1, Stage.CRITICAL, 5),
    "ready for home": since("respiratory", 0, Stage.READY, 72, stage_hours=1),
    "ready since this hour": since("respiratory", 0, Stage.READY, 72, stage_hours=-0.3),
    "ready for rehabilitation": since(
        "stroke", 1, Stage.READY, 480, stage_hours=48, way=REHABILITATION
    ),
    "going home today": since("urology", 0, Stage.ARRANGED, 24, stage_hours=1),
    "a service after hospital": since("virtual", 0, Stage.ACTIVE, 144),
}
WORLDS = {
    "open": OPEN,
    "slump": weekend_slump(OPEN, depth=0.3),
    "shift": slower(OPEN, recovery=0.4, since=FRIDAY + 20 * HOUR),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_the_outlook_is_the_law_that_the_draws_follow(condition: Condition, world: World) -> None:
    hazards, rng, at, draws = Hazards(world), Random(11), FRIDAY + 25, 1200
    chances = Outlook(hazards).leaving(condition, at, 80)
    for hours in (1, 6, 30, 79):
        until = (at // HOUR + hours) * HOUR
        left = sum(not lives_on(hazards, condition, at, rng, until) for _ in range(draws))
        expected = chances[hours - 1] * draws
        spread = sqrt(max(expected * (1 - expected / draws), 1.0))
        assert abs(left - expected) < 4.2 * spread, (hours, left, expected)


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_chances_only_grow_and_end_near_certainty(condition: Condition) -> None:
    chances = Outlook(Hazards(OPEN)).leaving(condition, FRIDAY, 24 * 120)
    assert chances[0] >= 0
    assert all(a <= b + 1e-12 for a, b in pairwise(chances))
    assert 0.97 < chances[-1] <= 1 + 1e-9


def test_a_place_that_never_comes_keeps_a_patient_until_patience_ends() -> None:
    waiting = replace(CONDITIONS["ready for rehabilitation"], stage=Stage.WAITING)
    hazards = Hazards(ORDINARY)
    scarce = Outlook(hazards).leaving(waiting, FRIDAY, 96)[-1]
    plenty = Outlook(hazards, place_rate=0.5).leaving(waiting, FRIDAY, 96)[-1]
    assert scarce < 0.25
    assert plenty > 0.6


def test_nobody_leaves_while_on_leave() -> None:
    c = CONDITIONS["long stay on a Friday"]
    chances = Outlook(Hazards(OPEN)).leaving(c, FRIDAY, 72, on_leave_until=FRIDAY + DAY)
    assert chances[23] == 0
    assert chances[-1] > 0.05


def test_weekends_and_level_shifts_slow_what_they_should() -> None:
    c = CONDITIONS["long stay on a Friday"]
    plain = Outlook(Hazards(OPEN)).leaving(c, FRIDAY, 96)
    slump = Outlook(Hazards(WORLDS["slump"])).leaving(c, FRIDAY, 96)
    shift = Outlook(Hazards(WORLDS["shift"])).leaving(c, FRIDAY, 96)
    assert slump[60] - slump[16] < 0.6 * (plain[60] - plain[16])
    assert shift[:20] == plain[:20]
    assert shift[60] < plain[60] - 0.02


def test_longer_courses_mean_longer_stays() -> None:
    def mean_days(world: World) -> float:
        c = Condition("respiratory", 1, Stage.ACTIVE, FRIDAY, FRIDAY)
        return sum(1 - p for p in Outlook(Hazards(world)).leaving(c, FRIDAY, 24 * 90)) / 24

    assert 1.25 < mean_days(longer_stays(OPEN, factor=1.5)) / mean_days(OPEN) < 1.6


def test_stays_have_long_tails() -> None:
    c = Condition("elderly_medicine", 1, Stage.ACTIVE, FRIDAY, FRIDAY)
    chances = Outlook(Hazards(OPEN)).leaving(c, FRIDAY, 24 * 60)
    still = [1 - chances[24 * day - 1] for day in (7, 21, 42)]
    assert still[0] > 0.6
    assert still[1] > 0.1
    assert still[2] > 0.015
