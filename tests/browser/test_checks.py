"""Somebody whose ward nobody told is seen, opened and put into a bed; a namesake is asked about."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from patients.models import Episode
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.hospital import Hospital
from tests.screens.test_checks import nowhere
from wards.models import Occupancy

pytestmark = pytest.mark.browser


def connected(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def test_who_is_nowhere_appears_by_itself_and_is_put_into_a_bed_by_keyboard(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    board = opens(manager, "/")
    listed = opens(manager, "/sites/TGH/to-check/")
    connected(board)
    connected(listed)
    expect(board.get_by_role("link", name="No stay to check")).to_be_visible()
    stay = nowhere(hospital)
    expect(board.locator(".figure", has_text="No place told")).to_contain_text("1", timeout=2_000)
    card = listed.locator(f"#stay-{stay.pk}")
    expect(card).to_contain_text("NOWHERETON, Ada", timeout=2_000)

    board.get_by_role("link", name=re.compile("in hospital, who")).click()
    expect(board).to_have_url(re.compile("/to-check/$"))
    board.locator(f"#stay-{stay.pk}").press("Enter")
    expect(board.locator("#drawer h2")).to_be_focused()
    expect(board.locator("#drawer")).to_contain_text("Nobody has told where they are")
    assert complaints(board) == []
    ward = hospital.wards[1]
    board.get_by_label("Ward", exact=True).select_option(str(ward.pk))
    bed = hospital.beds(ward)[2]
    board.locator("#move-bed").select_option(str(bed.pk))
    board.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(board.locator("#note")).to_contain_text("Moved to Ward 2.")
    everybody = "Of everybody in hospital a place is known."
    expect(board.get_by_text(everybody)).to_be_visible()
    expect(listed.get_by_text(everybody)).to_be_visible(timeout=5_000)
    assert Occupancy.objects.get(episode=stay).bed == bed


def test_a_namesake_is_asked_about_without_a_mouse_and_what_was_typed_stays(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    here, free = hospital.beds(hospital.wards[0])[4:]
    hospital.admit(here, family="Pemberton")
    page = opens(nurse, "/wards/TGH-W1/")
    page.locator(f"#bed-{free.pk}").press("Enter")
    page.locator("#drawer summary", has_text="Admit somebody new").press("Enter")
    page.get_by_label("Family name").fill("Pemberton")
    page.get_by_label("Date of birth").fill("1947-03-31")
    page.keyboard.press("Enter")
    summary = page.locator("#drawer .nhsuk-error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Nothing was recorded yet")
    expect(page.get_by_role("group", name=re.compile("is on Ward 1, bed 5 now"))).to_be_visible()
    expect(page.get_by_label("Family name")).to_have_value("Pemberton")
    assert complaints(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tick = page.get_by_label("Yes, the patient in front of me is another person")
    expect(tick).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(f"#bed-{free.pk}")).to_contain_text("PEMBERTON")
    assert Episode.objects.filter(patient__family_name="Pemberton").count() == 2
