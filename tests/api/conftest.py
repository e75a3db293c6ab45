"""Callers of the API: by token, with everything in sight or little."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import TokenScope, issue
from flow import beginning
from flow.api import sharing
from flow.api.filters import forget_sites
from flow.api.finding import forget_codes
from flow.api.throttles import CallerThrottle
from live import shared
from tests.flow.places import Hospital, records_begin
from wards.models import Grant

READING = [scope for scope in TokenScope if scope.endswith(":read")]
Caller = Callable[..., APIClient]
Value = str | int | list[str]
"""What a query parameter can be."""


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one's process memory holds."""
    shared.forget()
    forget_codes()
    forget_sites()
    CallerThrottle.forget()
    sharing.forget()
    beginning.forget()
    yield
    shared.forget()
    beginning.forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    made = Hospital()
    records_begin(made.ward)
    return made


@pytest.fixture
def caller(db: None) -> Caller:
    """A client with a token: by default with every reading scope, everywhere."""

    def make(
        *, role: Role = Role.BED_MANAGER, scopes: list[TokenScope] | None = None, **place: object
    ) -> APIClient:
        user = User.objects.create_user(f"program{User.objects.count()}")
        Grant.objects.create(user=user, role=role, **(place or {"everywhere": True}))
        _, secret = issue(user, "test", READING if scopes is None else scopes)
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


@pytest.fixture
def client(caller: Caller) -> APIClient:
    """Sees everything."""
    return caller()
