"""Cleaning beds, and the beds that people have left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from patients.models import Episode
from tests.screens.hospital import Hospital, build
from wards import bed_states, movements
from wards.barriers import Said
from wards.bed_states import BedState, record_status, states_at
from wards.care_needs import Needed, say
from wards.cleaning import ask, begin, done, may_take_back, take_back
from wards.facts import Moved, MovementKind, Place
from wards.models import Bed, BedStatus, DirtyWard, WardLimits

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def by() -> User:
    return User.objects.create_user("cleaner")


@pytest.fixture
def bed(hospital: Hospital) -> Bed:
    return hospital.beds(hospital.wards[0])[0]


def now(minutes: float = 0) -> datetime:
    return NOW + timedelta(minutes=minutes)


def state(bed: Bed, at: datetime | None = None) -> BedState:
    found = states_at(at=at or now(600), wards=[bed.ward_id])
    return next(one for one in found if one.bed == bed.pk)


def said(bed: Bed) -> tuple[str, str]:
    return state(bed).status, state(bed).level


def stay(fact: Moved) -> Episode:
    assert fact.visit is not None
    return Episode.objects.select_related("visit", "patient").get(visit__number=fact.visit.number)


def place(bed: Bed) -> Place:
    return Place(bed.ward_id, bed.bay_id, bed.pk)


def feed(bed: Bed, status: str, *, ago: timedelta, key: str = "feed") -> None:
    at = NOW - ago
    record_status(bed=bed.pk, status=status, occurred_at=at, sent_at=at, source="feed", key=key)


# --- asked for, begun, done -----------------------------------------------------------------------


def test_a_bed_is_asked_for_begun_and_done_by_somebody_and_its_ward_is_counted_again(
    bed: Bed, by: User
) -> None:
    DirtyWard.objects.all().delete()
    ask(bed=bed.pk, level="routine", at=now(), by=by)
    assert DirtyWard.objects.filter(ward=bed.ward_id).exists()
    assert said(bed) == ("K", "routine")
    assert state(bed).is_unready
    begun = begin(bed=bed.pk, at=now(5), by=by)
    assert (begun.status, begun.level, begun.by, begun.occurred_at) == ("H", "routine", by, now(5))
    done(bed=bed.pk, at=now(30), by=by)
    assert said(bed) == ("U", "routine")
    assert not state(bed).is_unready
    assert state(bed, now(10)).status == "H"


@pytest.mark.django_db(transaction=True)
def test_every_deed_rings_for_the_list_and_the_ward(
    bed: Bed, by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(bed_states, "ring", rung.extend)
    ask(bed=bed.pk, level="routine", at=now(), by=by)
    begin(bed=bed.pk, at=now(1), by=by)
    done(bed=bed.pk, at=now(2), by=by)
    assert rung == ["cleaning", "desk"] * 3
    feed(bed, "K", ago=timedelta(0))
    assert rung == ["cleaning", "desk"] * 4


def test_a_terminal_clean_is_not_begun_nor_done_as_a_routine_one(bed: Bed, by: User) -> None:
    ask(bed=bed.pk, level="terminal", at=now(), by=by)
    with pytest.raises(Refused, match="needs a terminal clean"):
        begin(bed=bed.pk, level="routine", at=now(1), by=by)
    begin(bed=bed.pk, at=now(2), by=by)
    for less in ("routine", ""):
        with pytest.raises(Refused, match="A routine one is not enough"):
            done(bed=bed.pk, level=less, at=now(3), by=by)
    assert said(bed) == ("H", "terminal")
    done(bed=bed.pk, level="terminal", at=now(4), by=by)
    assert said(bed) == ("U", "terminal")


def test_a_clean_that_has_become_terminal_meanwhile_is_not_ended_as_it_was_begun(
    bed: Bed, by: User
) -> None:
    ask(bed=bed.pk, level="routine", at=now(), by=by)
    begin(bed=bed.pk, level="routine", at=now(1), by=by)
    ask(bed=bed.pk, level="terminal", at=now(2), by=by)
    with pytest.raises(Refused, match="terminal"):
        done(bed=bed.pk, level="routine", at=now(3), by=by)


def test_only_who_looks_after_the_ward_makes_less_of_a_terminal_clean(bed: Bed, by: User) -> None:
    ask(bed=bed.pk, level="terminal", at=now(), by=by)
    with pytest.raises(Refused, match="look after the ward"):
        ask(bed=bed.pk, level="routine", at=now(1), by=by)
    ask(bed=bed.pk, level="routine", at=now(2), by=by, may_lower=True)
    assert said(bed) == ("K", "routine")


def test_the_same_is_not_said_twice(bed: Bed, by: User) -> None:
    with pytest.raises(Refused, match="ready already"):
        done(bed=bed.pk, at=now(), by=by)
    with pytest.raises(Refused, match="does not need cleaning"):
        begin(bed=bed.pk, at=now(), by=by)
    ask(bed=bed.pk, level="routine", at=now(), by=by)
    with pytest.raises(Refused, match="to be cleaned already"):
        ask(bed=bed.pk, level="routine", at=now(1), by=by)
    begin(bed=bed.pk, at=now(1), by=by)
    with pytest.raises(Refused, match="being cleaned already"):
        begin(bed=bed.pk, at=now(2), by=by)
    done(bed=bed.pk, at=now(3), by=by)
    with pytest.raises(Refused, match="ready already"):
        done(bed=bed.pk, at=now(4), by=by)
    assert BedStatus.objects.count() == 3


def test_a_bed_with_somebody_in_it_is_asked_for_and_not_ready(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    hospital.admit(bed)
    ask(bed=bed.pk, level="terminal", at=now(), by=by)
    assert said(bed) == ("K", "terminal")
    with pytest.raises(Refused, match="Somebody is in bed 1 on Ward 1"):
        done(bed=bed.pk, level="terminal", at=now(1), by=by)
    with pytest.raises(Refused, match="Somebody is in"):
        begin(bed=bed.pk, at=now(1), by=by)


def test_what_cannot_be_is_refused(bed: Bed, by: User) -> None:
    with pytest.raises(Refused, match="routine or a terminal"):
        ask(bed=bed.pk, level="deep", at=now(), by=by)
    with pytest.raises(Refused, match="routine or a terminal"):
        ask(bed=bed.pk, level="", at=now(), by=by)
    with pytest.raises(Refused, match="no such bed"):
        ask(bed=0, level="routine", at=now(), by=by)
    with pytest.raises(Refused, match="has not come yet"):
        ask(bed=bed.pk, level="routine", at=now(), occurred_at=now(30), by=by)
    ask(bed=bed.pk, level="routine", at=now(), by=by)
    with pytest.raises(Refused, match="after that time"):
        done(bed=bed.pk, occurred_at=now(-30), at=now(1), by=by)
    with pytest.raises(Refused, match="routine or a terminal"):
        done(bed=bed.pk, level="deep", at=now(1), by=by)
    Bed.objects.filter(pk=bed.pk).update(is_recognised=False)
    with pytest.raises(Refused, match="not in use"):
        done(bed=bed.pk, at=now(2), by=by)


def test_a_bed_that_a_feed_says_is_closed_is_not_opened_by_a_mop(bed: Bed, by: User) -> None:
    feed(bed, "C", ago=timedelta(hours=1))
    for deed in (begin, done):
        with pytest.raises(Refused, match="closed, as a feed says"):
            deed(bed=bed.pk, at=now(), by=by)
    with pytest.raises(Refused, match="closed, as a feed says"):
        ask(bed=bed.pk, level="routine", at=now(), by=by)


def test_what_a_feed_says_of_a_level_it_does_not_know_is_cleaned_either_way(
    bed: Bed, by: User
) -> None:
    feed(bed, "K", ago=timedelta(hours=1))
    begin(bed=bed.pk, level="", at=now(), by=by)
    assert said(bed) == ("H", "")
    done(bed=bed.pk, level="terminal", at=now(1), by=by)
    assert said(bed) == ("U", "terminal")


def test_what_happened_earlier_is_dated_then(bed: Bed, by: User) -> None:
    ask(bed=bed.pk, level="routine", at=now(), occurred_at=now(-40), by=by)
    fact = done(bed=bed.pk, at=now(), occurred_at=now(-10), by=by)
    assert fact.occurred_at == now(-10)
    assert state(bed, now(-20)).status == "K"
    assert state(bed, now(-5)).status == "U"


# --- taken back -----------------------------------------------------------------------------------


def test_the_last_is_taken_back_and_nothing_is_rubbed_out(bed: Bed, by: User) -> None:
    ask(bed=bed.pk, level="terminal", at=now(), by=by)
    begun = begin(bed=bed.pk, at=now(1), by=by)
    known = state(bed, now(2))
    take_back(status=begun.pk, at=now(3), by=by)
    assert said(bed) == ("K", "terminal")
    assert known.status == "H"
    assert BedStatus.objects.count() == 3
    again = begin(bed=bed.pk, at=now(4), by=by)
    finished = done(bed=bed.pk, at=now(5), by=by)
    with pytest.raises(Refused, match="cannot be undone any more"):
        take_back(status=again.pk, at=now(6), by=by)
    back = take_back(status=finished.pk, at=now(6), by=by)
    assert said(bed) == ("H", "terminal")
    assert not may_take_back(back, at=now(6))


def test_asking_for_a_bed_of_which_nothing_was_known_is_taken_back(bed: Bed, by: User) -> None:
    asked = ask(bed=bed.pk, level="routine", at=now(), by=by)
    take_back(status=asked.pk, at=now(1), by=by)
    assert not state(bed).is_unready


def test_after_a_while_and_from_feeds_nothing_is_taken_back(bed: Bed, by: User) -> None:
    asked = ask(bed=bed.pk, level="routine", at=now(), by=by)
    late = asked.recorded_at + timedelta(minutes=16)
    with pytest.raises(Refused, match="cannot be undone any more"):
        take_back(status=asked.pk, at=late, by=by)
    feed(bed, "H", ago=timedelta(minutes=-1))
    told = BedStatus.objects.get(source="feed")
    assert not may_take_back(told, at=now(2))


# --- whoever leaves -------------------------------------------------------------------------------


@pytest.fixture
def cleans(hospital: Hospital) -> None:
    """Its wards know how long cleaning takes."""
    for ward in hospital.wards:
        WardLimits.objects.create(ward=ward, cleaned_after=45)


def test_a_ward_that_knows_no_time_for_cleaning_has_its_bed_back_at_once(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    fact = hospital.admit(bed)
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(bed) == ("", "")


@pytest.mark.usefixtures("cleans")
def test_who_leaves_by_hand_leaves_a_bed_to_clean(hospital: Hospital, bed: Bed, by: User) -> None:
    fact = hospital.admit(bed)
    move = movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(bed) == ("K", "routine")
    assert state(bed).status_since == move.occurred_at
    assert BedStatus.objects.get().by == by


@pytest.mark.usefixtures("cleans")
@pytest.mark.parametrize(
    "needed", [Needed(isolation="side_room"), Needed(infections=("norovirus",))]
)
def test_who_was_isolated_or_infected_leaves_a_terminal_clean(
    hospital: Hospital, bed: Bed, by: User, needed: Needed
) -> None:
    fact = hospital.admit(bed)
    say(episode=stay(fact), needed=needed, said=Said(now(-60), by))
    free = hospital.beds(hospital.wards[1])[0]
    movements.transfer(episode=stay(fact), place=place(free), at=now(), by=by)
    assert said(bed) == ("K", "terminal")
    assert said(free) == ("", "")


@pytest.mark.usefixtures("cleans")
def test_what_holds_no_more_of_them_asks_for_no_terminal_clean(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    fact = hospital.admit(bed)
    say(episode=stay(fact), needed=Needed(isolation="side_room"), said=Said(now(-60), by))
    say(episode=stay(fact), needed=Needed(), said=Said(now(-30), by))
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(bed) == ("K", "routine")


@pytest.mark.usefixtures("cleans")
def test_a_terminal_clean_asked_for_before_they_left_stays_one(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    fact = hospital.admit(bed)
    ask(bed=bed.pk, level="terminal", at=now(-10), by=by)
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(bed) == ("K", "terminal")


@pytest.mark.usefixtures("cleans")
def test_undoing_the_move_takes_the_cleaning_back(hospital: Hospital, bed: Bed, by: User) -> None:
    fact = hospital.admit(bed)
    ask(bed=bed.pk, level="routine", at=now(-10), by=by)
    move = movements.discharge(episode=stay(fact), at=now(), by=by)
    assert state(bed).status_since == now()
    movements.cancel(movement=move, at=now(1), by=by)
    assert said(bed) == ("K", "routine")
    other = hospital.beds(hospital.wards[0])[1]
    fact = hospital.admit(other)
    move = movements.discharge(episode=stay(fact), at=now(), by=by)
    movements.cancel(movement=move, at=now(1), by=by)
    assert said(other) == ("O", "")
    again = movements.discharge(episode=stay(fact), at=now(2), by=by)
    assert again.pk != move.pk
    assert said(other) == ("K", "routine")


@pytest.mark.usefixtures("cleans")
def test_the_word_of_a_feed_that_tells_what_is_clean_counts(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    other = hospital.beds(hospital.wards[1])[3]
    fact = hospital.admit(bed)
    feed(other, "U", ago=timedelta(days=8), key="long ago")
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(bed)[0] == "K"
    second = hospital.beds(hospital.wards[0])[1]
    fact = hospital.admit(second)
    feed(other, "U", ago=timedelta(days=2), key="lately")
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert said(second) == ("", "")


@pytest.mark.usefixtures("cleans")
def test_two_who_change_places_leave_no_empty_bed(hospital: Hospital, bed: Bed, by: User) -> None:
    other = hospital.beds(hospital.wards[0])[1]
    one, two = stay(hospital.admit(bed)), stay(hospital.admit(other))
    movements.swap(one=one, other=two, at=now(), by=by)
    assert not BedStatus.objects.exists()


@pytest.mark.usefixtures("cleans")
@pytest.mark.parametrize("kind", ["chair", "place"])
def test_chairs_and_places_need_no_cleaning(
    hospital: Hospital, bed: Bed, by: User, kind: str
) -> None:
    Bed.objects.filter(pk=bed.pk).update(kind=kind)
    fact = hospital.admit(bed)
    movements.discharge(episode=stay(fact), at=now(), by=by)
    assert not BedStatus.objects.exists()


@pytest.mark.usefixtures("cleans")
def test_going_on_leave_and_what_a_feed_says_ask_for_nothing(
    hospital: Hospital, bed: Bed, by: User
) -> None:
    fact = hospital.admit(bed)
    movements.leave(episode=stay(fact), at=now(), by=by)
    movements.return_(episode=stay(fact), at=now(1), by=by)
    gone = replace(
        fact, key="gone", kind=MovementKind.DISCHARGED, occurred_at=now(2),
        discharged_at=now(2), sent_at=now(2), place=None,
    )  # fmt: skip
    movements.record([gone], source="feed")
    assert not BedStatus.objects.exists()
