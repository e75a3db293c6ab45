"""Signing in and looking after people in a real browser, with the rules of axe on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import issue
from tests.wards.some_places import some_ward
from wards.grants import set_grant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECRET = "correct horse battery"


@pytest.fixture
def people() -> dict[str, int]:
    """An administrator, a nurse and a token."""
    here = some_ward()
    admin = User.objects.create_user("admin", password=SECRET, first_name="Alex")
    nurse = User.objects.create_user("nurse", password=SECRET, first_name="Robin")
    set_grant(user=admin, role=Role.ADMINISTRATOR, everywhere=True, by=None)
    set_grant(user=nurse, role=Role.WARD_NURSE, ward=here.ward, by=None)
    issue(nurse, "Dashboard", ["occupancy:read"])
    return {"admin": admin.pk, "nurse": nurse.pk, "ward": here.ward.pk}


@pytest.fixture
def chromium(
    people: dict[str, int], live_server: LiveServer, browser: Browser
) -> Iterator[Browser]:
    """Chromium; its pages are closed before the database is emptied."""
    yield browser
    for context in browser.contexts:
        context.close()


def sound(page: Page) -> None:
    """No rule of axe is broken, and nothing sticks out of the screen sideways."""
    found = Axe().run(page).response["violations"]
    assert not [(v["id"], [n["html"] for n in v["nodes"]]) for v in found], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def sign_in(page: Page, name: str, secret: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(secret)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_an_administrator_adds_somebody_who_then_signs_in(
    chromium: Browser, people: dict[str, int], live_server: LiveServer, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()

    # Given an administrator who mistypes the password once
    page.goto(f"{live_server.url}/people/add/")
    sound(page)
    sign_in(page, "admin", "wrong")
    assert "is not right" in page.get_by_role("alert").inner_text()
    sound(page)
    sign_in(page, "admin", SECRET)
    expect(page).to_have_title("Add a person – Flowboard")

    # When they add a nurse, after leaving something out
    page.get_by_label("Username").fill("new.nurse")
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_title("Error: Add a person – Flowboard")
    sound(page)
    page.get_by_label("Role").select_option("ward_nurse")
    page.get_by_label("Where").select_option(f"ward:{people['ward']}")
    page.get_by_role("button", name="Add").click()
    link = page.locator("#link").inner_text()
    sound(page)

    # Then the nurse chooses a password by the link and signs in with it
    theirs = chromium.new_context(viewport={"width": width, "height": 800}).new_page()
    theirs.goto(link)
    sound(theirs)
    theirs.get_by_label("New password", exact=True).fill("quite a long one")
    theirs.get_by_label("New password confirmation").fill("quite a long one")
    theirs.get_by_role("button", name="Set password").click()
    assert "Your password is set." in theirs.get_by_role("status").inner_text()
    sign_in(theirs, "new.nurse", "quite a long one")
    expect(theirs).not_to_have_title("Sign in – Flowboard")
    theirs.goto(f"{live_server.url}/accounts/password/")
    expect(theirs.get_by_role("heading", name="Change password")).to_be_visible()
    sound(theirs)

    # And every other page of people is sound
    for path in ("/people/", f"/people/{people['nurse']}/", "/people/tokens/"):
        page.goto(live_server.url + path)
        sound(page)
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("alert").wait_for()
    sound(page)


def test_a_locked_out_person_is_told_and_let_in(
    chromium: Browser, people: dict[str, int], live_server: LiveServer
) -> None:
    # Given a nurse who typed a wrong password five times
    theirs = chromium.new_context().new_page()
    for _ in range(5):
        theirs.goto(f"{live_server.url}/accounts/sign-in/")
        sign_in(theirs, "nurse", "wrong")
        expect(theirs).not_to_have_title("Sign in – Flowboard")
    assert "You can try again in 15 minutes" in theirs.inner_text("main")
    sound(theirs)

    # When an administrator unlocks the account
    page = chromium.new_context().new_page()
    page.goto(f"{live_server.url}/people/{people['nurse']}/")
    sign_in(page, "admin", SECRET)
    page.get_by_role("button", name="Unlock now").click()
    assert "may try again now" in page.get_by_role("status").inner_text()

    # Then the nurse gets in at once
    theirs.goto(f"{live_server.url}/accounts/sign-in/?next=/accounts/password/")
    sign_in(theirs, "nurse", SECRET)
    expect(theirs.get_by_role("heading", name="Change password")).to_be_visible()
