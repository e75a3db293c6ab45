"""The pages of forecasts in a browser: what if by keyboard, nothing hidden, nothing for axe."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from flow.forecasts.scenario import Opened, Scenario
from flow.models import Forecast
from flow.scenario_deeds import keep
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints_in_both
from tests.browser.test_checks import connected
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import Hospital

pytestmark = pytest.mark.browser
HERE = "/sites/TGH/forecast/"


@pytest.fixture
def hospital(transactional_db: None) -> Hospital:
    """A hospital with a few days behind it, foretold yesterday and three minutes ago."""
    forget()
    made = lived_in()
    foretell(made.site, at=timezone.now() - timedelta(hours=25))
    foretell(made.site, at=timezone.now() - timedelta(minutes=3))
    return made


def at_least(page: Page) -> int:
    """The free beds that the first of the hours always shown says there are at least."""
    said = page.locator(".key-hours .figure strong").nth(1).inner_text()
    return int(said.replace("−", "-"))


def test_a_slider_moves_the_forecast_and_the_address(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, HERE)
    expect(page.locator("#fan .plot-container")).to_be_visible()
    before = at_least(page)
    slider = page.get_by_label("Beds, slider").first
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    expect(page.get_by_text("If so:", exact=True)).to_be_visible()
    expect(page.locator(".changes")).to_contain_text("6 beds more on the site")
    expect(page).to_have_url(re.compile(r"open=6"))
    assert at_least(page) == before + 6
    assert page.locator("#what-beds-0").input_value() == "6"
    expect(slider).to_be_focused()

    # Who opens the address sees the same.
    other = opens(manager, page.url)
    assert at_least(other) == before + 6
    page.get_by_role("link", name="As it is", exact=True).click()
    expect(page.get_by_text("If so:", exact=True)).to_have_count(0)
    assert at_least(page) == before


def test_patients_are_sought_and_chosen_by_keyboard(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, HERE)
    page.locator("#leavers > summary").press("Enter")
    people = page.locator("#leavers li:visible")
    expect(people).to_have_count(0)  # the wards are closed
    box = page.get_by_label("Find a name, ward, bed or word")
    name = str(page.locator("#leavers li .name").nth(5).text_content()).split()[-1]
    box.fill(f"ward {name}")
    expect(people).to_have_count(1)
    expect(page.locator("#what-who-found")).to_have_text("1 found")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/forecast/$"))  # what is sought is not sent
    people.get_by_role("checkbox").press("Space")
    expect(page.locator(".changes")).to_contain_text("1 patient has left by")
    expect(box).to_have_value(f"ward {name}")
    expect(people).to_have_count(1)
    box.fill("")
    expect(people).to_have_count(4)  # the ward of whoever is chosen stays open


def test_what_makes_no_sense_stays_and_is_explained(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, HERE)
    more = page.locator("#what-more")
    more.fill("a lot")
    more.press("Enter")
    expect(page.locator(".what-if .wrong").first).to_contain_text("give a whole number")
    expect(more).to_have_value("a lot")
    more.fill("20")
    expect(page.locator(".changes")).to_contain_text("20 % more arrivals")


def test_a_scenario_is_kept_and_compared_by_keyboard(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, f"{HERE}?open=3")
    page.get_by_role("link", name="Keep it, or compare it").press("Enter")
    page.get_by_label("Keep it under a name").fill("Three more")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is kept")
    table = page.locator("table.compare")
    expect(table).to_contain_text("Three more")
    expect(table).to_contain_text("As it is")
    expect(page.locator("#compare .plot-container")).to_be_visible()


def test_removing_a_scenario_is_asked_about(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    keep(
        site=hospital.site, name="Three more", scenario=Scenario(opened=(Opened(3),)), by=manager,
        at=timezone.now(),
    )  # fmt: skip
    page = opens(manager, f"{HERE}scenarios/")
    sure = page.get_by_role("button", name="Yes, remove it")
    expect(sure).to_be_hidden()
    page.get_by_text("Remove …").press("Enter")
    expect(page.get_by_text("Remove “Three more” for everybody at")).to_be_visible()
    sure.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is no longer kept")


def test_on_a_phone_what_follows_stays_in_sight_while_sliders_move(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, HERE, size="390x844")
    places = page.get_by_label("Beds, slider").first
    page.get_by_label("Pathway 3", exact=True).scroll_into_view_if_needed()
    glance = page.locator(".glance")
    expect(glance).to_be_in_viewport(ratio=1)
    places.scroll_into_view_if_needed()
    places.focus()
    places.press("ArrowRight")
    expect(glance).to_contain_text("If so:")
    expect(glance).to_contain_text("As it is:")
    expect(glance).to_be_in_viewport(ratio=1)
    # It hides nothing that has the focus.
    box, over = places.bounding_box(), glance.bounding_box()
    assert box is not None
    assert over is not None
    assert box["y"] >= over["y"] + over["height"] - 1


def test_a_new_forecast_is_shown_by_itself(hospital: Hospital, opens: Opens, manager: User) -> None:
    before = Forecast.objects.latest("at")
    page = opens(manager, HERE)
    connected(page)
    expect(page.locator(".of-when")).to_contain_text(f"at {timezone.localtime(before.at):%H:%M}")
    after = foretell(hospital.site)
    assert after.at > before.at
    expect(page.locator(".of-when")).to_contain_text(
        f"at {timezone.localtime(after.at):%H:%M}", timeout=5_000
    )


def test_the_pages_are_clean_for_axe(hospital: Hospital, opens: Opens, manager: User) -> None:
    past = f"{timezone.localtime() - timedelta(hours=24):%Y-%m-%dT%H:%M}"
    ward = hospital.wards[0]
    addresses = (
        HERE, f"{HERE}?open=6&arrivals=1.2&close={ward.pk}:24", f"{HERE}?of=ward:{ward.pk}",
        f"{HERE}?at={past}", f"{HERE}accuracy/", f"{HERE}scenarios/?open=6",
        f"/beds/{hospital.beds(ward)[0].pk}/",
    )  # fmt: skip
    page = opens(manager, "/search/")
    found = {}
    for address in addresses:
        page.goto(address)
        page.evaluate(
            "document.querySelectorAll('main details').forEach((one) => (one.open = true))"
        )
        page.wait_for_timeout(300)
        found[address] = complaints_in_both(page)
    wrong = [f"{address}: {one}" for address, said in found.items() for one in said]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("size", ["320x640", "390x844", "1366x768"])
def test_no_page_scrolls_sideways(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    page = opens(manager, HERE, size=size)
    for address in (HERE, f"{HERE}?open=6", f"{HERE}accuracy/", f"{HERE}scenarios/?open=6"):
        page.goto(address)
        page.wait_for_timeout(200)
        wide, has = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= has, address
