"""Moves of patients in beds that free the most for those who wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from tests.suitability.hospital import Building, a_hospital
from wards.suitability.defaults import EXAMPLE
from wards.suitability.facts import Bed, Needs, Ward
from wards.suitability.freeing_moves import FreeingMove, freeing_moves
from wards.suitability.judging import judge
from wards.suitability.proposing import propose
from wards.suitability.setting import Setting

FLU: Final[dict[str, Any]] = {
    "isolation": "side_room",
    "infections": frozenset({"influenza"}),
    "specialty": "respiratory",
}


def ward_of(building: Building) -> Ward:
    return building.ward(specialty="respiratory", name="Ward R")


def lying(building: Building, bed: Bed, **said: Any) -> Needs:
    return building.lies(bed, **{"age": 60, "specialty": "respiratory", **said})


def waits(key: int, **said: Any) -> Needs:
    return Needs(key=key, **{"age": 60, "specialty": "respiratory", "priority": 2, **said})


def test_a_patient_who_needs_no_side_room_makes_way_for_one_who_does() -> None:
    building = Building()
    ward = ward_of(building)
    room = building.side_room(ward)
    bay = building.bay(ward)
    beside, free = building.bed(bay), building.bed(bay)
    lying(building, room, sex="F")
    lying(building, beside, sex="F")
    [move, *_] = freeing_moves([waits(1, sex="M", **FLU)], building.setting(), EXAMPLE)
    assert move.kind == "move"
    assert [(step.from_bed, step.to_bed) for step in move.steps] == [(room.key, free.key)]
    assert [(gained.request, gained.bed) for gained in move.then] == [(1, room.key)]
    assert move.text == (
        "Move the patient in 1, Ward R to 3, Ward R and a side room comes free: "
        "one request gets a bed (1, Ward R)."
    )


def test_nobody_is_moved_where_their_sex_does_not_go() -> None:
    building = Building()
    ward = ward_of(building)
    room, bay = building.side_room(ward), building.bay(ward)
    beside, _ = building.bed(bay), building.bed(bay)
    lying(building, room, sex="F")
    lying(building, beside, sex="M")
    assert freeing_moves([waits(1, sex="M", **FLU)], building.setting(), EXAMPLE) == []


def test_the_one_man_in_a_bay_swaps_with_a_woman_elsewhere_and_the_bay_is_for_women() -> None:
    building = Building()
    ward = ward_of(building)
    one, two = building.bay(ward), building.bay(ward)
    man = building.bed(one)
    free = [building.bed(one) for _ in range(3)]
    woman = building.bed(two)
    lying(building, man, sex="M")
    lying(building, woman, sex="F")
    queue = [waits(number, sex="F") for number in (1, 2, 3)]
    [swap, *_] = freeing_moves(queue, building.setting(), EXAMPLE)
    assert swap.kind == "swap"
    assert {(step.from_bed, step.to_bed) for step in swap.steps} == {
        (man.key, woman.key), (woman.key, man.key)
    }  # fmt: skip
    assert [gained.request for gained in swap.then] == [1, 2, 3]
    assert {gained.bed for gained in swap.then} == {bed.key for bed in free}


def test_who_waits_in_a_bay_for_a_side_room_swaps_with_who_lies_in_one() -> None:
    building = Building()
    ward = ward_of(building)
    room, bay = building.side_room(ward), building.bay(ward)
    mine = building.bed(bay)
    lying(building, room, sex="F")
    me = lying(building, mine, sex="F", **FLU)
    [move] = freeing_moves([me], building.setting(), EXAMPLE)
    assert move.kind == "exchange"
    assert [(step.from_bed, step.to_bed) for step in move.steps] == [(room.key, mine.key)]
    assert [(gained.request, gained.bed) for gained in move.then] == [(me.key, room.key)]
    assert move.text.endswith("the side room goes to the one who needs it.")


@pytest.mark.parametrize(
    "said",
    [{"end_of_life": True}, {"acuity": 2}, {"isolation": "side_room"}],
    ids=["near the end of life", "of level 2", "isolated themselves"],
)
def test_some_are_not_moved(said: dict[str, Any]) -> None:
    building = Building()
    ward = ward_of(building)
    room, bay = building.side_room(ward), building.bay(ward)
    building.bed(bay)
    lying(building, room, sex="F", **said)
    assert freeing_moves([waits(1, sex="F", **FLU)], building.setting(), EXAMPLE) == []


def replayed(move: FreeingMove, queue: list[Needs], setting: Setting) -> None:
    """Make the moves in order, each with the beds left standing clean, and judge every step."""
    people = {who.key: who for who in (*setting.patients.values(), *queue)}
    at = setting.at
    order = [*((g.request, g.bed) for g in move.then[:1] if move.kind == "exchange"),
             *((step.person, step.to_bed) for step in move.steps),
             *((g.request, g.bed) for g in move.then[move.kind == "exchange":])]  # fmt: skip
    left = [step.from_bed for step in move.steps]
    left += [move.steps[0].to_bed] if move.kind == "exchange" else []
    for bed in left:
        setting = setting.vacated(bed, ready_at=at)
    for key, bed in order:
        who = people[key]
        found = judge(who, setting.beds[bed], setting, EXAMPLE)
        refusals = {finding.code for finding in found.refusals}
        assert refusals == set(), (move.text, found.refusals)
        setting = setting.placed(who, bed)


def left_over(seed: int) -> tuple[list[Needs], Setting]:
    """Who is left without a bed by a proposal, where many need rooms and equipment that others
    have without need; and the setting with that proposal made."""
    setting, queue = a_hospital(seed, wards=4, fullness=0.85, people=24)
    keen = [
        replace(needs, isolation="side_room", infections=frozenset({"cdiff"}), not_alone=False)
        if needs.key % 2
        else replace(needs, requires=frozenset({"telemetry"}), acuity=0)
        for needs in queue
    ]
    proposal = propose(keen, setting, EXAMPLE)
    left = {one.request for one in proposal.unplaced}
    return [needs for needs in keen if needs.key in left], proposal.after


@pytest.mark.parametrize("seed", range(6))
def test_no_move_breaks_a_rule_after_a_proposal(seed: int) -> None:
    waiting, setting = left_over(seed)
    moves = freeing_moves(waiting, setting, EXAMPLE, limit=20)
    assert moves
    assert sorted((move.gain for move in moves), reverse=True) == [move.gain for move in moves]
    for move in moves:
        assert move.gain > 0
        assert move.then
        replayed(move, waiting, setting)
