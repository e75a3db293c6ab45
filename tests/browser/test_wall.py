"""Wall screens in a real browser: paired, followed, cut off, brought back, revoked, turned for
long, and measured from top to bottom."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from accounts.models import Team, User
from huddles.meetings.holding import open_meeting
from huddles.models import Action
from huddles.screens.recognising import COOKIE
from live import doorbell
from tests.browser.conftest import Opens, Server, until_quiet
from tests.browser.test_axe import complaints
from tests.huddles.meeting import next_start, template_of
from tests.huddles.screens.hanging import every_page, hung, looker, lounge_of, page_of
from tests.screens.hospital import Hospital, add_beds
from tests.screens.test_contrast import contrast
from wards.bed_states import close, record_status
from wards.facts import MovementKind
from wards.models import Bed, Ward

pytestmark = pytest.mark.browser
DARK_WITHIN = 10.0


@pytest.fixture
def walls(browser: Browser, server: Server) -> Iterator[dict[str, Any]]:
    """Opens the browser of a screen: `walls["open"](secret, "1920x1080")`."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_wall(secret: str = "", size: str = "1920x1080") -> Page:
        width, height = map(int, size.split("x"))
        context = browser.new_context(
            base_url=server.address, viewport={"width": width, "height": height}
        )
        contexts.append(context)
        if secret:
            context.add_cookies([{"name": COOKIE, "value": secret, "url": server.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/screen/")
        return page

    yield {"open": open_wall}
    for context in contexts:
        context.close()
    until_quiet()
    assert errors == []


def live(page: Page) -> None:
    expect(page.locator("#line")).to_have_attribute("data-line", "live")


def test_the_life_of_a_screen(
    hospital: Hospital, opens: Opens, server: Server, manager: User, walls: dict[str, Any]
) -> None:
    ward = hospital.wards[0]
    wall: Page = walls["open"]()
    code = wall.locator(".code").inner_text()

    # A manager pairs it.
    desk = opens(manager, "/screens/")
    desk.get_by_role("button", name="Pair a screen").click()
    desk.get_by_label("Code on the screen").fill(code.lower())
    desk.get_by_label("Name").fill("Ward 1, nurses' station")
    desk.get_by_label("Who passes by").select_option("closed")
    desk.get_by_label("Page 1", exact=True).select_option(f"ward:{ward.pk}")
    assert complaints(desk) == []
    desk.get_by_role("button", name="Pair", exact=True).click()
    expect(desk.get_by_text("is paired and shows its first page")).to_be_visible()
    assert complaints(desk) == []

    # It shows what it was given, and a move within two seconds.
    expect(wall.locator("h1")).to_have_text("Ward 1")
    live(wall)
    wall.evaluate("window.untouched = true")
    fifth = wall.locator(".tile", has=wall.get_by_text("5", exact=True))
    expect(fifth).to_contain_text("free")
    started = time.monotonic()
    hospital.admit(hospital.beds(ward)[4], ago=timedelta(0))
    expect(fifth).to_contain_text("GF", timeout=2_000)
    assert time.monotonic() - started < 2
    expect(fifth).to_have_class(re.compile(r"\bchanged\b"))

    # Its server is killed: it says so within ten seconds, and fades.
    server.kill()
    expect(wall.locator("#lost")).to_be_visible(timeout=10_000)
    expect(wall.locator("#lost")).to_contain_text(re.compile(r"No connection since \d\d:\d\d:\d\d"))
    assert "grayscale" in wall.locator("#wall").evaluate("e => getComputedStyle(e).filter")
    hospital.admit(hospital.beds(ward)[5], ago=timedelta(0))

    # It is back, and so is the screen, untouched.
    server.start()
    expect(wall.locator(".tile.is-occupied")).to_have_count(6, timeout=45_000)
    expect(wall.locator("#lost")).to_be_hidden()
    live(wall)
    assert wall.evaluate("window.untouched")
    assert wall.locator("#wall").evaluate("e => getComputedStyle(e).filter") == "none"

    # Another playlist is shown by itself.
    desk.goto("/screens/")
    desk.get_by_role("link", name="Ward 1, nurses' station").click()
    desk.get_by_label("Page 1", exact=True).select_option("cleaning")
    desk.get_by_role("button", name="Keep").click()
    expect(wall.locator("h1")).to_have_text("Beds to clean", timeout=DARK_WITHIN * 1000)
    live(wall)

    # Revoked, it shows nothing but a code.
    desk.get_by_role("button", name="Revoke").click()
    started = time.monotonic()
    expect(wall.locator(".code")).to_be_visible(timeout=DARK_WITHIN * 1000)
    assert time.monotonic() - started < DARK_WITHIN
    expect(wall.locator("#wall")).to_have_count(0)
    assert wall.locator(".code").inner_text() != code


def test_a_line_that_is_dead_without_saying_so_is_noticed_within_ten_seconds(
    hospital: Hospital, server: Server, walls: dict[str, Any]
) -> None:
    client, _screen = hung(hospital.site, "public")
    wall: Page = walls["open"](client.cookies[COOKIE].value)
    live(wall)
    server.freeze()
    try:
        expect(wall.locator("#lost")).to_be_visible(timeout=10_000)
    finally:
        server.thaw()
    expect(wall.locator("#lost")).to_be_hidden(timeout=45_000)
    live(wall)


# --- for weeks ----------------------------------------------------------------------------------


def weight(tools: CDPSession) -> dict[str, float]:
    """What the page holds once everything that can be let go has been."""
    for _ in range(2):
        tools.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


TURNS = """(turns) => new Promise((done) => {
  let left = turns;
  const turn = () => document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  const seen = () => {
    left -= 1;
    if (left > 0) return setTimeout(turn, 0);
    document.removeEventListener("flowboard:shown", seen);
    done();
  };
  document.addEventListener("flowboard:shown", seen);
  turn();
})"""


def test_turning_for_long_takes_no_more_memory(hospital: Hospital, walls: dict[str, Any]) -> None:
    pages = every_page(hospital.wards[0], lounge_of(hospital.site))
    client, _screen = hung(hospital.site, "closed", *pages)
    wall: Page = walls["open"](client.cookies[COOKIE].value)
    live(wall)
    tools = wall.context.new_cdp_session(wall)
    tools.send("Performance.enable")
    wall.evaluate(TURNS, 60)
    before = weight(tools)
    for _round in range(4):
        doorbell.ring(["system", "cleaning", f"ward:{hospital.wards[0].pk}"])
        wall.evaluate(TURNS, 75)
    after = weight(tools)
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 200_000
    assert after["JSEventListeners"] <= before["JSEventListeners"]
    assert after["Nodes"] <= before["Nodes"] * 1.2


# --- seen from four metres ----------------------------------------------------------------------


@pytest.fixture
def busy(hospital: Hospital) -> Hospital:
    """Walls with everything on them: 34 beds, an emergency department of 70, waits, closures, 20
    beds to clean, a huddle that speaks of safety, and much that was agreed."""
    ward = hospital.wards[0]
    add_beds(ward, 28, first=6)
    add_beds(hospital.emergency, 70)
    beds, places = hospital.beds(ward), hospital.beds(hospital.emergency)
    with hospital.together():
        taken = [hospital.admit(bed) for bed in (*beds[4:30], *places[:60])]
        for _ in range(3):
            waits = hospital.admit(hospital.emergency)
            hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=ward)
        for stay in (taken[0], *taken[30:34]):
            hospital.tell(stay, MovementKind.PENDING_DISCHARGE)
        for stay in taken[34:40]:
            hospital.tell(stay, MovementKind.PENDING_TRANSFER, wanted=ward)
    hospital.tell(taken[1], MovementKind.LEFT)
    hospital.admit(places[0], ago=timedelta(hours=1))
    since = hospital.now - timedelta(hours=1)
    close(bed=beds[31].pk, reason="infection", since=since, by=None)
    for number in range(24):
        name = f"Ward {number} Respiratory and Diabetes Medicine"
        more = Ward.objects.create(site=hospital.site, code=f"M{number}", name=name, position=9)
        add_beds(more, 2)
        if number < 16:
            dirty(hospital, hospital.beds(more)[0])
    for number, bed in enumerate((beds[32], beds[33], places[68], places[69])):
        dirty(hospital, bed, "terminal" if number % 2 else "")
    agree_much(hospital)
    return hospital


def dirty(hospital: Hospital, bed: Bed, level: str = "") -> None:
    record_status(
        bed=bed.pk,
        status="K",
        level=level,
        occurred_at=hospital.now - timedelta(hours=1),
        sent_at=hospital.now,
        source="feed",
        key=f"dirty {bed.pk}",
    )


def agree_much(hospital: Hospital) -> None:
    """Sixteen actions, four of them late, and a huddle that asks its questions of safety."""
    site, by = hospital.site, looker()
    name = "Integrated Discharge and Transfer Team"
    team = Team.objects.create(organisation=site.organisation, code="ID", name=name)
    ward = Ward.objects.get(code="M7")
    for number in range(16):
        Action.objects.create(
            site=site, ward=ward, bed=hospital.beds(ward)[0], text="typed", team=team, by=by,
            due_at=hospital.now + timedelta(hours=number - 4, minutes=30), agreed_at=hospital.now,
        )  # fmt: skip
    starts = next_start()
    template = template_of(hospital, starts=starts)
    open_meeting(template=template, starts_at=starts, first="safety", at=hospital.now, by=by)


LOOK = """(withColours) => {
  const height = innerHeight;
  const found = { small: [], figures: [], outside: [], cut: [], over: [], contrasts: [] };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/^rgba.*, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const boxes = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    if (!own.length || !element.getClientRects().length) continue;
    if (element.closest("[hidden], .unseen, script")) continue;
    const what = `${element.className || element.tagName} ${element.textContent.trim()}`;
    const size = parseFloat(style.fontSize);
    if (size < height / 40 - 0.01) found.small.push(`${what} ${size}`);
    if (element.matches(".wall-figures .number")) found.figures.push(size / height);
    for (const node of own) {
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) if (box.width) boxes.push({ box, what, element });
    }
    const ink = element.closest("svg") ? style.fill : style.color;
    if (withColours) found.contrasts.push([ink, ground(element), what]);
  }
  const SLACK = 2;
  for (const { box, what, element } of boxes) {
    if (box.right > innerWidth + SLACK || box.bottom > height + SLACK || box.top < -SLACK
      || box.left < -SLACK) found.outside.push(what);
    for (let one = element; one !== document.body; one = one.parentElement) {
      if (one.matches(".jobs, .boxes, .wall-picture, .tile") || getComputedStyle(one).overflow
        !== "visible") {
        const room = one.getBoundingClientRect();
        // The frame of a letter is higher than the letter.
        const high = SLACK + box.height / 5;
        if (box.right > room.right + SLACK || box.left < room.left - SLACK
          || box.bottom > room.bottom + high || box.top < room.top - high) {
          found.cut.push(`${what} in ${one.className || one.tagName}`);
        }
      }
    }
  }
  boxes.forEach((one, place) => {
    for (const other of boxes.slice(place + 1)) {
      const [a, b] = [one.box, other.box];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > SLACK && high > Math.min(a.height, b.height) / 4) {
        found.over.push(`${one.what} on ${other.what}`);
      }
    }
  });
  return found;
}"""


def hexed(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


SIZES = {"1920x1080": 1 / 12, "3840x2160": 1 / 12, "1080x1920": 1 / 16, "2160x3840": 1 / 16}
"""Least height of the large figures as a part of the screen's; upright there is less room."""


def test_every_wall_can_be_read_from_four_metres(busy: Hospital, walls: dict[str, Any]) -> None:
    lounge = lounge_of(busy.site)
    emergency = page_of("ward", busy.emergency)
    pages = [*every_page(busy.wards[0], lounge), emergency, page_of("ward", busy.wards[1])]
    assert len(pages) == 8
    screens = {zone: hung(busy.site, zone, *pages)[0] for zone in ("public", "closed")}
    wrong = []
    for size, (zone, client) in product(SIZES, screens.items()):
        wall: Page = walls["open"](client.cookies[COOKIE].value, size)
        live(wall)
        for number, shown in enumerate(pages):
            if number:
                wall.evaluate(TURNS, 1)
            expect(wall.locator(".wall-head h1")).to_be_visible()
            where = f"{size} {zone} {shown.layout}"
            wrong += [f"{where}: {one}" for one in faults(wall, size)]
            if size == "1920x1080":
                wrong += [f"{where}: {one}" for one in complaints(wall)]
            wrong += [f"{where}: {one}" for one in left_out(wall, shown.layout, zone)]
        wall.close()
    assert not wrong, "\n".join(wrong)


def left_out(wall: Page, layout: str, zone: str) -> list[str]:
    """Of beds and of actions none is gone without being counted."""
    if zone != "closed":
        return []
    found = []
    if layout == "cleaning":
        rows = wall.locator(".jobs tbody tr:visible").count()
        if f"and {20 - rows} more" not in wall.locator(".jobs").inner_text():
            found.append(f"{rows} jobs, and not how many more")
    if layout == "site" and "4 late · 11 more" not in wall.locator(".agreed .counts").inner_text():
        found.append("how many are agreed is not seen")
    if wall.locator("h1").inner_text() == "Emergency Department":
        tiles = wall.locator(".tile:visible").count()
        if tiles < 70 and f"and {70 - tiles} more" not in wall.locator(".boxes").inner_text():
            found.append(f"{tiles} places, and not how many more")
    return found


def faults(wall: Page, size: str) -> list[str]:
    """What is too small, cut off, printed over or, light or dark, too faint on the page that is
    shown. Colours are the same at every size."""
    seen = wall.evaluate(LOOK, False)
    kinds = ("small", "outside", "cut", "over")
    found = [f"{kind} {seen[kind]}" for kind in kinds if seen[kind]]
    found += [f"a figure of {one:.3f}" for one in seen["figures"] if one < SIZES[size]]
    for media in ("not all", "all") if size == "1920x1080" else ():
        wall.evaluate(f"document.getElementById('dark-style').media = {media!r}")
        wall.wait_for_timeout(50)
        found += [
            f"{what} {ink} on {ground}"
            for ink, ground, what in wall.evaluate(LOOK, True)["contrasts"]
            if contrast(hexed(ink), hexed(ground)) < 4.5
        ]
    return found


def test_codes_and_what_is_lost_can_be_read_too(
    hospital: Hospital, server: Server, walls: dict[str, Any]
) -> None:
    for size in SIZES:
        wall: Page = walls["open"]("", size)
        expect(wall.locator(".code")).to_be_visible()
        seen = wall.evaluate(LOOK, False)
        assert (seen["small"], seen["outside"], seen["over"]) == ([], [], [])
        assert complaints(wall) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pages_of_those_who_look_after_screens(
    hospital: Hospital, opens: Opens, manager: User, dark: bool
) -> None:
    pages = [page_of("ward", hospital.wards[0]), page_of("site")]
    _client, screen = hung(hospital.site, "staff", *pages)
    page = opens(manager, "/screens/", dark=dark)
    for address in ("/screens/", "/screens/pair/?site=TGH", f"/screens/{screen.pk}/"):
        page.goto(address)
        for width, height in ((390, 844), (1366, 768), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert complaints(page) == []
