"""The drawer beside a board: everything known of a bed or a stay, and what can be done there.

As a page of its own it works without a script; with `?fragment=1` it is the drawer alone.
"""

from __future__ import annotations

from dataclasses import replace
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

from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow import bed_state_deeds
from flow import bedside_reads as reads
from flow.asking import asked, in_words
from flow.barrier_forms import RaiseForm
from flow.bedside_deeds import PLANNING, do
from flow.bedside_forms import AdmitForm, BringForm, DischargeForm, MoveForm, WhenForm
from flow.bedside_types import Bedside
from flow.bedside_waits import waits_of
from flow.board_types import Face
from flow.coded import codes_in_use
from flow.days import age
from flow.desk.forms import AskForm
from flow.desk.previews import preview
from flow.forecasts.phrases import PURPOSE
from flow.forecasts.prediction import predicted
from flow.moment import Moment
from flow.ward_naming import ward_address
from patients.models import Episode
from wards import held_beds
from wards.bed_states import closures_over
from wards.models import Bed, Ward
from wards.placeless import home_of
from wards.placing import Unsuitable
from wards.scope import scope_of


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
    if side.state is not None and side.state.closure is not None:
        side.closures = list(closures_over(side.bed, at=side.moment))
    if occupancy is not None:
        side.occupied_since = reads.here_since(occupancy)
        if side.sees:
            side.stay = side.stay_of(occupancy.episode_id)
    elif side.sees and (last := reads.last_in(bed, at=side.moment)):
        side.last = side.stay_of(last)
    return _serve(request, side)


@require_http_methods(["GET", "HEAD", "POST"])
def stay(request: HttpRequest, episode: int) -> HttpResponse:
    """One stay, of a patient without a bed as a rule: where, since when, and deeds; once they
    have left, where they were, and the leaving to be undone. Of whom nobody told where they are,
    who told of them, and a place to be given."""
    side = _begin(request)
    found = side.stay_of(episode)
    status = found.episode.status_at(side.moment) if found else ""
    if found is None or status not in (*Episode.PRESENT, Episode.Status.DISCHARGED):
        raise Http404(_("This patient is not on a ward at that time. Look at the board again."))
    side.awaited = reads.awaited_by(episode, at=side.moment)
    place = found.occupancy or reads.left_from(episode, at=side.moment)
    if place is None:
        side.home, side.told_by = home_of(found.episode)
    else:
        side.ward = place.ward
        side.bed = place.bed if found.occupancy else None
    _check_seen(side)
    if found.occupancy is not None:
        side.occupied_since = reads.here_since(found.occupancy)
        side.stay = found if side.sees else None
        return _serve(request, side)
    if not side.sees:
        raise PermissionDenied(_("You may not see patients here. Ask your administrator."))
    if status in Episode.PRESENT:
        side.stay, side.elsewhere = found, reads.by_another_stay(found.episode, at=side.moment)
    else:
        side.left, side.last = place, found
    return _serve(request, side)


def _begin(request: HttpRequest) -> Bedside:
    now = timezone.now()
    wish = asked(request, now=now)
    scope = scope_of(request.user)
    return Bedside(scope=scope, now=now, at=wish.at, known_at=wish.known_at, ward=Ward())


def _check_seen(side: Bedside) -> None:
    if side.home is not None:
        if not side.sees:
            raise PermissionDenied(_("You may not see this patient. Ask your administrator."))
        return
    if not side.scope.may(Permission.SEE_COUNTS, side.ward.pk) and not side.sees:
        raise PermissionDenied(_("You have no role on this ward. Ask your administrator."))


def _serve(request: HttpRequest, side: Bedside) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    if posted is not None and not _may(side, posted.get("deed", "")):
        raise PermissionDenied(_("You may not do this here. Ask your administrator."))
    if side.stay is not None and side.home is None and side.elsewhere is None:
        side.waits = waits_of(
            side.stay.episode.pk,
            ward=side.ward.pk,
            moment=Moment(side.moment, side.known_at),
            scope=side.scope,
        )
        side.prediction = predicted(side.stay.episode, now=side.now, at=side.at)
    if side.bed is not None:
        side.held = next(iter(held_beds.in_force(at=side.moment, beds=[side.bed.pk])), None)
    _offer(request, side)
    if posted is None:
        return _drawn(request, side, 200)
    deed = posted.get("deed", "")
    side.against = posted.get("against", "").strip()[:500]
    refused = _changed_meanwhile(side, deed, posted.get("episode_seen", ""))
    try:
        if refused:
            raise Refused(refused)
        done = do(request, side, deed)
    except Refused as refusal:
        side.failed, side.reason = deed, refusal.reason
        side.may_override = isinstance(refusal, Unsuitable) and refusal.may_override
        return _drawn(request, side, 409 if refused else 422)
    if done is None:
        side.failed = deed
        return _drawn(request, side, 422)
    return _done(request, side, done)


def _may(side: Bedside, deed: str) -> bool:
    if deed in bed_state_deeds.DEEDS:
        return bed_state_deeds.may(side, deed)
    return side.plans if deed in PLANNING else side.acts


def _offer(request: HttpRequest, side: Bedside) -> None:
    """The forms for what can be done here, the posted one filled with what was typed."""
    if side.plans:
        codes = codes_in_use(side.ward.site.organisation_id, at=side.now)
        sent = request.POST if request.POST.get("deed") == "raise" else None
        side.raised = RaiseForm(sent, reasons=codes.delays)
    deed = request.POST.get("deed") if request.method == "POST" else None

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    side.forms |= bed_state_deeds.offer(side, typed)
    if not side.acts or side.is_over:
        return
    if side.stay is not None:
        _offer_to_ask(request, side)
        if side.elsewhere is None:
            _offer_move(request, side, typed("move"))
        if not side.is_host:
            return
        side.forms["discharge"] = DischargeForm(typed("discharge"), auto_id="discharge-%s")
        away = side.stay.episode.status == Episode.Status.ON_LEAVE
        name = "return" if away else "leave"
        side.forms[name] = WhenForm(typed(name), auto_id="away-%s")
    if side.can_fill:
        people = reads.candidates(side.ward, at=side.now, scope=side.scope)
        if people or deed == "bring":
            side.forms["bring"] = BringForm(typed("bring"), people=people)
        side.forms["admit"] = AdmitForm(typed("admit"))
    elif deed == "admit" and side.bed is not None and side.is_host:
        # The bed went to somebody else, or was closed, while this was typed.
        others = reads.free_beds(side.ward.pk, at=side.now)
        side.forms["admit"] = AdmitForm(typed("admit"), beds=others)


def _offer_to_ask(request: HttpRequest, side: Bedside) -> None:
    """Asking for a bed elsewhere, unless that has been done."""
    if side.stay is None or side.home is not None:
        return
    side.request = held_beds.open_request_of(side.stay.episode, at=side.now)
    if side.request is None:
        sent = request.POST if request.POST.get("deed") == "elsewhere" else None
        ward = row_key(request.GET.get("elsewhere", ""))
        wards = reads.wards_of_site(side.ward.site_id)
        side.ask = AskForm(sent, wards=wards, ward=ward)
        side.asks_elsewhere = ward is not None


def _offer_move(request: HttpRequest, side: Bedside, typed: Any) -> None:
    placed = side.home is None
    side.targets = reads.wards_to_choose(
        side.scope, here=side.ward, all_of_site=placed and side.is_host
    )
    side.target = _target(request, side)
    if side.target is None:
        return
    moves = side.scope.may(Permission.MOVE_PATIENTS, side.target.pk)
    beds = reads.free_beds(side.target.pk, at=side.now) if moves else []
    form = MoveForm(typed, ward=side.target.pk, beds=beds, is_here=side.target.pk == side.ward.pk)
    side.forms["move"] = form
    if moves:  # what speaks against a bed tells of who lies there, and they would be moved too
        _look_ahead(request, side, form)


def _look_ahead(request: HttpRequest, side: Bedside, form: MoveForm) -> None:
    """Where a bed is named (a patient was dropped on it, or `m` pressed), what would follow."""
    key = row_key(request.POST.get("with_bed") or request.GET.get("bed") or "")
    if key is None or side.stay is None or side.target is None:
        return
    bed = Bed.objects.select_related("ward").filter(pk=key, ward=side.target).first()
    here = side.stay.occupancy.bed_id if side.stay.occupancy is not None else None
    if bed is None or bed.pk == here:
        return
    side.preview = preview(side.stay.episode, bed, at=side.now)
    if side.preview.inside is not None:
        side.inside_face = _face_inside(side, side.preview.inside)
    if side.preview.inside is not None and side.is_host:
        sent = request.POST if request.POST.get("deed") == "swap" else None
        side.forms["swap"] = WhenForm(sent, auto_id="swap-%s")
    elif side.preview.inside is not None:
        # They would be sent where the viewer moves nobody, and what speaks against that tells of
        # those who lie there.
        why = _("Changing places needs a role that moves patients on both wards.")
        side.preview = replace(side.preview, blocked=side.preview.blocked or why, theirs=())
    form.initial["bed"] = str(bed.pk)


def _face_inside(side: Bedside, episode: int) -> Face | None:
    """Whoever lies in the bed that is looked at, where the viewer may see them."""
    if side.target is None or not side.scope.may(Permission.SEE_PATIENTS, side.target.pk):
        return None
    record = Episode.objects.values_list("patient_id", flat=True).get(pk=episode)
    return reads.face_of(record)


def _target(request: HttpRequest, side: Bedside) -> Ward | None:
    """The ward whose beds are offered: the one chosen, at first the patient's own or, to who
    only fetches them, the ward that waits; of somebody without a place one where they belong."""
    chosen = row_key(request.POST.get("to") or request.GET.get("to") or "")
    if chosen is None or chosen == side.ward.pk:
        fetched = [ward for ward in side.targets if ward.pk in side.awaited]
        if side.home is not None:
            near = [ward for ward in side.targets if ward.site_id == side.home.site]
            return next(iter([*fetched, *near, *side.targets]), None)
        return side.ward if side.is_host or not fetched else fetched[0]
    found = next((ward for ward in side.targets if ward.pk == chosen), None)
    if found is None:
        raise PermissionDenied(_("You may not move patients to this ward."))
    return found


def _changed_meanwhile(side: Bedside, deed: str, seen: str) -> str:
    """Why nothing may be done: the bed now holds somebody else than the person saw."""
    now = str(side.stay.episode.pk) if side.stay else ""
    if seen == now:
        return ""
    if deed == "admit" and deed in side.forms and side.stay:
        return _(
            "Somebody else has been put into this bed since you opened it. What you typed is "
            "below; choose another bed for it."
        )
    return _("Somebody has changed this bed since you opened it. Look again, then decide.")


def _board_address(side: Bedside) -> str:
    if side.home is not None:
        return reverse("flow:checks")
    address = reverse("flow:ward", args=[side.ward.code])
    return f"{address}?{urlencode({'site': side.ward.site.code})}"


def _done(request: HttpRequest, side: Bedside, text: str) -> HttpResponse:
    if "fragment" in request.GET:
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    messages.success(request, text)
    return redirect(_board_address(side))


def _drawn(request: HttpRequest, side: Bedside, status: int) -> HttpResponse:
    stay = side.person
    context = {
        "side": side,
        "moment": side.moment,
        "live": side.at is None,
        "past_words": in_words(side.moment) if side.at else "",
        "board_address": _board_address(side),
        "age": age(stay.face.date_of_birth, at=side.moment) if stay and stay.face else None,
        "here": request.path,
        "purpose": PURPOSE,
        "round_address": ward_address("flow:round", side.ward, patient=stay.episode.pk)
        if stay and side.at is None and side.waits is not None
        else "",
    }
    template = "flow/_drawer.html" if "fragment" in request.GET else "flow/bedside.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
