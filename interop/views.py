"""The pages about feeds: how they do, what is in trouble, what their codes mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from interop.applying import replay
from interop.forms import FeedForm, NewFeedForm, NewWardForm, SameBedForm, SameWardForm
from interop.models import Feed, Message
from interop.overview import (
    TROUBLED,
    feed_lines,
    feeds_for,
    feeds_kept,
    reach,
    reasons,
    shown,
    unknown_places,
    wards_in_reach,
)
from wards import unrecognised
from wards.models import Bed, Site, Ward
from wards.scope import ALL, Scope, scope_of

PER_PAGE = 50
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_feed_managers(view: View[P]) -> View[P]:
    """Only for those who may manage feeds at some place at least."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not scope_of(request.user).may_anywhere(Permission.MANAGE_FEEDS):
            raise PermissionDenied(_("Ask your administrator for a role that manages feeds."))
        return view(request, *args, **kwargs)

    return guarded


def _messages_for(scope: Scope) -> QuerySet[Message]:
    return Message.objects.filter(feed__in=feeds_for(scope))


def _by(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the pages are for those who have signed in"
    return request.user


@require_safe
@for_feed_managers
def feeds(request: HttpRequest) -> HttpResponse:
    """Every feed: when it was last heard, and what became of its messages."""
    now = timezone.now()
    scope = scope_of(request.user)
    lines = feed_lines(scope, now=now)
    return render(
        request,
        "interop/feeds.html",
        {
            "lines": lines,
            "now": now,
            "reach": reach(scope),
            "may_add": scope.may_everywhere(Permission.MANAGE_FEEDS),
            "held": sum(line.held for line in lines),
            "rejected": sum(line.rejected for line in lines),
        },
    )


@for_feed_managers
def feed(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of one feed, to be changed."""
    found = get_object_or_404(feeds_kept(scope_of(request.user)), pk=pk)
    form = FeedForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. It holds for messages from now on."))
        return redirect("interop:feeds")
    return render(request, "interop/feed.html", {"feed": found, "form": form})


@for_feed_managers
def new_feed(request: HttpRequest) -> HttpResponse:
    """A feed set up before its first message; for those who manage feeds everywhere."""
    if not scope_of(request.user).may_everywhere(Permission.MANAGE_FEEDS):
        raise PermissionDenied(_("A new feed is set up by somebody who manages feeds everywhere."))
    form = NewFeedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The feed is set up."))
        return redirect("interop:feeds")
    return render(request, "interop/feed.html", {"feed": None, "form": form})


@require_safe
@for_feed_managers
def troubles(request: HttpRequest) -> HttpResponse:
    """Messages that are held or were refused, with the reasons, the latest first."""
    rows = _chosen(_messages_for(scope_of(request.user)), request)
    page = Paginator(
        rows.select_related("feed").defer("raw").order_by("-received_at", "-pk"), PER_PAGE
    ).get_page(request.GET.get("page"))
    asked = request.GET.copy()
    asked.pop("page", None)
    return render(
        request,
        "interop/troubles.html",
        {
            "page": page,
            "reasons": reasons(rows),
            "asked": request.GET,
            "query": asked.urlencode(),
            "narrowed": any(request.GET.get(name) for name in ("feed", "status", "reason")),
            "reach": reach(scope_of(request.user)),
            "feeds": feeds_for(scope_of(request.user)),
        },
    )


def _chosen(rows: QuerySet[Message], request: HttpRequest) -> QuerySet[Message]:
    """The troubled messages that the address asks for: of a feed, a status, a reason."""
    asked = request.GET if request.method == "GET" else request.POST
    rows = rows.filter(status__in=TROUBLED)
    if (feed := row_key(asked.get("feed", ""))) is not None:
        rows = rows.filter(feed=feed)
    if asked.get("status") in TROUBLED:
        rows = rows.filter(status=asked["status"])
    if asked.get("reason"):
        rows = rows.filter(reason_code=asked["reason"].replace("\0", ""))
    return rows


@require_POST
@for_feed_managers
def replay_messages(request: HttpRequest) -> HttpResponse:
    """Let messages be applied anew: one by its key, or all that the list shows."""
    rows = _messages_for(scope_of(request.user))
    one = row_key(request.POST.get("message", ""))
    rows = rows.filter(pk=one) if one is not None else _chosen(rows, request)
    waiting = replay(rows.values_list("pk", flat=True))
    messages.success(
        request,
        ngettext(
            "%(n)d message is applied again; look here in a moment.",
            "%(n)d messages are applied again; look here in a moment.",
            waiting,
        )
        % {"n": waiting},
    )
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("interop:troubles")
    return HttpResponseRedirect(back)  # an address, and never the name of a view


@require_safe
@for_feed_managers
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """One message as it was received; what tells whom it is about only for those who may see."""
    scope = scope_of(request.user)
    found = get_object_or_404(_messages_for(scope).select_related("feed"), pk=pk)
    may_see = _sees_patients_of(scope, found.feed)
    lines = shown(bytes(found.raw), patients=may_see, encoding=found.feed.encoding)
    return render(
        request, "interop/message.html", {"message": found, "lines": lines, "may_see": may_see}
    )


def _sees_patients_of(scope: Scope, feed: Feed) -> bool:
    """Whether the viewer may see patients wherever this feed places them."""
    see = Permission.SEE_PATIENTS
    if scope.may_everywhere(see):
        return True
    if feed.organisation_id is not None:
        return scope.may_at_organisation(see, feed.organisation_id)
    return feed.default_site_id is not None and scope.may_at_site(see, feed.default_site_id)


@require_safe
@for_feed_managers
def mapping(request: HttpRequest) -> HttpResponse:
    """Places that only feeds know of, and what they could be."""
    scope = scope_of(request.user)
    unknown, known = unknown_places(scope, now=timezone.now())
    context = {"unknown": unknown, "known": known, "reach": reach(scope)}
    return render(request, "interop/mapping.html", context)


def _sites(scope: Scope) -> QuerySet[Site]:
    sites = scope.sites(Permission.MANAGE_FEEDS)
    rows = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
    return rows if sites == ALL else rows.filter(pk__in=sites)


@for_feed_managers
def map_ward(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which ward an unrecognised one is, or that it is one of its own."""
    scope = scope_of(request.user)
    ward = get_object_or_404(wards_in_reach(scope).filter(kind=Ward.Kind.UNRECOGNISED), pk=pk)
    candidates = wards_in_reach(scope).exclude(kind=Ward.Kind.UNRECOGNISED)
    deed = request.POST.get("deed", "")
    same = SameWardForm(
        request.POST if deed == "same" else None,
        wards=candidates.order_by("site__name", "name"),
        initial={"same_as": candidates.filter(code__iexact=ward.code).first()},
    )
    new = NewWardForm(
        request.POST if deed == "new" else None,
        sites=_sites(scope),
        initial={"name": ward.name, "site": ward.site},
    )
    try:
        if same.is_valid():
            real = same.cleaned_data["same_as"]
            told = unrecognised.identify_ward(ward=ward, same_as=real, by=_by(request))
            messages.success(request, _told(ward.code, real.name, told))
            return redirect("interop:mapping")
        if new.is_valid():
            unrecognised.accept_ward(ward=ward, by=_by(request), **new.cleaned_data)
            messages.success(request, _("%(ward)s is a ward now.") % {"ward": ward.code})
            return redirect("interop:mapping")
    except Refused as refused:
        messages.error(request, refused.reason)
    beds = Bed.objects.filter(ward=ward, same_as=None).select_related("bay")
    return render(
        request, "interop/map_ward.html", {"ward": ward, "same": same, "new": new, "beds": beds}
    )


@for_feed_managers
def map_bed(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which bed an unrecognised one is, or that it is one of its own."""
    scope = scope_of(request.user)
    bed = get_object_or_404(
        Bed.objects.filter(
            is_recognised=False, same_as=None, ward__in=wards_in_reach(scope)
        ).select_related("ward__site", "bay"),
        pk=pk,
    )
    beds = Bed.objects.filter(ward=bed.ward, is_recognised=True, same_as=None)
    deed = request.POST.get("deed", "")
    same = SameBedForm(request.POST if deed == "same" else None, beds=beds.select_related("bay"))
    try:
        if same.is_valid():
            real = same.cleaned_data["same_as"]
            told = unrecognised.identify_bed(bed=bed, same_as=real, by=_by(request))
            messages.success(request, _told(bed.label, real.label, told))
            return redirect("interop:mapping")
        if request.method == "POST" and deed == "new":
            unrecognised.accept_bed(bed=bed, by=_by(request))
            messages.success(
                request,
                _("Bed %(bed)s belongs to %(ward)s now.")
                % {"bed": bed.label, "ward": bed.ward.name},
            )
            return redirect("interop:mapping")
    except Refused as refused:
        messages.error(request, refused.reason)
    return render(request, "interop/map_bed.html", {"bed": bed, "same": same})


def _told(name: str, real: str, patients: int) -> str:
    """What an identification did, in a sentence."""
    return ngettext(
        "%(name)s is %(real)s: %(n)d patient's stay was put there.",
        "%(name)s is %(real)s: the stays of %(n)d patients were put there.",
        patients,
    ) % {"name": name, "real": real, "n": patients}
