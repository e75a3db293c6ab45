"""The best for the whole queue: never worse than one by one, exact where that can be checked."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.suitability.hospital import AT, Building, a_hospital, a_person, keys, minutes
from wards.suitability.allocating import Chosen, Queue, allocate, is_sound, mend, queue_of
from wards.suitability.costing import costs
from wards.suitability.defaults import EXAMPLE
from wards.suitability.facts import Bed, Needs
from wards.suitability.judging import best, judge, suits
from wards.suitability.proposing import Proposal, greedy, propose
from wards.suitability.setting import Setting

GENEROUS = 10.0


def in_order(proposal: Proposal, setting: Setting, people: list[Needs], order: list[int]) -> None:
    """Accept the lines one by one in this order; each is judged as it is accepted."""
    by_key = {needs.key: needs for needs in people}
    for place in order:
        line = proposal.lines[place]
        found = judge(by_key[line.request], setting.beds[line.bed], setting, EXAMPLE)
        assert found.suitable, found.refusals
        setting = setting.placed(by_key[line.request], line.bed)


def crowd(
    seed: int, people: int, wards: int = 2, fullness: float = 0.8
) -> tuple[Setting, list[Needs]]:
    """A queue for few beds, of which some already lie in beds of the hospital."""
    setting, queue = a_hospital(seed, wards=wards, fullness=fullness, people=people)
    rng = random.Random(seed)
    lying = rng.sample(sorted(setting.patients), k=min(3, len(setting.patients)))
    return setting, queue + [replace(setting.patients[bed], priority=3) for bed in lying]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    people=st.integers(0, 25),
    fullness=st.floats(0.3, 1),
    chance=st.randoms(use_true_random=False),
)
def test_no_proposal_breaks_a_hard_rule_in_whatever_order_its_lines_are_accepted(
    seed: int, people: int, fullness: float, chance: random.Random
) -> None:
    setting, queue = crowd(seed, people, fullness=fullness)
    proposal = propose(queue, setting, EXAMPLE, time_limit=GENEROUS)
    in_order(proposal, setting, queue, list(range(len(proposal.lines))))
    shuffled = list(range(len(proposal.lines)))
    chance.shuffle(shuffled)
    in_order(proposal, setting, queue, shuffled)
    in_order(proposal, setting, queue, shuffled[::2])


def wrongs(needs: Needs, bed: Bed, setting: Setting) -> Iterator[str]:
    """What is wrong with somebody's being in the bed, said again without the rules."""
    ward = setting.hospital.wards[bed.ward]
    beside = [
        who
        for other, spot in setting.beds.items()
        if other != bed.key and spot.ward == bed.ward and spot.bay == bed.bay
        and "side_room" not in (spot.features | bed.features)
        for who in (setting.patients.get(other), setting.coming.get(other))
        if who is not None and who.key != needs.key
    ]  # fmt: skip
    if bed.state == "closed" or bed.reserved_for != needs.key:
        yield "closed, or not held for them"
    if bed.state == "occupied" and not (
        bed.ready_at and bed.ready_at <= AT + minutes(720) and bed.chance >= 0.5
    ):
        yield "occupied"
    if {needs.sex, *(who.sex for who in beside)} >= {"F", "M"}:
        yield "mixed"
    if any(who.infections != needs.infections for who in beside):
        yield "infection"
    alike = beside and needs.infections <= {"influenza", "covid"}
    if needs.isolation != "none" and "side_room" not in bed.features and not alike:
        yield "not isolated"
    if needs.not_alone and "side_room" in bed.features:
        yield "alone"
    if not needs.requires <= bed.features:
        yield "equipment"
    if (needs.acuity or 0) >= 2 or ward.kind != "inpatient":
        yield "wrong ward"
    there = {
        (setting.coming.get(key) or setting.patients[key]).key
        for key, spot in setting.beds.items()
        if spot.ward == bed.ward and (key in setting.coming or key in setting.patients)
    }
    lay_there = needs.place is not None and needs.place.ward == bed.ward
    if ward.most_patients is not None and len(there) > ward.most_patients and not lay_there:
        yield "too many"
    if needs.isolation == "none" and "side_room" in bed.features:
        empty = [
            key
            for key, spot in setting.beds.items()
            if spot.ward == bed.ward and "side_room" in spot.features
            and spot.state in ("ready", "needs_cleaning") and spot.reserved_for is None
        ]  # fmt: skip
        if not empty:
            yield "no side room kept"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(0, 30), fullness=st.floats(0.2, 1))
def test_what_was_proposed_is_right_by_what_the_rules_are_for(
    seed: int, people: int, fullness: float
) -> None:
    setting, queue = crowd(seed, people, fullness=fullness)
    by_key = {needs.key: needs for needs in queue}
    for proposal in (propose(queue, setting, EXAMPLE), greedy(queue, setting, EXAMPLE)):
        for line in proposal.lines:
            bed = proposal.after.beds[line.bed]
            assert list(wrongs(by_key[line.request], bed, proposal.after)) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(0, 30), fullness=st.floats(0.3, 1))
def test_a_proposal_costs_no_more_than_one_by_one_and_no_less_than_its_bound(
    seed: int, people: int, fullness: float
) -> None:
    setting, queue = crowd(seed, people, fullness=fullness)
    proposal, alone = propose(queue, setting, EXAMPLE), greedy(queue, setting, EXAMPLE)
    assert proposal.bound - 1e-6 <= proposal.objective <= alone.objective + 1e-6
    for one in (proposal, alone):
        assert sorted([line.request for line in one.lines] + [u.request for u in one.unplaced]) == (
            sorted(keys(queue))
        )
        assert len({line.bed for line in one.lines}) == len(one.lines)
        assert one.objective == pytest.approx(
            sum(line.cost for line in one.lines) + sum(u.cost for u in one.unplaced)
        )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), fullness=st.floats(0.5, 1))
def test_every_refusal_names_a_rule_and_every_request_hears_why(seed: int, fullness: float) -> None:
    setting, queue = crowd(seed, 12, fullness=fullness)
    for needs in queue[::4]:
        for one in best(needs, setting, EXAMPLE):
            assert one.suitable == (not one.refusals)
            for finding in one.refusals:
                assert EXAMPLE.lines[finding.code].title == finding.title
                assert finding.text
    proposal = propose(queue, setting, EXAMPLE, time_limit=GENEROUS)
    for left in proposal.unplaced:
        assert left.text
        if left.nearest is not None:
            assert left.nearest.refusals
            assert all(finding.text in left.text for finding in left.nearest.refusals)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), fullness=st.floats(0, 1))
def test_the_table_of_costs_says_what_judging_says(seed: int, fullness: float) -> None:
    setting, queue = crowd(seed, 8, wards=3, fullness=fullness)
    for held, needs in zip(list(setting.beds)[::17], queue, strict=False):
        if setting.is_empty(setting.beds[held]):
            setting = setting.placed(needs, held)
    found = costs(queue, setting, EXAMPLE)
    for row, needs in enumerate(queue):
        for column, bed in enumerate(found.beds):
            one = judge(needs, setting.beds[bed], setting, EXAMPLE)
            assert found.cost[row, column] == pytest.approx(one.cost)
            assert found.refusals[row, column] == len(one.refusals)
            fixed = sum(not finding.overridable for finding in one.refusals)
            assert found.fixed[row, column] == fixed


def sound_in_any_order(queue: Queue, chosen: Chosen) -> bool:
    rows = [row for row, bed in enumerate(chosen) if bed is not None]
    for order in itertools.permutations(rows):
        setting = queue.setting
        for row in order:
            bed = chosen[row]
            assert bed is not None
            needs = queue.people[row]
            if not judge(needs, setting.beds[bed], setting, queue.book).suitable:
                return False
            setting = setting.placed(needs, bed)
    return True


def by_trying_all(queue: Queue) -> float:
    """The least that any choice costs whose lines can be accepted in any order."""
    least = queue.objective((None,) * len(queue.people))
    options = [
        [None, *(bed for bed, suits in zip(queue.costs.beds, row, strict=True) if suits)]
        for row in queue.costs.suits
    ]
    for chosen in itertools.product(*options):
        beds = [bed for bed in chosen if bed is not None]
        if len(set(beds)) < len(beds):
            continue
        cost = queue.objective(chosen)
        if cost < least - 1e-9 and sound_in_any_order(queue, chosen):
            least = cost
    return least


def small(seed: int) -> Queue:
    """Four people and a handful of beds in which all that ties choices to each other is found."""
    rng = random.Random(seed)
    building = Building()
    ward = building.ward(specialty="respiratory", most_patients=rng.choice((None, 2, 3)),
                         most_acute=rng.choice((None, 1)))  # fmt: skip
    other = building.ward(specialty=rng.choice(("cardiology", "general_surgery")))
    for place in (ward, other):
        bay = building.bay(place)
        for _ in range(rng.randint(1, 3)):
            building.bed(bay, *rng.sample(("oxygen", "telemetry", "high_visibility"), k=2))
    for _ in range(2):
        building.side_room(ward, "oxygen")
    if rng.random() < 0.5:
        leaver = building.bed(building.bay(ward), state="occupied", chance=0.9,
                              ready_at=AT + minutes(60))  # fmt: skip
        building.lies(leaver, sex="F", acuity=rng.choice((0, 2)))
    people = [
        a_person(rng, number, specialty=rng.choice(("respiratory", "cardiology")),
                 acuity=rng.choice((0, 0, 2)), immunosuppressed=rng.random() < 0.3)
        for number in range(1, 5)
    ]  # fmt: skip
    return queue_of(people, building.setting(), EXAMPLE)


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_better_than_the_proposal_where_all_can_be_tried(seed: int) -> None:
    queue = small(seed)
    found = allocate(queue, time_limit=GENEROUS)
    assert found.proved
    assert found.objective == pytest.approx(by_trying_all(queue))


def test_a_woman_and_a_man_for_one_empty_bay_are_not_both_put_there() -> None:
    building = Building()
    bay = building.bay(building.ward(specialty="respiratory"))
    building.bed(bay)
    building.bed(bay)
    two = [Needs(key=1, sex="F", age=50, specialty="respiratory"),
           Needs(key=2, sex="M", age=50, specialty="respiratory")]  # fmt: skip
    proposal = propose(two, building.setting(), EXAMPLE)
    assert [line.request for line in proposal.lines] == [1]
    [left] = proposal.unplaced
    assert left.text == "The beds that suit do more good for others."
    assert proposal.proved


def test_the_bed_with_telemetry_is_left_for_who_needs_it() -> None:
    building = Building()
    bay = building.bay(building.ward(specialty="cardiology"))
    near = building.bed(bay, "telemetry")
    far = building.bed(building.bay(building.ward(specialty="respiratory")))
    first = Needs(key=1, sex="F", age=50, specialty="cardiology", priority=1)
    second = Needs(key=2, sex="F", age=50, specialty="cardiology", priority=2,
                   requires=frozenset({"telemetry"}))  # fmt: skip
    alone = greedy([first, second], building.setting(), EXAMPLE)
    assert [(line.request, line.bed) for line in alone.lines] == [(1, near.key)]
    proposal = propose([first, second], building.setting(), EXAMPLE)
    assert [(line.request, line.bed) for line in proposal.lines] == [(1, far.key), (2, near.key)]
    [line, _] = proposal.lines
    assert line.alone is not None
    assert line.alone.bed == near.key
    assert line.instead is None


def test_the_lines_say_which_bed_is_left_instead() -> None:
    building = Building()
    ward = building.ward(specialty="cardiology")
    one, two = building.bed(building.bay(ward)), building.bed(building.bay(ward), "telemetry")
    me = Needs(key=1, sex="F", age=50, specialty="cardiology")
    [line] = propose([me], building.setting(), EXAMPLE).lines
    assert line.bed == one.key
    assert line.alone is None
    assert line.instead is not None
    assert line.instead.bed == two.key


def test_mending_keeps_what_stands_and_places_whom_it_can() -> None:
    building = Building()
    bay = building.bay(building.ward(specialty="respiratory"))
    first, second = building.bed(bay), building.bed(bay)
    spare = building.bed(building.bay(building.wards[1]))
    two = [Needs(key=1, sex="F", age=50, specialty="respiratory"),
           Needs(key=2, sex="M", age=50, specialty="respiratory")]  # fmt: skip
    queue = queue_of(two, building.setting(), EXAMPLE)
    assert not is_sound(queue, (first.key, second.key))
    assert mend(queue, (first.key, second.key)) == (first.key, spare.key)


def test_an_empty_queue_and_a_hospital_without_beds() -> None:
    setting, _ = a_hospital(1, wards=1, fullness=0.5)
    assert propose([], setting, EXAMPLE).lines == ()
    nothing = Building()
    nothing.ward()
    [left] = propose([Needs(key=1)], nothing.setting(), EXAMPLE).unplaced
    assert left.text == "There are no beds."


def test_nobody_is_in_a_queue_twice() -> None:
    setting, [one] = a_hospital(1, wards=1, fullness=0.5, people=1)
    with pytest.raises(ValueError, match="twice"):
        propose([one, one], setting, EXAMPLE)


def test_the_same_facts_give_the_same_proposal() -> None:
    setting, queue = crowd(7, 20)
    found = [
        propose(order, setting, EXAMPLE, time_limit=GENEROUS) for order in (queue, queue[::-1])
    ]
    assert found[0].lines == found[1].lines
    assert found[0].unplaced == found[1].unplaced


def test_asking_for_refusals_alone_finds_what_judging_finds() -> None:
    setting, queue = crowd(11, 6)
    for needs in queue:
        for bed in setting.beds.values():
            found = judge(needs, bed, setting, EXAMPLE).suitable
            assert suits(needs, bed, setting, EXAMPLE) == found
