"""What is done at a bedside: from a form that was sent to the deed, and what to say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from flow import bed_state_deeds
from flow import bedside_reads as reads
from flow.barrier_forms import RaiseForm, raised_words
from flow.bedside_forms import AdmitForm, MoveForm, WhenForm
from flow.bedside_types import DETAILS, Bedside, Known
from patients.models import Barrier, Episode
from wards import barriers, movements, requests
from wards.barriers import Said
from wards.facts import Place
from wards.models import Bed, Movement

PLANNING: Final = frozenset({"raise", "resolve"})
"""The deeds for which one must be allowed to plan discharges, not to move patients."""


def do(request: HttpRequest, side: Bedside, deed: str) -> str | None:
    """Do what was asked; what to say of it, or None where the form is wrong."""
    assert isinstance(request.user, User)
    if deed == "undo":
        return _undo(request, side)
    if deed == "raise":
        return _raise(side, request.user)
    if deed == "resolve":
        return _resolve(side, request.POST.get("barrier", ""), request.user)
    if deed == "here":
        return _here(side, request.user)
    if deed == "elsewhere":
        return _ask(side, request.user)
    form = side.forms.get(deed)
    if form is None:
        raise Refused(_("That cannot be done here now. Look at the board again."))
    if isinstance(form, AdmitForm) and form.is_elsewhere and "bed" not in request.POST:
        raise Refused(
            _(
                "That cannot be done here now: nobody can be put into this bed. What you typed "
                "is below; choose another bed for it."
            )
        )
    if not form.is_valid():
        return None
    return (_DEEDS | bed_state_deeds.DO)[deed](side, form, request.user)


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
        reason=side.against,
    )
    return _("Moved to %(ward)s.") % {"ward": side.target.name}


def _swap(side: Bedside, form: WhenForm, by: User) -> str:
    """Change places with whoever lies in the bed that was looked at."""
    assert side.stay is not None
    if side.preview is None or side.preview.inside is None:
        raise Refused(_("Nobody is in that bed any more. Look at the board again."))
    if form.data.get("inside_seen") not in (None, str(side.preview.inside)):
        raise Refused(
            _("Somebody else is in that bed by now. What would follow is shown above; look again.")
        )
    movements.swap(
        one=side.stay.episode,
        other=Episode.objects.select_related("visit", "patient").get(pk=side.preview.inside),
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
        reason=side.against,
    )
    return _("They have changed places.")


def _discharge(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.stay is not None
    movements.discharge(
        episode=side.stay.episode,
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
        destination=form.cleaned_data["destination"],
    )
    return _("Discharged. The bed is free.") if side.occupied_since else _("Discharged.")


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
    episode = Episode.objects.select_related("visit", "patient").get(
        pk=form.cleaned_data["episode"]
    )
    awaited = episode.status_at(side.now) == Episode.Status.EXPECTED
    bring = movements.come if awaited else movements.transfer
    bring(
        episode=episode,
        place=Place(ward=side.ward.pk, bay=side.bed.bay_id, bed=side.bed.pk),
        occurred_at=form.time(side.now),
        at=side.now,
        by=by,
        reason=side.against,
    )
    return _("Brought to bed %(bed)s.") % {"bed": side.bed.label}


def _admit(side: Bedside, form: WhenForm, by: User) -> str:
    assert isinstance(form, AdmitForm)
    assert side.bed is not None
    bed = Bed.objects.get(pk=form.chosen_bed) if form.chosen_bed else side.bed
    try:
        movements.admit(
            person=form.person(side.ward.site.organisation.code),
            place=Place(ward=side.ward.pk, bay=bed.bay_id, bed=bed.pk),
            occurred_at=form.time(side.now),
            at=side.now,
            by=by,
            reason=side.against,
            details=form.details(),
            confirmed=form.confirmed,
            others=form.others,
        )
    except movements.SameName as same:
        side.namesakes = same.namesakes
        raise
    except movements.AlreadyKnown as known:
        face = reads.face_of(known.record) if known.seen else None
        side.known = Known(known.record, face, [str(DETAILS[name]) for name in known.differs])
        raise
    return _("Admitted to bed %(bed)s.") % {"bed": bed.label}


def _ask(side: Bedside, by: User) -> str | None:
    """Ask for a bed elsewhere."""
    form = side.ask
    if form is None or side.stay is None:
        raise Refused(_("A bed is asked for already. Look at the desk."))
    if not form.is_valid():
        return None
    requests.ask(
        episode=side.stay.episode,
        ward=form.chosen_ward,
        terms=form.terms,
        said=Said(side.now, by),
    )
    ward = form.chosen_ward
    if ward is None:
        return _("A bed is asked for.")
    return _("A bed is asked for on %(ward)s.") % {"ward": ward.name}


def _raise(side: Bedside, by: User) -> str | None:
    """Say what the discharge waits for."""
    form = side.raised
    assert isinstance(form, RaiseForm)
    assert side.stay is not None
    if not form.is_valid():
        return None
    made = barriers.raise_barrier(
        episode=side.stay.episode,
        reason=form.code,
        said=Said(side.now, by),
        note=form.cleaned_data["note"],
    )
    return raised_words(made)


def _resolve(side: Bedside, barrier: str, by: User) -> str:
    """What was waited for has come."""
    assert side.waits is not None
    found = next((one for one in side.waits.barriers if str(one.id) == barrier), None)
    if found is None:
        raise Refused(_("This barrier is not open any more. Look again."))
    barriers.resolve(barrier=Barrier.objects.get(pk=found.id), said=Said(side.now, by))
    return _("Done: %(what)s.") % {"what": found.label}


_DEEDS: Final[dict[str, Callable[[Bedside, WhenForm, User], str]]] = {
    "move": _move,
    "swap": _swap,
    "discharge": _discharge,
    "leave": _leave,
    "return": _return,
    "bring": _bring,
    "admit": _admit,
}


def _undo(request: HttpRequest, side: Bedside) -> str:
    """Take back the last movement made by hand, of who is here or of who was here last."""
    assert isinstance(request.user, User)
    line = side.undo
    if line is None or str(line.id) != request.POST.get("movement"):
        raise Refused(_("That cannot be undone any more. Look at the movements again."))
    movement = Movement.objects.select_related("visit", "patient").get(pk=line.id)
    movements.cancel(movement=movement, at=side.now, by=request.user)
    return _("Undone: %(what)s.") % {"what": line.what.lower()}


def _here(side: Bedside, by: User) -> str:
    if side.stay is None:
        raise Refused(_("There is nobody here now. Look at the board again."))
    movements.still_here(episode=side.stay.episode, at=side.now, by=by)
    return _("Kept: still here.")


def _with_bay(place: Place) -> Place:
    if place.bed is None:
        return place
    bay = Bed.objects.values_list("bay_id", flat=True).get(pk=place.bed)
    return Place(ward=place.ward, bay=bay, bed=place.bed)
