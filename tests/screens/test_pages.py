from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from flow import beginning
from flow.board_types import Sight
from flow.boards import system_board
from live import shared
from live.doorbell import ring
from tests.pages import steady
from tests.screens.hospital import FAMILY, Hospital, add_beds, build, signed_in, user
from wards.facts import MovementKind
from wards.models import Bed, BedStatus, Site, Ward

PAGES = ["/", "/sites/TGH/", "/wards/TGH-W1/"]


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def plain(page: str) -> str:
    """The words of a page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# --- who sees what ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*PAGES, "/search/", "/beds/1/", "/stays/1/"])
def test_every_page_asks_people_to_sign_in(client: Client, db: None, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/sign-in/")


@pytest.mark.parametrize("address", PAGES)
def test_somebody_without_a_role_is_told_whom_to_ask(hospital: Hospital, address: str) -> None:
    nobody = signed_in(user("nobody", None))
    assert "Ask your administrator" in text(nobody, address, 403)


def test_a_nurse_sees_the_own_ward_and_not_the_next_one(hospital: Hospital, nurse: Client) -> None:
    assert FAMILY.upper() in text(nurse, "/wards/TGH-W1/")
    assert "no role on this ward" in text(nurse, "/wards/TGH-W2/", 403)


@pytest.mark.parametrize("first", ["nurse", "observer"])
@pytest.mark.parametrize("suffix", ["", "?fragment=1"])
def test_names_never_reach_an_observer_whoever_came_first(
    hospital: Hospital, nurse: Client, observer: Client, first: str, suffix: str
) -> None:
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    order = [nurse, observer] if first == "nurse" else [observer, nurse]
    pages = {
        id(client): [text(client, f"{address}{suffix}") for address in PAGES]
        for client in [*order, *order]
    }
    assert pages[id(nurse)][2].count(FAMILY.upper()) == 4
    for page in pages[id(observer)]:
        assert FAMILY.upper() not in page
        assert "Given" not in page
        assert "MRN" not in steady(page)


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_site_names_those_who_wait_to_the_wards_they_wait_for(
    hospital: Hospital, nurse: Client, manager: Client, wanted: int
) -> None:
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[wanted])
    assert FAMILY.upper() in text(manager, "/sites/TGH/")
    assert (FAMILY.upper() in text(nurse, "/sites/TGH/")) == (wanted == 0)


def test_a_restricted_record_shows_no_name_even_on_the_own_ward(
    hospital: Hospital, nurse: Client
) -> None:
    hospital.admit(hospital.beds(hospital.wards[0])[5], family="Secretname", restricted=True)
    page = text(nurse, "/wards/TGH-W1/")
    assert "SECRETNAME" not in page
    assert "Restricted record" in page


def test_boards_with_names_are_never_kept_by_the_browser(hospital: Hospital, nurse: Client) -> None:
    assert nurse.get("/wards/TGH-W1/")["Cache-Control"] == "no-store"
    assert nurse.get("/wards/TGH-W1/?fragment=1")["Cache-Control"] == "no-store"


# --- the fragment -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_a_fragment_is_the_board_alone_and_is_sent_once(manager: Client, address: str) -> None:
    first = manager.get(f"{address}?fragment=1")
    assert b"<html" not in first.content
    assert first["X-Board"].split(":")[0] in ("system", "site", "ward")
    again = manager.get(f"{address}?fragment=1", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert not again.content
    whole = text(manager, address)
    assert f'data-etag="{first["ETag"].replace(chr(34), "&quot;")}"' in whole
    assert first.content.decode() in whole


def test_after_a_ring_the_fragment_is_drawn_anew(hospital: Hospital, manager: Client) -> None:
    address = "/wards/TGH-W1/?fragment=1"
    first = manager.get(address)
    hospital.admit(hospital.beds(hospital.wards[0])[4])
    ring([f"ward:{hospital.wards[0].pk}"])
    second = manager.get(address, headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    assert second.content.count(FAMILY.upper().encode()) == 5


# --- the past -----------------------------------------------------------------------------------


def at(hospital: Hospital, ago: timedelta) -> str:
    return "?" + urlencode({"at": (hospital.now - ago).isoformat()})


def test_any_past_moment_can_be_asked_for_and_looks_past(
    hospital: Hospital, manager: Client
) -> None:
    before = text(manager, f"/wards/TGH-W1/{at(hospital, timedelta(hours=6))}")
    after = text(manager, f"/wards/TGH-W1/{at(hospital, timedelta(hours=4))}")
    assert (before.count(FAMILY.upper()), after.count(FAMILY.upper())) == (0, 4)
    for page in (before, after):
        assert "The past:" in page
        assert "data-past" in page
        assert "Back to now" in page
    assert "The past:" not in text(manager, "/wards/TGH-W1/")


def test_a_past_moment_can_be_seen_as_it_was_known_then(
    hospital: Hospital, manager: Client
) -> None:
    # All four were told of just now, and said to have come five hours ago.
    address = f"/wards/TGH-W1/{at(hospital, timedelta(hours=4))}"
    now = text(manager, address)
    then = text(manager, f"{address}&known=then")
    assert (now.count(FAMILY.upper()), then.count(FAMILY.upper())) == (4, 0)
    assert "As it is known now." in now
    assert "As it was known then." in then
    assert "known=then" in now
    assert "known=then" in then


@pytest.mark.parametrize("address", PAGES)
def test_before_anything_was_recorded_no_bed_is_shown_as_free(
    hospital: Hospital, manager: Client, address: str
) -> None:
    moment = at(hospital, timedelta(hours=4))
    page = text(manager, f"{address}{moment}&known=then")
    assert "Nothing was known then" in page
    assert "The first record was made on" in page
    assert "Free now" not in page
    assert "is-available" not in page
    assert "Nothing was known then" not in text(manager, f"{address}{moment}")


@pytest.mark.parametrize("address", PAGES)
def test_a_board_of_the_time_in_which_records_begin_says_that_it_is_incomplete(
    hospital: Hospital, manager: Client, address: str
) -> None:
    early = plain(text(manager, f"{address}{at(hospital, timedelta(days=9.5))}"))
    later = plain(text(manager, f"{address}{at(hospital, timedelta(days=8))}"))
    assert "are incomplete: not everybody" in early
    assert "are incomplete" not in later
    before = at(hospital, timedelta(days=11))
    assert "the records begin on" in text(manager, f"{address}{before}", 400)


def test_beds_to_be_cleaned_are_not_said_to_be_none_where_nobody_told_of_them(
    hospital: Hospital, manager: Client
) -> None:
    past = at(hospital, timedelta(hours=6))
    page = plain(text(manager, f"/wards/TGH-W1/{past}"))
    assert "Not ready – not told of" in page
    assert "beds to be cleaned count as free" in page
    BedStatus.objects.create(
        bed=hospital.beds(hospital.wards[0])[5],
        status="K",
        occurred_at=hospital.now - timedelta(hours=7),
        sent_at=hospital.now,
        source="test",
        key="k",
    )
    beginning.forget()
    page = plain(text(manager, f"/wards/TGH-W1/{past}"))
    assert "Not ready 1 to be cleaned" in page
    assert "count as free" not in page


@pytest.mark.parametrize("address", PAGES)
def test_links_of_a_past_board_lead_to_the_same_moment(
    hospital: Hospital, manager: Client, address: str
) -> None:
    moment = at(hospital, timedelta(hours=4))
    page = text(manager, f"{address}{moment}")
    assert moment.lstrip("?").replace("&", "&amp;") in page


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("yesterday-ish", "such as 21/11/2026 08:00"),
        ("2026-13-45T08:00", "such as 21/11/2026 08:00"),
        ("2999-01-01T08:00", "still to come"),
        ("1066-10-14T09:00", "Nothing is known of that time: the records begin on"),
    ],
)
def test_a_moment_that_is_none_is_answered_with_what_to_do(
    manager: Client, typed: str, says: str
) -> None:
    page = text(manager, f"/?{urlencode({'at': typed})}", 400)
    assert says in page
    assert 'aria-invalid="true"' in page


# --- finding a ward -----------------------------------------------------------------------------


def test_an_unknown_ward_or_site_is_a_page_that_says_so(manager: Client) -> None:
    assert "no ward with this code" in text(manager, "/wards/NOWHERE/", 404)
    assert "no site with this code" in text(manager, "/sites/NOWHERE/", 404)


def test_of_wards_with_one_code_the_reader_chooses(hospital: Hospital, manager: Client) -> None:
    other = build(code="OTH", wards=0)
    Ward.objects.create(site=other.site, code="TGH-W1", name="Ward 1 over there")
    assert "Which ward TGH-W1" in text(manager, "/wards/TGH-W1/", 300)
    assert "Ward 1 over there" in text(manager, "/wards/TGH-W1/?site=OTH")
    Ward.objects.filter(site=other.site).update(kind=Ward.Kind.UNRECOGNISED)
    assert "<h1>Ward 1</h1>" in text(manager, "/wards/TGH-W1/").replace("\n", "")


def test_a_code_with_a_slash_and_a_name_for_another_ward_both_lead_there(
    hospital: Hospital, manager: Client
) -> None:
    Ward.objects.create(
        site=hospital.site,
        code="W1/EAST",
        name="W1/EAST",
        kind=Ward.Kind.UNRECOGNISED,
        same_as=hospital.wards[0],
    )
    response = manager.get("/wards/W1/EAST/")
    assert response.status_code == 302
    assert response["Location"] == "/wards/TGH-W1/?site=TGH"


def test_places_that_only_a_feed_knows_are_shown_apart(hospital: Hospital, manager: Client) -> None:
    strange = Ward.objects.create(
        site=hospital.site, code="ZZ9", name="ZZ9", kind=Ward.Kind.UNRECOGNISED
    )
    hospital.admit(strange)
    for address in ("/", "/sites/TGH/"):
        page = text(manager, address)
        assert "nobody has recognised" in page
        assert "/wards/ZZ9/?site=TGH" in page
        assert "in no total above" in page
        assert ("a box of their own" in page) == (address == "/")
    system = plain(text(manager, "/"))
    assert "Not recognised 1 there now" in system
    assert "Altogether 4 of 12 open places taken, 4 patients." in system


def test_what_is_stuck_says_why_and_how_many_more_queues_there_are(
    hospital: Hospital, manager: Client
) -> None:
    team = build(code="REA", wards=0)
    kinds = [Ward.Kind.REABLEMENT, Ward.Kind.VIRTUAL, Ward.Kind.CARE_HOME, Ward.Kind.COMMUNITY]
    targets = [
        Ward.objects.create(site=team.site, code=kind, name=kind, kind=kind) for kind in kinds
    ]
    hour = timedelta(hours=1)
    for number, ward in enumerate([*targets, None]):
        for _ in range(5 - number):
            waits = hospital.admit(hospital.wards[1], ago=200 * hour)
            ago = (100 - 20 * number) * hour
            hospital.tell(waits, MovementKind.PENDING_DISCHARGE, ago=ago, wanted=ward)
    page = text(manager, "/")
    strip = plain(page[page.index('<section class="stuck"') : page.index('<section class="map"')])
    assert "5 Wards → to Reablement 0 moved in 24 h" in strip
    assert "longest 4 d 4 h · 21 days in all" in strip or "longest 4 d · 21 days in all" in strip
    assert "1 more" in strip
    assert 'href="#map-numbers"' in page
    assert 'id="map-numbers"' in page
    assert "to leave" in plain(page)


def test_a_total_says_what_it_counts_and_what_it_leaves_out(
    hospital: Hospital, manager: Client
) -> None:
    lounge = Ward.objects.create(
        site=hospital.site, code="TGH-DL", name="Lounge", kind=Ward.Kind.DISCHARGE_LOUNGE
    )
    for ward, beds in ((hospital.emergency, 3), (lounge, 2)):
        for number in range(beds):
            Bed.objects.create(ward=ward, label=str(number), position=number)
    hospital.admit(hospital.beds(hospital.emergency)[0])
    hospital.admit(hospital.emergency)
    strange = Ward.objects.create(
        site=hospital.site, code="ZZ9", name="ZZ9", kind=Ward.Kind.UNRECOGNISED
    )
    hospital.admit(strange)
    answer = manager.get("/api/v1/occupancy/totals/").json()["results"]
    for address, site in (("/", None), ("/sites/TGH/", "TGH")):
        page = plain(text(manager, address))
        told = {row["group"]: row for row in answer if row["site"] == site}
        inpatient, whole = told["inpatient"], told["all"]
        taken, beds_open = inpatient["beds_occupied"], inpatient["beds_open"]
        assert (taken, beds_open) == (4, 12)
        assert f"Occupied inpatient beds {taken} of {beds_open} open" in page
        assert "Counted above: inpatient beds." in page
        assert (
            "Counted apart: 1 of 3 emergency places taken, 1 patient without one; "
            "0 of 2 lounge places taken."
        ) in page
        assert (whole["beds_occupied"], whole["beds_open"], whole["patients"]) == (5, 17, 6)
        assert "Altogether 5 of 17 open places taken, 6 patients." in page
        assert whole["bedless"] == told["emergency"]["bedless"] == 1
        assert "No bed 1 on any unit" in page
        assert told["unrecognised"]["patients"] == 1


# --- what a page costs --------------------------------------------------------------------------


def queries(client: Client, address: str) -> int:
    client.get("/search/")  # the first request of a session writes when it began
    shared.forget()
    ring(["system"])
    for site in Site.objects.values_list("pk", flat=True):
        ring([f"site:{site}"])
    for ward in Ward.objects.values_list("pk", flat=True):
        ring([f"ward:{ward}"])
    with CaptureQueriesContext(connection) as asked:
        text(client, address)
    return len(asked)


BUDGET = {"/": 16, "/sites/TGH/": 19, "/wards/TGH-W1/": 16}
"""Session, user, scope, the place, the board's own, what is closed as a whole, the last forecast,
the escalation levels, and the menu's sites."""


@pytest.mark.parametrize("person", ["manager", "nurse", "observer"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_asks_as_often_at_sixty_beds_as_at_six(
    hospital: Hospital, request: pytest.FixtureRequest, person: str, address: str
) -> None:
    client: Client = request.getfixturevalue(person)
    # Somebody waits on the small board too: nobody to name is one question less.
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
    small = queries(client, address)
    # Who sees a part of the system or of a site also asks how large the part is.
    part = person == "nurse" and address in ("/", "/sites/TGH/")
    assert small <= BUDGET[address] + part
    grow(hospital)
    assert queries(client, address) == small


def grow(hospital: Hospital) -> None:
    """Sixty full beds on the first ward and on a new one, and twenty people who wait."""
    new = Ward.objects.create(site=hospital.site, code="TGH-W9", name="Ward 9", position=9)
    for ward in (hospital.wards[0], new):
        taken = ward.beds.count()
        add_beds(ward, 60 - taken, first=taken)
        with hospital.together():
            for bed in hospital.beds(ward)[taken:]:
                hospital.admit(bed)
    with hospital.together():
        for _ in range(20):
            waits = hospital.admit(hospital.emergency)
            hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])


@pytest.mark.parametrize("address", PAGES)
def test_a_board_drawn_already_costs_no_more_than_finding_out_who_asks(
    manager: Client, address: str
) -> None:
    text(manager, address)
    with CaptureQueriesContext(connection) as asked:
        text(manager, f"{address}?fragment=1")
    # Session, user, scope and, for a site or a ward, the place itself.
    assert len(asked) <= 4


# --- what a page loads --------------------------------------------------------------------------


class Loads(HTMLParser):
    """What a page makes the browser load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "script":
            source = said.get("src")
            self._in_script = source is None and said.get("type") != "application/json"
            if source:
                self.scripts.append(source)
        if tag in ("link", "script", "img", "use", "iframe"):
            self.addresses += [said[name] or "" for name in ("src", "href") if said.get(name)]
        self.inline += [f"{tag} {name}" for name in said if name.startswith("on")]
        self.inline += [f"{tag} style" for name in said if name == "style"]

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False


def loaded(client: Client, address: str) -> Loads:
    loads = Loads()
    loads.feed(text(client, address))
    return loads


@pytest.mark.parametrize("address", [*PAGES, "/search/", "/beds/{bed}/"])
def test_a_page_runs_nothing_inline_and_loads_from_nowhere_else(
    hospital: Hospital, manager: Client, address: str
) -> None:
    bed = hospital.beds(hospital.wards[0])[0].pk
    loads = loaded(manager, address.format(bed=bed))
    assert loads.inline == []
    assert loads.addresses
    assert all(one.startswith("/static/") for one in loads.addresses)


@pytest.mark.parametrize("address", PAGES)
def test_scripts_before_charts_stay_under_a_hundred_kilobytes(
    manager: Client, address: str
) -> None:
    sizes = {}
    for script in loaded(manager, address).scripts:
        found = finders.find(script.removeprefix("/static/"))
        assert isinstance(found, str), f"{script} is missing; run `make assets`"
        sizes[script] = Path(found).stat().st_size
    charts = [script for script in sizes if "plotly" in script]
    assert bool(charts) == (address == "/sites/TGH/")
    assert sum(size for script, size in sizes.items() if script not in charts) < 100_000


def test_the_menu_offers_what_the_viewer_may_use(
    hospital: Hospital, manager: Client, observer: Client
) -> None:
    assert 'href="/feeds/"' in text(manager, "/")
    assert 'href="/feeds/"' not in text(observer, "/")
    administrator = signed_in(user("admin", Role.ADMINISTRATOR, everywhere=True))
    assert 'href="/people/"' in text(administrator, "/")
    assert 'href="/people/"' not in text(manager, "/")


def test_a_figure_that_is_too_old_says_so_and_looks_it(hospital: Hospital) -> None:
    board = system_board(now=hospital.now, sight=Sight(patients=None))
    fresh = replace(
        board.sums.head.figures, as_at=hospital.now - timedelta(minutes=42), stale=False
    )
    said = {
        stale: render_to_string(
            "flow/_as_at.html",
            {"f": replace(fresh, stale=stale), "moment": hospital.now, "live": True},
        )
        for stale in (False, True)
    }
    assert "stale" in said[True]
    assert "stale" not in said[False]
    assert all("42 min" in one for one in said.values())
