from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from flowboard import demo_meetings
from huddles.meetings.board import board_of
from huddles.meetings.due import next_start
from huddles.models import Action, Huddle, HuddleTemplate
from tests.screens.hospital import Hospital, build, user
from wards.bed_states import record_status

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital() -> Hospital:
    found = build()
    user("chair", Role.BED_MANAGER, site=found.site)
    user("speaker", Role.WARD_NURSE, site=found.site)
    before = found.now - timedelta(days=2)
    for number, bed in enumerate(found.beds(found.wards[0])[-2:]):
        record_status(bed=bed.pk, status="K", occurred_at=before, sent_at=before,
                      source="feed", key=f"dirty {number}")  # fmt: skip
    return found


def test_the_first_meeting_of_a_demo_asks_about_the_one_before(hospital: Hospital) -> None:
    demo_meetings.set_up([hospital.site.code], "somebody@example.org")
    now = timezone.now()
    for _ in range(2):  # once, however often a demo is started
        demo_meetings.hold_the_last(at=now, chair="chair", speaker="speaker")
    held = Huddle.objects.select_related("template__site__organisation").get()
    assert held.closed_at is not None
    assert held.closed_at < now
    assert held.frozen is not None
    assert held.frozen["totals"]["confirmed"] > 0
    agreed = Action.objects.filter(huddle=held)
    assert "clean the beds of Ward 1" in {one.text for one in agreed}
    start = next_start(held.template, [held], at=now)
    assert start is not None
    assert start > held.starts_at
    board = board_of(held.template, start, at=max(now, start), viewer=None, scope=None)
    assert {row.action for row in board.previous} == set(agreed)
    assert board.before is not None
    assert board.before.starts_at == held.starts_at


def test_meetings_somebody_has_set_up_stay_as_they_are(hospital: Hospital) -> None:
    demo_meetings.set_up([hospital.site.code], "somebody@example.org")
    HuddleTemplate.objects.update(name="Ours")
    demo_meetings.set_up([hospital.site.code], "somebody@example.org")
    assert HuddleTemplate.objects.get().name == "Ours"
