"""Pages on which administrators look after people, their roles and the tokens of programs.

They stand on this floor, above accounts, because where somebody may do something is a matter of
places. Each page shows and changes only what the viewer's own scope covers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.lockout import locked_names, unlock
from accounts.models import ApiToken, User
from accounts.people import activate, add_user, describe_user, reset_password
from accounts.refusals import Refused
from accounts.tokens import SCOPE_LABELS, TokenScope, issue, revoke
from wards.grants import (
    PEOPLE,
    deactivate,
    may_manage,
    may_withdraw,
    set_grant,
    visible_users,
    withdraw_grant,
)
from wards.models import Grant
from wards.people_forms import GrantForm, NewPersonForm, PersonForm, PlacesOffered, TokenForm
from wards.scope import Scope, scope_of

ON_A_PAGE: Final = 50
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def for_administrators(view: View[P]) -> View[P]:
    """Only for those who may manage people somewhere; nothing of it is kept by a browser."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not scope_of(request.user).may_anywhere(PEOPLE):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _viewer(request: HttpRequest) -> User:
    return cast(User, request.user)


def _people(scope: Scope) -> QuerySet[User]:
    """Whom the scope may see, with their grants and the places of these."""
    grants = Grant.objects.select_related(
        "organisation", "site", "ward__site", "team__organisation"
    ).order_by("pk")
    people = visible_users(User.objects.all(), scope).select_related("organisation")
    return people.prefetch_related(Prefetch("grants", queryset=grants))


def _person(request: HttpRequest, pk: int, *, to_manage: bool = False) -> User:
    """The user of a page. Raises Http404 when the viewer may not see them, PermissionDenied when
    they may not `to_manage` them."""
    scope = scope_of(request.user)
    person = get_object_or_404(_people(scope), pk=pk)
    if to_manage and not may_manage(scope, person, person.grants.all()):
        raise PermissionDenied
    return person


@require_GET
@for_administrators
def people(request: HttpRequest) -> HttpResponse:
    """Everybody whom the viewer may see, by name, with their roles; `q` searches."""
    found = _people(scope_of(request.user)).order_by("-is_active", "username")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:100]
    for word in wanted.split():
        found = found.filter(
            Q(username__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
        )
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    locked = locked_names([person.username for person in page], at=timezone.now())
    return render(
        request,
        "accounts/people.html",
        {"page": page, "locked": locked, "wanted": wanted},
    )


@require_http_methods(["GET", "POST"])
@for_administrators
def add_person(request: HttpRequest) -> HttpResponse:
    """A new account with its first role; the answer holds the link to a first password."""
    places = PlacesOffered(scope_of(request.user))
    form = NewPersonForm(request.POST or None, places=places)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        by = _viewer(request)
        try:
            with transaction.atomic():
                person = add_user(
                    username=told["username"],
                    first_name=told["first_name"],
                    last_name=told["last_name"],
                    email=told["email"],
                    organisation=told["organisation"],
                    by=by,
                )
                set_grant(user=person, role=told["role"], **form.chosen_place(), by=by)
                link = reset_password(user=person, by=by)
        except Refused as refused:
            form.add_error(None, refused.reason)
        else:
            return _link_page(request, person, link)
    return render(request, "accounts/add_person.html", {"form": form})


def _link_page(request: HttpRequest, person: User, link: str) -> HttpResponse:
    """The link, in the answer itself: it is nowhere kept and cannot be shown again."""
    address = request.build_absolute_uri(link)
    return render(request, "accounts/link.html", {"person": person, "address": address})


@require_http_methods(["GET", "POST"])
@for_administrators
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: who they are, their roles and tokens, and what can be done."""
    found = _person(request, pk)
    scope = scope_of(request.user)
    grants = list(found.grants.all())
    manageable = may_manage(scope, found, grants)
    fields = ("first_name", "last_name", "email", "organisation")
    form = PersonForm(request.POST or None, initial={name: getattr(found, name) for name in fields})
    if request.method == "POST":
        if not manageable:
            raise PermissionDenied
        if form.is_valid():
            try:
                describe_user(user=found, **form.cleaned_data, by=_viewer(request))
            except Refused as refused:
                form.add_error(None, refused.reason)
            else:
                messages.success(request, f"{found} is kept.")
                return redirect("people:person", pk)
    now = timezone.now()
    return render(
        request,
        "accounts/person.html",
        {
            "person": found,
            "form": form,
            "grants": [(grant, may_withdraw(scope, grant)) for grant in grants],
            "grant_form": GrantForm(places=PlacesOffered(scope)),
            "manageable": manageable,
            "locked": found.username in locked_names([found.username], at=now),
            "tokens": _told(list(found.api_tokens.all()), now) if manageable else [],
            "is_viewer": found.pk == request.user.pk,
        },
    )


@require_POST
@for_administrators
def give_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a role at a place within the viewer's scope."""
    found = _person(request, pk)
    form = GrantForm(request.POST, places=PlacesOffered(scope_of(request.user)))
    if not form.is_valid():
        messages.error(request, "Choose a role and a place.")
    else:
        role = form.cleaned_data["role"]
        set_grant(user=found, role=role, **form.chosen_place(), by=_viewer(request))
        messages.success(request, f"{found} has the role now.")
    return redirect("people:person", pk)


@require_POST
@for_administrators
def withdraw_role(request: HttpRequest, pk: int, grant: int) -> HttpResponse:
    """Take a role back at a place within the viewer's scope."""
    found = _person(request, pk)
    held = next((g for g in found.grants.all() if g.pk == grant), None)
    if held is None:
        raise Http404
    if not may_withdraw(scope_of(request.user), held):
        raise PermissionDenied
    _try(request, lambda: withdraw_grant(grant=held, by=_viewer(request)), "The role is withdrawn.")
    if visible_users(User.objects.filter(pk=pk), scope_of(request.user)).exists():
        return redirect("people:person", pk)
    return redirect("people:people")  # their last role in the viewer's scope is gone


def _try(request: HttpRequest, deed: Callable[[], Any], done: str) -> None:
    """Do it and say that it is done, or why not."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, done)


@require_POST
@for_administrators
def deactivate_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign somebody out for good; their account and history stay."""
    found = _person(request, pk, to_manage=True)
    by = _viewer(request)
    _try(request, lambda: deactivate(user=found, by=by), f"{found} is deactivated.")
    return redirect("people:person", pk)


@require_POST
@for_administrators
def activate_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    found = _person(request, pk, to_manage=True)
    by = _viewer(request)
    _try(request, lambda: activate(user=found, by=by), f"{found} may sign in again.")
    return redirect("people:person", pk)


@require_POST
@for_administrators
def unlock_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody try their password again at once."""
    found = _person(request, pk, to_manage=True)
    unlock(user=found, by=_viewer(request))
    messages.success(request, f"{found} may try again now.")
    return redirect("people:person", pk)


@require_POST
@for_administrators
def reset_persons_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A link with which somebody chooses a new password; the old one ends now."""
    found = _person(request, pk, to_manage=True)
    try:
        link = reset_password(user=found, by=_viewer(request))
    except Refused as refused:
        messages.error(request, refused.reason)
        return redirect("people:person", pk)
    return _link_page(request, found, link)


def _manageable(scope: Scope) -> list[User]:
    return [u for u in _people(scope) if may_manage(scope, u, u.grants.all())]


def _told(tokens: list[ApiToken], now: datetime) -> list[dict[str, Any]]:
    """Tokens as a table shows them: what each may do in words, and whether it still works."""
    rows = []
    for token in tokens:
        ended = token.expires_at is not None and token.expires_at <= now
        state = "revoked" if token.revoked_at else "expired" if ended else "works"
        may = [SCOPE_LABELS.get(cast(TokenScope, scope), scope) for scope in token.scopes]
        rows.append({"token": token, "state": state, "may": may})
    return rows


@require_http_methods(["GET", "POST"])
@for_administrators
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of every account that the viewer may manage, and the form for a new one."""
    users = _manageable(scope_of(request.user))
    now = timezone.now()
    form = TokenForm(request.POST or None, users=users)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            token, secret = issue(
                told["user"],
                told["name"],
                told["scopes"],
                form.expires_at(now),
                by=_viewer(request),
            )
        except Refused as refused:
            form.add_error(None, refused.reason)
        else:
            return render(request, "accounts/token.html", {"token": token, "secret": secret})
    found = ApiToken.objects.filter(user__in=users).select_related("user")
    page = Paginator(found.order_by("-created_at"), ON_A_PAGE).get_page(request.GET.get("page"))
    rows = _told(list(page), now)
    return render(request, "accounts/tokens.html", {"form": form, "page": page, "rows": rows})


@require_POST
@for_administrators
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a token from now on."""
    token = get_object_or_404(ApiToken.objects.select_related("user"), pk=pk)
    _person(request, token.user_id, to_manage=True)
    revoke(token=token, at=timezone.now(), by=_viewer(request))
    messages.success(request, f"“{token.name}” is revoked and refused from now on.")
    return redirect("people:tokens")
