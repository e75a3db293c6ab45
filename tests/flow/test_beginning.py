"""When the records begin: with many movements, never with a few that carry wrong times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from flow import beginning
from flow.beginning import SETTLED, Records
from patients.models import Patient, Visit
from tests.flow.places import HOUR, START, beds_of, make_site, make_ward
from wards.models import BedStatus, Movement, Ward

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
YEAR = 365 * DAY
_keys = count(1)


@pytest.fixture(autouse=True)
def _as_if_just_started() -> Iterator[None]:
    beginning.forget()
    yield
    beginning.forget()


@pytest.fixture
def ward() -> Ward:
    return make_ward(make_site(), beds=60)


class Told:
    """Facts about one visit; the rule looks at when they happened and of what kind they are."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        patient = Patient.objects.create(authority="RT1", identifier="B1")
        self.visit = Visit.objects.create(authority="RT1", number="B1", patient=patient)
        self.rows: list[Movement] = []

    def tell(self, days: Iterable[float], kind: str = "admitted", ward: Ward | None = None) -> None:
        """Movements so many days after START."""
        self.rows += [
            Movement(
                visit=self.visit,
                patient=self.visit.patient,
                kind=kind,
                occurred_at=START + day * DAY,
                sent_at=START + day * DAY,
                source="test",
                key=str(next(_keys)),
                ward=ward or self.ward,
            )
            for day in days
        ]

    def found(self) -> Records:
        Movement.objects.bulk_create(self.rows)
        self.rows = []
        beginning.forget()
        return beginning.records()


@pytest.fixture
def told(ward: Ward) -> Told:
    return Told(ward)


def steady(first: float, last: float, a_day: float) -> list[float]:
    """Evenly from the first day on until before the last."""
    return [first + n / a_day for n in range(round((last - first) * a_day))]


def test_one_back_dated_stay_moves_nothing(told: Told) -> None:
    told.tell(steady(0, 28, 20))
    told.tell(steady(0.5, 28, 8), "discharged")
    before = told.found()
    assert (before.begin, before.departures) == (START, START + DAY / 2)
    told.tell([-365, -364.5])
    told.tell([-363], "discharged")
    after = told.found()
    assert after == before
    past = START - 100 * DAY
    assert not after.tells_of(past)
    assert not after.is_complete(past)
    assert after.is_complete(START + DAY / 2 + SETTLED)


def test_one_in_forty_with_wrong_times_move_nothing(told: Told) -> None:
    told.tell(steady(0, 28, 40))
    told.tell(steady(0, 28, 20), "discharged")
    told.tell([-2 * n for n in range(1, 28)])
    told.tell([-4 * n for n in range(1, 14)], "discharged")
    found = told.found()
    assert found.begin is not None
    assert found.departures is not None
    # Of the six days before, one or two may stand in the first week with many.
    assert START - 6 * DAY <= found.begin <= START
    assert START - 6 * DAY <= found.departures <= START


def test_fed_live_from_nothing_they_begin_with_the_first_movement(told: Told) -> None:
    for hour in range(8):
        told.tell([hour / 24])
        assert told.found().begin == START
    told.tell(steady(1, 40, 60))
    assert told.found().begin == START


def test_patients_admitted_long_before_a_first_load_tell_of_themselves_alone(told: Told) -> None:
    told.tell([-300, -250, -180, -120, -90, -60, -45, -30, -25])  # still here at the first load
    told.tell([-(1.3**n) for n in range(12)])
    told.tell(steady(0, 21, 30))
    told.tell(steady(0.25, 21, 12), "discharged")
    found = told.found()
    assert found.begin is not None
    assert START - 10 * DAY < found.begin <= START
    assert found.complete == START + DAY / 4 + SETTLED


def test_a_ward_where_little_happens_has_its_past(told: Told) -> None:
    """One movement a day, in five days four arrivals or transfers and one departure."""
    told.tell(steady(0, 200, 0.8))
    told.tell(steady(1, 200, 0.2), "discharged")
    told.tell([-YEAR / DAY, -YEAR / DAY + 1])
    told.tell([-YEAR / DAY + 2], "discharged")
    found = told.found()
    assert found.begin == START
    assert found.departures == START + DAY
    # A fortnight without anything, and a month without a feed, move nothing.
    told.tell(steady(214, 220, 0.8))
    told.tell(steady(250, 280, 0.8))
    assert told.found().begin == START


def test_where_hardly_anybody_leaves_the_first_who_did_counts(told: Told) -> None:
    told.tell(steady(0, 40, 0.3))
    told.tell([10, 30], "discharged")
    found = told.found()
    assert found.begin == START
    assert found.departures == START + 10 * DAY


def test_a_pilot_keeps_its_past_in_a_hospital_that_is_not_much_larger(told: Told) -> None:
    told.tell(steady(0, 60, 10))
    told.tell(steady(60, 150, 100))
    assert told.found().begin == START


def test_what_unrecognised_wards_hold_begins_nothing_however_much_it_is(
    told: Told, ward: Ward
) -> None:
    stray = make_ward(ward.site, kind="unrecognised")
    told.tell(steady(-100, 28, 30), ward=stray)
    told.tell(steady(-100, 28, 30), "discharged", ward=stray)
    told.tell(steady(0, 28, 10))
    told.tell(steady(1, 28, 5), "discharged")
    found = told.found()
    assert (found.begin, found.departures) == (START, START + DAY)


def test_one_bed_said_to_be_cleaned_long_ago_moves_nothing(told: Told, ward: Ward) -> None:
    told.tell(steady(0, 28, 20))

    def cleaned(number: int, at: float) -> None:
        BedStatus.objects.create(
            bed=beds_of(ward)[number],
            status="K",
            occurred_at=START + at * DAY,
            sent_at=timezone.now(),
            source="test",
            key=str(next(_keys)),
        )

    for number in range(40):
        cleaned(number, 5 + number / 24)
    first = told.found().cleaning
    assert first == START + 5 * DAY + HOUR
    cleaned(50, -365)
    assert told.found().cleaning == START + 5 * DAY + HOUR
