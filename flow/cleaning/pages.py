"""The list of beds to clean: looked at, begun, done and taken back, on a phone as a rule."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.row_keys import row_key
from flow.cleaning.board import CLEAN, CleaningBoard, cleaning_board
from wards.cleaning import begin, done, take_back
from wards.models import Bed, BedStatus
from wards.scope import Scope, scope_of

BOARD = "cleaning"


@require_http_methods(["GET", "HEAD", "POST"])
def beds(request: HttpRequest) -> HttpResponse:
    """The beds to clean of the wards at which the viewer may clean."""
    scope = scope_of(request.user)
    if not scope.may_anywhere(CLEAN):
        raise PermissionDenied(_("You clean no beds. Ask your administrator."))
    assert isinstance(request.user, User)
    if request.method != "POST":
        return _drawn(request, scope, request.user)
    try:
        said = _do(request, scope, request.user)
    except Refused as refused:
        return _refused(request, scope, request.user, refused.reason)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect(_address(request))


def _do(request: HttpRequest, scope: Scope, by: User) -> str:
    """What the button said; what to say of it. Raises Refused."""
    posted, at = request.POST, timezone.now()
    if posted.get("deed") == "undo":
        status = BedStatus.objects.filter(pk=row_key(posted.get("status", "")) or 0, by=by).first()
        if status is None:
            raise Refused(_("There is nothing to take back."))
        bed = _bed(str(status.bed_id), scope)
        take_back(status=status.pk, at=at, by=by)
        return _("Undone: %(bed)s is as it was.") % {"bed": _name(bed)}
    bed = _bed(posted.get("bed", ""), scope)
    # What the list said of the bed: a clean that has become a terminal one is not done as less.
    level = posted.get("level", "")
    if posted.get("deed") == "begin":
        begin(bed=bed.pk, level=level, at=at, by=by)
        return _("Begun: %(bed)s.") % {"bed": _name(bed)}
    if posted.get("deed") == "done":
        done(bed=bed.pk, level=level, at=at, by=by)
        return _("Ready: %(bed)s.") % {"bed": _name(bed)}
    raise Refused(_("That cannot be done here."))


def _bed(key: str, scope: Scope) -> Bed:
    found = Bed.objects.select_related("ward").filter(pk=row_key(key) or 0).first()
    if found is None:
        raise Http404(_("There is no such bed."))
    if not scope.may(CLEAN, found.ward_id):
        raise PermissionDenied(_("You do not clean on this ward. Ask your administrator."))
    return found


def _name(bed: Bed) -> str:
    return _("bed %(bed)s, %(ward)s") % {"bed": bed.label, "ward": bed.ward.name}


def _refused(request: HttpRequest, scope: Scope, by: User, reason: str) -> HttpResponse:
    """Why not, and the list as it is now."""
    if "fragment" in request.GET:
        return HttpResponse(
            reason, content_type="text/plain; charset=utf-8", status=HTTPStatus.CONFLICT
        )
    return _drawn(request, scope, by, reason=reason)


def _asked(request: HttpRequest) -> dict[str, str]:
    """The site and the ward that the address narrows the list to."""
    asked = {name: request.GET.get(name, "").replace("\0", "") for name in ("site", "ward")}
    return {name: code for name, code in asked.items() if code}


def _address(request: HttpRequest, **asked: str) -> str:
    said = asked if asked else _asked(request)
    return f"{request.path}?{urlencode(said)}" if said else request.path


def _filters(request: HttpRequest, board: CleaningBoard) -> dict[str, Any]:
    """Sites and wards with the address of each; what is chosen stays, be it empty by now."""
    sites = [
        (one.name, one.beds, _address(request, site=one.code), one.code == board.site)
        for one in board.sites
    ]
    if board.site and not any(chosen for *_rest, chosen in sites):
        sites.append((board.site, 0, _address(request), True))
    above = {"site": board.site} if board.site else {}
    wards = [
        (one.name, one.beds, _address(request, **above, ward=one.code), one.code == board.ward)
        for one in board.wards
    ]
    if board.ward and not any(chosen for *_rest, chosen in wards):
        wards.append((board.ward, 0, _address(request), True))
    all_wards = f"{request.path}?{urlencode(above)}" if above else request.path
    return {
        "sites": sites if len(sites) > 1 or board.site else [],
        "wards": wards if len(wards) > 1 or board.ward else [],
        "all_sites": request.path,
        "all_wards": all_wards,
    }


def _drawn(request: HttpRequest, scope: Scope, viewer: User, *, reason: str = "") -> HttpResponse:
    now, asked = timezone.now(), _asked(request)
    board = cleaning_board(now=now, scope=scope, viewer=viewer.pk, **asked)
    context = {
        "board": board,
        "here": _address(request),
        "title": _("Beds to clean"),
        "up": [],
        "notes": True,
        "board_name": BOARD,
        "moment": now,
        "live": True,
        "refused": reason,
        "fragment_address": f"{request.path}?{urlencode(asked | {'fragment': '1'})}",
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
        **_filters(request, board),
    }
    alone = "fragment" in request.GET
    response = render(
        request,
        "flow/_cleaning.html" if alone else "flow/cleaning.html",
        context,
        status=HTTPStatus.CONFLICT if reason else HTTPStatus.OK,
    )
    response["X-Board"] = BOARD
    response["Cache-Control"] = "no-store"
    return response
