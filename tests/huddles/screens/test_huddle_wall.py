"""The huddle on a wall: in step with its chair, with no word that could be a patient's name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from huddles.meetings.freezing import as_seen
from huddles.meetings.holding import Said, answer_safety, close_meeting, confirm, go_to
from huddles.meetings.holding import open_meeting as begin
from huddles.models import Screen
from huddles.screens.huddle import huddle_wall
from huddles.screens.wall_types import Wall
from huddles.templatetags.walls import spoken_words
from tests.huddles.meeting import next_start, seen_by, template_of
from tests.screens.hospital import FAMILY, Hospital, user

pytestmark = pytest.mark.django_db
ZONES = [zone.value for zone in Screen.Zone]


@pytest.fixture
def chair(hospital: Hospital) -> User:
    return user("chair", Role.BED_MANAGER, site=hospital.site)


def walls(hospital: Hospital) -> dict[str, Wall]:
    now = timezone.now()
    return {zone: huddle_wall(hospital.site, zone=zone, now=now) for zone in ZONES}


def said(wall: Wall) -> str:
    assert wall.spoken is not None
    return spoken_words(wall.spoken, wall.moment)


def numbers(wall: Wall) -> dict[str, str]:
    return {figure.label: figure.text for figure in wall.figures}


def test_it_follows_the_meeting_from_before_its_start_to_the_next(
    hospital: Hospital, chair: User
) -> None:
    assert {said(wall) for wall in walls(hospital).values()} == {"No huddle is set up"}
    starts, ward = next_start(), hospital.wards[0]
    template = template_of(hospital, starts=starts)
    now = timezone.now()
    assert said(walls(hospital)["public"]).endswith("0 of 3 wards have confirmed")
    confirm(
        template=template, starts_at=starts, ward=ward, at=now, by=chair,
        said=Said(beds_free=9, definite=(1, 7), possible=(0, 3), unplaced=2, outliers=0),
    )  # fmt: skip
    huddle = begin(template=template, starts_at=starts, first="previous", at=now, by=chair)
    assert said(walls(hospital)["staff"]) == "0 actions open from before"
    go_to(huddle=huddle, step=f"ward:{ward.pk}", at=now, by=chair)
    shown = walls(hospital)
    assert {wall.title for wall in shown.values()} == {"Ward 1"}
    assert numbers(shown["staff"])["Beds free now"] == "9"
    assert numbers(shown["staff"])["Waiting for a bed"] == "2"
    # So few waiting could be somebody that one knows.
    assert numbers(shown["public"])["Waiting for a bed"] == "<5"
    notes = {zone: [one.note for one in wall.figures if one.note] for zone, wall in shown.items()}
    assert (notes["public"], notes["staff"]) == (["and <5 possible"], ["and 3 possible"])
    close_meeting(
        huddle=huddle, frozen=as_seen(seen_by(template, starts, None)), at=timezone.now(), by=chair
    )
    tomorrow = f"{timezone.localtime(starts + timedelta(days=1)):%a %H:%M}"
    assert tomorrow in said(walls(hospital)["closed"])


def test_of_the_questions_of_safety_it_says_whether_they_were_answered_and_never_what(
    hospital: Hospital, chair: User
) -> None:
    starts = next_start()
    template = template_of(hospital, starts=starts, name=f"About {FAMILY}")
    now = timezone.now()
    line = Said(concern=f"{FAMILY} is cross", harm="fell", hazard="lift 3")
    confirm(
        template=template, starts_at=starts, ward=hospital.wards[0], said=line, at=now, by=chair
    )
    huddle = begin(template=template, starts_at=starts, first="safety", at=now, by=chair)
    asked = "1 of 3 wards said something. Harm and what could hurt: not answered yet"
    assert said(walls(hospital)["closed"]) == asked
    answer_safety(huddle=huddle, harm=f"{FAMILY} fell", hazard=None, at=now, by=chair)
    assert said(walls(hospital)["staff"]).endswith("Harm: answered. What could hurt: not yet")
    answer_safety(huddle=huddle, harm=None, hazard="", at=now, by=chair)
    shown = walls(hospital)
    assert said(shown["closed"]).endswith("Harm and what could hurt: both answered")
    assert said(shown["public"]) == "1 of 3 wards have confirmed"
    for wall in shown.values():
        for typed in (FAMILY, "fell", "lift", "cross"):
            assert typed not in str(wall), "not even in what the page is made of"
