"""How answers are written: JSON, or CSV that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from django.utils import timezone
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from flow.api.problems import ApiProblem

Row = Mapping[str, Any]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula."""


class CsvRenderer(BaseRenderer):
    """CSV; the views write it themselves, this stands for it in the negotiation."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """`data` is a list of rows."""
        return as_csv(data)


RENDERERS: Final = (JSONRenderer, CsvRenderer)


class Negotiation(DefaultContentNegotiation):
    """What the caller can read, of what the view can write; `?format=` goes before `Accept`."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Whoever takes anything gets JSON, without further thought."""
        given = request._request
        if given.META.get("HTTP_ACCEPT", "*/*") == "*/*" and "format" not in given.GET:
            first = next(iter(renderers))
            return first, first.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, renderers, format_suffix
        )
        return chosen

    def filter_renderers(
        self, renderers: Iterable[BaseRenderer], format: str
    ) -> list[BaseRenderer]:
        """Raises a 406 problem for a format the view does not write."""
        offered = list(renderers)
        found = [renderer for renderer in offered if renderer.format == format]
        if not found:
            names = ", ".join(renderer.format for renderer in offered)
            raise ApiProblem(
                "",
                HTTPStatus.NOT_ACCEPTABLE,
                f"This part is not written in that format; use ?format= with one of {names}.",
            )
        return found


def as_json(answer: object) -> bytes:
    """Compact JSON; times in ISO 8601 with their offset."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def as_csv(rows: Iterable[Row], *, names: Iterable[str] = ()) -> bytes:
    """One line a row under a line of names; nested values under `outer_inner`. `names` come first
    and are written though there be no row.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    flat = [dict(_flat(row)) for row in rows]
    columns = list(dict.fromkeys([*names, *(name for row in flat for name in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    if columns:
        writer.writeheader()
    writer.writerows(flat)
    return out.getvalue().encode()


def local_minute(time: datetime | None) -> str:
    """A moment in local time with its offset, for people who read a list; empty for none."""
    return "" if time is None else timezone.localtime(time).isoformat(timespec="minutes")


def _flat(row: Row, before: str = "") -> Iterable[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield f"{before}{name}", _cell(value)


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return _safe("; ".join(str(item) for item in value))
    return _safe(value) if isinstance(value, str) else value


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
