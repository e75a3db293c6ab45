"""The pages on which people look after the wall screens of their sites."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.api.throttles import CallerThrottle
from huddles.models import Screen, ScreenPage
from huddles.screens.forms import LookForm, PairForm
from huddles.screens.pairing import change, pair, revoke, sees_system
from huddles.screens.showing import drawn, is_dark
from wards.models import Site
from wards.scope import ALL, Scope, scope_of

MANAGE: Final = Permission.MANAGE_SCREENS
SILENT: Final = timedelta(minutes=5)
"""Unheard for so long, a screen is marked: it asks at least every half minute."""

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_managers(view: View[P]) -> View[P]:
    """Only for those who look after screens somewhere; no browser keeps anything of it."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not scope_of(request.user).may_anywhere(MANAGE):
            raise PermissionDenied(_("You look after no screens. Ask your administrator."))
        return view(request, *args, **kwargs)

    return guarded


@dataclass(frozen=True, slots=True)
class Line:
    """A screen in the list. shows: its pages in words. silent: nothing was heard for too long."""

    screen: Screen
    shows: str
    silent: bool


def _sites(scope: Scope) -> QuerySet[Site]:
    """The sites whose screens the viewer looks after."""
    held = scope.sites(MANAGE)
    sites = Site.objects.exclude(kind=Site.Kind.UNRECOGNISED)
    return sites if held == ALL else sites.filter(pk__in=held)


def _screens(scope: Scope) -> QuerySet[Screen]:
    held = scope.sites(MANAGE)
    found = Screen.objects.filter(revoked_at=None)
    return found if held == ALL else found.filter(site__in=held)


def _with_pages(found: QuerySet[Screen]) -> QuerySet[Screen]:
    pages = ScreenPage.objects.select_related("ward__site").order_by("position")
    return found.select_related("site__organisation", "paired_by").prefetch_related(
        Prefetch("pages", queryset=pages)
    )


def page_words(page: ScreenPage) -> str:
    """What a page shows."""
    return page.ward.name if page.ward else str(page.get_layout_display())


def _line(screen: Screen, *, now: datetime) -> Line:
    heard = screen.last_heard_at or screen.paired_at
    shows = " · ".join(page_words(page) for page in screen.pages.all())
    return Line(screen, shows, now - heard > SILENT)


@require_safe
@for_managers
def screens(request: HttpRequest) -> HttpResponse:
    """All screens of the viewer's sites: what they show, and when they last listened."""
    scope, now = scope_of(request.user), timezone.now()
    found = _with_pages(_screens(scope)).order_by("site__position", "site__name", "name")
    context = {
        "lines": [_line(screen, now=now) for screen in found],
        "sites": _sites(scope),
        "now": now,
    }
    return render(request, "huddles/screens/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
def pair_screen(request: HttpRequest) -> HttpResponse:
    """Bind a screen that shows a code to the site that the address names."""
    scope = scope_of(request.user)
    site = get_object_or_404(
        Site.objects.select_related("organisation"),
        code=request.GET.get("site", "").replace("\0", ""),
    )
    if not scope.may_at_site(MANAGE, site.pk):
        raise PermissionDenied(_("You do not look after the screens of this site."))
    form = PairForm(request.POST or None, site=site, scope=scope)
    if request.method == "POST" and form.is_valid():
        try:
            made = _paired(request, form, site, scope)
        except Refused as refused:
            form.add_error("code", refused.reason)
        else:
            messages.success(
                request, _("%(screen)s is paired and shows its first page.") % {"screen": made}
            )
            return redirect("screens:list")
    return render(
        request,
        "huddles/screens/pair.html",
        {"form": form, "site": site},
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK,
    )


def _paired(request: HttpRequest, form: PairForm, site: Site, scope: Scope) -> Screen:
    """Raises Refused, also where codes are tried out."""
    assert isinstance(request.user, User)
    if not CallerThrottle().admits("pairing_guess", f"guess:{request.user.pk}"):
        raise Refused(_("Too many codes were typed. Wait a minute, then try again."))
    return pair(
        code=form.cleaned_data["code"],
        site=site,
        zone=form.cleaned_data["zone"],
        look=form.look,
        pages=form.pages,
        scope=scope,
        at=timezone.now(),
        by=request.user,
    )


def _screen(request: HttpRequest, pk: int) -> tuple[Screen, Scope]:
    """A screen that is paired and that the viewer looks after; there is no other."""
    scope = scope_of(request.user)
    return get_object_or_404(_with_pages(_screens(scope)), pk=pk), scope


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One screen: what it is called and shows, and what can be done."""
    screen, scope = _screen(request, pk)
    now = timezone.now()
    form = LookForm(request.POST or None, site=screen.site, scope=scope, screen=screen)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        try:
            change(screen=screen, look=form.look, pages=form.pages, scope=scope, by=request.user)
        except Refused as refused:
            form.add_error("name", refused.reason)
        else:
            messages.success(request, _("%(screen)s is kept.") % {"screen": form.look.name})
            return redirect("screens:one", pk)
    context = {
        "form": form,
        "line": _line(screen, now=now),
        "pages": [
            (page.position if _may_look(page, scope) else None, page_words(page))
            for page in screen.pages.all()
        ],
        "now": now,
    }
    return render(
        request,
        "huddles/screens/one.html",
        context,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK,
    )


def _may_look(page: ScreenPage, scope: Scope) -> bool:
    """Whether what the page shows is in the viewer's own sight."""
    return page.layout != ScreenPage.Layout.SYSTEM or sees_system(scope)


@require_POST
@for_managers
def revoke_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the screen's secret back."""
    screen, _scope = _screen(request, pk)
    assert isinstance(request.user, User)
    revoke(screen=screen, at=timezone.now(), by=request.user)
    messages.success(
        request, _("%(screen)s is revoked and shows nothing any more.") % {"screen": screen}
    )
    return redirect("screens:list")


@require_safe
@for_managers
def preview(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A page as the screen shows it, with its zone's own data, as it is at this moment."""
    screen, scope = _screen(request, pk)
    pages = list(screen.pages.all())
    if not 0 < number <= len(pages):
        raise Http404(_("The screen has no such page."))
    closed = screen.zone == Screen.Zone.CLOSED
    if closed and not scope.may_at_site(Permission.SEE_PATIENTS, screen.site_id):
        raise PermissionDenied(_("You may not see the patients of this site."))
    if not _may_look(pages[number - 1], scope):
        raise PermissionDenied(_("You do not see the whole system."))
    now = timezone.now()
    made = drawn(pages[number - 1], screen)
    context: dict[str, Any] = {
        "plan": json.dumps({}),
        "dark": is_dark(screen, now=now),
        "now": now,
        "pages": pages,
        "preview": screen,
        # Rendered by our own template, which escaped what had to be.
        "wall_html": SafeString(made.body.decode()),
    }
    return render(request, "huddles/screens/screen.html", context)
