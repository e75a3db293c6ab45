"""The pages of a meeting: its chair's, the room's, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from huddles.actions.asking import agreed, names, subject_of
from huddles.actions.pages import agreed_words
from huddles.meetings.addresses import address_of, stamp, start_named, template_named
from huddles.meetings.agenda import ward_of
from huddles.meetings.board import board_of
from huddles.meetings.board_types import Board
from huddles.meetings.freezing import as_seen
from huddles.meetings.happened import came_of
from huddles.meetings.holding import (
    answer_safety,
    bell,
    close_meeting,
    go_to,
    locked,
    open_meeting,
    timetable_of,
)
from huddles.meetings.printed import as_pdf
from huddles.models import Huddle, HuddleTemplate
from live.shared import rendered
from wards.models import Ward
from wards.scope import ALL, Scope

KEPT: Final = 15
"""Seconds for which a drawn meeting may be shown again to who sees the same: what was said or
agreed, and each step, shows at once; figures of beds are at most so late."""
_MARK: Final = "flowboard-csrf-mark"
"""Stands in what is kept for the token of whoever reads it."""


@require_http_methods(["GET", "HEAD", "POST"])
def meeting(request: HttpRequest, template: int, start: str) -> HttpResponse:
    """Where a meeting is led, and followed by whoever may see counts; a deed is posted here."""
    user, scope, place = template_named(request, template)
    starts_at, now = start_named(start), timezone.now()
    if request.method != "POST" and "fragment" in request.GET:
        return _fragment(request, place, starts_at, user, scope)
    board = board_of(place, starts_at, at=now, viewer=user, scope=scope)
    _check_there(board.huddle is not None, place, starts_at)
    if board.is_over:
        return redirect(address_of("summary", place.pk, starts_at))
    if request.method != "POST":
        return _shown(request, board)
    if not board.may_lead:
        raise PermissionDenied(_("Meetings are led by those who run the huddles of this site."))
    try:
        said = _do(request, user, scope, board, now=now)
    except Refused as refused:
        if "fragment" in request.GET:
            return _told(refused.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
        board = board_of(place, starts_at, at=now, viewer=user, scope=scope)
        if board.is_over:
            return redirect(address_of("summary", place.pk, starts_at))
        response = _shown(request, board, wrong=refused.reason)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response
    if "fragment" in request.GET:
        return _told(said, HTTPStatus.OK)
    if said:
        messages.success(request, said)
    return redirect(request.path)


def _fragment(
    request: HttpRequest,
    place: HuddleTemplate,
    starts_at: datetime,
    user: User | None,
    scope: Scope | None,
) -> HttpResponse:
    """The meeting alone, drawn once for each version and viewer; without a viewer the room's."""

    def paint() -> bytes:
        board = board_of(place, starts_at, at=timezone.now(), viewer=user, scope=scope)
        _check_there(board.huddle is not None, place, starts_at)
        context = _context(board, user) | {"csrf_token": _MARK}
        name = "huddles/_room.html" if user is None else "huddles/_meeting.html"
        return render_to_string(name, context).encode()

    who = "room" if user is None or scope is None else f"{scope.key} {user.pk}"
    variant = f"{place.pk} {starts_at:%Y%m%dT%H%M} {who}"
    kept = rendered(bell(place.site_id), variant, paint, KEPT, private=user is not None)
    response: HttpResponse
    if request.headers.get("If-None-Match") == kept.etag:
        response = HttpResponseNotModified()
    else:
        body = kept.body
        if _MARK.encode() in body:
            body = body.replace(_MARK.encode(), get_token(request).encode())
        response = HttpResponse(body)
    response["ETag"] = kept.etag
    response["X-Board"] = bell(place.site_id)
    response["Cache-Control"] = "no-store"
    return response


def _told(words: str, status: HTTPStatus) -> HttpResponse:
    """What to say of a deed done without leaving the page."""
    return HttpResponse(
        words, status=status, content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )  # fmt: skip


def _check_there(is_known: bool, template: HuddleTemplate, starts_at: datetime) -> None:
    if not is_known and not timetable_of(template).is_a_start(starts_at):
        raise Http404(_("There is no meeting at that time."))


def _do(request: HttpRequest, user: User, scope: Scope, board: Board, *, now: datetime) -> str:
    """What a button says; what to say of it. Raises Refused."""
    said, huddle = request.POST, board.huddle
    deed = said.get("deed", "")
    if deed == "open":
        open_meeting(
            template=board.template, starts_at=board.starts_at, first=board.agenda.first, at=now,
            by=user,
        )  # fmt: skip
        return _("The meeting has begun.")
    if huddle is None:
        raise Refused(_("This meeting has not been opened yet."))
    if deed in ("next", "back", "step"):
        step = said.get("step", "")
        if deed != "step":
            # From what whoever pressed it saw: pressed twice in a hurry, it is one step.
            seen = said.get("from") or board.step
            step = board.agenda.after(seen) if deed == "next" else board.agenda.before(seen)
        if step not in board.agenda:
            raise Refused(_("That is not on the agenda any more. Look again."))
        go_to(huddle=huddle, step=step, at=now, by=user, take_chair="take" in said)
        return ""
    if deed == "chair":
        go_to(huddle=huddle, step=board.step, at=now, by=user, take_chair=True)
        return _("You lead the meeting now.")
    if deed == "safety":
        answer_safety(
            huddle=huddle, harm=said.get("harm"), hazard=said.get("hazard"), at=now, by=user
        )
        return _("Recorded.")
    if deed == "agree":
        with transaction.atomic():
            locked(huddle)
            return _agree(said, user, scope, board, now=now)
    if deed == "close":
        with transaction.atomic():
            locked(huddle)
            room = board_of(board.template, board.starts_at, at=now, viewer=None, scope=None)
            close_meeting(huddle=huddle, frozen=as_seen(room), at=now, by=user)
        return _("The meeting has ended.")
    raise Refused(_("That cannot be done here. Look at the meeting again."))


def _agree(
    said: Mapping[str, str], user: User, scope: Scope, board: Board, *, now: datetime
) -> str:
    """Keep what was said in one line: of the ward whose turn it was when it was typed, or of the
    thing that would help."""
    name, _sign, number = said.get("about", "").partition(":")
    subject = subject_of({name: number}, scope, at=now) if number else None
    if subject is not None and subject.site.pk != board.template.site_id:
        subject = None
    # What would help was clicked, and other words were typed over it: they mean what they say.
    dropped = ""
    if subject is not None and not names(said.get("line", ""), subject):
        dropped = _("It is not about %(what)s, which the words do not name.") % {
            "what": subject.words
        }
        subject = None
    key = (None if dropped else row_key(said.get("ward", ""))) or ward_of(board.step)
    spoken_of = next((one.ward.id for one in board.lines if one.ward.id == key), None)
    action, draft = agreed(
        said.get("line", ""),
        site=board.template.site,
        at=now,
        by=user,
        scope=scope,
        ward=Ward.objects.select_related("site").get(pk=spoken_of) if spoken_of else None,
        subject=subject,
        huddle=board.huddle,
        once=said.get("once", ""),
    )
    return " ".join(filter(None, [agreed_words(action, draft, now=now), dropped]))


def _context(board: Board, user: User | None) -> dict[str, Any]:
    """What the meeting itself is drawn with."""
    template = board.template
    return {
        "board": board,
        "moment": board.moment,
        "live": True,
        "here": address_of("meeting", template.pk, board.starts_at),
        "room_address": address_of("room", template.pk, board.starts_at),
        "leads": board.may_lead
        and board.huddle is not None
        and user is not None
        and board.huddle.chair_id == user.pk,
    }


def _page(board: Board, user: User | None, address: str) -> dict[str, Any]:
    """What the page around it needs."""
    template = board.template
    return _context(board, user) | {
        "title": template.name,
        "subtitle": template.site.name,
        "board_name": bell(template.site_id),
        "fragment_address": f"{address}?fragment=1",
        "today_words": f"{timezone.localtime(board.moment):%a %-d %b %H:%M}",
    }


def _shown(request: HttpRequest, board: Board, *, wrong: str = "") -> HttpResponse:
    template, user = board.template, request.user
    assert isinstance(user, User)
    context = _page(board, user, address_of("meeting", template.pk, board.starts_at)) | {
        "wrong": wrong,
        "once": request.POST.get("once") or token_hex(8),
        "typed": request.POST,
        "up": [(_("Huddles"), reverse("huddles:meetings", args=[template.site.code]))],
    }
    response = render(request, "huddles/meeting.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def room(request: HttpRequest, template: int, start: str) -> HttpResponse:
    """What a screen in the room shows, in step with the chair; nobody is named on it, but beds
    are, so that it is for those who see patients at the site."""
    _user, scope, place = template_named(request, template)
    starts_at = start_named(start)
    held = scope.sites_in_part(Permission.SEE_PATIENTS)
    if held != ALL and place.site_id not in held:
        raise PermissionDenied(_("The room's screen is for those who see patients at this site."))
    if "fragment" in request.GET:
        return _fragment(request, place, starts_at, None, None)
    board = board_of(place, starts_at, at=timezone.now(), viewer=None, scope=None)
    _check_there(board.huddle is not None, place, starts_at)
    context = _page(board, None, address_of("room", place.pk, starts_at)) | {"up": []}
    response = render(request, "huddles/room.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _held(request: HttpRequest, template: int, start: str) -> tuple[HuddleTemplate, Huddle]:
    """The meeting that an address names, where it has ended."""
    _user, _scope, place = template_named(request, template)
    huddle = (
        Huddle.objects.select_related("chair", "closed_by")
        .filter(template=place, starts_at=start_named(start), closed_at__isnull=False)
        .first()
    )
    if huddle is None:
        raise Http404(_("This meeting has not ended."))
    return place, huddle


@require_safe
def summary_pdf(request: HttpRequest, template: int, start: str) -> HttpResponse:
    """The same on one page, to print or to send on."""
    place, huddle = _held(request, template, start)
    assert huddle.frozen is not None, "the database says so"
    assert huddle.closed_at is not None, "the database says so"
    response = HttpResponse(
        as_pdf(huddle.frozen, closed_at=huddle.closed_at), content_type="application/pdf"
    )
    name = f"{slugify(place.name) or 'huddle'}-{stamp(huddle.starts_at)}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def summary(request: HttpRequest, template: int, start: str) -> HttpResponse:
    """What is kept of a meeting, and what has come of it since."""
    place, huddle = _held(request, template, start)
    assert huddle.frozen is not None, "the database says so"
    starts_at, now = huddle.starts_at, timezone.now()
    context = {
        "huddle": huddle,
        "kept": huddle.frozen,
        "pdf_address": address_of("summary_pdf", place.pk, starts_at),
        "came": came_of(starts_at, huddle.frozen, at=now),
        "template": place,
        "title": place.name,
        "subtitle": place.site.name,
        "up": [(_("Huddles"), reverse("huddles:meetings", args=[place.site.code]))],
        "moment": now,
        "at": huddle.closed_at,
    }
    response = render(request, "huddles/summary.html", context)
    response["Cache-Control"] = "no-store"
    return response
