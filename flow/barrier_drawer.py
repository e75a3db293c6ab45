"""The drawer of one barrier: its clock, its owner, everything done about it, and deeds.

As a page of its own it works without a script; with `?fragment=1` it is the drawer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Organisation, Team, User
from accounts.refusals import Refused
from flow.barrier_forms import (
    ContactForm,
    DueForm,
    HandOverForm,
    NoteForm,
    RaiseForm,
    WaitForm,
)
from flow.barriers import Waiting, Wanted, may_act, waiting
from flow.coded import codes_in_use
from flow.faces import faces
from flow.moment import Moment
from flow.worklists import lost_by, owners_of, rungs_of
from patients.models import Barrier, BarrierStep
from wards import barriers as deeds
from wards.barriers import Said
from wards.scope import Scope, scope_of


@dataclass(slots=True)
class Side:
    """One request at a barrier. failed: the deed that was refused, reason: why."""

    scope: Scope
    now: datetime
    row: Waiting
    barrier: Barrier
    forms: dict[str, WaitForm] = field(default_factory=dict)
    failed: str = ""
    reason: str = ""

    @property
    def acts(self) -> bool:
        """Whether the viewer may do something about it."""
        return may_act(self.scope, self.barrier, at=self.now)


@require_http_methods(["GET", "HEAD", "POST"])
def barrier(request: HttpRequest, barrier: int) -> HttpResponse:
    """One barrier."""
    now, scope = timezone.now(), scope_of(request.user)
    found = waiting(Moment(now), scope=scope, wanted=Wanted(key=barrier, statuses=()))
    if not found:
        raise Http404(_("There is no such barrier, or it is not yours to see."))
    one = Barrier.objects.select_related("episode", "reason", "team", "organisation").get(
        pk=barrier
    )
    side = Side(scope, now, found[0], one)
    acts = side.acts
    if request.method == "POST" and not acts:
        raise PermissionDenied(
            _("Only those on the patient’s ward, or whose step it is, may change this.")
        )
    if acts:
        side.forms = _forms(side, request)
    if request.method != "POST":
        return _drawn(request, side, 200)
    try:
        said = _do(request, side)
    except Refused as refusal:
        side.failed, side.reason = request.POST.get("deed", ""), refusal.reason
        return _drawn(request, side, 422)
    if said is None:
        side.failed = request.POST["deed"]
        return _drawn(request, side, 422)
    if "fragment" in request.GET:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.success(request, said)
    return redirect(_back(side))


def _forms(side: Side, request: HttpRequest) -> dict[str, WaitForm]:
    """The forms of what can be done now, the posted one filled with what was typed."""
    deed = request.POST.get("deed") if request.method == "POST" else None

    def typed(name: str) -> Any:
        return request.POST if deed == name else None

    if side.barrier.outcome:
        ended = side.barrier.outcome != Barrier.Outcome.REPLACED
        return {"reopen": NoteForm(typed("reopen"), auto_id="reopen-%s")} if ended else {}
    owners = Organisation.objects.filter(teams__isnull=False).distinct().prefetch_related("teams")
    provider = side.barrier.episode.provider_id
    return {
        "contact": ContactForm(typed("contact"), auto_id="contact-%s"),
        "resolve": NoteForm(typed("resolve"), auto_id="resolve-%s"),
        "hand": HandOverForm(typed("hand"), owners=list(owners), auto_id="hand-%s"),
        "escalate": NoteForm(typed("escalate"), auto_id="escalate-%s"),
        "due": DueForm(typed("due"), auto_id="due-%s"),
        "replace": RaiseForm(
            typed("replace"),
            reasons=codes_in_use(provider or 0, at=side.now).delays,
            auto_id="replace-%s",
        ),
        "mistaken": NoteForm(typed("mistaken"), auto_id="mistaken-%s"),
    }


# --- deeds: each says what was done ---------------------------------------------------------------


def _do(request: HttpRequest, side: Side) -> str | None:
    assert isinstance(request.user, User)
    name = request.POST.get("deed", "")
    form = side.forms.get(name)
    if form is None:
        raise Refused(_("That cannot be done any more. Look at the barrier again."))
    if not form.is_valid():
        return None
    return _DEEDS[name](side, form, Said(side.now, request.user))


def _note(form: WaitForm) -> str:
    note: str = form.cleaned_data["note"]
    return note


def _contact(side: Side, form: WaitForm, said: Said) -> str:
    deeds.contact(barrier=side.barrier, note=_note(form), said=said)
    return _("Kept: chased just now.")


def _resolve(side: Side, form: WaitForm, said: Said) -> str:
    deeds.resolve(barrier=side.barrier, said=said, note=_note(form))
    return _("Done: %(what)s.") % {"what": side.barrier.reason.label}


def _hand(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, HandOverForm)
    to = form.chosen
    deeds.reassign(
        barrier=side.barrier,
        said=said,
        organisation=to if isinstance(to, Organisation) else None,
        team=to if isinstance(to, Team) else None,
        person=form.cleaned_data["person"].strip(),
        note=_note(form),
    )
    return _("Handed over to %(owner)s.") % {"owner": to}


def _escalate(side: Side, form: WaitForm, said: Said) -> str:
    step = deeds.escalate(barrier=side.barrier, said=said, note=_note(form))
    title = rungs_of([side.row.episode]).get((side.row.episode, step.level or 0), "")
    return _("Escalated to %(title)s.") % {"title": title}


def _due(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, DueForm)
    deeds.change_due(barrier=side.barrier, due_at=form.due, said=said, note=_note(form))
    return _("Due %(when)s from now on.") % {
        "when": f"{timezone.localtime(form.due):%a %-d %b %H:%M}"
    }


def _replace(side: Side, form: WaitForm, said: Said) -> str:
    assert isinstance(form, RaiseForm)
    made = deeds.replace(barrier=side.barrier, reason=form.code, said=said, note=_note(form))
    return _("Waits now for: %(what)s.") % {"what": made.reason.label}


def _mistaken(side: Side, form: WaitForm, said: Said) -> str:
    deeds.take_back(barrier=side.barrier, said=said, note=_note(form))
    return _("Taken back: it counts for nothing.")


def _reopen(side: Side, form: WaitForm, said: Said) -> str:
    deeds.reopen(barrier=side.barrier, said=said, note=_note(form))
    return _("Open again: %(what)s.") % {"what": side.barrier.reason.label}


_DEEDS: Final[Mapping[str, Callable[[Side, WaitForm, Said], str]]] = {
    "contact": _contact,
    "resolve": _resolve,
    "hand": _hand,
    "escalate": _escalate,
    "due": _due,
    "replace": _replace,
    "mistaken": _mistaken,
    "reopen": _reopen,
}


# --- answers --------------------------------------------------------------------------------------


def _back(side: Side) -> str:
    """Where the viewer came from, as far as can be told: the list whose it is, else the round of
    the patient's ward."""
    row = side.row
    owned = {(one.organisation, one.team) for one in owners_of(side.scope)}
    if row.organisation and (row.organisation, row.team) in owned:
        if row.team:
            return reverse("flow:team_work", args=[row.organisation, row.team])
        return reverse("flow:organisation_work", args=[row.organisation])
    if row.own or not row.ward:
        return reverse("flow:work")
    query = urlencode({"site": row.site, "patient": str(row.episode)})
    return f"{reverse('flow:round', args=[row.ward])}?{query}"


def _drawn(request: HttpRequest, side: Side, status: int) -> HttpResponse:
    rungs = rungs_of([side.row.episode])
    levels = sorted(level for _episode, level in rungs if level > side.row.level)
    steps = BarrierStep.objects.filter(barrier=side.barrier).select_related(
        "by", "team", "organisation"
    )
    context = {
        "side": side,
        "row": side.row,
        "face": faces({side.row.patient}).get(side.row.patient),
        "lost": lost_by(side.row, at=side.now),
        "steps": steps.order_by("-occurred_at", "-pk"),
        "rung": rungs.get((side.row.episode, side.row.level), ""),
        "next_rung": rungs[side.row.episode, levels[0]] if levels else "",
        "moment": side.now,
        "live": True,
        "here": request.path,
        "board_address": _back(side),
    }
    template = "flow/_barrier_drawer.html" if "fragment" in request.GET else "flow/barrier.html"
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
