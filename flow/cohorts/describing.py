"""Describing a cohort on a page: try criteria and see whom they find, then keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Organisation, User
from accounts.refusals import Refused
from accounts.roles import LABELS, roles_with
from flow.asking import tidy
from flow.cohorts.board import FIGURES_ALONE, Board, Known, board
from flow.cohorts.criteria_form import Typed, as_typed, choices_known, fields, typed
from flow.cohorts.pages import DEFINE, led_away, may_change, named
from flow.cohorts.people import areas_known
from flow.cohorts.picture import journey
from flow.cohorts.wording import in_words, names_for
from flow.moment import Moment
from patients.cohort_deeds import describe, state_of, withdraw
from patients.cohorts import CRITERIA
from patients.models import Cohort
from wards.scope import ALL, Scope, scope_of

WORDS: Final = ("title", "about", "source", "organisation")
BESIDES: Final = (*WORDS, "try", "from", "seen", "csrfmiddlewaretoken")
"""What the address or the form holds besides criteria."""


class WordsForm(forms.Form):
    """What the cohort is called, whom it is for, and where its description comes from."""

    title = forms.CharField(label=lazy("Title"), max_length=120)
    about = forms.CharField(
        label=lazy("Who they are, and what for"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    source = forms.CharField(
        label=lazy("Where this description comes from"),
        max_length=500,
        help_text=lazy("A publication, or “Local, agreed by …” and with whom."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    organisation = forms.ChoiceField(label=lazy("Whose cohort it is"))

    def __init__(self, data: Any = None, *, bodies: Mapping[str, str], **options: Any) -> None:
        super().__init__(data, auto_id="cohort-%s", **options)
        several = [("", _("Choose an organisation"))] if len(bodies) > 1 else []
        field = self.fields["organisation"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*several, *bodies.items()]
        for one in self.fields.values():
            is_long = isinstance(one.widget, forms.Textarea)
            kind = "nhsuk-select" if isinstance(one.widget, forms.Select) else "nhsuk-input"
            one.widget.attrs["class"] = "nhsuk-textarea" if is_long else kind


@dataclass(slots=True)
class _Draft:
    """A description that somebody works on. cohort: which is described anew, None for a new one;
    origin: which a new one was copied from. bodies: for which the writer may keep it, by code.
    asked: whether criteria were given, to be tried or kept."""

    scope: Scope
    known: Known
    cohort: Cohort | None
    origin: Cohort | None
    bodies: dict[str, str]
    said: Typed
    choices: dict[str, Any]
    asked: bool

    @property
    def model(self) -> Cohort | None:
        """What it began from."""
        return self.cohort or self.origin


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Describe a new cohort; `?from=` begins with the criteria of another, criteria in the
    address are tried at once."""
    return _described(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Describe a cohort anew."""
    return _described(request, slug)


@require_POST
def withdrawing(request: HttpRequest, slug: str) -> HttpResponse:
    """Follow a cohort no longer."""
    found = named(slug)
    _check_may_change(scope_of(request.user), found)
    assert isinstance(request.user, User)
    try:
        withdraw(cohort=found, by=request.user)
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, _("“%s” is withdrawn. Its days are kept.") % found.title)
    return redirect("cohorts:list")


def _described(request: HttpRequest, slug: str | None) -> HttpResponse:
    scope = scope_of(request.user)
    if not scope.may_anywhere(DEFINE):
        roles = ", ".join(LABELS[role] for role in roles_with(DEFINE))
        raise PermissionDenied(_("Cohorts are described by: %s.") % roles)
    known = areas_known()
    if (elsewhere := led_away(scope, known)) is not None:
        return elsewhere
    if request.method != "POST" and any(not value for value in request.GET.values()):
        return redirect(tidy(request.path, request.GET))
    draft = _draft(request, scope, known, slug)
    if request.method == "POST":
        return _keep(request, draft)
    words = WordsForm(initial=_words(draft, request.GET), bodies=draft.bodies)
    return _page(request, draft, words, status=200 if draft.said.sound else 400)


def _draft(request: HttpRequest, scope: Scope, known: Known, slug: str | None) -> _Draft:
    given = request.POST if request.method == "POST" else request.GET
    cohort = named(slug) if slug else None
    if cohort is not None:
        _check_may_change(scope, cohort)
    origin = named(given["from"]) if slug is None and given.get("from") else None
    model = cohort or origin
    choices = choices_known(known[1])
    asked = request.method == "POST" or "try" in given or any(name in given for name in CRITERIA)
    if asked or model is None:
        said = typed(given, choices, besides=BESIDES, kept=model.who if model else {})
    else:
        said = as_typed(model.who)
    return _Draft(scope, known, cohort, origin, _bodies(scope), said, choices, asked)


def _check_may_change(scope: Scope, cohort: Cohort) -> None:
    if may_change(scope, cohort):
        return
    if cohort.by_id is None:
        raise PermissionDenied(_("This cohort comes from a file. Copy it and change the copy."))
    raise PermissionDenied(
        _("This cohort is of another organisation. Copy it and change the copy.")
    )


def _bodies(scope: Scope) -> dict[str, str]:
    """The organisations for which the scope may keep cohorts; one query."""
    held = scope.organisations(DEFINE)
    bodies = Organisation.objects.all()
    return dict((bodies if held == ALL else bodies.filter(pk__in=held)).values_list("code", "name"))


def _words(draft: _Draft, given: QueryDict) -> dict[str, Any]:
    """What stands in the form of words before somebody keeps it."""
    found: dict[str, Any] = {}
    if draft.cohort is not None:
        one = draft.cohort
        found = {"title": one.title, "about": one.about, "source": one.source}
        if one.organisation is not None:
            found["organisation"] = one.organisation.code
    elif draft.origin is not None:
        found = {
            "title": _("%s, ours") % draft.origin.title,
            "about": draft.origin.about,
            "source": _("Local, after: %s") % draft.origin.source,
        }
    return found | {name: given[name] for name in WORDS if name in given}


def _keep(request: HttpRequest, draft: _Draft) -> HttpResponse:
    assert isinstance(request.user, User)
    words = WordsForm(request.POST, bodies=draft.bodies)
    if not (words.is_valid() and draft.said.sound):
        return _page(request, draft, words, status=422)
    said = words.cleaned_data
    try:
        kept = describe(
            title=said["title"],
            about=said["about"],
            source=said["source"],
            who=draft.said.who,
            organisation=Organisation.objects.get(code=said["organisation"]),
            by=request.user,
            cohort=draft.cohort,
            seen=request.POST.get("seen", ""),
            scale_of=draft.origin,
        )
    except Refused as refused:
        return _page(request, draft, words, status=422, refused=refused.reason)
    messages.success(request, _("Kept. The worker counts its days one after another."))
    return redirect("cohorts:one", kept.slug)


def _page(
    request: HttpRequest, draft: _Draft, words: WordsForm, *, status: int, refused: str = ""
) -> HttpResponse:
    found = _found(draft)
    model = draft.model
    context = {
        "draft": draft,
        "parts": fields(draft.said, draft.choices),
        "wrong": _wrong(draft.said, words) if status != 200 else [],
        "refused": refused,
        "words": words,
        "found": found,
        "criteria": in_words(draft.said.who, names_for([draft.said.who], draft.known[1])),
        "journey": journey(found, brief=False) if found else (),
        "state": state_of(draft.cohort) if draft.cohort else "",
        "scale": model.scale if model and model.scale.bands else None,
        "moment": timezone.now(),
        "sent": request.method == "POST",
    }
    response = render(request, "flow/describe_cohort.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _found(draft: _Draft) -> Board | None:
    """Whom the criteria find now; None before any were given, or where they make no sense."""
    if not draft.said.sound or not (draft.asked or draft.model):
        return None
    tried = Cohort(who=dict(draft.said.who))
    return board(
        tried,
        moment=Moment(timezone.now()),
        scope=draft.scope,
        wanted=FIGURES_ALONE,
        known=draft.known,
    )


def _wrong(said: Typed, words: WordsForm) -> list[tuple[str, str]]:
    """Every mistake with the id of its field; what belongs to none without one."""
    found = [
        (f"who-{field.name}", f"{field.label}: {field.error}")
        for _title, inside in fields(said, {})
        for field in inside
        if field.error
    ]
    found += [("", _("“%s” is no criterion and was left out.") % name) for name in said.strange]
    found += [
        (str(words[name].id_for_label), f"{words[name].label}: {' '.join(map(str, errors))}")
        for name, errors in words.errors.items()
    ]
    return found
