"""The rules in a browser: read, compared and found by keys, clean for axe, within the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints, complaints_in_both
from tests.browser.test_layout import overflow
from tests.screens.hospital import Hospital
from tests.screens.test_rules import BASE, MINE, load
from wards.models import Ward

pytestmark = pytest.mark.browser
LIMITS = "limits:\n  - {ward: TGH-W1, most_patients: 20, youngest: 16, ring_fenced: yes}\n"


@pytest.fixture
def kept(hospital: Hospital) -> None:
    """Three versions, of which the last is called an example."""
    Ward.objects.filter(pk=hospital.wards[1].pk).update(specialty="elective_orthopaedics")
    load(hospital, ago=30)
    load(hospital, MINE.replace("costs: 60\n", "costs: 75\n", 1), ago=9)
    load(hospital, BASE + "\n" + LIMITS, ago=timedelta(hours=3) / timedelta(days=1))


def settled(page: Page) -> Page:
    expect(page.get_by_role("heading", name="Rules for giving beds")).to_be_visible()
    return page


@pytest.mark.parametrize("address", ["/rules/", "/rules/?version=2", "/rules/?site=TGH"])
def test_the_page_is_clean_for_axe(kept: None, opens: Opens, observer: User, address: str) -> None:
    assert complaints_in_both(settled(opens(observer, address))) == []


def test_without_rules_it_is_clean_too(hospital: Hospital, opens: Opens, observer: User) -> None:
    page = settled(opens(observer, "/rules/"))
    expect(page.get_by_role("heading", name="Nobody has given any rules")).to_be_visible()
    assert complaints(page) == []


def test_it_is_read_and_compared_by_keys(kept: None, opens: Opens, observer: User) -> None:
    page = opens(observer, "/")
    page.locator(".nav summary", has_text="Sites").press("Enter")
    page.get_by_role("link", name="Rules for giving beds").press("Enter")
    settled(page)
    jump = page.get_by_role("link", name="Which ward takes whom")
    jump.press("Enter")
    expect(page.locator("#table-title")).to_be_in_viewport()
    page.get_by_role("group", name="Which ward takes whom").focus()
    expect(page.locator(".scroll:focus")).to_have_count(1)
    page.locator("#against").select_option("1")
    page.get_by_role("button", name="Compare").press("Enter")
    expect(page.locator("#changes-title")).to_contain_text("in 3 since 1")
    assert "version=3&against=1" in page.url, "the view can be sent to somebody"
    page.get_by_role("link", name="Version 2", exact=True).press("Enter")
    expect(page.locator(".banner.is-past")).to_contain_text("The past: version 2 held until")
    page.get_by_role("link", name="The rules in force now").press("Enter")
    expect(page.locator(".banner.is-example")).to_be_visible()
    page.locator("#sites-menu summary").press("Enter")
    page.locator("#sites-menu").get_by_role("link", name="Test hospital").press("Enter")
    expect(page.locator(".crumbs")).to_contain_text("Test hospital TGH")
    page.keyboard.press("u")
    page.wait_for_url("**/sites/TGH/")


@pytest.mark.parametrize("size", ["390x844", "1366x768", "1920x1080"])
def test_nothing_runs_out_of_the_page(kept: None, opens: Opens, observer: User, size: str) -> None:
    page = settled(opens(observer, "/rules/", size=size))
    assert overflow(page) == {}
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_timeout(200)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room
