"""What a filter names must be there; what is out of sight is answered as what is not."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation
from accounts.roles import Role
from flow.api import sharing
from flow.api.finding import forget_codes
from tests.api.conftest import Caller
from tests.flow.places import HOUR, START, Hospital, make_ward, put
from wards.models import Ward

pytestmark = pytest.mark.django_db

PLACES = {
    "/api/v1/occupancy/": ("site", "ward"),
    "/api/v1/occupancy/totals/": ("site",),
    "/api/v1/beds/": ("site", "ward"),
    "/api/v1/sites/": ("organisation",),
    "/api/v1/wards/": ("site", "ward", "organisation"),
    "/api/v1/episodes/": ("site", "ward"),
    "/api/v1/barriers/": ("site", "ward"),
    "/api/v1/discharges/summary/": ("site", "ward"),
}
BY_NAME = {
    "/api/v1/barriers/": ("organisation", "team", "reason"),
    "/api/v1/discharges/summary/": ("organisation", "reason"),
}
OF_PLACES = [(address, name) for address in PLACES for name in PLACES[address]]
EVERY = OF_PLACES + [(address, name) for address in BY_NAME for name in BY_NAME[address]]


def refused(client: APIClient, address: str, **query: Any) -> dict[str, Any]:
    response = client.get(address, query)
    assert response.status_code == 400, (address, query)
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == "/api/v1/problems/#invalid-parameter"
    return problem


@pytest.mark.parametrize(("address", "name"), EVERY)
def test_a_name_that_nothing_has_is_refused(
    client: APIClient, hospital: Hospital, address: str, name: str
) -> None:
    problem = refused(client, address, **{name: "XXX"})
    [(parameter, [reason])] = problem["errors"].items()
    assert parameter == name
    assert "XXX" in reason
    assert name in reason


def test_among_names_that_are_there_one_that_is_not_is_refused(
    client: APIClient, hospital: Hospital
) -> None:
    problem = refused(client, "/api/v1/occupancy/", ward=[hospital.ward.code, "XXX"], site="YYY")
    assert set(problem["errors"]) == {"ward", "site"}
    assert "XXX" in problem["detail"]


@pytest.mark.parametrize(("address", "name"), OF_PLACES)
def test_what_is_out_of_sight_is_answered_as_what_is_not_there(
    caller: Caller, hospital: Hospital, address: str, name: str
) -> None:
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    codes = {
        "ward": (hospital.ward.code, hospital.community.code),
        "site": (hospital.site.code, hospital.community_site.code),
        "organisation": (
            hospital.site.organisation.code,
            Organisation.objects.create(code="QZZ", name="Another trust", kind="trust").code,
        ),
    }
    own, foreign = codes[name]
    assert nurse.get(address, {name: own}).status_code == 200
    there = refused(nurse, address, **{name: foreign})
    nowhere = refused(nurse, address, **{name: "X" * len(foreign)})
    assert str(there).replace(foreign, "?") == str(nowhere).replace("X" * len(foreign), "?")


def test_a_ward_of_the_same_site_is_out_of_sight_as_well(
    caller: Caller, hospital: Hospital
) -> None:
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    refused(nurse, "/api/v1/occupancy/", ward=hospital.other.code)


def test_a_new_ward_is_known_at_once_and_one_that_is_another_no_more(
    client: APIClient, hospital: Hospital
) -> None:
    refused(client, "/api/v1/occupancy/", ward="NEW")
    new = make_ward(hospital.site, "NEW")
    assert client.get("/api/v1/occupancy/", {"ward": "NEW"}).status_code == 200
    Ward.objects.filter(pk=new.pk).update(same_as=hospital.ward)
    forget_codes()
    sharing.forget()
    refused(client, "/api/v1/occupancy/", ward="NEW")


def test_where_a_patient_in_sight_was_before_can_be_asked_for(
    caller: Caller, hospital: Hospital
) -> None:
    here = put(hospital.ward, start=START, end=START + HOUR)
    put(hospital.other, start=START + HOUR, episode=here.episode)
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    found = nurse.get("/api/v1/episodes/", {"ward": hospital.other.code})
    assert [row["id"] for row in found.json()["results"]] == [here.episode_id]
    refused(nurse, "/api/v1/episodes/", ward=hospital.community.code)
