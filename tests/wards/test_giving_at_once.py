"""Beds given at the same moment, and given back: the rules hold between them all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.refusals import Refused
from patients.keys import Details, PersonKey
from patients.models import Episode
from wards import movements, requests, reservations
from wards.barriers import Said
from wards.bed_states import record_status
from wards.care_needs import Needed, say
from wards.facts import Place
from wards.models import BedRequest, Occupancy, Reservation, Ward
from wards.placing import Unsuitable
from wards.requests import Terms
from wards.rule_books import keep_book
from wards.suitability.defaults import EXAMPLE

from .hospital import START, Hospital, build, minutes
from .test_races import at_once

Status = Reservation.Status


@pytest.fixture
def hospital() -> Hospital:
    return build(wards=3)


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("manager", password="x")


def waiting(hospital: Hospital, number: int, by: User) -> BedRequest:
    """Somebody on the third ward for whom a bed on the second is asked."""
    stay = movements.admit(
        person=PersonKey("RXX", f"P{number}"),
        details=Details({"family_name": f"Test{number}", "sex": "female"}),
        place=hospital.beds[6 + number],
        at=START,
        by=by,
    )
    return requests.ask(
        episode=stay,
        ward=Ward.objects.get(pk=hospital.wards[1]),
        terms=Terms(),
        said=Said(minutes(1), by),
    )


def bed_of(place: Place) -> int:
    assert place.bed is not None
    return place.bed


def where(episode: Episode) -> int | None:
    return Occupancy.objects.get(episode=episode, period__endswith__isnull=True).bed_id


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["held", "moved"])
def test_an_infection_and_who_is_at_risk_of_it_never_share_a_bay_however_close(
    hospital: Hospital, manager: User, how: str
) -> None:
    keep_book(site=None, book=EXAMPLE, valid_from=START - timedelta(days=1), by=None)
    both = [waiting(hospital, number, manager) for number in range(2)]
    needs = (Needed(infections=("norovirus",)), Needed(immunosuppressed=True))
    for request, needed in zip(both, needs, strict=True):
        say(episode=request.episode, needed=needed, said=Said(minutes(2), manager))

    def give(number: int) -> object:
        place = hospital.beds[3 + number]
        if how == "held":
            return reservations.reserve(
                request=both[number], bed=bed_of(place), said=Said(minutes(3), manager)
            )
        return movements.transfer(
            episode=both[number].episode, place=place, at=minutes(3), by=manager
        )

    results = at_once([lambda: give(0), lambda: give(1)])
    assert [type(one) for one in results if one is not None] == [Unsuitable], results


@pytest.mark.django_db(transaction=True)
def test_of_many_who_saw_no_bed_held_one_gives_it(hospital: Hospital, manager: User) -> None:
    request = waiting(hospital, 0, manager)
    results = at_once(
        [
            lambda bed=bed: reservations.allocate(  # type: ignore[misc]
                request=request, bed=bed_of(bed), said=Said(minutes(3), manager), seen=None
            )
            for bed in hospital.beds[:6]
        ]
    )
    assert results.count(None) == 1
    assert all(one is None or isinstance(one, Refused) for one in results)
    assert Reservation.objects.count() == 1


@pytest.mark.django_db
def test_undoing_gives_back_no_bed_that_is_somebody_elses_by_now(
    hospital: Hospital, manager: User
) -> None:
    one, other = waiting(hospital, 0, manager), waiting(hospital, 1, manager)
    was = where(one.episode)
    assert was is not None
    moved = movements.transfer(
        episode=one.episode, place=hospital.beds[3], at=minutes(5), by=manager
    )
    reservations.allocate(request=other, bed=was, said=Said(minutes(6), manager))
    with pytest.raises(Refused, match="held for somebody else"):
        movements.cancel(movement=moved, at=minutes(7), by=manager)
    assert where(one.episode) == bed_of(hospital.beds[3])


@pytest.mark.django_db
def test_undoing_the_move_into_a_held_bed_holds_it_again(hospital: Hospital, manager: User) -> None:
    request = waiting(hospital, 0, manager)
    was = where(request.episode)
    bed = bed_of(hospital.beds[3])
    reservations.allocate(request=request, bed=bed, said=Said(minutes(4), manager))
    moved = movements.transfer(
        episode=request.episode, place=hospital.beds[3], at=minutes(5), by=manager
    )
    movements.cancel(movement=moved, at=minutes(7), by=manager)
    assert where(request.episode) == was
    [held] = Reservation.objects.filter(status=Status.HELD)
    assert (held.bed_id, held.decided) == (bed, True)
    assert held.period.lower >= minutes(7)


@pytest.mark.django_db
def test_nobody_is_put_into_a_bed_that_waits_for_a_terminal_clean(
    hospital: Hospital, manager: User
) -> None:
    request = waiting(hospital, 0, manager)
    bed = bed_of(hospital.beds[3])

    def told(status: str, level: str, at: int) -> None:
        record_status(
            bed=bed, status=status, level=level, occurred_at=minutes(at), sent_at=minutes(at),
            source="by hand", key=f"{status}{at}",
        )  # fmt: skip

    told("K", "terminal", 2)
    reservations.reserve(request=request, bed=bed, said=Said(minutes(3), manager))
    with pytest.raises(Refused, match="waits for a terminal clean"):
        movements.transfer(
            episode=request.episode, place=hospital.beds[3], at=minutes(4), by=manager
        )
    told("U", "terminal", 5)
    movements.transfer(episode=request.episode, place=hospital.beds[3], at=minutes(6), by=manager)
    assert where(request.episode) == bed
