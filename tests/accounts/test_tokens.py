"""Secrets of programs: made once, recognised fast, refused at once when taken back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView, exception_handler

from accounts import access, tokens
from accounts.access import access_changed, access_version
from accounts.api_auth import BearerAuthentication, HasScope
from accounts.models import ApiToken, User
from accounts.refusals import Refused
from accounts.tokens import issue, recognise, revoke, verify

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
READ = ["occupancy:read"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    tokens._memory = tokens._Memory()
    access._resting_until = 0.0
    yield
    tokens._memory = tokens._Memory()


@pytest.fixture
def program() -> User:
    return User.objects.create(username="program")


def test_a_secret_opens_its_token_and_only_its_digest_is_kept(program: User) -> None:
    token, secret = issue(program, " dashboard ", ["places:read", *READ, *READ])
    assert secret.startswith("flow_")
    assert len(secret) == 48
    assert (token.name, token.scopes) == ("dashboard", ["occupancy:read", "places:read"])
    assert verify(secret, NOON) == token
    kept = str(ApiToken.objects.values_list()[0])
    assert secret not in kept
    assert token.prefix == secret[:12]


def test_no_two_secrets_are_alike(program: User) -> None:
    assert len({issue(program, "x", READ)[1] for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "secret",
    ["", " ", "flow_", "flow_" + "a" * 43, "nonsense", "flow_" + "ü" * 43, "x" * 100_000, "\x00"],
)
def test_what_is_no_token_opens_nothing(program: User, secret: str) -> None:
    issue(program, "x", READ)
    assert verify(secret, NOON) is None


def test_a_misshapen_secret_costs_no_query() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert verify("Basic stuff", NOON) is None
    assert not captured


def test_a_token_that_makes_no_sense_is_refused_with_what_to_do(program: User) -> None:
    for name in ("", "   ", "x" * 101):
        with pytest.raises(Refused, match="1 to 100 characters"):
            issue(program, name, READ)
    with pytest.raises(Refused, match="“everything” is not a scope; use one or more of occ"):
        issue(program, "x", ["everything"])
    with pytest.raises(Refused, match="A token needs a scope"):
        issue(program, "x", [])
    program.is_active = False
    with pytest.raises(Refused, match="deactivated"):
        issue(program, "x", READ)
    assert not ApiToken.objects.exists()


def test_an_expired_token_is_refused_from_that_moment_on(program: User) -> None:
    _, secret = issue(program, "x", READ, NOON)
    assert verify(secret, NOON - timedelta(microseconds=1)) is not None
    assert verify(secret, NOON) is None
    with pytest.raises(tokens.TokenRefused, match="expired"):
        recognise(secret, NOON)


@pytest.mark.django_db(transaction=True)
def test_a_known_token_costs_no_query_until_it_is_revoked(program: User) -> None:
    token, secret = issue(program, "x", READ)
    verify(secret, NOON)
    with CaptureQueriesContext(connection) as captured:
        assert verify(secret, NOON) == token
    assert not captured
    revoke(token=token, at=NOON, by=None)
    with pytest.raises(tokens.TokenRefused, match="revoked"):
        recognise(secret, NOON)
    revoke(token=token, at=NOON + timedelta(hours=1), by=None)
    token.refresh_from_db()
    assert token.revoked_at == NOON


ELSEWHERE = """
import sys, django
django.setup()
from accounts.tokens import verify
from django.utils import timezone
for line in sys.stdin:
    print(verify(line.strip(), timezone.now()) is not None, flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_revoking_takes_effect_at_once_in_other_processes(
    program: User, child_environment: dict[str, str]
) -> None:
    token, secret = issue(program, "x", READ)
    environment = child_environment | {
        "DJANGO_SETTINGS_MODULE": "flowboard.settings",
        "PYTHONPATH": str(django_settings.BASE_DIR),
    }
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def answer() -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            print(secret, file=other.stdin, flush=True)
            return other.stdout.readline().strip()

        try:
            assert [answer(), answer()] == ["True", "True"]
            revoke(token=token, at=timezone.now(), by=None)
            assert answer() == "False"
        finally:
            other.stdin.close()


@pytest.mark.django_db(transaction=True)
def test_a_revocation_between_reading_and_remembering_is_not_lost(
    program: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, secret = issue(program, "x", READ)
    read = tokens._read

    def read_then_revoked(digest: str) -> tokens._Known:
        known = read(digest)
        monkeypatch.setattr(tokens, "_read", read)
        revoke(token=token, at=NOON, by=None)
        return known

    monkeypatch.setattr(tokens, "_read", read_then_revoked)
    verify(secret, NOON)  # it was valid when it was asked for
    assert verify(secret, NOON) is None


@pytest.mark.django_db(transaction=True)
def test_a_deactivated_account_opens_nothing(program: User) -> None:
    _, secret = issue(program, "x", READ)
    assert verify(secret, NOON) is not None
    User.objects.update(is_active=False)
    access_changed()
    with pytest.raises(tokens.TokenRefused, match="account of this token is deactivated"):
        recognise(secret, NOON)


def test_what_was_remembered_is_read_again_after_a_while(
    program: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = issue(program, "x", READ)
    verify(secret, NOON)
    ApiToken.objects.update(revoked_at=NOON)  # behind Flowboard's back
    assert verify(secret, NOON) is not None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + access.MEMORY)
    assert verify(secret, NOON) is None


def test_without_redis_the_database_answers_every_time(program: User, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    token, secret = issue(program, "x", READ)
    assert access_version() is None
    assert verify(secret, NOON) == token
    revoke(token=token, at=NOON, by=None)
    assert verify(secret, NOON) is None


def test_the_memory_of_one_process_is_bounded(
    program: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "ROOM", 3)
    secrets = [issue(program, str(n), READ)[1] for n in range(5)]
    for secret in secrets:
        verify(secret, NOON)
    assert len(tokens._memory._entries) == 3


def test_the_last_use_is_noted_once_a_minute(program: User) -> None:
    token, secret = issue(program, "x", READ)

    def used() -> datetime | None:
        return ApiToken.objects.get(pk=token.pk).last_used_at

    assert used() is None
    verify(secret, NOON)
    assert used() == NOON
    with CaptureQueriesContext(connection) as captured:
        for second in range(60):
            verify(secret, NOON + timedelta(seconds=second))
    assert not captured
    assert used() == NOON
    verify(secret, NOON + timedelta(seconds=60))
    assert used() == NOON + timedelta(seconds=60)
    tokens._memory = tokens._Memory()  # another process
    verify(secret, NOON + timedelta(seconds=90))
    assert used() == NOON + timedelta(seconds=60)


class Counts(APIView):
    authentication_classes = [BearerAuthentication]
    permission_classes = [IsAuthenticated, HasScope("occupancy:read")]

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        return exception_handler

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})


def asked(**headers: str) -> Response:
    """What the view answers to a request with these headers."""
    answer = Counts.as_view()(APIRequestFactory().get("/counts/", headers=headers))
    assert isinstance(answer, Response)
    return answer


def test_a_program_with_the_scope_is_let_in_without_a_query(program: User) -> None:
    _, secret = issue(program, "x", READ)
    asked(authorization=f"Bearer {secret}")
    with CaptureQueriesContext(connection) as captured:
        answer = asked(authorization=f"bearer  {secret}")
    assert (answer.status_code, answer.data) == (200, {"user": "program"})
    assert not captured


@pytest.mark.parametrize("header", [{}, {"authorization": "Basic eA=="}, {"authorization": ""}])
def test_without_a_token_the_answer_says_how_to_prove_oneself(header: dict[str, str]) -> None:
    answer = asked(**header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Flowboard"'


@pytest.mark.parametrize("secret", ["", "nonsense", "flow_" + "a" * 43])
def test_a_wrong_token_is_told_from_a_missing_one(secret: str) -> None:
    answer = asked(authorization=f"Bearer {secret}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Flowboard", error="invalid_token"'
    assert "token" in answer.data["detail"]


def test_a_token_without_the_scope_is_forbidden(program: User) -> None:
    _, secret = issue(program, "x", ["places:read"])
    answer = asked(authorization=f"Bearer {secret}")
    assert answer.status_code == 403
    assert "lacks the scope occupancy:read" in answer.data["detail"]


def test_a_scope_that_does_not_exist_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="occupancy:write"):
        HasScope("occupancy:write")


def make_token(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("make_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_the_secret_alone(program: User) -> None:
    out, err = make_token(
        "program", "--name", "demo", "--scope", "occupancy:read", "--scope", "places:read",
        "--days", "7",
    )  # fmt: skip
    token = verify(out.strip(), timezone.now())
    assert token is not None
    assert token.scopes == ["occupancy:read", "places:read"]
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)
    assert "flow_" not in err
    assert "demo for program: occupancy:read, places:read" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nobody", "--name", "x", "--scope", "occupancy:read"], "no user “nobody”"),
        (["program", "--name", "x", "--scope", "all"], "not a scope; use"),
        (["program", "--name", "", "--scope", "occupancy:read"], "1 to 100 characters"),
        (["program", "--name", "x", "--scope", "occupancy:read", "--days", "0"], "1 to 3660"),
    ],
)
def test_the_command_says_what_is_wrong(program: User, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        make_token(*arguments)
