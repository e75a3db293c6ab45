"""HL7 v2 over HTTP: who may send, what is taken, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import Organisation, User
from accounts.roles import Role
from accounts.tokens import TokenScope, issue
from interop import api
from interop.models import Message
from tests.interop.building import adt
from tests.interop.delivering import apply_all, ends, stays
from wards.grants import set_grant

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/hl7v2/"
HL7 = "application/hl7-v2"


def bearer(*scopes: TokenScope, **place: Any) -> dict[str, str]:
    user = User.objects.create_user(username=f"engine {User.objects.count()}")
    set_grant(user=user, role=Role.FEED_MANAGER, by=None, **place or {"everywhere": True})
    _, secret = issue(user, "engine", scopes)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def headers(db: None) -> dict[str, str]:
    return bearer(TokenScope.HL7_WRITE)


@pytest.mark.parametrize(
    "content_type",
    [HL7, f"{HL7}; charset=utf-8", "text/plain", "application/x-hl7-v2+er7"],
)
def test_a_message_is_stored_and_acknowledged(
    client: Client, headers: dict[str, str], content_type: str
) -> None:
    response = client.post(
        ADDRESS, adt("A01", control="C5", place="W1"), content_type, headers=headers
    )
    assert response.status_code == 200
    assert response["Content-Type"].startswith(HL7)
    assert b"MSA|AA|C5" in response.content
    assert Message.objects.get().peer == "http 127.0.0.1"
    apply_all()
    assert stays("V1")


def test_a_token_does_no_more_than_its_account_may(client: Client) -> None:
    user = User.objects.create_user(username="observer")
    _, secret = issue(user, "engine", [TokenScope.HL7_WRITE])
    headers = {"Authorization": f"Bearer {secret}"}
    response = client.post(ADDRESS, adt("A01"), HL7, headers=headers)
    assert response.status_code == 403
    assert "may manage feeds" in response.json()["detail"]
    assert not Message.objects.exists()


def test_a_trusts_own_engine_sends_for_its_own_trust_alone(client: Client) -> None:
    mine = Organisation.objects.create(code="RXX", name="Mine", kind="trust")
    Organisation.objects.create(code="RYY", name="Other", kind="trust")
    headers = bearer(TokenScope.HL7_WRITE, organisation=mine)
    for facility, status in (("RXX", 200), ("RYY", 403), ("NOBODY", 403)):
        message = adt("A01", control=facility, facility=facility)
        response = client.post(ADDRESS, message, HL7, headers=headers)
        assert response.status_code == status, facility
    assert Message.objects.get().control_id == "RXX"
    batch = adt("A01", facility="RXX", control="B1") + adt("A01", facility="RYY", control="B2")
    assert client.post(ADDRESS, batch, HL7, headers=headers).status_code == 403
    assert Message.objects.count() == 1, "all of a batch or nothing"


def test_whatever_the_sender_accepts_it_gets_an_acknowledgment(
    client: Client, headers: dict[str, str]
) -> None:
    for accept in (HL7, "text/plain", "image/png"):
        response = client.post(ADDRESS, adt("A01"), HL7, headers={**headers, "Accept": accept})
        assert response.status_code == 200


def test_a_batch_is_acknowledged_message_by_message(
    client: Client, headers: dict[str, str]
) -> None:
    body = b"BHS|^~\\&|\r" + adt("A01", control="C1") + adt("A99", control="C2") + b"BTS|2"
    response = client.post(ADDRESS, body, HL7, headers=headers)
    assert response.status_code == 400
    assert b"MSA|AA|C1" in response.content
    assert b"MSA|AR|C2" in response.content
    assert ends() == {"received": 1, "rejected": 1}


def test_what_is_no_message_is_refused_and_kept(client: Client, headers: dict[str, str]) -> None:
    response = client.post(ADDRESS, b"hello", "text/plain", headers=headers)
    assert response.status_code == 400
    assert b"MSA|AR||The message does not begin with an MSH segment." in response.content
    assert ends() == {"rejected": 1}


def test_every_part_of_a_body_is_kept_and_answered_by_itself(
    client: Client, headers: dict[str, str]
) -> None:
    body = b"PID|1||M9\r" + adt("A01", control="C1") + adt("A02", control="C2").rstrip()
    response = client.post(ADDRESS, body + adt("A03", control="C3"), HL7, headers=headers)
    assert response.status_code == 400
    told = response.content.decode()
    assert "MSA|AR||The header (MSH) is missing" in told
    assert "MSA|AA|C1" in told
    assert "MSA|AR|C2|Two messages stand on one line" in told
    assert "MSA|AR|C3|Two messages stand on one line" in told
    assert ends() == {"received": 1, "rejected": 3}


def test_an_empty_body_and_other_kinds_of_body_are_refused(
    client: Client, headers: dict[str, str]
) -> None:
    empty = client.post(ADDRESS, b" ", HL7, headers=headers)
    assert empty.status_code == 400
    [[field, [reason]]] = empty.json()["errors"].items()
    assert field == "body"
    assert "begins with MSH" in reason
    assert client.post(ADDRESS, {"a": 1}, "application/json", headers=headers).status_code == 415
    assert client.get(ADDRESS, headers=headers).status_code == 405
    assert ends() == {}


def test_a_body_that_is_too_large_is_refused(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "DEFAULT_LIMIT", 1000)
    assert client.post(ADDRESS, b"x" * 1001, HL7, headers=headers).status_code == 413


def test_while_the_database_is_away_it_is_to_be_sent_again(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(api, "store", away)
    response = client.post(ADDRESS, adt("A01"), HL7, headers=headers)
    assert response.status_code == 503
    assert b"MSA|AE" in response.content


def test_only_a_token_with_the_scope_may_send(client: Client) -> None:
    assert client.post(ADDRESS, adt("A01"), HL7).status_code == 401
    other = bearer(TokenScope.OCCUPANCY_READ)
    assert client.post(ADDRESS, adt("A01"), HL7, headers=other).status_code == 403
    assert ends() == {}


@pytest.mark.parametrize(("role", "status"), [(Role.FEED_MANAGER, 200), (Role.WARD_NURSE, 403)])
def test_a_person_needs_to_manage_feeds(client: Client, role: Role, status: int) -> None:
    user = User.objects.create_user(username="person")
    set_grant(user=user, role=role, everywhere=True, by=None)
    client.force_login(user)
    assert client.post(ADDRESS, adt("A01"), HL7).status_code == status
