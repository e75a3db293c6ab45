"""How a meeting is named in an address: its template, and its start in UTC as 20261123T0815."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Permission
from accounts.row_keys import storable
from huddles.models import HuddleTemplate
from wards.scope import ALL, Scope, scope_of

_STAMP: Final = "%Y%m%dT%H%M"
_YEARS: Final = range(2000, 2200)
"""Others are none in which a meeting was held; some have no day before or after them."""


def stamp(starts_at: datetime) -> str:
    """The start as an address names it."""
    return starts_at.astimezone(UTC).strftime(_STAMP)


def address_of(name: str, template: int, starts_at: datetime, *more: object) -> str:
    """The address of a page of a meeting."""
    return reverse(f"huddles:{name}", args=[template, stamp(starts_at), *more])


def start_named(text: str) -> datetime:
    """The start that an address names. Raises Http404 for what is none."""
    try:
        found = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Http404(_("There is no meeting at that time.")) from None
    if found.year not in _YEARS:
        raise Http404(_("There is no meeting at that time."))
    return found


def template_named(request: HttpRequest, key: int) -> tuple[User, Scope, HuddleTemplate]:
    """The template that an address names, where the viewer sees the counts of its site. Raises
    Http404 and PermissionDenied."""
    user = request.user
    assert isinstance(user, User)
    found = (
        HuddleTemplate.objects.select_related("site__organisation")
        .filter(pk=storable(key) or 0)
        .first()
    )
    if found is None:
        raise Http404(_("There is no such meeting."))
    scope = scope_of(user)
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    if held != ALL and found.site_id not in held:
        raise PermissionDenied(_("You have no role at this site. Ask your administrator."))
    return user, scope, found
