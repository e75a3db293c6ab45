"""The list of beds to clean in a browser: on a phone, by touch and by keys, followed live."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.roles import Role
from patients.models import Episode
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.browser.test_layout import overflow
from tests.screens.hospital import FAMILY, Hospital, user
from wards import bed_states, cleaning
from wards.models import Bed, Reservation, Ward

pytestmark = pytest.mark.browser
LIST = "/cleaning/"
PHONE = "390x844"


@pytest.fixture
def cleaner(hospital: Hospital) -> User:
    return user("mopsy", Role.CLEANER, site=hospital.site)


def ask(bed: Bed, by: User, *, level: str = "routine", ago: int = 0) -> None:
    at = timezone.now() - timedelta(minutes=ago)
    cleaning.ask(bed=bed.pk, level=level, at=at, by=by)


@pytest.fixture
def jobs(hospital: Hospital, nurse: User) -> list[Bed]:
    """Three beds to clean: one held and terminal, one that waits long, one closed."""
    held, long, shut = hospital.beds(hospital.wards[1])[:3]
    for bed, ago, level in ((long, 70, "routine"), (held, 5, "terminal"), (shut, 90, "routine")):
        ask(bed, nurse, ago=ago, level=level)
    now = timezone.now()
    waits = Episode.objects.present(at=now).first()
    assert waits is not None
    Reservation.objects.create(
        episode=waits, key="k", bed=held, period=DateTimeTZRange(now, now + timedelta(minutes=50))
    )
    bed_states.close(bed=shut.pk, reason="estates", since=now - timedelta(hours=2), by=nurse)
    return [held, long, shut]


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def labels(page: Page) -> list[str]:
    return page.locator(".job .number").all_inner_texts()


def test_a_cleaner_works_through_the_list_on_a_phone(
    jobs: list[Bed], hospital: Hospital, opens: Opens, cleaner: User, nurse: User
) -> None:
    page = opens(cleaner, "/", size=PHONE)
    expect(page).to_have_url(f"{page.url.split('/cleaning')[0]}{LIST}")
    live(page)
    assert labels(page) == ["1", "2", "3"]
    first = page.locator(f"#job-{jobs[0].pk}")
    expect(first).to_contain_text("Terminal clean")
    expect(first).to_contain_text("Somebody waits for it: held until")
    assert FAMILY.upper() not in page.content().upper()
    assert overflow(page) == {}
    assert complaints(page) == []
    button = first.get_by_role("button", name="Start")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["width"] >= 80
    button.click()
    mine = page.locator("section", has=page.get_by_role("heading", name="You are cleaning"))
    expect(mine.locator(f"#job-{jobs[0].pk}")).to_be_visible()
    # Another bed falls due elsewhere: it comes by itself.
    ask(hospital.beds(hospital.wards[0])[5], nurse)
    expect(page.locator(".job")).to_have_count(4)
    mine.get_by_role("button", name="Done").click()
    expect(page.locator(".job")).to_have_count(3)
    expect(page.locator(".said-last")).to_contain_text("bed 1, Ward 2, ready")
    assert complaints(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".job")).to_have_count(4)
    expect(mine.locator(f"#job-{jobs[0].pk}")).to_be_visible()
    assert overflow(page) == {}


def test_many_wards_scroll_in_their_own_row(
    hospital: Hospital, opens: Opens, cleaner: User, nurse: User
) -> None:
    for number in range(3, 13):
        ward = Ward.objects.create(
            site=hospital.site, code=f"TGH-W{number}", name=f"Ward {number} of many"
        )
        ask(Bed.objects.create(ward=ward, label="1"), nurse)
    for ward in hospital.wards:
        ask(hospital.beds(ward)[-1], nurse)
    page = opens(cleaner, LIST, size=PHONE)
    row = page.get_by_role("navigation", name="Which ward")
    expect(row.get_by_role("link")).to_have_count(13)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = row.bounding_box()
    assert box is not None
    assert box["width"] <= 390
    last = row.get_by_role("link").last
    last.focus()
    expect(last).to_be_in_viewport(ratio=0.9)
    assert complaints(page) == []


def test_by_keys_alone_the_focus_goes_on_from_bed_to_bed(
    jobs: list[Bed], opens: Opens, cleaner: User
) -> None:
    page = opens(cleaner, LIST)
    live(page)
    page.locator(f"#go-{jobs[0].pk}").focus()
    page.keyboard.press("Enter")
    done = page.get_by_role("button", name="Done bed 1, Ward 2")
    expect(done).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"#go-{jobs[1].pk}")).to_be_focused()
    expect(page.locator(".job")).to_have_count(2)
    page.keyboard.press("z")
    expect(page.locator(".job")).to_have_count(3)
    expect(page.locator("#news")).to_have_text("Undone: bed 1, Ward 2 is as it was.")


def test_what_somebody_else_did_meanwhile_is_said_and_shown(
    jobs: list[Bed], opens: Opens, cleaner: User, nurse: User
) -> None:
    page = opens(cleaner, LIST, size=PHONE)
    live(page)
    page.route("**/cleaning/?fragment=1", lambda route: (
        route.continue_() if route.request.method == "POST" else route.abort()
    ))  # fmt: skip
    cleaning.begin(bed=jobs[1].pk, at=timezone.now(), by=nurse)
    page.locator(f"#go-{jobs[1].pk}").click()
    note = page.locator("#note")
    expect(note).to_contain_text("Bed 2 on Ward 2 is being cleaned already")
    page.unroute("**/cleaning/?fragment=1")
    others = page.locator("section", has=page.get_by_role("heading", name="Others are cleaning"))
    expect(others.locator(".job")).to_have_count(1, timeout=10_000)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, "1366x768"])
def test_full_and_empty_the_list_is_sound(
    jobs: list[Bed], opens: Opens, cleaner: User, nurse: User, size: str, dark: bool
) -> None:
    cleaning.begin(bed=jobs[1].pk, at=timezone.now(), by=nurse)
    page = opens(cleaner, LIST, size=size, dark=dark)
    live(page)
    assert complaints(page) == []
    assert overflow(page) == {}
    at = timezone.now()
    for bed in jobs:
        cleaning.done(bed=bed.pk, at=at, by=nurse)
    expect(page.get_by_text("All clean.")).to_be_visible(timeout=5_000)
    assert complaints(page) == []
