"""The page on which a ward confirms its line, on a phone, in less than a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from accounts.refusals import Refused
from huddles.meetings.addresses import address_of, start_named, template_named
from huddles.meetings.board import board_of
from huddles.meetings.board_types import Board, Line
from huddles.meetings.figures import NUMBERS
from huddles.meetings.holding import Changed, Said, confirm
from huddles.meetings.timetable import time_near
from huddles.models import Figure
from wards.models import Ward

QUESTIONS = {
    "harm": lazy("Has anybody come to harm in the last 24 hours?"),
    "hazard": lazy("What could hurt someone today?"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A number of the form: its name, what it is called, what stands in it, and what is known.
    said: what somebody else has said for it since the form was drawn."""

    name: str
    label: str
    text: str
    known: str
    said: str = ""
    wrong: bool = False

    @property
    def begins_row(self) -> bool:
        """Whether it stands first of two that belong together."""
        return self.name.startswith("definite-") or self.name == "nurses_planned"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed and not recorded, and why. is_stale: somebody else has said the line since."""

    reason: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    is_stale: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
def line(request: HttpRequest, template: int, start: str, ward: int) -> HttpResponse:
    """The line of a ward: filled in with what is known, confirmed with one touch."""
    user, scope, place = template_named(request, template)
    starts_at, now = start_named(start), timezone.now()
    board = board_of(place, starts_at, at=now, viewer=user, scope=scope)
    mine = next((one for one in board.lines if one.ward.id == ward), None)
    if mine is None:
        raise Http404(_("This ward has no line in this meeting."))
    if not mine.may_confirm:
        raise PermissionDenied(_("That is for those who move the patients of this ward to say."))
    if request.method != "POST":
        return _drawn(request, board, mine, Typed())
    said = {key: value for key, value in request.POST.items() if isinstance(value, str)}
    wrong = frozenset(one.name for one in _fields(board, mine, said) if one.wrong)
    try:
        if wrong:
            raise Refused(_("Give whole numbers; leave empty what nobody knows."))
        confirm(
            template=place,
            starts_at=starts_at,
            ward=Ward.objects.get(pk=ward),
            said=_said(board, said),
            at=now,
            by=user,
            seen=_seen(said.get("seen", "")),
        )
    except Refused as refused:
        board = board_of(place, starts_at, at=now, viewer=user, scope=scope)
        mine = next(one for one in board.lines if one.ward.id == ward)
        stale = isinstance(refused, Changed)
        response = _drawn(request, board, mine, Typed(refused.reason, said, wrong, stale))
        response.status_code = HTTPStatus.CONFLICT if stale else HTTPStatus.UNPROCESSABLE_ENTITY
        return response
    messages.success(request, _("%(ward)s has confirmed its line.") % {"ward": mine.ward.name})
    back = said.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect(reverse("huddles:meetings", args=[place.site.code]))


def _fields(
    board: Board, mine: Line, said: Mapping[str, str] | None, *, is_stale: bool = False
) -> list[Field]:
    """The numbers of the form, in the order of the template."""
    labels = {each.value: each.label for each in Figure}
    found: list[Field] = []

    def add(name: str, label: str, stands: int | None, known: int | None) -> None:
        text = said.get(name, "").strip() if said is not None else _text(stands)
        since = _text(stands) or "–" if is_stale else ""
        found.append(Field(name, label, text, _text(known), since, wrong=not _is_number(text)))

    for figure in board.figures:
        if figure in NUMBERS:
            name = NUMBERS[Figure(figure)]
            add(name, str(labels[figure]), mine.numbers[figure], getattr(mine.known, name))
        elif figure == Figure.DISCHARGES:
            for place, due in enumerate(mine.dues):
                when = time_near(due.at, board.moment)
                add(f"definite-{place}", _("Definite by %(when)s") % {"when": when},
                    due.definite, mine.known.definite[place])  # fmt: skip
                add(f"possible-{place}", _("Possible by %(when)s") % {"when": when},
                    due.possible, mine.known.possible[place])  # fmt: skip
        elif figure == Figure.NURSES:
            nurses = mine.known.nurses
            add("nurses_planned", _("Nurses planned"), mine.nurses_planned, nurses.planned)
            add("nurses_actual", _("Nurses at work"), mine.nurses_actual, nurses.actual)
    return found


def _said(board: Board, said: Mapping[str, str]) -> Said:
    """What the form says; what is not asked is not said."""

    def number(name: str) -> int | None:
        text = said.get(name, "").strip()
        return int(text) if text else None

    asked = set(board.figures)
    horizons = range(len(board.horizons)) if Figure.DISCHARGES in asked else range(0)
    numbers = {name: number(name) for figure, name in NUMBERS.items() if figure in asked}
    if Figure.NURSES in asked:
        numbers |= {name: number(name) for name in ("nurses_planned", "nurses_actual")}
    return Said(
        **numbers,
        definite=tuple(number(f"definite-{place}") for place in horizons),
        possible=tuple(number(f"possible-{place}") for place in horizons),
        concern=said.get("concern", ""),
        harm=said.get("harm"),
        hazard=said.get("hazard"),
    )


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and len(text) < 4)


def _seen(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _drawn(request: HttpRequest, board: Board, mine: Line, typed: Typed) -> HttpResponse:
    place = board.template
    asks = set(board.figures)
    texts = {
        name: typed.said.get(name, getattr(mine.texts, name) or "")
        for name in ("concern", "harm", "hazard")
    }
    fields = _fields(board, mine, typed.said if typed.reason else None, is_stale=typed.is_stale)
    context: dict[str, Any] = {
        "board": board,
        "line": mine,
        "fields": fields,
        "typed": typed,
        "texts": texts,
        "asks_concern": Figure.CONCERN in asks,
        "questions": [
            (name, words, texts[name], _since(mine, name, typed))
            for name, words in QUESTIONS.items()
        ],
        "concern_since": _since(mine, "concern", typed),
        "is_due": board.opens_at <= board.moment and not board.is_over,
        "title": mine.ward.name,
        "subtitle": place.name,
        "up": [(_("Huddles"), reverse("huddles:meetings", args=[place.site.code]))],
        "back": request.GET.get("back", "") or typed.said.get("back", ""),
        "here": address_of("line", place.pk, board.starts_at, mine.ward.id),
        "moment": board.moment,
        "starts": time_near(board.starts_at, board.moment),
    }
    response = render(request, "huddles/line.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _since(mine: Line, name: str, typed: Typed) -> str:
    """What somebody else has written there since the form was drawn."""
    if not typed.is_stale:
        return ""
    return getattr(mine.texts, name) or str(_("nothing"))
