"""Cohorts in a browser: followed while others work, narrowed, described and kept, by keys."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from flow.cohorts.counting import count_missing
from live import shared
from patients.models import Cohort
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints, complaints_in_both
from tests.browser.test_layout import overflow
from tests.screens.cohorts import Followed, followed_of
from tests.screens.hospital import Hospital, build, user
from wards.facts import MovementKind

pytestmark = pytest.mark.browser
OURS = "/cohorts/our-neighbourhoods/"
GROUND = "/cohorts/losing-ground-in-a-bed/"
NEW = "/cohorts/new/"


@pytest.fixture
def hospital(transactional_db: None) -> Hospital:
    shared.forget()
    return build()


@pytest.fixture
def followed(hospital: Hospital) -> Followed:
    return followed_of(hospital)


@pytest.fixture
def administrator(hospital: Hospital) -> User:
    return user("admin", Role.ADMINISTRATOR, everywhere=True)


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def names(page: Page) -> list[str]:
    page.wait_for_load_state()  # the address changes before the page is there
    return [name.split(",")[0].title() for name in page.locator(".of-name .name").all_inner_texts()]


def test_a_cohort_is_found_narrowed_by_keys_and_followed(
    followed: Followed, opens: Opens, manager: User
) -> None:
    page = opens(manager, "/")
    page.locator(".nav summary", has_text="Leaving").click()
    page.get_by_role("link", name="Cohorts").click()
    live(page)
    row = page.get_by_role("row", name=re.compile("At risk of losing ground"))
    expect(row.locator(".of-people")).to_have_text("5")
    row.get_by_role("link").press("Enter")
    expect(page.locator(".of-name .name")).to_have_count(5)
    live(page)
    # A step of the picture leads to those who are at it.
    stop = page.locator(".way a", has_text="Waiting")
    stop.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?step=waiting#list$"))
    expect(stop).to_have_attribute("aria-current", "true")
    assert sorted(names(page)) == ["Abernethy", "Blenkinsop", "Cholmondeley", "Golightly"]
    page.get_by_role("row", name=re.compile("^High")).get_by_role("link").press("Enter")
    expect(page).to_have_url(re.compile(r"\?step=waiting&band=High#list$"))
    assert names(page) == ["Abernethy", "Blenkinsop"]
    # Somebody leaves, and is gone from the list at once.
    gone = followed.leaving.facts["Abernethy"]
    followed.hospital.tell(gone, MovementKind.DISCHARGED, ago=timedelta(0))
    expect(page.locator(".of-name .name")).to_have_count(1)
    # A patient opens beside the list.
    page.locator("tbody .of-name a").press("Enter")
    expect(page.locator("#drawer h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"\?step=waiting&band=High(#list)?$"))


def test_a_neighbourhood_finds_its_people_before_during_and_after(
    followed: Followed, opens: Opens
) -> None:
    page = opens(followed.neighbour(), "/start/")
    page.get_by_role("link", name="Our people").press("Enter")
    expect(page).to_have_url(re.compile(f"{OURS}$"))
    live(page)
    assert sorted(names(page)) == ["Abernethy", "Golightly", "Igglesden"]
    expect(page.locator("tbody .of-name a")).to_have_count(0)
    page.locator(".way a", has_text="Left").press("Enter")
    expect(page.locator(".of-name .name")).to_have_count(1)
    assert names(page) == ["Igglesden"]
    assert complaints(page) == []


def test_a_cohort_is_described_tried_kept_and_withdrawn_by_keys(
    followed: Followed, opens: Opens, manager: User
) -> None:
    page = opens(manager, "/cohorts/")
    page.get_by_role("link", name="Describe a cohort").press("Enter")
    page.get_by_label("Aged at least").focus()
    page.keyboard.type("old")
    page.keyboard.press("Enter")  # tries, and keeps nothing
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Aged at least")
    page.locator(".nhsuk-error-summary a").press("Enter")
    expect(page.get_by_label("Aged at least")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("75")
    page.locator("#who-pathway summary").press("Enter")
    page.get_by_label("Pathway 2", exact=True).press("Space")
    page.get_by_label("Pathway 3", exact=True).press("Space")
    page.get_by_label("Title").fill("Waiting for a bed or a home")
    page.get_by_role("button", name="Try").press("Enter")
    expect(page).to_have_url(re.compile(r"age_from=75.*pathway=2&pathway=3"))
    assert "csrf" not in page.url
    expect(page.locator(".finds-figures dd").first).to_have_text("2")
    expect(page.get_by_label("Title")).to_have_value("Waiting for a bed or a home")
    page.get_by_label("Whose cohort it is").select_option("RXX")
    page.get_by_role("button", name="Keep").press("Enter")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Where this description")
    expect(page.get_by_label("Pathway 3", exact=True)).to_be_checked()
    page.get_by_label("Where this description").fill("Local, agreed by the discharge board")
    page.get_by_role("button", name="Keep").press("Enter")
    expect(page).to_have_url(re.compile(r"/cohorts/waiting-for-a-bed-or-a-home/$"))
    expect(page.locator(".cohort-about")).to_contain_text("aged 75 or over, on pathway 2 or 3")
    assert sorted(names(page)) == ["Abernethy", "Blenkinsop"]
    page.get_by_role("link", name="Change", exact=True).press("Enter")
    expect(page.get_by_label("Aged at least")).to_have_value("75")
    page.locator(".withdrawing summary").press("Enter")
    page.get_by_role("button", name="Withdraw").press("Enter")
    expect(page.locator(".messages")).to_contain_text("is withdrawn")
    assert Cohort.objects.get(slug="waiting-for-a-bed-or-a-home").is_withdrawn


def test_the_pages_of_cohorts_are_clean_for_axe(
    followed: Followed, opens: Opens, manager: User, observer: User
) -> None:
    count_missing(now=timezone.now())
    shared.forget()
    at = f"{timezone.localtime() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    found = {}
    page = opens(manager, "/search/")
    for address in (
        "/cohorts/", f"/cohorts/?at={at}", OURS, GROUND, f"{GROUND}?band=High&step=waiting",
        f"{GROUND}?band=Red&colour=1", f"{OURS}?at={at}&known=then", "/cohorts/often-in-hospital/",
        NEW, f"{NEW}?age_from=75&ready=yes&residence=care_home", f"{NEW}?age_from=old&site=T9",
        f"{NEW}?from=losing-ground-in-a-bed",
    ):  # fmt: skip
        page.goto(address)
        page.locator("#board details, .ask, .withdrawing").evaluate_all(
            "all => all.forEach((one) => (one.open = true))"
        )
        page.wait_for_timeout(300)
        found[address] = complaints_in_both(page)
    page = opens(observer, GROUND)
    found["figures alone"] = complaints_in_both(page)
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("size", ["390x844", "683x384"])
def test_a_cohort_on_a_phone_is_clean_for_axe(
    followed: Followed, opens: Opens, manager: User, size: str
) -> None:
    """With people in the list: each is a card there, and the heads of the columns go unseen."""
    count_missing(now=timezone.now())
    shared.forget()
    found = {}
    page = opens(manager, "/search/", size=size)
    for address in ("/cohorts/", OURS, GROUND, f"{GROUND}?band=High&step=waiting"):
        page.goto(address)
        page.wait_for_timeout(300)
        found[address] = complaints_in_both(page)
        if address != "/cohorts/":
            assert names(page)
            heads = page.locator(".cohort-people").get_by_role("columnheader")
            assert heads.first.inner_text() == "Who"
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("size", ["360x740", "390x844", "683x384", "1366x768", "1920x1080"])
def test_the_pages_of_cohorts_do_not_scroll_sideways(
    followed: Followed, opens: Opens, administrator: User, size: str
) -> None:
    """Nor with text twice as large."""
    count_missing(now=timezone.now())
    shared.forget()
    hospital = followed.hospital
    followed.leaving.here("Wolfeschlegelsteinhausenbergerdorff", hospital.wards[1], 3, 30)
    followed.leaving.find_stays()
    followed.leaving.ready("Wolfeschlegelsteinhausenbergerdorff", 4, 3, "p3-capacity")
    page = opens(administrator, "/search/", size=size)
    found = {}
    for address in ("/cohorts/", OURS, f"{GROUND}?band=High", NEW, f"{NEW}?age_from=75&pathway=2"):
        for larger in ("100%", "200%"):
            if larger == "200%" and size != "1366x768":
                continue
            page.goto(address)
            page.evaluate(f"document.documentElement.style.fontSize = '{larger}'")
            page.wait_for_timeout(250)
            found[address, larger] = overflow(page)
    assert {where: much for where, much in found.items() if much} == {}
