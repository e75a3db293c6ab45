"""Writes many rows in one plain statement.

Django's `bulk_update` builds an expression for every value: over 2 ms a row where this takes
hundredths; its `bulk_create` a statement as long as all values together. Values travel as text,
column by column, and are cast by PostgreSQL to the columns' own types.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime

from django.db import connection, models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from psycopg import sql


def rewrite(rows: Collection[models.Model], columns: Sequence[str]) -> None:
    """Write the named columns (a foreign key's ends in `_id`) of rows of one model."""
    if not rows:
        return
    model = type(next(iter(rows)))
    statement = sql.SQL(
        "UPDATE {table} SET {sets} FROM unnest({arrays}) AS u(pk, {names}) WHERE {table}.id = u.pk"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        sets=sql.SQL(", ").join(
            sql.SQL("{column} = {value}").format(column=sql.Identifier(column), value=value)
            for column, value in zip(columns, _cast(model, columns), strict=True)
        ),
        arrays=_arrays(columns),
        names=_names(columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement.as_string(connection.connection),
            [[row.pk for row in rows], *_values(model, rows, columns)],
        )


def insert(rows: Sequence[models.Model], columns: Sequence[str]) -> None:
    """Store new rows of one model and give them their keys; columns not named are left to the
    database."""
    if not rows:
        return
    model = type(rows[0])
    table = model._meta.db_table
    statement = sql.SQL(
        "INSERT INTO {table} (id, {names}) SELECT u.pk, {values} FROM unnest({arrays}) "
        "AS u(pk, {names})"
    ).format(
        table=sql.Identifier(table),
        names=_names(columns),
        values=sql.SQL(", ").join(_cast(model, columns)),
        arrays=_arrays(columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [table, len(rows)],
        )
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
        cursor.execute(
            statement.as_string(connection.connection),
            [[row.pk for row in rows], *_values(model, rows, columns)],
        )


def _cast(model: type[models.Model], columns: Sequence[str]) -> list[sql.Composed]:
    """The columns of `u`, as the model's own types."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    return [
        sql.SQL("u.{column}::{type}").format(
            column=sql.Identifier(column),
            type=sql.SQL(fields[column].db_type(connection) or "text"),
        )
        for column in columns
    ]


def _arrays(columns: Sequence[str]) -> sql.Composed:
    """Placeholders for the keys and the columns."""
    return sql.SQL(", ").join([sql.SQL("%s::int8[]"), *(sql.SQL("%s::text[]") for _ in columns)])


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _values(
    model: type[models.Model], rows: Iterable[models.Model], columns: Sequence[str]
) -> Iterator[list[str | None]]:
    """What the rows have in each column, as text."""
    attributes = {field.column: field.attname for field in model._meta.concrete_fields}
    rows = list(rows)
    for column in columns:
        yield [_text(getattr(row, attributes[column])) for row in rows]


def _text(value: object) -> str | None:
    """A value as PostgreSQL reads it."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case DateTimeTZRange():
            lower, upper = (_text(end) or "" for end in (value.lower, value.upper))
            return f"[{lower},{upper})"
        case dict():
            return json.dumps(value)
        case list():
            return "{" + ",".join(json.dumps(str(item)) for item in value) + "}"
    return str(value)
