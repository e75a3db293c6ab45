"""Escalation in a browser: a level declared, a value said, a card agreed; clean and within the
page, light and dark, also on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from huddles.escalation.assessing import assess
from huddles.models import Action
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.browser.test_layout import overflow
from tests.huddles.rules import load_cards, load_example
from tests.screens.hospital import Hospital

pytestmark = pytest.mark.browser
SITE = "/sites/TGH/escalation/"
PAGES = (SITE, "/escalation/", "/escalation/rules/", "/escalation/notices/")


@pytest.fixture
def ruled(hospital: Hospital) -> None:
    load_example("TGH=1")
    load_cards()
    assess(at=timezone.now() - timedelta(hours=2))


def settled(page: Page) -> Page:
    page.wait_for_timeout(300)
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_level_is_declared_a_value_said_and_a_card_agreed(
    ruled: None, hospital: Hospital, opens: Opens, manager: User, observer: User, dark: bool
) -> None:
    User.objects.filter(pk=manager.pk).update(email="manager@trust.example")
    watching = opens(observer, SITE)
    page = opens(manager, "/", dark=dark)
    page.locator(".nav summary", has_text="Huddles").press("Enter")
    page.get_by_role("link", name="Escalation", exact=True).press("Enter")
    page.get_by_role("link", name="Test hospital TGH").first.press("Enter")
    page.wait_for_url(f"**{SITE}")
    expect(page.locator("#computed")).to_contain_text("Not certain")
    expect(page.locator(".banner.is-example")).to_contain_text("Example only: not official.")
    # Without a reason it is refused, and what was chosen stays.
    page.get_by_label("OPEL 3").check()
    page.get_by_role("button", name="Declare").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why.")
    expect(page.get_by_label("OPEL 3")).to_be_checked()
    assert complaints(settled(page)) == []
    page.get_by_label("Why").fill("No beds, and forty expected")
    page.get_by_role("button", name="Declare").press("Enter")
    expect(page.locator("#declared .level")).to_have_text("OPEL 3")
    expect(page.locator("#declared")).to_contain_text("No beds, and forty expected")
    expect(watching.locator("#declared .level")).to_have_text("OPEL 3")
    # A value by hand changes the score.
    row = page.locator("#parameter-ambulance_handover")
    expect(row).to_contain_text("nobody has told it")
    page.get_by_label("Average ambulance handover time").fill("47")
    page.get_by_label("Average ambulance handover time").press("Enter")
    expect(row).to_contain_text("47 min")
    expect(row).to_contain_text("4 of 5")
    expect(row).to_contain_text("by hand, Manager")
    expect(watching.locator("#parameter-ambulance_handover")).to_contain_text("4 of 5")
    # A card becomes an action with its owner and its time.
    page.get_by_role("button", name="Call a flow meeting").press("Enter")
    expect(page.locator(".cards-of").first).to_contain_text("Agreed by Manager for Manager, due")
    action = Action.objects.get()
    assert (action.owner, action.text) == (manager, "Call a flow meeting")
    expect(page.locator("#course .main-svg").first).to_be_visible()
    page.locator("#course-table summary").click()
    expect(page.locator("#course-table")).to_contain_text("not certain")
    found = {}
    for address in (*PAGES, "/escalation/rules/fill-in/"):
        page.goto(address)
        found[address] = complaints(settled(page))
    assert {address: said for address, said in found.items() if said} == {}
    page.goto("/escalation/notices/")
    page.get_by_label("From level").select_option("3")
    page.get_by_role("button", name="Tell me of it").click()
    expect(page.locator(".notice-rules")).to_contain_text("OPEL 3 or more declared")
    assert complaints(settled(page)) == []


@pytest.mark.parametrize("size", ["390x844", "1366x768", "1920x1080"])
def test_nothing_runs_out_of_the_page(ruled: None, opens: Opens, manager: User, size: str) -> None:
    page = opens(manager, SITE, size=size)
    found = {}
    for address in (*PAGES, "/escalation/rules/fill-in/"):
        page.goto(address)
        found[address] = overflow(settled(page))
    assert {address: said for address, said in found.items() if said} == {}
    if size.startswith("390"):
        page.goto(SITE)
        page.get_by_label("Median time to treatment").fill("95")
        page.get_by_role("button", name="Record").click()
        expect(page.locator("#parameter-time_to_treatment")).to_contain_text("95 min")
