"""Asking for a bed, holding one, and what ends that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from accounts.refusals import Refused
from patients.keys import Details, PersonKey, VisitKey
from patients.models import Episode
from wards import held_beds, movements, requests, reservations
from wards.barriers import Said
from wards.bed_states import record_status
from wards.care_needs import Needed, latest, say
from wards.facts import Moved, MovementKind, Place
from wards.matching import USUAL_CLEANING, Soon
from wards.models import BedRequest, RequestTerms, Reservation, Ward
from wards.needing import needs_of
from wards.requests import Terms, terms_of, write_terms
from wards.said import ASKED

from .hospital import START, Hospital, build, minutes

pytestmark = pytest.mark.django_db

Status = Reservation.Status
ADMIT, MOVE = MovementKind.PENDING_ADMIT, MovementKind.PENDING_TRANSFER


@pytest.fixture
def hospital() -> Hospital:
    return build()


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


def admitted(place: Place, number: int, by: User, sex: str = "female") -> Episode:
    return movements.admit(
        person=PersonKey("RXX", f"P{number}"),
        details=Details({"family_name": f"Test{number}", "sex": sex}),
        place=place,
        at=START,
        by=by,
    )


def asked(episode: Episode, ward: int, by: User, at: datetime = START) -> BedRequest:
    return requests.ask(
        episode=episode,
        ward=Ward.objects.get(pk=ward),
        terms=Terms(priority=2, asked_by="Ward round"),
        said=Said(at, by),
    )


def held(request: BedRequest, bed: Place, by: User, at: datetime) -> Reservation:
    assert bed.bed is not None
    return reservations.reserve(request=request, bed=bed.bed, said=Said(at, by))


def test_somebody_asks_for_a_bed(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    assert (request.kind, request.ward_id) == ("transfer", hospital.wards[1])
    assert RequestTerms.objects.get(key=request.key).priority == 2
    with pytest.raises(Refused, match="asked for already"):
        asked(stay, hospital.wards[1], manager, minutes(6))


def test_in_an_emergency_department_it_is_the_decision_to_admit(
    hospital: Hospital, manager: User
) -> None:
    Ward.objects.filter(pk=hospital.wards[0]).update(kind=Ward.Kind.EMERGENCY)
    stay = admitted(hospital.beds[0], 1, manager)
    assert asked(stay, hospital.wards[1], manager, minutes(5)).kind == "admit"


def test_another_bed_of_their_own_ward_is_asked_for_until_they_are_moved(
    hospital: Hospital, manager: User
) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[0], manager, minutes(5))
    movements.transfer(episode=stay, place=hospital.beds[1], at=minutes(9), by=manager)
    request.refresh_from_db()
    assert request.period.upper == minutes(9)


def test_changing_the_ward_keeps_what_is_held(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    row = held(request, hospital.beds[3], manager, minutes(6))
    changed = requests.change(
        request=request,
        ward=Ward.objects.get(pk=hospital.wards[0]),
        terms=Terms(priority=1),
        said=Said(minutes(7), manager),
    )
    assert changed.ward_id == hospital.wards[0]
    assert held_beds.settle(at=minutes(8)) == 0
    row.refresh_from_db()
    assert row.status == Status.HELD


def test_a_held_bed_is_nobody_elses(hospital: Hospital, manager: User) -> None:
    one, other = admitted(hospital.beds[0], 1, manager), admitted(hospital.beds[1], 2, manager)
    held(asked(one, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6))
    with pytest.raises(Refused, match="held for somebody else until"):
        movements.transfer(episode=other, place=hospital.beds[3], at=minutes(7), by=manager)
    with pytest.raises(Refused, match="held for somebody else until"):
        movements.admit(
            person=PersonKey("RXX", "P9"), place=hospital.beds[3], at=minutes(7), by=manager
        )
    second = asked(other, hospital.wards[1], manager, minutes(5))
    with pytest.raises(Refused, match="held for somebody else until"):
        held(second, hospital.beds[3], manager, minutes(8))


def test_the_database_holds_a_bed_once(hospital: Hospital, manager: User) -> None:
    one, other = admitted(hospital.beds[0], 1, manager), admitted(hospital.beds[1], 2, manager)
    row = held(
        asked(one, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6)
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Reservation.objects.create(
            episode=other,
            key="x",
            bed=row.bed,
            period=DateTimeTZRange(minutes(30), minutes(40)),
        )


def test_whoever_it_is_held_for_takes_it_up(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    row = held(
        asked(stay, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6)
    )
    movements.transfer(episode=stay, place=hospital.beds[3], at=minutes(20), by=manager)
    row.refresh_from_db()
    assert (row.status, row.period.upper) == (Status.USED, minutes(20))
    assert held_beds.in_force(at=minutes(21)) == []


def test_a_feed_may_put_somebody_else_there_and_that_shows(
    hospital: Hospital, manager: User
) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    row = held(
        asked(stay, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6)
    )
    fact = Moved(
        key="k",
        sent_at=minutes(10),
        person=PersonKey("RXX", "P7"),
        kind=MovementKind.ADMITTED,
        occurred_at=minutes(10),
        visit=VisitKey("RXX", "V7"),
        place=hospital.beds[3],
    )
    movements.record([fact], source="feed")
    row.refresh_from_db()
    assert row.status == Status.LOST


def test_it_runs_out_and_the_bed_is_free_again(hospital: Hospital, manager: User) -> None:
    one, other = admitted(hospital.beds[0], 1, manager), admitted(hospital.beds[1], 2, manager)
    row = held(
        asked(one, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6)
    )
    late = row.period.upper
    # Nobody has to write anything for that.
    movements.transfer(episode=other, place=hospital.beds[3], at=late, by=manager)
    held_beds.settle(at=late + timedelta(minutes=1))
    row.refresh_from_db()
    assert row.status in (Status.LAPSED, Status.LOST)
    assert row.period.upper == late


def test_what_is_no_longer_wanted_is_given_back(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    row = held(request, hospital.beds[3], manager, minutes(6))
    requests.withdraw(request=request, said=Said(minutes(9), manager), reason="Stays here")
    row.refresh_from_db()
    assert row.status == Status.WITHDRAWN
    with pytest.raises(Refused, match="over already"):
        requests.withdraw(request=request, said=Said(minutes(10), manager), reason="Again")


def test_another_bed_for_the_same_request_gives_the_first_back(
    hospital: Hospital, manager: User
) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    first = held(request, hospital.beds[3], manager, minutes(6))
    second = held(request, hospital.beds[4], manager, minutes(7))
    first.refresh_from_db()
    assert (first.status, second.status) == (Status.RELEASED, Status.HELD)


def test_allocating_decides_what_was_only_kept_back(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    first = held(request, hospital.beds[3], manager, minutes(6))
    bed = hospital.beds[3].bed
    assert bed is not None
    again = reservations.allocate(request=request, bed=bed, said=Said(minutes(7), manager))
    assert (again.pk, again.decided) == (first.pk, True)
    assert again.period.upper == minutes(7) + reservations.DECIDED


def test_the_usual_hours_count_from_when_the_bed_is_ready(
    hospital: Hospital, manager: User
) -> None:
    request = asked(admitted(hospital.beds[0], 1, manager), hospital.wards[1], manager, minutes(5))
    bed = hospital.beds[3].bed
    assert bed is not None
    record_status(bed=bed, status="K", occurred_at=START, sent_at=START, source="feed", key="dirty")
    now = Said(minutes(6), manager)
    kept = reservations.reserve(request=request, bed=bed, said=now)
    ready = minutes(6) + USUAL_CLEANING
    assert kept.period.lower == minutes(6)
    assert kept.period.upper == ready + reservations.USUAL
    given = reservations.allocate(request=request, bed=bed, said=now)
    assert given.period.upper == ready + reservations.DECIDED
    # So does when somebody leaves it, as its giver knows; no bed is held for longer than any.
    admitted(hospital.beds[4], 2, manager)
    taken = hospital.beds[4].bed
    assert taken is not None
    for since, hours, end in ((7, 10, 10 * 60 + 45 + 12 * 60), (8, 47, 48 * 60)):
        soon = {taken: Soon(minutes(since + hours * 60), 0.6)}
        now = Said(minutes(since), manager)
        given = reservations.allocate(request=request, bed=taken, said=now, soon=soon)
        assert given.period.upper == minutes(since + end)


def test_it_is_held_longer_and_given_back(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    row = held(
        asked(stay, hospital.wards[1], manager, minutes(5)), hospital.beds[3], manager, minutes(6)
    )
    until = minutes(600)
    said = Said(minutes(7), manager)
    assert reservations.extend(reservation=row, until=until, said=said).period.upper == until
    with pytest.raises(Refused, match="48 hours at most"):
        reservations.extend(reservation=row, until=minutes(60 * 60), said=said)
    with pytest.raises(Refused, match="lies in the past"):
        reservations.extend(reservation=row, until=minutes(6), said=said)
    ended = reservations.release(reservation=row, said=Said(minutes(9), manager))
    assert (ended.status, ended.period.upper) == (Status.RELEASED, minutes(9))
    with pytest.raises(Refused, match="not held any more"):
        reservations.release(reservation=row, said=Said(minutes(10), manager))


def test_somebody_expected_asks_for_a_bed(hospital: Hospital, manager: User) -> None:
    def said(kind: MovementKind, at: float, key: str) -> Moved:
        return Moved(
            key=key,
            sent_at=minutes(at),
            person=PersonKey("RXX", "P1"),
            kind=kind,
            occurred_at=minutes(at),
            visit=VisitKey("RXX", "V1"),
            place=hospital.ward(1),
            stay={"expected_at": minutes(600).isoformat(), "admission_method": "11"},
        )

    movements.record([said(MovementKind.EXPECTED, 0, "a")], source="feed")
    request = BedRequest.objects.get()
    assert (request.kind, request.ward_id, request.from_ward_id) == (
        "expected",
        hospital.wards[1],
        None,
    )
    movements.record([said(MovementKind.CANCELLED_EXPECTED, 5, "b")], source="feed")
    request.refresh_from_db()
    assert request.period.upper == minutes(5)


@pytest.mark.parametrize("decided", [ADMIT, MOVE])
def test_a_decision_to_admit_takes_over_from_the_announcement(
    hospital: Hospital, decided: MovementKind
) -> None:
    facts = [
        Moved(
            key=key,
            sent_at=minutes(at),
            person=PersonKey("RXX", "P1"),
            kind=kind,
            occurred_at=minutes(at),
            visit=VisitKey("RXX", "V1"),
            wanted_ward=hospital.wards[1],
        )
        for kind, at, key in (
            (MovementKind.EXPECTED, 0, "a"),
            (decided, 30, "b"),
        )
    ]
    for order in (facts, facts[::-1]):
        movements.record(order, source="feed")
        open_now = BedRequest.objects.filter(period__contains=minutes(40))
        assert [row.kind for row in open_now] == [ASKED[decided]]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("kinds", [(MOVE, ADMIT), (ADMIT, MOVE)])
def test_one_stay_needs_one_bed_whatever_messages_ask_for_it(
    hospital: Hospital,
    manager: User,
    kinds: tuple[MovementKind, MovementKind],
    order: tuple[int, ...],
) -> None:
    said: list[tuple[MovementKind, int, int | None, Place | None]] = [
        (MovementKind.ADMITTED, 5, None, hospital.ward(0)),
        (kinds[0], 20, hospital.wards[1], None),
        (kinds[1], 30, None, None),
    ]
    facts = [
        Moved(
            key=f"{number}",
            sent_at=minutes(at),
            person=PersonKey("RXX", "P1"),
            kind=kind,
            occurred_at=minutes(at),
            visit=VisitKey("RXX", "V1"),
            wanted_ward=wanted,
            place=place,
        )
        for number, (kind, at, wanted, place) in enumerate(said)
    ]
    for number in order:
        movements.record([facts[number]], source="feed")
    open_now = BedRequest.objects.filter(period__contains=minutes(40))
    assert [(row.kind, row.key) for row in open_now] == [(ASKED[kinds[1]], "2")]
    bed = hospital.beds[4].bed
    assert bed is not None
    held = reservations.reserve(request=open_now[0], bed=bed, said=Said(minutes(41), manager))
    again = replace(facts[1], key="again", occurred_at=minutes(50), sent_at=minutes(50))
    movements.record([again], source="feed")
    held_beds.settle(at=minutes(51), beds=[bed])
    held.refresh_from_db()
    assert held.status == Reservation.Status.HELD


def _announced(hospital: Hospital, kind: MovementKind, at: int, ward: int) -> Moved:
    return Moved(
        key=f"{kind}-{at}",
        sent_at=minutes(at),
        person=PersonKey("RXX", "P1"),
        kind=kind,
        occurred_at=minutes(at),
        visit=VisitKey("RXX", "V1"),
        wanted_ward=hospital.wards[ward],
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_waits_for_a_bed_is_not_announced_as_another_need(
    hospital: Hospital, order: tuple[int, ...]
) -> None:
    facts = [
        _announced(hospital, ADMIT, 0, 1),
        _announced(hospital, MovementKind.EXPECTED, 10, 0),
        _announced(hospital, MovementKind.CANCELLED_PENDING_ADMIT, 30, 1),
    ]
    movements.record(facts[:2], source="feed")
    open_now = BedRequest.objects.filter(period__contains=minutes(20))
    assert [(row.kind, row.ward_id) for row in open_now] == [("admit", hospital.wards[1])]
    for number in order:
        movements.record([facts[number]], source="feed")
    before = BedRequest.objects.get(period__contains=minutes(20))
    assert before.kind == "admit"
    # The decision is called off; that they are to come still stands.
    after = BedRequest.objects.get(period__contains=minutes(40))
    assert (after.kind, after.ward_id) == ("expected", hospital.wards[0])
    assert after.period.lower == minutes(30)


def test_what_was_said_of_a_request_goes_on_when_a_message_takes_it_over(
    hospital: Hospital, manager: User
) -> None:
    movements.record([_announced(hospital, MovementKind.EXPECTED, 0, 0)], source="feed")
    first = BedRequest.objects.get()
    terms = Terms(priority=2, specialty="Cardiology", asked_by="ED", note="by the window")
    write_terms(first, terms, Said(minutes(5), manager))
    movements.record([_announced(hospital, ADMIT, 10, 1)], source="feed")
    second = BedRequest.objects.get(period__contains=minutes(15))
    assert second.pk != first.pk
    assert terms_of(second) == terms
    write_terms(second, replace(terms, priority=1), Said(minutes(16), manager))
    movements.record([_announced(hospital, ADMIT, 20, 0)], source="feed")
    third = BedRequest.objects.get(period__contains=minutes(25))
    assert (third.ward_id, terms_of(third)) == (hospital.wards[0], replace(terms, priority=1))
    assert terms_of(first) == terms, "what was said then stays said"
    movements.record([_announced(hospital, MovementKind.PENDING_DISCHARGE, 25, 0)], source="feed")
    leaves = BedRequest.objects.get(kind="discharge")
    assert terms_of(leaves) == Terms()


def test_needs_are_said_again_whole(hospital: Hospital, manager: User) -> None:
    stay = admitted(hospital.beds[0], 1, manager)
    first = say(
        episode=stay,
        needed=Needed(isolation="side_room", infections=("flu a",)),
        said=Said(minutes(5), manager),
    )
    same = say(
        episode=stay,
        needed=Needed(isolation="side_room", infections=("flu a",)),
        said=Said(minutes(6), manager),
    )
    assert same == first
    say(episode=stay, needed=Needed(not_alone=True), said=Said(minutes(7), manager))
    assert Needed.of(latest([stay.pk], at=minutes(8))[stay.pk]) == Needed(not_alone=True)
    assert Needed.of(latest([stay.pk], at=minutes(6))[stay.pk]).isolation == "side_room"
    with pytest.raises(Refused, match="requires is one of"):
        say(episode=stay, needed=Needed(requires=("jacuzzi",)), said=Said(minutes(8), manager))


def test_a_decision_to_admit_is_met_by_the_move_to_a_ward(
    hospital: Hospital, manager: User
) -> None:
    Ward.objects.filter(pk=hospital.wards[0]).update(kind=Ward.Kind.EMERGENCY)
    stay = admitted(hospital.beds[0], 1, manager)
    request = asked(stay, hospital.wards[1], manager, minutes(5))
    movements.transfer(episode=stay, place=hospital.beds[1], at=minutes(7), by=manager)
    request.refresh_from_db()
    assert request.period.upper is None, "another trolley is no bed on a ward"
    movements.transfer(episode=stay, place=hospital.beds[3], at=minutes(9), by=manager)
    request.refresh_from_db()
    assert request.period.upper == minutes(9)


def test_the_rules_know_of_which_sex_somebody_is(hospital: Hospital, manager: User) -> None:
    known = {}
    for number, sex in enumerate(("female", "male", "other", "unknown")):
        place = hospital.beds[number] if number < 3 else hospital.beds[4]
        stay = admitted(place, number, manager, sex)
        known[sex] = needs_of([stay.pk], at=minutes(1))[stay.pk].sex
    assert known == {"female": "F", "male": "M", "other": "X", "unknown": ""}
