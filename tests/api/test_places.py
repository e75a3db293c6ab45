"""Organisations, sites and wards."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation
from accounts.roles import Role
from tests.api.conftest import Caller, Value
from tests.flow.places import (
    START,
    Hospital,
    beds_of,
    make_organisation,
    make_site,
    make_ward,
    span,
)
from wards.models import Bed, Ward


def codes(client: APIClient, what: str, **query: Value) -> list[str]:
    response = client.get(f"/api/v1/{what}/", query)
    assert response.status_code == 200, response.content
    return [row["code"] for row in response.json()["results"]]


def test_organisations_with_those_above_them(
    client: APIClient, caller: Caller, hospital: Hospital
) -> None:
    board = make_organisation("QNM")
    owner = hospital.site.organisation
    Organisation.objects.filter(pk=owner.pk).update(parent=board)
    stranger = make_organisation()
    rows = {r["code"]: r for r in client.get("/api/v1/organisations/").json()["results"]}
    assert rows[owner.code] == {
        "code": owner.code,
        "name": owner.name,
        "kind": "trust",
        "parent": "QNM",
    }
    assert stranger.code in rows
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    assert set(codes(nurse, "organisations")) == {owner.code, "QNM"}


def test_sites(client: APIClient, caller: Caller, hospital: Hospital) -> None:
    assert set(codes(client, "sites")) == {hospital.site.code, hospital.community_site.code}
    assert codes(client, "sites", kind="acute") == [hospital.site.code]
    owner = hospital.community_site.organisation.code
    assert codes(client, "sites", organisation=owner) == [hospital.community_site.code]
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    assert codes(nurse, "sites") == [hospital.site.code]
    one = nurse.get(f"/api/v1/sites/{hospital.site.code}/").json()
    assert one == {
        "code": hospital.site.code,
        "name": hospital.site.name,
        "kind": "acute",
        "organisation": hospital.site.organisation.code,
    }
    assert nurse.get(f"/api/v1/sites/{hospital.community_site.code}/").status_code == 404


def test_wards(client: APIClient, caller: Caller, hospital: Hospital) -> None:
    assert codes(client, "wards", site=hospital.site.code) == [
        hospital.emergency.code,
        hospital.ward.code,
        hospital.other.code,
    ]
    assert codes(client, "wards", kind="emergency") == [hospital.emergency.code]
    owner = hospital.community_site.organisation.code
    assert codes(client, "wards", organisation=owner) == [hospital.community.code]
    nurse = caller(role=Role.WARD_NURSE, ward=hospital.ward)
    assert codes(nurse, "wards") == [hospital.ward.code]


def test_a_ward_with_its_bays_and_the_beds_on_the_books(
    client: APIClient, hospital: Hospital
) -> None:
    first, second, third = beds_of(hospital.ward)[:3]
    Bed.objects.filter(pk=first.pk).update(is_recognised=False)
    Bed.objects.filter(pk=second.pk).update(is_recognised=False, same_as=third)
    Bed.objects.filter(pk=third.pk).update(in_use=span(START, START.replace(hour=7)))
    one = client.get(f"/api/v1/wards/{hospital.ward.code}/").json()
    assert one["beds"] == 3
    assert one["specialty"] == "respiratory"
    assert one["recognised"] is True
    assert one["bays"] == [{"code": "A", "name": "Bay A", "sex": "any"}]
    listed = client.get("/api/v1/wards/", {"ward": hospital.ward.code}).json()["results"]
    assert one == listed[0] | {"bays": one["bays"]}


def test_a_ward_that_turned_out_to_be_another_is_not_listed(
    client: APIClient, hospital: Hospital
) -> None:
    alias = make_ward(hospital.site, "W12OLD", kind="unrecognised")
    Ward.objects.filter(pk=alias.pk).update(same_as=hospital.ward)
    assert "W12OLD" not in codes(client, "wards")
    assert client.get("/api/v1/wards/W12OLD/").status_code == 404


@pytest.mark.parametrize("what", ["organisations", "sites", "wards"])
def test_no_more_queries_for_more_places(client: APIClient, hospital: Hospital, what: str) -> None:
    client.get("/api/v1/sites/")
    numbers = []
    for sites in (1, 10):
        for _ in range(sites):
            make_ward(make_site(), beds=3)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/api/v1/{what}/")
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 2
