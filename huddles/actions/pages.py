"""The list of actions: mine, my teams', a site's; agreed, done and dropped in one touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from secrets import token_hex
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from accounts.row_keys import row_key
from huddles.actions.agreeing import BELL, drop, finish, reopen
from huddles.actions.asking import Subject, agreed, sites_of, subject_of
from huddles.actions.changing import said_otherwise
from huddles.actions.forms import ChangeForm
from huddles.actions.reading import Listed, State, Whose, listed, with_all
from huddles.actions.rights import may_agree, may_end, may_read, sees_whom
from huddles.actions.understanding import Draft
from huddles.models import Action
from wards.models import Site
from wards.scope import Scope, scope_of

HEARS: Final = ("hub",)
"""Other bells by which an action can be over."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was refused, as it was typed. action: whose form it was, 0 for the line of a new one;
    deed: what was asked for."""

    reason: str = ""
    action: int = 0
    deed: str = ""
    said: Mapping[str, str] = field(default_factory=dict)


class Asked:
    """What an address asks for: whose actions, in which state, at which site, about what."""

    def __init__(self, request: HttpRequest, scope: Scope, *, at: datetime) -> None:
        self._said, self._scope, self._at = request.GET, scope, at
        self.path = request.path

    @cached_property
    def sites(self) -> list[Site]:
        """The sites whose actions the viewer may list."""
        return list(sites_of(self._scope))

    @cached_property
    def subject(self) -> Subject | None:
        """What the next action is about."""
        return subject_of(self._said.dict(), self._scope, at=self._at)

    @property
    def site(self) -> Site | None:
        """The site asked for; else that of the subject, else the first."""
        code = self._said.get("site", "")
        named = next((one for one in self.sites if one.code == code), None)
        if named is None and self.subject is not None:
            return self.subject.site
        return named or (self.sites[0] if self.sites else None)

    @property
    def whose(self) -> Whose:
        """Whose actions; those of the site only for who sees one."""
        said = self._said.get("whose", "")
        if not said and (self.subject is not None or self._said.get("site")):
            said = Whose.SITE
        whose = Whose(said) if said in list(Whose) else Whose.MINE
        return Whose.MINE if whose is Whose.SITE and self.site is None else whose

    @property
    def state(self) -> State:
        """In which state."""
        said = self._said.get("state", "")
        return State(said) if said in list(State) else State.OPEN

    def address(self, **other: str) -> str:
        """The address with something else asked for."""
        said = {"whose": self.whose.value, "state": self.state.value}
        if self.whose is Whose.SITE and self.site is not None:
            said["site"] = self.site.code
        if self.subject is not None:
            said[self.subject.name] = str(self.subject.key)
        said |= other
        usual = {"whose": Whose.MINE.value, "state": State.OPEN.value}
        return f"{self.path}?{urlencode(kept)}" if (
            kept := {key: value for key, value in said.items() if usual.get(key) != value}
        ) else self.path  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def actions(request: HttpRequest) -> HttpResponse:
    """The list, and everything done to an action of it."""
    user = request.user
    assert isinstance(user, User)
    scope, now = scope_of(user), timezone.now()
    asked = Asked(request, scope, at=now)
    if request.method != "POST":
        return _shown(request, user, scope, asked, Typed(), now=now)
    said = {key: value for key, value in request.POST.items() if isinstance(value, str)}
    deed = said.get("deed", "")
    typed = Typed(action=row_key(said.get("action", "")) or 0, deed=deed, said=said)
    try:
        words = _agree(user, scope, asked, said, now=now) if deed == "agree" else _do(
            user, scope, typed, now=now
        )  # fmt: skip
    except Refused as refused:
        wrong = Typed(refused.reason, typed.action, deed, said)
        response = _shown(request, user, scope, asked, wrong, now=now)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response
    messages.success(request, words)
    # What it was about is said; the list stays as it was chosen.
    return redirect(request.get_full_path() if deed != "agree" else asked.address())


def _agree(
    user: User, scope: Scope, asked: Asked, said: Mapping[str, str], *, now: datetime
) -> str:
    code = said.get("site", "")
    site = next((one for one in asked.sites if one.code == code), None if code else asked.site)
    if code and site is None and asked.sites:
        raise Refused(_("You agree no actions at that site. Choose another."))
    subject = asked.subject
    if subject is not None:
        site = subject.site
    if site is None:
        raise PermissionDenied(_("You see no patients anywhere, so you agree no actions."))
    action, draft = agreed(
        said.get("line", ""),
        site=site,
        at=now,
        by=user,
        scope=scope,
        subject=subject,
        by_deed="by_deed" in said,
        once=said.get("once", ""),
    )
    return agreed_words(action, draft, now=now)


def agreed_words(action: Action, draft: Draft, *, now: datetime) -> str:
    """What to say of an action just agreed, as it was understood."""
    due = timezone.localtime(action.due_at)
    same_day = due.date() == timezone.localtime(now).date()
    about = action.bed or draft.bed
    place = f"{about.ward.name}, {about.label}" if about else ""
    if not place and action.ward is not None:
        place = action.ward.name
    told = _("Agreed: %(owner)s, by %(due)s%(bed)s.") % {
        "owner": draft.owner,
        "due": f"{due:%H:%M}" if same_day else f"{due:%a %-d %b %H:%M}",
        "bed": f", {place}" if place else "",
    }
    if draft.kept:
        told += " " + _("It is kept as “%(text)s”.") % {"text": action.text}
    return " ".join([told, *draft.doubts])


def _do(user: User, scope: Scope, typed: Typed, *, now: datetime) -> str:
    """What the button of a row says; what to say of it. Raises Refused."""
    action = with_all(Action.objects.filter(pk=typed.action)).first()
    if action is None or not may_read(action, user, scope):
        raise Http404(_("There is no such action."))
    if not may_end(action, user, scope):
        raise PermissionDenied(_("That is for its owner to say, or for who runs the huddle."))
    note = typed.said.get("note", "")
    if typed.deed == "done":
        finish(action=action, at=now, by=user, note=note)
        return _("Done.")
    if typed.deed == "drop":
        drop(action=action, at=now, by=user, note=note)
        return _("Not needed any more.")
    if typed.deed == "reopen":
        reopen(action=action, at=now, by=user)
        return _("It is open again.")
    if typed.deed == "change" and may_agree(scope, action.site_id, action.ward_id):
        if not sees_whom(scope, action, action.lies_on):
            raise Refused(
                _("You may not see the patient whom it is about, so you cannot change it.")
            )
        form = ChangeForm(typed.said, auto_id="change-%s")
        if not form.is_valid():
            raise Refused(" ".join(str(one) for errors in form.errors.values() for one in errors))
        doubts = said_otherwise(
            action, form.cleaned_data, at=now, by=user, scope=scope,
            seen=typed.said.get("seen", ""),
        )  # fmt: skip
        return " ".join([_("Changed."), *doubts])
    raise Refused(_("That cannot be done here. Look at the list again."))


def _shown(
    request: HttpRequest, user: User, scope: Scope, asked: Asked, typed: Typed, *, now: datetime
) -> HttpResponse:
    site = asked.site if asked.whose is Whose.SITE else None
    found = listed(user, scope, whose=asked.whose, state=asked.state, at=now, site=site)
    context = {
        "list": found,
        "asked": asked,
        "typed": typed,
        "title": _("Actions"),
        "subtitle": site.name if site else "",
        "agrees": _agrees(scope, asked),
        "whoses": _whoses(scope, asked),
        "states": _states(found, asked),
        "sites": [(one.name, asked.address(site=one.code), one == site) for one in asked.sites]
        if site and len(asked.sites) > 1
        else [],
        "here": asked.address(),
        "once": typed.said.get("once") or token_hex(8),
        "moment": now,
        "live": True,
        "board_name": BELL,
        "hears": ",".join(HEARS),
        "fragment_address": asked.address(fragment="1"),
        "today_words": f"{timezone.localtime(now):%a %-d %b %H:%M}",
    }
    alone = "fragment" in request.GET
    template = "huddles/_actions.html" if alone else "huddles/actions.html"
    response = render(request, template, context)
    response["X-Board"] = BELL
    response["Cache-Control"] = "no-store"
    return response


def _agrees(scope: Scope, asked: Asked) -> list[Site]:
    """The sites for which the viewer may agree an action, the one shown first."""
    if asked.subject is not None:
        return [asked.subject.site]
    may = [
        one
        for one in asked.sites
        if may_agree(scope, one.pk)
        or any(
            one.pk in held
            for permission in (Permission.MOVE_PATIENTS, Permission.PLAN_DISCHARGE)
            if not isinstance(held := scope.sites_in_part(permission), str)
        )
    ]
    return sorted(may, key=lambda one: one != asked.site)


def _whoses(scope: Scope, asked: Asked) -> list[tuple[str, str, bool]]:
    words = [(Whose.MINE, _("Mine"))]
    if scope.may_anywhere(Permission.OWN_STEPS):
        words.append((Whose.TEAMS, _("My teams'")))
    if asked.sites:
        words.append((Whose.SITE, _("All")))
    return [(label, asked.address(whose=each.value), each is asked.whose) for each, label in words]


def _states(found: Listed, asked: Asked) -> list[tuple[str, int, str, bool]]:
    words = {
        State.OPEN: _("Open"),
        State.OVERDUE: _("Overdue"),
        State.OVER: _("Over in the last day"),
    }
    return [
        (label, found.counts[each], asked.address(state=each.value), each is asked.state)
        for each, label in words.items()
    ]
