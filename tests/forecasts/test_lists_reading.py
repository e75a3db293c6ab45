"""Who is expected by name, and what became of those who were."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow.forecasts.clock import minute_of
from flow.forecasts.history import NOT_YET
from flow.forecasts.listed import Listed
from flow.forecasts.lists_reading import read_expected, read_lists
from flow.forecasts.paths import Way
from patients.keys import PersonKey, VisitKey
from patients.models import Episode
from tests.wards.hospital import START, Hospital, build, minutes
from wards.facts import Moved, Place
from wards.facts import MovementKind as Kind
from wards.models import Referral, ReferralStep, Site
from wards.movements import record

pytestmark = pytest.mark.django_db
_keys = count(1)
LATER = START + timedelta(days=90)


def tell(
    visit: str,
    kind: Kind,
    minute: float,
    *,
    place: Place | None = None,
    wanted: int | None = None,
    **stay: str,
) -> None:
    """Something happened, and we learnt of it at once."""
    fact = Moved(
        key=f"told {next(_keys)}",
        sent_at=minutes(minute),
        occurred_at=minutes(minute),
        kind=kind,
        person=PersonKey("RXX", f"P{visit}"),
        visit=VisitKey("RXX", visit),
        place=place,
        wanted_ward=wanted,
        stay=stay,
    )
    record([fact], source="feed", known_when_sent=True)


def expect(visit: str, ward: int, *, listed: float, planned: float, method: str = "11") -> None:
    tell(
        visit, Kind.EXPECTED, listed, wanted=ward, admission_method=method, specialty="110",
        expected_at=minutes(planned).isoformat(),
    )  # fmt: skip


def site() -> Site:
    return Site.objects.get(code="TST")


def lists(at: float | None = None) -> Listed:
    return read_lists(
        site(), since=START - timedelta(days=30), at=LATER if at is None else minutes(at)
    )


def minute(number: float) -> int:
    return minute_of(minutes(number))


def test_an_elective_comes_late() -> None:
    hospital = build()
    expect("1", hospital.wards[1], listed=0, planned=3000)
    tell("1", Kind.ADMITTED, 3090, place=hospital.ward(1))
    tell("1", Kind.DISCHARGED, 6000)
    told = lists()
    assert told.keys.tolist() == [Episode.objects.get().pk]
    assert told.way.tolist() == [Way.ELECTIVE]
    assert told.ward.tolist() == [hospital.wards[1]]
    assert told.specialty.tolist() == ["110"]
    assert (told.listed[0], told.planned[0]) == (minute(0), minute(3000))
    assert (told.came[0], told.dropped[0]) == (minute(3090), NOT_YET)


@pytest.mark.parametrize(
    "kind", [Kind.CANCELLED_EXPECTED, Kind.CANCELLED_PENDING_ADMIT, Kind.CANCELLED_ADMIT]
)
def test_an_elective_is_called_off(kind: Kind) -> None:
    hospital = build()
    expect("1", hospital.wards[0], listed=0, planned=3000)
    tell("1", kind, 1000)
    told = lists()
    assert (told.came[0], told.dropped[0]) == (NOT_YET, minute(1000))


def test_what_was_known_then_is_all_that_is_told() -> None:
    hospital = build()
    expect("1", hospital.wards[0], listed=0, planned=3000)
    expect("1", hospital.wards[1], listed=500, planned=4000)
    tell("1", Kind.ADMITTED, 4100, place=hospital.ward(1))
    told = lists(at=100)
    assert (told.planned[0], told.ward[0]) == (minute(3000), hospital.wards[0])
    assert told.came.tolist() == [NOT_YET]
    assert lists(at=4000).planned.tolist() == [minute(4000)]
    assert lists(at=4101).came.tolist() == [minute(4100)]
    assert lists(at=-10).keys.tolist() == []


def test_sent_in_by_a_doctor_and_expected_again() -> None:
    hospital = build()
    tell("1", Kind.PENDING_ADMIT, 0, wanted=hospital.wards[0],
         expected_at=minutes(120).isoformat())  # fmt: skip
    tell("1", Kind.ADMITTED, 100, place=hospital.ward(0))
    tell("1", Kind.DISCHARGED, 900)
    expect("1", hospital.wards[0], listed=2000, planned=9000)
    told = lists()
    assert told.way.tolist() == [Way.EMERGENCY, Way.ELECTIVE]
    assert told.came.tolist() == [minute(100), NOT_YET]


def test_who_waits_in_the_department_is_on_no_list() -> None:
    hospital = build()
    tell("1", Kind.ADMITTED, 0, place=hospital.ward(0))
    tell("1", Kind.PENDING_ADMIT, 60, wanted=hospital.wards[1])
    assert lists().keys.tolist() == []


def test_another_site_is_another_matter() -> None:
    hospital = build()
    elsewhere = Site.objects.create(code="X", name="X", organisation=site().organisation)
    expect("1", hospital.wards[0], listed=0, planned=3000)
    told = read_lists(elsewhere, since=START - timedelta(days=1), at=LATER)
    assert told.keys.tolist() == []
    assert read_expected(elsewhere, at=minutes(60)).keys.tolist() == []


def test_who_is_expected_now() -> None:
    hospital = build()
    expect("1", hospital.wards[0], listed=0, planned=3000)
    expect("2", hospital.wards[0], listed=0, planned=3000)
    expect("3", hospital.wards[0], listed=0, planned=3000)
    tell("2", Kind.ADMITTED, 50, place=hospital.ward(0))
    tell("3", Kind.CANCELLED_EXPECTED, 70)
    now = read_expected(site(), at=minutes(80))
    assert now.keys.tolist() == [Episode.objects.get(visit__number="1").pk]
    assert now.expected(minute(80)).keys.size == 1
    assert now.expected(minute(3000 + 25 * 60)).keys.size == 0


def referral(hospital: Hospital, ward: int) -> Referral:
    tell("9", Kind.ADMITTED, 0, place=hospital.ward(0), specialty="300")
    return Referral.objects.create(
        episode=Episode.objects.get(), kind="community", organisation=site().organisation,
        ward_id=ward, period=(minutes(0), None), source="test", key="r",
    )  # fmt: skip


def step(one: Referral, kind: str, at: float, starts: float | None = None) -> None:
    ReferralStep.objects.create(
        referral=one, kind=kind, occurred_at=minutes(at), recorded_at=minutes(at),
        starts_at=None if starts is None else minutes(starts),
    )  # fmt: skip


def test_a_place_that_was_accepted_awaits_its_patient() -> None:
    hospital = build()
    one = referral(hospital, hospital.wards[1])
    step(one, "asked", 10)
    assert lists().keys.tolist() == []
    step(one, "accepted", 60, starts=600)
    step(one, "rescheduled", 90, starts=900)
    told = lists()
    assert (told.way[0], told.ward[0], told.specialty[0]) == (Way.OTHER, hospital.wards[1], "300")
    assert (told.listed[0], told.planned[0]) == (minute(60), minute(900))
    assert lists(at=70).planned.tolist() == [minute(600)]
    step(one, "placed", 960)
    assert lists().came.tolist() == [minute(960)]


def test_a_place_that_was_withdrawn_awaits_nobody() -> None:
    hospital = build()
    one = referral(hospital, hospital.wards[1])
    step(one, "accepted", 60, starts=600)
    step(one, "withdrawn", 100)
    assert lists().dropped.tolist() == [minute(100)]


@pytest.mark.parametrize("number", [6, 60])
def test_two_queries_whatever_the_number(number: int) -> None:
    hospital = build()
    for visit in range(number):
        expect(str(visit), hospital.wards[0], listed=0, planned=3000)
    here = site()
    with CaptureQueriesContext(connection) as queries:
        assert read_expected(here, at=minutes(60)).keys.size == number
    assert len(queries) == 2
