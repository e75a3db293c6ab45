"""What has been agreed, in one line of a wall, by zone."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from huddles.actions.states import open_at
from huddles.masking import masked
from huddles.meetings.timetable import time_near
from huddles.models import Action
from huddles.names import words_to_hide
from huddles.screens.wall_types import Zone
from wards.models import Site, Ward


def agreed(site: Site, *, zone: str, now: datetime, ward: Ward | None = None) -> str:
    """What is open of what was agreed at the site (about the ward, where one is given); empty
    where nothing is. One query; in a closed room, where there is something, one more.

    Only a closed room is told what: anybody may have typed anything into it, so the names of
    everybody in care are taken out. Whose it is to do is never said: that is a name as well.
    """
    found = open_at(Action.objects.filter(site=site), at=now)
    if ward is not None:
        found = found.filter(ward=ward)
    told = list(found.order_by("due_at", "pk").values_list("text", "due_at"))
    if not told:
        return ""
    if zone != Zone.CLOSED:
        late = sum(due < now for _text, due in told)
        said = ngettext("%(open)d action open", "%(open)d actions open", len(told))
        return said % {"open": len(told)} + (_(", %(late)d late") % {"late": late} if late else "")
    text, due = told[0]
    until = time_near(due, now)
    more = _(" · %(more)d more") % {"more": len(told) - 1} if len(told) > 1 else ""
    return f"{until} {masked(text, words_to_hide(now))}{more}"
