from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import get_type_hints

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team
from accounts.roles import Role
from huddles.actions.agreeing import About, agree, finish
from huddles.actions.understanding import Owner
from huddles.meetings.timetable import time_near
from huddles.models import Action
from huddles.screens.showing import is_dark, wall
from huddles.screens.wall_types import (
    Agreed,
    Boxes,
    ClosedTile,
    Jobs,
    Label,
    Next,
    Spoken,
    Tile,
    Topic,
    Wall,
    people,
)
from live import shared
from live.doorbell import ring
from patients.models import Episode, Patient
from tests.huddles.screens.hanging import (
    ZONES,
    every_page,
    figures,
    hung,
    looker,
    lounge_of,
    page_of,
    shown,
    words,
)
from tests.screens.hospital import Hospital, add_beds, build, user
from wards.bed_states import close, record_status
from wards.facts import MovementKind
from wards.models import Ward

Commits = Callable[..., AbstractContextManager[object]]


def dirty(hospital: Hospital, bed: int, *, level: str = "") -> None:
    record_status(
        bed=bed,
        status="K",
        occurred_at=hospital.now - timedelta(hours=1),
        sent_at=hospital.now,
        source="feed",
        key=f"dirty {bed}",
        level=level,
    )


# --- zones --------------------------------------------------------------------------------------


def test_the_zones_of_a_ward_are_different_data(hospital: Hospital) -> None:
    ward = hospital.wards[0]
    leaving = hospital.admit(hospital.beds(ward)[4])
    hospital.tell(leaving, MovementKind.PENDING_DISCHARGE)
    pages = {zone: shown(hung(hospital.site, zone, page_of("ward", ward))[0]) for zone in ZONES}
    assert "tile" not in pages["public"]
    assert figures(pages["public"])["about to leave"] == "<5"
    assert figures(pages["staff"])["about to leave"] == "1"
    assert 'class="label">5<' in pages["staff"]
    assert "leaving" in words(pages["staff"])
    assert "initials" not in pages["staff"]
    assert pages["closed"].count('class="initials">GF<') == 5


def test_only_what_is_made_for_a_closed_room_has_a_place_for_initials() -> None:
    assert "initials" not in get_type_hints(Tile)
    assert set(get_type_hints(ClosedTile)) - set(get_type_hints(Tile)) == {"initials"}


def test_of_a_restricted_record_no_zone_says_more_than_that_a_bed_is_taken(
    hospital: Hospital,
) -> None:
    ward = hospital.wards[1]
    hidden = hospital.admit(hospital.beds(ward)[0], restricted=True)
    hospital.tell(hidden, MovementKind.PENDING_DISCHARGE)
    plain = hospital.admit(hospital.beds(ward)[1])
    hospital.tell(plain, MovementKind.PENDING_DISCHARGE)
    for zone in ("staff", "closed"):
        _client, screen = hung(hospital.site, zone, page_of("ward", ward))
        [page] = screen.pages.all()
        picture = wall(page, screen, now=timezone.now()).picture
        assert isinstance(picture, Boxes)
        first, second = picture.boxes[0].tiles[:2]
        assert (first.state, first.word, first.tone) == ("occupied", "", "")
        assert second.word == "leaving"
        if isinstance(first, ClosedTile) and isinstance(second, ClosedTile):
            assert (first.initials, second.initials) == ("", "GF")


def test_who_waits_longest_stands_by_initials_in_a_closed_room_alone(hospital: Hospital) -> None:
    for restricted in (True, False):
        waits = hospital.admit(hospital.emergency, restricted=restricted)
        hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    ring([f"site:{hospital.site.pk}"])
    pages = {zone: shown(hung(hospital.site, zone)[0]) for zone in ZONES}
    for zone in ("public", "staff"):
        assert "Longest waits" not in pages[zone]
    assert pages["closed"].count("<b>GF</b>") == 1, "and nobody whose record is restricted"
    assert "Emergency Department → Ward 2" in words(pages["closed"])
    assert figures(pages["public"])["wait for a bed"] == "<5"
    assert figures(pages["staff"])["wait for a bed"] == "2"
    assert "longest" not in words(pages["public"])


@pytest.mark.parametrize("count", [0, 1, 4, 5, 60])
def test_in_public_nobody_is_picked_out_by_a_small_count(count: int) -> None:
    assert people(count, "staff") == people(count, "closed") == str(count)
    assert people(count, "public") == ("<5" if 0 < count < 5 else str(count))


def test_beds_to_clean_are_named_to_staff_and_counted_for_the_public(hospital: Hospital) -> None:
    bed = hospital.beds(hospital.wards[1])[3]
    dirty(hospital, bed.pk, level="terminal")
    pages = {zone: shown(hung(hospital.site, zone, page_of("cleaning"))[0]) for zone in ZONES}
    for page in pages.values():
        assert figures(page)["to clean"] == "1"
    assert "<table" not in pages["public"]
    assert "Ward 2 4 terminal" in words(pages["staff"])
    assert words(pages["staff"]) == words(pages["closed"])


def test_beds_of_another_site_are_not_cleaned_here(hospital: Hospital) -> None:
    other = build(code="OTH")
    dirty(hospital, other.beds(other.wards[0])[0].pk)
    _client, screen = hung(hospital.site, "staff", page_of("cleaning"))
    [page] = screen.pages.all()
    picture = wall(page, screen, now=timezone.now()).picture
    assert isinstance(picture, Jobs)
    assert picture.jobs == ()


# --- what walls say -----------------------------------------------------------------------------


def test_a_wall_agrees_with_the_board_it_is_made_of(hospital: Hospital) -> None:
    ward = hospital.wards[0]
    dirty(hospital, hospital.beds(ward)[5].pk)
    page = shown(hung(hospital.site, "staff", page_of("ward", ward))[0])
    found = figures(page)
    assert (found["free now"], found["to be cleaned"], found["occupied"]) == ("1", "1", "67%")
    assert "of 6 beds" in words(page)


def test_what_is_closed_says_why_by_its_code_and_never_by_what_was_typed(
    hospital: Hospital,
) -> None:
    bed = hospital.beds(hospital.wards[0])[5]
    since = hospital.now - timedelta(hours=2)
    close(bed=bed.pk, reason="infection", since=since, note="typed words", by=None)
    for zone in ZONES:
        page = shown(hung(hospital.site, zone, page_of("ward", hospital.wards[0]))[0])
        assert "typed" not in page
        assert ("Infection" in page) == (zone != "public")


def test_a_closed_room_is_told_when_where_and_whose_but_not_what_was_agreed(
    hospital: Hospital,
) -> None:
    by, site = looker(), hospital.site
    team = Team.objects.create(organisation=site.organisation, code="TH", name="Therapies")
    bed = hospital.beds(hospital.wards[0])[4]
    nurse = user("Quill", Role.WARD_NURSE, ward=hospital.wards[1])
    for hours, about in (
        (-2, {"owner_name": "Sister Quill"}),
        (2, {"team": team, "owner_name": "Quill", "ward": hospital.wards[0], "bed": bed}),
        (3, {"owner": nurse, "ward": hospital.wards[1]}),
        (300, {"owner_name": "Sister Quill"}),
    ):
        Action.objects.create(
            site=site, text="Ring Featherstonehaugh", agreed_at=hospital.now, by=by,
            due_at=hospital.now + timedelta(hours=hours), **about,
        )  # fmt: skip

    def told() -> dict[str, str]:
        ring([f"site:{site.pk}"])
        pages = {zone: words(shown(hung(site, zone)[0])) for zone in ZONES}
        for zone, page in pages.items():
            assert "Quill" not in page
            assert "Ring" not in page
            if zone != "closed":
                assert "Therapies" not in page
        return pages

    def clock(hours: int, form: str = "%H:%M") -> str:
        due = timezone.localtime(hospital.now + timedelta(hours=hours))
        return time_near(due, timezone.now()) if form == "%H:%M" else f"{due:{form}}"

    pages = told()
    assert "4 actions open, 1 late" in pages["public"]
    assert "4 actions open, 1 late" in pages["staff"]
    first = f"Next by {clock(2)} · Ward 1, bed 5 · Therapies · 1 late · 2 more"
    assert first in pages["closed"], "what is late does not stay the next for ever"
    Action.objects.filter(team=team).delete()
    assert f"Next by {clock(3)} · Ward 2 · Ward nurse · 1 late · 1 more" in told()["closed"]
    Action.objects.filter(owner=nurse).delete()
    far = clock(300, "%-d %b %H:%M")
    assert f"Next by {far} · 1 late" in told()["closed"]
    Action.objects.filter(due_at__gt=hospital.now).delete()
    assert "1 action open, 1 late" in told()["closed"]


def test_what_is_to_be_done_for_a_restricted_record_is_not_told_by_its_bed(
    hospital: Hospital,
) -> None:
    ward, due = hospital.wards[1], hospital.now + timedelta(hours=2)
    bed = hospital.beds(ward)[0]
    hospital.admit(bed, restricted=True)
    Action.objects.create(
        site=hospital.site, ward=ward, bed=bed, episode=Episode.objects.latest("pk"), text="x",
        owner_name="y", due_at=due, agreed_at=hospital.now, by=looker(),
    )  # fmt: skip
    page = words(shown(hung(hospital.site, "closed")[0]))
    assert "Ward 2 as at" in page
    assert "bed 1" not in page


def test_a_bed_in_which_a_restricted_patient_lies_is_not_named_whatever_is_agreed(
    hospital: Hospital,
) -> None:
    ward, due = hospital.wards[1], hospital.now + timedelta(hours=2)
    bed = hospital.beds(ward)[0]
    Action.objects.create(
        site=hospital.site, ward=ward, bed=bed, text="x", owner_name="y", due_at=due,
        agreed_at=hospital.now, by=looker(),
    )  # fmt: skip
    hospital.admit(bed)

    def told() -> str:
        ring([f"site:{hospital.site.pk}"])
        return words(shown(hung(hospital.site, "closed")[0]))

    assert "Ward 2, bed 1" in told()
    patient = Episode.objects.latest("pk").patient
    Patient.objects.filter(pk=patient.pk).update(is_restricted=True)
    assert "Ward 2 as at" in (page := told())
    assert "bed 1" not in page
    Patient.objects.filter(pk=patient.pk).update(is_restricted=False)
    assert "Ward 2, bed 1" in told()
    Patient.objects.create(
        authority="X", identifier="X1", person_id=patient.person_id or patient.pk,
        is_restricted=True,
    )  # fmt: skip
    assert "bed 1" not in told()


def test_what_walls_tell_of_actions_and_meetings_has_no_room_for_what_was_typed() -> None:
    plain = {int, bool, Topic, datetime, datetime | None, Label}
    for kind in (Agreed, Next, Spoken):
        assert set(get_type_hints(kind).values()) <= plain, kind
    hints = get_type_hints(Wall)
    assert hints["agreed"] == Agreed | None
    assert hints["spoken"] == Spoken | None


def test_no_colour_and_no_number_of_places_tells_a_small_count_in_public(
    hospital: Hospital,
) -> None:
    lounge = lounge_of(hospital.site)
    add_beds(lounge, 6)
    hospital.fill(hospital.wards[1], 6)
    for bed in hospital.beds(hospital.wards[0])[4:]:
        hospital.admit(bed)
    for _number in range(2):
        waits = hospital.admit(hospital.emergency)
        hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[1])
    hospital.admit(hospital.beds(lounge)[0])
    pages = [page_of("site"), page_of("system"), page_of("lounge", lounge)]
    for zone in ZONES:
        _client, screen = hung(hospital.site, zone, *pages)
        drawn = [wall(page, screen, now=timezone.now()) for page in screen.pages.order_by("pk")]
        for one in drawn[:2]:
            waiting = next(each for each in one.figures if each.label == "wait for a bed")
            assert (waiting.text, waiting.tone) == (
                ("<5", "") if zone == "public" else ("2", "warn")
            )
        labels = {each.label for each in drawn[2].figures}
        assert ("places free" in labels) == (zone != "public")
        assert (drawn[2].picture is None) == (zone == "public")
    for bed in hospital.beds(lounge)[1:5]:
        hospital.admit(bed)
    _client, screen = hung(hospital.site, "public", page_of("lounge", lounge))
    [page] = screen.pages.all()
    many = wall(page, screen, now=timezone.now())
    assert {each.label: each.text for each in many.figures}["places free"] == "1"


def test_what_is_agreed_and_done_shows_at_once_on_the_walls_of_site_and_ward(
    hospital: Hospital, django_capture_on_commit_callbacks: Commits
) -> None:
    by, ward = looker(), hospital.wards[0]
    pages = [page_of("site"), page_of("ward", ward)]
    client, _ = hung(hospital.site, "staff", *pages)

    def told() -> set[bool]:
        return {"1 action open" in words(shown(client, number)) for number in (1, 2)}

    assert told() == {False}
    with django_capture_on_commit_callbacks(execute=True):
        made = agree(
            site=hospital.site, text="Open bed 6", owner=Owner(name="Jo"), by=by,
            due_at=hospital.now + timedelta(hours=1), at=hospital.now, about=About(ward=ward),
        )  # fmt: skip
    assert told() == {True}
    with django_capture_on_commit_callbacks(execute=True):
        finish(action=made, at=timezone.now(), by=by)
    assert told() == {False}


def test_where_no_huddle_is_set_up_the_wall_says_so(hospital: Hospital) -> None:
    page = words(shown(hung(hospital.site, "public", page_of("huddle"))[0]))
    assert "No huddle is set up" in page


def test_more_wards_than_find_room_are_counted(hospital: Hospital) -> None:
    for number in range(31):
        new = Ward.objects.create(
            site=hospital.site, code=f"N{number}", name=f"New {number}", position=20
        )
        add_beds(new, 1)
    ring([f"site:{hospital.site.pk}"])
    page = words(shown(hung(hospital.site, "staff")[0]))
    assert "Beds free, by ward , and 3 more" in page


@pytest.mark.parametrize(
    ("hours", "dark"),
    [((20, 7), {20, 23, 0, 6}), ((1, 5), {1, 4}), ((0, 23), {0, 22})],
)
def test_it_is_dark_by_londons_hours(
    hospital: Hospital, hours: tuple[int, int], dark: set[int]
) -> None:
    _client, screen = hung(hospital.site, "public", theme="by_hour")
    screen.dark_from, screen.dark_until = hours
    start = timezone.localtime().replace(hour=0, minute=30)
    found = {hour for hour in range(24) if is_dark(screen, now=start.replace(hour=hour))}
    assert dark <= found
    assert {hours[1], (hours[0] - 1) % 24}.isdisjoint(found)


# --- what a wall costs --------------------------------------------------------------------------


BUDGET = {
    "system": 12,
    "site": 16,
    "ward": 12,
    "huddle": 6,
    "lounge": 15,
    "cleaning": 6,
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("layout", list(BUDGET))
def test_a_wall_asks_as_often_at_sixty_beds_as_at_six(
    hospital: Hospital, zone: str, layout: str
) -> None:
    lounge = lounge_of(hospital.site)
    ward = {"ward": hospital.wards[0], "lounge": lounge}.get(layout)
    client, _screen = hung(hospital.site, zone, page_of(layout, ward))
    waits = hospital.admit(hospital.emergency)
    hospital.tell(waits, MovementKind.PENDING_TRANSFER, wanted=hospital.wards[0])
    hospital.admit(lounge)
    shown(client)

    def asked() -> int:
        shared.forget()
        ring(["system", "cleaning", f"site:{hospital.site.pk}", f"huddle:{hospital.site.pk}"])
        ring([f"ward:{one.pk}" for one in (*hospital.wards, lounge)])
        with CaptureQueriesContext(connection) as found:
            shown(client)
        return len(found)

    few = asked()
    assert few <= BUDGET[layout]
    add_beds(hospital.wards[0], 54, first=6)
    add_beds(lounge, 12)
    with hospital.together():
        for bed in (*hospital.beds(hospital.wards[0])[6:40], *hospital.beds(lounge)[:9]):
            hospital.admit(bed)
    assert asked() == few


def test_in_steady_state_a_fetch_asks_the_database_nothing(hospital: Hospital) -> None:
    client, _screen = hung(hospital.site, "closed")
    first = client.get("/screen/pages/1/")
    with CaptureQueriesContext(connection) as asked:
        again = client.get("/screen/pages/1/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert len(asked) == 0


def test_screens_that_show_alike_are_drawn_once(hospital: Hospital) -> None:
    one, other = (hung(hospital.site, "staff")[0] for _ in range(2))
    shown(one)
    with CaptureQueriesContext(connection) as asked:
        shown(other)
    assert len(asked) <= 3, "who it is, its pages, and that it listens"


def test_every_page_of_a_playlist_has_its_place(hospital: Hospital) -> None:
    pages = every_page(hospital.wards[0], lounge_of(hospital.site))
    client, _screen = hung(hospital.site, "public", *pages)
    titles = ["Whole system", "Test hospital TGH", "Huddle", "Beds to clean", "Ward 1", "Lounge"]
    for number, title in enumerate(titles, start=1):
        assert f"<h1>{title}</h1>" in shown(client, number)
    shown(client, 0, status=404)
    shown(client, 7, status=404)
