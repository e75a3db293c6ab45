"""What our own data tell of each parameter, against hospitals counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flow import beginning, feeds
from flow.board_types import FeedState
from huddles.escalation.measuring import measured
from huddles.opel.scoring import Told
from patients.models import Readiness, Review
from tests.flow.places import (
    HOUR,
    Hospital,
    beds_of,
    make_episode,
    make_ward,
    put,
    records_begin,
    span,
)
from tests.flow.places import START as MORNING
from wards.models import Bay, Bed, Opening, Ward

pytestmark = pytest.mark.django_db
NOW = MORNING + 6 * HOUR  # Monday noon, in winter: midnight in London is midnight UTC
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    beginning.forget()
    yield
    beginning.forget()


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def told(hospital: Hospital, at: datetime = NOW) -> dict[str, Told]:
    beginning.forget()
    return measured([hospital.site], at=at)[hospital.site.pk]


def attend(ward: Ward, came: datetime, left: datetime | None = None) -> None:
    put(ward, start=came, end=left)


def test_four_hours_counts_who_left_since_midnight(hospital: Hospital) -> None:
    midnight = NOW - 12 * HOUR
    attend(hospital.emergency, midnight - HOUR, midnight + HOUR)  # two hours, left today
    attend(hospital.emergency, NOW - 5 * HOUR, NOW - HOUR)  # four hours to the second
    attend(hospital.emergency, NOW - 6 * HOUR, NOW - HOUR)  # five
    attend(hospital.emergency, midnight - 9 * HOUR, midnight - MINUTE)  # left yesterday
    attend(hospital.emergency, NOW - 11 * HOUR)  # still there
    assert told(hospital)["four_hour_performance"] == Told(66.7, NOW, "computed")


def test_one_attendance_in_several_places_is_one(hospital: Hospital) -> None:
    beds = beds_of(hospital.emergency)
    episode = make_episode()
    came = NOW - 14 * HOUR  # before midnight, in the waiting room
    put(hospital.emergency, start=came, end=came + HOUR, episode=episode)
    put(hospital.emergency, beds[0], start=came + HOUR, end=NOW - 9 * HOUR, episode=episode)
    put(hospital.ward, beds_of(hospital.ward)[0], start=NOW - 9 * HOUR, episode=episode)
    # It lasted five hours in all, though no single place held it for four.
    assert told(hospital)["four_hour_performance"].value == 0
    here = make_episode()
    put(hospital.emergency, start=NOW - 13 * HOUR, end=NOW - 12.5 * HOUR, episode=here)
    put(hospital.emergency, beds[1], start=NOW - 12.5 * HOUR, episode=here)
    assert told(hospital)["over_twelve_hours"].value == 100


def test_nobody_left_yet_tells_nothing_of_four_hours(hospital: Hospital) -> None:
    attend(hospital.emergency, NOW - HOUR)
    found = told(hospital)
    assert "four_hour_performance" not in found
    assert found["over_twelve_hours"].value == 0


def test_over_twelve_hours_is_of_those_there(hospital: Hospital) -> None:
    assert told(hospital)["over_twelve_hours"].value == 0, "an empty department has nobody"
    attend(hospital.emergency, NOW - 12 * HOUR)  # twelve and not over
    attend(hospital.emergency, NOW - 12 * HOUR - MINUTE)
    attend(hospital.emergency, NOW - 20 * HOUR)
    attend(hospital.emergency, NOW - HOUR)
    attend(hospital.emergency, NOW - 20 * HOUR, NOW - HOUR)
    assert told(hospital)["over_twelve_hours"].value == 50


def test_attendances_are_compared_with_the_same_weekday(hospital: Hospital) -> None:
    records_begin(hospital.ward, at=NOW - timedelta(days=16))
    for week, number in ((0, 6), (1, 4), (2, 6)):
        for minute in range(number):
            came = NOW - timedelta(weeks=week) - 3 * HOUR + minute * MINUTE
            attend(hospital.emergency, came, came + HOUR)
    later = NOW - timedelta(weeks=1) + HOUR  # a week ago, but later than noon
    attend(hospital.emergency, later, later + HOUR)
    other = NOW - timedelta(days=2, hours=3)
    attend(hospital.emergency, other, other + HOUR)
    assert told(hospital)["attendance_variation"].value == 20


def test_with_fewer_than_two_weeks_attendances_are_not_compared(hospital: Hospital) -> None:
    records_begin(hospital.ward, at=NOW - timedelta(days=13))
    attend(hospital.emergency, NOW - HOUR)
    attend(hospital.emergency, NOW - timedelta(weeks=1, hours=1), NOW - timedelta(weeks=1))
    assert "attendance_variation" not in told(hospital)


def test_majors_and_resuscitation_with_who_is_in_the_corridor(hospital: Hospital) -> None:
    def bay(code: str, name: str, number: int, *features: str) -> list[Bed]:
        made = Bay.objects.create(ward=hospital.emergency, code=code, name=name)
        return [
            Bed.objects.create(
                ward=hospital.emergency, bay=made, label=f"{code}{n}", features=list(features),
                funding="escalation" if features else "core",
            )
            for n in range(number)
        ]  # fmt: skip

    assert "majors_resus_occupancy" not in told(hospital), "no such bays"
    majors, resus = bay("MAJ", "Majors", 3), bay("B2", "Resuscitation", 1)
    minors, corridor = bay("MIN", "Minors", 2), bay("COR", "Corridor", 2, "corridor")
    assert told(hospital)["majors_resus_occupancy"].value == 0
    for bed in (*majors, resus[0], minors[0], corridor[0]):
        put(hospital.emergency, bed, start=NOW - HOUR)
    assert told(hospital)["majors_resus_occupancy"].value == 125


def test_general_and_acute_beds(hospital: Hospital) -> None:
    beds = [*beds_of(hospital.ward), *beds_of(hospital.other)]  # twelve
    Bed.objects.filter(pk__in=[beds[0].pk, beds[1].pk]).update(funding="escalation")
    Opening.objects.create(bed=beds[0], period=span(NOW - HOUR))  # the other is not open
    for bed in (beds[0], *beds[2:7]):
        put(bed.ward, bed, start=NOW - HOUR)
    maternity = make_ward(hospital.site, kind="maternity", beds=4)
    psychiatry = make_ward(hospital.site, beds=4, specialty="mental_health")
    for ward in (maternity, psychiatry):
        put(ward, beds_of(ward)[0], start=NOW - HOUR)
    found = told(hospital)
    assert found["ga_occupancy"].value == 54.5  # 6 of 11
    assert found["escalation_beds"].value == 9.1  # 1 of 11


def test_criteria_to_reside_are_from_when_half_had_been_reviewed(hospital: Hospital) -> None:
    beds = beds_of(hospital.ward)
    stays = [put(hospital.ward, bed, start=NOW - 30 * HOUR).episode for bed in beds[:4]]
    Readiness.objects.create(episode=stays[0], period=span(NOW - 2 * HOUR))
    Readiness.objects.create(episode=stays[1], period=span(NOW - 5 * HOUR, NOW - HOUR))
    assert "no_criteria_to_reside" not in told(hospital), "nobody has been reviewed"
    for hours, stay in ((2, stays[0]), (9, stays[1])):
        for ago in (hours, 20):
            Review.objects.create(
                episode=stay, occurred_at=NOW - ago * HOUR, source="test", key=f"{stay.pk}{ago}"
            )
    assert told(hospital)["no_criteria_to_reside"] == Told(25, NOW - 9 * HOUR, "computed")


def test_a_silent_feed_makes_values_as_old_as_it_is(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = NOW - 3 * HOUR
    states = {hospital.site.pk: FeedState(heard, silent=True)}
    monkeypatch.setattr(feeds, "_watches", [lambda now: states])
    assert told(hospital)["ga_occupancy"].as_at == heard
    states[hospital.site.pk] = FeedState(heard, silent=False)
    assert told(hospital)["ga_occupancy"].as_at == NOW


def test_a_site_without_a_department_or_beds_is_not_measured(hospital: Hospital) -> None:
    site = hospital.community_site
    assert measured([site], at=NOW) == {site.pk: {}}


def test_however_many_beds_the_queries_are_the_same(hospital: Hospital) -> None:
    def asked() -> int:
        beginning.forget()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            measured([hospital.site], at=NOW)
        return len(seen)

    few = asked()
    for _ in range(6):
        ward = make_ward(hospital.site, beds=10)
        for bed in beds_of(ward):
            put(ward, bed, start=NOW - HOUR)
    assert asked() == few <= 9


def test_the_day_begins_at_midnight_in_london(hospital: Hospital) -> None:
    summer = datetime(2026, 7, 6, 11, tzinfo=NOW.tzinfo)  # noon in London
    attend(hospital.emergency, summer - 15 * HOUR, summer - 11.5 * HOUR)  # left at 00:30 there
    assert told(hospital, summer)["four_hour_performance"].value == 100
