"""Stories of the morning: a board round by keyboard, and a barrier on its way to the council."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from patients.models import Barrier, Readiness, Review
from tests.browser.conftest import Opens, Server
from tests.browser.test_axe import complaints, complaints_in_both
from tests.browser.test_layout import overflow
from tests.screens.hospital import Hospital, add_beds, user
from tests.screens.rounds import Care, care_of, code, earlier_stay
from wards.barriers import Said
from wards.escalation import escalate_overdue
from wards.rounds import Found, review

pytestmark = pytest.mark.browser

ROUND = "/rounds/TGH-W1/?site=TGH"
LIST = "/work/CXX/SW/"
DAY = timedelta(days=1)
SMALL = """() => [...document.querySelectorAll(
    "#panel :is(.pick, a.step, select, button, input[type=text], input[type=date], summary),"
    + ".roundrow")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.className || one.name, Math.round(one.getBoundingClientRect().height)])
  .filter(([, height]) => height < 44)"""
"""What is lower than a finger is broad (44 px)."""


@pytest.fixture
def care(hospital: Hospital) -> Care:
    return care_of(hospital)


@pytest.fixture
def full(care: Care, nurse: User) -> Care:
    """Twenty-eight patients, all reviewed the day before."""
    ward = care.hospital.wards[0]
    add_beds(ward, 22, first=6)
    for bed in care.hospital.beds(ward)[4:]:
        care.hospital.admit(bed, ago=3 * DAY)
    for number, episode in enumerate(care.stays()):
        if episode.admitted_at is not None and episode.admitted_at < timezone.now() - DAY:
            found = Found(
                criteria=[] if number % 3 == 0 else ["oxygen"], pathway=number % 4,
                day="green", next_step="As planned", expected_discharge_at=timezone.now() + DAY,
            )  # fmt: skip
            review(episode=episode, found=found, said=Said(timezone.now() - DAY, nurse))
    return care


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def at(page: Page, bed: str) -> None:
    expect(page.locator(".round-head h2 .bed")).to_have_text(re.compile(f"^(Bed )?{bed}$"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_board_round_of_twenty_eight_patients_by_keyboard_alone(
    full: Care, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, "/wards/TGH-W1/")
    expect(page.get_by_text("Not confirmed today")).to_be_visible()
    page.get_by_role("link", name="Board round").focus()
    press(page, "Enter")
    live(page)
    at(page, "1")
    assert complaints(page) == []
    # The first four came today and were never looked at: none can be waved through.
    press(page, "c")
    expect(page.locator("#note")).to_contain_text("no review to confirm yet")
    press(page, "x", "p", "1", "s", "m", "m", "t", "t", "f", "6", "l", "l", "l", "Enter")
    at(page, "2")
    press(page, "2", "g", "s", "n")
    page.keyboard.type("Echo, then home")
    press(page, "Enter")
    at(page, "3")
    press(page, "3", "r", "w")
    page.keyboard.type("Waiting for therapy")
    press(page, "Escape", "Enter")
    at(page, "4")
    press(page, "1", "2", "1", "Enter")  # ticked, ticked, and the first taken back
    # Down and up again without a word recorded.
    at(page, "5")
    press(page, "j")
    at(page, "6")
    press(page, "ArrowUp")
    at(page, "5")
    for bed in range(5, 29):
        at(page, str(bed))
        press(page, "c")
    expect(page.get_by_text("Everybody has been seen today")).to_be_visible()
    expect(page.locator(".round-strip")).to_contain_text("28 of 28 patients")
    expect(page.locator(".unconfirmed")).to_have_count(0)
    made = {r.episode_id: r for r in Review.objects.filter(round__isnull=False)}
    assert len(made) == 28
    assert len({r.round for r in made.values()}) == 1
    one, two, three, four = (made[episode.pk] for episode in full.stays()[:4])
    assert (one.criteria, one.pathway, one.senior_reviewed) == ([], 1, True)
    assert (one.medicines, one.transport) == ("to_prescribe", "to_book")
    assert (one.frailty, one.residence) == (6, "care_home")
    assert Readiness.objects.filter(episode=one.episode_id).exists()
    assert (two.criteria, two.day, two.next_step) == (["oxygen"], "green", "Echo, then home")
    assert three.red_reason is not None
    assert (three.day, three.red_reason.slug) == ("red", "therapy")
    assert four.criteria == ["oxygen"]
    assert {r.next_step for r in made.values() if r.pathway == 3} == {"As planned"}
    assert complaints(page) == []
    press(page, "u")
    expect(page.get_by_text(re.compile("^Confirmed"))).to_be_visible()
    press(page, "?")
    expect(page.locator("#keys")).to_be_visible()


def test_what_an_earlier_stay_says_is_taken_over_by_one_key(
    care: Care, opens: Opens, nurse: User
) -> None:
    [one] = care.stays()[:1]
    earlier_stay(care, one, Found(frailty=6, residence="care_home"))
    page = opens(nurse, f"{ROUND}&patient={one.pk}")
    live(page)
    expect(page.get_by_label("Frailty")).to_have_value("")
    assert complaints(page) == []
    press(page, "1", "o", "Enter")
    at(page, "2")
    made = Review.objects.get(round__isnull=False)
    assert (made.frailty, made.residence) == (6, "care_home")


def test_the_round_of_a_patient_fits_the_screen_of_a_laptop(
    full: Care, opens: Opens, nurse: User
) -> None:
    [one] = full.stays()[:1]
    page = opens(nurse, f"{ROUND}&patient={one.pk}", size="1366x768")
    live(page)
    bottom = page.locator(".round-panel").evaluate("one => one.getBoundingClientRect().bottom")
    assert bottom <= 768


def test_the_keys_of_the_round_are_told(full: Care, opens: Opens, nurse: User) -> None:
    page = opens(nurse, ROUND)
    press(page, "?")
    expect(page.locator("#keys")).to_contain_text("Nothing changed: confirm and go on")
    assert complaints(page) == []
    press(page, "c")
    assert not Review.objects.filter(round__isnull=False).exists(), "a dialog takes no deeds"


def test_what_was_typed_outlives_a_dropped_line_and_the_page(
    full: Care, server: Server, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, f"{ROUND}&patient={full.stays()[4].pk}")
    live(page)
    press(page, "x", "3", "n")
    page.keyboard.type("Swallow test at ten")
    server.kill()
    press(page, "Enter")
    expect(page.locator("#note")).to_contain_text("No connection")
    expect(page.get_by_label("Next step")).to_have_value(re.compile("Swallow test at ten"))
    at(page, "5")
    expect(page.locator("#lost")).to_be_visible(timeout=45_000)
    server.start()
    live(page)
    page.reload()
    at(page, "5")
    expect(page.locator("[data-kept]")).to_be_visible()
    expect(page.get_by_label("Next step")).to_have_value(re.compile("Swallow test at ten"))
    expect(page.get_by_label(re.compile("intravenous fluids"))).to_be_checked()
    live(page)
    page.locator("h2[data-head]").focus()
    press(page, "Enter")
    at(page, "6")
    made = Review.objects.get(round__isnull=False)
    assert made.criteria == ["intravenous-fluids"]
    assert "Swallow test at ten" in made.next_step
    expect(page.locator(".is-typed")).to_have_count(0)


def test_going_on_without_saving_keeps_what_was_typed_and_says_so(
    full: Care, opens: Opens, nurse: User
) -> None:
    page = opens(nurse, f"{ROUND}&patient={full.stays()[4].pk}")
    live(page)
    press(page, "g", "n")
    page.keyboard.type("!")
    press(page, "Escape", "c")
    expect(page.locator("#note")).to_contain_text("You have changed something")
    press(page, "j")
    at(page, "6")
    expect(page.locator(".roundrow.is-typed")).to_have_count(1)
    expect(page.locator(".roundrow.is-typed .bed")).to_have_text("5")
    press(page, "k")
    at(page, "5")
    expect(page.get_by_label("Next step")).to_have_value("As planned!")
    expect(page.get_by_label(re.compile("^Green"))).to_be_checked()


def test_a_refused_and_a_stale_form_keep_what_was_typed(
    full: Care, opens: Opens, nurse: User
) -> None:
    one = full.stays()[0]
    page = opens(nurse, f"{ROUND}&patient={one.pk}", size="1920x1080")
    live(page)
    press(page, "n")
    page.keyboard.type("Family at two")
    press(page, "Enter")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("or “None met”")
    expect(page.get_by_label("Next step")).to_have_value("Family at two")
    assert complaints(page) == []
    sister = user("sister", Role.WARD_NURSE, ward=full.hospital.wards[0])
    said = Said(timezone.now(), sister)
    review(episode=one, found=Found(criteria=["oxygen"], pathway=2, day="green"), said=said)
    expect(page.locator("[data-outdated]")).to_be_visible(timeout=10_000)
    press(page, "x", "Enter")
    expect(page.locator(".changes")).to_contain_text(re.compile("Pathway: not said .* 2"))
    expect(page.get_by_label("Next step")).to_have_value("Family at two")
    expect(page.get_by_label(re.compile("None met"))).to_be_checked()
    assert complaints(page) == []
    page.locator("h2[data-head]").focus()
    press(page, "2", "2", "x", "Enter")
    at(page, "2")
    made = Review.objects.latest("pk")
    assert (made.criteria, made.pathway, made.next_step) == ([], 2, "Family at two")


def test_on_a_tablet_everything_can_be_hit_with_a_finger(
    full: Care, opens: Opens, nurse: User
) -> None:
    full.waits(full.stays()[0], "transport")
    for size in ("1024x768", "390x844"):
        page = opens(nurse, ROUND, size=size)
        live(page)
        small = page.evaluate(SMALL)
        assert small == [], size
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= int(size.split("x")[0])
        page.get_by_text("None met", exact=True).click()
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator("#note")).to_contain_text("Saved")


def test_a_barrier_goes_from_the_ward_to_the_council_and_is_done(
    care: Care, opens: Opens, nurse: User
) -> None:
    one, two = care.stays()[:2]
    review(episode=one, found=Found(criteria=[]), said=Said(timezone.now(), nurse))
    hidden = care.waits(two, "therapy-review")
    ward = opens(nurse, f"{ROUND}&patient={one.pk}")
    live(ward)
    council = opens(care.social_worker(), "/work/")
    live(council)
    expect(council).to_have_url(re.compile(LIST))
    expect(council.get_by_text("Nothing waits for you.")).to_be_visible()
    # The ward says what it waits for.
    press(ward, "b")
    ward.keyboard.type("Residential/nursing home care not")
    press(ward, "Tab")
    ward.keyboard.type("Near the daughter")
    press(ward, "Enter")
    expect(ward.locator("#note")).to_contain_text("Raised, with Social work.")
    expect(ward.locator(".round-waits")).to_contain_text("Social work")
    assert complaints(ward) == []
    # The council sees it within a moment, and nothing else.
    row = council.locator("[data-tile]")
    expect(row).to_have_count(1, timeout=10_000)
    expect(row).to_contain_text("Near the daughter")
    assert council.goto(f"/barriers/{hidden.pk}/").status == 404  # type: ignore[union-attr]
    assert council.goto("/rounds/TGH-W1/").status == 403  # type: ignore[union-attr]
    council.goto(LIST)
    live(council)
    assert complaints(council) == []
    # Chased, by keys.
    press(council, "j", "c")
    expect(council.locator("#contact-note")).to_be_focused()
    assert complaints(council) == []
    council.keyboard.type("Rang the home: Monday")
    press(council, "Enter")
    expect(row).to_contain_text("Rang the home: Monday")
    # Time passes its target, and the worker takes it up the ladder.
    made = Barrier.objects.get(team=care.social_work)
    assert made.due_at is not None
    assert escalate_overdue(at=made.due_at + timedelta(hours=1)) >= 1
    expect(row).to_contain_text("Matron", timeout=10_000)
    assert escalate_overdue(at=made.due_at + timedelta(hours=25)) >= 1
    expect(row).to_contain_text("Head of service", timeout=10_000)
    # Done in one key, taken back, done again.
    row.focus()
    press(council, "d")
    expect(council.locator("#note")).to_contain_text("Done: Residential")
    expect(council.get_by_text("Nothing waits for you.")).to_be_visible()
    press(council, "z")
    expect(row).to_have_count(1)
    row.focus()
    press(council, "d")
    expect(council.get_by_text("Nothing waits for you.")).to_be_visible()
    made.refresh_from_db()
    assert made.outcome == "resolved"
    steps = [step.kind for step in made.steps.order_by("pk")]
    assert steps == ["raised", "contacted", "escalated", "escalated", "resolved", "reopened",
                     "resolved"]  # fmt: skip
    ward.goto("/wards/TGH-W1/")
    ward.locator("[data-tile]").first.click()
    expect(ward.locator("#drawer")).to_contain_text("nothing recorded")


def test_what_is_typed_for_a_step_outlives_a_dropped_line(
    care: Care, server: Server, opens: Opens
) -> None:
    care.waits(care.stays()[0], "p3-capacity")
    page = opens(care.social_worker(), LIST)
    live(page)
    press(page, "j", "c")
    expect(page.locator("#contact-note")).to_be_focused()
    page.keyboard.type("Rang the home")
    server.kill()
    press(page, "Enter")
    expect(page.locator("#note")).to_contain_text("No connection")
    expect(page.locator("#contact-note")).to_have_value("Rang the home")
    server.start()
    live(page)
    page.locator("#contact-note").focus()
    press(page, "Enter")
    expect(page.locator("[data-tile]")).to_contain_text("Rang the home")


def test_the_pages_of_rounds_and_work_are_clean_for_axe(
    full: Care, opens: Opens, manager: User
) -> None:
    one, two = full.stays()[:2]
    mine = full.waits(one, "p3-capacity")
    full.waits(two, "p2-capacity")
    Barrier.objects.filter(pk=mine.pk).update(due_at=timezone.now() - DAY, level=1)
    review(
        episode=one,
        found=Found(criteria=[], day="red", red_reason=code("therapy", "red-day-reasons")),
        said=Said(timezone.now(), manager),
    )
    found = {}
    page = opens(manager, "/search/")
    bed = full.hospital.beds(full.hospital.wards[0])[0]
    for address in (
        f"{ROUND}&patient={one.pk}", f"{ROUND}&patient={two.pk}", "/work/", LIST,
        f"{LIST}?status=done&ward=TGH-W2", f"/barriers/{mine.pk}/", "/wards/TGH-W1/",
        f"/beds/{bed.pk}/",
    ):  # fmt: skip
        page.goto(address)
        page.wait_for_timeout(300)
        found[address] = complaints_in_both(page)
    assert {address: said for address, said in found.items() if said} == {}


@pytest.mark.parametrize("size", ["390x844", "683x384", "1024x768", "1366x768", "1920x1080"])
def test_no_page_of_rounds_and_work_scrolls_sideways(
    full: Care, opens: Opens, manager: User, size: str
) -> None:
    """Nor with text twice as large."""
    one = full.stays()[0]
    full.hospital.admit(full.hospital.wards[0], family="Wolfeschlegelsteinhausenbergerdorff")
    mine = full.waits(one, "p3-capacity")
    full.waits(one, "p2-capacity")
    page = opens(manager, "/search/", size=size)
    found = {}
    for address in (f"{ROUND}&patient={one.pk}", "/work/", LIST, f"/barriers/{mine.pk}/"):
        for larger in ("100%", "200%"):
            if larger == "200%" and size != "1366x768":
                continue
            page.goto(address)
            page.evaluate(f"document.documentElement.style.fontSize = '{larger}'")
            page.wait_for_timeout(250)
            found[address, larger] = overflow(page)
    assert {where: much for where, much in found.items() if much} == {}
