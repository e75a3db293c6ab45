"""How pages lie on phones, laptops and wall screens, and what can be reached there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from accounts.roles import Role
from interop.models import Feed, Message
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.hospital import Hospital, add_beds, build, user
from wards.facts import MovementKind, Place
from wards.models import Site, Ward

pytestmark = pytest.mark.browser
WARD = "/wards/TGH-W1/"
PHONE = "390x844"
ZOOMED = "683x384"
"""A laptop of 1366 by 768 at 200 % zoom."""


@pytest.fixture
def administrator(hospital: Hospital) -> User:
    return user("admin", Role.ADMINISTRATOR, everywhere=True)


def drawer_of(page: Page, hospital: Hospital, bed: int = 0) -> str:
    """Open the drawer of a bed; returns the tile's selector."""
    tile = f"#bed-{hospital.beds(hospital.wards[0])[bed].pk}"
    page.locator(tile).click()
    expect(page.locator("#drawer h2")).to_be_focused()
    return tile


def on_top(page: Page, selector: str) -> bool:
    """Whether a finger in the middle of the element meets it and nothing that lies over it."""
    return bool(
        page.locator(selector).evaluate(
            """(element) => {
              const { x, y, width, height } = element.getBoundingClientRect();
              const met = document.elementFromPoint(x + width / 2, y + height / 2);
              return met !== null && (element.contains(met) || met.contains(element));
            }"""
        )
    )


# --- the drawer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [PHONE, ZOOMED, "1366x768"])
def test_the_head_of_the_drawer_stays_in_reach(
    hospital: Hospital, opens: Opens, nurse: User, size: str
) -> None:
    page = opens(nurse, WARD, size=size)
    drawer_of(page, hospital)
    for summary in page.locator("#drawer .deed > summary").all():
        summary.click()
    page.locator("#drawer-in").evaluate("inside => inside.scrollTo(0, 1e6)")
    assert page.locator("#drawer-in").evaluate("inside => inside.scrollTop") > 100
    assert on_top(page, "#drawer h2")
    assert on_top(page, "#drawer .drawer-head [data-shut]")
    page.locator("#drawer [data-shut]").click()
    expect(page.locator("#drawer")).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, "1366x768"])
def test_back_closes_the_drawer_and_stays_on_the_board(
    hospital: Hospital, opens: Opens, nurse: User, size: str
) -> None:
    page = opens(nurse, "/search/", size=size)
    page.goto(WARD)
    drawer_of(page, hospital)
    page.go_back()
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page).to_have_url(re.compile(WARD))
    page.go_forward()
    expect(page.locator("#drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    # What was opened and closed leaves no steps behind.
    drawer_of(page, hospital, 1)
    page.locator("#drawer [data-shut]").click()
    expect(page.locator("#drawer")).to_be_hidden()
    for _ in range(50):  # the page's own step back takes a moment
        if page.evaluate("history.state") is None:
            break
        page.wait_for_timeout(20)
    page.go_back()
    expect(page).to_have_url(re.compile("/search/"))


def test_one_drawer_after_another_is_one_step_of_the_history(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/search/")
    page.goto(WARD)
    for bed in (0, 1, 2):
        drawer_of(page, hospital, bed)
        expect(page.locator("#drawer h2")).to_contain_text(f"Bed {bed + 1}")
    page.go_back()
    expect(page.locator("#drawer")).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(re.compile("/search/"))


def test_the_tile_chosen_last_is_the_one_that_opens(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    """Whichever answer comes last: here that of the tile chosen first."""
    page = opens(nurse, WARD)
    beds = hospital.beds(hospital.wards[0])
    held: list[Route] = []
    page.route(f"**/beds/{beds[0].pk}/**", lambda route: held.append(route))
    page.locator(f"#bed-{beds[0].pk}").click()
    page.locator(f"#bed-{beds[1].pk}").click()
    expect(page.locator("#drawer h2")).to_contain_text("Bed 2")
    held[0].continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#drawer h2")).to_contain_text("Bed 2")


def test_a_drawer_over_the_page_keeps_what_is_below_it_out_of_reach(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, WARD, size="1024x768")
    drawer_of(page, hospital)
    expect(page.locator("#drawer")).to_have_attribute("role", "dialog")
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body ||"
            " document.activeElement.closest('#drawer') !== null"
        )
    page.mouse.click(200, 500)
    expect(page.locator("#drawer")).to_be_hidden()
    assert page.locator(".head").evaluate("head => head.inert") is False


def test_something_typed_is_not_lost_without_asking(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, WARD, size="1024x768")
    drawer_of(page, hospital, 4)
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    field = page.get_by_label("Family name")
    field.fill("Half a na")
    asks = page.get_by_role("dialog", name="Nothing has been recorded yet")

    def escape() -> None:
        page.keyboard.press("Escape")

    def beside() -> None:
        page.mouse.click(200, 500)

    for leave in (escape, beside, page.go_back):
        leave()
        expect(asks).to_be_visible()
        asks.get_by_role("button", name="Go on typing").click()
        expect(field).to_have_value("Half a na")
        expect(asks).to_be_hidden()
    page.keyboard.press("Escape")
    asks.get_by_role("button", name="Throw it away").click()
    expect(page.locator("#drawer")).to_be_hidden()


def test_an_answer_given_at_once_is_not_lost(hospital: Hospital, opens: Opens, nurse: User) -> None:
    """Escape right behind "Go on typing", before the browser has told that the dialog closed."""
    page = opens(nurse, WARD, size="1024x768")
    drawer_of(page, hospital, 4)
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    page.get_by_label("Family name").fill("Half a na")
    asks = page.get_by_role("dialog", name="Nothing has been recorded yet")
    page.keyboard.press("Escape")
    page.evaluate(
        """() => {
          document.querySelector("#unsent button[value=stay]").click();
          const escape = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
          document.body.dispatchEvent(escape);
        }"""
    )
    expect(asks).to_be_visible()
    asks.get_by_role("button", name="Throw it away").click()
    expect(page.locator("#drawer")).to_be_hidden()


def test_a_wide_board_makes_room_for_the_drawer(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    add_beds(hospital.wards[0], 12, first=6)
    page = opens(nurse, WARD, size="1366x768")
    drawer_of(page, hospital)
    edge = page.locator("#drawer").evaluate("drawer => drawer.getBoundingClientRect().left")
    rights = page.locator(":is(.tile, .figure, .choose):not(#drawer *)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert len(rights) > 20
    assert max(rights) < edge


@pytest.mark.parametrize("size", [PHONE, "1366x768"])
def test_a_note_covers_no_button_and_can_be_closed(
    hospital: Hospital, opens: Opens, nurse: User, size: str
) -> None:
    page = opens(nurse, WARD, size=size)
    drawer_of(page, hospital)
    page.route("**/beds/**", lambda route: route.abort())
    page.locator("#drawer summary", has_text="Discharge").click()
    page.get_by_role("button", name="Discharge", exact=True).click()
    note = page.locator("#note")
    expect(note).to_contain_text("nothing was recorded")
    expect(page.locator("#news")).to_contain_text("nothing was recorded")
    button = page.get_by_role("button", name="Discharge", exact=True)
    button.scroll_into_view_if_needed()
    boxes = [one.bounding_box() for one in (note, page.locator("#drawer-in"))]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] >= boxes[1]["y"] + boxes[1]["height"] - 1
    note.get_by_role("button").click()
    expect(note).to_be_hidden()


# --- the page -----------------------------------------------------------------------------------

EVERYWHERE = [
    "/",
    "/sites/TGH/",
    WARD,
    "/search/",
    "/beds/{bed}/",
    "/feeds/",
    "/feeds/troubles/",
    "/feeds/places/",
    "/people/",
    "/accounts/password/",
]


def overflow(page: Page) -> dict[str, int]:
    """How far the page reaches beyond the screen's width and below its own content, in pixels."""
    found: dict[str, int] = page.evaluate(
        """() => {
          const root = document.documentElement;
          const end = Math.max(innerHeight, document.body.getBoundingClientRect().height);
          return {
            sideways: root.scrollWidth - innerWidth, blank: root.scrollHeight - Math.ceil(end),
          };
        }"""
    )
    return {name: pixels for name, pixels in found.items() if pixels > 0}


@pytest.fixture
def crowded(hospital: Hospital) -> Hospital:
    """Long queues, a feed with much to look at, and places that nobody has recognised."""
    for _ in range(30):
        waits = hospital.admit(hospital.emergency)
        hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
    strange = Ward.objects.create(
        site=hospital.site, code="ZZ9-EAST-WING", name="ZZ9", kind=Ward.Kind.UNRECOGNISED
    )
    hospital.admit(strange)
    feed = Feed.objects.create(
        code="A-RATHER-LONG-PAS", name="A trust of many words: patient administration"
    )
    for number in range(3):
        Message.objects.create(
            feed=feed,
            raw=b"MSH",
            digest=bytes([number]) * 32,
            control_id=f"A-LONG-CONTROL-NUMBER-{number}",
            event="ADT^A01",
            status=Message.Status.HELD,
            reason="The message names a ward that no place of this site has the code of",
        )
    return hospital


@pytest.mark.parametrize("size", [PHONE, ZOOMED, "1366x768", "1920x1080"])
def test_no_page_scrolls_sideways_or_into_nothing(
    crowded: Hospital, opens: Opens, administrator: User, size: str
) -> None:
    bed = crowded.beds(crowded.wards[0])[0].pk
    page = opens(administrator, "/search/", size=size)
    found = {}
    for pattern in EVERYWHERE:
        address = pattern.format(bed=bed)
        page.goto(address)
        page.wait_for_timeout(200)
        found[address] = overflow(page)
    assert {address: much for address, much in found.items() if much} == {}


@pytest.fixture
def busy(crowded: Hospital) -> Hospital:
    """A day with much of everything: long waits, moves between all kinds of places, patients
    about to leave, a clash, places counted apart, and a second site of many words."""
    site = crowded.site
    kinds = (
        Ward.Kind.ASSESSMENT,
        Ward.Kind.COMMUNITY,
        Ward.Kind.DAY_CASE,
        Ward.Kind.DISCHARGE_LOUNGE,
    )
    for number, kind in enumerate(kinds):
        ward = Ward.objects.create(
            site=site, code=f"TGH-X{number}", name=f"Ambulatory assessment unit {number}", kind=kind
        )
        add_beds(ward, 12)
        crowded.wards.append(ward)
    add_beds(crowded.emergency, 20)
    add_beds(crowded.wards[0], 120, first=6)
    target = crowded.wards[2]
    for bed in crowded.beds(crowded.wards[0])[6:]:
        patient = crowded.admit(bed, ago=timedelta(hours=30))
        crowded.tell(patient, MovementKind.PENDING_DISCHARGE, ago=timedelta(hours=29))
    for number in range(110):
        patient = crowded.admit(crowded.emergency)
        if number % 2:
            crowded.tell(patient, MovementKind.DISCHARGED)
        else:
            crowded.tell(patient, MovementKind.TRANSFERRED, place=Place(target.pk))
    for bed in crowded.beds(crowded.emergency)[:9]:
        crowded.admit(bed)
    other = build(code="WESTBECK")
    Site.objects.filter(pk=other.site.pk).update(
        name="Westbeck and Aldermere Community Hospital and Intermediate Care Centre"
    )
    return crowded


@pytest.mark.parametrize("width", [390, 320])
def test_no_board_scrolls_sideways_on_a_phone_even_with_its_menus_open(
    busy: Hospital, opens: Opens, administrator: User, width: int
) -> None:
    page = opens(administrator, "/search/", size=f"{width}x800")
    past = f"?at={(busy.now - timedelta(minutes=30)).isoformat().replace('+', '%2B')}"
    wide, cut = {}, {}
    boards = ("/", "/sites/TGH/", "/sites/WESTBECK/", WARD, "/wards/TGH-ED/", "/wards/TGH-X0/")
    for address in [board + at for board in boards for at in ("", past)]:
        page.goto(address)
        expect(page.locator("#board")).to_be_visible()
        for opened in (False, True):
            if opened:
                page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
            page.wait_for_timeout(150)
            wide[address, opened] = page.evaluate("document.documentElement.scrollWidth")
        cut[address] = page.locator(".menu > .list").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().left < 0).length"
        ) + page.locator(".is-sites td").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
    assert {at: much for at, much in wide.items() if much > width} == {}
    assert {at: much for at, much in cut.items() if much} == {}


def test_what_is_counted_apart_stands_on_lines_of_its_own(
    busy: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, "/", size="1366x768")
    row = page.get_by_role("row", name="Test hospital TGH")
    apart = row.get_by_role("cell").filter(has_text="Lounge")
    expect(apart).to_contain_text("Day units 0 of 12")
    lines = """(all) => all.map((one) => Math.round(
      one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight)))"""
    assert set(row.locator(".line-of").evaluate_all(lines)) == {1}
    expect(row).to_contain_text("without a place")


@pytest.mark.parametrize("address", ["/", "/sites/TGH/", WARD])
def test_text_alone_can_be_twice_as_large(
    crowded: Hospital, opens: Opens, administrator: User, address: str
) -> None:
    page = opens(administrator, address, size="1366x768")
    sizes = """() => [...document.querySelectorAll("#board *")]
      .filter((one) => !one.closest("svg, .chart") && one.textContent.trim())
      .map((one) => parseFloat(getComputedStyle(one).fontSize))"""
    usual = page.evaluate(sizes)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_timeout(300)
    larger = page.evaluate(sizes)
    assert len(usual) > 30
    # Names of sites head a card then, and are larger for it.
    assert min(round(one / two, 2) for one, two in zip(larger, usual, strict=True)) == 2
    assert overflow(page) == {}
    cut = """() => [...document.querySelectorAll(".tile, .wardcard, .figure, .head")]
      .filter((one) => one.scrollWidth > one.clientWidth + 1
                    || one.scrollHeight > one.clientHeight + 1)
      .map((one) => one.textContent.trim().slice(0, 60))"""
    assert page.evaluate(cut) == []


def test_a_drawer_of_large_text_can_be_closed(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, WARD, size="1366x768")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    drawer_of(page, hospital)
    assert on_top(page, "#drawer h2")
    assert on_top(page, "#drawer .drawer-head [data-shut]")


@pytest.mark.parametrize("size", [PHONE, "1366x768", "1920x1080"])
def test_no_name_of_a_patient_or_ward_is_cut(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    ward = hospital.wards[0]
    Ward.objects.filter(pk=ward.pk).update(name="Ward 6/7 Care of the Elderly and Stroke")
    hospital.admit(hospital.beds(ward)[5], family="De La Mere-Featherstonehaugh")
    hospital.admit(hospital.emergency, family="Wolfeschlegelsteinhausenbergerdorff")
    page = opens(manager, WARD, size=size)
    cut = """(all) => all.filter((one) => {
      const style = getComputedStyle(one);
      const box = one.closest(".tile, .wardcard").getBoundingClientRect();
      const range = document.createRange();
      range.selectNodeContents(one);
      const text = range.getBoundingClientRect();
      return style.textOverflow === "ellipsis"
        || text.right > box.right || text.bottom > box.bottom;
    }).map((one) => one.textContent)"""
    names = page.locator(".tile .second, .tile .third")
    assert names.count() >= 12
    assert names.evaluate_all(cut) == []
    page.goto("/sites/TGH/")
    assert page.locator(".wardname").evaluate_all(cut) == []


def test_who_waits_beyond_the_first_is_counted_and_shown_on_demand(
    crowded: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, WARD)
    waiting = page.locator("section[aria-labelledby=incoming-title]")
    shown = waiting.locator(".tile:visible")
    expect(shown).to_have_count(12)
    waiting.get_by_text("18 more").click()
    expect(shown).to_have_count(30)
    page.goto("/sites/TGH/")
    side = page.locator("section[aria-labelledby=waits-title]")
    expect(side.locator("li:visible")).to_have_count(8)
    side.get_by_text("22 more").click()
    expect(side.locator("li:visible")).to_have_count(30)


def test_a_phone_shows_sites_as_cards_and_the_flow_as_a_list(
    crowded: Hospital, opens: Opens, manager: User
) -> None:
    moved = crowded.admit(crowded.emergency)
    crowded.tell(moved, MovementKind.TRANSFERRED, place=Place(crowded.wards[1].pk))
    page = opens(manager, "/", size=PHONE)
    expect(page.locator(".flowmap")).to_be_hidden()
    expect(page.locator(".flowlist")).to_contain_text("1 moved")
    cells = page.locator(".is-sites tbody td")
    assert cells.count() >= 10
    for cell in cells.all():
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    expect(page.get_by_role("rowheader", name="Test hospital TGH")).to_be_visible()
    expect(page.get_by_role("cell").first).to_be_visible()
    # So does a laptop on which text alone is twice as large.
    page.set_viewport_size({"width": 1366, "height": 768})
    expect(page.locator(".flowmap")).to_be_visible()
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    expect(page.locator(".flowmap")).to_be_hidden()
    expect(page.locator(".flowlist")).to_be_visible()
    assert (
        page.locator(".is-sites").first.evaluate("one => getComputedStyle(one).display") == "block"
    )


# --- search -------------------------------------------------------------------------------------


def test_back_comes_back_to_what_was_found(hospital: Hospital, opens: Opens, nurse: User) -> None:
    page = opens(nurse, WARD)
    page.keyboard.press("/")
    page.keyboard.type("Featherstonehaugh")
    page.keyboard.press("Enter")
    link = page.locator("main").get_by_role("link", name="Ward 1, bed 2")
    assert "eather" not in page.url
    link.click()
    expect(page.get_by_role("heading", name="Ward 1")).to_be_visible()
    page.go_back()
    expect(link).to_be_visible()
    assert "eather" not in page.url


@pytest.mark.parametrize("size", ["1024x768", "1366x768", "1920x1080"])
def test_the_header_takes_one_line_from_a_tablet_on(
    hospital: Hospital, opens: Opens, administrator: User, size: str
) -> None:
    page = opens(administrator, "/", size=size)
    expect(page.locator("#line")).to_have_attribute("data-line", "live")
    tops = page.locator(".head > *").evaluate_all(
        "all => all.filter((one) => one.checkVisibility() && one.offsetHeight)"
        ".map((one) => one.getBoundingClientRect()).map((box) => box.top + box.height / 2)"
    )
    assert len(tops) > 5
    assert max(tops) - min(tops) < 6
    search = page.locator(".find").bounding_box()
    assert search is not None
    assert search["width"] >= 120


def test_on_a_phone_the_header_is_one_line_and_the_search(
    hospital: Hospital, opens: Opens, administrator: User
) -> None:
    page = opens(administrator, WARD, size=PHONE)
    assert page.locator("header.head").evaluate("head => head.offsetHeight") <= 100
    expect(page.get_by_role("navigation", name="Main", exact=True)).to_be_hidden()
    page.locator(".nav-menu summary").click()
    menu = page.get_by_role("navigation", name="Main menu")
    expect(menu.get_by_role("link", name="Places after hospital")).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator(".nav-menu summary").click()
    menu.get_by_role("link", name="Returns").click()
    expect(page).to_have_url(re.compile("/returns/"))
    page = opens(administrator, WARD, size="1366x768")
    expect(page.locator(".nav-menu")).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, "1366x768"])
@pytest.mark.parametrize("code", ["W" * 60, "جناح" * 12], ids=["long", "right-to-left"])
def test_a_ward_of_an_endless_name_widens_no_page(
    hospital: Hospital, opens: Opens, administrator: User, code: str, size: str
) -> None:
    ward = Ward.objects.create(site=hospital.site, code=code, name=code)
    add_beds(ward, 2)
    hospital.admit(hospital.beds(ward)[0])
    unknown = Ward.objects.create(
        site=hospital.site, code=f"{code}2", name=f"{code}2", kind=Ward.Kind.UNRECOGNISED
    )
    hospital.admit(unknown)
    page = opens(administrator, "/search/", size=size)
    found = {}
    for address in (f"/wards/{code}/", f"/wards/{code}2/", f"/rounds/{code}/", "/sites/TGH/",
                    "/", "/feeds/places/", "/discharges/?long=7"):  # fmt: skip
        page.goto(address)
        page.wait_for_timeout(200)
        found[address] = overflow(page)
    assert {where: much for where, much in found.items() if much} == {}
