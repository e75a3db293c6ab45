"""Reading rows of SQL as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")


def person_sql(user: str) -> str:
    """SQL for what somebody is called, of a joined `accounts_user`: their name, else their user
    name; NULL where nobody is joined."""
    name = f"concat_ws(' ', {user}.first_name, {user}.last_name)"
    return f"coalesce(nullif(trim({name}), ''), {user}.username)"


def read(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that `sql` gives; its values travel as named parameters."""
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(params))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def read_as(kind: type[T], sql: str, params: Mapping[str, Any]) -> list[T]:
    """The same rows as values of the dataclass `kind`, whose fields the columns are named for."""
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(params))
        names = [column.name for column in cursor.description]
        return [kind(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
