from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from tests.browser.conftest import Opens, Server
from tests.screens.hospital import Hospital, add_beds, user
from tests.screens.test_checks import doubtful, nowhere
from wards.bed_states import close, record_status
from wards.facts import MovementKind, Place
from wards.models import Bed, Ward

pytestmark = pytest.mark.browser
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def administrator(hospital: Hospital) -> User:
    return user("admin", Role.ADMINISTRATOR, everywhere=True)


@pytest.fixture
def busy(hospital: Hospital) -> Hospital:
    """Everything a board can show: waits, clashes, closures, cleaning, leave, unknown places."""
    ward = hospital.wards[0]
    add_beds(ward, 8, first=6)
    beds = hospital.beds(ward)
    hospital.admit(beds[0], ago=timedelta(hours=1))  # a clash
    hospital.admit(ward)
    away = hospital.admit(beds[6])
    hospital.tell(away, MovementKind.LEFT)
    leaving = hospital.admit(beds[7])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE)
    for _ in range(20):
        waits = hospital.admit(hospital.emergency)
        hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=ward)
    moved = hospital.admit(hospital.emergency)
    hospital.tell(moved, MovementKind.TRANSFERRED, place=Place(hospital.wards[1].pk))
    close(bed=beds[8].pk, reason="infection", since=hospital.now - timedelta(hours=2), by=None)
    record_status(
        bed=beds[9].pk,
        status="K",
        occurred_at=hospital.now - timedelta(hours=1),
        sent_at=hospital.now,
        source="feed",
        key="dirty",
    )
    Bed.objects.filter(pk=beds[10].pk).update(funding="escalation")
    strange = Ward.objects.create(
        site=hospital.site, code="ZZ9", name="ZZ9", kind=Ward.Kind.UNRECOGNISED
    )
    hospital.admit(strange)
    nowhere(hospital)
    doubtful(hospital)
    return hospital


def complaints(page: Page) -> list[str]:
    """What axe finds wrong, in one line each."""
    return _found(page, {"runOnly": {"type": "tag", "values": WCAG}})


def complaints_in_both(page: Page) -> list[str]:
    """The same of a page that is shown light, and what is wrong with its contrast when it is shown
    dark: the themes differ in nothing but colours."""
    light = complaints(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)  # charts are drawn anew
    dark = _found(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    page.emulate_media(color_scheme="light")
    return [*light, *(f"dark: {one}" for one in dark)]


def _found(page: Page, options: dict[str, Any]) -> list[str]:
    """From the top of the page: of what has been scrolled away under the header, axe measures the
    few pixels that stick out above the window. Once what slides or fades in has come to rest:
    half faded, nothing has the contrast it will have.
    """
    page.evaluate("window.scrollTo(0, 0)")
    page.evaluate(
        """() => Promise.all(document.getAnimations()
            .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
            .map((one) => one.finished.catch(() => null)))"""
    )
    options |= {"resultTypes": ["violations"]}  # of what is sound nothing is collected
    if page.evaluate("window.axe === undefined"):
        found = Axe().run(page, options=options).response["violations"]
    else:
        found = page.evaluate("options => window.axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {one['help']} — {node['html'][:160]} {node['any'][:1]}"
        for one in found
        for node in one["nodes"]
    ]


PAGES = [
    "/",
    "/sites/TGH/",
    "/wards/TGH-W1/",
    "/wards/TGH-W1/?at={past}",
    "/wards/TGH-W1/?at={past}&known=then",
    "/to-check/",
    "/sites/TGH/to-check/",
    "/?at=nonsense",
    "/sites/TGH/staffing/",
    "/sites/TGH/staffing/?day=tomorrow",
    "/limits/{ward}/",
    "/closing/{ward}/",
    "/beds/{occupied}/",
    "/beds/{free}/",
    "/search/",
    "/nowhere/",
    "/people/",
    "/people/add/",
    "/feeds/",
    "/feeds/places/",
    "/feeds/troubles/",
    "/accounts/password/",
]


def test_every_page_is_clean_for_axe(busy: Hospital, opens: Opens, administrator: User) -> None:
    beds = busy.beds(busy.wards[0])
    found = {}
    page = opens(administrator, "/search/")
    for pattern in PAGES:
        past = f"{busy.now - timedelta(days=2):%Y-%m-%dT%H:%M}"
        address = pattern.format(
            occupied=beds[0].pk, free=beds[5].pk, past=past, ward=busy.wards[0].pk
        )
        page.goto(address)
        page.wait_for_timeout(300)
        found[address] = complaints_in_both(page)
    page = opens(user("looker", Role.OBSERVER, everywhere=True), "/search/")
    for address in PAGES[:3]:
        page.goto(address)
        found[f"{address} without names"] = complaints_in_both(page)
    page = opens(None, "/")
    found["sign in"] = complaints_in_both(page)
    assert {address: said for address, said in found.items() if said} == {}


def drawer_open(page: Page, busy: Hospital) -> None:
    page.goto("/wards/TGH-W1/")
    page.locator(f"#bed-{busy.beds(busy.wards[0])[0].pk}").click()
    summaries = page.locator("#drawer .deed > summary")
    expect(summaries.first).to_be_visible()
    for summary in summaries.all():
        summary.click()


def drawer_refused(page: Page, busy: Hospital) -> None:
    page.goto("/wards/TGH-W1/")
    page.locator(f"#bed-{busy.beds(busy.wards[0])[5].pk}").click()
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    page.get_by_label("NHS number").fill("123")
    page.get_by_role("button", name="Admit", exact=True).click()
    expect(page.locator("#drawer .nhsuk-error-summary")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # what has scrolled half under the head is no small target


def menus_open(page: Page, busy: Hospital) -> None:
    page.goto("/sites/TGH/")
    page.locator("#at-menu summary").click()
    page.locator(".nav details").evaluate_all("all => all.forEach(one => (one.open = true))")
    page.locator("#trend-table summary").evaluate("one => one.parentElement.open = true")


def keys_open(page: Page, busy: Hospital) -> None:
    page.goto("/")
    page.locator("#map-table summary").click()
    page.keyboard.press("?")


def found_people(page: Page, busy: Hospital) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("Feather")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Patients")).to_be_visible()


def test_what_opens_on_a_page_is_clean_for_axe(
    busy: Hospital, opens: Opens, administrator: User
) -> None:
    steps: list[Callable[[Page, Hospital], None]] = [
        drawer_open,
        drawer_refused,
        menus_open,
        keys_open,
        found_people,
    ]
    page = opens(administrator, "/search/")
    found = {}
    for step in steps:
        step(page, busy)
        page.wait_for_timeout(300)
        found[step.__name__] = complaints_in_both(page)
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_stale_page_can_still_be_read(
    busy: Hospital, opens: Opens, server: Server, administrator: User, dark: bool
) -> None:
    page = opens(administrator, "/wards/TGH-W1/", dark=dark)
    expect(page.locator("#line")).to_have_attribute("data-line", "live")
    server.kill()
    expect(page.locator("#lost")).to_be_visible(timeout=10_000)
    assert complaints(page) == []


@pytest.mark.parametrize(
    "address", ["/", "/sites/TGH/", "/wards/TGH-W1/", "/search/", "/beds/{bed}/", "/to-check/"]
)
def test_a_phone_never_scrolls_sideways(
    busy: Hospital, opens: Opens, administrator: User, address: str
) -> None:
    bed = busy.beds(busy.wards[0])[0].pk
    page = opens(administrator, address.format(bed=bed), size="390x844")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("size", ["1366x768", "1920x1080"])
def test_thirty_beds_fit_a_laptop_without_scrolling(
    hospital: Hospital, opens: Opens, administrator: User, size: str
) -> None:
    ward = hospital.wards[0]
    add_beds(ward, 24, first=6)
    for bed in hospital.beds(ward)[4:29]:
        hospital.admit(bed)
    hospital.admit(ward)
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=ward)
    page = opens(administrator, "/wards/TGH-W1/", size=size)
    expect(page.locator(".tile.is-occupied")).to_have_count(29)
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height <= int(size.split("x")[1])


def test_no_page_asks_another_host_for_anything(
    busy: Hospital, opens: Opens, server: Server, administrator: User
) -> None:
    asked: list[str] = []
    page = opens(administrator, "/search/")
    page.on("request", lambda request: asked.append(request.url))
    for address in PAGES[:3]:
        page.goto(address)
        page.wait_for_timeout(500)
    strangers = [url for url in asked if not url.startswith((server.address, "data:", "blob:"))]
    assert strangers == []
    assert any(re.search(r"plotly.*\.js$", url) for url in asked)
