"""Who sees a part of a place is told that it is a part, and begins in it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.roles import Role
from tests.screens.hospital import Hospital, build, signed_in, user


def words(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_who_sees_one_ward_is_told_so_in_heading_and_figures(
    hospital: Hospital, nurse: Client
) -> None:
    system = words(nurse, "/")
    assert '<h1>Your ward</h1> <span class="subtitle">1 of 3 wards</span>' in system
    assert "Whole system" not in system
    assert "open on your ward<" in system
    assert "on your ward, 1 of 3 wards." in system
    assert '<span class="aside">1 of 3 wards</span>' in system
    site = words(nurse, "/sites/TGH/")
    assert "<h1>Your ward in Test hospital TGH</h1>" in site
    assert "Acute hospital, 1 of 3 wards" in site
    assert "open on your ward<" in site


def test_who_sees_one_site_of_two_sees_it_whole_and_the_system_in_part(
    hospital: Hospital,
) -> None:
    build(code="OTH")
    clinician = signed_in(user("one", Role.SITE_MANAGER, site=hospital.site))
    assert '<h1>Your wards</h1> <span class="subtitle">3 of 6 wards</span>' in words(clinician, "/")
    site = words(clinician, "/sites/TGH/")
    assert "<h1>Test hospital TGH</h1>" in site
    assert "your ward" not in site.lower()


def test_who_sees_everything_is_told_of_no_part(hospital: Hospital, manager: Client) -> None:
    assert "<h1>Whole system</h1>" in words(manager, "/")
    for address in ("/", "/sites/TGH/"):
        assert "your ward" not in words(manager, address).lower()


def test_wards_that_only_a_feed_knows_make_no_part(hospital: Hospital) -> None:
    everyone = signed_in(user("org", Role.SITE_MANAGER, organisation=hospital.site.organisation))
    assert "<h1>Whole system</h1>" in words(everyone, "/")


@pytest.mark.parametrize(
    ("wish", "goal"),
    [
        ("", "/wards/TGH-W1/?site=TGH"),
        ("/", "/wards/TGH-W1/?site=TGH"),
        ("/sites/TGH/", "/sites/TGH/"),
    ],
)
def test_a_nurse_of_one_ward_begins_there_unless_another_page_was_asked_for(
    hospital: Hospital, client: Client, wish: str, goal: str
) -> None:
    user("nurse", Role.WARD_NURSE, ward=hospital.wards[0])
    secret = {"username": "nurse", "password": "a long enough word"}
    answer = client.post("/accounts/sign-in/", {**secret, "next": wish}, follow=True)
    assert answer.redirect_chain[-1][0] == goal
    assert answer.status_code == 200


def test_who_sees_more_than_a_ward_begins_with_the_system(
    hospital: Hospital, manager: Client
) -> None:
    assert manager.get("/start/")["Location"] == "/"


def test_who_has_no_role_begins_where_the_reason_is_told(hospital: Hospital) -> None:
    answer = signed_in(user("nobody", None)).get("/start/", follow=True)
    assert "Ask your administrator" in answer.content.decode()
