"""The discharge hub: what it counts, whom it lists for whom, and how a view is sent."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Team, User
from accounts.roles import Permission, Role
from flow.discharges import DAY, days, lost_within, ready_to_leave, summarise
from flow.hub.board import Hub, hub
from flow.hub.wishes import Wish
from flow.listening import may_hear
from flow.moment import Moment
from live import shared
from live.doorbell import version
from patients.models import Barrier, Episode
from tests.pages import of_persons
from tests.screens.hospital import Hospital, add_beds, build, signed_in, user
from tests.screens.hub import FAMILIES, OTHERS, Leaving, leaving_of
from tests.screens.test_listening import caller
from wards.barriers import Said, reassign, resolve
from wards.facts import MovementKind
from wards.models import Grant
from wards.referrals import withdraw
from wards.rounds import Found, review
from wards.scope import Scope, scope_of

HUB = "/discharges/"


@pytest.fixture
def hospital(db: None) -> Hospital:
    return build()


@pytest.fixture
def leaving(hospital: Hospital) -> Leaving:
    return leaving_of(hospital)


@pytest.fixture
def everywhere(leaving: Leaving) -> Scope:
    person = User.objects.create(username="looks everywhere")
    Grant.objects.create(user=person, role=Role.SITE_MANAGER, everywhere=True)
    return scope_of(person)


def page_of(client: Client, query: str = "", status: int = 200) -> str:
    answer = client.get(f"{HUB}{query}")
    assert answer.status_code == status, query
    return answer.content.decode()


def listed(page: str) -> list[str]:
    """Family names in the list, in its order."""
    return [name.title() for name in re.findall(r'id="stay-\d+".*?class="name">(\w+)', page)]


def board(scope: Scope, wish: Wish | None = None, **moment: object) -> Hub:
    at = Moment(timezone.now()) if not moment else Moment(**moment)  # type: ignore[arg-type]
    return hub(wish or Wish(), moment=at, scope=scope)


def families(found: Hub) -> list[str]:
    return [line.face.name.split(",")[0].title() for line in found.lines if line.face]


# --- what it counts -------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_summary(leaving: Leaving, everywhere: Scope) -> None:
    moment = Moment(timezone.now())
    rows = ready_to_leave(moment, scope=everywhere, permission=Permission.SEE_COUNTS)
    week = lost_within(moment, scope=everywhere, permission=Permission.SEE_COUNTS)
    told = summarise(rows, moment=moment, last_week=week)
    found = hub(Wish(), moment=moment, scope=everywhere)
    assert (found.patients, found.ready) == (told.patients, 5)
    assert days(found.lost) == told.bed_days == pytest.approx(18.2, abs=0.1)
    assert found.last_week == week
    assert (found.unowned, found.overdue) == (told.without_owner, told.overdue)
    assert (found.unowned, found.unanswered) == (2, 1)
    for mine, theirs in (
        (found.by_organisation, told.by_organisation),
        (found.by_reason, told.by_reason),
    ):
        assert {(one.key.replace("none", ""), one.patients) for one in mine} == {
            (group.key, group.patients) for group in theirs
        }
    bands = [sum(one.by_days[band] for one in found.by_pathway) for band in range(6)]
    assert bands == [group.patients for group in told.by_days] == [1, 2, 1, 1, 0, 0]
    for tallies in (found.by_pathway, found.by_organisation, found.by_family, found.by_reason):
        assert sum(one.patients for one in tallies) == 5
        assert sum((one.lost for one in tallies), timedelta(0)) == found.lost


def test_an_organisation_could_free_the_beds_of_which_it_owns_every_wait(
    leaving: Leaving, everywhere: Scope
) -> None:
    found = board(everywhere)
    alone = {one.key: (one.alone, one.patients) for one in found.by_organisation}
    # Cholmondeley waits for the trust and for the council: neither could do it alone.
    assert alone == {"CXX": (1, 1), "RXX": (1, 2), "none": (0, 2)}
    assert found.could_free == 2
    resolve(
        barrier=Barrier.objects.get(
            episode=leaving.stays["Cholmondeley"], reason__slug="p3-capacity"
        ),
        said=Said(timezone.now(), leaving.by),
    )
    alone = {one.key: (one.alone, one.patients) for one in board(everywhere).by_organisation}
    assert alone["RXX"] == (2, 2)


def one_more() -> int:
    """They came an hour before now: within the first hour of a day, the evening before."""
    return int(timezone.localtime().hour < 1)


def test_a_long_stay_is_listed_whether_or_not_an_acute_bed_is_needed(
    leaving: Leaving, everywhere: Scope
) -> None:
    found = board(everywhere, Wish(long=7))
    assert families(found) == ["Entwistle", "Abernethy", "Blenkinsop", "Cholmondeley", "Featherby"]
    nights = [days + one_more() for days in (25, 22, 15, 9, 8)]
    assert [line.nights for line in found.lines] == nights
    assert found.long_stays == ((7, 5), (14, 3), (21, 2))
    assert {one.key: one.patients for one in found.by_criteria} == {
        "none": 3, "met": 1, "unknown": 1,
    }  # fmt: skip
    [entwistle, *_] = found.lines
    assert "xygen" in entwistle.criteria[0]
    assert families(board(everywhere, Wish(long=21))) == ["Entwistle", "Abernethy"]
    assert families(board(everywhere, Wish((("criteria", "unknown"),), long=7))) == ["Featherby"]


def test_a_care_home_is_no_place_for_long_stays(leaving: Leaving, everywhere: Scope) -> None:
    ward = leaving.care.hospital.wards[0]
    ward.kind = "care_home"
    ward.save()
    assert board(everywhere, Wish(long=7)).patients == 0
    assert board(everywhere).patients == 5, "who is ready counts wherever they are"


def test_the_past_is_shown_as_it_was_and_as_it_was_known(
    leaving: Leaving, everywhere: Scope
) -> None:
    at = timezone.now() - 3 * DAY
    now_known = board(everywhere, at=at, known_at=None)
    assert families(now_known) == ["Abernethy", "Blenkinsop"]
    assert now_known.lost == pytest.approx(9 * DAY, abs=timedelta(minutes=5))
    # All of it was told today.
    assert board(everywhere, at=at, known_at=at).patients == 0


@pytest.mark.django_db(transaction=True)
def test_what_was_said_since_does_not_change_what_was_known(hospital: Hospital) -> None:
    leaving = leaving_of(hospital)
    scope = scope_of(user("manager", Role.SITE_MANAGER, everywhere=True))
    before, known = board(scope), timezone.now()
    said = Said(timezone.now(), leaving.by)
    reassign(
        barrier=leaving.barriers["Abernethy"],
        said=said,
        organisation=leaving.care.trust,
        team=leaving.care.therapy,
    )
    review(episode=leaving.stays["Blenkinsop"], found=Found(criteria=["oxygen"]), said=said)
    assert leaving.referral is not None
    withdraw(referral=leaving.referral, said=said, note="Not needed")
    now = board(scope)
    assert families(now) == ["Abernethy", "Cholmondeley", "Golightly", "Drinkwater"]
    assert now.lines[0].stay.organisation == "RXX"
    then = board(scope, at=known, known_at=known)
    assert families(then) == families(before)
    assert [line.stay for line in then.lines] == [line.stay for line in before.lines]
    assert (then.unanswered, now.unanswered) == (1, 0)


# --- filters in the address ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Abernethy", "Blenkinsop", "Cholmondeley", "Golightly", "Drinkwater"]),
        ("?pathway=2", ["Blenkinsop"]),
        ("?pathway=2&pathway=3", ["Abernethy", "Blenkinsop"]),
        ("?pathway=none", ["Drinkwater"]),
        ("?ward=TGH-W2", ["Golightly"]),
        ("?site=TGH&ward=TGH-W1&pathway=1", ["Cholmondeley"]),
        ("?reason=transport", ["Golightly"]),
        ("?reason=none", ["Drinkwater"]),
        ("?family=capacity", ["Abernethy", "Blenkinsop"]),
        ("?organisation=none", ["Blenkinsop", "Drinkwater"]),
        ("?organisation=CXX&team=SW", ["Abernethy"]),
        ("?freed_by=CXX", ["Abernethy"]),
        ("?freed_by=several", ["Cholmondeley"]),
        ("?days=1-3", ["Cholmondeley", "Golightly"]),
        ("?days=7-14", ["Abernethy"]),
        ("?referral=asked", ["Blenkinsop"]),
        ("?overdue=yes&pathway=3", ["Abernethy"]),
        ("?sort=name", [*FAMILIES[:4], "Golightly"]),
        ("?sort=-name", ["Golightly", *reversed(FAMILIES[:4])]),
        ("?sort=pathway", ["Golightly", "Cholmondeley", "Blenkinsop", "Abernethy", "Drinkwater"]),
        ("?sort=-pathway", ["Abernethy", "Blenkinsop", "Cholmondeley", "Golightly", "Drinkwater"]),
        ("?group=ward", ["Abernethy", "Blenkinsop", "Cholmondeley", "Drinkwater", "Golightly"]),
        ("?long=14&criteria=none", ["Abernethy", "Blenkinsop"]),
    ],
)  # fmt: skip
def test_the_address_says_who_is_listed(
    leaving: Leaving, manager: Client, query: str, expected: list[str]
) -> None:
    assert listed(page_of(manager, query)) == expected
    assert listed(page_of(manager, f"{query}{'&' if query else '?'}fragment=1")) == expected


def test_every_number_leads_to_as_many(leaving: Leaving, manager: Client) -> None:
    page = page_of(manager)
    links = re.findall(r'href="(\?[^"#]*)#list">(?:<strong>)?(\d+)', page)
    assert len(links) > 25
    for address, number in links:
        found = page_of(manager, address.replace("&amp;", "&"))
        assert len(listed(found)) == int(number), address


def test_what_is_chosen_can_be_taken_away_one_by_one(leaving: Leaving, manager: Client) -> None:
    page = page_of(manager, "?pathway=2&organisation=none&group=ward")
    chips = re.findall(r'class="chosen-one" href="([^"]*)"', page)
    assert [chip.replace("&amp;", "&") for chip in chips] == [
        "?organisation=none&group=ward",
        "?pathway=2&group=ward",
    ]
    assert "Nobody accountable" in page
    # The moment stays what it was.
    at = f"{timezone.localtime() - DAY:%Y-%m-%dT%H:%M}"
    page = page_of(manager, f"?pathway=2&at={at}")
    assert re.search(r'class="chosen-one" href="\?at=[^"]*"', page)
    assert 'name="pathway" value="2"' in page, "another moment keeps the filter"


def test_what_a_form_sends_empty_is_left_out_of_the_address(
    leaving: Leaving, manager: Client
) -> None:
    answer = manager.get(f"{HUB}?ward=&pathway=2&group=")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{HUB}?pathway=2")


def test_what_names_nothing_is_told_and_shows_nobody(leaving: Leaving, manager: Client) -> None:
    for query in ("?ward=W99", "?reason=weather", "?organisation=ZZZ", "?pathway=7"):
        page = page_of(manager, query, 400)
        assert listed(page) == [], query
        assert 'role="alert"' in page
    page = page_of(manager, "?colour=red&long=9&sort=weight&group=mood", 400)
    for words in ("colour", "long=9", "sort=weight", "group=mood"):
        assert words in page
    assert len(listed(page)) == 5, "and is left out"
    assert manager.get(f"{HUB}?ward=W99&fragment=1").status_code == 200


def test_what_lies_out_of_sight_is_told_as_what_is_not(leaving: Leaving, nurse: Client) -> None:
    told = [
        re.findall(r"<li>(.*?)</li>", page_of(nurse, f"?ward={ward}", 400).split("wrongs")[1])[0]
        for ward in ("TGH-W2", "TGH-W9")
    ]
    assert told[0].replace("W2", "W9") == told[1]
    assert "Ward 2" not in page_of(nurse, "?ward=TGH-W2", 400)


# --- who sees what --------------------------------------------------------------------------------


def test_a_nurse_sees_those_of_the_own_ward(leaving: Leaving, nurse: Client) -> None:
    page = page_of(nurse)
    assert listed(page) == ["Abernethy", "Blenkinsop", "Cholmondeley", "Drinkwater"]
    assert "1 of 3 wards" in page
    for query in ("", "?long=7", "?group=site", "?format=csv"):
        assert "golightly" not in page_of(nurse, query).lower()


def test_who_sees_figures_sees_no_list_and_gets_no_file(leaving: Leaving, observer: Client) -> None:
    for query in ("", "?long=7", "?pathway=3", "?sort=name&group=ward"):
        page = page_of(observer, query)
        assert listed(page) == []
        assert "You may see figures, not patients" in page
        for family in (*FAMILIES, *OTHERS):
            assert family.lower() not in page.lower()
        assert of_persons(page) == []
        assert "/stays/" not in page
    assert "format=csv" not in page_of(observer)
    refused = observer.get(f"{HUB}?format=csv")
    assert refused.status_code == 403
    assert "/api/v1/discharges/summary/" in refused.content.decode()


def test_of_some_wards_one_sees_patients_and_of_others_figures(
    leaving: Leaving, hospital: Hospital
) -> None:
    person = user("both", Role.OBSERVER, everywhere=True)
    Grant.objects.create(user=person, role=Role.READER, ward=hospital.wards[1])
    page = page_of(signed_in(person))
    assert listed(page) == ["Golightly"]
    assert "4 more are on wards whose patients you may not see" in page
    assert len(file_of(signed_in(person))) == 1


def test_a_partner_is_led_to_the_own_work_and_a_stranger_refused(leaving: Leaving) -> None:
    partner = signed_in(leaving.care.social_worker())
    for query in ("", "?format=csv", "?fragment=1"):
        answer = partner.get(f"{HUB}{query}")
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/work/")
    assert signed_in(user("nobody", None)).get(HUB).status_code == 403
    assert "/accounts/sign-in/" in Client().get(HUB).headers["Location"]
    assert 'href="/discharges/"' not in partner.get("/work/", follow=True).content.decode()


def test_a_restricted_record_is_listed_without_a_name(leaving: Leaving, manager: Client) -> None:
    leaving.care.hospital.admit(
        leaving.care.hospital.beds(leaving.care.hospital.wards[1])[3],
        family="Hushed",
        restricted=True,
    )
    stay = Episode.objects.latest("pk")
    said = Said(timezone.now(), leaving.by)
    review(episode=stay, found=Found(criteria=[], pathway=1), said=said)
    page = page_of(manager)
    assert "Restricted record" in page
    assert "hushed" not in page.lower()
    row = next(row for row in file_of(manager) if row["restricted"] == "true")
    assert (row["name"], row["nhs_number"], row["hospital_number"]) == ("", "", "")
    for sort in ("name", "-name"):
        assert len(listed(page_of(manager, f"?sort={sort}"))) == 5


def test_whoever_may_look_hears_of_changes(
    leaving: Leaving, manager: Client, observer: Client
) -> None:
    for client in (manager, observer, signed_in(leaving.care.social_worker())):
        assert may_hear(caller(client), frozenset({"hub"})) == frozenset({"hub"})
    assert may_hear(caller(signed_in(user("none", None))), frozenset({"hub"})) == frozenset()


@pytest.mark.django_db(transaction=True)
def test_a_move_of_somebody_listed_rings_and_another_does_not(hospital: Hospital) -> None:
    made = leaving_of(hospital)
    came = hospital.admit(hospital.wards[1])
    before = version("hub")
    hospital.tell(came, MovementKind.DISCHARGED)
    assert version("hub") == before, "who came today and was never reviewed is in no list"
    ready = hospital.admit(hospital.wards[1])
    assert ready.visit is not None
    stay = Episode.objects.get(visit__number=ready.visit.number)
    review(episode=stay, found=Found(criteria=[]), said=Said(timezone.now(), made.by))
    before = version("hub")
    hospital.tell(ready, MovementKind.DISCHARGED, ago=timedelta(0))
    assert version("hub") != before


# --- the file -------------------------------------------------------------------------------------


def file_of(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{HUB}?format=csv{query}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'filename="discharges-[\dT-]+\.csv"', answer["Content-Disposition"])
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_file_holds_the_list_as_filtered_and_ordered(leaving: Leaving, manager: Client) -> None:
    rows = file_of(manager, "&ward=TGH-W1&sort=-pathway")
    assert [row["name"].split(",")[0].title() for row in rows] == list(FAMILIES[:4])
    first = rows[0]
    assert first["nhs_number"].startswith("999")
    assert (first["pathway"], first["reason"], first["organisation"]) == ("3", "p3-capacity", "CXX")
    assert (first["days_since_ready"], first["overdue"]) == ("10", "true")
    assert first["nights"] == str(22 + one_more())
    assert float(first["bed_days_lost"]) == pytest.approx(10, abs=0.01)
    assert rows[1]["referral"] == "asked"
    assert rows[2]["open_barriers"] == "2"
    assert [row["criteria"] for row in file_of(manager, "&long=7&sort=name")] == [
        "none", "none", "none", "met", "unknown",
    ]  # fmt: skip
    empty = manager.get(f"{HUB}?format=csv&pathway=2&ward=TGH-W2").content.decode()
    assert empty.startswith("as_at,known_at,nhs_number")
    assert empty.count("\n") == 1


def test_no_cell_of_the_file_is_a_formula(leaving: Leaving, manager: Client) -> None:
    hospital = leaving.care.hospital
    leaving.here("=cmd|' /C calc'!A0", hospital.wards[1], 3, 1)
    leaving.find_stays()
    stay = leaving.stays["=cmd|' /C calc'!A0"]
    review(
        episode=stay,
        found=Found(criteria=[], next_step="@SUM(1+1)"),
        said=Said(timezone.now(), leaving.by),
    )
    Team.objects.filter(pk=leaving.care.therapy.pk).update(name="+Therapies")
    for row in file_of(manager):
        for name, value in row.items():
            assert not value.startswith(("=", "+", "-", "@", "\t")), name
    assert any(row["next_step"] == "'@SUM(1+1)" for row in file_of(manager))


def test_a_file_of_something_else_than_asked_for_is_not_given(
    leaving: Leaving, manager: Client
) -> None:
    for query, words in (
        ("?format=csv&ward=W99", "W99"),
        ("?format=csv&long=8", "long=8"),
        ("?format=csv&at=tomorrow", "date"),
        ("?format=xls", "csv"),
    ):
        answer = manager.get(f"{HUB}{query}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert words in answer.content.decode()


# --- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["", "?fragment=1", "?long=7", "?pathway=2&ward=TGH-W1&organisation=none", "?group=ward",
     "?format=csv"],
)  # fmt: skip
def test_the_hub_asks_as_often_for_sixty_as_for_six(
    leaving: Leaving, manager: Client, query: str
) -> None:
    def cost() -> int:
        manager.get("/search/")
        shared.forget()
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(f"{HUB}{query}").status_code == 200
        return len(asked)

    few = cost()
    assert few <= 14
    hospital = leaving.care.hospital
    add_beds(hospital.wards[0], 54, first=6)
    with hospital.together():
        for bed in range(6, 60):
            leaving.here(f"Many{bed}", hospital.wards[0], bed, 12)
    leaving.find_stays()
    for bed in range(6, 60):
        family = f"Many{bed}"
        leaving.ready(family, 3, bed % 4, "p2-capacity")
    assert cost() == few
