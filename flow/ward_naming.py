"""Which ward an address means, and the address of a ward."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from wards.models import Ward


def ward_address(page: str, ward: Ward, **query: str | int) -> str:
    """The address of a named page of the ward; give it with its site fetched."""
    said = {"site": ward.site.code, **query}
    return f"{reverse(page, args=[ward.code])}?{urlencode(said)}"


def ward_named(request: HttpRequest, code: str, page: str = "flow:ward") -> Ward | HttpResponse:
    """The ward of this code, with `?site=` where several sites use the same one; or the answer
    that asks which, or that leads to the same `page` of the ward it turned out to be."""
    wards = Ward.objects.select_related("site", "same_as__site").filter(code=code)
    if named := request.GET.get("site", "").replace("\0", ""):
        wards = wards.filter(site__code=named)
    found = list(wards)
    # One that only a feed speaks of must not get into the way of the one that people know.
    found = [one for one in found if one.kind != Ward.Kind.UNRECOGNISED] or found
    if not found:
        raise Http404(_("There is no ward with this code."))
    if len(found) > 1:
        return render(request, "flow/which_ward.html", {"wards": found, "code": code}, status=300)
    if found[0].same_as is not None:
        return redirect(ward_address(page, found[0].same_as))
    return found[0]
