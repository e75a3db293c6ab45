"""What was typed outlives a session that has ended, for its writer alone; and the focus stays on
the board when what it was on has gone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from playwright.sync_api import Error, Page, expect

from accounts.models import User
from accounts.roles import Role
from patients.models import Patient
from tests.browser.conftest import Opens, until_quiet
from tests.screens.hospital import Hospital, user
from wards.models import Bed, Occupancy

pytestmark = pytest.mark.browser

BOARD = "/wards/TGH-W1/"
SECRET = "a long enough word"


def can_sign_in(person: User) -> User:
    """The server hashes as in real life; the tests' own hasher is a quick one."""
    person.password = PBKDF2PasswordHasher().encode(SECRET, "some salt")
    person.save(update_fields=["password"])
    return person


def sign_in(page: Page, person: User) -> None:
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.goto("/search/")
    page.locator("summary", has_text="Account of").click()
    page.get_by_role("button", name="Sign out").click()


def kept(page: Page) -> str | None:
    found = page.evaluate("sessionStorage.getItem('flowboard-typed')")
    return None if found is None else str(found)


def gone(page: Page) -> None:
    """Nothing is kept any more, once the page's script has run.

    Asked for again and again from here: `wait_for_function` does so in the page, by an `eval`
    that the page's own rules forbid.
    """
    deadline = time.monotonic() + 5
    while True:
        try:
            if kept(page) is None:
                return
        except Error:
            pass  # the page is just being left for the next one
        assert time.monotonic() < deadline, "it is still kept"
        page.wait_for_timeout(50)


@contextmanager
def nobody_is_signed_in(page: Page) -> Iterator[None]:
    """The session has ended, and the board has not asked for news since."""
    news = re.compile(r"/wards/.*fragment")
    page.route(news, lambda route: route.abort())
    until_quiet()  # It may have asked before, and not heard yet.
    Session.objects.all().delete()
    yield
    page.unroute(news)


def begin(page: Page, bed: Bed) -> None:
    """Open the free bed and type somebody new."""
    page.locator(f"#bed-{bed.pk}").click()
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    page.get_by_label("Family name").fill("Ramsbottom")
    page.get_by_label("Date of birth").fill("1939-05-01")


def admit(page: Page) -> None:
    page.get_by_role("button", name="Admit", exact=True).click()


@pytest.fixture
def bed(hospital: Hospital) -> Bed:
    return hospital.beds(hospital.wards[0])[4]


def test_what_was_typed_is_back_after_signing_in_again(opens: Opens, nurse: User, bed: Bed) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    begin(page, bed)
    with nobody_is_signed_in(page):
        admit(page)
        sign_in(page, nurse)
    expect(page.get_by_label("Family name")).to_have_value("Ramsbottom")
    expect(page.get_by_label("Date of birth")).to_have_value("1939-05-01")
    expect(page.locator("#note")).to_contain_text("Nothing has been recorded")
    assert not Patient.objects.filter(family_name="Ramsbottom").exists()
    admit(page)
    expect(page.locator(f"#bed-{bed.pk}")).to_contain_text("RAMSBOTTOM")
    gone(page)
    assert not [address for address in addresses if "Ramsbottom" in address or "1939" in address]


def test_a_board_that_finds_itself_signed_out_keeps_it_too(
    opens: Opens, nurse: User, bed: Bed
) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    begin(page, bed)
    Session.objects.all().delete()
    page.evaluate("window.flowboard.refresh()")
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()
    page.get_by_role("link", name="Sign in again").click()
    sign_in(page, nurse)
    expect(page.get_by_label("Family name")).to_have_value("Ramsbottom")


def in_another_tab(page: Page, person: User) -> None:
    """Signed out there by choice, which the board notices, and then `person` signs in there."""
    tab = page.context.new_page()
    sign_out(tab)
    page.evaluate("window.flowboard.refresh()")
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()
    sign_in(tab, person)
    expect(tab).not_to_have_url(re.compile("/accounts/sign-in/"))
    tab.close()
    page.evaluate("window.flowboard.refresh()")


def test_who_signed_out_and_in_again_in_another_tab_finds_it_in_the_drawer(
    opens: Opens, nurse: User, bed: Bed
) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    begin(page, bed)
    in_another_tab(page, nurse)
    expect(page.get_by_label("Family name")).to_have_value("Ramsbottom")
    expect(page.get_by_label("Date of birth")).to_have_value("1939-05-01")
    expect(page.locator("#note")).to_contain_text("Nothing has been recorded")
    expect(page.locator("#signed-out")).to_be_hidden()
    admit(page)
    expect(page.locator(f"#bed-{bed.pk}")).to_contain_text("RAMSBOTTOM")
    gone(page)


def test_who_signs_in_in_another_tab_gets_nothing_that_another_typed(
    hospital: Hospital, opens: Opens, nurse: User, bed: Bed
) -> None:
    other = can_sign_in(user("other", Role.WARD_NURSE, ward=hospital.wards[0]))
    page = opens(nurse, BOARD)
    begin(page, bed)
    in_another_tab(page, other)
    expect(page.locator("summary", has_text="Account of")).to_contain_text("Other")
    gone(page)
    page.locator(f"#bed-{bed.pk}").click()
    expect(page.get_by_label("Family name")).to_have_value("")


def test_who_signs_out_by_choice_leaves_nothing_behind(opens: Opens, nurse: User, bed: Bed) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    begin(page, bed)
    with nobody_is_signed_in(page):
        admit(page)
        expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    page.get_by_label("Username").fill(nurse.username)
    page.goto("/accounts/sign-in/?next=/search/")
    assert "Ramsbottom" in (kept(page) or "")
    sign_in(page, nurse)
    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    assert "Ramsbottom" in (kept(page) or "")
    sign_out(page)
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    gone(page)


def test_an_ordinary_form_comes_back_as_well(opens: Opens, nurse: User) -> None:
    administrator = can_sign_in(user("administrator", Role.ADMINISTRATOR, everywhere=True))
    page = opens(administrator, "/people/tokens/")
    page.get_by_label("Account", exact=True).select_option(value=str(nurse.pk))
    page.get_by_label("Name", exact=True).fill("The screen in the corridor")
    scopes = page.locator("input[name=scopes]")
    scopes.nth(1).check()
    Session.objects.all().delete()
    page.get_by_role("button", name="Make token").click()
    sign_in(page, administrator)
    expect(page.get_by_label("Name", exact=True)).to_have_value("The screen in the corridor")
    expect(page.get_by_label("Account", exact=True)).to_have_value(str(nurse.pk))
    expect(scopes.nth(0)).not_to_be_checked()
    expect(scopes.nth(1)).to_be_checked()
    expect(page.get_by_text("What you typed is back")).to_be_visible()
    gone(page)
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    gone(page)
    page.goto("/people/tokens/")
    expect(page.get_by_label("Name", exact=True)).to_have_value("")


def test_a_form_from_an_old_page_comes_back_once_it_is_loaded_anew(
    opens: Opens, nurse: User
) -> None:
    administrator = can_sign_in(user("administrator", Role.ADMINISTRATOR, everywhere=True))
    page = opens(administrator, "/people/tokens/")
    page.get_by_label("Name", exact=True).fill("The screen in the corridor")
    tab = page.context.new_page()
    sign_out(tab)
    sign_in(tab, administrator)
    expect(tab).not_to_have_url(re.compile("/accounts/sign-in/"))
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("heading", name="Nothing was recorded")).to_be_visible()
    page.goto("/people/tokens/")
    expect(page.get_by_label("Name", exact=True)).to_have_value("The screen in the corridor")
    gone(page)


def test_no_password_is_kept(opens: Opens, nurse: User, bed: Bed) -> None:
    page = opens(can_sign_in(nurse), "/accounts/password/")
    for field in page.locator("#content input[type=password]").all():
        field.fill("a secret that is nobody else's")
    Session.objects.all().delete()
    page.locator("#content form button").click()
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    assert page.evaluate("sessionStorage.length") == 0


def test_nobody_else_gets_what_was_typed(
    hospital: Hospital, opens: Opens, nurse: User, bed: Bed
) -> None:
    other = can_sign_in(user("other", Role.WARD_NURSE, ward=hospital.wards[0]))
    page = opens(nurse, BOARD)
    begin(page, bed)
    with nobody_is_signed_in(page):
        admit(page)
        expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    assert "Ramsbottom" in (kept(page) or "")
    sign_in(page, other)
    expect(page.get_by_role("heading", name="Ward 1")).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()
    gone(page)


def test_what_was_typed_is_gone_after_half_an_hour(opens: Opens, nurse: User, bed: Bed) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    page.clock.install()
    begin(page, bed)
    with nobody_is_signed_in(page):
        admit(page)
        expect(page).to_have_url(re.compile("/accounts/sign-in/"))
    page.clock.fast_forward("29:00")
    assert "Ramsbottom" in (kept(page) or "")
    page.clock.fast_forward("01:01")
    gone(page)
    sign_in(page, nurse)
    expect(page.get_by_role("heading", name="Ward 1")).to_be_visible()
    expect(page.locator("#drawer")).to_be_hidden()


def test_who_signed_in_anew_in_another_tab_sends_it_again(
    opens: Opens, nurse: User, bed: Bed
) -> None:
    page = opens(can_sign_in(nurse), BOARD)
    begin(page, bed)
    tab = page.context.new_page()
    sign_out(tab)
    sign_in(tab, nurse)
    expect(tab).not_to_have_url(re.compile("/accounts/sign-in/"))
    admit(page)
    expect(page.locator("#note")).to_contain_text("You have signed in again")
    expect(page.locator("#note")).to_contain_text("check it and send it again")
    expect(page.get_by_label("Family name")).to_have_value("Ramsbottom")
    admit(page)
    expect(page.locator(f"#bed-{bed.pk}")).to_contain_text("RAMSBOTTOM")
    gone(page)


def test_nothing_is_recorded_in_the_name_of_who_signed_in_in_another_tab(
    hospital: Hospital, opens: Opens, nurse: User, bed: Bed
) -> None:
    other = can_sign_in(user("other", Role.WARD_NURSE, ward=hospital.wards[0]))
    page = opens(nurse, BOARD)
    begin(page, bed)
    tab = page.context.new_page()
    sign_out(tab)
    sign_in(tab, other)
    expect(tab).not_to_have_url(re.compile("/accounts/sign-in/"))
    admit(page)
    expect(page.locator("#note")).to_contain_text("Somebody else has signed in")
    expect(page.locator("#drawer")).to_be_hidden()
    gone(page)
    assert not Patient.objects.filter(family_name="Ramsbottom").exists()


def test_a_drawer_on_a_page_of_its_own_keeps_it_as_well(
    opens: Opens, nurse: User, bed: Bed
) -> None:
    page = opens(can_sign_in(nurse), f"/beds/{bed.pk}/")
    page.locator("summary", has_text="Admit somebody new").click()
    page.get_by_label("Family name").fill("Ramsbottom")
    Session.objects.all().delete()
    admit(page)
    sign_in(page, nurse)
    expect(page.get_by_label("Family name")).to_have_value("Ramsbottom")
    expect(page.get_by_text("What you typed is back")).to_be_visible()
    admit(page)
    expect(page.get_by_text("Admitted to bed 5.")).to_be_visible()
    gone(page)


def test_the_focus_goes_to_a_neighbour_when_its_tile_has_gone(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    for _ in range(2):
        hospital.admit(hospital.wards[0])
    stays = Occupancy.objects.filter(ward=hospital.wards[0], bed=None).order_by("pk")
    gone, neighbour = (f"stay-{stay.episode_id}" for stay in stays)
    page = opens(nurse, BOARD)
    page.locator(f"#{gone}").press("Enter")
    page.locator("#drawer summary", has_text="Discharge").click()
    page.get_by_role("button", name="Discharge", exact=True).click()
    expect(page.locator(f"#{gone}")).to_have_count(0)
    expect(page.locator(f"#{neighbour}")).to_be_focused()
