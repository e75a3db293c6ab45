"""The board round of a ward: patient by patient, and what is said of each.

The page is the board (`#board`, kept true like every board) beside the panel of one patient.
With `?fragment=1` it answers with the board alone, with `?fragment=panel` with the panel alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.barrier_forms import RaiseForm, raised_words
from flow.coded import Codes, codes_in_use
from flow.days import age
from flow.figure_types import Group
from flow.kinds import GROUP_OF
from flow.moment import Moment
from flow.predictions import foretold
from flow.round_board import round_board
from flow.round_changes import Change, changes
from flow.round_forms import (
    ReviewForm,
    Standing,
    as_seen,
    merged,
    seen_of,
    standing_of,
    unchanged,
)
from flow.round_types import RoundBoard, RoundPatient
from flow.ward_naming import ward_address, ward_named
from patients.models import Barrier, Episode
from wards import barriers
from wards.barriers import Said
from wards.models import Ward
from wards.rounds import Overtaken, review, round_going_on
from wards.scope import Scope, scope_of


@dataclass(slots=True)
class Sitting:
    """One request at a round. patient: whose turn it is, None when everybody has been seen.
    sent: what the review form is to show instead of how the patient stands. failed: the deed
    that was refused, reason: why; changed: what is otherwise than its writer had seen."""

    scope: Scope
    now: datetime
    ward: Ward
    board: RoundBoard
    codes: Codes
    patient: RoundPatient | None = None
    sent: QueryDict | None = None
    raised: RaiseForm | None = None
    failed: str = ""
    reason: str = ""
    changed: list[Change] = field(default_factory=list)

    @property
    def may_plan(self) -> bool:
        """Whether the viewer may say anything here."""
        return self.scope.may(Permission.PLAN_DISCHARGE, self.ward.pk)

    @property
    def standing(self) -> Standing:
        """How the patient stands."""
        assert self.patient is not None
        return standing_of(self.patient.row, at=self.now)

    def form(self) -> ReviewForm:
        """The review form of the patient."""
        face = self.patient.face if self.patient else None
        return ReviewForm(
            self.sent,
            standing=self.standing,
            codes=self.codes,
            needs_criteria=GROUP_OF[self.ward.kind] is Group.INPATIENT,
            at=self.now,
            age=age(face.date_of_birth, at=self.now) if face else None,
            closed=not self.may_plan,
        )

    def look_again(self) -> None:
        """Read the board anew, after something was done."""
        self.board = _board(self.ward, self.scope, self.now)


@require_http_methods(["GET", "HEAD", "POST"])
def board_round(request: HttpRequest, code: str) -> HttpResponse:
    """The round of a ward."""
    scope = scope_of(request.user)
    place = ward_named(request, code, "flow:round")
    if isinstance(place, HttpResponse):
        return place
    if not scope.may(Permission.SEE_PATIENTS, place.pk):
        raise PermissionDenied(_("You may not see patients on this ward. Ask your administrator."))
    now = timezone.now()
    at = Sitting(
        scope=scope,
        now=now,
        ward=place,
        board=_board(place, scope, now),
        codes=codes_in_use(place.site.organisation_id, at=now),
    )
    if request.method == "POST":
        return _posted(request, at)
    if request.GET.get("fragment") == "1":
        return _board_alone(request, at)
    wanted = row_key(request.GET.get("patient", ""))
    at.patient = at.board.of(wanted) or at.board.after(None)
    return _answer(request, at)


def _board(ward: Ward, scope: Scope, now: datetime) -> RoundBoard:
    return round_board(ward, moment=Moment(now), scope=scope)


def _posted(request: HttpRequest, at: Sitting) -> HttpResponse:
    if not at.may_plan:
        raise PermissionDenied(_("You may look at this round, but not record anything."))
    deed = request.POST.get("deed", "")
    at.patient = at.board.of(row_key(request.POST.get("episode", "")))
    if at.patient is None or deed not in _DEEDS:
        at.failed = deed
        at.reason = _("This patient has left the ward since you opened the page.")
        at.patient = at.board.after(None)
        return _answer(request, at, status=HTTPStatus.CONFLICT)
    try:
        said = _DEEDS[deed](request, at)
    except Overtaken as refusal:
        return _overtaken(request, at, refusal)
    except Refused as refusal:
        at.failed, at.reason = deed, refusal.reason
        return _answer(request, at, status=HTTPStatus.CONFLICT)
    if said is None:
        at.failed = deed
        return _answer(request, at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _done(request, at, said, goes_on=deed in ("save", "confirm"))


def _done(request: HttpRequest, at: Sitting, said: str, *, goes_on: bool) -> HttpResponse:
    """On to the next patient; after anything but a review, the same one again."""
    assert at.patient is not None
    here = at.patient.row.episode
    at.look_again()
    at.patient = at.board.after(here) if goes_on else at.board.of(here)
    at.sent = at.raised = None
    if "fragment" in request.GET:
        response = _answer(request, at)
        # A header, so that the panel is what a page of its own shows too.
        response["X-Said"] = said
        return response
    messages.success(request, said)
    following = {"patient": at.patient.row.episode} if at.patient else {}
    return redirect(ward_address("flow:round", at.ward, **following))


def _overtaken(request: HttpRequest, at: Sitting, refusal: Overtaken) -> HttpResponse:
    """Say what changed, with what was typed put over it."""
    assert at.patient is not None
    at.look_again()
    at.patient = at.board.of(at.patient.row.episode)
    at.failed, at.reason = request.POST["deed"], refusal.reason
    if at.patient is None:
        at.patient = at.board.after(None)
        return _answer(request, at, status=HTTPStatus.CONFLICT)
    before = as_seen(seen_of(request.POST["seen"]), at=at.now)
    if before is not None:
        at.changed = list(changes(before, at.standing, at.codes))
        if request.POST["deed"] == "save":
            at.sent = merged(request.POST, before, at.standing)
        else:
            at.sent = None
    return _answer(request, at, status=HTTPStatus.CONFLICT)


# --- deeds: each says what was done, None where its form is wrong --------------------------------


def _save(request: HttpRequest, at: Sitting) -> str | None:
    at.sent = request.POST
    return _review(request, at)


def _confirm(request: HttpRequest, at: Sitting) -> str | None:
    at.sent = unchanged(at.standing)
    return _review(request, at)


def _review(request: HttpRequest, at: Sitting) -> str | None:
    assert at.patient is not None
    assert isinstance(request.user, User)
    try:
        seen = seen_of(request.POST.get("seen", ""))
    except ValueError:
        raise Refused(_("This form is not whole. Load the page again.")) from None
    form = at.form()
    # Who speaks of an older state is told what changed before anything else.
    if seen == at.standing.seen and not form.is_valid():
        return None
    review(
        episode=Episode.objects.get(pk=at.patient.row.episode),
        found=form.found() if form.is_valid() else {},
        said=Said(at.now, request.user),
        round_key=round_going_on(at.ward.pk, at=at.now),
        key=request.POST.get("key", "")[:64],
        seen=seen,
    )
    return _("Saved.")


def _raise(request: HttpRequest, at: Sitting) -> str | None:
    assert at.patient is not None
    assert isinstance(request.user, User)
    at.raised = RaiseForm(request.POST, reasons=at.codes.delays)
    if not at.raised.is_valid():
        return None
    made = barriers.raise_barrier(
        episode=Episode.objects.get(pk=at.patient.row.episode),
        reason=at.raised.code,
        said=Said(at.now, request.user),
        note=at.raised.cleaned_data["note"],
        key=request.POST.get("key", "")[:64],
    )
    return raised_words(made)


def _resolve(request: HttpRequest, at: Sitting) -> str | None:
    assert at.patient is not None
    assert isinstance(request.user, User)
    key = row_key(request.POST.get("barrier", ""))
    theirs = Barrier.objects.filter(episode=at.patient.row.episode)
    found = next((one for one in theirs if one.pk == key), None)
    if found is None:
        raise Refused(_("This barrier is not there any more. Look again."))
    barriers.resolve(barrier=found, said=Said(at.now, request.user))
    return _("Resolved.")


_DEEDS: Final[Mapping[str, Callable[[HttpRequest, Sitting], str | None]]] = {
    "save": _save,
    "confirm": _confirm,
    "raise": _raise,
    "resolve": _resolve,
}


# --- answers --------------------------------------------------------------------------------


def _context(at: Sitting) -> dict[str, Any]:
    context: dict[str, Any] = {
        "at": at,
        "board": at.board,
        "moment": at.now,
        "live": True,
        "here": ward_address("flow:round", at.ward),
        "ward_address": ward_address("flow:ward", at.ward),
        "patient": at.patient,
    }
    if at.patient is None:
        return context
    before, after = at.board.beside(at.patient.row.episode)
    return context | {
        "form": at.form(),
        "standing": at.standing,
        "raise_form": at.raised or RaiseForm(reasons=at.codes.delays),
        "before": before,
        "after": after,
        "number": at.board.patients.index(at.patient) + 1,
        "foretold": foretold([(at.patient.row.episode, at.ward.site.code)], at=at.now).get(
            at.patient.row.episode
        ),
        "key": uuid4().hex,
    }


def _board_alone(request: HttpRequest, at: Sitting) -> HttpResponse:
    response = render(request, "flow/_round_board.html", _context(at))
    response["X-Board"] = f"ward:{at.ward.pk}"
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, at: Sitting, *, status: int = HTTPStatus.OK) -> HttpResponse:
    alone = "fragment" in request.GET
    context = _context(at)
    if not alone:
        site = at.ward.site
        context |= {
            "title": _("Board round"),
            "subtitle": at.ward.name,
            "notes": True,
            "board_name": f"ward:{at.ward.pk}",
            "fragment_address": ward_address("flow:round", at.ward, fragment=1),
            "up": [
                (_("System"), reverse("flow:system")),
                (site.name, reverse("flow:site", args=[site.code])),
                (at.ward.name, ward_address("flow:ward", at.ward)),
            ],
            "today_words": f"{timezone.localtime(at.now):%a %-d %b %H:%M}",
        }
    template = "flow/_round_patient.html" if alone else "flow/round.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
