from __future__ import annotations

import re

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.hospital import Hospital
from wards.facts import MovementKind
from wards.models import Bed

pytestmark = pytest.mark.browser


def beds(hospital: Hospital) -> list[Bed]:
    return hospital.beds(hospital.wards[0])


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_a_nurse_signs_in_finds_the_ward_and_admits_without_a_mouse(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    # The server hashes as in real life; the tests' own hasher is a quick one.
    nurse.password = PBKDF2PasswordHasher().encode("a long enough word", "some salt")
    nurse.save(update_fields=["password"])
    page = opens(None, "/wards/TGH-W1/")
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    page.get_by_label("Username").focus()
    page.keyboard.type("nurse")
    page.keyboard.press("Tab")
    page.keyboard.type("a long enough word")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ward 1")).to_be_visible()
    expect(page.locator("#line")).to_have_attribute("data-line", "live")
    first, free = beds(hospital)[0], beds(hospital)[4]
    page.keyboard.press("ArrowDown")
    assert focused(page) == f"bed-{first.pk}"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert focused(page) == f"bed-{free.pk}"
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if "Admit somebody new" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("MRN424242")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    expect(page.locator(f"#bed-{free.pk}")).to_contain_text("KEYS")
    expect(page.locator("#drawer")).to_be_hidden()
    assert focused(page) == f"bed-{free.pk}"


def test_arrows_walk_the_beds_as_they_lie(hospital: Hospital, opens: Opens, nurse: User) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    places = [f"bed-{bed.pk}" for bed in beds(hospital)]
    page.locator(f"#{places[0]}").focus()
    walk = [("Right", 1), ("Right", 2), ("Down", 5), ("Left", 4), ("Left", 3), ("Up", 0)]
    for arrow, goal in walk:
        page.keyboard.press(f"Arrow{arrow}")
        assert focused(page) == places[goal], arrow


def test_escape_closes_the_drawer_and_gives_the_focus_back(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    bed = f"bed-{beds(hospital)[2].pk}"
    page.locator(f"#{bed}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert focused(page) == bed


def test_slash_searches_question_mark_helps_and_u_goes_up(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, "/wards/TGH-W1/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("u?/Ward 2")
    expect(page.locator("#search")).to_have_value("u?/Ward 2")
    page.locator("#search").fill("Ward 2")
    page.keyboard.press("Enter")
    page.locator("main").get_by_role("link", name="Ward 2").click()
    expect(page.get_by_role("heading", name="Ward 2")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Test hospital TGH")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Whole system")).to_be_visible()


def test_single_keys_can_be_switched_off_and_stay_off(opens: Opens, manager: User) -> None:
    page = opens(manager, "/sites/TGH/")
    page.keyboard.press("?")
    page.get_by_label("Single keys work").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("u")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    expect(page.get_by_role("heading", name="Test hospital TGH")).to_be_visible()


def test_the_first_stop_skips_to_the_content(opens: Opens, manager: User) -> None:
    page = opens(manager, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    assert focused(page) == "content"


def test_a_refused_deed_says_why_where_the_reader_is(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    page.locator(f"#bed-{beds(hospital)[4].pk}").click()
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    page.get_by_label("Given name").fill("Kept Words")
    page.get_by_label("NHS number").fill("123")
    page.get_by_role("button", name="Admit", exact=True).click()
    summary = page.locator("#drawer .nhsuk-error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("This is no NHS number")
    expect(page.get_by_label("Given name")).to_have_value("Kept Words")
    summary.get_by_role("link").click()
    expect(page.get_by_label("NHS number")).to_be_focused()


def test_without_a_script_every_deed_works_as_plain_pages(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/search/")
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/wards/TGH-W1/")
    old, new = beds(hospital)[0], beds(hospital)[5]
    page.locator(f"#bed-{old.pk}").click()
    expect(page).to_have_url(re.compile(f"/beds/{old.pk}/"))
    page.locator("summary", has_text="Move").click()
    page.get_by_label("Bed", exact=True).select_option(str(new.pk))
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Moved to Ward 1.")).to_be_visible()
    expect(page.locator(f"#bed-{new.pk}")).not_to_contain_text("Free")


def test_dark_is_chosen_once_and_kept(opens: Opens, manager: User) -> None:
    page = opens(manager, "/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate(ground) != light
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) == light


def test_somebody_known_is_confirmed_without_a_mouse(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    here, free = beds(hospital)[4:]
    known = hospital.admit(here, family="Pemberton")
    hospital.tell(known, MovementKind.DISCHARGED)
    page = opens(nurse, "/wards/TGH-W1/")
    page.locator(f"#bed-{free.pk}").press("Enter")
    page.locator("#drawer summary", has_text="Admit somebody new").press("Enter")
    page.get_by_label("Hospital number").fill(known.person.value)
    page.keyboard.press("Enter")
    summary = page.locator("#drawer .nhsuk-error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Nothing was recorded yet")
    expect(page.get_by_role("group", name=re.compile("belongs to PEMBERTON"))).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tick = page.get_by_label("Yes, this is the patient in front of me")
    expect(tick).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(f"#bed-{free.pk}")).to_contain_text("PEMBERTON")
