"""The pages of cohorts: what they count, whom they list for whom, and how a view is sent."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from flow.cohorts.board import board, lines
from flow.cohorts.counting import count_missing
from flow.moment import Moment
from live import shared
from live.doorbell import ring
from patients.models import Cohort, Episode
from tests.pages import of_persons
from tests.screens.cohorts import FRAILTY, NEAR, Followed, followed_of
from tests.screens.hospital import Hospital, add_beds, build, signed_in, user
from tests.screens.hub import DAY, FAMILIES, OTHERS
from wards.barriers import Said
from wards.models import Grant
from wards.rounds import Found, review
from wards.scope import scope_of

LIST = "/cohorts/"
FRAIL = f"{LIST}older-people-with-frailty/"
OURS = f"{LIST}our-neighbourhoods/"
GROUND = f"{LIST}losing-ground-in-a-bed/"
EVERYBODY = (*FAMILIES, *OTHERS, "Igglesden", "Jellicoe")


@pytest.fixture
def hospital(db: None) -> Hospital:
    return build()


@pytest.fixture
def followed(hospital: Hospital) -> Followed:
    return followed_of(hospital)


@pytest.fixture
def everybody(followed: Followed) -> Cohort:
    return Cohort.objects.create(slug="everybody", title="Everybody", source="Local", position=99)


def page_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return answer.content.decode()


def listed(page: str) -> list[str]:
    """Family names in the list of people, in its order."""
    rows = re.findall(r'id="row-\d+".*?</th>', page, re.DOTALL)
    names = [re.search(r'class="name">([^<,]+)', row) for row in rows]
    return [name[1].title() if name else "" for name in names]


def figures(page: str) -> list[int]:
    """People, those ready, nobody accountable, not judged: as the page has them."""
    found = re.findall(r'class="figure[^"]*" data-fact="([^"]+)"', page)
    return [int(found[at]) for at in (0, 1, 3, 4)]


# --- what they count ------------------------------------------------------------------------------


def test_every_cohort_is_listed_with_the_figures_of_its_page(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    page = page_of(manager, LIST)
    rows = re.findall(r'id="cohort-([\w-]+)" data-fact="(\d+)/(\d+)/(\d+)"', page)
    assert [slug for slug, *_ in rows] == list(Cohort.objects.values_list("slug", flat=True))
    assert len(rows) == 10
    for slug, *told in rows:
        people, ready, _unowned, not_judged = figures(page_of(manager, f"{LIST}{slug}/"))
        assert [int(one) for one in told] == [people, ready, not_judged], slug
    assert ("everybody", "10", "5", "0") in rows
    assert ("our-neighbourhoods", "3", "2", "0") in rows


def test_the_figures_are_what_counting_by_hand_gives(followed: Followed, manager: Client) -> None:
    page = page_of(manager, FRAIL)
    assert sorted(listed(page)) == sorted(name for name, score in FRAILTY.items() if score >= 5)
    # Nobody said how frail they are: of the others Entwistle alone is known, and is not.
    assert figures(page) == [3, 3, 1, 4]
    assert "4 without frailty score" in page
    bands = re.findall(r"band is-rank-(\d)\">([^<]+)", page)
    assert sorted(bands) == [
        ("0", "Mild frailty"), ("1", "Moderate frailty"), ("2", "Severe frailty or more"),
    ]  # fmt: skip


def test_the_page_is_the_board(followed: Followed, everybody: Cohort, manager: Client) -> None:
    scope = scope_of(user("looks", Role.SITE_MANAGER, everywhere=True))
    found = board(everybody, moment=Moment(timezone.now()), scope=scope)
    assert found is not None
    page = page_of(manager, f"{LIST}everybody/")
    assert figures(page) == [found.people, found.ready, found.unowned, found.not_judged]
    assert listed(page) == [
        m.face.name.split(",")[0].title() for m in found.listed if m.face is not None
    ]
    steps = [int(fact) for fact in re.findall(r'class="stop[^"]*" data-fact="(\d+)"', page)]
    assert steps == [tally.people for tally in found.by_step]
    assert sum(steps) == found.people == len(EVERYBODY)
    assert [line.people for line in lines(moment=Moment(timezone.now()), scope=scope) or []][
        -1
    ] == found.people


def test_every_number_leads_to_as_many(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    seen = 0
    for slug in ("everybody", "losing-ground-in-a-bed", "our-neighbourhoods"):
        page = page_of(manager, f"{LIST}{slug}/")
        links = re.findall(r'href="(\?[^"#]*)#list">(?:<strong>)?(\d+)', page)
        for address, number in links:
            found = page_of(manager, f"{LIST}{slug}/{unescape(address)}")
            assert len(listed(found)) == int(number), (slug, address)
        seen += len(links)
    assert seen > 30


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?phase=after", ["Igglesden"]),
        ("?phase=before&phase=after", ["Jellicoe", "Igglesden"]),
        ("?step=ready", ["Drinkwater"]),
        ("?step=waiting&area=north", ["Abernethy", "Golightly"]),
        ("?area=north&phase=after", ["Igglesden"]),
        ("?site=TGH&step=treatment", ["Entwistle", "Featherby", "Hollingsworth"]),
        ("?owner=CXX/Care home brokerage", []),
        ("?owner=RCC/North team", ["Igglesden"]),
        ("?owner=none", ["Blenkinsop"]),
        ("?owner=RXX/Test+trust", ["Golightly", "Jellicoe"]),
    ],
)
def test_the_address_says_who_is_listed(
    followed: Followed, everybody: Cohort, manager: Client, query: str, expected: list[str]
) -> None:
    status = 400 if "brokerage" in query else 200
    page = page_of(manager, f"{LIST}everybody/{query}", status)
    assert sorted(listed(page)) == sorted(expected)
    assert figures(page)[0] == len(EVERYBODY), "the figures are of the whole"
    assert listed(page_of(manager, f"{LIST}everybody/{query}&fragment=1")) == listed(page)


def test_what_is_chosen_can_be_taken_away_one_by_one(followed: Followed, manager: Client) -> None:
    page = page_of(manager, f"{GROUND}?band=High&site=TGH")
    chips = re.findall(r'class="chosen-one" href="([^"]*)"', page)
    assert chips == ["?site=TGH#list", "?band=High#list"]
    at = f"{timezone.localtime() - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    page = page_of(manager, f"{GROUND}?band=High&at={at}")
    assert re.search(r'class="chosen-one" href="\?at=[^"]*"', page)
    assert 'name="band" value="High"' in page, "another moment keeps the filter"


def test_what_a_form_sends_empty_is_left_out_of_the_address(
    followed: Followed, manager: Client
) -> None:
    answer = manager.get(f"{FRAIL}?band=&step=waiting")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{FRAIL}?step=waiting")


def test_what_names_nothing_is_told_and_nothing_is_lost(
    followed: Followed, manager: Client
) -> None:
    for query in ("phase=later", "step=x", "band=Red", "area=south", "site=T9", "owner=RXX/Nil"):
        page = page_of(manager, f"{FRAIL}?{query}", 400)
        assert listed(page) == [], query
        assert 'role="alert"' in page
        assert figures(page)[0] == 3
    page = page_of(manager, f"{FRAIL}?colour=red&step=waiting", 400)
    assert "colour" in page
    assert len(listed(page)) == 3, "and is left out"
    assert manager.get(f"{LIST}no-such-cohort/").status_code == 404
    assert manager.get(f"{LIST}no-such-cohort/edit/").status_code == 404


def test_a_source_that_is_local_stands_out(followed: Followed, manager: Client) -> None:
    assert page_of(manager, GROUND).count('class="local"') == 2, "of the cohort and of the scale"
    assert 'class="local"' not in page_of(manager, FRAIL)


def test_what_is_not_known_of_a_risk_is_said(followed: Followed, manager: Client) -> None:
    page = page_of(manager, f"{GROUND}?step=ready")
    [row] = re.findall(r'id="row-\d+".*?</tr>', page, re.DOTALL)
    assert "not known: frailty score" in row
    page = page_of(manager, f"{GROUND}?band=High")
    assert listed(page) == ["Abernethy", "Blenkinsop"]
    assert "Clinical Frailty Scale 6 or more" in page


# --- who sees what --------------------------------------------------------------------------------


def test_a_nurse_sees_those_of_the_own_ward(
    followed: Followed, everybody: Cohort, nurse: Client
) -> None:
    for query in ("", "?step=waiting", "?format=csv", "?area=north"):
        page = page_of(nurse, f"{LIST}everybody/{query}").lower()
        assert not any(name.lower() in page for name in (*OTHERS, "Igglesden", "Jellicoe"))
    assert sorted(listed(page_of(nurse, f"{LIST}everybody/"))) == sorted(FAMILIES)
    assert "1 of 3 wards" in page_of(nurse, LIST)
    assert figures(page_of(nurse, OURS))[0] == 1


def test_who_sees_figures_sees_no_list_and_gets_no_file(
    followed: Followed, everybody: Cohort, observer: Client
) -> None:
    for address in (LIST, f"{LIST}everybody/", FRAIL, f"{GROUND}?band=High"):
        page = page_of(observer, address)
        assert not any(name.lower() in page.lower() for name in EVERYBODY)
        assert "/stays/" not in page
        assert of_persons(page) == []
    page = page_of(observer, f"{LIST}everybody/")
    assert figures(page)[0] == len(EVERYBODY)
    assert "You may see figures, not patients" in page
    assert "format=csv" not in page
    refused = observer.get(f"{FRAIL}?format=csv")
    assert refused.status_code == 403
    assert "/api/v1/cohorts/older-people-with-frailty/" in refused.content.decode()


def test_of_some_wards_one_sees_patients_and_of_others_figures(
    followed: Followed, everybody: Cohort
) -> None:
    person = user("both", Role.OBSERVER, everywhere=True)
    Grant.objects.create(user=person, role=Role.READER, ward=followed.hospital.wards[1])
    page = page_of(signed_in(person), f"{LIST}everybody/")
    assert sorted(listed(page)) == ["Golightly", "Hollingsworth", "Igglesden"]
    assert "7 more are on wards whose patients you may not see" in page


def test_a_neighbourhood_sees_its_people_everywhere_and_no_more(
    followed: Followed, everybody: Cohort
) -> None:
    client = signed_in(followed.neighbour())
    for slug in ("our-neighbourhoods", "everybody"):
        page = page_of(client, f"{LIST}{slug}/")
        assert sorted(listed(page)) == sorted(NEAR)
        assert figures(page)[0] == 3
        assert "/stays/" not in page, "no link that ends in a refusal"
        for query in ("", "?format=csv", "?phase=during", "?site=TGH"):
            found = page_of(client, f"{LIST}{slug}/{query}").lower()
            others = set(EVERYBODY) - set(NEAR)
            assert not any(name.lower() in found for name in others), query
    assert "people of North" in page_of(client, LIST)
    assert client.get("/cohorts/new/").status_code == 403


def test_their_own_people_are_one_click_from_where_they_begin(followed: Followed) -> None:
    client = signed_in(followed.neighbour())
    page = client.get("/start/", follow=True).content.decode()
    assert "Our work" in page
    assert 'href="/cohorts/our-people/"' in page
    answer = client.get("/cohorts/our-people/", follow=True)
    assert answer.redirect_chain == [(OURS, 302)]
    Cohort.objects.filter(slug="our-neighbourhoods").update(is_withdrawn=True)
    assert client.get("/cohorts/our-people/").headers["Location"] == LIST


def test_a_partner_of_no_neighbourhood_is_led_to_the_own_work_and_a_stranger_refused(
    followed: Followed,
) -> None:
    partner = signed_in(followed.leaving.care.social_worker())
    for address in (LIST, OURS, f"{OURS}?format=csv", f"{LIST}none-such/"):
        answer = partner.get(address)
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/work/")
    assert "/cohorts/" not in partner.get("/work/", follow=True).content.decode()
    assert signed_in(user("nobody", None)).get(LIST).status_code == 403
    assert "/accounts/sign-in/" in Client().get(LIST).headers["Location"]


def test_people_lead_to_the_page_of_their_stay_where_there_is_one(
    followed: Followed, everybody: Cohort, manager: Client, nurse: Client
) -> None:
    for client, most in ((manager, 9), (nurse, 6)):
        page = page_of(client, f"{LIST}everybody/")
        links = re.findall(r'href="(/stays/\d+/)"', page)
        assert len(links) == most, "of who is expected there is no page yet"
        assert {client.get(link).status_code for link in links} == {200}


def test_a_restricted_record_is_listed_without_a_name(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    ward = followed.hospital.wards[1]
    followed.hospital.admit(followed.hospital.beds(ward)[3], family="Hushed", restricted=True)
    page = page_of(manager, f"{LIST}everybody/")
    assert "Restricted record" in page
    assert "hushed" not in page.lower()
    row = next(r for r in file_of(manager, f"{LIST}everybody/") if r["restricted"] == "true")
    assert (row["name"], row["nhs_number"]) == ("", "")


def test_what_is_kept_of_one_page_is_not_shown_as_another(
    followed: Followed, everybody: Cohort, manager: Client, observer: Client
) -> None:
    for _turn in range(2):
        assert "Ready to leave" in page_of(manager, "/discharges/")
        assert len(listed(page_of(manager, FRAIL))) == 3
        assert len(listed(page_of(manager, f"{LIST}everybody/"))) == 10
        assert len(listed(page_of(manager, f"{LIST}everybody/?phase=after"))) == 1
        assert "cohort-everybody" in page_of(manager, LIST)
        assert listed(page_of(observer, FRAIL)) == []


# --- the past, and over time ----------------------------------------------------------------------


def test_the_past_is_shown_as_it_was_and_as_it_was_known(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    at = f"{timezone.localtime() - 3 * DAY:%Y-%m-%dT%H:%M}"
    page = page_of(manager, f"{LIST}everybody/?at={at}&phase=during")
    assert sorted(listed(page)) == sorted((*FAMILIES, "Igglesden"))
    assert "Golightly".upper() not in page
    assert "data-past" in page
    assert f"at={at[:10]}" in unescape(page).replace("%3A", ":")
    # All of it was told today: nothing was known then.
    page = page_of(manager, f"{LIST}everybody/?at={at}&known=then")
    assert listed(page) == []


def test_few_days_are_called_few(followed: Followed, manager: Client) -> None:
    assert "no day is counted yet" in page_of(manager, OURS)
    days = count_missing(now=timezone.now())
    assert days > 3
    shared.forget()
    page = page_of(manager, OURS)
    assert f"{days} of 90 days so far" in page
    assert "Too few to see a change by" in page
    table = page.split('id="days-table"')[1].split("</tbody>")[0]
    assert table.count('<th scope="row">') == days
    assert page.count('class="day-chart"') == 3
    assert page_of(manager, LIST).count('class="sparkline"') == 9


# --- the file -------------------------------------------------------------------------------------


def file_of(client: Client, address: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{address}?format=csv{query}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'filename="[\w-]+-[\dT-]+\.csv"', answer["Content-Disposition"])
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_file_holds_the_list_as_filtered(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    rows = file_of(manager, GROUND)
    assert [row["name"].split(",")[0].title() for row in rows] == listed(page_of(manager, GROUND))
    first = next(row for row in rows if row["name"].startswith("ABERNETHY"))
    assert first["nhs_number"].startswith("999")
    assert (first["step"], first["organisation"], first["frailty"]) == ("waiting", "CXX", "8")
    assert (first["band"], first["residence"], first["neighbourhood"]) == (
        "High", "care_home", "north",
    )  # fmt: skip
    assert float(first["bed_days_lost"]) == pytest.approx(10, abs=0.01)
    assert "Clinical Frailty Scale 6 or more" in first["drivers"]
    after = file_of(manager, f"{LIST}everybody/", "&phase=after")
    assert [(row["step"], row["accountable"]) for row in after] == [("home", "North team")]


def test_no_cell_of_the_file_is_a_formula(
    followed: Followed, everybody: Cohort, manager: Client
) -> None:
    wards = followed.hospital.wards
    followed.leaving.here("=cmd|' /C calc'!A0", wards[1], 3, 1)
    followed.leaving.find_stays()
    wards[1].name = "+Ward"
    wards[1].save()
    for row in file_of(manager, f"{LIST}everybody/"):
        for name, value in row.items():
            assert not value.startswith(("=", "+", "-", "@", "\t")), name


def test_a_file_of_something_else_than_asked_for_is_not_given(
    followed: Followed, manager: Client
) -> None:
    for query, words in (
        ("?format=csv&band=Red", "Red"),
        ("?format=csv&colour=1", "colour"),
        ("?format=csv&at=tomorrow", "date"),
        ("?format=xls", "csv"),
    ):
        answer = manager.get(f"{FRAIL}{query}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert words in answer.content.decode()


# --- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "most"),
    [
        (LIST, 14),
        (FRAIL, 15),
        (f"{FRAIL}?fragment=1&band=Mild frailty&site=TGH&step=waiting", 14),
        (f"{OURS}?format=csv", 11),
        ("/cohorts/new/?age_from=65&ready=yes", 18),
    ],
)
def test_the_pages_ask_as_often_for_sixty_as_for_six(
    followed: Followed, manager: Client, address: str, most: int
) -> None:
    def cost() -> int:
        manager.get("/search/")
        shared.forget()
        ring(["hub"])
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(address).status_code == 200
        return len(asked)

    few = cost()
    assert few <= most
    hospital = followed.hospital
    add_beds(hospital.wards[0], 54, first=6)
    said = Said(timezone.now(), followed.leaving.by)
    with hospital.together():
        for bed in range(6, 60):
            followed.leaving.here(f"Many{bed}", hospital.wards[0], bed, 12)
    followed.leaving.find_stays()
    for bed in range(6, 60):
        family = f"Many{bed}"
        followed.leaving.ready(family, 3, bed % 4, "p2-capacity")
        review(episode=followed.leaving.stays[family], found=Found(frailty=bed % 9 + 1), said=said)
    assert Episode.objects.filter(status="in_hospital").count() > 60
    assert cost() == few


def test_a_partner_pays_one_query_for_the_way_to_their_people(followed: Followed) -> None:
    def cost(client: Client) -> int:
        client.get("/search/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/search/")
        return sum("patients_neighbourhood" in query["sql"] for query in asked)

    assert cost(signed_in(followed.neighbour())) == 1
    assert cost(signed_in(user("nurse", Role.WARD_NURSE, ward=followed.hospital.wards[0]))) == 0
    assert cost(signed_in(user("everywhere", Role.SITE_MANAGER, everywhere=True))) == 0
