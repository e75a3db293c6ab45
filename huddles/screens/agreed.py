"""What has been agreed, in one line of a wall, by zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from huddles.masking import masked
from huddles.models import Action
from huddles.screens.wall_types import Zone
from patients.models import Patient
from wards.models import BedRequest, Occupancy, Site, Ward

LATELY: Final = timedelta(days=7)
"""Whoever was in hospital there within this time is named on no wall either."""


def agreed(site: Site, *, zone: str, now: datetime, ward: Ward | None = None) -> str:
    """What is open of what was agreed at the site (about the ward, where one is given); empty
    where nothing is. One query; in a closed room, where there is something, one more.

    Only a closed room is told what: anybody may have typed anything into it, so the names of
    everybody who is or lately was there are taken out. Whose it is to do is never said: that is a
    name as well.
    """
    # What ends with a deed elsewhere is over without being ticked off, so only what somebody has
    # to say themselves is known to be open from its row alone.
    opened = Action.objects.filter(site=site, outcome="", ending="")
    if ward is not None:
        opened = opened.filter(ward=ward)
    found = list(opened.order_by("due_at", "pk").values_list("text", "due_at"))
    if not found:
        return ""
    late = sum(due < now for _text, due in found)
    if zone != Zone.CLOSED:
        said = ngettext("%(open)d action open", "%(open)d actions open", len(found)) % {
            "open": len(found)
        }
        return said + (_(", %(late)d late") % {"late": late} if late else "")
    text, due = found[0]
    until = f"{timezone.localtime(due):%H:%M}"
    more = _(" · %(more)d more") % {"more": len(found) - 1} if len(found) > 1 else ""
    return f"{until} {masked(text, names_at(site, now=now))}{more}"


def names_at(site: Site, *, now: datetime) -> list[str]:
    """Given and family names of everybody who is in hospital at the site, was there lately, or
    waits to come; of all records of a person. One query."""
    period = (now - LATELY, None)
    here = Occupancy.objects.filter(ward__site=site, period__overlap=period).values("person_id")
    awaited = BedRequest.objects.filter(
        Q(ward__site=site) | Q(from_ward__site=site), period__overlap=period
    )
    rows = Patient.objects.filter(
        Q(pk__in=here)
        | Q(person_id__in=here)
        | Q(pk__in=awaited.values("episode__patient_id"))
        | Q(person_id__in=awaited.values("episode__patient__person_id"))
    ).values_list("given_name", "family_name")
    return [name for row in rows for name in row if name]
