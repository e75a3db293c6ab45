"""Every error is a problem document that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import TokenScope
from flow.api import occupancy, throttles
from flow.api.throttles import CallerThrottle
from tests.api.conftest import Caller
from tests.flow.places import Hospital
from wards.models import Grant

OCCUPANCY = "/api/v1/occupancy/"


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert set(told) <= {"type", "title", "status", "detail", "errors"}
    assert told["title"]
    assert len(told["detail"]) > 10
    return told


def test_without_a_token(db: None) -> None:
    response = APIClient().get(OCCUPANCY)
    assert "Bearer" in problem(response, 401)["detail"]
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_with_a_wrong_token(db: None) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    response = client.get(OCCUPANCY)
    assert problem(response, 401)["type"] == "/api/v1/problems/#unauthenticated"
    assert "invalid_token" in response["WWW-Authenticate"]


def test_with_a_token_for_something_else(caller: Caller) -> None:
    response = caller(scopes=[TokenScope.PLACES_READ]).get(OCCUPANCY)
    told = problem(response, 403)
    assert "occupancy:read" in told["detail"]
    assert told["type"] == "/api/v1/problems/#insufficient-scope"


def test_a_session_needs_its_csrf_token_to_send(hospital: Hospital) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("manager"))
    told = problem(client.post("/api/v1/episodes/search/", {}, format="json"), 403)
    assert "CSRF" in told["detail"]
    assert told["type"] == "about:blank"


def test_a_body_that_is_too_large(client: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = b'{"visit": "' + b"1" * 200 + b'"}'
    address = "/api/v1/episodes/search/"
    problem(client.post(address, body, content_type="application/json"), 413)


def test_somebody_signed_in_may_read_as_in_the_browser(hospital: Hospital) -> None:
    user = User.objects.create_user("manager")
    Grant.objects.create(user=user, role=Role.SITE_MANAGER, site=hospital.site)
    client = APIClient()
    client.force_login(user)
    rows = client.get(OCCUPANCY).json()["results"]
    assert {row["site"] for row in rows} == {hospital.site.code}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options", "patch"])
@pytest.mark.parametrize("address", ["v1/nothing/", "v1/nothing/at/all", "v1/", "v2/wards/", ""])
def test_an_address_that_leads_nowhere(client: APIClient, method: str, address: str) -> None:
    problem(getattr(client, method)(f"/api/{address}"), 404)


def test_a_missing_slash_is_put_right(client: APIClient, hospital: Hospital) -> None:
    response = client.get("/api/v1/occupancy?kind=emergency")
    assert response.status_code == 308
    assert response["Location"] == "/api/v1/occupancy/?kind=emergency"
    assert client.post("/api/v1/episodes/search", {}).status_code == 308


def test_a_method_that_a_view_does_not_know(client: APIClient) -> None:
    response = client.post(OCCUPANCY, {})
    problem(response, 405)
    assert "GET" in response["Allow"]


def test_a_format_nobody_writes(client: APIClient, hospital: Hospital) -> None:
    problem(client.get(OCCUPANCY, HTTP_ACCEPT="application/xml"), 406)
    assert "csv" in problem(client.get(OCCUPANCY, {"format": "xml"}), 406)["detail"]
    assert client.get(OCCUPANCY, HTTP_ACCEPT="*/*")["Content-Type"] == "application/json"
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert client.get(OCCUPANCY, HTTP_ACCEPT=browser)["Content-Type"] == "application/json"


def test_a_problem_is_told_as_json_whatever_was_asked_for(client: APIClient) -> None:
    problem(client.get(OCCUPANCY, {"colour": "blue", "format": "csv"}), 400)


def test_a_failure_of_ours_says_whom_to_tell_and_nothing_else(
    client: APIClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise RuntimeError("SMITH, John 9990000001")

    monkeypatch.setattr(occupancy, "lines_of", fail)
    response = client.get(OCCUPANCY)
    told = problem(response, 500)
    assert "X-Request-ID" in told["detail"]
    assert response["X-Request-ID"]
    assert b"SMITH" not in response.content


def test_while_the_database_is_away_one_is_told_to_come_back(
    client: APIClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(occupancy, "lines_of", fail)
    response = client.get(OCCUPANCY)
    assert problem(response, 503)["type"].endswith("#unavailable")
    assert response["Retry-After"] == "5"


@pytest.fixture
def _three_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    rates = {"token": "3/min", "user": "2/min"}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)
    monkeypatch.setattr("flow.api.throttles.time.time", lambda: 1_000_000_020.0)
    yield
    CallerThrottle.forget()


@pytest.mark.usefixtures("_three_a_minute")
def test_too_many_requests_of_one_token(caller: Caller, hospital: Hospital) -> None:
    eager, calm = caller(), caller()
    assert [eager.get("/api/v1/sites/").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    response = eager.get(OCCUPANCY)
    told = problem(response, 429)
    assert told["type"].endswith("#throttled")
    assert response["Retry-After"] == "60"
    assert "60" in told["detail"]
    assert calm.get(OCCUPANCY).status_code == 200


@pytest.mark.usefixtures("_three_a_minute")
def test_processes_share_the_limit(client: APIClient, hospital: Hospital) -> None:
    assert client.get("/api/v1/sites/").status_code == 200
    CallerThrottle.forget()  # as another process would begin
    statuses = [client.get("/api/v1/sites/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.usefixtures("_three_a_minute")
def test_a_new_period_begins_anew(
    client: APIClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        last = client.get("/api/v1/sites/")
    assert last.status_code == 429
    monkeypatch.setattr("flow.api.throttles.time.time", lambda: 1_000_000_080.0)
    assert client.get("/api/v1/sites/").status_code == 200


def test_rates() -> None:
    assert throttles.parse_rate("1200/min") == (1200, 60)
    assert throttles.parse_rate("5/s") == (5, 1)
    with pytest.raises(ValueError, match="rate"):
        throttles.parse_rate("often")
