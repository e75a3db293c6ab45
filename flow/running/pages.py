"""The page of a site's staffing: looked at, and said as a table of numbers by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from flow.running.board import Board, Cell, Row, staffing_board
from flow.site_naming import site_named
from wards.models import Site
from wards.shifts import today
from wards.staffing import Changed, Nurses, say

FIELDS: Final = ("planned", "actual")
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed for a shift and not recorded: each field as it stands, and why not. wrong:
    the fields that are no number; none where the whole was refused."""

    planned: str
    actual: str
    reason: str
    wrong: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outcome:
    """What became of what was sent: shifts recorded, and those that were not, by their key."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, Typed] = field(default_factory=dict)
    stale: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
def staffing(request: HttpRequest, code: str) -> HttpResponse:
    """The shifts of today, or with `?day=tomorrow` those of tomorrow."""
    scope, place = site_named(request, code)
    now = timezone.now()
    ahead = request.GET.get("day") == "tomorrow"
    day = today(now) + timedelta(days=1 if ahead else 0)
    board = staffing_board(place, day=day, now=now, scope=scope)
    if request.method != "POST":
        return _drawn(request, place, board, Outcome(), ahead=ahead)
    if not board.may:
        raise PermissionDenied(_("You manage no beds here. Ask your administrator."))
    assert isinstance(request.user, User)
    outcome = _record(request.POST, board, by=request.user, now=now)
    if outcome.refused:
        # What is shown beside what was typed is what holds by now.
        board = staffing_board(place, day=day, now=now, scope=scope)
        return _drawn(request, place, board, outcome, ahead=ahead)
    messages.success(request, _said(outcome))
    return redirect(_address(place, ahead=ahead))


def _record(posted: QueryDict, board: Board, *, by: User, now: datetime) -> Outcome:
    """Say what was typed, shift by shift; what stands as it was seen says nothing."""
    outcome = Outcome()
    for row in board.rows:
        for cell in row.cells:
            texts = {name: posted.get(f"{cell.key}-{name}", "").strip() for name in FIELDS}
            seen = posted.get(f"{cell.key}-seen")
            if seen is None or _joined(texts) == seen:
                continue
            if not row.may:
                raise PermissionDenied(_("You do not manage the beds of this ward."))
            _say(row, cell, texts, _nurses_seen(seen), outcome, by=by, now=now)
    return outcome


def _say(
    row: Row,
    cell: Cell,
    texts: Mapping[str, str],
    seen: Nurses | None,
    outcome: Outcome,
    *,
    by: User,
    now: datetime,
) -> None:
    wrong = frozenset(name for name in FIELDS if not _is_number(texts[name]))
    if wrong or seen is None:
        reason = _("Give whole numbers of nurses; leave empty what nobody knows.")
        outcome.refused[cell.key] = Typed(texts["planned"], texts["actual"], reason, wrong)
        return
    nurses = Nurses(*(int(texts[name]) if texts[name] else None for name in FIELDS))
    try:
        say(ward=row.ward.pk, shift=cell.worked, nurses=nurses, seen=seen, at=now, by=by)
    except Refused as refused:
        outcome.stale |= isinstance(refused, Changed)
        outcome.refused[cell.key] = Typed(texts["planned"], texts["actual"], refused.reason)
    else:
        outcome.done.append(f"{row.ward.name}, {cell.worked.name}")


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and len(text) < 4)


def _joined(texts: Mapping[str, str]) -> str:
    return "/".join(texts[name] or _NOTHING for name in FIELDS)


def seen_text(nurses: Nurses) -> str:
    """What somebody sees of a shift, as the form sends it back."""
    said = {name: "" if (n := getattr(nurses, name)) is None else str(n) for name in FIELDS}
    return _joined(said)


def _nurses_seen(text: str) -> Nurses | None:
    parts = text.split("/")
    if len(parts) != len(FIELDS) or not all(_is_number(p) or p == _NOTHING for p in parts):
        return None
    return Nurses(*(None if part in ("", _NOTHING) else int(part) for part in parts))


def _said(outcome: Outcome) -> str:
    number = len(outcome.done)
    if not number:
        return _("Nothing was different, so nothing was recorded.")
    if number == 1:
        return _("Recorded: %(what)s.") % {"what": outcome.done[0]}
    return ngettext("%(number)d shift recorded.", "%(number)d shifts recorded.", number) % {
        "number": number
    }


def _address(place: Site, *, ahead: bool, **more: str) -> str:
    asked = {**({"day": "tomorrow"} if ahead else {}), **more}
    address = reverse("running:staffing", args=[place.code])
    return f"{address}?{urlencode(asked)}" if asked else address


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the table: what stands in it, and whether it was refused."""

    name: str
    label: str
    text: str
    wrong: bool


def _fields(row: Row, cell: Cell, typed: Typed | None) -> list[Field]:
    labels = {"planned": _("planned"), "actual": _("at work")}
    found = []
    for name in FIELDS:
        number = getattr(cell.nurses, name)
        text = "" if number is None else str(number)
        found.append(
            Field(
                name=f"{cell.key}-{name}",
                label=f"{row.ward.name}, {cell.worked.name}: {labels[name]}",
                text=text if typed is None else getattr(typed, name),
                wrong=typed is not None and (not typed.wrong or name in typed.wrong),
            )
        )
    return found


def _table(board: Board, outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "typed": any(cell.key in outcome.refused for cell in row.cells),
            "cells": [
                {
                    "cell": cell,
                    "seen": seen_text(cell.nurses),
                    "typed": outcome.refused.get(cell.key),
                    "fields": _fields(row, cell, outcome.refused.get(cell.key)),
                }
                for cell in row.cells
            ],
        }
        for row in board.rows
    ]


def _day_words(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _drawn(
    request: HttpRequest, place: Site, board: Board, outcome: Outcome, *, ahead: bool
) -> HttpResponse:
    now = board.moment
    context = {
        "board": board,
        "table": _table(board, outcome),
        "outcome": outcome,
        "site": place,
        "ahead": ahead,
        "day_words": _day_words(board.day),
        "days": [
            (_("Today"), _address(place, ahead=False), not ahead),
            (_("Tomorrow"), _address(place, ahead=True), ahead),
        ],
        "here": _address(place, ahead=ahead),
        "title": _("Staffing"),
        "up": [(place.name, reverse("flow:site", args=[place.code]))],
        "drawer": True,
        # Rung for whenever the counts of the site's wards change, and when staffing is said.
        "board_name": f"site:{place.pk}",
        "moment": now,
        "live": True,
        "fragment_address": _address(place, ahead=ahead, fragment="1"),
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
    }
    alone = "fragment" in request.GET
    response = render(
        request,
        "flow/_staffing.html" if alone else "flow/staffing.html",
        context,
        status=_status(outcome),
    )
    response["X-Board"] = f"site:{place.pk}"
    response["Cache-Control"] = "no-store"
    return response


def _status(outcome: Outcome) -> HTTPStatus:
    if not outcome.refused:
        return HTTPStatus.OK
    return HTTPStatus.CONFLICT if outcome.stale else HTTPStatus.UNPROCESSABLE_ENTITY
