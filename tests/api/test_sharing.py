"""What is remembered between requests never outlives what it came from."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.roles import Role
from accounts.tokens import issue, revoke
from flow.api import sharing
from flow.api.lately import GRACE, MOMENT, Lately
from live.doorbell import ring
from tests.api.conftest import READING
from tests.flow.places import Hospital, beds_of, put
from wards.grants import set_grant, withdraw_grant
from wards.models import Grant, Ward

OCCUPANCY = "/api/v1/occupancy/"


@pytest.fixture
def program(transactional_db: None) -> tuple[APIClient, User, ApiToken]:
    """A client that sees everything, and whose it is."""
    user = User.objects.create_user("program")
    Grant.objects.create(user=user, role=Role.BED_MANAGER, everywhere=True)
    token, secret = issue(user, "test", READING)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client, user, token


Program = tuple[APIClient, User, ApiToken]


def test_a_request_asked_before_costs_no_query_and_answers_the_same(program: Program) -> None:
    client, _, _ = program
    hospital = Hospital()
    put(hospital.ward, beds_of(hospital.ward)[0])
    for address in (
        OCCUPANCY,
        f"{OCCUPANCY}?kind=inpatient&format=csv",
        f"/api/v1/wards/{hospital.ward.code}/beds/",
        "/api/v1/beds/",
    ):
        first = client.get(address)
        with CaptureQueriesContext(connection) as queries:
            again = client.get(address)
        assert len(queries) == 0
        assert (again.status_code, again.content) == (200, first.content)
        for name in ("Content-Type", "ETag", "Cache-Control", "Vary"):
            assert again[name] == first[name], name


def test_a_revoked_token_is_refused_though_its_requests_are_known(program: Program) -> None:
    client, user, token = program
    Hospital()
    assert [client.get(OCCUPANCY).status_code for _ in range(3)] == [200] * 3
    revoke(token=token, at=timezone.now(), by=user)
    time.sleep(GRACE)
    assert client.get(OCCUPANCY).status_code == 401


def test_an_expired_token_is_refused_though_its_requests_are_known(program: Program) -> None:
    _, user, _ = program
    Hospital()
    _, secret = issue(user, "short", READING, timezone.now() + timedelta(seconds=1.5))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert [client.get(OCCUPANCY).status_code for _ in range(2)] == [200] * 2
    time.sleep(1.5)
    assert client.get(OCCUPANCY).status_code == 401


def test_a_changed_role_counts_though_the_requests_are_known(program: Program) -> None:
    client, user, _ = program
    hospital = Hospital()
    assert len(client.get(OCCUPANCY).json()["results"]) == 4
    set_grant(user=user, role=Role.OBSERVER, ward=hospital.ward, by=user)
    admin = User.objects.create_superuser("root")
    withdraw_grant(grant=user.grants.get(everywhere=True), by=admin)
    time.sleep(GRACE)
    rows = client.get(OCCUPANCY).json()["results"]
    assert [row["ward"] for row in rows] == [hospital.ward.code]


def test_a_change_that_has_been_rung_is_seen(program: Program) -> None:
    client, _, _ = program
    hospital = Hospital()
    address = f"/api/v1/wards/{hospital.ward.code}/beds/"
    for number, bed in enumerate(beds_of(hospital.ward)):
        states = [row["state"] for row in client.get(address).json()["results"]]
        assert states.count("occupied") == number
        put(hospital.ward, bed)
        ring([f"ward:{hospital.ward.pk}"])
        time.sleep(GRACE)


def test_known_requests_count_towards_the_limit(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _, _ = program
    Hospital()
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", {"token": "4/min"})
    monkeypatch.setattr("flow.api.throttles.time.time", lambda: 1_000_000_020.0)
    assert [client.get(OCCUPANCY).status_code for _ in range(6)] == [200] * 4 + [429] * 2


def test_what_was_asked_is_forgotten_when_there_is_too_much(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _, _ = program
    Hospital()
    monkeypatch.setattr(sharing, "ROOM", 3)
    for kind in Ward.Kind.values:
        assert client.get(OCCUPANCY, {"kind": kind}).status_code == 200
    assert len(sharing._understood) <= 3


def test_a_look_holds_for_a_moment() -> None:
    lately: Lately[int] = Lately()
    looks = iter(range(10))
    assert lately.get("a", lambda: next(looks)) == 0
    assert lately.get("a", lambda: next(looks)) == 0
    time.sleep(MOMENT)
    assert lately.get("a", lambda: next(looks)) == 1
    assert lately.get("b", lambda: next(looks)) == 2
    lately.forget()
    assert lately.get("a", lambda: next(looks)) == 3


def test_a_failed_look_is_not_kept() -> None:
    lately: Lately[int] = Lately()

    def fail() -> int:
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            lately.get("a", fail)
    assert lately.get("a", lambda: 7) == 7
    time.sleep(MOMENT)
    with pytest.raises(OSError):
        lately.get("a", fail)
    assert lately.get("a", lambda: 8) == 8


def test_while_one_looks_the_others_go_on_but_not_for_long() -> None:
    lately: Lately[str] = Lately()
    lately.get("a", lambda: "old")
    time.sleep(MOMENT)
    looking, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        looking.set()
        assert go_on.wait(5)
        return "new"

    one = threading.Thread(target=lambda: lately.get("a", slow))
    one.start()
    assert looking.wait(5)
    assert lately.get("a", lambda: "other") == "old"
    time.sleep(GRACE)
    assert lately.get("a", lambda: "other") == "other"
    go_on.set()
    one.join()
