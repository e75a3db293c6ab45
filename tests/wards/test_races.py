"""Many hands at once: one wins, the rest are told why; swaps never block each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import User
from patients.keys import Details, PersonKey
from patients.models import Episode, Patient
from tests.wards.hospital import build, minutes
from wards.models import Occupancy
from wards.movements import Refused, admit, swap, transfer

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(deeds: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all deeds at the same moment, each in a thread with its own connection."""
    gate = threading.Barrier(len(deeds))
    results: list[BaseException | None] = [None] * len(deeds)

    def run(number: int) -> None:
        try:
            gate.wait()
            deeds[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a deed is stuck"
    return results


@pytest.fixture
def nurse() -> User:
    return User.objects.create(username="nurse")


def test_twenty_want_one_bed(nurse: User) -> None:
    hospital = build(wards=2, beds=1)
    bed, ward = hospital.beds[0], hospital.ward(1)
    episodes = [
        admit(
            person=PersonKey("T", f"P{n}"),
            place=ward,
            occurred_at=minutes(0),
            at=minutes(1),
            by=nurse,
        )
        for n in range(20)
    ]

    def move(episode: Episode) -> Callable[[], object]:
        return lambda: transfer(
            episode=episode, place=bed, occurred_at=minutes(5), at=minutes(6), by=nurse
        )

    results = at_once([move(episode) for episode in episodes])

    assert results.count(None) == 1
    refusals = [r for r in results if r is not None]
    assert all(isinstance(r, Refused) for r in refusals), refusals
    assert all("is taken" in str(r) and "Choose another bed" in str(r) for r in refusals), refusals
    assert Occupancy.objects.filter(bed=bed.bed).count() == 1
    assert Occupancy.objects.filter(ward=ward.ward, period__upper_inf=True).count() == 19


def test_twenty_admit_to_one_bed(nurse: User) -> None:
    bed = build(wards=1, beds=1).beds[0]

    def take(number: int) -> Callable[[], object]:
        return lambda: admit(
            person=PersonKey("T", f"P{number}"),
            place=bed,
            occurred_at=minutes(5),
            at=minutes(6),
            by=nurse,
        )

    results = at_once([take(n) for n in range(20)])

    assert results.count(None) == 1
    assert all(isinstance(r, Refused) for r in results if r is not None), results
    assert Occupancy.objects.count() == 1
    assert Episode.objects.count() == 1


def test_ten_bring_in_one_nhs_number(nurse: User) -> None:
    """Under ten new hospital numbers: one person, one place."""
    hospital = build(wards=1, beds=10)

    def take(number: int) -> Callable[[], object]:
        return lambda: admit(
            person=PersonKey("T", f"P{number}"),
            place=hospital.beds[number],
            occurred_at=minutes(5),
            at=minutes(6),
            by=nurse,
            details=Details({"nhs_number": "9990000018", "family_name": f"Name{number}"}),
        )

    results = at_once([take(n) for n in range(10)])

    assert results.count(None) == 1
    assert all(isinstance(r, Refused) for r in results if r is not None), results
    assert Occupancy.objects.count() == Patient.objects.count() == 1


def test_a_hundred_opposite_swaps(nurse: User) -> None:
    hospital = build(wards=1, beds=2)
    one, other = (
        admit(
            person=PersonKey("T", f"P{n}"),
            place=hospital.beds[n],
            occurred_at=minutes(0),
            at=minutes(1),
            by=nurse,
        )
        for n in range(2)
    )

    def exchange(number: int) -> Callable[[], object]:
        first, second = (one, other) if number % 2 else (other, one)
        return lambda: swap(
            one=Episode.objects.get(pk=first.pk),
            other=Episode.objects.get(pk=second.pk),
            occurred_at=minutes(10 + number),
            at=minutes(10 + number),
            by=nurse,
        )

    for batch in range(10):
        results = at_once([exchange(batch * 10 + n) for n in range(10)])
        late = [r for r in results if r is not None]
        # A swap dated before one that is already there may be refused, never fail.
        assert all(isinstance(r, Refused) for r in late), late

    now = Occupancy.objects.filter(period__upper_inf=True)
    assert {row.bed_id for row in now} == {place.bed for place in hospital.beds}
    assert {row.episode_id for row in now} == {one.pk, other.pk}


def test_a_hundred_opposite_swaps_at_one_moment(nurse: User) -> None:
    hospital = build(wards=1, beds=2)
    pair = [
        admit(
            person=PersonKey("T", f"P{n}"),
            place=hospital.beds[n],
            occurred_at=minutes(0),
            at=minutes(1),
            by=nurse,
        )
        for n in range(2)
    ]

    def exchange(number: int) -> Callable[[], object]:
        first, second = pair if number % 2 else reversed(pair)

        def deed() -> object:
            return swap(
                one=Episode.objects.get(pk=first.pk),
                other=Episode.objects.get(pk=second.pk),
                at=minutes(31),
                by=nurse,
            )

        return deed

    for _ in range(5):
        results = at_once([exchange(n) for n in range(20)])
        assert results == [None] * 20
    now = Occupancy.objects.filter(period__upper_inf=True)
    assert {row.bed_id for row in now} == {place.bed for place in hospital.beds}
