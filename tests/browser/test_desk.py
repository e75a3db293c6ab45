"""A bed is asked for, found, held, cleaned and taken, on three screens at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from accounts.roles import Role
from tests.browser.conftest import Opens
from tests.browser.test_axe import complaints
from tests.screens.desk import in_emergency, load_example, make_male, request_of
from tests.screens.hospital import Hospital, user
from wards.barriers import Said
from wards.bed_states import record_status
from wards.facts import MovementKind
from wards.models import Occupancy, Override, Reservation
from wards.reservations import reserve

pytestmark = pytest.mark.browser

DESK = "/sites/TGH/desk/"
WARD = "/wards/TGH-W1/?site=TGH"
SECOND = "/wards/TGH-W2/?site=TGH"


def sound(page: Page) -> None:
    """axe finds nothing to complain of."""
    assert complaints(page) == []


def tab_to(page: Page, there: Locator) -> None:
    """Walk there with the Tab key, as somebody does who has no mouse."""
    expect(there).to_be_visible()
    for _ in range(120):
        if there.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("The Tab key does not lead there.")


def key_on(page: Page, there: Locator) -> None:
    tab_to(page, there)
    page.keyboard.press("Enter")


def open_first(page: Page, family: str) -> None:
    """The first need of the list, by its arrow keys."""
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_contain_text(family.upper())


def test_from_the_decision_to_the_bed_on_three_screens(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    bed = hospital.beds(hospital.wards[1])[0]
    record_status(
        bed=bed.pk,
        status="K",
        occurred_at=hospital.now - timedelta(hours=1),
        sent_at=hospital.now - timedelta(hours=1),
        source="feed",
        key="dirty",
    )
    nurse = user("ward2", Role.WARD_NURSE, ward=hospital.wards[1])
    cleaner = user("cleaner", Role.CLEANER, site=hospital.site)
    desk = opens(manager, DESK, size="1366x768")
    ward = opens(nurse, SECOND, size="1366x768")
    phone = opens(cleaner, "/cleaning/", size="390x844")
    expect(desk.get_by_text("Nobody needs a bed here now")).to_be_visible()

    in_emergency(hospital, family="Waiting")
    expect(desk.locator("tr.need")).to_have_count(1)
    sound(desk)
    open_first(desk, "Waiting")
    sound(desk)
    key_on(desk, desk.get_by_role("button", name="Hold bed 1 on Ward 2"))
    expect(desk.locator("#note")).to_contain_text("Bed 1 on Ward 2 is held until")
    expect(desk.locator("tr.need.has-bed")).to_contain_text("to be cleaned")
    tile = ward.locator(f"#bed-{bed.pk}")
    expect(tile).to_contain_text("Held")
    sound(ward)

    key_on(phone, phone.get_by_role("button", name="Start").first)
    expect(tile).to_contain_text("Being cleaned")
    key_on(phone, phone.get_by_role("button", name="Done").first)
    expect(tile).not_to_contain_text("To be cleaned")
    expect(desk.locator("tr.need.has-bed")).to_contain_text("ready")

    open_first(desk, "Waiting")
    key_on(desk, desk.get_by_role("button", name="Move there now"))
    expect(desk.locator("#note")).to_contain_text("Moved to bed 1 on Ward 2")
    expect(tile).to_contain_text("WAITING")
    expect(desk.get_by_text("Nobody needs a bed here now")).to_be_visible()
    assert Occupancy.objects.filter(bed=bed, period__endswith__isnull=True).count() == 1


def test_by_keyboard_alone_a_rule_refuses_and_is_set_aside(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    make_male(hospital.wards[0])
    fact = in_emergency(hospital, family="Waiting")
    page = opens(manager, DESK, size="1366x768")
    open_first(page, "Waiting")
    expect(page.locator("#drawer")).to_contain_text("No bed suits now")
    key_on(page, page.locator("summary", has_text="Against a rule, if you say why"))
    why = page.get_by_label("Why bed 1 on Ward 2 is right against the rule")
    key_on(page, page.get_by_role("button", name="Hold bed 1 on Ward 2"))
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("say why")
    sound(page)
    tab_to(page, page.get_by_label("Why it is right against the rule", exact=True))
    page.keyboard.type("The last bed there is")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("is held until")
    expect(why).to_have_count(0)
    kept = Override.objects.get()
    assert (kept.episode_id, kept.reason, kept.by) == (
        request_of(fact).episode_id,
        "The last bed there is",
        manager,
    )


def test_enter_in_the_field_of_a_bed_holds_that_bed_for_that_reason(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    in_emergency(hospital, family="Waiting")
    page = opens(manager, DESK, size="1366x768")
    open_first(page, "Waiting")
    key_on(page, page.locator("summary", has_text="Against a rule, if you say why"))
    tab_to(page, page.get_by_label("Why bed 3 on Ward 2 is right against the rule"))
    page.keyboard.type("Nearest the nurses")
    sound(page)
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Bed 3 on Ward 2 is held until")
    assert Override.objects.get().reason == "Nearest the nurses"
    assert Reservation.objects.get().bed == hospital.beds(hospital.wards[1])[2]


def test_by_keyboard_from_a_name_typed_to_the_need_found(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    for number, family in enumerate(("Autumn", "Winter", "Wintergreen")):
        in_emergency(hospital, family=family, hours=3 - number)
    page = opens(manager, DESK, size="1920x1080")
    rows, field = page.locator("tr.need:visible"), page.locator("[data-finds]")
    expect(rows).to_have_count(3)
    page.keyboard.press("f")
    expect(field).to_be_focused()
    page.keyboard.type("nobody at all")
    expect(rows).to_have_count(0)
    for key in ("ArrowDown", "Enter"):
        page.keyboard.press(key)
        expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows).to_have_count(3)
    expect(field).to_have_value("")
    expect(field).not_to_be_focused()
    page.keyboard.press("f")
    page.keyboard.type("winter")
    expect(rows).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0).locator("a[data-tile]")).to_be_focused()
    expect(rows.nth(0)).to_contain_text("WINTER")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1).locator("a[data-tile]")).to_be_focused()
    # Out of the field the arrow goes to the first that is there to be seen.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(0).locator("a[data-tile]")).to_be_focused()
    page.keyboard.press("f")
    page.keyboard.type("wintergreen")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_contain_text("WINTERGREEN")
    # Beside an open drawer the field is left alone; the drawer is left by the next Escape.
    field.focus()
    page.keyboard.press("Escape")
    expect(rows).to_have_count(3)
    expect(page.locator("#drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()


def test_what_is_over_meanwhile_is_said_to_be_over(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    fact = in_emergency(hospital, family="Waiting")
    in_emergency(hospital, family="Second")
    page = opens(manager, DESK, size="1366x768")
    row = page.locator("tr.need", has_text="WAITING").locator("a[data-tile]")
    row.click()
    hold = page.get_by_role("button", name="Hold bed").first
    expect(hold).to_be_visible()
    # The list has not heard yet that they have left.
    page.route("**/desk/?*fragment=1*", lambda route: route.abort())
    hospital.tell(fact, MovementKind.DISCHARGED, ago=timedelta(0))
    hold.click()
    note = page.locator("#note")
    expect(note).to_have_text(
        re.compile("This is over by now: nothing was recorded. Look at the list again.")
    )
    expect(note).not_to_contain_text("Try again")
    sound(page)
    page.unroute("**/desk/?*fragment=1*")
    key_on(page, note.get_by_role("button", name="Look again"))
    expect(page.locator("#drawer")).to_be_hidden()
    expect(note).to_be_hidden()
    expect(row).to_have_count(0)
    expect(page.locator("tr.need", has_text="SECOND").locator("a[data-tile]")).to_be_focused()
    assert page.url.endswith(DESK), "and not at a page that is not there"


def test_after_a_deed_the_keyboard_goes_on_with_the_next_of_the_list(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    for number, family in enumerate(("Autumn", "Spring", "Summer", "Winter")):
        in_emergency(hospital, family=family, hours=3 - number / 2)
    page = opens(manager, DESK, size="1366x768")
    rows = page.locator("tr.need")
    expect(rows.nth(0)).to_contain_text("AUTUMN")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    for number, family in enumerate(("Spring", "Summer")):
        page.keyboard.press("Enter")
        expect(page.locator("#drawer h2")).to_contain_text(family.upper())
        key_on(page, page.get_by_role("button", name=f"Hold bed {number + 1} on Ward 2"))
        expect(page.locator("#note")).to_contain_text("is held until")
        expect(page.locator("tr.need.has-bed")).to_have_count(number + 1)
        expect(rows.nth(1).locator("a[data-tile]")).to_be_focused()
    expect(rows.nth(1)).to_contain_text("WINTER")
    # One that stays where it stood keeps it.
    page.keyboard.press("Enter")
    key_on(page, page.locator("summary", has_text="What they need of a bed"))
    key_on(page, page.get_by_role("button", name="Keep"))
    expect(page.locator("#note")).to_contain_text("What they need is kept")
    expect(rows.nth(1)).to_contain_text("WINTER")
    expect(rows.nth(1).locator("a[data-tile]")).to_be_focused()


def test_nobody_is_asked_about_text_that_was_never_typed(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    make_male(hospital.wards[1])
    in_emergency(hospital, family="Waiting")
    page = opens(manager, DESK, size="1366x768")
    unsent = page.get_by_role("dialog", name="Nothing has been recorded yet")
    for typed in ("", "x" * 501):
        open_first(page, "Waiting")
        key_on(page, page.locator("summary", has_text="Against a rule, if you say why"))
        why = page.get_by_label("Why bed 1 on Ward 2 is right against the rule")
        why.evaluate("(field, text) => { field.value = text; }", typed)
        key_on(page, page.get_by_role("button", name="Hold bed 1 on Ward 2"))
        expect(page.locator(".nhsuk-error-summary")).to_be_focused()
        page.keyboard.press("Escape")
        if typed:
            expect(unsent).to_be_visible()
            key_on(page, unsent.get_by_role("button", name="Go on typing"))
            expect(why).to_have_value(typed)
        else:
            expect(page.locator("#drawer")).to_be_hidden()
            expect(unsent).to_be_hidden()


@pytest.mark.parametrize("size", ["1920x1080", "390x844"])
def test_desk_and_proposal_are_sound_light_and_dark(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    load_example(hospital)
    for number in range(3):
        in_emergency(hospital, family=f"Test{number}", hours=3 + 5 * number)
    for dark in (False, True):
        page = opens(manager, DESK, size=size, dark=dark)
        sound(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= int(size.split("x")[0])
        page.get_by_role("link", name="Propose beds for everybody").click()
        expect(page.get_by_role("heading", name="Beds for everybody")).to_be_visible()
        sound(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= int(size.split("x")[0])


@pytest.mark.parametrize("size", ["1366x768", "390x844"])
def test_by_keyboard_somebody_is_expected_and_comes(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    page = opens(manager, DESK, size=size)
    key_on(page, page.get_by_role("link", name="Expect somebody"))
    expect(page.get_by_role("heading", name="Expect somebody")).to_be_visible()
    sound(page)
    tab_to(page, page.get_by_label("Given name"))
    page.keyboard.type("Ada")
    key_on(page, page.get_by_role("button", name="Expect them"))
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Choose the ward")
    sound(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= int(size.split("x")[0])
    expect(page.get_by_label("Given name")).to_have_value("Ada")
    tab_to(page, page.get_by_label("Family name"))
    page.keyboard.type("Winter")
    tab_to(page, page.get_by_label("Ward asked for"))
    page.keyboard.type("Ward 2")
    key_on(page, page.get_by_role("button", name="Expect them"))
    expect(page.get_by_text("They are expected on Ward 2")).to_be_visible()
    sound(page)
    key_on(page, page.get_by_role("button", name="Has come to bed 1 on Ward 2"))
    expect(page.get_by_text("Admitted to bed 1 on Ward 2")).to_be_visible()
    assert Occupancy.objects.filter(
        bed=hospital.beds(hospital.wards[1])[0], period__endswith__isnull=True
    ).exists()


def test_a_patient_is_dragged_to_a_bed_and_the_board_says_first_what_would_follow(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    load_example(hospital)
    beds = hospital.beds(hospital.wards[0])
    stay = Occupancy.objects.get(bed=beds[0]).episode_id
    page = opens(manager, WARD, size="1920x1080")
    page.locator(f"#bed-{beds[0].pk}").drag_to(page.locator(f"#bed-{beds[5].pk}"))
    look = page.locator(".preview")
    expect(look).to_contain_text("To bed 6: what would follow")
    expect(look.get_by_role("button", name="Move to bed 6")).to_be_focused()
    assert complaints(page) == []
    assert Occupancy.objects.get(episode=stay, period__endswith__isnull=True).bed_id == beds[0].pk
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Moved to Ward 1")
    expect(page.locator(f"#bed-{beds[0].pk}")).to_contain_text("Free")
    assert Occupancy.objects.get(episode=stay, period__endswith__isnull=True).bed_id == beds[5].pk
    # The last deed is taken back while nothing depends on it.
    page.locator(f"#bed-{beds[5].pk}").click()
    page.locator("#drawer").get_by_role("button", name="Undo").first.click()
    expect(page.locator(f"#bed-{beds[5].pk}")).to_contain_text("Free")


def test_by_key_two_patients_change_places(hospital: Hospital, opens: Opens, manager: User) -> None:
    beds = hospital.beds(hospital.wards[0])
    before = [Occupancy.objects.get(bed=bed).episode_id for bed in beds[:2]]
    page = opens(manager, WARD, size="1366x768")
    page.locator(f"#bed-{beds[0].pk}").focus()
    page.keyboard.press("m")
    asks = page.get_by_role("dialog", name="Move to which bed?")
    expect(asks).to_be_visible()
    assert complaints(page) == []
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    expect(asks).to_contain_text("No bed on this board is called that")
    page.get_by_label("Bed on this board").fill("2")
    page.keyboard.press("Enter")
    expect(page.locator(".preview")).to_contain_text("the two would change places")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("They have changed places")
    after = [
        Occupancy.objects.get(bed=bed, period__endswith__isnull=True).episode_id for bed in beds[:2]
    ]
    assert after == before[::-1]


def test_by_key_a_free_bed_of_another_ward_is_named_with_its_ward(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    bed, to = hospital.beds(hospital.wards[0])[0], hospital.beds(hospital.wards[1])[2]
    stay = Occupancy.objects.get(bed=bed).episode_id
    page = opens(manager, WARD, size="1366x768")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url.lower()))
    page.locator(f"#bed-{bed.pk}").focus()
    page.keyboard.press("m")
    asks = page.get_by_role("dialog", name="Move to which bed?")
    field = page.get_by_label("Bed on this board")
    for typed, wrong in (
        ("Ward 2 99", "No bed called that is free on Ward 2"),
        ("Jane Nobody", "No bed on this board is called that"),
        ("TGH-W1 99", "No bed called that is free on Ward 1"),
    ):
        field.fill(typed)
        page.keyboard.press("Enter")
        expect(asks).to_contain_text(wrong)
        sound(page)
    assert not any("nobody" in url for url in sent), "what is typed might be a name"
    field.fill(" tgh-w2  3 ")
    page.keyboard.press("Enter")
    look = page.locator(".preview")
    expect(look).to_contain_text("To bed 3 on Ward 2: what would follow")
    expect(look.get_by_role("button", name="Move to bed 3")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("Moved to Ward 2")
    assert Occupancy.objects.get(episode=stay, period__endswith__isnull=True).bed_id == to.pk


@pytest.mark.parametrize(
    "typed", ["W2 3", "bed 3 W2", "Ward 2, bed 3", "2 bed 3", "tgh w2 3", "gh-w2 3"]
)
def test_by_key_a_bed_is_named_as_the_search_understands_it(
    hospital: Hospital, opens: Opens, manager: User, typed: str
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    page = opens(manager, WARD, size="1366x768")
    page.locator(f"#bed-{bed.pk}").focus()
    page.keyboard.press("m")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator(".preview")).to_contain_text("To bed 3 on Ward 2: what would follow")


def test_by_key_a_bed_of_this_board_is_named_with_its_ward_too(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    page = opens(manager, WARD, size="1366x768")
    for typed in ("bed 6", "W1 6", "bed 6 ward 1"):
        page.locator(f"#bed-{hospital.beds(hospital.wards[0])[0].pk}").focus()
        page.keyboard.press("m")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.locator(".preview h3")).to_have_text("To bed 6: what would follow")
        page.keyboard.press("Escape")
        expect(page.locator("#drawer")).to_be_hidden()


@pytest.mark.parametrize("size", ["1366x768", "390x844"])
def test_what_would_follow_is_read_before_it_is_done(
    hospital: Hospital, opens: Opens, manager: User, size: str
) -> None:
    load_example(hospital)
    make_male(hospital.wards[0])
    beds = hospital.beds(hospital.wards[0])
    page = opens(manager, WARD, size=size)
    page.locator(f"#bed-{beds[0].pk}").focus()
    page.keyboard.press("m")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    look, deed = page.locator(".preview"), page.get_by_role("button", name="Change places")
    expect(deed).to_be_focused()
    expect(look).to_be_in_viewport(ratio=1)
    expect(look.locator(".whom .name")).to_be_visible()
    # A line is read as a line, with the name in it.
    for line in look.locator(".reasons li").all():
        text = line.locator("> .said")
        assert text.evaluate("node => node.offsetWidth / node.parentNode.offsetWidth") > 0.8
        assert line.locator("> *").count() == 2
    sound(page)
    page.keyboard.press("Escape")
    # Where it is longer than the drawer it is read from its heading, the deed one Tab away.
    page.set_viewport_size({"width": int(size.split("x")[0]), "height": 200})
    page.locator(f"#bed-{beds[0].pk}").focus()
    page.keyboard.press("m")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("#preview-title")).to_be_focused()
    expect(page.locator("#preview-title")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(deed).to_be_focused()


def test_by_key_no_bed_is_chosen_on_a_ward_that_gives_its_own(
    hospital: Hospital, opens: Opens, nurse: User
) -> None:
    bed = hospital.beds(hospital.wards[0])[0]
    page = opens(nurse, WARD, size="390x844")
    page.locator(f"#bed-{bed.pk}").focus()
    page.keyboard.press("m")
    page.keyboard.type("TGH-W2 3")
    page.keyboard.press("Enter")
    asks = page.get_by_role("dialog", name="Move to which bed?")
    expect(asks).to_contain_text("or you may not choose beds there")
    sound(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Bed on this board").fill("TGH-W1 2")
    page.keyboard.press("Enter")
    expect(page.locator(".preview")).to_contain_text("the two would change places")


def test_a_bed_held_for_somebody_else_is_no_place_to_drop_a_patient(
    hospital: Hospital, opens: Opens, manager: User
) -> None:
    request = request_of(in_emergency(hospital, family="Waiting"))
    bed = hospital.beds(hospital.wards[0])[5]
    reserve(request=request, bed=bed.pk, said=Said(timezone.now(), manager))
    page = opens(manager, WARD, size="1366x768")
    first = hospital.beds(hospital.wards[0])[0]
    page.locator(f"#bed-{first.pk}").drag_to(page.locator(f"#bed-{bed.pk}"))
    expect(page.locator(".preview")).to_contain_text("held for somebody else until")
    expect(page.locator(".preview").get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize(("size", "most"), [("390x844", 130), ("1366x768", 70)])
def test_nothing_that_has_the_focus_lies_under_the_bar_of_the_proposal(
    hospital: Hospital, opens: Opens, manager: User, size: str, most: int
) -> None:
    load_example(hospital)
    for number in range(6):
        in_emergency(hospital, family=f"Test{number}", hours=3 + number)
    page = opens(manager, f"{DESK}proposal/", size=size)
    bar, ticks = page.locator(".accept"), page.locator("input[name=accept]")
    box = bar.bounding_box()
    assert box is not None
    assert box["height"] < most
    assert (
        ticks.first.locator("..").evaluate("one => getComputedStyle(one).borderLeftWidth") == "0px"
    )
    for tick in ticks.all():
        tab_to(page, tick)
        there, over = tick.bounding_box(), bar.bounding_box()
        assert there is not None
        assert over is not None
        assert there["y"] + there["height"] <= over["y"]
