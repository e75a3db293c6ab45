"""A ward is run by keyboard: nurses said, a bay closed, corridor care signed off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.desk import load_example
from tests.screens.hospital import Hospital
from tests.screens.test_running import ahead, key, running
from wards.bed_states import close
from wards.models import Bed, Closure, CorridorSignOff, Staffing, WardLimits
from wards.staffing import Nurses, say

pytestmark = pytest.mark.browser

STAFFING = "/sites/TGH/staffing/"
DESK = "/sites/TGH/desk/out-of-place/"
WARD = "/wards/TGH-W1/?site=TGH"
SIZES = ["1920x1080", "1366x768", "390x844"]


def sound(page: Page) -> None:
    """axe finds nothing to complain of, and nothing sticks out at the side."""
    assert complaints(page) == []
    wide = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("main *")].filter(
            (one) => one.getBoundingClientRect().right > innerWidth
        ).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []


def test_nurses_are_said_by_keyboard_and_others_see_it_at_once(
    hospital: Hospital, opens: Opens, manager: User, nurse: User
) -> None:
    one, two = hospital.wards
    page = opens(manager, f"{STAFFING}?day=tomorrow")
    other = opens(nurse, f"{STAFFING}?day=tomorrow", size="390x844")
    expect(other.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("e")
    expect(page.locator(f"[name='{key(hospital.emergency, ahead())}-planned']")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("4")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"[name='{key(two, ahead())}-actual']")).to_be_focused()
    page.keyboard.type("3")
    expect(page.locator("tr.is-typed")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("2 shifts recorded")
    said = Staffing.objects.order_by("ward__position").values_list("ward", "planned", "actual")
    assert list(said) == [(one.pk, 5, 4), (two.pk, None, 3)]
    expect(other.locator(f"#ward-{one.pk}")).to_contain_text("1 below plan")
    sound(page)
    sound(other)


def test_what_is_typed_outlives_what_others_say_and_is_told_of_it(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    one, two = hospital.wards
    page = opens(manager, f"{STAFFING}?day=tomorrow")
    field = page.locator(f"[name='{key(one, ahead())}-planned']")
    field.fill("7")
    page.locator("#content").focus()
    now = timezone.now()
    say(ward=one.pk, shift=ahead(), nurses=Nurses(6, 6), at=now, by=manager)
    say(ward=two.pk, shift=ahead(), nurses=Nurses(2, 2), at=now, by=manager)
    expect(page.locator(f"[name='{key(two, ahead())}-planned']")).to_have_value("2")
    expect(field).to_have_value("7")
    field.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Meanwhile said by Manager")
    expect(field).to_have_value("7")
    expect(page.locator(f"#ward-{one.pk}")).to_contain_text("holds now: planned 6, at work 6")
    sound(page)
    # Why it was refused stays, whatever others record meanwhile, until it is typed anew.
    for number in (3, 4):
        nurses = Nurses(number, 2)
        say(ward=two.pk, shift=ahead(), nurses=nurses, at=timezone.now(), by=manager)
        expect(page.locator(f"[name='{key(two, ahead())}-planned']")).to_have_value(str(number))
        expect(page.locator(".nhsuk-error-summary")).to_contain_text("Meanwhile said by Manager")
    expect(page.locator(".nhsuk-error-summary")).to_have_count(1)
    page.locator(f"[name='{key(two, ahead())}-planned']").press_sequentially("5")
    expect(page.locator(".nhsuk-error-summary")).to_be_visible()
    field.fill("7")
    expect(page.locator(".nhsuk-error-summary")).to_have_count(0)
    expect(field).to_have_value("7")
    page.locator(f"[name='{key(two, ahead())}-planned']").fill("4")
    field.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Recorded: Ward 1, Day")
    assert Staffing.objects.get(ward=one).planned == 7


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_staffing_and_limits_are_sound_light_and_dark(
    hospital: Hospital, opens: Opens, manager: User, size: str, dark: bool
) -> None:
    load_example(hospital)
    ward, now = hospital.wards[0], timezone.now()
    say(ward=ward.pk, shift=running(), nurses=Nurses(2, 1), at=now, by=manager)
    WardLimits.objects.create(ward=ward, patients_per_nurse=3, most_patients=3)
    page = opens(manager, STAFFING, size=size, dark=dark)
    expect(page.locator(f"#ward-{ward.pk}")).to_contain_text("more needed for the limit")
    sound(page)
    page.locator(f"#limits-{ward.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_contain_text("What it can safely hold")
    page.locator("#limit-most_patients").fill("4x")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .nhsuk-error-summary")).to_contain_text("Give a whole number")
    sound(page)
    page.locator("#limit-most_patients").fill("5")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("most patients 5, was 3")
    expect(page.locator(f"#ward-{ward.pk}")).to_contain_text("5 patients")


def test_a_bay_is_closed_and_reopened_by_keyboard_on_a_phone(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, WARD, size="390x844")
    page.locator("#closing").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_contain_text("Close or open beds")
    sound(page)
    page.locator("#close-place").focus()
    page.keyboard.type("Bay A")
    page.keyboard.press("Tab")
    page.keyboard.type("Inf")
    page.locator("#drawer").get_by_role("button", name="Close", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Closed: Bay A. 4 patients stay")
    expect(page.locator("#board")).to_contain_text("Bay A closed: infection")
    sound(page)
    assert Closure.objects.get().reason == "infection"
    page.locator("#closing").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Reopen Bay A").focus()
    page.keyboard.press("Enter")
    page.locator("#drawer").get_by_role("button", name="Reopen", exact=True).focus()
    sound(page)
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Open again: Bay A")
    expect(page.locator("#board")).not_to_contain_text("Bay A closed")


def test_an_open_drawer_is_told_that_somebody_else_closed_it(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, WARD)
    page.locator("#closing").click()
    expect(page.locator("#drawer h2")).to_contain_text("Close or open beds")
    bay = hospital.wards[0].bays.get()
    close(bay=bay.pk, reason="estates", since=timezone.now(), by=manager)
    expect(page.locator("#drawer [data-outdated]")).to_be_visible()


@pytest.mark.parametrize("size", ["1366x768", "390x844"])
@pytest.mark.parametrize("dark", [False, True])
def test_corridor_care_is_signed_off_by_keyboard(
    hospital: Hospital, opens: Opens, manager: User, size: str, dark: bool
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    Bed.objects.filter(pk=bed.pk).update(features=["corridor"])
    page = opens(manager, DESK, size=size, dark=dark)
    expect(page.locator("td.signed")).to_contain_text("Nobody has signed this off")
    sound(page)
    page.locator(f"#sign-{bed.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_contain_text("In a corridor")
    sound(page)
    page.locator("#sign-reason").fill("No bed before noon")
    page.get_by_role("button", name="Sign off", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .nhsuk-error-summary")).to_contain_text("Say who answers for it")
    sound(page)
    page.locator("#sign-accountable").fill("Site matron")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Signed off by Site matron")
    expect(page.locator("td.signed")).to_contain_text("Signed off by Site matron at")
    sound(page)
    kept = CorridorSignOff.objects.get()
    assert (kept.by, kept.reason) == (manager, "No bed before noon")
    assert kept.review_at - kept.occurred_at == timedelta(hours=2)
