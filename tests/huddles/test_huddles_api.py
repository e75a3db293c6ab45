"""Meetings over REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.api import sharing
from flow.api.throttles import CallerThrottle
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import Said, close_meeting, confirm, open_meeting
from huddles.models import Huddle
from tests.api.callers import Caller
from tests.huddles.meeting import next_start, seen_by, template_of
from tests.screens.hospital import FAMILY, Hospital, build, user

pytestmark = pytest.mark.django_db
HUDDLES = "/api/v1/huddles/"


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    sharing.forget()
    CallerThrottle.forget()


def test_a_meeting_is_due_open_and_held(hospital: Hospital) -> None:
    caller = Caller("wall", Role.OBSERVER, TokenScope.HUDDLES_READ, everywhere=True)
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    starts = next_start()
    template = template_of(hospital, starts=starts)
    [due] = caller.get(HUDDLES)
    assert (due["id"], due["status"], due["template"]) == (None, "due", "Morning huddle")
    assert datetime.fromisoformat(due["starts_at"]) == starts
    confirm(
        template=template, starts_at=starts, ward=hospital.wards[0], at=timezone.now(), by=chair,
        said=Said(beds_free=4, definite=(1, 2), hazard=f"Mr {FAMILY}"),
    )  # fmt: skip
    huddle = open_meeting(
        template=template, starts_at=starts, first="site", at=timezone.now(), by=chair
    )
    [running] = caller.get(HUDDLES, site="TGH", status="open")
    assert (running["chair"], running["confirmed"], running["step"]) == ("Chair", 1, "site")
    here = f"{HUDDLES}{running['id']}/"
    told = caller.client.get(here).json()
    line = next(one for one in told["lines"] if one["code"] == "TGH-W1")
    assert (line["numbers"]["beds_free"], line["dues"][0]["definite"]) == (4, 1)
    assert line["hazard"] == "Mr …"
    kept = as_seen(seen_by(template, starts, None))
    close_meeting(huddle=huddle, frozen=kept, at=timezone.now(), by=chair)
    assert [one["status"] for one in caller.get(HUDDLES, status="held")] == ["held"]
    hospital.fill(hospital.wards[1], 3)
    after = caller.client.get(here).json()
    assert after["lines"] == told["lines"]
    # The next one is due from now on.
    tomorrow = caller.get(HUDDLES, status="due")
    assert [datetime.fromisoformat(one["starts_at"]) for one in tomorrow] == [
        starts + timedelta(days=1)
    ]


def test_one_that_nobody_opened_was_missed(hospital: Hospital) -> None:
    caller = Caller("wall", Role.OBSERVER, TokenScope.HUDDLES_READ, everywhere=True)
    starts = next_start()
    template = template_of(hospital, starts=starts)
    Huddle.objects.create(template=template, starts_at=starts - timedelta(days=3))
    assert {one["status"] for one in caller.get(HUDDLES)} == {"due", "missed"}


def test_who_may_what(hospital: Hospital) -> None:
    template = template_of(hospital)
    made = Huddle.objects.create(template=template, starts_at=next_start())
    elsewhere = Caller(
        "far", Role.SITE_MANAGER, TokenScope.HUDDLES_READ, site=build(code="OTH").site
    )
    assert elsewhere.get(HUDDLES) == []
    assert elsewhere.client.get(f"{HUDDLES}{made.pk}/").status_code == 404
    assert elsewhere.client.get(HUDDLES, {"site": "TGH"}).status_code == 400
    assert elsewhere.client.get(HUDDLES, {"status": "odd"}).status_code == 400
    other = Caller("beds", Role.BED_MANAGER, TokenScope.BEDS_READ, everywhere=True)
    assert other.client.get(HUDDLES).status_code == 403


def test_as_many_queries_for_one_as_for_forty(hospital: Hospital) -> None:
    caller = Caller("wall", Role.OBSERVER, TokenScope.HUDDLES_READ, everywhere=True)
    template, starts = template_of(hospital), next_start()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            caller.get(HUDDLES)
        return len(queries)

    asked()
    few = asked()
    Huddle.objects.bulk_create(
        Huddle(template=template, starts_at=starts - timedelta(days=days)) for days in range(1, 40)
    )
    assert asked() == few <= 8


def test_the_oldest_is_on_the_last_page(hospital: Hospital) -> None:
    caller = Caller("wall", Role.OBSERVER, TokenScope.HUDDLES_READ, everywhere=True)
    starts = next_start()
    template = template_of(hospital, starts=starts)
    for days in range(1, 6):
        Huddle.objects.create(template=template, starts_at=starts - timedelta(days=days))
    first = caller.client.get(HUDDLES, {"limit": "3"}).json()
    assert [one["status"] for one in first["results"]] == ["due", "missed", "missed", "missed"]
    last = caller.client.get(first["next"]).json()
    assert len(last["results"]) == 2
    assert last["next"] is None
    assert last["results"][-1]["starts_at"] < first["results"][-1]["starts_at"]


def test_what_has_ended_is_not_due_again_on_a_short_page(hospital: Hospital) -> None:
    caller = Caller("wall", Role.OBSERVER, TokenScope.HUDDLES_READ, everywhere=True)
    starts, now = next_start(), timezone.now()
    ended = {
        "opened_at": now, "chair": caller.user, "step": "site", "step_at": now, "closed_at": now,
        "closed_by": caller.user, "frozen": {},
    }  # fmt: skip
    for number, name in enumerate(("First", "Second")):
        template = template_of(hospital, starts=starts + timedelta(minutes=number), name=name)
        Huddle.objects.create(
            template=template, starts_at=starts + timedelta(minutes=number), **ended
        )
    whole = caller.get(HUDDLES)
    short = caller.client.get(HUDDLES, {"limit": "1"}).json()["results"]

    def due(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return sorted((one["template"], one["starts_at"]) for one in rows if one["id"] is None)

    assert due(short) == due(whole)
    assert [datetime.fromisoformat(start) for _name, start in due(short)] == [
        starts + timedelta(days=1, minutes=number) for number in range(2)
    ]
