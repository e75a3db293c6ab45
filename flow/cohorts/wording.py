"""Criteria in words that somebody can read out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Organisation
from flow.cohorts.people import Area
from patients.cohorts import CRITERIA, Sort, Who
from patients.models import Code, CodeSet, Cohort, Review
from wards.models import Site, Ward

Names = Mapping[tuple[str, str], str]
"""Criterion and value, in words."""

_FIXED: Final[Names] = {
    **{("residence", value): str(label).lower() for value, label in Review.Residence.choices},
    **{("ward_kind", value): str(label).lower() for value, label in Ward.Kind.choices},
    ("phase", "before"): "before",
    ("phase", "during"): "during",
    ("phase", "after"): "after",
}
_ASKED: Final = frozenset(
    {"site", "area", "waiting_reason", "waiting_family", "waiting_organisation"}
)


def names_for(cohorts: Iterable[Who], areas: Mapping[str, Area]) -> Names:
    """What the codes in these criteria are called; a query for each sort of code that is there."""
    wanted: dict[str, set[str]] = {}
    for who in cohorts:
        for name, value in who.items():
            if name in _ASKED:
                wanted.setdefault(name, set()).update(value)
    names = dict(_FIXED)
    names |= {("area", slug): area.name for slug, area in areas.items()}
    if codes := wanted.get("site"):
        sites = Site.objects.filter(code__in=codes).values_list("code", "name")
        names |= {("site", code): name for code, name in sites}
    if codes := wanted.get("waiting_organisation"):
        bodies = Organisation.objects.filter(code__in=codes).values_list("code", "name")
        names |= {("waiting_organisation", code): name for code, name in bodies}
    if "waiting_reason" in wanted or "waiting_family" in wanted:
        reasons = Code.objects.filter(code_set__kind=CodeSet.Kind.DELAY)
        for slug, label, family in reasons.values_list("slug", "label", "family"):
            names["waiting_reason", slug] = label
            names["waiting_family", slugify(family)] = family
    return names


def in_words(who: Who, names: Names) -> list[str]:
    """Each criterion as part of a sentence, in their usual order; for no criteria at all, one
    that says so."""
    said = [_said(name, who[name], names) for name in CRITERIA if name in who]
    return said or [_("everybody")]


def _said(name: str, value: Any, names: Names) -> str:
    one = CRITERIA[name]
    if one.sort is Sort.YES:
        return one.words if value else _("not %(what)s") % {"what": one.words}
    if one.sort is Sort.NUMBER:
        return one.words.format(value)
    return one.words.format(_(" or ").join(names.get((name, item), item) for item in value))


def words_of(cohorts: Iterable[Cohort], areas: Mapping[str, Area]) -> dict[int, list[str]]:
    """The criteria of each cohort in words, by primary key."""
    listed = list(cohorts)
    names = names_for([cohort.who for cohort in listed], areas)
    return {cohort.pk: in_words(cohort.who, names) for cohort in listed}
