"""Text that the database cannot hold is refused with what to do, wherever it comes in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import TokenScope
from tests.api.conftest import Caller
from tests.flow.places import Hospital
from wards.models import Grant

SEARCH = "/api/v1/episodes/search/"
FIELDS = ["visit", "mrn", "nhs_number", "ward", "site", "status", "at", "limit", "cursor"]
HALVES = ["\x00", "a\x00b", "\ud800", "\udfff", "2026-01-01T00:00:00\ud800"]
text = st.text(st.characters(codec=None), max_size=20)  # with null characters and lone surrogates


def post(client: APIClient, body: bytes, content_type: str = "application/json") -> Any:
    client.raise_request_exception = False
    return client.post(SEARCH, body, content_type=content_type)


def problem(response: Any) -> dict[str, Any]:
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", HALVES)
def test_a_value_that_is_no_text_is_refused_by_name(
    client: APIClient, hospital: Hospital, name: str, value: str
) -> None:
    for body in ({name: value}, {name: [value]}):
        told = problem(post(client, json.dumps(body).encode()))
        assert "null character nor half of a surrogate pair" in told["errors"][name][0]


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\ud800": "x"}',
        b'{"\\u0000": "x"}',
        b'"\\ud800"',
        b'["\\ud800"]',
        b'{"visit": {"\\ud800": 1}}',
        b'{"visit": 1e400}',
        b'{"visit": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"visit": ' * 100_000,
        b"\xed\xa0\x80",
        b"\xff\xfe{}",
    ],
)
def test_a_body_that_is_no_text_is_refused(
    client: APIClient, hospital: Hospital, body: bytes
) -> None:
    assert problem(post(client, body))["detail"]


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16", "hex", "nonsense"])
def test_whatever_the_body_claims_to_be_written_in(
    client: APIClient, hospital: Hospital, charset: str
) -> None:
    body = b'{"visit": "+2AA-\\ud800"}'
    problem(post(client, body, f"application/json; charset={charset}"))


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.one_of(st.sampled_from(FIELDS), text), st.one_of(text, st.lists(text))))
def test_any_search_is_answered(client: APIClient, body: dict[str, Any]) -> None:
    assert post(client, json.dumps(body).encode()).status_code in (200, 400)


@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "%FF", "9" * 40])
def test_any_address_of_the_api_is_answered(
    client: APIClient, hospital: Hospital, value: str
) -> None:
    client.raise_request_exception = False
    for place in ("wards/{}/", "wards/{}/beds/", "sites/{}/", "beds/{}/", "episodes/{}/", "{}"):
        response = client.get(f"/api/v1/{place.format(value)}")
        assert response.status_code in (400, 404), place
        assert response["Content-Type"] == "application/problem+json"
    for place in ("occupancy", "wards", "sites", "beds", "episodes", "wards/NGH-W12/beds"):
        for name in ("site", "ward", "visit", "at", "cursor", "format", value):
            response = client.get(f"/api/v1/{place}/?{name}={value}")
            assert response.status_code in (200, 400, 404, 406), (place, name)


def test_a_null_character_in_an_address_is_told_of(client: APIClient, hospital: Hospital) -> None:
    response = client.get("/api/v1/sites/%00/")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert "null character" in response.json()["detail"]


# --- forms and pages ------------------------------------------------------------------------------


@pytest.fixture
def manager(hospital: Hospital) -> Client:
    """Somebody who may open every page."""
    user = User.objects.create_user("manager")
    for role in (Role.SITE_MANAGER, Role.FEED_MANAGER):
        Grant.objects.create(user=user, role=role, everywhere=True)
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ufffd", "9" * 40])
def test_the_search_page_takes_any_words(manager: Client, value: str) -> None:
    assert manager.post("/search/", {"q": value}, follow=True).status_code == 200


@pytest.mark.parametrize("value", ["\x00", "nurse\x00", "x" * 151, "x" * 10_000])
def test_the_sign_in_form_takes_any_words(db: None, value: str) -> None:
    User.objects.create_user("nurse", password="the nurse's secret")
    browser = Client(
        raise_request_exception=False,
        headers={"User-Agent": "x" * 5000, "Accept": "y" * 5000, "X-Request-ID": "z" * 5000},
    )
    wrong = browser.post("/accounts/sign-in/", {"username": "nurse", "password": value})
    assert wrong.status_code == 200
    given = {"username": value, "password": value, "next": value}
    assert browser.post("/accounts/sign-in/", given).status_code == 200
    assert browser.post("/accounts/sign-in/?next=%00", {"username": value}).status_code == 200


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape", "hex"])
@pytest.mark.parametrize("place", ["/search/", "/accounts/sign-in/"])
def test_a_form_in_another_character_set_is_refused(
    manager: Client, place: str, charset: str
) -> None:
    names = ("q", "username", "password")
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n+2AA-\\ud800' for n in names
    ]
    body = "\r\n".join([*parts, "--B--", ""]).encode()
    kind = f"multipart/form-data; boundary=B; charset={charset}"
    response = manager.generic("POST", place, body, kind)
    assert response.status_code == 400
    assert b"send it in UTF-8" in response.content


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"'])
def test_a_form_in_utf8_is_taken(manager: Client, charset: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="q"\r\n\r\nT\xc5\xb7\r\n--B--\r\n'
    kind = f"multipart/form-data; boundary=B{charset}"
    response = manager.generic("POST", "/search/", body, kind)
    assert response.status_code == 302
    assert "Tŷ" in manager.get(response["Location"]).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/wards/{}/",
        "/sites/{}/",
        "/wards/NGH-W12/?site={}",
        "/feeds/troubles/?reason={}&feed={}&status={}&page={}",
        "/beds/1/?to={}",
        "/{}",
    ],
)
@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "9" * 40, "9" * 5000])
def test_any_address_of_a_page_is_answered(manager: Client, address: str, value: str) -> None:
    response = manager.get(address.replace("{}", value))
    assert response.status_code < 500
    if "\0" in unquote(response.request["PATH_INFO"]):
        assert response.status_code == 404
        assert b"null character" in response.content


@pytest.mark.parametrize(
    "where", ["x", "\x00", "٣", "9" * 40, "9" * 5000, "feeds", "http://evil.example/"]
)
def test_after_a_replay_one_comes_back_to_some_page(manager: Client, where: str) -> None:
    response = manager.post("/feeds/replay/", {"next": where, "message": where, "reason": where})
    assert response.status_code == 302
    assert "evil" not in response["Location"]


# --- HL7 over HTTP --------------------------------------------------------------------------------


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(min_size=1),
        text.map(lambda said: f"MSH|^~\\&|{said}|{said}".encode("utf-16-le", "surrogatepass")),
        text.map(lambda said: f"MSH|^~\\&|{said}|{said}||||ADT^A01".encode("utf-8", "ignore")),
        st.binary(max_size=4).map(lambda b: b"MSH|^~\\&|P\\X" + b.hex().encode() + b"\\|R"),
    )
)
@example(b"MSH|^~\\&|-|-||||ADT^A01")
def test_any_hl7_body_is_answered(caller: Caller, body: bytes) -> None:
    client = caller(role=Role.FEED_MANAGER, scopes=[TokenScope.HL7_WRITE])
    client.raise_request_exception = False
    response = client.post("/api/v1/hl7v2/", body, content_type="application/hl7-v2")
    assert response.status_code in (200, 400), body
