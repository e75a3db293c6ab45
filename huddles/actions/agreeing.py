"""What people do to actions: agree them, do them, drop them, open them again, change them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import pghistory
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.audit import deed
from accounts.models import User
from accounts.refusals import Refused
from huddles.actions.states import with_states
from huddles.actions.understanding import Owner
from huddles.letters import plain
from huddles.models import Action, Huddle
from live.doorbell import ring
from patients.models import Barrier, Episode
from wards.models import Bed, Closure, Occupancy, Site, Ward

BELL: Final = "actions"
"""Rung for whatever changes in an action."""
AHEAD: Final = timedelta(days=31)
"""How far ahead an action may be due: what takes longer is no action of a huddle."""

_MINUTE: Final = timedelta(minutes=1)

Ending = Action.Ending
Outcome = Action.Outcome


@dataclass(frozen=True, slots=True)
class About:
    """What an action is about; all of it may be left out. `ending`: the deed that is the thing
    itself (`Action.Ending`)."""

    ward: Ward | None = None
    episode: Episode | None = None
    barrier: Barrier | None = None
    closure: Closure | None = None
    bed: Bed | None = None
    ending: str = Ending.BY_HAND


@transaction.atomic
def agree(
    *,
    site: Site,
    text: str,
    owner: Owner,
    due_at: datetime,
    at: datetime,
    by: User,
    about: About = About(),
    huddle: Huddle | None = None,
    source: str = "",
    key: str = "",
) -> Action:
    """Keep that somebody does something by a time.

    `huddle`: the running meeting in which it was agreed. Raises Refused for a text that says
    nothing or too much, without an owner, for a time that is
    over or more than a month ahead, and as `settled` does. Saying the same `key` of a
    `source` again returns what it had made, and is Refused where that is something else. The caller
    has checked that `by` may (`huddles.actions.rights`).
    """
    if (known := said_before(source=source, key=key)) is not None:
        check_same(known, site=site, text=text, due_at=due_at)
        return known
    text = _plain(text)
    _check(owner, due_at, at)
    about = settled(about, site=site, at=at)
    values = {
        "site": site,
        "text": text,
        "owner": owner.user,
        "team": owner.team,
        "owner_name": "" if owner.user else plain(owner.name),
        "due_at": due_at,
        "ward": about.ward,
        "episode": about.episode,
        "barrier": about.barrier,
        "closure": about.closure,
        "bed": about.bed,
        "ending": about.ending,
        "huddle": huddle,
        "agreed_at": at,
        "by": by,
        "source": source,
        "key": key,
    }
    with pghistory.context(**deed("agree_action", by)):
        try:
            with transaction.atomic():
                made = Action.objects.create(**values)
        except IntegrityError:
            # Said by two at once: the first has made it.
            if (known := said_before(source=source, key=key)) is None:
                raise
            check_same(known, site=site, text=text, due_at=due_at)
            return known
    _ring(made)
    return made


def said_before(*, source: str, key: str) -> Action | None:
    """What that key of that source has made; without a key nothing."""
    return Action.objects.filter(source=source, key=key).first() if key else None


def check_same(known: Action, *, site: Site, text: str, due_at: datetime | None) -> None:
    """Raises Refused where that is not what `known` was when it was agreed, to the minute: it may
    have been said otherwise since."""
    events = known.events  # type: ignore[attr-defined]  # made by pghistory
    first = events.order_by("pgh_id").first() or known
    near = due_at is not None and abs(first.due_at - due_at) < _MINUTE
    if not near or (known.site_id, first.text) != (site.pk, plain(text)):
        raise Refused(_("That key was used for another action. Use a new one."))


def _check(owner: Owner, due_at: datetime, at: datetime) -> None:
    if not owner:
        raise Refused(_("Say who does it: end the line with a comma and a name."))
    if due_at <= at:
        raise Refused(_("The time by which it is to be done is over. Give a later one."))
    if due_at > at + AHEAD:
        raise Refused(_("That is more than a month ahead. Give a time in the next days."))


def settled(about: About, *, site: Site, at: datetime) -> About:
    """The same with what follows from it: the stay of a barrier, the ward of a bed, a closure or a
    patient. Raises Refused unless all of it is of one ward, of that site: an action is read by
    whoever sees its ward, so nothing of elsewhere may hang on it."""
    episode = about.episode
    if about.barrier is not None:
        if episode is not None and episode.pk != about.barrier.episode_id:
            raise Refused(_("That barrier is another patient's. Name one of them."))
        episode = episode or about.barrier.episode
    wards = [about.ward] if about.ward else []
    if about.bed is not None:
        wards.append(about.bed.ward)
    if about.closure is not None:
        wards.append(about.closure.ward)
        if about.bed is not None and about.closure.bed_id not in (None, about.bed.pk):
            raise Refused(_("That closure is of another bed. Name one of them."))
    if episode is not None:
        wards.append(_where(episode, at))
    if any(one.site_id != site.pk for one in wards):
        raise Refused(_("That ward is at another site. Agree it there."))
    if len({one.pk for one in wards}) > 1:
        raise Refused(
            _("The ward, the bed, the patient and the closure are not of one ward. Name one ward.")
        )
    ward = wards[0] if wards else None
    if about.ending == Ending.MOVED and ward is None:
        raise Refused(_("Say which ward they are to leave."))
    return replace(about, ward=ward, episode=episode)


def _where(episode: Episode, at: datetime) -> Ward:
    """The ward on which the patient is."""
    rows = Occupancy.objects.filter(episode=episode, period__contains=at)
    place = rows.select_related("ward__same_as").first()
    if place is None:
        raise Refused(_("That patient is not on a ward now. Agree it without naming the stay."))
    return place.ward.same_as or place.ward


def _plain(text: str) -> str:
    said = plain(text)
    if not said:
        raise Refused(_("Say what is to be done."))
    if len(said) > Action.LONGEST:
        raise Refused(
            _("That has %(n)s characters; shorten it to %(most)s.")
            % {"n": len(said), "most": Action.LONGEST}
        )
    return said


def finish(*, action: Action, at: datetime, by: User, note: str = "") -> Action:
    """It is done; with a word of how. Raises Refused where it is over already."""
    return _end(action, Outcome.DONE, at=at, by=by, note=note)


def drop(*, action: Action, at: datetime, by: User, note: str) -> Action:
    """It is not needed any more, and why. Raises Refused without a reason."""
    if not plain(note):
        raise Refused(_("Say why it is not needed any more."))
    return _end(action, Outcome.DROPPED, at=at, by=by, note=note)


@transaction.atomic
def reopen(*, action: Action, at: datetime, by: User) -> Action:
    """It is open after all, whoever said or whatever deed meant that it was over; from a deed on
    somebody has to say when it is done. Raises Refused where it is open."""
    held = _locked(action)
    by_deed = _state(held, at).done_by_deed_at is not None
    if not held.outcome and not by_deed:
        raise Refused(_("Nobody has said that it is done."))
    with pghistory.context(**deed("reopen_action", by)):
        held.outcome, held.over_at, held.over_by, held.over_note = Outcome.OPEN, None, None, ""
        if by_deed:
            held.ending = Ending.BY_HAND
        held.save(update_fields=["outcome", "over_at", "over_by", "over_note", "ending"])
    _ring(held)
    return held


def version_of(action: Action) -> str:
    """Equal for as long as nobody says the action otherwise, or that it is over."""
    said = (
        action.text, action.due_at.isoformat(), action.owner_id, action.team_id,
        action.owner_name, action.bed_id, action.outcome,
    )  # fmt: skip
    return blake2b(repr(said).encode(), digest_size=8).hexdigest()


@transaction.atomic
def change(
    *,
    action: Action,
    at: datetime,
    by: User,
    text: str,
    owner: Owner,
    due_at: datetime,
    seen: str = "",
    about: About | None = None,
) -> Action:
    """Somebody else does it, by another time, or it is said otherwise. Refused as `agree` is; a
    time that is over stays as it was where it is not changed.

    `seen`: the `version_of` it that was changed; refused where somebody else changed it meanwhile.
    `about`: the ward, bed and stay that the new words mean; None leaves these.
    """
    held = _locked(action)
    _check_open(held, at)
    if seen and seen != version_of(held):
        raise Refused(
            _("Somebody has changed it meanwhile; it is shown as it is now. Look, and change it "
              "again if it is still to be as you typed.")
        )  # fmt: skip
    if not owner:
        raise Refused(_("Say who does it."))
    if due_at != held.due_at:
        _check(owner, due_at, at)
    with pghistory.context(**deed("change_action", by)):
        held.text, held.due_at = _plain(text), due_at
        held.owner, held.team = owner.user, owner.team
        held.owner_name = "" if owner.user else plain(owner.name)
        if about is not None:
            told = settled(about, site=held.site, at=at)
            held.ward, held.bed, held.episode = told.ward, told.bed, told.episode
        held.save(
            update_fields=[
                "text", "due_at", "owner", "team", "owner_name", "ward", "bed", "episode",
            ]
        )  # fmt: skip
    _ring(held)
    return held


@transaction.atomic
def _end(action: Action, outcome: Outcome, *, at: datetime, by: User, note: str) -> Action:
    said = plain(note)
    if len(said) > Action.LONGEST:
        raise Refused(_("Shorten the note to %(most)s characters.") % {"most": Action.LONGEST})
    held = _locked(action)
    _check_open(held, at)
    with pghistory.context(**deed(f"{outcome.value}_action", by)):
        held.outcome, held.over_at, held.over_by = outcome, max(at, held.agreed_at), by
        held.over_note = said
        held.save(update_fields=["outcome", "over_at", "over_by", "over_note"])
    _ring(held)
    return held


def _locked(action: Action) -> Action:
    return Action.objects.select_for_update(of=("self",)).select_related("site").get(pk=action.pk)


def _check_open(action: Action, at: datetime) -> None:
    if action.outcome:
        raise Refused(_("Somebody has said already that it is over. Look at the list again."))
    if _state(action, at).done_by_deed_at is not None:
        raise Refused(_("It is over already: what it asked for has been done."))


def _state(action: Action, at: datetime) -> Any:
    return with_states(Action.objects.filter(pk=action.pk), at=at).get()


def _ring(action: Action) -> None:
    # The meetings of the site show them too, and walls of the site and the ward how many are open.
    bells = {BELL, f"huddle:{action.site_id}", f"site:{action.site_id}"}
    if action.ward_id is not None:
        bells.add(f"ward:{action.ward_id}")
    transaction.on_commit(lambda: ring(bells))
