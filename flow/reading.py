"""Reading rows of SQL as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")


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
