"""A whole meeting by two people and the screen in the room; actions by keys and on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from huddles.actions.agreeing import About, agree
from huddles.actions.understanding import Owner
from huddles.meetings.addresses import address_of
from huddles.models import Action, Huddle
from tests.browser.conftest import Opens
from tests.browser.test_running import sound
from tests.huddles.meeting import next_start, template_of
from tests.screens.hospital import FAMILY, Hospital, user
from tests.screens.rounds import care_of
from wards.barriers import Said, resolve

pytestmark = pytest.mark.browser

_SMALL = """() => [...document.querySelectorAll(
  ".agree button, .agree input:not([type=hidden]), .action summary, .action button")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML.slice(0, 90))"""
"""What of the page of actions is too low for a finger."""


def title(page: Page, text: str) -> None:
    expect(page.locator("#step-title")).to_contain_text(text)


def test_a_whole_meeting_is_held(hospital: Hospital, opens: Opens, nurse: User) -> None:
    starts = next_start()
    template = template_of(hospital, starts=starts)
    chair = user("chair", Role.BED_MANAGER, site=hospital.site)
    here = address_of("meeting", template.pk, starts)
    # Before: a ward confirms its line on a phone, filled in with what is known.
    phone = opens(nurse, "/sites/TGH/huddles/", size="390x844")
    sound(phone)
    phone.locator(".my-line").click()
    expect(phone.locator("[name=beds_free]")).to_have_value("2")
    sound(phone)
    phone.locator("[name=beds_free]").fill("1")
    phone.locator("[name=hazard]").fill(f"Mr {FAMILY} may fall")
    phone.get_by_role("button", name="Confirm").click()
    expect(phone.locator(".my-line.is-said")).to_have_count(1)
    # During: the chair leads by keys, the room is in step, and nobody is named there.
    page = opens(chair, here)
    sound(page)
    page.get_by_role("button", name="Open the meeting").click()
    title(page, "What we agreed, and what came of it")
    room = opens(chair, address_of("room", template.pk, starts), size="1920x1080", dark=True)
    title(room, "What we agreed, and what came of it")
    steps = ["The whole site", "Emergency Department", "Ward 1"]
    for step in steps:
        page.keyboard.press("ArrowRight")
        title(page, step)
        title(room, step)
    sound(page)
    sound(room)
    expect(page.locator(".step")).to_contain_text(f"Mr {FAMILY} may fall")
    expect(room.locator(".step")).to_contain_text("Mr … may fall")
    expect(room.locator(".figures-of dd").first).to_have_text("1")
    page.keyboard.press("a")
    page.keyboard.type("see bed 1")
    page.keyboard.press("Enter")
    expect(page.locator("#capture-said")).to_contain_text("Say by when")
    expect(page.locator("#capture-line")).to_have_value("see bed 1")
    page.keyboard.type(" in 30 min, Nurse")
    page.keyboard.press("Enter")
    expect(page.locator("#capture-said")).to_contain_text("Agreed: Nurse")
    expect(page.locator("#capture-line")).to_have_value("")
    expect(room.locator(".room-agreed")).to_contain_text("see bed 1")
    page.keyboard.press("Escape")
    for step in ("Ward 2", "Safety"):
        page.keyboard.press("PageDown")
        title(page, step)
        title(room, step)
    page.locator("#site-hazard").fill("one lift is out of order")
    page.get_by_role("button", name="Record").click()
    expect(room.locator(".safety").first).to_contain_text("one lift is out of order")
    page.locator("#walk-next").click()
    title(room, "What we agreed today")
    sound(page)
    # After: what was seen is kept, and stays.
    page.get_by_role("button", name="End the meeting").click()
    page.wait_for_url(re.compile("/summary/"))
    expect(room.locator(".step")).to_contain_text("has ended")
    expect(page.locator("main")).to_contain_text("1 of 3 wards confirmed")
    expect(page.locator("main")).to_contain_text("Mr … may fall")
    sound(page)
    huddle = Huddle.objects.get()
    assert huddle.frozen is not None
    assert [one["text"] for one in huddle.frozen["agreed"]] == ["see bed 1"]
    assert page.pdf().count(b"/Type /Page\n") <= 1
    # The owner finds it on the phone, and has done it.
    phone.goto("/actions/")
    expect(phone.locator(".action")).to_contain_text("see bed 1")
    assert phone.evaluate(_SMALL) == []
    sound(phone)
    phone.locator(".action form.done button").click()
    expect(phone.locator(".calm")).to_contain_text("Nothing is asked of you")
    assert Action.objects.get().outcome == "done"


def test_actions_are_led_by_keys_and_end_by_what_is_done_elsewhere(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    care = care_of(hospital)
    stay = care.stays()[0]
    barrier = care.waits(stay, "transport")
    now = timezone.now()
    agree(
        site=hospital.site, text="book the transport", owner=Owner(user=manager), at=now,
        due_at=now + timedelta(hours=1), by=manager,
        about=About(hospital.wards[0], stay, barrier, ending=Action.Ending.BARRIER),
    )  # fmt: skip
    page = opens(manager, "/actions/", dark=True)
    page.keyboard.press("a")
    page.keyboard.type("clean ward 2 bed 3 in 20 min, Manager")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Agreed: Manager")
    expect(page.locator(".action")).to_have_count(2)
    sound(page)
    # What somebody types stays while the list is drawn anew by the deed elsewhere.
    page.locator(".action", has_text="clean ward 2").locator("summary").click()
    note = page.locator(".action", has_text="clean ward 2").locator("[name=note]")
    note.press_sequentially("half done")
    resolve(barrier=barrier, said=Said(timezone.now(), manager))
    expect(page.locator(".action")).to_have_count(1)
    expect(note).to_have_value("half done")
    page.locator(".action").get_by_role("button", name="Not needed any more").click()
    expect(page.locator(".calm")).to_contain_text("Nothing is asked of you")
    page.goto("/actions/?state=over")
    expect(page.locator(".action", has_text="book the transport")).to_contain_text(
        "The barrier is over"
    )
    expect(page.locator(".action", has_text="clean ward 2")).to_contain_text("half done")
    sound(page)


def test_a_meeting_is_set_up(hospital: Hospital, opens: Opens, manager: User) -> None:
    page = opens(manager, "/sites/TGH/huddles/")
    sound(page)
    page.get_by_role("link", name="set one up").click()
    sound(page)
    page.locator("[name=name]").fill("Site huddle")
    page.locator("[name=times]").fill("25:00")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Give times such as")
    sound(page)
    page.locator("[name=times]").fill("08:15")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".due-meeting")).to_contain_text("Site huddle")
