"""What is done from the drawer of a request: from what was sent to the deed, and what to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from flow.desk.forms import HOURS, USUAL_HOURS, HoldForm, NeedsForm, TermsForm, WithdrawForm
from flow.desk.matches import leaving_soon_from
from flow.desk.types import Need
from patients.models import Episode
from wards import movements, requests, reservations
from wards.barriers import Said
from wards.by_hand import clock
from wards.care_needs import say
from wards.facts import Place
from wards.matching import Soon, ready_from
from wards.models import Bed, BedRequest, Reservation
from wards.scope import Scope

LATEST: Final = timedelta(hours=24)
"""Beds that become ready later than that are not held on the strength of it."""
LONGER: Final = timedelta(hours=2)
"""By how much a bed is held longer with one key."""
GIVING: Final = ("reserve", "allocate", "move")
"""The deeds that name a bed."""


@dataclass(slots=True)
class Side:
    """One request at a request for a bed. failed: the deed that was refused, reason: why; bed: the
    one it was about, bed_name: its ward's name and its own; may_override: whether saying why would
    let it pass. typed: the reason that was typed for it, hours: for how long it was to be held,
    carried: what else was sent about it. seen: the mark of what the form was about as its sender
    saw it; terms_mark: that of how it is asked now."""

    scope: Scope
    now: datetime
    need: Need
    forms: dict[str, forms.Form] = field(default_factory=dict)
    failed: str = ""
    reason: str = ""
    bed: int | None = None
    bed_name: str = ""
    may_override: bool = False
    typed: str = ""
    hours: int = USUAL_HOURS
    carried: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    terms_mark: str = ""

    @property
    def places(self) -> list[int]:
        """The wards that it is about: where the patient is, and the one asked for."""
        return [one.id for one in (self.need.origin, self.need.target) if one is not None]

    @property
    def desk_address(self) -> str:
        """The desk on whose list it is."""
        place = self.need.target or self.need.origin
        if place is None:
            return reverse("flow:system")
        return reverse("desk:desk", args=[place.site])

    def must_see_counts(self) -> None:
        """Raise PermissionDenied for whoever sees no figures where it is about."""
        if not any(self.scope.may(Permission.SEE_COUNTS, ward) for ward in self.places):
            raise PermissionDenied(_("You have no role where this bed is asked for."))

    @property
    def asks(self) -> bool:
        """Whether the viewer may change what is asked for."""
        return any(self.scope.may(Permission.MOVE_PATIENTS, ward) for ward in self.places)

    def gives(self, ward: int) -> bool:
        """Whether the viewer may give a bed of the ward."""
        return self.scope.may(Permission.MOVE_PATIENTS, ward)


def read(posted: QueryDict, side: Side) -> None:
    """What was asked for, so that it stands there again if it is refused."""
    side.failed, side.seen = _named(posted), posted.get("seen", "")
    if side.failed not in GIVING:
        return
    key = row_key(posted.get(side.failed) or "")
    side.bed = key
    side.typed = (posted.get(f"reason-{key}") or posted.get("reason", "")).replace("\0", "").strip()
    kept = {name: posted.get(name, "") for name in ("hours", f"ready-{key}") if name in posted}
    side.carried = {name: value for name, value in kept.items() if row_key(value) is not None}
    chosen = row_key(posted.get("hours", ""))
    side.hours = chosen if chosen in HOURS else USUAL_HOURS


def do(request: HttpRequest, side: Side, by: User) -> str | None:
    """Do what was asked and `read`; what to say of it, or None where a form is wrong."""
    posted, deed = request.POST, side.failed
    if deed in GIVING:
        return _give(posted, side, Said(side.now, by), deed)
    if deed in _OF_HELD:
        return _OF_HELD[deed](side, _held(side), Said(side.now, by))
    if deed == "come":
        return _come(side, Said(side.now, by))
    if not side.asks:
        raise Refused(_("Only those who move patients where they are, or are to go, may do this."))
    form = side.forms.get(deed)
    if form is None:
        raise Refused(_("That cannot be done here now. Look at the list again."))
    if not form.is_valid():
        return None
    return _OF_REQUEST[deed](side, form, Said(side.now, by))


def _named(posted: QueryDict) -> str:
    """The deed: a button that names a bed, or what the form says."""
    return next((deed for deed in GIVING if posted.get(deed)), posted.get("deed", ""))


def _give(posted: QueryDict, side: Side, said: Said, deed: str) -> str | None:
    """Hold a bed, give it, or move the patient into it."""
    bed = Bed.objects.select_related("ward__site").filter(pk=side.bed or 0).first()
    if bed is None:
        raise Refused(_("There is no such bed. Look at the list again."))
    if not side.gives(bed.ward_id):
        raise Refused(
            _("You may not give beds of %(ward)s. Ask who runs it.") % {"ward": bed.ward.name}
        )
    _name(side, bed)
    reason = posted.get(f"reason-{bed.pk}", "").strip() or posted.get("reason", "").strip()
    form = HoldForm({"hours": posted.get("hours", ""), "reason": reason})
    if not form.is_valid():
        raise Refused(" ".join(str(one) for wrong in form.errors.values() for one in wrong))
    if deed == "move":
        return _move(side, bed, said, reason)
    soon = leaving_soon_from(bed, at=side.now)
    ready = _ready(posted, bed, side.now, soon)
    held = reservations.reserve(
        request=_request(side),
        bed=bed.pk,
        said=said,
        until=form.until(ready) if deed == "reserve" else None,
        reason=reason,
        decided=deed == "allocate",
        soon=soon,
        seen=_seen(posted),
    )
    words = {"bed": bed.label, "ward": bed.ward.name, "until": clock(held.period.upper)}
    if deed == "allocate":
        return _("Bed %(bed)s on %(ward)s is theirs, until %(until)s.") % words
    return _("Bed %(bed)s on %(ward)s is held until %(until)s.") % words


def _name(side: Side, bed: Bed) -> None:
    side.bed_name = _("%(ward)s, bed %(bed)s") % {"ward": bed.ward.name, "bed": bed.label}


def _seen(posted: QueryDict) -> int | None:
    """The reservation that was seen to be held for them, None for none."""
    seen = posted.get("held_seen")
    if seen is None:
        return reservations.ANY
    return row_key(seen) if seen else None


def _ready(posted: QueryDict, bed: Bed, now: datetime, soon: Mapping[int, Soon]) -> datetime:
    """When the bed was said to be ready; as it is known now, where it was not said."""
    said = posted.get(f"ready-{bed.pk}")
    return ready_from(bed, at=now, soon=soon) if said is None else now + ahead_by(said)


def ahead_by(minutes: str) -> timedelta:
    """The time that a form says a bed takes to become ready, `LATEST` at most."""
    return timedelta(minutes=min(row_key(minutes) or 0, int(LATEST.total_seconds()) // 60))


def _move(side: Side, bed: Bed, said: Said, reason: str) -> str:
    assert said.by is not None, "a deed by hand"
    episode = Episode.objects.select_related("visit", "patient").get(pk=side.need.episode)
    place = Place(ward=bed.ward_id, bay=bed.bay_id, bed=bed.pk)
    words = {"bed": bed.label, "ward": bed.ward.name}
    if episode.status_at(side.now) == Episode.Status.EXPECTED:
        movements.come(episode=episode, place=place, at=side.now, by=said.by, reason=reason)
        return _("Admitted to bed %(bed)s on %(ward)s.") % words
    movements.transfer(episode=episode, place=place, at=side.now, by=said.by, reason=reason)
    return _("Moved to bed %(bed)s on %(ward)s.") % words


def _come(side: Side, said: Said) -> str:
    """They are on the ward that was asked for, without a bed as yet."""
    ward = side.need.target
    if ward is None or side.need.origin is not None:
        raise Refused(_("They are here already. Look at the list again."))
    if not side.gives(ward.id):
        raise Refused(_("Only those who may admit to %(ward)s may do this.") % {"ward": ward.name})
    assert said.by is not None, "a deed by hand"
    episode = Episode.objects.select_related("visit", "patient").get(pk=side.need.episode)
    movements.come(episode=episode, place=Place(ward=ward.id), at=side.now, by=said.by)
    return _("They are on %(ward)s, without a bed as yet.") % {"ward": ward.name}


def _held(side: Side) -> Reservation:
    """The reservation as it was seen. Refused where it is another one by now."""
    if side.need.held is None:
        raise Refused(_("No bed is held for them any more. Look at the list again."))
    row = Reservation.objects.select_related("bed__ward__site", "episode__patient").get(
        pk=side.need.held.reservation
    )
    if not (side.gives(row.bed.ward_id) or side.asks):
        raise Refused(_("Only those who give beds there, or asked for it, may do this."))
    return row


def _release(_side: Side, held: Reservation, said: Said) -> str:
    reservations.release(reservation=held, said=said)
    return _("Bed %(bed)s on %(ward)s is given back.") % {
        "bed": held.bed.label,
        "ward": held.bed.ward.name,
    }


def _extend(side: Side, held: Reservation, said: Said) -> str:
    until = max(held.period.upper, side.now) + LONGER
    reservations.extend(reservation=held, until=until, said=said)
    return _("Held until %(until)s.") % {"until": clock(until)}


def _about(side: Side, held: Reservation, deed: str) -> None:
    """A rule that refuses what is done with the bed held can be set aside as at any other bed."""
    side.failed, side.bed = deed, held.bed_id
    _name(side, held.bed)


def _decide(side: Side, held: Reservation, said: Said) -> str:
    _about(side, held, "allocate")
    soon = leaving_soon_from(held.bed, at=side.now)
    given = reservations.allocate(request=_request(side), bed=held.bed_id, said=said, soon=soon)
    return _("Bed %(bed)s on %(ward)s is theirs, until %(until)s.") % {
        "bed": held.bed.label,
        "ward": held.bed.ward.name,
        "until": clock(given.period.upper),
    }


def _go(side: Side, held: Reservation, said: Said) -> str:
    if not side.gives(held.bed.ward_id):
        raise Refused(_("Only those who give beds there may do this."))
    _about(side, held, "move")
    return _move(side, held.bed, said, "")


def _change(side: Side, form: forms.Form, said: Said) -> str:
    assert isinstance(form, TermsForm)
    requests.change(
        request=_request(side), terms=form.terms, ward=form.chosen_ward, said=said, seen=side.seen
    )
    return _("Changed.")


def _withdraw(side: Side, form: forms.Form, said: Said) -> str:
    assert isinstance(form, WithdrawForm)
    requests.withdraw(request=_request(side), said=said, reason=form.cleaned_data["reason"])
    return _("The bed is not asked for any more. “Called off” on the desk takes that back.")


def _say(side: Side, form: forms.Form, said: Said) -> str:
    assert isinstance(form, NeedsForm)
    say(
        episode=Episode.objects.get(pk=side.need.episode),
        needed=form.needed,
        said=said,
        seen=side.seen,
    )
    return _("What they need is kept. The beds below are judged by it.")


def _request(side: Side) -> BedRequest:
    found = BedRequest.objects.select_related("episode__patient").filter(pk=side.need.id).first()
    if found is None:
        raise Refused(_("This request is over already. Look at the list again."))
    return found


_OF_HELD: Final[Mapping[str, Callable[[Side, Reservation, Said], str]]] = {
    "release": _release,
    "extend": _extend,
    "decide": _decide,
    "go": _go,
}
_OF_REQUEST: Final[Mapping[str, Callable[[Side, forms.Form, Said], str]]] = {
    "change": _change,
    "withdraw": _withdraw,
    "needs": _say,
}
