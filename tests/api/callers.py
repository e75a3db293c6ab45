"""Programs that call the API, each with a role of its own."""

from __future__ import annotations

from typing import Any, Final

from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.tokens import TokenScope, issue
from wards.grants import set_grant

BARRIERS: Final = "/api/v1/barriers/"


class Caller:
    """A program with a token."""

    def __init__(self, name: str, role: Role, *scopes: TokenScope, **place: Any) -> None:
        self.user = User.objects.create(username=name)
        set_grant(user=self.user, role=role, by=None, **place)
        _, self.secret = issue(
            self.user, name, scopes or (TokenScope.WAITS_READ, TokenScope.WAITS_WRITE)
        )
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def get(self, address: str = BARRIERS, **query: Any) -> list[dict[str, Any]]:
        response = self.client.get(address, query)
        assert response.status_code == 200, response.content
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    def post(self, address: str, **body: Any) -> tuple[int, dict[str, Any]]:
        response = self.client.post(address, body, "application/json")
        return response.status_code, response.json()
