"""A shift is handed over: read, unfolded, noted, done, and printed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from flow.handover.stints import note
from flow.models import HandoverNote
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.desk import in_emergency, load_example
from tests.screens.hospital import Hospital
from wards.bed_states import close
from wards.facts import MovementKind

pytestmark = pytest.mark.browser

PAGE = "/sites/TGH/handover/"


def sound(page: Page) -> None:
    """axe finds nothing to complain of."""
    assert complaints(page) == []


def a_night(hospital: Hospital, by: User) -> None:
    """Some of everything."""
    load_example(hospital)
    for number in range(3):
        fact = in_emergency(hospital, family=f"Test{number}", hours=3 + 4 * number)
    hospital.tell(fact, MovementKind.DISCHARGED, ago=timedelta(minutes=5))
    now = timezone.now()
    bed = hospital.beds(hospital.wards[1])[5]
    until = now + timedelta(hours=2)
    close(reason="estates", since=now - timedelta(hours=1), until=until, bed=bed.pk, by=by)
    note(by.pk, at=now - timedelta(hours=11))


def test_who_comes_on_shift_reads_it_notes_and_does_by_keyboard_alone(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    a_night(hospital, manager)
    desk = opens(manager, "/sites/TGH/desk/")
    desk.get_by_role("link", name="Handover").click()
    expect(desk.get_by_role("heading", name="Handover")).to_be_visible()
    expect(desk.locator("#since")).to_contain_text("Since you were last here")
    sound(desk)
    # A list is unfolded, and its patient opened beside it.
    folded = desk.locator("#told-arrived > summary")
    folded.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#told-arrived").get_by_text("TEST0")).to_be_visible()
    desk.locator("#open-needs a").first.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#drawer h2")).to_contain_text("TEST")
    sound(desk)
    desk.keyboard.press("Escape")
    # A note that says too much stays as typed; the shorter one is left.
    desk.locator("#leave-note > summary").focus()
    desk.keyboard.press("Enter")
    desk.get_by_label("What should the next shift know?").fill("x" * 301)
    desk.get_by_role("button", name="Leave the note").press("Enter")
    expect(desk.locator("#note-error")).to_contain_text("shorten it to 300")
    assert len(desk.get_by_label("What should the next shift know?").input_value()) == 301
    sound(desk)
    desk.get_by_label("What should the next shift know?").fill("Lift 3 is out of order")
    desk.get_by_role("button", name="Leave the note").press("Enter")
    expect(desk.locator(".note-list").first).to_contain_text("Lift 3 is out of order")
    sound(desk)
    # Whoever reads it at the same time sees that it is done.
    other = opens(manager, PAGE)
    done = other.get_by_role("button", name="Lift 3 is out of order")
    done.focus()
    other.keyboard.press("Enter")
    expect(other.locator(".notes")).to_contain_text("No note is open")
    expect(desk.locator(".notes")).to_contain_text("No note is open")
    assert HandoverNote.objects.get().done.by == manager


@pytest.mark.parametrize("size", ["1920x1080", "1366x768", "390x844"])
def test_it_is_sound_light_and_dark_at_every_width(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    a_night(hospital, manager)
    for dark in (False, True):
        page = opens(manager, f"{PAGE}?since=24", size=size, dark=dark)
        expect(page.locator("#told-arrived")).to_be_visible()
        sound(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= int(size.split("x")[0])


def test_it_prints_on_white_paper_without_navigation(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    a_night(hospital, manager)
    page = opens(manager, f"{PAGE}?since=24", dark=True)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    printed = page.pdf(prefer_css_page_size=True)
    pages = re.findall(rb"/Type\s*/Page\b", printed)
    assert 1 <= len(pages) <= 3
    # Portrait A4, in points.
    assert re.search(rb"/MediaBox\s*\[\s*0 0 59[45](\.\d+)? 84[12]", printed)
    page.emulate_media(media="print")
    expect(page.locator("header.head")).to_be_hidden()
    expect(page.locator(".since-tools")).to_be_hidden()
    expect(page.get_by_text("Printed by")).to_be_visible()
    expect(page.locator(".until")).to_contain_text("Recorded from")
    paper = page.evaluate(
        "[getComputedStyle(document.querySelector('.notes')).backgroundColor,"
        " getComputedStyle(document.querySelector('.notes h2')).color]"
    )
    assert paper == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
