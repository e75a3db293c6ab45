"""Cohorts over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, Team
from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.api.shapes_cohorts import CohortBoard, CohortLine, CohortMember
from patients.code_loading import built_in as codes_built_in
from patients.code_loading import load_codes
from patients.cohort_loading import built_in, load_cohorts
from patients.models import Cohort, Episode, HomeArea, Neighbourhood, Patient
from tests.api.callers import Caller
from tests.pages import of_persons
from tests.screens.hospital import Hospital, build
from wards.barriers import Said
from wards.rounds import Found, review

pytestmark = pytest.mark.django_db

LIST = "/api/v1/cohorts/"
FRAIL = f"{LIST}older-people-with-frailty/"
OURS = f"{LIST}our-neighbourhoods/"


@pytest.fixture
def hospital() -> Hospital:
    """Six patients; the first two are frail, the second lives nearby."""
    load_codes(codes_built_in())
    load_cohorts(built_in())
    made = build()
    made.fill(made.wards[0], 6)
    Patient.objects.update(date_of_birth="1940-01-01", gp_practice="")
    said = Said(timezone.now() - timedelta(hours=1), None)
    for number, score in ((0, 5), (1, 8), (2, 2)):
        review(episode=episodes()[number], found=Found(frailty=score), said=said)
    body = Organisation.objects.create(code="RCC", name="Community", kind="community")
    team = Team.objects.create(organisation=body, code="NT", name="North team")
    north = Neighbourhood.objects.create(slug="north", name="North", team=team)
    HomeArea.objects.create(neighbourhood=north, is_practice=True, code="P1")
    Patient.objects.filter(pk=episodes()[1].patient_id).update(gp_practice="P1")
    return made


def episodes() -> list[Episode]:
    return list(Episode.objects.filter(status="in_hospital").order_by("pk"))


READS = (TokenScope.WAITS_READ, TokenScope.EPISODES_READ)


@pytest.fixture
def nurse(hospital: Hospital) -> Caller:
    return Caller("nurse", Role.WARD_NURSE, *READS, ward=hospital.wards[0])


def one(caller: Caller, address: str = FRAIL, **query: Any) -> dict[str, Any]:
    response = caller.client.get(address, query)
    assert response.status_code == 200, response.content
    told: dict[str, Any] = response.json()
    return told


def test_all_cohorts_are_listed_with_their_figures(nurse: Caller) -> None:
    found = {row["slug"]: row for row in nurse.get(LIST)}
    assert set(found) == set(Cohort.objects.values_list("slug", flat=True))
    frail = found["older-people-with-frailty"]
    assert (frail["people"], frail["during"], frail["not_judged"]) == (2, 2, 3)
    assert frail["criteria"] == {"age_from": 65, "frailty_from": 5}
    assert set(frail) == set(CohortLine().get_fields())


def test_one_cohort_says_who_where_and_who_is_accountable(
    nurse: Caller, hospital: Hospital
) -> None:
    told = one(nurse)
    assert told["people"] == len(told["results"]) == 2
    assert told["not_known"] == [{"what": "frailty score", "people": 3}]
    assert {band["name"]: band["people"] for band in told["risk"]["bands"]} == {
        "Mild frailty": 1, "Moderate frailty": 0, "Severe frailty or more": 1,
    }  # fmt: skip
    severe = next(row for row in told["results"] if row["frailty"] == 8)
    assert severe["drivers"] == ["Clinical Frailty Scale 7 or more"]
    assert (severe["step"], severe["phase"], severe["area"]) == ("treatment", "during", "north")
    assert severe["accountable"]["name"] == hospital.wards[0].name
    assert severe["patient"]["name"]
    assert sum(step["people"] for step in told["by_step"]) == 2
    assert set(told) == set(CohortBoard().get_fields())
    assert set(severe) == set(CohortMember().get_fields())


def test_filters_narrow_the_people(nurse: Caller) -> None:
    assert len(one(nurse, band="Severe frailty or more")["results"]) == 1
    assert len(one(nurse, area=["north", "none"])["results"]) == 2
    assert one(nurse, step="home")["results"] == []
    assert one(nurse, phase="during", area="north")["people"] == 2


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"phase": "later"}, "phase"),
        ({"step": "limbo"}, "step"),
        ({"area": "south"}, "area"),
        ({"band": "Huge"}, "band"),
        ({"site": "ELSEWHERE"}, "site"),
        ({"colour": "red"}, "colour"),
        ({"at": "yesterday"}, "at"),
    ],
)
def test_what_names_nothing_is_refused(nurse: Caller, query: dict[str, str], says: str) -> None:
    response = nurse.client.get(FRAIL, query)
    assert response.status_code == 400
    assert says in response.json()["errors"]


def test_an_unknown_cohort_is_not_found(nurse: Caller) -> None:
    response = nurse.client.get(f"{LIST}nobody/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_a_neighbourhood_team_is_told_of_its_own_people_alone(hospital: Hospital) -> None:
    team = Caller("team", Role.PARTNER, *READS, team=Team.objects.get(code="NT"))
    told = one(team, OURS)
    assert [row["episode"] for row in told["results"]] == [episodes()[1].pk]
    assert told["people"] == 1


def test_an_observer_is_told_figures_alone(hospital: Hospital) -> None:
    observer = Caller("observer", Role.OBSERVER, *READS, everywhere=True)
    told = one(observer)
    assert (told["people"], told["results"], told["unseen"]) == (2, [], 2)


def test_who_may_see_nobody_is_refused(hospital: Hospital) -> None:
    body = Organisation.objects.create(code="CXX", name="Council", kind="council")
    other = Team.objects.create(organisation=body, code="SW", name="Social work")
    council = Caller("council", Role.PARTNER, team=other)
    for address in (LIST, FRAIL):
        response = council.client.get(address)
        assert response.status_code == 403
        assert "neighbourhood" in response.json()["detail"]


def test_the_people_are_written_as_csv(nurse: Caller) -> None:
    response = nurse.client.get(FRAIL, {"format": "csv"})
    assert of_persons(response.content.decode())
    lines = response.content.decode().splitlines()
    assert len(lines) == 3
    assert "accountable_name" in lines[0]
    assert "patient_nhs_number" in lines[0]


def test_a_token_without_episodes_is_told_figures_alone(hospital: Hospital) -> None:
    figures = Caller("figures", Role.WARD_NURSE, TokenScope.WAITS_READ, ward=hospital.wards[0])
    told = one(figures)
    assert (told["people"], told["results"], told["unseen"]) == (2, [], 2)
    assert of_persons(figures.client.get(FRAIL, {"format": "csv"}).content.decode()) == []


def test_a_filter_that_nobody_fits_today_is_no_mistake(nurse: Caller, hospital: Hospital) -> None:
    often = f"{LIST}often-in-hospital/"
    for query in ({"area": "north"}, {"area": "none"}, {"site": hospital.wards[0].site.code}):
        assert one(nurse, often, **query)["results"] == []
    assert nurse.client.get(often, {"organisation": "ZZ"}).status_code == 400
