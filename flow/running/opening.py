"""How the drawers of a ward begin: which ward, and what the user may do there."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from accounts.roles import Permission
from wards.models import Ward
from wards.scope import scope_of


def ward_to_manage(request: HttpRequest, pk: int) -> tuple[Ward, bool]:
    """The ward, with its site, and whether the user manages its beds.

    Raises Http404 where there is none, PermissionDenied for those who see no figures of it and
    for whoever posts without managing its beds.
    """
    ward = Ward.objects.select_related("site").filter(pk=pk, same_as=None).first()
    if ward is None:
        raise Http404(_("There is no such ward."))
    scope = scope_of(request.user)
    if not scope.may(Permission.SEE_COUNTS, ward.pk):
        raise PermissionDenied(_("You have no role on this ward. Ask your administrator."))
    may = scope.may(Permission.MANAGE_BEDS, ward.pk)
    if request.method == "POST" and not may:
        raise PermissionDenied(_("You do not manage the beds of this ward."))
    return ward, may
