from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Request, expect
from pytest_django import Settings

from accounts.models import User
from flow.templatetags.boards import duration
from live import doorbell
from tests.browser.conftest import Opens, Server
from tests.live.conftest import OwnRedis
from tests.screens.hospital import FAMILY, Hospital
from wards.facts import MovementKind, Place
from wards.models import Bed

pytestmark = pytest.mark.browser
NAME = FAMILY.upper()


def tile(page: Page, bed: Bed) -> str:
    return f"#bed-{bed.pk}"


def follows(page: Page) -> None:
    """Wait until the page hears rings."""
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def beds(hospital: Hospital) -> list[Bed]:
    return hospital.beds(hospital.wards[0])


def test_a_move_made_on_one_screen_appears_on_another_within_two_seconds(
    hospital: Hospital, opens: Opens, nurse: User, manager: User
) -> None:
    old, new = beds(hospital)[0], beds(hospital)[5]
    here, there = opens(nurse, "/wards/TGH-W1/"), opens(manager, "/wards/TGH-W1/")
    follows(there)
    who = there.locator(tile(there, old)).locator(".name").inner_text()
    here.locator(tile(here, old)).click()
    drawer = here.locator("#drawer")
    expect(drawer.get_by_role("heading", name=who)).to_be_visible()
    drawer.locator("summary", has_text="Move").click()
    drawer.get_by_label("Bed", exact=True).select_option(str(new.pk))
    started = time.monotonic()
    drawer.get_by_role("button", name="Move", exact=True).click()
    expect(there.locator(tile(there, new))).to_contain_text(who, timeout=2_000)
    assert time.monotonic() - started < 2
    expect(there.locator(tile(there, old))).to_contain_text("Free")
    expect(here.locator(tile(here, new))).to_contain_text(who)
    expect(here.locator("#note .words")).to_have_text("Moved to Ward 1.")


def test_a_feed_message_reaches_the_site_and_the_system_screen(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    site, system = opens(manager, "/sites/TGH/"), opens(manager, "/")
    follows(site)
    follows(system)
    hospital.admit(beds(hospital)[4], ago=timedelta(0))
    doorbell.ring([f"site:{hospital.site.pk}", "system"])
    card = site.locator(f"#ward-{hospital.wards[0].pk}")
    expect(card).to_contain_text("5 of 6", timeout=2_000)
    expect(system.locator(".figure").first).to_contain_text("5 of 12", timeout=2_000)


def test_what_changed_is_marked_and_nothing_else(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    new = beds(hospital)[5]
    hospital.admit(new, ago=timedelta(0))
    expect(page.locator(tile(page, new))).to_have_class(re.compile(r"\bchanged\b"), timeout=2_000)
    assert page.locator(".tile.changed").count() == 1
    expect(page.locator(".changed")).to_have_count(0)


def test_a_screen_whose_server_is_killed_turns_stale_and_recovers_by_itself(
    hospital: Hospital, opens: Opens, server: Server, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#lost")).to_be_hidden()
    server.kill()
    expect(page.locator("#lost")).to_be_visible(timeout=10_000)
    expect(page.locator("#lost")).to_contain_text(re.compile(r"the state of \d\d:\d\d:\d\d"))
    expect(page.locator("#line")).to_contain_text("since")
    assert "grayscale" in page.locator("#board").evaluate("e => getComputedStyle(e).filter")
    new = beds(hospital)[5]
    hospital.admit(new, ago=timedelta(0))
    server.start()
    expect(page.locator(tile(page, new))).to_contain_text(NAME, timeout=45_000)
    expect(page.locator("#lost")).to_be_hidden()
    follows(page)
    assert page.evaluate("window.sameDocument")
    assert page.locator("#board").evaluate("e => getComputedStyle(e).filter") == "none"


def test_a_line_that_is_dead_without_saying_so_is_noticed_within_ten_seconds(
    opens: Opens, server: Server, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    started = time.monotonic()
    server.freeze()
    try:
        expect(page.locator("#lost")).to_be_visible(timeout=10_000)
        assert time.monotonic() - started < 10
    finally:
        server.thaw()
    expect(page.locator("#lost")).to_be_hidden(timeout=45_000)
    follows(page)


def test_without_redis_a_screen_says_that_it_asks_and_still_follows(
    hospital: Hospital,
    opens: Opens,
    own_redis: OwnRedis,
    child_environment: dict[str, str],
    nurse: User,
    settings: Settings,
) -> None:
    alone = Server({**child_environment, "REDIS_URL": own_redis.url})
    alone.start()
    try:
        page = opens(nurse, "/wards/TGH-W1/", at=alone.address)
        follows(page)
        own_redis.stop()
        expect(page.locator("#line")).to_have_attribute("data-line", "polling", timeout=10_000)
        new = beds(hospital)[5]
        hospital.admit(new, ago=timedelta(0))
        expect(page.locator(tile(page, new))).to_contain_text(NAME, timeout=10_000)
        expect(page.locator("#lost")).to_be_hidden()
        own_redis.start()
        follows(page)
    finally:
        alone.kill()


def test_an_update_keeps_focus_opened_parts_and_what_is_being_typed(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    free, new = beds(hospital)[4], beds(hospital)[5]
    page.locator(tile(page, free)).click()
    page.locator("#drawer summary", has_text="Admit somebody new").click()
    field = page.get_by_label("Family name")
    field.fill("Half a na")
    hospital.admit(new, ago=timedelta(0))
    expect(page.locator(tile(page, new))).to_contain_text(NAME, timeout=2_000)
    expect(field).to_have_value("Half a na")
    expect(field).to_be_focused()
    expect(page.locator("#drawer [data-outdated]")).to_be_hidden()


def test_a_drawer_whose_bed_has_changed_says_so_and_looks_again(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    free = beds(hospital)[4]
    page.locator(tile(page, free)).click()
    expect(page.locator("#drawer")).to_contain_text("Free")
    hospital.admit(free, ago=timedelta(0))
    notice = page.locator("#drawer [data-outdated]")
    expect(notice).to_be_visible(timeout=2_000)
    notice.get_by_role("link").click()
    expect(page.locator("#drawer .person")).to_contain_text(NAME)


def test_an_update_keeps_the_tile_in_focus_and_the_opened_table(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    gone = hospital.admit(beds(hospital)[5])
    hospital.tell(gone, MovementKind.TRANSFERRED, place=Place(hospital.wards[1].pk))
    page = opens(manager, "/")
    follows(page)
    page.locator("#map-table summary").click()
    link = page.get_by_role("link", name="Test hospital TGH").last
    link.focus()
    hospital.admit(beds(hospital)[4], ago=timedelta(0))
    doorbell.ring(["system"])
    expect(page.locator(".figure").first).to_contain_text("5 of 12", timeout=3_000)
    expect(page.locator("#map-table")).to_have_attribute("open", "")
    expect(link).to_be_focused()


def test_a_session_that_ends_elsewhere_hides_the_names(
    opens: Opens, nurse: User, hospital: Hospital
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    follows(page)
    assert page.get_by_text(NAME).count() == 4
    Session.objects.all().delete()
    doorbell.ring([f"ward:{hospital.wards[0].pk}"])
    expect(page.locator("#signed-out")).to_be_visible(timeout=3_000)
    assert page.get_by_text(NAME).count() == 0
    page.locator("#signed-out").get_by_role("link").click()
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))


def test_an_observer_never_receives_a_name(
    hospital: Hospital, opens: Opens, nurse: User, observer: User
) -> None:
    opens(nurse, "/wards/TGH-W1/")
    received: list[str] = []
    page = opens(observer, "/")
    page.on("response", lambda answer: received.append(answer.text()) if answer.ok else None)
    for address in ("/sites/TGH/", "/wards/TGH-W1/"):
        page.goto(address)
        follows(page)
    page.locator(tile(page, beds(hospital)[0])).click()
    expect(page.locator("#drawer")).to_contain_text("not by whom")
    hospital.admit(beds(hospital)[5], ago=timedelta(0))
    expect(page.locator(tile(page, beds(hospital)[5]))).to_contain_text("Patient", timeout=2_000)
    assert received
    assert not any(NAME in text or "Given" in text for text in received)


def test_a_past_board_is_marked_and_does_not_move(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    asked: list[str] = []
    moment = (hospital.now - timedelta(hours=1)).isoformat().replace("+", "%2B")
    page = opens(nurse, "/search/")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/wards/TGH-W1/?at={moment}")
    expect(page.get_by_text("The past:")).to_be_visible()
    expect(page.locator("#line")).to_have_text("past")
    hospital.admit(beds(hospital)[5], ago=timedelta(0))
    page.wait_for_timeout(1500)
    assert page.locator(".tile .name").count() == 4
    assert not [url for url in asked if "/live/" in url or "fragment" in url]
    page.keyboard.press("n")
    expect(page.locator(tile(page, beds(hospital)[5]))).to_contain_text(NAME)


def test_the_time_can_be_chosen_from_the_menu(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    page.locator("#at-menu summary").click()
    page.get_by_label("Any other moment").fill("2999-01-01T08:00")
    page.locator("#at-menu form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#at-error")).to_contain_text("still to come")
    page.get_by_role("link", name="midnight, the one before").click()
    expect(page.get_by_text("The past:")).to_be_visible()


def test_a_page_opens_one_line_for_its_board(opens: Opens, nurse: User) -> None:
    lines: list[Request] = []
    page = opens(nurse, "/search/")
    page.on("request", lambda request: lines.append(request) if "/live/" in request.url else None)
    page.goto("/wards/TGH-W1/")
    follows(page)
    page.wait_for_timeout(1000)
    assert len(lines) == 1


def test_durations_tick_on_in_the_servers_words(opens: Opens, nurse: User) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    minutes = [
        0,
        1,
        59,
        60,
        61,
        119,
        120,
        599,
        600,
        1439,
        1440,
        1500,
        2879,
        4319,
        4320,
        14400,
        600_000,
    ]
    said = page.evaluate("all => all.map(m => flowboard.duration(m * 60000))", minutes)
    assert said == [duration(timedelta(minutes=number)) for number in minutes]
