"""The drawer beside a board: everything known of a bed or a stay, and what can be done there.

As a page of its own it works without a script; with `?fragment=1` it is the drawer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow import bedside_reads as reads
from flow.asking import asked, in_words
from flow.bedside_forms import AdmitForm, BringForm, DischargeForm, MoveForm, WhenForm
from patients.models import Episode
from wards import movements
from wards.bed_states import BedState
from wards.facts import Place
from wards.models import Bed, Movement, Ward
from wards.scope import Scope, scope_of


@dataclass(slots=True)
class Bedside:
    """One request at a bedside: what is there, who asks, and which forms are offered.

    `awaited`: the wards that wait for the patient; who receives somebody may see and fetch them.
    `forms` maps a deed to its form; `failed` names the deed that was refused, `reason` why.
    """

    scope: Scope
    now: datetime
    at: datetime | None
    ward: Ward
    bed: Bed | None = None
    state: BedState | None = None
    stay: reads.Stay | None = None
    occupied_since: datetime | None = None
    awaited: frozenset[int] = frozenset()
    last: reads.Stay | None = None
    targets: Sequence[Ward] = ()
    target: Ward | None = None
    forms: dict[str, WhenForm] = field(default_factory=dict)
    failed: str = ""
    reason: str = ""

    @property
    def moment(self) -> datetime:
        """What the drawer speaks of."""
        return self.at or self.now

    @property
    def sees(self) -> bool:
        """Whether the viewer may see patients here."""
        return self._may(Permission.SEE_PATIENTS)

    @property
    def acts(self) -> bool:
        """Whether the viewer may move patients here, which only the present allows."""
        return self.at is None and self._may(Permission.MOVE_PATIENTS)

    @property
    def is_host(self) -> bool:
        """Whether the viewer moves patients on this very ward, not only fetches them."""
        return self.scope.may(Permission.MOVE_PATIENTS, self.ward.pk)

    def _may(self, permission: Permission) -> bool:
        return any(self.scope.may(permission, ward) for ward in (self.ward.pk, *self.awaited))

    @property
    def can_fill(self) -> bool:
        """Whether somebody can be put into the bed."""
        state = self.state
        return (
            self.acts
            and state is not None
            and self.occupied_since is None
            and state.in_use
            and state.opened
            and not state.is_closed
        )


@require_http_methods(["GET", "HEAD", "POST"])
def bed(request: HttpRequest, bed: int) -> HttpResponse:
    """One bed: its state, who is in it, and deeds."""
    side = _begin(request)
    found = reads.bed_at(bed, at=side.moment)
    if found is None:
        raise Http404(_("There is no such bed."))
    side.bed, side.state, occupancy = found
    side.ward = side.bed.ward
    _check_seen(side)
    if occupancy is not None:
        side.occupied_since = occupancy.period.lower
        if side.sees:
            side.stay = reads.stay_of(occupancy.episode_id, at=side.moment)
    elif side.sees and (last := reads.last_in(bed, at=side.moment)):
        side.last = reads.stay_of(last, at=side.moment)
    return _serve(request, side)


@require_http_methods(["GET", "HEAD", "POST"])
def stay(request: HttpRequest, episode: int) -> HttpResponse:
    """One stay, of a patient without a bed as a rule: where, since when, and deeds."""
    side = _begin(request)
    found = reads.stay_of(episode, at=side.moment)
    if found is None or found.occupancy is None:
        raise Http404(_("This patient is not on a ward at that time. Look at the board again."))
    side.ward = found.occupancy.ward
    side.awaited = reads.awaited_by(episode, at=side.moment)
    _check_seen(side)
    side.bed = found.occupancy.bed
    side.occupied_since = found.occupancy.period.lower
    if side.sees:
        side.stay = found
    return _serve(request, side)


def _begin(request: HttpRequest) -> Bedside:
    now = timezone.now()
    wish = asked(request, now=now)
    return Bedside(scope=scope_of(request.user), now=now, at=wish.at, ward=Ward())


def _check_seen(side: Bedside) -> None:
    if not side.scope.may(Permission.SEE_COUNTS, side.ward.pk) and not side.sees:
        raise PermissionDenied(_("You have no role on this ward. Ask your administrator."))


def _serve(request: HttpRequest, side: Bedside) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    if posted is not None and not side.acts:
        raise PermissionDenied(_("You may not move patients here. Ask your administrator."))
    _offer(request, side)
    if posted is None:
        return _drawn(request, side, 200)
    deed = posted.get("deed", "")
    refused = _changed_meanwhile(side, posted.get("episode_seen", ""))
    try:
        if refused:
            raise Refused(refused)
        done = _do(request, side, deed)
    except Refused as refusal:
        side.failed, side.reason = deed, refusal.reason
        return _drawn(request, side, 409 if refused else 422)
    if done is None:
        side.failed = deed
        return _drawn(request, side, 422)
    return _done(request, side, done)


def _offer(request: HttpRequest, side: Bedside) -> None:
    """The forms for what can be done here, the posted one filled with what was typed."""
    if not side.acts:
        return
    deed = request.POST.get("deed") if request.method == "POST" else None

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    if side.stay is not None:
        side.targets = reads.wards_to_choose(side.scope, here=side.ward, all_of_site=side.is_host)
        side.target = _target(request, side)
        moves = side.scope.may(Permission.MOVE_PATIENTS, side.target.pk)
        beds = reads.free_beds(side.target.pk, at=side.now) if moves else []
        side.forms["move"] = MoveForm(typed("move"), ward=side.target.pk, beds=beds)
        if not side.is_host:
            return
        side.forms["discharge"] = DischargeForm(typed("discharge"), auto_id="discharge-%s")
        away = side.stay.episode.status == Episode.Status.ON_LEAVE
        name = "return" if away else "leave"
        side.forms[name] = WhenForm(typed(name), auto_id="away-%s")
    elif side.can_fill:
        people = reads.candidates(side.ward, at=side.now, scope=side.scope)
        if people or deed == "bring":
            side.forms["bring"] = BringForm(typed("bring"), people=people)
        side.forms["admit"] = AdmitForm(typed("admit"), auto_id="admit-%s")


def _target(request: HttpRequest, side: Bedside) -> Ward:
    """The ward whose beds are offered: the one chosen, at first the patient's own or, to who
    only fetches them, the ward that waits."""
    chosen = request.POST.get("to") or request.GET.get("to") or ""
    if not chosen.isdecimal() or int(chosen) == side.ward.pk:
        fetched = [ward for ward in side.targets if ward.pk in side.awaited]
        return side.ward if side.is_host or not fetched else fetched[0]
    found = next((ward for ward in side.targets if ward.pk == int(chosen)), None)
    if found is None:
        raise PermissionDenied(_("You may not move patients to this ward."))
    return found


def _changed_meanwhile(side: Bedside, seen: str) -> str:
    """Why nothing may be done: the bed now holds somebody else than the person saw."""
    now = str(side.stay.episode.pk) if side.stay else ""
    if seen == now:
        return ""
    return _("Somebody has changed this bed since you opened it. Look again, then decide.")


def _do(request: HttpRequest, side: Bedside, deed: str) -> str | None:
    """Do what was asked; what to say of it, or None where the form is wrong."""
    assert isinstance(request.user, User)
    if deed == "undo":
        return _undo(request, side)
    form = side.forms.get(deed)
    if form is None:
        raise Refused(_("That cannot be done here now. Look at the board again."))
    if not form.is_valid():
        return None
    return _DEEDS[deed](side, form, request.user)


def _move(side: Bedside, form: WhenForm, by: User) -> str:
    assert isinstance(form, MoveForm)
    assert side.stay is not None
    assert side.target is not None
    movements.transfer(
        episode=side.stay.episode,
        place=_with_bay(form.place()),
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
    )
    return _("Moved to %(ward)s.") % {"ward": side.target.name}


def _discharge(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.stay is not None
    movements.discharge(
        episode=side.stay.episode,
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
        destination=form.cleaned_data["destination"],
    )
    return _("Discharged. The bed is free.")


def _leave(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.stay is not None
    movements.leave(episode=side.stay.episode, occurred_at=form.time(side.now), at=side.now, by=by)
    return _("On leave. The bed is kept.")


def _return(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.stay is not None
    movements.return_(
        episode=side.stay.episode, occurred_at=form.time(side.now), at=side.now, by=by
    )
    return _("Back from leave.")


def _bring(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    movements.transfer(
        episode=Episode.objects.select_related("visit", "patient").get(
            pk=form.cleaned_data["episode"]
        ),
        place=Place(ward=side.ward.pk, bay=side.bed.bay_id, bed=side.bed.pk),
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
    )
    return _("Brought to bed %(bed)s.") % {"bed": side.bed.label}


def _admit(side: Bedside, form: WhenForm, by: User) -> str:
    assert isinstance(form, AdmitForm)
    assert side.bed is not None
    movements.admit(
        person=form.person(side.ward.site.organisation.code),
        place=Place(ward=side.ward.pk, bay=side.bed.bay_id, bed=side.bed.pk),
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
        details=form.details(),
    )
    return _("Admitted to bed %(bed)s.") % {"bed": side.bed.label}


_DEEDS: dict[str, Callable[[Bedside, WhenForm, User], str]] = {
    "move": _move,
    "discharge": _discharge,
    "leave": _leave,
    "return": _return,
    "bring": _bring,
    "admit": _admit,
}


def _undo(request: HttpRequest, side: Bedside) -> str:
    """Take back the last movement made by hand, of who is here or of who was here last."""
    assert isinstance(request.user, User)
    stay = side.stay or side.last
    line = stay.undo if stay and side.is_host else None
    if line is None or str(line.id) != request.POST.get("movement"):
        raise Refused(_("That cannot be undone any more. Look at the movements again."))
    movement = Movement.objects.select_related("visit", "patient").get(pk=line.id)
    movements.cancel(movement=movement, at=side.now, by=request.user)
    return _("Undone: %(what)s.") % {"what": line.what.lower()}


def _with_bay(place: Place) -> Place:
    if place.bed is None:
        return place
    bay = Bed.objects.values_list("bay_id", flat=True).get(pk=place.bed)
    return Place(ward=place.ward, bay=bay, bed=place.bed)


def _board_address(side: Bedside) -> str:
    address = reverse("flow:ward", args=[side.ward.code])
    return f"{address}?{urlencode({'site': side.ward.site.code})}"


def _done(request: HttpRequest, side: Bedside, text: str) -> HttpResponse:
    if "fragment" in request.GET:
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    messages.success(request, text)
    return redirect(_board_address(side))


def _drawn(request: HttpRequest, side: Bedside, status: int) -> HttpResponse:
    stay = side.stay
    context = {
        "side": side,
        "moment": side.moment,
        "live": side.at is None,
        "past_words": in_words(side.moment) if side.at else "",
        "board_address": _board_address(side),
        "age": reads.age_of(stay.face, at=side.moment) if stay and stay.face else None,
        "here": request.path,
    }
    template = "flow/_drawer.html" if "fragment" in request.GET else "flow/bedside.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
