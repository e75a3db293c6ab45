"""The comparison with national peers in a browser: drawn, told, and clean for axe."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints, complaints_in_both
from tests.flow.places import records_begin
from tests.reference.tables import lines
from tests.screens.hospital import Hospital

pytestmark = pytest.mark.browser


@pytest.fixture
def published(hospital: Hospital, tmp_path: Path) -> None:
    records_begin(hospital.wards[0], at=hospital.now - timedelta(days=20))
    for bed in hospital.beds(hospital.wards[1])[:5]:
        hospital.admit(bed, ago=timedelta(days=9))
    path = tmp_path / "winter.csv"
    rows = [
        f"R{letter}{letter},Trust {letter} NHS Trust,2020-01-{day:02},{beds},{beds - day}"
        for letter, beds in zip("ABCDEFGHJKLMN", range(40, 600, 43), strict=False)
        for day in range(1, 15)
    ]
    path.write_text(lines("Code,Name,Date,G&A beds open,G&A beds occupied", rows))
    call_command("load_national", str(path))


def drawn(page: Page) -> None:
    expect(page.locator("#peers-chart .main-svg").first).to_be_visible(timeout=10_000)


def test_the_page_is_clean_for_axe(published: None, opens: Opens, observer: User) -> None:
    page = opens(observer, "/peers/")
    drawn(page)
    assert complaints_in_both(page) == []
    page.goto("/peers/?peers=many&body=R!&from=2031-01-01")
    drawn(page)
    assert complaints_in_both(page) == []


def test_without_figures_it_is_clean_too(hospital: Hospital, opens: Opens, observer: User) -> None:
    page = opens(observer, "/peers/")
    expect(page.get_by_role("heading", name="No national figures are loaded yet")).to_be_visible()
    assert complaints(page) == []
    assert page.evaluate("window.Plotly === undefined"), "charts are loaded only where shown"


def test_peers_are_chosen_by_keyboard(published: None, opens: Opens, observer: User) -> None:
    page = opens(observer, "/peers/")
    drawn(page)
    field = page.get_by_label("Or these, by code")
    field.fill("raa rcc")
    field.press("Enter")
    expect(page.locator(".grid tbody tr")).to_have_count(3)
    expect(page.locator(".key")).to_contain_text("named by hand")
    assert "body=raa+rcc" in page.url, "the view can be sent to somebody"


@pytest.mark.parametrize("size", ["390x844", "1366x768", "1920x1080"])
def test_nothing_runs_out_of_the_page(
    published: None, opens: Opens, observer: User, size: str
) -> None:
    page = opens(observer, "/peers/", size=size)
    drawn(page)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_timeout(300)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room
