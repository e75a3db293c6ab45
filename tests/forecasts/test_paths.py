"""Ways through a site: what was known of them at a moment, and what is learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from flow.figure_types import Group
from flow.forecasts import emergency, onward, staying
from flow.forecasts.clock import DAY, HOUR
from flow.forecasts.history import NOT_YET, Notes, Stays, WardFacts
from flow.forecasts.horizon import Horizon
from flow.forecasts.listed import Listed, learn, nobody
from flow.forecasts.paths import GONE, HERE, Way, bed_wards, paths, spells, way_of
from flow.forecasts.patterns import Lounge, Patterns, following
from flow.forecasts.patterns import learn as learn_all
from flow.kinds import GROUP_OF
from tests.forecasts.hospital import START, Truth, run
from wards.models import Ward

WARDS = (
    WardFacts(0, "", "", "", counts=False),
    WardFacts(1, "ED", "emergency", "", counts=False),
    WardFacts(2, "AMU", "assessment", "", counts=True),
    WardFacts(3, "Ward 3", "inpatient", "", counts=True),
    WardFacts(4, "Lounge", "discharge_lounge", "", counts=True),
)
Said = tuple[str, int, float]


def stays(*told: Sequence[Said], people: Sequence[int] = ()) -> Stays:
    """Stays of which each was told in turn: the log, when it was learnt, and the value."""
    notes = Notes()
    for number, entries in enumerate(told):
        for name, learnt, value in entries:
            notes.add(name, number, learnt, value)
    return Stays(
        keys=np.arange(len(told)) + 100,
        sexes=np.zeros(len(told), dtype=np.int64),
        ages=np.full(len(told), 70.0),
        codes={"method": ("", "21", "11", "81"), "specialty": ("",)},
        wards=WARDS,
        logs=notes.logs(),
        people=np.array(people, dtype=np.int64),
    )


ONE_STAY = (
    ("admitted", 10, 10), ("ward", 10, 1), ("asked", 130, 130), ("ward", 200, 2),
    ("ward", 900, 3), ("ward", 5000, 4), ("ended", 5100, 5100),
)  # fmt: skip


def test_times_on_wards() -> None:
    found = spells(stays(ONE_STAY), 6000)
    assert found.wards.tolist() == [1, 2, 3, 4]
    assert found.starts.tolist() == [10, 200, 900, 5000]
    assert found.ends.tolist() == [200, 900, 5000, 5100]
    assert found.following.tolist() == [2, 3, 4, GONE]
    then = spells(stays(ONE_STAY), 1000)
    assert then.wards.tolist() == [1, 2, 3]
    assert then.ends.tolist() == [200, 900, NOT_YET]
    assert then.following.tolist() == [2, 3, HERE]


def test_what_never_was_or_was_said_again_is_no_time() -> None:
    taken_back = (("admitted", 10, 10), ("ward", 10, 2), ("admitted", 20, NOT_YET))
    repeated = (("admitted", 10, 10), ("ward", 10, 2), ("ward", 50, 2), ("ward", 70, 3))
    at_once = (("admitted", 10, 10), ("ward", 10, 2), ("ward", 10, 3))
    late = (("admitted", 10, 10), ("ward", 10, 2), ("ended", 40, 40), ("ward", 60, 3))
    found = spells(stays(taken_back, repeated, at_once, late), 100)
    assert list(zip(found.stays.tolist(), found.wards.tolist(), strict=True)) == [
        (1, 2), (1, 3), (2, 3), (3, 2),
    ]  # fmt: skip
    assert spells(stays(), 100).stays.size == 0


def test_one_stay_through_the_department() -> None:
    found = paths(stays(ONE_STAY), 6000)
    assert found.admissions.way.tolist() == [Way.DEPARTMENT]
    assert found.admissions.at.tolist() == [200]
    assert found.admissions.ward.tolist() == [2]
    assert found.admissions.left.tolist() == [5100]
    attended = found.attendances
    assert (attended.arrived[0], attended.asked[0], attended.ended[0]) == (10, 130, 200)
    assert attended.admitted.tolist() == [True]


@pytest.mark.parametrize(
    ("begin", "person", "way"),
    [(205, 7, Way.DEPARTMENT), (190, 7, Way.DEPARTMENT), (700, 7, Way.EMERGENCY),
     (205, 8, Way.EMERGENCY)],
)  # fmt: skip
def test_an_attendance_that_a_stay_of_the_same_person_follows(
    begin: int, person: int, way: Way
) -> None:
    attendance = (("admitted", 10, 10), ("ward", 10, 1), ("ended", 200, 200))
    stay = (("admitted", begin, begin), ("ward", begin, 2), ("method", begin, 1))
    found = paths(stays(attendance, stay, people=(7, person)), 2000)
    assert found.admissions.way.tolist() == [way]
    assert found.attendances.admitted.tolist() == [way is Way.DEPARTMENT]
    if way is Way.DEPARTMENT:
        assert found.attendances.ended.tolist() == [begin]
        assert found.attendances.ward.tolist() == [2]
    else:
        assert found.attendances.ward.tolist() == [GONE]


def test_who_is_in_the_department_now() -> None:
    there = (("admitted", 10, 10), ("ward", 10, 1))
    forgotten = (("admitted", -9000, -9000), ("ward", -9000, 1))
    found = paths(stays(there, forgotten, ONE_STAY), 150).attendances
    assert found.stays.tolist() == [0, 2]
    assert found.ward.tolist() == [HERE, HERE]
    assert found.asked.tolist() == [NOT_YET, 130]


def test_ways_in_by_admission_method() -> None:
    assert [way_of(m) for m in ("21", "2B", "E", "11", "C", "31", "81", "")] == (
        [Way.EMERGENCY] * 3 + [Way.ELECTIVE] * 2 + [Way.OTHER] * 3
    )


def test_beds_are_those_that_boards_take_for_the_head_of_a_site() -> None:
    for kinds in (list(Ward.Kind), [Ward.Kind.VIRTUAL, Ward.Kind.CLINIC], [Ward.Kind.REABLEMENT]):
        wards = [WardFacts(n, "", kind, "", counts=True) for n, kind in enumerate(kinds)]
        groups = [GROUP_OF[kind] for kind in kinds]
        head = next(group for group in Group if group in groups)
        expected = [kind for kind, group in zip(kinds, groups, strict=True) if group is head]
        found = [k for k, has in zip(kinds, bed_wards(wards), strict=True) if has]
        assert found == expected


TRUTH = Truth()


@pytest.fixture(scope="module")
def learnt() -> Patterns:
    """What 45 days of an invented hospital teach."""
    at = START + 45 * DAY + 10 * HOUR
    return learn_all(run(TRUTH, 46, seed=5).stays, nobody(), since=START, at=at)


def test_what_is_learnt_is_the_truth(learnt: Patterns) -> None:
    def hourly(chance: float) -> float:
        return float(-np.log(1 - chance))

    department = learnt.department
    assert department.needs[2:6].mean() == pytest.approx(hourly(TRUTH.need), rel=0.15)
    assert department.leaves[2:6].mean() == pytest.approx(hourly(TRUTH.leave), rel=0.12)
    assert learnt.onward.rates[2].mean() == pytest.approx(hourly(TRUTH.onward), rel=0.25)
    assert learnt.onward.moves[2, 3:] == pytest.approx([0.2] * 5, abs=0.05)
    assert learnt.onward.rates[3:].max() < 0.002
    assert learnt.staying.rates[0].mean() == pytest.approx(hourly(TRUTH.go), rel=0.15)
    assert learnt.first[Way.DEPARTMENT, 2] == pytest.approx(0.7, abs=0.05)
    stream = learnt.streams[Way.DEPARTMENT]
    assert stream.level * stream.profile.sum() / 7 == pytest.approx(TRUTH.attend, rel=0.05)
    assert learnt.days == pytest.approx(45.4, abs=0.3)


def test_chances_in_the_department_come_true(learnt: Patterns) -> None:
    """Those there at many moments: who is said to come to a bed within so many hours does."""
    seen = run(TRUTH, 60, seed=6).stays
    end = START + 60 * DAY
    said, came = [], []
    for at in range(START + 46 * DAY, end - DAY, 7 * HOUR):
        now = paths(seen, at).attendances
        there = now.ward == HERE
        later = paths(seen, end).attendances
        outcome = {
            stay: (a, e)
            for stay, a, e in zip(
                later.stays.tolist(), later.admitted.tolist(), later.ended.tolist(), strict=True
            )
        }
        who = type(now)(*(getattr(now, name)[there] for name in now.__slots__))
        waiting = int((who.asked < NOT_YET).sum())
        _, gets = learnt.department.ahead_of(Horizon(at), waiting=waiting).present(who)
        for hours in (2, 6, 24):
            said += gets[:, :hours].sum(1).tolist()
            came += [outcome[s][0] and outcome[s][1] <= at + hours * HOUR for s in who.stays]
    p, y = np.array(said), np.array(came, dtype=float)
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.01)):
        these = (p >= low) & (p < high)
        assert these.sum() > 50
        assert p[these].mean() == pytest.approx(y[these].mean(), abs=0.05)


def test_chances_in_the_department_are_chances(learnt: Patterns) -> None:
    ahead = Horizon(START + 45 * DAY + 10 * HOUR + 25)
    department = learnt.department.ahead_of(ahead, waiting=4)
    needs, gets = department.to_come(np.ones(72))
    assert (needs >= 0).all()
    assert 0 < gets.sum() <= needs.sum() < 72
    waits = department.waiting(np.array([ahead.at - 30, ahead.at - 600]))
    assert (waits.sum(1) <= 1 + 1e-9).all()
    assert (waits.sum(1) > 0.9).all()


def test_where_nobody_says_that_a_bed_is_asked_for() -> None:
    seen = run(replace(TRUTH, tells_asked=False), 30, seed=7).stays
    at = START + 29 * DAY
    department = learn_all(seen, nobody(), since=START, at=at).department
    waits = department.ahead_of(Horizon(at), waiting=0).waiting(np.array([at]))
    assert waits[0, 0] > 0.99


def test_stays_are_told_from_when_records_begin() -> None:
    """Those there when records begin had no chance to be seen to leave before."""
    survivors = [
        (("admitted", 0, -50 * DAY), ("ward", 0, 3), ("ended", 40 * HOUR, 40 * HOUR))
    ] * 200
    history = stays(*survivors)
    found = paths(history, 3 * DAY)
    told = staying.learn(found.admissions, 1, since=0, at=3 * DAY)
    assert told.rates.mean() == pytest.approx(0.17 / 24, rel=0.3)


def test_the_only_ward_is_moved_on_from_by_nobody() -> None:
    only = (("admitted", 0, 0), ("ward", 0, 3))
    history = replace(stays(only), wards=(WARDS[0], WARDS[1], WARDS[4], WARDS[3]))
    found = onward.learn(paths(history, DAY), history, since=0, at=DAY)
    put = found.stay_put(np.array([3]), np.array([0]), Horizon(DAY))
    assert put.tolist() == [[1.0] * 72]


def listed(*rows: tuple[int, int, int, int]) -> Listed:
    """Electives: when they were listed, for when, when they came and when it was called off."""
    known = np.array(rows, dtype=np.int64).reshape(-1, 4)
    none = np.zeros(len(rows), dtype=np.int64)
    return Listed(
        keys=np.arange(len(rows)),
        way=np.full(len(rows), int(Way.ELECTIVE)),
        listed=known[:, 0],
        planned=known[:, 1],
        came=known[:, 2],
        dropped=known[:, 3],
        ward=none,
        specialty=np.full(len(rows), "", dtype=str),
        sexes=none,
    )


def elective_history(come: float, late: int, *, number: int = 400, seed: int = 1) -> Listed:
    rng = np.random.default_rng(seed)
    rows = []
    for one in range(number):
        planned = START + one * 2 * HOUR
        comes = rng.uniform() < come
        rows.append((
            planned - 40 * HOUR, planned,
            planned + late * HOUR + 20 if comes else NOT_YET,
            NOT_YET if comes else planned - int(rng.uniform(0, 30) * HOUR),
        ))  # fmt: skip
    return listed(*rows)


def test_who_is_listed_comes_as_often_and_as_late_as_others_did() -> None:
    at = START + 40 * DAY
    found = learn(elective_history(0.8, 2), paths(stays(), at).admissions, since=START, at=at)
    ahead = Horizon(at)
    due = listed((at - DAY, at + 10 * HOUR, NOT_YET, NOT_YET))
    coming = found.coming(due, ahead)[0]
    # Four of the five who are dropped are off the list six hours before.
    assert coming.sum() == pytest.approx(0.8 / 0.84, abs=0.03)
    assert coming.argmax() == 12
    assert coming[12] > 0.75
    overdue = found.coming(listed((at - DAY, at - 5 * HOUR, NOT_YET, NOT_YET)), ahead)[0]
    assert overdue.sum() < 0.12
    just_due = found.coming(listed((at - DAY, at - HOUR, NOT_YET, NOT_YET)), ahead)[0]
    assert 0.7 < just_due.sum() < 1


def test_without_any_lists_everybody_is_unannounced() -> None:
    at = START + 40 * DAY
    found = learn(nobody(), paths(stays(ONE_STAY), at).admissions, since=START, at=at)
    assert found.unannounced(Way.ELECTIVE, Horizon(at)).tolist() == [1.0] * 72


def test_who_was_announced_a_day_before_is_not_foretold_twice() -> None:
    at = START + 40 * DAY
    known = elective_history(1.0, 0)
    # Each of them is an admission, too: everybody is announced forty hours before.
    admissions = paths(stays(*[
        (("admitted", came, came), ("ward", came, 3), ("method", came, 2))
        for came in known.came.tolist()
    ]), at).admissions  # fmt: skip
    found = learn(known, admissions, since=START, at=at)
    unknown = found.unannounced(Way.ELECTIVE, Horizon(at))
    assert unknown[:36].max() < 0.02
    assert unknown[44:].min() > 0.95


def test_numbers_of_wards_and_specialties_may_change(learnt: Patterns) -> None:
    """Read another day, wards and specialties are numbered in another order."""
    wards = TRUTH.facts()
    turned = (wards[0], *wards[:0:-1], WardFacts(99, "New", "inpatient", "", counts=True))
    other = learnt.numbered(turned, ("", "new"))
    back = other.numbered(wards, ("",))
    assert back.first == pytest.approx(learnt.first)
    assert back.onward.rates == pytest.approx(learnt.onward.rates)
    assert back.onward.moves == pytest.approx(learnt.onward.moves)
    assert back.staying.specialties == pytest.approx(learnt.staying.specialties)
    assert (other.first[:, -1] == 0).all()
    assert (other.onward.rates[-1] == 0).all()


def test_levels_of_arrivals_may_be_learnt_anew_alone(learnt: Patterns) -> None:
    seen = run(TRUTH, 46, seed=5).stays
    at = START + 45 * DAY + 10 * HOUR
    again = following(learnt, seen, since=START, at=at)
    assert again.streams[Way.DEPARTMENT].level == learnt.streams[Way.DEPARTMENT].level
    assert again.department is learnt.department


def test_nothing_learnt_later_is_used() -> None:
    at = START + 20 * DAY + 10 * HOUR + 7
    seen = run(TRUTH, 24, seed=8).stays
    cut = replace(seen, logs={name: log.known_by(at) for name, log in seen.logs.items()})
    one = learn_all(seen, nobody(), since=START, at=at)
    other = learn_all(cut, nobody(), since=START, at=at)
    for name in ("first", "women"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert one.department.needs.tobytes() == other.department.needs.tobytes()
    assert one.department.gets.tobytes() == other.department.gets.tobytes()
    assert one.onward.rates.tobytes() == other.onward.rates.tobytes()
    assert one.staying.rates.tobytes() == other.staying.rates.tobytes()
    for way in Way:
        assert one.streams[way].profile.tobytes() == other.streams[way].profile.tobytes()
        assert one.streams[way].level == other.streams[way].level


def test_the_department_knows_shares_from_the_first_day() -> None:
    none = paths(stays(), START).attendances
    told = emergency.learn(none, since=START, at=START)
    _, gets = told.ahead_of(Horizon(START), waiting=0).to_come(np.ones(72))
    assert 0.15 < gets.sum() / 72 < 0.4
    assert told.unsure > 0.1


def test_the_more_wait_the_longer_it_takes() -> None:
    """Every other day beds are found at once, on the days between hardly any."""
    rng = np.random.default_rng(9)
    told = []
    for one in range(1500):
        came = one * 40 + int(rng.integers(0, 40))
        asked = came + 60
        # On odd days nobody gets a bed before the night.
        slow = asked // DAY % 2 == 1
        got = (asked // DAY + 1) * DAY + int(rng.integers(0, 90)) if slow else asked + 30
        told.append((("admitted", came, came), ("ward", came, 1), ("asked", asked, asked),
                     ("ward", got, 2), ("ended", got + 99, got + 99)))  # fmt: skip
    at = 1500 * 40
    department = learn_all(stays(*told), nobody(), since=0, at=at).department
    asks = np.array([at])
    empty, full = (
        department.ahead_of(Horizon(at), waiting=number).waiting(asks)[0] for number in (0, 25)
    )
    assert empty[:2].sum() > 0.8
    assert full[:2].sum() < 0.5
    # What holds of the present queue holds less and less of what comes.
    crowd = department.crowds.ahead(25, Horizon(at))
    assert crowd[0].argmax() >= 2
    assert crowd[0].max() > 0.7
    assert crowd[-1] == pytest.approx(department.crowds.shares, abs=0.01)


def test_beds_are_left_for_the_lounge() -> None:
    lounge = Lounge(share=0.5, hours=2.0)
    left = 1 - 0.9 ** np.arange(1, 73, dtype=np.float64)[None, :]
    beds = lounge.beds_left(left)
    assert (beds >= left).all()
    assert (np.diff(beds) >= 0).all()
    assert beds[0, 10] == pytest.approx((left[0, 10] + left[0, 12]) / 2)
    assert beds[0, 0] == pytest.approx((left[0, 0] + max(left[0, 0], left[0, 2] / 2)) / 2)
    assert Lounge(0.0, 0.0).beds_left(left) is left


def test_who_leaves_by_the_lounge_is_counted() -> None:
    def leaves(at: int, lounge: bool) -> tuple[Said, ...]:
        by_it: tuple[Said, ...] = (("ward", at - 150, 4),) if lounge else ()
        return (("admitted", at - DAY, at - DAY), ("ward", at - DAY, 3), *by_it, ("ended", at, at))

    told = [leaves(3 * DAY + n * 30, lounge=n % 3 == 0) for n in range(90)]
    at = 6 * DAY
    found = learn_all(stays(*told), nobody(), since=0, at=at).lounge
    assert found.share == pytest.approx(1 / 3, abs=0.02)
    assert found.hours == pytest.approx(2.5)
