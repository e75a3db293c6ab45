"""What is said of a bed itself in its drawer: cleaned, closed, opened; and by whom it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from accounts.roles import Permission
from flow.bed_state_forms import AskForm, CleanForm, CloseForm, OpenForm, said_at
from flow.bedside_forms import WhenForm
from flow.bedside_types import Bedside
from wards import bed_states, cleaning
from wards.by_hand import refuse_ahead
from wards.models import Bed, BedStatus

CLEANING: Final = frozenset({"ask", "begin", "clean"})
MANAGING: Final = frozenset({"close", "reopen", "open_escalation", "close_escalation"})
DEEDS: Final = CLEANING | MANAGING
_UNCLEAN: Final = bed_states.CLEANING


def may(side: Bedside, deed: str) -> bool:
    """Whether the viewer may say that of this bed, which only the present allows."""
    if side.at is not None or side.state is None:
        return False
    needed = Permission.CLEAN_BEDS if deed in CLEANING else Permission.MANAGE_BEDS
    return side.scope.may(needed, side.ward.pk)


def offer(side: Bedside, typed: Callable[[str], Any]) -> dict[str, WhenForm]:
    """The forms of what can be said of the bed now."""
    state, bed = side.state, side.bed
    if state is None or bed is None or not state.in_use:
        return {}
    forms: dict[str, WhenForm] = {}
    if may(side, "ask"):
        forms |= _cleaning(side, state, typed)
    if not may(side, "close"):
        return forms
    if side.own_closure is not None:
        forms["reopen"] = WhenForm(typed("reopen"), auto_id="reopen-%s")
    elif state.opened:
        forms["close"] = CloseForm(typed("close"), auto_id="close-%s")
    if bed.funding == Bed.Funding.ESCALATION:
        if state.opened:
            forms["close_escalation"] = WhenForm(typed("close_escalation"), auto_id="shut-%s")
        else:
            forms["open_escalation"] = OpenForm(typed("open_escalation"), auto_id="open-%s")
    return forms


def _cleaning(
    side: Bedside, state: bed_states.BedState, typed: Callable[[str], Any]
) -> dict[str, WhenForm]:
    if state.status == BedStatus.Status.CLOSED:
        return {}  # as a feed says, which has to open it again first
    forms: dict[str, WhenForm] = {}
    unclean = state.status in _UNCLEAN
    if unclean and side.occupied_since is None:
        shown = {"level": state.level}
        if state.status == BedStatus.Status.CONTAMINATED:
            forms["begin"] = CleanForm(typed("begin"), auto_id="begin-%s")
        forms["clean"] = CleanForm(typed("clean"), auto_id="clean-%s")
        for form in forms.values():
            form.initial = shown
    forms["ask"] = AskForm(typed("ask"), auto_id="ask-%s")
    return forms


def _ask(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    level = form.cleaned_data["level"]
    cleaning.ask(
        bed=side.bed.pk,
        level=level,
        at=side.now,
        by=by,
        occurred_at=said_at(form),
        # Who looks after the patients knows which clean is enough; who cleans alone does not.
        may_lower=side.scope.may(Permission.MOVE_PATIENTS, side.ward.pk),
    )
    word = BedStatus.Level(level).label.lower()
    return _("To be cleaned: %(level)s.") % {"level": word}


def _begin(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    cleaning.begin(
        bed=side.bed.pk,
        level=form.cleaned_data["level"],
        at=side.now,
        by=by,
        occurred_at=said_at(form),
    )
    return _("Being cleaned.")


def _clean(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    cleaning.done(
        bed=side.bed.pk,
        level=form.cleaned_data["level"],
        at=side.now,
        by=by,
        occurred_at=said_at(form),
    )
    return _("Clean and ready.")


def _close(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    since, said = said_at(form), form.cleaned_data
    refuse_ahead(since, side.now)
    bed_states.close(
        bed=side.bed.pk,
        reason=said["reason"],
        since=since or side.now,
        until=said["until"],
        note=said["note"],
        by=by,
    )
    if side.occupied_since is not None:
        return _("Closed once the patient has left.")
    return _("Closed.")


def _reopen(side: Bedside, form: WhenForm, by: User) -> str:
    at = said_at(form)
    refuse_ahead(at, side.now)
    if side.own_closure is None:
        raise Refused(_("This bed is not closed any more. Look at the board again."))
    bed_states.reopen(closure=side.own_closure.pk, at=at or side.now, by=by)
    return _("Open again.")


def _open_escalation(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    since = said_at(form)
    refuse_ahead(since, side.now)
    bed_states.open_escalation(
        bed=side.bed.pk, since=since or side.now, until=form.cleaned_data["until"], by=by
    )
    return _("Opened.")


def _close_escalation(side: Bedside, form: WhenForm, by: User) -> str:
    assert side.bed is not None
    at = said_at(form)
    refuse_ahead(at, side.now)
    bed_states.close_escalation(bed=side.bed.pk, at=at or side.now, by=by)
    return _("No longer opened.")


DO: Final[dict[str, Callable[[Bedside, WhenForm, User], str]]] = {
    "ask": _ask,
    "begin": _begin,
    "clean": _clean,
    "close": _close,
    "reopen": _reopen,
    "open_escalation": _open_escalation,
    "close_escalation": _close_escalation,
}
