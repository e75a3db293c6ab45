"""A meeting of the test hospital."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from huddles.meetings.board import board_of
from huddles.meetings.board_types import Board
from huddles.models import Huddle, HuddleTemplate
from tests.screens.hospital import Hospital
from wards.scope import scope_of

LONDON = ZoneInfo("Europe/London")


def next_start() -> datetime:
    """A start in some minutes, whatever the hour of the test."""
    return (timezone.now() + timedelta(minutes=20)).replace(second=0, microsecond=0)


def template_of(
    hospital: Hospital, *, starts: datetime | None = None, **more: Any
) -> HuddleTemplate:
    """A template whose next meeting begins soon."""
    local = (starts or next_start()).astimezone(LONDON)
    horizons = [(local + timedelta(hours=hours)).time() for hours in (1, 2)]
    values: dict[str, Any] = {
        "name": "Morning huddle",
        "times": [time(local.hour, local.minute)],
        "horizons": horizons,
    }
    return HuddleTemplate.objects.create(site=hospital.site, **(values | more))


def seen_by(
    template: HuddleTemplate, starts: datetime, viewer: User | None, at: datetime | None = None
) -> Board:
    """The board as somebody sees it now; the room's without anybody."""
    return board_of(
        HuddleTemplate.objects.select_related("site__organisation").get(pk=template.pk),
        starts,
        at=at or timezone.now(),
        viewer=viewer,
        scope=scope_of(viewer) if viewer else None,
    )


def meeting_of(template: HuddleTemplate, starts: datetime) -> Huddle:
    return Huddle.objects.get(template=template, starts_at=starts)
