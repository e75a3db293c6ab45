"""Stories of leaving hospital: a place after hospital, found and taken up; a return, signed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Organisation, User
from accounts.roles import Role
from patients.models import Episode
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.browser.test_layout import overflow
from tests.screens.hospital import Hospital, user
from tests.screens.rounds import Care, care_of
from wards.barriers import Said
from wards.models import Bed, Site, Ward
from wards.rounds import Found, review

pytestmark = pytest.mark.browser


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


@pytest.fixture
def elm(care: Care) -> Ward:
    provider = Organisation.objects.create(code="RYY", name="Community trust", kind="trust")
    site = Site.objects.create(code="COM", name="Cottage", kind="community", organisation=provider)
    ward = Ward.objects.create(site=site, code="C1", name="Elm ward", kind="community")
    for label in "123":
        Bed.objects.create(ward=ward, label=label)
    return ward


@pytest.fixture
def sister(elm: Ward) -> User:
    """Takes people in at the community ward."""
    return user("sister", Role.WARD_NURSE, ward=elm)


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def test_somebody_on_pathway_2_goes_on_to_a_community_bed(
    care: Care, elm: Ward, opens: Opens, nurse: User, sister: User
) -> None:
    stay = care.stays()[0]
    said = Said(timezone.now() - timedelta(hours=3), nurse)
    review(episode=stay, found=Found(criteria=[], pathway=2), said=said)

    ward = opens(nurse, f"/stays/{stay.pk}/")
    ward.get_by_role("link", name="Ask for a place after hospital").click()
    expect(ward.get_by_role("heading", name="Ask for a place after hospital")).to_be_visible()
    assert complaints(ward) == []
    ward.get_by_label("What they need").fill("Two to transfer, oxygen at night")
    ward.get_by_role("button", name="Ask").click()
    # Nothing was chosen: it says so, and keeps what was typed.
    expect(ward.get_by_role("alert")).to_contain_text("Choose the place that is asked.")
    expect(ward.get_by_label("What they need")).to_have_value("Two to transfer, oxygen at night")
    ward.get_by_label("Place").select_option(label="Elm ward, Cottage (3 free)")
    ward.get_by_role("button", name="Ask").click()
    expect(ward.get_by_role("status").first).to_contain_text("Asked: Elm ward")

    place = opens(sister, "/referrals/")
    live(place)
    expect(place.get_by_role("heading", name="Waiting for your answer")).to_be_visible()
    assert complaints(place) == []
    place.get_by_role("link", name=re.compile("Elm ward")).first.click()
    drawer = place.locator("#drawer")
    expect(drawer).to_contain_text("Two to transfer, oxygen at night")
    drawer.get_by_text("Accept", exact=True).first.click()
    start = timezone.localtime() + timedelta(hours=2)
    drawer.get_by_label("They can come from").fill(f"{start:%Y-%m-%dT%H:%M}")
    assert complaints(place) == []
    drawer.get_by_role("button", name="Accept").click()
    expect(place.get_by_role("heading", name="Accepted, not there yet")).to_be_visible()

    # Both wards await it: the one that takes them in sees who comes.
    board = opens(sister, "/wards/C1/")
    expect(board.locator("#board")).to_contain_text(re.compile(r"Waiting\s*1"))

    place.get_by_role("link", name=re.compile("Elm ward")).first.click()
    drawer.get_by_text("They are there now").click()
    drawer.get_by_label("Bed").select_option(label="Bed 2")
    drawer.get_by_role("button", name="Move them there").click()
    expect(place.get_by_role("heading", name="Accepted, not there yet")).to_have_count(0)
    there = Episode.objects.get(status="in_hospital", provider__code="RYY")
    assert there.occupancies.get().bed == elm.beds.get(label="2")
    expect(board.locator("#board")).to_contain_text(re.compile("Featherstonehaugh", re.IGNORECASE))


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_places_after_hospital_fit_every_screen(
    care: Care, elm: Ward, opens: Opens, manager: User, size: tuple[int, int]
) -> None:
    page = opens(manager, "/referrals/")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    live(page)
    expect(page.get_by_role("heading", name="Places", exact=True)).to_be_visible()
    assert overflow(page) == {}
    assert complaints(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_return_is_read_and_signed(care: Care, opens: Opens, manager: User, theme: str) -> None:
    page = opens(manager, "/returns/")
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    expect(page.get_by_role("heading", name="Returns of Test trust")).to_be_visible()
    assert complaints(page) == []
    page.get_by_role("link", name=re.compile("Daily situation report")).nth(1).click()
    expect(page.get_by_text("Not sent")).to_be_visible()
    assert complaints(page) == []
    page.get_by_label("General and acute beds open: another number").fill("14")
    page.get_by_role("button", name=re.compile("Sign and send")).click()
    expect(page.get_by_role("alert")).to_contain_text("say why the number differs")
    expect(page.get_by_label("General and acute beds open: another number")).to_have_value("14")
    page.get_by_label("General and acute beds open: why").fill("Two on loan")
    page.get_by_role("button", name=re.compile("Sign and send")).click()
    expect(page.get_by_text("Entered by hand (12 counted): Two on loan")).to_be_visible()
    assert complaints(page) == []
