"""Criteria as a form asks for them and an address carries them: one field for each criterion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from accounts.models import Organisation, Team
from flow.cohorts.people import Area
from flow.cohorts.steps import PHASE_WORDS
from flow.templatetags.boards import code_word
from patients.cohorts import CRITERIA, Criterion, Sort, Who, mistakes
from patients.models import Code, CodeSet, Review
from wards.models import Site, Ward

Named = Sequence[tuple[str, str]]
Choices = Mapping[str, Named]
"""For each criterion that is given as one of several: values with their words."""

LABELS: Final[Mapping[str, str | Promise]] = {
    "age_from": lazy("Aged at least"),
    "age_to": lazy("Aged at most"),
    "frailty_from": lazy("Clinical Frailty Scale at least"),
    "frailty_to": lazy("Clinical Frailty Scale at most"),
    "residence": lazy("Usually live in"),
    "of_any_area": lazy("Of one of the neighbourhoods"),
    "area": lazy("Neighbourhood"),
    "phase": lazy("Before, during or after the stay"),
    "days_from": lazy("In hospital for at least, in days"),
    "readmitted_within": lazy("Back as an emergency within, in days"),
    "stays_from": lazy("Emergency admissions in twelve months, at least"),
    "site": lazy("Site"),
    "ward_kind": lazy("Kind of ward"),
    "specialty": lazy("Specialty"),
    "ready": lazy("Ready to leave (no criteria to reside met)"),
    "ready_days_from": lazy("Ready for at least, in days"),
    "pathway": lazy("Pathway"),
    "waiting_family": lazy("Family of reasons"),
    "waiting_reason": lazy("Reason"),
    "waiting_team": lazy("Kind of team"),
    "waiting_organisation": lazy("Accountable organisation"),
}
GROUPS: Final[Sequence[tuple[str | Promise, Sequence[str]]]] = (
    (
        lazy("Who they are"),
        ("age_from", "age_to", "frailty_from", "frailty_to", "residence", "of_any_area", "area"),
    ),
    (
        lazy("Their stay"),
        ("days_from", "readmitted_within", "stays_from", "phase", "site", "ward_kind", "specialty"),
    ),
    (lazy("Leaving"), ("ready", "ready_days_from", "pathway")),
    (
        lazy("What they wait for"),
        ("waiting_family", "waiting_reason", "waiting_team", "waiting_organisation"),
    ),
)
YES: Final = {"yes": True, "no": False}
_PATHWAYS: Final = (
    ("0", lazy("Pathway 0")),
    ("1", lazy("Pathway 1")),
    ("2", lazy("Pathway 2")),
    ("3", lazy("Pathway 3")),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """Criteria as somebody gave them. said: for each its texts; who: those that are sound;
    errors: by criterion what is wrong, in a sentence; strange: names that are no criteria."""

    said: Mapping[str, Sequence[str]]
    who: Who
    errors: Mapping[str, str]
    strange: Sequence[str] = ()

    @property
    def sound(self) -> bool:
        """Whether all of it makes sense."""
        return not self.errors and not self.strange


@dataclass(frozen=True, slots=True)
class Field:
    """A criterion in the form. value: as typed, of a number or a yes; choices: value, words and
    whether it is chosen."""

    name: str
    label: str
    is_number: bool
    least: int
    most: int
    value: str
    choices: Sequence[tuple[str, str, bool]]
    error: str

    @property
    def chosen(self) -> int:
        """How many of the choices are chosen."""
        return sum(chosen for _value, _words, chosen in self.choices)


def choices_known(areas: Mapping[str, Area]) -> dict[str, Named]:
    """What there is to choose among; five queries."""
    reasons = list(
        Code.objects.filter(code_set__kind=CodeSet.Kind.DELAY)
        .order_by("family", "label")
        .values_list("slug", "label", "family", "team_kind")
    )
    kinds = set(Team.objects.order_by().values_list("kind", flat=True).distinct())
    kinds |= {kind for _slug, _label, _family, kind in reasons}
    specialties = Ward.objects.order_by("specialty").values_list("specialty", flat=True).distinct()
    recognised = [
        (value, str(words)) for value, words in Ward.Kind.choices if value != Ward.Kind.UNRECOGNISED
    ]
    return {
        "residence": [(value, str(words)) for value, words in Review.Residence.choices],
        "area": [(area.slug, area.name) for area in areas.values()],
        "phase": [(phase.value, str(words)) for phase, words in PHASE_WORDS.items()],
        "site": list(Site.objects.exclude(kind=Site.Kind.UNRECOGNISED).values_list("code", "name")),
        "ward_kind": recognised,
        "specialty": [(one, code_word(one)) for one in specialties if one],
        "pathway": [(value, str(words)) for value, words in _PATHWAYS],
        "waiting_family": list(
            {slugify(family): family for _s, _l, family, _k in reasons if family}.items()
        ),
        "waiting_reason": list({slug: label for slug, label, _f, _k in reasons}.items()),
        "waiting_team": [(kind, code_word(kind)) for kind in sorted(kinds) if kind],
        "waiting_organisation": list(Organisation.objects.values_list("code", "name")),
    }


def typed(query: QueryDict, choices: Choices, *, besides: Iterable[str], kept: Who) -> Typed:
    """Read criteria from a form or an address. `besides`: what else may stand there. `kept`:
    criteria as they were: of a cohort that is changed, a value that is no longer offered stays
    allowed."""
    said = {
        name: [value.strip()[:200] for value in query.getlist(name) if value.strip()]
        for name in CRITERIA
        if name in query
    }
    who: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, texts in said.items():
        if not texts:
            continue
        value, wrong = _value(CRITERIA[name], texts, choices, kept.get(name, ()))
        if wrong:
            errors[name] = wrong
        else:
            who[name] = value
    if not errors:
        for wrong in mistakes(who):
            # What single criteria cannot say: a least that is more than the most.
            first, _is, _rest = wrong.partition(" ")
            errors[first] = _("The least is more than the most: nobody fits.")
    strange = [name[:40] for name in query if name not in {*CRITERIA, *besides}]
    return Typed(said, who, errors, strange)


def as_typed(who: Who) -> Typed:
    """Criteria as they are kept, as if somebody had typed them."""
    said = {}
    for name, value in who.items():
        if isinstance(value, bool):
            said[name] = ["yes" if value else "no"]
        else:
            said[name] = [str(one) for one in (value if isinstance(value, list) else [value])]
    return Typed(said, dict(who), {})


def _value(one: Criterion, texts: Sequence[str], choices: Choices, kept: Any) -> tuple[Any, str]:
    """What the texts mean, and what is wrong with them."""
    if one.sort is Sort.YES:
        if texts[-1] not in YES:
            return None, _("Choose yes or no.")
        return YES[texts[-1]], ""
    if one.sort is Sort.NUMBER:
        text = texts[-1]
        told = {"least": one.least, "most": one.most}
        wrong = _("Give a whole number from %(least)d to %(most)d.") % told
        if not (text.isascii() and text.isdecimal() and len(text) < 6):
            return None, wrong
        return (int(text), "") if one.least <= int(text) <= one.most else (None, wrong)
    known = {value for value, _words in choices.get(one.name, ())}
    known |= set(kept if isinstance(kept, list) else ())
    unknown = [text for text in texts if text not in known]
    if unknown:
        return None, _("There is no “%s” here. Choose among those offered.") % unknown[0][:60]
    return list(dict.fromkeys(texts)), ""


def fields(said: Typed, choices: Choices) -> list[tuple[str, list[Field]]]:
    """The form: its parts, each with its fields. What is chosen and not offered is shown too, so
    that it can be taken away; a list to choose among that is empty is left out."""
    made = []
    for title, names in GROUPS:
        inside = [_field(CRITERIA[name], said, choices) for name in names]
        shown = [
            one for one in inside if one.is_number or CRITERIA[one.name].sort is Sort.YES
            or one.choices
        ]  # fmt: skip
        made.append((str(title), shown))
    return made


def _field(one: Criterion, said: Typed, choices: Choices) -> Field:
    texts = said.said.get(one.name, [])
    offered = list(choices.get(one.name, ())) if one.sort is Sort.ONE_OF else []
    if one.sort is Sort.YES:
        offered = [("yes", _("Yes")), ("no", _("No"))]
    else:
        known = {value for value, _words in offered}
        offered += [(text, text) for text in texts if text not in known]
    return Field(
        name=one.name,
        label=str(LABELS[one.name]),
        is_number=one.sort is Sort.NUMBER,
        least=one.least,
        most=one.most,
        value=texts[-1] if texts and one.sort is not Sort.ONE_OF else "",
        choices=[(value, words, value in texts) for value, words in offered]
        if one.sort is not Sort.NUMBER
        else [],
        error=said.errors.get(one.name, ""),
    )
