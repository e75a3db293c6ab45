"""Which site an address means, for somebody who may see something of it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from accounts.roles import Permission
from wards.models import Site
from wards.scope import ALL, Scope, scope_of


def site_named(request: HttpRequest, code: str) -> tuple[Scope, Site]:
    """The site of this code, and the scope of somebody who may see counts of some of it."""
    scope = scope_of(request.user)
    place = Site.objects.select_related("organisation").filter(code=code).first()
    if place is None:
        raise Http404(_("There is no site with this code."))
    held = scope.sites_in_part(Permission.SEE_COUNTS)
    if held != ALL and place.pk not in held:
        raise PermissionDenied(_("You have no role at this site. Ask your administrator."))
    return scope, place
