"""docs/people.md says what the code does."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from accounts import access
from accounts.roles import LABELS, PERMISSIONS, Permission
from accounts.tokens import SCOPE_LABELS

DOCS = (Path(__file__).parents[2] / "docs" / "people.md").read_text()


def table(after: str) -> list[list[str]]:
    """The rows of the first table after some words, without the row of dashes."""
    lines = DOCS.split(after)[1].split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in rows if "---" not in row]


def test_the_table_of_roles_is_true() -> None:
    head, *rows = table("## Roles and places")
    permissions = [Permission(name.lower().replace(" ", "_")) for name in head[1:]]
    assert set(permissions) == set(Permission)
    assert [row[0] for row in rows] == list(LABELS.values())
    for (role, _), row in zip(LABELS.items(), rows, strict=True):
        held = {p for p, cell in zip(permissions, row[1:], strict=True) if cell == "yes"}
        assert held == PERMISSIONS[role]


def test_the_table_of_scopes_is_true() -> None:
    _, *rows = table("scopes say what")
    assert dict(rows) == {scope.value: label for scope, label in SCOPE_LABELS.items()}


def test_the_limits_are_true() -> None:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    assert settings.AXES_FAILURE_LIMIT == 5
    assert f"Five wrong passwords lock a name at an address for {minutes} minutes" in DOCS
    assert f"ends {settings.SESSION_COOKIE_AGE // 3600} hours after signing in" in DOCS
    assert settings.PASSWORD_RESET_TIMEOUT == 3 * 24 * 3600
    assert f"within {access.MEMORY:.0f} seconds" in DOCS
