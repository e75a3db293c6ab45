"""An action said otherwise: what was not touched stays, and no link outlives its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from huddles.actions.agreeing import About, change
from huddles.actions.one_line import beds_of
from huddles.actions.owners import Owner, owner_named
from huddles.actions.rights import may_agree
from huddles.actions.understanding import understood
from huddles.models import Action
from patients.models import Episode
from wards.models import Site
from wards.scope import Scope


def said_otherwise(
    action: Action,
    said: Mapping[str, Any],
    *,
    at: datetime,
    by: User,
    scope: Scope,
    seen: str = "",
) -> tuple[str, ...]:
    """Change an action to the `text`, `owner` (as a form shows it) and `due_at` said; what was in
    doubt. `seen`: the version that the form showed. Raises Refused, as `change` does, and where the
    words speak of another bed than what ends the action."""
    as_it_was = Owner(action.owner, action.team, "" if action.owner else action.owner_name)
    owner, doubts = as_it_was, tuple[str, ...]()
    if " ".join(said["owner"].split()) != str(as_it_was):
        owner, doubts = owner_named(said["owner"], action.site)
    due_at = said["due_at"]
    if due_at.replace(second=0, microsecond=0) == action.due_at.replace(second=0, microsecond=0):
        # A form shows minutes; a time that nobody touched stays to the second.
        due_at = action.due_at
    about, told = _about(action, said["text"], at=at, scope=scope)
    change(
        action=action, at=at, by=by, text=said["text"], owner=owner, due_at=due_at, seen=seen,
        about=about,
    )  # fmt: skip
    return (*doubts, *told)


def _about(
    action: Action, text: str, *, at: datetime, scope: Scope
) -> tuple[About | None, tuple[str, ...]]:
    """What the new words are about; None where they name the same beds as the old ones."""
    old, new = beds_of(action.text), beds_of(text)
    if {one.lower() for one in old} == {one.lower() for one in new}:
        return None, ()
    if not new:
        if action.bed is None:
            return None, ()
        told = _("It is still about %(ward)s, %(bed)s.")
        return None, (told % {"ward": action.bed.ward.name, "bed": action.bed.label},)
    if action.ending or action.barrier_id or action.closure_id:
        if action.bed is not None and action.bed.label.lower() in {one.lower() for one in new}:
            return None, ()
        raise Refused(
            _("What it is about ends it by itself, and is not the bed that you name. Agree a new "
              "action for that bed.")
        )  # fmt: skip
    site = Site.objects.select_related("organisation").get(pk=action.site_id)
    draft = understood(text, site=site, at=at, ward=action.ward)
    if draft.ward is not None and not may_agree(scope, site.pk, draft.ward.pk):
        raise Refused(_("You may agree actions only for wards where you have a part in the care."))
    stay = Episode.objects.get(pk=draft.episode) if draft.episode else None
    if draft.bed is None:
        return About(draft.ward or action.ward), draft.doubts
    now_about = _("It is about %(ward)s, %(bed)s now.")
    told = now_about % {"ward": draft.bed.ward.name, "bed": draft.bed.label}
    return About(draft.bed.ward, stay, bed=draft.bed), (told,)
