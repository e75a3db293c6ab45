"""The discharge hub in a browser: narrowed, sent, followed while others work, and printed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from live import shared
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints, complaints_in_both
from tests.browser.test_layout import overflow
from tests.screens.hospital import Hospital, build, user
from tests.screens.hub import Leaving, leaving_of
from wards.barriers import Said, resolve
from wards.facts import MovementKind

pytestmark = pytest.mark.browser
HUB = "/discharges/"


@pytest.fixture
def hospital(transactional_db: None) -> Hospital:
    shared.forget()
    return build()


@pytest.fixture
def leaving(hospital: Hospital) -> Leaving:
    return leaving_of(hospital)


@pytest.fixture
def administrator(hospital: Hospital) -> User:
    return user("admin", Role.ADMINISTRATOR, everywhere=True)


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def names(page: Page) -> list[str]:
    page.wait_for_load_state()  # the address changes before the page is there
    return [name.split(",")[0].title() for name in page.locator(".of-name .name").all_inner_texts()]


def test_a_view_is_narrowed_by_numbers_and_keys_and_followed_by_two(
    leaving: Leaving, opens: Opens, manager: User, observer: User
) -> None:
    page = opens(manager, "/")
    page.locator(".nav summary", has_text="Leaving").click()
    page.get_by_role("link", name="Discharge hub").click()
    expect(page).to_have_url(re.compile(f"{HUB}$"))
    live(page)
    assert names(page) == ["Abernethy", "Blenkinsop", "Cholmondeley", "Golightly", "Drinkwater"]
    # A number of the picture's table leads to those whom it counts.
    page.get_by_role("row", name=re.compile("^P2")).get_by_role("link").last.click()
    expect(page).to_have_url(re.compile(r"\?pathway=2#list$"))
    assert names(page) == ["Blenkinsop"]
    page.get_by_role("link", name=re.compile("Pathway: Pathway 2")).click()
    # The form, by keys.
    page.get_by_text("Filter, group").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Ward", exact=True).select_option("TGH-W1")
    page.get_by_label("Grouped by").select_option("organisation")
    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?ward=TGH-W1&group=organisation$"))
    expect(page.locator("tr.section")).to_have_count(3)
    # Whoever is sent the address sees what they may see.
    other = opens(observer, page.url[page.url.index(HUB) :])
    live(other)
    expect(other.get_by_text("You may see figures, not patients")).to_be_visible()
    figure = other.locator(".figure", has_text="Ready to leave").locator("strong")
    expect(figure).to_have_text("4")
    # Somebody leaves: both see it at once.
    gone = leaving.facts["Abernethy"]
    leaving.care.hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(0))
    expect(figure).to_have_text("3")
    expect(page.locator(".of-name .name")).to_have_count(3)


def test_a_patient_opens_beside_the_list_and_closes_again(
    leaving: Leaving, opens: Opens, manager: User
) -> None:
    page = opens(manager, f"{HUB}?pathway=1")
    live(page)
    page.locator("tbody .of-name a").press("Enter")
    expect(page.locator("#drawer h2")).to_be_focused()
    expect(page.locator("#drawer")).to_contain_text("therapy")
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("tbody .of-name a")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?pathway=1$"))
    resolve(barrier=leaving.barriers["Cholmondeley"], said=Said(timezone.now(), leaving.by))
    expect(page.locator("tbody .of-reason")).not_to_contain_text("therapy")


def test_a_form_in_use_is_left_alone_while_the_board_changes(
    leaving: Leaving, opens: Opens, manager: User
) -> None:
    page = opens(manager, HUB)
    live(page)
    page.get_by_text("Filter, group").click()
    chooses = page.get_by_label("Pathway", exact=True)
    chooses.focus()
    chooses.select_option("2")
    gone = leaving.facts["Golightly"]
    leaving.care.hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(0))
    expect(page.locator(".of-name .name")).to_have_count(4)
    expect(chooses).to_have_value("2")


def test_the_address_is_copied(leaving: Leaving, opens: Opens, manager: User) -> None:
    page = opens(manager, f"{HUB}?pathway=2&group=ward")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#note")).to_contain_text("is copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_weekly_review_is_printed_as_a_table_with_room_for_decisions(
    leaving: Leaving, opens: Opens, manager: User
) -> None:
    page = opens(manager, f"{HUB}?long=7", size="1047x740", dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("columnheader", name="Decided")).to_be_visible()
    expect(page.get_by_text("Entwistle".upper())).to_be_visible()
    expect(page.get_by_text("keep it safe")).to_be_visible()
    for hidden in (".hub-tools", ".hub-views", ".hub-choose", ".head", "#at-menu"):
        expect(page.locator(hidden).first).to_be_hidden()
    ink, paper = page.locator(".hub-stays").evaluate(
        "table => [getComputedStyle(table).color, getComputedStyle(table).backgroundColor]"
    )
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1047


def test_the_hub_is_clean_for_axe(
    leaving: Leaving, opens: Opens, manager: User, observer: User
) -> None:
    at = f"{timezone.localtime() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    found = {}
    page = opens(manager, "/search/")
    for query in (
        "", "?long=7", "?long=21&group=site", "?pathway=2&organisation=none&group=ward",
        "?ward=W99&colour=red", "?pathway=2&ward=TGH-W2", f"?at={at}", f"?at={at}&known=then",
    ):  # fmt: skip
        page.goto(f"{HUB}{query}")
        for one in page.locator(".hub-choose:not([open]) > summary, #reasons > summary").all():
            one.click()
        page.wait_for_timeout(300)
        found[query] = complaints_in_both(page)
    page = opens(observer, HUB)
    found["figures alone"] = complaints_in_both(page)
    assert {query: said for query, said in found.items() if said} == {}


@pytest.mark.parametrize("size", ["360x740", "390x844", "683x384", "1024x768", "1366x768"])
def test_the_hub_does_not_scroll_sideways(
    leaving: Leaving, opens: Opens, administrator: User, size: str
) -> None:
    """Nor with text twice as large."""
    hospital = leaving.care.hospital
    leaving.here("Wolfeschlegelsteinhausenbergerdorff", hospital.wards[1], 3, 30)
    leaving.find_stays()
    leaving.ready("Wolfeschlegelsteinhausenbergerdorff", 4, 3, "p3-capacity")
    page = opens(administrator, "/search/", size=size)
    found = {}
    for query in ("", "?long=7", "?pathway=2&organisation=none&group=ward"):
        for larger in ("100%", "200%"):
            if larger == "200%" and size != "1366x768":
                continue
            page.goto(f"{HUB}{query}")
            page.evaluate(f"document.documentElement.style.fontSize = '{larger}'")
            page.wait_for_timeout(250)
            found[query, larger] = overflow(page)
    assert {where: much for where, much in found.items() if much} == {}
