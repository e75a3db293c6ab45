"""Saying how many nurses a shift has: what stands, what is refused, and two who say it at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.apps import apps
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from accounts.refusals import Refused
from tests.wards.some_places import some_ward
from tests.wards.test_races import at_once
from wards.matching import setting_at
from wards.models import Staffing, WardLimits
from wards.shifts import USUAL, Worked, parse, today, worked_on
from wards.staffing import Changed, Nurses, said_of, say

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY, NIGHT = worked_on(today(NOON), parse(USUAL))


@pytest.fixture
def matron() -> User:
    return User.objects.create(username="matron", first_name="May", last_name="Matron")


def test_what_is_said_stands_until_it_is_said_anew(matron: User) -> None:
    ward = some_ward().ward.pk
    say(ward=ward, shift=DAY, nurses=Nurses(5, None), seen=Nurses(), at=NOON, by=matron)
    say(ward=ward, shift=NIGHT, nurses=Nurses(4), seen=Nurses(), at=NOON, by=matron)
    later = NOON + timedelta(hours=1)
    say(ward=ward, shift=DAY, nurses=Nurses(5, 4), seen=Nurses(5), at=later, by=matron)
    said = said_of([ward], [DAY, NIGHT])
    row = said[ward, DAY.start]
    assert (row.planned, row.actual, row.by, row.recorded_at) == (5, 4, matron, later)
    assert said[ward, NIGHT.start].planned == 4
    assert Staffing.objects.count() == 2


def test_the_rules_see_the_nurses_at_work_of_the_running_shift(matron: User) -> None:
    here = some_ward()
    WardLimits.objects.create(ward=here.ward, patients_per_nurse=6)
    say(ward=here.ward.pk, shift=DAY, nurses=Nurses(5, 3), at=NOON, by=matron)
    say(ward=here.ward.pk, shift=NIGHT, nurses=Nurses(4, 0), at=NOON, by=matron)

    def seen(at: datetime) -> tuple[float | None, float | None]:
        ward = setting_at(at=at, wards=[here.ward.pk]).hospital.wards[here.ward.pk]
        return ward.nurses, ward.patients_per_nurse

    assert seen(NOON) == (3.0, 6.0)
    assert seen(NIGHT.start) == (0.0, 6.0)
    assert seen(NIGHT.end) == (None, 6.0)


def test_nothing_said_takes_it_back_and_the_history_keeps_it(matron: User) -> None:
    ward = some_ward().ward.pk
    say(ward=ward, shift=DAY, nurses=Nurses(5, 4), at=NOON, by=matron)
    assert say(ward=ward, shift=DAY, nurses=Nurses(), seen=Nurses(5, 4), at=NOON, by=matron) is None
    assert not Staffing.objects.exists()
    events = apps.get_model("wards", "StaffingEvent")._default_manager.order_by("pgh_id")
    assert [(one.pgh_label, one.planned) for one in events] == [("insert", 5), ("delete", 5)]
    assert {one.pgh_context["user"] for one in events} == {matron.pk}


def test_stale_sight_is_refused_with_what_changed(matron: User) -> None:
    ward = some_ward().ward.pk
    say(ward=ward, shift=DAY, nurses=Nurses(5, 4), at=NOON, by=matron)
    with pytest.raises(Changed, match="by May Matron at 12:00 on 21 November: planned 5, at wo"):
        say(ward=ward, shift=DAY, nurses=Nurses(6, 6), seen=Nurses(), at=NOON, by=None)
    say(ward=ward, shift=DAY, nurses=Nurses(), at=NOON, by=matron)
    with pytest.raises(Changed, match="taken back meanwhile"):
        say(ward=ward, shift=DAY, nurses=Nurses(6, 6), seen=Nurses(5, 4), at=NOON, by=None)
    assert not Staffing.objects.exists()


@pytest.mark.parametrize(
    ("nurses", "moved", "why"),
    [
        (Nurses(100), 0, "0 to 99 nurses, not 100"),
        (Nurses(3, -1), 0, "0 to 99 nurses, not -1"),
        (Nurses(3), 15, "14 days ahead"),
        (Nurses(3), -8, "more than 7 days ago"),
    ],
)
def test_what_makes_no_sense_is_refused(nurses: Nurses, moved: int, why: str) -> None:
    by = timedelta(days=moved)
    shift = Worked(DAY.name, DAY.day + by, DAY.start + by, DAY.end + by)
    with pytest.raises(Refused, match=why):
        say(ward=some_ward().ward.pk, shift=shift, nurses=nurses, at=NOON, by=None)
    with pytest.raises(Refused, match="no ward with the key"):
        say(ward=0, shift=DAY, nurses=Nurses(3), at=NOON, by=None)


def test_a_shift_of_another_pattern_makes_room(matron: User) -> None:
    ward = some_ward().ward
    early = worked_on(today(NOON), parse("Early 07:00-14:00, Late 14:00-21:00, Night 21:00-07:00"))
    for shift in early:
        say(ward=ward.pk, shift=shift, nurses=Nurses(3, 3), at=NOON, by=matron)
    say(ward=ward.pk, shift=DAY, nurses=Nurses(5, 5), at=NOON, by=matron)
    rows = Staffing.objects.order_by("period").values_list("period", "planned")
    assert list(rows) == [
        (DateTimeTZRange(early[0].start, DAY.start), 3),
        (DateTimeTZRange(DAY.start, DAY.end), 5),
        (DateTimeTZRange(DAY.end, early[1].end), 3),
        (DateTimeTZRange(early[2].start, early[2].end), 3),
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_say_it_at_once_one_is_told_what_the_other_said() -> None:
    ward = some_ward().ward.pk

    def deed(number: int) -> object:
        seen = Nurses()
        return say(ward=ward, shift=DAY, nurses=Nurses(number), seen=seen, at=NOON, by=None)

    results = at_once([partial(deed, number) for number in range(1, 13)])
    assert results.count(None) == 1
    row = Staffing.objects.get()
    others = [one for one in results if one is not None]
    assert all(isinstance(one, Changed) and one.now == Nurses(row.planned) for one in others)
