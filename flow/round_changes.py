"""What changed between two ways a patient stood, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from flow.coded import Codes
from flow.frailty import GRADES
from flow.round_forms import Standing
from patients.models import Review

LABELS: Final[Mapping[str, str | Promise]] = {
    "criteria": lazy("Criteria to reside"),
    "exception": lazy("Exception"),
    "expected": lazy("Expected discharge"),
    "pathway": lazy("Pathway"),
    "day": lazy("Day"),
    "red_reason": lazy("Why red"),
    "senior": lazy("Senior review"),
    "medicines": lazy("Medicines to take home"),
    "transport": lazy("Transport"),
    "next_step": lazy("Next step"),
    "frailty": lazy("Frailty"),
    "residence": lazy("Usual residence"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is now otherwise."""

    what: str
    was: str
    now: str


def changes(seen: Standing, now: Standing, codes: Codes) -> Sequence[Change]:
    """What is otherwise than it was seen."""
    found = []
    for name, label in LABELS.items():
        was, is_ = (_said(name, standing.values, codes) for standing in (seen, now))
        if was != is_:
            found.append(Change(str(label), was, is_))
    return found


def _said(name: str, values: Mapping[str, Any], codes: Codes) -> str:
    value = values[name]
    if name == "criteria":
        if values["none_met"]:
            return _("none met")
        labels = {code.slug: code.label for code in codes.every_criterion}
        return "; ".join(labels.get(slug, slug) for slug in value) or _("not said")
    if name == "senior":
        return _("done") if value else _("not yet")
    if name == "red_reason":
        value = {str(code.pk): code.label for code in codes.red_day}.get(value, value)
    elif name == "day":
        value = Review.Day(value).label
    elif name == "medicines" and value:
        value = Review.Medicines(value).label
    elif name == "transport" and value:
        value = Review.Transport(value).label
    elif name == "frailty" and value:
        value = f"{value} {GRADES[int(value)]}"
    elif name == "residence" and value:
        value = Review.Residence(value).label
    elif isinstance(value, date):
        return f"{value:%a %-d %b}"
    return str(value or _("not said"))
