"""Settings step by step, and when beds are expected free."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.suitability.hospital import AT, Building, minutes
from wards.suitability.facts import Bed, BedState, Needs, Spot
from wards.suitability.leaving import Cleaning, Leaving, expected_clean, expected_free, told

CLEANING = Cleaning(ordinary=minutes(45), terminal=minutes(120))


def test_beds_in_no_bay_share_the_open_area_and_a_side_room_is_its_own() -> None:
    building = Building()
    ward = building.ward()
    one, two, side = building.bed(ward), building.bed(ward), building.side_room(ward)
    bay = building.bay(ward)
    listed = building.bed(bay, "side_room")
    building.lies(one)
    building.lies(listed)
    setting, me = building.setting(), Needs(key=1)
    assert [who.key for who in setting.neighbours(two, me)] == [1000 + one.key]
    assert setting.neighbours(side, me) == []
    assert setting.neighbours(listed, me) == []


def test_who_is_to_come_counts_as_there_until_the_bed_is_let_go() -> None:
    building = Building()
    bay = building.bay(building.ward())
    one, two = building.bed(bay), building.bed(bay)
    before, first, second = building.setting(), Needs(key=1), Needs(key=2)
    held = before.placed(first, one.key)
    assert held.neighbours(held.beds[two.key], second) == [first]
    assert held.neighbours(held.beds[two.key], first) == []
    assert (held.beds[one.key].state, held.beds[one.key].reserved_for) == ("reserved", 1)
    assert list(held.on_ward(1)) == [1]
    again = held.released(one.key, before)
    assert (again.beds, again.coming) == (before.beds, before.coming)
    assert again.on_ward(1) == {}


def test_who_takes_the_bed_of_somebody_leaving_is_not_one_more() -> None:
    building = Building()
    ward = building.ward()
    bed, free = building.bed(ward), building.bed(ward)
    leaving = building.lies(bed)
    setting, me = building.setting(), Needs(key=1)
    assert setting.others_on_ward(setting.beds[bed.key], me) == {}
    assert setting.others_on_ward(setting.beds[free.key], me) == {leaving.key: leaving}
    assert setting.others_on_ward(setting.beds[free.key], leaving) is None
    moving = setting.placed(leaving, free.key)
    assert moving.others_on_ward(moving.beds[bed.key], me) == {leaving.key: leaving}


def test_a_bed_left_is_clean_after_a_while() -> None:
    building = Building()
    bed = building.bed(building.ward())
    building.lies(bed)
    setting = building.setting().vacated(bed.key, ready_at=AT + minutes(45))
    assert setting.beds[bed.key].state == BedState.NEEDS_CLEANING
    assert setting.is_empty(setting.beds[bed.key])
    assert setting.holding == {1000 + bed.key: ()}


def test_steps_from_here_to_there() -> None:
    building = Building()
    ward, near, far = building.ward(), building.ward(), building.ward(site=2)
    bay = building.bay(ward)
    beds = [building.bed(place) for place in (bay, ward, near, far)]
    setting = building.setting()
    me = Needs(key=1, place=Spot(site=1, ward=ward.key, bay=bay.key))
    assert [setting.distance(me, bed) for bed in beds] == [0, 1, 2, 3]
    assert setting.distance(Needs(key=2), beds[0]) is None


def hours(number: float) -> datetime:
    return AT + timedelta(hours=number)


@pytest.mark.parametrize(
    ("leaving", "ready", "chance"),
    [
        (Leaving(definite_at=hours(2)), hours(2.75), 0.95),
        (Leaving(definite_at=hours(-1)), hours(0.75), 0.95),
        (Leaving(definite_at=hours(2), infected=True), hours(4), 0.95),
        (Leaving(definite_at=hours(2), chances=[(hours(1), 0.99)]), hours(2.75), 0.99),
        (Leaving(chances=[(hours(1), 0.2), (hours(3), 0.6), (hours(5), 0.9)]), hours(3.75), 0.6),
    ],
)
def test_when_a_bed_comes_free(leaving: Leaving, ready: datetime, chance: float) -> None:
    found = expected_free(leaving, at=AT, cleaning=CLEANING)
    assert found is not None
    assert (found.ready_at, found.chance) == (ready, chance)
    bed = told(Bed(key=1, ward=1, state="occupied"), found)
    assert (bed.ready_at, bed.chance) == (ready, chance)


def test_nobody_can_say_when_a_bed_comes_free() -> None:
    unlikely = Leaving(chances=[(hours(1), 0.1), (hours(9), 0.4)])
    assert expected_free(unlikely, at=AT, cleaning=CLEANING) is None
    assert expected_free(Leaving(), at=AT, cleaning=CLEANING) is None
    assert told(Bed(key=1, ward=1, ready_at=AT, chance=0.5), None).ready_at is None


def test_chances_never_fall() -> None:
    with pytest.raises(ValueError, match="never fall"):
        Leaving(chances=[(hours(1), 0.5), (hours(2), 0.4)])


@pytest.mark.parametrize(
    ("state", "since", "ready"),
    [("needs_cleaning", -3.0, 0.75), ("being_cleaned", -0.5, 0.25), ("being_cleaned", -3.0, 0.0)],
)
def test_when_a_bed_is_clean(state: str, since: float, ready: float) -> None:
    bed = Bed(key=1, ward=1, state=state)
    found = expected_clean(bed, since=hours(since), at=AT, infected=False, cleaning=CLEANING)
    assert found == hours(ready)
