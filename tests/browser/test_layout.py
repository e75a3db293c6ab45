"""How pages lie on phones, laptops and wall screens, and what can be reached there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Opens
from tests.screens.hospital import Hospital, add_beds

pytestmark = pytest.mark.browser
WARD = "/wards/TGH-W1/"
PHONE = "390x844"
ZOOMED = "683x384"
"""A laptop of 1366 by 768 at 200 % zoom."""


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
    page.wait_for_function("history.state === null")
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


def test_a_wide_board_makes_room_for_the_drawer(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    add_beds(hospital.wards[0], 12, first=6)
    page = opens(nurse, WARD, size="1366x768")
    drawer_of(page, hospital)
    edge = page.locator("#drawer").evaluate("drawer => drawer.getBoundingClientRect().left")
    rights = page.locator(".tile, .figure, .choose").evaluate_all(
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
