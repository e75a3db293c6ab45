"""The page that somebody opens who comes on shift, and prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.row_keys import row_key
from flow.asking import Asked, tidy
from flow.board_types import Sight
from flow.handover.board import handover as board_of
from flow.handover.notes import finish, may_read, may_write, write
from flow.handover.patch import Patch, patch_of
from flow.handover.since import CHOICES, LONGEST, Since, since_of
from flow.models import HandoverNote
from flow.showing import Show, answer
from flow.site_naming import site_named
from wards.models import Site
from wards.scope import Scope

BOARD: Final = "handover"
"""Its own bell: a note rings it. What moves meanwhile shows within half a minute, as the page asks
by itself; drawn at every ring of the desk, a week of changes would cost more than it tells."""
_SITE: Final = "site"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a refused note said, and why it was refused."""

    text: str = ""
    ward: str = ""
    reason: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def handover(request: HttpRequest, code: str) -> HttpResponse:
    """What changed since, what is open, what runs out next; notes are posted here."""
    scope, place = site_named(request, code)
    assert isinstance(request.user, User)
    if request.method == "POST":
        try:
            said = _do(request, scope, place, request.user)
        except Refused as refused:
            typed = Typed(request.POST.get("text", ""), request.POST.get("ward", ""))
            reason = Typed(typed.text, typed.ward, refused.reason)
            response = _shown(request, scope, place, request.user, reason)
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            return response
        messages.success(request, said)
        return redirect(request.get_full_path())
    if "at" in request.GET or "known_at" in request.GET:
        return redirect(request.path)  # a shift begins now; boards tell of the past
    if any(not value for value in request.GET.values()) and "fragment" not in request.GET:
        return redirect(tidy(request.path, request.GET))
    return _shown(request, scope, place, request.user, Typed())


def _do(request: HttpRequest, scope: Scope, place: Site, by: User) -> str:
    """What the button said; what to say of it. Raises Refused."""
    at = timezone.now()
    if "done" in request.POST:
        key = row_key(request.POST["done"])
        note = HandoverNote.objects.filter(pk=key or 0, site=place).first()
        if note is None or not may_read(scope, note):
            raise Http404(_("There is no such note."))
        if not may_write(scope, place, note.ward_id):
            raise PermissionDenied(_("That is for those who move patients there to say."))
        finish(note=note, at=at, by=by)
        return _("The note is done.")
    asked = request.POST.get("ward", "")
    ward = None if asked == _SITE else row_key(asked)
    if ward is None and asked != _SITE:
        raise Refused(_("Say whom the note is for."))
    if not may_write(scope, place, ward):
        raise PermissionDenied(_("Notes are left by those who move patients there."))
    write(site=place, ward=ward, text=request.POST.get("text", ""), at=at, by=by)
    return _("The note is left for the next shift.")


def _shown(
    request: HttpRequest, scope: Scope, place: Site, viewer: User, typed: Typed
) -> HttpResponse:
    now = timezone.now()
    since = since_of(request.GET.get("since", ""), user=viewer.pk, at=now)
    patch = patch_of(place, scope, request.GET.get("ward", ""))
    sight = Sight.of(scope)
    # The page asks again for the moment it was opened with, however that was found.
    kept = [("since", since.at.isoformat()), *([("ward", patch.value)] if patch.value else [])]

    def context(_told: Asked, moment: datetime) -> dict[str, Any]:
        board = board_of(place, since=since.at, at=moment, patch=patch, scope=scope)
        return {"board": board, "site": place, "patch": patch}

    show = Show(
        BOARD,
        _("Handover"),
        "flow/_handover.html",
        context,
        apart=f"handover {place.code}",
        private=sight.patients != frozenset(),
        subtitle=f"{place.name}, {patch.words}",
        up=[(_("Desk"), reverse("desk:desk", args=[place.code]))],
        drawer=True,
        kept=kept,
        page="flow/handover.html",
        beside=_beside(request, scope, place, viewer, since, patch, typed),
        wrong=bool(since.error),
    )
    return answer(request, scope, show)


def _beside(
    request: HttpRequest,
    scope: Scope,
    place: Site,
    viewer: User,
    since: Since,
    patch: Patch,
    typed: Typed,
) -> dict[str, Any]:
    """What stands around the board: the choices, and the form for a note."""
    asked = request.GET.get("since", "")
    said = [("ward", patch.value)] if patch.value else []
    own = [("since", asked)] if asked and not since.error else []
    now = timezone.now()
    return {
        "since": since,
        "patch": patch,
        "site": place,
        "viewer": viewer,
        "choices": [
            (hours, _address(request, [("since", str(hours)), *said]), since.hours == hours)
            for hours in CHOICES
        ],
        "last_address": _address(request, said),
        "patches": [
            (one.label, _address(request, [*own, *([("ward", one.value)] * bool(one.value))]),
             one.chosen)
            for one in patch.choices
        ],
        "here": _address(request, [*own, *said]),
        "since_typed": since.typed or f"{timezone.localtime(since.at):%Y-%m-%dT%H:%M}",
        "since_least": f"{timezone.localtime(now - LONGEST):%Y-%m-%dT%H:%M}",
        "since_most": f"{timezone.localtime(now):%Y-%m-%dT%H:%M}",
        "for_whom": _for_whom(scope, place, patch),
        "typed": typed,
        "longest": HandoverNote.LONGEST,
    }  # fmt: skip


def _for_whom(scope: Scope, place: Site, patch: Patch) -> list[tuple[str, str]]:
    """For whom the reader may leave a note."""
    whole = [(_SITE, _("The whole site"))] if may_write(scope, place, None) else []
    return whole + [
        (str(pk), name) for pk, name in patch.names.items() if may_write(scope, place, pk)
    ]


def _address(request: HttpRequest, pairs: list[tuple[str, str]]) -> str:
    return f"{request.path}?{urlencode(pairs)}" if pairs else request.path
