"""What somebody asks of the list of actions, and what they send to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from huddles.actions.agreeing import About, agree, said_before
from huddles.actions.one_line import LONGEST, beds_of
from huddles.actions.rights import may_agree, only_ward
from huddles.actions.understanding import Draft, Owner, understood
from huddles.letters import plain
from huddles.models import Action, Huddle
from patients.models import Barrier, Episode
from wards.models import Bed, Closure, Occupancy, Site, Ward
from wards.scope import ALL, Scope

Ending = Action.Ending
FORM: Final = "form"
"""Whence an action comes that was typed into a page."""
ABOUT = ("barrier", "closure", "bed", "stay", "step_down")
"""What a link to the list can name, so that the next action is about it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the next action is about, from the page that somebody came from. words: of it, without
    anybody's name. ends: what the tick of the form says that ends the action."""

    name: str
    key: int
    site: Site
    about: About
    words: str
    ends: str


def subject_of(asked: Mapping[str, str], scope: Scope, *, at: datetime) -> Subject | None:
    """The thing that the address names; None where it names none that the viewer may act on."""
    for name in ABOUT:
        key = row_key(asked.get(name, ""))
        if key is not None:
            found = _FINDERS[name](key, at)
            if found is not None and may_agree(scope, found.site.pk, _ward_of(found)):
                return found
    return None


def _ward_of(subject: Subject) -> int | None:
    ward = subject.about.ward
    return ward.pk if ward else None


def _place_of(episode: Episode, at: datetime) -> Occupancy | None:
    rows = Occupancy.objects.filter(episode=episode, period__contains=at)
    return rows.select_related("ward__site__organisation", "bed").first()


def _where(place: Occupancy) -> str:
    return f"{place.ward.name}, {place.bed.label}" if place.bed else place.ward.name


def _barrier(key: int, at: datetime) -> Subject | None:
    row = Barrier.objects.select_related("reason", "episode").filter(pk=key, outcome="").first()
    place = _place_of(row.episode, at) if row else None
    if row is None or place is None:
        return None
    about = About(place.ward, row.episode, row, bed=place.bed, ending=Ending.BARRIER)
    words = _("%(reason)s (%(place)s)") % {"reason": row.reason.label, "place": _where(place)}
    return Subject(
        "barrier", key, place.ward.site, about, words, _("Over when the barrier is resolved")
    )


def _closure(key: int, at: datetime) -> Subject | None:
    row = (
        Closure.objects.select_related("ward__site__organisation", "bay", "bed")
        .filter(pk=key)
        .first()
    )
    if row is None or (row.period.upper is not None and row.period.upper <= at):
        return None
    what = row.bed.label if row.bed else row.bay.name if row.bay else ""
    words = _("%(place)s closed (%(reason)s)") % {
        "place": ", ".join(filter(None, [row.ward.name, what])),
        "reason": row.get_reason_display().lower(),
    }
    about = About(row.ward, closure=row, bed=row.bed, ending=Ending.REOPENED)
    return Subject("closure", key, row.ward.site, about, words, _("Over when it is open again"))


def _bed(key: int, at: datetime) -> Subject | None:
    row = Bed.objects.select_related("ward__site__organisation").filter(pk=key).first()
    if row is None:
        return None
    about = About(row.ward, bed=row, ending=Ending.BED_READY)
    words = f"{row.ward.name}, {row.label}"
    return Subject("bed", key, row.ward.site, about, words, _("Over when the bed is ready"))


def _stay(key: int, at: datetime) -> Subject | None:
    row = Episode.objects.filter(pk=key).first()
    place = _place_of(row, at) if row else None
    if row is None or place is None:
        return None
    about = About(place.ward, row, bed=place.bed, ending=Ending.DISCHARGED)
    said = _("The patient in %(place)s") % {"place": _where(place)}
    return Subject("stay", key, place.ward.site, about, said, _("Over when the patient has left"))


def _step_down(key: int, at: datetime) -> Subject | None:
    found = _stay(key, at)
    if found is None:
        return None
    about = replace(found.about, ending=Ending.MOVED)
    ends = _("Over when the patient has come to another ward")
    return replace(found, name="step_down", about=about, ends=ends)


_FINDERS = {
    "barrier": _barrier,
    "closure": _closure,
    "bed": _bed,
    "stay": _stay,
    "step_down": _step_down,
}


def sites_of(scope: Scope) -> Sequence[Site]:
    """The sites at which the viewer sees patients or agrees actions, in order."""
    rows = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED).select_related("organisation")
    held = scope.sites_in_part(Permission.SEE_PATIENTS)
    return list(rows if held == ALL else rows.filter(pk__in=held))


def agreed(
    line: str,
    *,
    site: Site,
    at: datetime,
    by: User,
    scope: Scope,
    ward: Ward | None = None,
    subject: Subject | None = None,
    by_deed: bool = True,
    huddle: Huddle | None = None,
    once: str = "",
) -> tuple[Action, Draft]:
    """Understand a line and keep what it says; the action, and how it was understood.

    `huddle`: the meeting in which it was said. `subject`: what it is about; `by_deed`: and it is
    over when that is. `once`: of the form in which it was typed: the same line sent twice from it
    is agreed once. Raises Refused where the line lacks an owner or a time, or the viewer may not
    agree anything there.
    """
    if subject is not None:
        ward = subject.about.ward
    elif ward is None and (own := only_ward(scope, site.pk)) is not None:
        ward = Ward.objects.select_related("site").get(pk=own)
    key = _key(by, site, once, line) if once else ""
    if (known := said_before(source=FORM, key=key)) is not None:
        # Sent again, maybe after its time: it is understood already.
        owner = Owner(known.owner, known.team, known.owner_name)
        return known, Draft(known.text, owner, known.due_at, known.ward, known.bed)
    draft = understood(line, site=site, at=at, ward=ward)
    where = draft.ward.pk if draft.ward else None
    if not may_agree(scope, site.pk, where):
        refused = _("You may agree actions only for wards where you have a part in the care.")
        raise Refused(" ".join([refused, *draft.doubts]))
    if draft.text and draft.due_at is None:
        raise Refused(draft.unclear or _("Say by when: “by 11”, “by 14:30” or “by tomorrow”."))
    about = About(draft.ward, _stay_of(draft), bed=draft.bed)
    if subject is not None:
        ending = subject.about.ending if by_deed else Ending.BY_HAND
        told = subject.about
        about = About(told.ward, told.episode, told.barrier, told.closure, told.bed, ending)
    action = agree(
        site=site,
        text=draft.text,
        owner=draft.owner,
        due_at=draft.due_at or at,
        at=at,
        by=by,
        about=about,
        huddle=huddle,
        source=FORM if once else "",
        key=key,
    )
    return action, draft


def _key(by: User, site: Site, once: str, line: str) -> str:
    """Words and site count as well: a form that a browser kept may be filled in anew."""
    said = "\n".join((str(by.pk), once, str(site.pk), plain(line)))
    return blake2b(said.encode(), digest_size=20).hexdigest()


def names(line: str, subject: Subject) -> bool:
    """Whether a line still speaks of the thing that it was begun about: of its bed or, where it
    has none, of its ward."""
    about, words = subject.about, line[:LONGEST].lower()
    if about.bed is not None:
        label = about.bed.label.lower()
        if any(re.search(rf"(?:^|\D)0*{re.escape(one.lower())}$", label) for one in beds_of(words)):
            return True
        stands = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", words)
        return stands is not None and about.bed.ward.name.lower() in words
    return about.ward is None or about.ward.name.lower() in words


def _stay_of(draft: Draft) -> Episode | None:
    return Episode.objects.get(pk=draft.episode) if draft.episode else None
