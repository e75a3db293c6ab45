"""The nurses of a ward's shifts over REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.roles import Role
from accounts.tokens import TokenScope
from tests.api.callers import Caller
from tests.screens.hospital import Hospital, build
from wards.models import Staffing, WardLimits
from wards.shifts import today, worked_on

pytestmark = pytest.mark.django_db
BEDS = (TokenScope.BEDS_READ, TokenScope.BEDS_WRITE)
ADDRESS = "/api/v1/wards/TGH-W1/staffing/"


@pytest.fixture
def hospital() -> Hospital:
    made = build()
    made.fill(made.wards[0], 3)
    return made


@pytest.fixture
def manager(hospital: Hospital) -> Caller:
    return Caller("manager", Role.BED_MANAGER, *BEDS, site=hospital.site)


def put(caller: Caller, address: str = ADDRESS, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = caller.client.put(address, body, "application/json")
    return answer.status_code, answer.json()


def tomorrow() -> str:
    return str(today(timezone.now()) + timedelta(days=1))


def test_it_is_said_and_read_again(hospital: Hospital, manager: Caller) -> None:
    status, told = put(manager, shift="day", date=tomorrow(), planned=5, actual=None)
    assert status == 200, told
    day = worked_on(today(timezone.now()) + timedelta(days=1), settings.SHIFTS)[0]
    row = Staffing.objects.get()
    assert (row.planned, row.actual, row.by) == (5, None, manager.user)
    assert (row.period.lower, row.period.upper) == (day.start, day.end)
    assert (told["shift"], told["planned"], told["by"]) == ("Day", 5, "manager")
    assert datetime.fromisoformat(told["start"]) == day.start
    rows = manager.get(ADDRESS, date=tomorrow())
    assert [(one["shift"], one["planned"]) for one in rows] == [("Day", 5), ("Night", None)]


def test_patients_and_limits_stand_beside_it(hospital: Hospital, manager: Caller) -> None:
    WardLimits.objects.create(ward=hospital.wards[0], patients_per_nurse=7.5, most_patients=28)
    now = timezone.now()
    for day in (today(now), today(now) - timedelta(days=1)):
        running = [one for one in worked_on(day, settings.SHIFTS) if one.runs(now)]
        for one in running:
            status, told = put(manager, shift=one.name, date=str(one.day), planned=3, actual=2)
            assert (status, told["patients_each"]) == (200, 1.5)
    body = manager.client.get(ADDRESS).json()
    assert (body["ward"], body["site"], body["patients"]) == ("TGH-W1", "TGH", 3)
    assert (body["patients_per_nurse"], body["most_patients"]) == (7.5, 28)
    as_csv = manager.client.get(ADDRESS, {"format": "csv"}).content.decode()
    assert as_csv.startswith("shift,date,start,end,planned,actual")


def test_stale_sight_is_a_conflict_with_what_changed(hospital: Hospital, manager: Caller) -> None:
    put(manager, shift="Day", date=tomorrow(), planned=5, actual=4)
    status, told = put(
        manager, shift="Day", date=tomorrow(), planned=6, actual=6,
        seen={"planned": None, "actual": None},
    )  # fmt: skip
    assert (status, told["type"]) == (409, "/api/v1/problems/#refused")
    assert "planned 5, at work 4" in told["detail"]
    seen = {"planned": 5, "actual": 4}
    assert put(manager, shift="Day", date=tomorrow(), planned=6, actual=6, seen=seen)[0] == 200
    assert put(manager, shift="Day", date=tomorrow(), planned=None, actual=None)[0] == 200
    assert not Staffing.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"shift": "Siesta", "planned": 1, "actual": 1}, "shift"),
        ({"shift": "Day", "planned": 100, "actual": 1}, "planned"),
        ({"shift": "Day", "planned": 1, "actual": "many"}, "actual"),
        ({"shift": "Day", "planned": 1}, "actual"),
        ({"shift": "Day", "planned": 1, "actual": 1, "nurses": 3}, "nurses"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    manager: Caller, body: dict[str, Any], field: str
) -> None:
    status, told = put(manager, **body)
    assert status == 400
    assert field in told["errors"]
    assert manager.client.get(ADDRESS, {"date": "soon"}).status_code == 400


def test_it_takes_a_scope_and_a_role(hospital: Hospital) -> None:
    body: dict[str, Any] = {"shift": "Day", "date": tomorrow(), "planned": 5, "actual": 5}
    nurse = Caller("nurse", Role.WARD_NURSE, *BEDS, ward=hospital.wards[0])
    reader = Caller("reader", Role.BED_MANAGER, TokenScope.BEDS_READ, site=hospital.site)
    other = Caller("other", Role.BED_MANAGER, TokenScope.WAITS_READ, site=hospital.site)
    elsewhere = Caller("else", Role.BED_MANAGER, *BEDS, ward=hospital.wards[1])
    assert put(nurse, **body)[0] == 403
    assert put(reader, **body)[0] == 403
    assert other.client.get(ADDRESS).status_code == 403
    assert nurse.client.get(ADDRESS).status_code == 200
    assert elsewhere.client.get(ADDRESS).status_code == 404
    assert put(elsewhere, **body)[0] == 404
    assert not Staffing.objects.exists()
